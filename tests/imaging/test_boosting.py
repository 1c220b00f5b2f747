"""Boosting of Haar features: sums against pixels, weights and votes against the rule worked out by hand."""

import numpy as np
import pytest

from guiapp.imaging.boosting import boost, haar_features, responses


def test_a_feature_is_the_difference_of_its_rectangles_over_area_and_deviation():
    patches = np.random.default_rng(0).integers(0, 256, (3, 20, 20), np.uint8)
    features = haar_features()
    found = responses(patches, features)
    for row in range(0, len(features), 397):
        weights = np.zeros((20, 20))
        for left, top, width, height, weight in features[row].astype(int).tolist():
            weights[top : top + height, left : left + width] += weight
        inner = patches[:, 1:-1, 1:-1].reshape(3, -1)
        wanted = (patches * weights).sum((1, 2)) / (inner.std(1) * inner.shape[1])
        assert found[row] == pytest.approx(wanted, rel=1e-4, abs=1e-4)
        assert weights.sum() == 0  # a feature says nothing about a plain patch


def test_light_and_contrast_do_not_matter():
    patch = np.random.default_rng(1).integers(60, 120, (20, 20)).astype(np.uint8)
    both = responses(np.stack([patch, patch * 2 - 40]), haar_features())
    assert both[:, 0] == pytest.approx(both[:, 1], abs=1e-4)


def test_rounds_follow_the_rule_by_hand():
    # one feature: faces at 3, 4 and 1; others at 0, 2 and 2. Above 2.5 is a face: one of six is wrong.
    values = np.array([[3.0, 4.0, 1.0, 0.0, 2.0, 2.0]], np.float32)
    faces = np.array([True, True, True, False, False, False])
    first, second = boost(values, faces, np.ones(6, bool), 2)
    assert (first.threshold, first.sign, first.error) == (2.5, 1, pytest.approx(1 / 6))
    assert first.alpha == pytest.approx(np.log(5))
    assert first.weights.tolist() == pytest.approx([0.1, 0.1, 0.5, 0.1, 0.1, 0.1])  # half on what was wrong
    assert (first.sums / np.log(5)).tolist() == pytest.approx([1, 1, -1, -1, -1, -1])
    assert (second.threshold, second.error) == (
        0.5,
        pytest.approx(0.2),
    )  # the heavy face is right now, two others wrong
    assert second.sums == pytest.approx(first.sums + np.log(4) * np.array([1, 1, 1, -1, 1, 1]))


def test_less_may_mean_a_face_and_what_is_kept_for_the_test_teaches_nothing():
    values = np.array([[5.0, 5.0, 1.0, 2.0, 9.0]], np.float32)
    faces = np.array([False, False, True, True, True])
    (one,) = boost(values, faces, np.array([True, True, True, True, False]), 5)  # never wrong: it ends there
    assert (one.sign, one.error, one.threshold) == (-1, 0.0, 3.5)
    assert (one.sums >= 0).tolist() == [False, False, True, True, False] and len(one.weights) == 4


def test_equal_values_are_not_told_apart():
    values = np.array([[1.0, 1.0, 1.0, 1.0]], np.float32)
    assert list(boost(values, np.array([True, False, True, False]), np.ones(4, bool), 3)) == []


def test_the_least_weighted_error_of_all_features_is_found():
    random = np.random.default_rng(2)
    values = random.normal(size=(520, 12)).astype(np.float32)  # more than one chunk
    faces = np.arange(12) % 3 == 0
    weights = np.full(12, 1 / 12)
    for one in boost(values, faces, np.ones(12, bool), 2):
        errors = []
        for row in values:
            for limit in np.append(row, np.inf):
                wrong = weights[(row >= limit) != faces].sum()
                errors += [wrong, 1 - wrong]
        assert one.error == pytest.approx(min(errors))
        weights = one.weights
