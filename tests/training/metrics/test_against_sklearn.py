"""Every figure that scikit-learn has, equal to scikit-learn's."""

import math
import warnings

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.dummy import DummyClassifier

from guiapp.training.metrics.calibration import calibration
from guiapp.training.metrics.decision import Decision, decide
from guiapp.training.metrics.numbers import by_class
from guiapp.training.metrics.ranking import curve, influences
from guiapp.training.metrics.report import report
from guiapp.training.metrics.scores import Scores, uninformed

CASES = [{"classes": 5}, {"classes": 5, "ties": True}, {"classes": 2, "skill": 0.5}, {"classes": 12, "seed": 3}]


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("threshold", [0.0, 0.6])
def test_table_and_numbers_of_all_classes(make, case, threshold):
    scores = make(**case)
    outcome = decide(scores, Decision(None, threshold))
    truth, answer, labels = scores.truth, outcome.answer, list(range(scores.count))
    with_none = [*labels, -1]
    close(outcome.matrix, reference.confusion_matrix(truth, answer, labels=with_none)[:-1])
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        truth, answer, labels=labels, zero_division=np.nan
    )
    found = by_class(outcome)
    close(found["precision"], precision)
    close(found["recall"], recall)
    close(found["f1"], f1)
    close(outcome.matrix.sum(1), support)
    (tn, fp), (fn, tp) = np.moveaxis(reference.multilabel_confusion_matrix(truth, answer, labels=labels), 0, -1)
    close(np.stack([outcome.tn, outcome.fp, outcome.fn, outcome.tp]), np.stack([tn, fp, fn, tp]))
    lines = {line.name: line for line in report(scores).numbers(outcome)}
    close(lines["accuracy"].value, reference.accuracy_score(truth, answer))
    close(lines["error_rate"].value, 1 - reference.accuracy_score(truth, answer))
    close(lines["precision"].value, np.nanmean(precision))
    close(lines["kappa"].value, reference.cohen_kappa_score(truth, answer))
    close(lines["mcc"].value, reference.matthews_corrcoef(truth, answer))
    if not threshold:
        close(lines["balanced_accuracy"].value, reference.balanced_accuracy_score(truth, answer))


@pytest.mark.parametrize("case", CASES)
def test_numbers_of_probabilities(make, case):
    scores = make(**case)
    shares, truth, labels = scores.probabilities.astype(float), scores.truth, list(range(scores.count))
    lines = {line.name: line for line in report(scores).numbers(decide(scores))}
    shares /= shares.sum(1, keepdims=True)  # scikit-learn wants sums of exactly 1
    close(lines["log_loss"].value, reference.log_loss(truth, shares, labels=labels))
    each = [reference.roc_auc_score(truth == c, scores.probabilities[:, c]) for c in labels]
    close(lines["auc"].value, np.mean(each))
    each = [reference.average_precision_score(truth == c, scores.probabilities[:, c]) for c in labels]
    close(lines["average_precision"].value, np.mean(each))
    squares = np.mean([((shares[i] - np.eye(len(labels))[t]) ** 2).sum() for i, t in enumerate(truth)])
    close(lines["brier"].value, squares)
    if len(labels) > 5:
        close(lines["top5"].value, reference.top_k_accuracy_score(truth, scores.probabilities, k=5, labels=labels))


