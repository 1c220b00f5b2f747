"""The head on given features: the least cost, equal say of classes, what is held out."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from guiapp.training.head_fit import fit, held_out


def samples(counts=(60, 60, 60), width=12, seed=0):
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    centres = random.normal(0, 1, (len(counts), width))
    return (centres[labels] + random.normal(0, 1, (len(labels), width))).astype(np.float32), labels


def test_it_is_scikit_learns_logistic_regression_on_standardised_features():
    features, labels = samples()
    plain = (features - features.mean(0)) / features.std(0)
    # scikit-learn's cost is the sum of losses plus 1 / (2 C) times the squared weights.
    theirs = LogisticRegression(C=1 / (0.05 * len(labels)), max_iter=2000, tol=1e-8).fit(plain, labels)
    assert fit(features, labels, 3, 0.05).probabilities(features) == pytest.approx(
        theirs.predict_proba(plain), abs=2e-3
    )


def test_a_rare_class_has_as_much_say_as_a_frequent_one():
    features, labels = samples((300, 12, 300))
    head = fit(features, labels, 3)
    right = head.scores(features).argmax(1) == labels
    assert right[labels == 1].mean() == 1.0


def test_a_class_without_samples_is_never_said_and_a_constant_feature_does_not_matter():
    features, labels = samples()
    features[:, 3] = 5.0
    head = fit(features, labels, 4)
    assert (head.probabilities(features)[:, 3] < 1e-6).all()
    other = features.copy()
    other[:, 3] = 900.0
    assert np.array_equal(head.scores(features).argmax(1), head.scores(other).argmax(1))
    assert np.isfinite(head.weight).all()


def test_a_fifth_of_each_class_is_held_out():
    features, labels = samples((20, 25, 30))
    right, count = held_out(features, labels, 3)
    assert count == 4 + 5 + 6 and right / count > 0.8
    shuffled = np.random.default_rng(1).permutation(labels)
    right, count = held_out(features, shuffled, 3)
    assert right / count < 0.7, "labels that mean nothing cannot be learned from others"
    assert held_out(features[:4], labels[:4], 3) is None
