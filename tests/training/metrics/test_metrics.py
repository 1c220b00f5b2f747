"""Figures by hand: empty classes, answers that are no numbers, intervals, wrong labels, a thousand classes."""

import math

import numpy as np
import pytest

from guiapp.training.metrics.calibration import calibration
from guiapp.training.metrics.decision import Decision, decide
from guiapp.training.metrics.numbers import jackknife
from guiapp.training.metrics.plain import as_dict
from guiapp.training.metrics.ranking import area_interval, influences
from guiapp.training.metrics.report import report
from guiapp.training.metrics.scores import NOTHING, Scores
from guiapp.training.metrics.suspects import suspects, worst

HAND = Scores(
    np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8], [np.nan, np.nan]], np.float32),
    np.array([0, 0, 1, 1, 1]),
    ("no", "yes"),
)


def test_a_table_by_hand():
    outcome = decide(HAND)
    assert outcome.answer.tolist() == [0, 1, 0, 1, NOTHING]
    assert outcome.matrix.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert outcome.unanswered == 1
    assert outcome.cell(1, 2).tolist() == [4]
    assert outcome.among("fp", 1).tolist() == [1] and outcome.among("fn", 1).tolist() == [2, 4]
    assert outcome.pairs() == [(0, 1, 1), (1, 0, 1), (1, 2, 1)]
    lines = {line.name: line for line in report(HAND).numbers(outcome)}
    assert lines["accuracy"].value == pytest.approx(0.4)
    assert lines["coverage"].value == pytest.approx(0.8)
    assert lines["selective_accuracy"].value == pytest.approx(0.5)
    assert lines["log_loss"].value == pytest.approx(-np.log([0.9, 0.4, 0.3, 0.8]).mean(), rel=1e-6)
    assert lines["log_loss"].counted == "4 of 5 samples"


def test_a_threshold_moves_samples_between_the_cells():
    counts = [decide(HAND, Decision(1, t)) for t in (0.0, 0.3, 0.5, 0.61, 1.0)]
    assert [int(c.tp[1]) for c in counts] == [2, 2, 1, 1, 0]
    assert [int(c.fp[1]) for c in counts] == [2, 1, 1, 0, 0]
    assert counts[0].names == ("no", "yes")
    several = Scores(np.full((2, 3), 1 / 3, np.float32), np.array([0, 2]), ("a", "b", "c"))
    assert decide(several, Decision(1, 0.5)).names == ("not b", "b")
    assert decide(several, Decision(None, 0.5)).unanswered == 2


def test_bins_by_hand():
    found = calibration(HAND, bins=2)
    assert found.counts.tolist() == [0, 4]
    assert found.place.tolist() == [1, 1, 1, 1, -1]
    assert math.isnan(found.came[0]) and found.came[1] == 0.5
    assert found.promised[1] == pytest.approx(0.75)
    assert found.ece == pytest.approx(0.25) and found.over == pytest.approx(0.25)
    assert found.members(1).tolist() == [0, 1, 2, 3]


def test_the_worst_mistake_is_the_one_whose_truth_was_least_expected():
    shares = np.array([[0.6, 0.4], [0.99, 0.01], [0.2, 0.8], [np.nan, np.nan]], np.float32)
    scores = Scores(shares, np.array([1, 1, 1, 0]), ("a", "b"))
    assert worst(decide(scores)).tolist() == [3, 1, 0]
    assert worst(decide(scores, Decision(1, 0.9))).tolist() == [3, 1, 0, 2]


def test_influences_are_the_derivatives_by_the_weights_of_samples(make):
    scores = make(40, 3, ties=True)
    column, truth = scores.column(0), scores.truth == 0
    area, by_area, average, by_average = influences(column, truth)
    step, found = 1e-6, []
    for index in range(len(column)):
        weights = np.ones(len(column))
        weights[index] += step
        found.append(weighted(column, truth, weights))
    np.testing.assert_allclose(by_area, (np.array(found)[:, 0] - area) / step, atol=1e-5)
    np.testing.assert_allclose(by_average, (np.array(found)[:, 1] - average) / step, atol=1e-5)