@pytest.mark.parametrize("case", CASES)
def test_one_class_against_the_others(make, case):
    scores = make(**case)
    truth, column = scores.truth == 1, scores.probabilities[:, 1].astype(float)
    for threshold in (0.0, 0.2, float(column[7]), 0.5, 1.0):
        outcome = decide(scores, Decision(1, threshold))
        said = column >= threshold
        tn, fp, fn, tp = reference.confusion_matrix(truth, said, labels=[False, True]).ravel()
        close([outcome.tn[1], outcome.fp[1], outcome.fn[1], outcome.tp[1]], [tn, fp, fn, tp])
        lines = {line.name: line.value for line in report(scores).numbers(outcome)}
        wanted = {
            "accuracy": (tp + tn) / len(truth), "error_rate": (fp + fn) / len(truth), "precision": ratio(tp, tp + fp),
            "recall": ratio(tp, tp + fn), "specificity": ratio(tn, fp + tn), "npv": ratio(tn, tn + fn),
            "fpr": ratio(fp, fp + tn), "fnr": ratio(fn, tp + fn), "fdr": ratio(fp, tp + fp),
            "f1": reference.f1_score(truth, said, zero_division=np.nan),
            "kappa": reference.cohen_kappa_score(truth, said), "mcc": reference.matthews_corrcoef(truth, said),
            "brier": reference.brier_score_loss(truth, column), "auc": reference.roc_auc_score(truth, column),
            "average_precision": reference.average_precision_score(truth, column),
        }  # fmt: skip
        for name, value in wanted.items():
            np.testing.assert_allclose(lines[name], value, rtol=1e-6, atol=1e-9, err_msg=f"{name} at {threshold}")


def ratio(part, whole):
    return part / whole if whole else math.nan


@pytest.mark.parametrize("case", CASES)
def test_curves(make, case):
    scores = make(**case)
    truth, column = scores.truth == 0, scores.probabilities[:, 0]
    found = curve(scores, 0)
    fpr, tpr, thresholds = reference.roc_curve(truth, column, drop_intermediate=False)
    close(found.fpr, fpr)
    close(found.tpr, tpr)
    close(found.thresholds[1:], thresholds[1:])
    precision, recall, _ = reference.precision_recall_curve(truth, column)
    close(found.precision[1:][::-1], precision[:-1])
    close(found.tpr[1:][::-1], recall[:-1])
    area, _, average, _ = influences(column, truth)
    close([found.auc, found.average_precision], [area, average])
    close(area, reference.roc_auc_score(truth, column))
    close(average, reference.average_precision_score(truth, column))
    at = found.at(float(column[3]))
    close(found.tp[at], (truth & (column >= column[3])).sum())


def test_bins_are_those_of_scikit_learn(make):
    scores = make(900, 3)
    found = calibration(scores, positive=1, bins=10)
    from sklearn.calibration import calibration_curve

    came, promised = calibration_curve(scores.truth == 1, scores.probabilities[:, 1], n_bins=10)
    full = found.counts > 0
    close(found.came[full], came)
    np.testing.assert_allclose(found.promised[full], promised, rtol=1e-5)
    gaps = np.abs(found.came - found.promised)[full]
    close(found.ece, (gaps * found.counts[full]).sum() / found.counts.sum())
    close(found.mce, gaps.max())


def test_the_baseline_is_the_dummy_classifier(make):
    scores = make(300, 4)
    train = np.repeat(np.arange(4), [10, 50, 20, 20])
    scores = Scores(scores.probabilities, scores.truth, scores.classes, train_counts=np.bincount(train))
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((100, 1)), train)
    nothing = np.zeros((len(scores), 1))
    close(uninformed(scores).top, dummy.predict(nothing))
    lines = {line.name: line.majority for line in report(scores).numbers(decide(scores))}
    close(lines["accuracy"], dummy.score(nothing, scores.truth))
    close(lines["log_loss"], reference.log_loss(scores.truth, dummy.predict_proba(nothing)))
    close(lines["auc"], 0.5)
    close(lines["average_precision"], 0.25)
    close([lines["kappa"], lines["mcc"]], [0, 0])


def test_no_warning_where_a_class_is_empty_or_never_answered(make):
    scores = make(60, 4)
    keep = scores.truth != 2
    shares = scores.probabilities[keep].copy()
    shares[:, 3] = 0
    lacking = Scores(shares, scores.truth[keep], scores.classes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = decide(lacking)
        lines = {line.name: line for line in report(lacking).numbers(outcome)}
    found = by_class(outcome)
    assert math.isnan(found["recall"][2]) and math.isnan(found["precision"][3]) and found["f1"][3] == 0
    precision = reference.precision_score(
        lacking.truth, outcome.answer, labels=range(4), average="macro", zero_division=np.nan
    )
    close(lines["precision"].value, precision)
    assert lines["recall"].counted == "mean of 3 of 4 classes"
    assert lines["auc"].counted == "mean of 3 of 4 classes"