def test_an_area_of_one_has_an_interval_with_a_width():
    """Newcombe's method 5 at 20 and 30 samples: the lower end L solves 1 - L = 1.96 sqrt(V(L))."""
    truth = np.arange(50) < 20
    low, high = area_interval(1.0, np.zeros(50), 20, 30)
    spread = 1 + 24 * ((1 - low) / (2 - low) + low / (1 + low))
    assert high == 1 and 1 - low == pytest.approx(1.959964 * math.sqrt(low * (1 - low) * spread / 600), rel=1e-4)
    assert area_interval(0.0, np.zeros(50), 20, 30) == pytest.approx((0, 1 - low))
    shares = np.where(truth[:, None], [[0.1, 0.9]], [[0.9, 0.1]]).astype(np.float32)
    found = report(Scores(shares, truth.astype(np.int64), ("a", "b"))).ranking
    assert found.mean_auc[0] == 1 and low <= found.mean_auc[1][0] < 1


def weighted(column, truth, weights):
    from sklearn.metrics import average_precision_score, roc_auc_score

    return (
        roc_auc_score(truth, column, sample_weight=weights),
        average_precision_score(truth, column, sample_weight=weights),
    )


def test_intervals_hold_what_they_say(make):
    """Of 200 draws of 200 samples about 95 % have an interval that holds the population's own figure."""
    whole = make(40_000, 3)
    names = ("accuracy", "recall", "precision", "f1", "auc", "average_precision", "log_loss", "brier", "kappa", "mcc")
    wanted = {line.name: line.value for line in report(whole).numbers(decide(whole))}
    inside = dict.fromkeys(names, 0)
    for part in range(200):
        some = whole.chosen(np.arange(part * 200, part * 200 + 200))
        for line in report(some).numbers(decide(some)):
            if line.name in inside:
                inside[line.name] += line.interval[0] <= wanted[line.name] <= line.interval[1]
    assert all(178 <= number <= 199 for number in inside.values()), inside


def test_no_interval_of_nothing():
    assert all(map(math.isnan, jackknife(math.nan, np.zeros(3))))


def test_labels_that_were_changed_are_found(make):
    scores = make(1000, 4, skill=6)
    labels = scores.truth.copy()
    changed = np.arange(0, 1000, 40)
    labels[changed] = (labels[changed] + 1) % 4
    found = suspects(Scores(scores.probabilities, labels, scores.classes))
    first = found.indices[: len(changed)]
    assert np.isin(first, changed).mean() >= 0.9
    assert (found.suggested[: len(changed)] == scores.truth[first]).mean() >= 0.9
    assert (np.diff(found.margins) <= 0).all()
    assert not len(suspects(Scores(np.eye(4, dtype=np.float32), np.arange(4), scores.classes)).indices)


def test_nothing_at_all():
    nothing = Scores(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), ("a", "b", "c"))
    found, outcome = report(nothing), decide(nothing)
    data = as_dict(found, outcome)
    assert all(math.isnan(data["metrics"][name]["value"]) for name in ("accuracy", "recall", "auc", "ece"))
    assert data["worst"] == [] and data["label_candidates"] == []


def test_plain_data_names_samples_and_classes():
    data = as_dict(report(HAND), decide(HAND, Decision(1, 0.5)), paths=["a.png", "b.png", "c.png", "d.png", "e.png"])
    assert data["decision"] == {"class": "yes", "threshold": 0.5, "unanswered": 1}
    assert [row["label"] for row in data["by_class"]] == ["no", "yes"]
    assert data["by_class"][1]["tp"] == 1 and data["by_class"][1]["fn"] == 2
    assert data["worst"][0]["path"] == "e.png" and data["worst"][0]["predicted"] is None


def test_a_thousand_classes(make):
    """Classes without samples, without answers, and one line for each; large enough for a page of ImageNet."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(1000, 0.01), 1500).astype(np.float32)
    scores = Scores(shares, rng.integers(0, 900, 1500), tuple(map(str, range(1000))))
    found, outcome = report(scores), decide(scores)
    lines = {line.name: line for line in found.numbers(outcome)}
    missing = 1000 - len(np.unique(scores.truth))
    assert lines["recall"].counted == f"mean of {1000 - missing:,} of 1,000 classes"
    assert 0.4 < lines["auc"].value < 0.6 and 0 <= lines["top5"].value < 0.1
    assert len(as_dict(found, outcome)["by_class"]) == 1000
