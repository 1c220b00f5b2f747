"""Neighbours under three distances against hand values, scipy and scikit-learn."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import KNeighborsClassifier

from guiapp.interpret.embedding.distance import METRICS, Space

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def vectors():
    return (RNG.normal(0, 1, (300, 6)) @ RNG.normal(0, 1, (6, 6)) + 20).astype(np.float32)


def _expected(vectors, queries, metric):
    if metric == "mahalanobis":
        inverse = np.linalg.inv(LedoitWolf().fit(vectors.astype(np.float64)).covariance_)
        return cdist(queries, vectors, "mahalanobis", VI=inverse)
    return cdist(queries, vectors, metric)


@pytest.mark.parametrize("metric", METRICS)
def test_distances_and_neighbours_are_those_of_scipy(vectors, metric):
    space, queries = Space(vectors), vectors[:20] + 0.05
    expected = _expected(vectors.astype(np.float64), queries.astype(np.float64), metric)
    assert np.allclose(space.distances(queries, metric), expected, atol=2e-3)
    for query, row in zip(queries, expected, strict=True):
        near = space.nearest(query, metric, 5)
        assert np.allclose(near.distances, np.sort(row)[:5], atol=1e-4)
        assert np.allclose(row[near.indices], np.sort(row)[:5], atol=1e-5)


def test_a_long_axis_counts_for_less_by_mahalanobis_and_length_for_nothing_by_cosine():
    line = np.linspace(-30, 30, 61)
    points = np.concatenate([np.stack([line, np.zeros(61)], 1), [[0, 2], [0, -2]]]).astype(np.float32)
    space = Space(points)
    origin = np.zeros(2, np.float32)
    along, across = np.array([[4.0, 0.0]], np.float32), np.array([[0.0, 2.0]], np.float32)
    far = [space.nearest(origin, "mahalanobis", 63).distances, space]
    assert len(far[0]) == 63
    euclid = Space(np.concatenate([along, across]))
    assert euclid.nearest(origin, "euclidean", 1).indices.tolist() == [1]
    order = space.nearest(origin, "mahalanobis", 63).indices.tolist()
    assert order.index(34) < order.index(61)  # 4 along the long axis is nearer than 2 across
    cosine = Space(np.array([[10, 0], [1, 1], [0, 0.1]], np.float32)).nearest(np.array([0.0, 5.0]), "cosine", 3)
    assert cosine.indices.tolist() == [2, 1, 0]
    assert np.allclose(cosine.distances, [0, 1 - np.sqrt(0.5), 1], atol=1e-6)


def test_one_that_is_asked_about_itself_is_left_out(vectors):
    space = Space(vectors)
    assert space.nearest(vectors[7], "euclidean", 1).indices[0] == 7
    assert 7 not in space.nearest(vectors[7], "euclidean", 299, but=7).indices
    assert len(space.nearest(vectors[7], "euclidean", 999, but=7).indices) == 299


def test_agreement_is_the_accuracy_of_neighbours_that_vote():
    labels = RNG.integers(0, 3, 200)
    vectors = (RNG.normal(0, 1, (200, 4)) + 1.2 * np.eye(4)[labels]).astype(np.float32)
    share, asked = Space(vectors).agreement(labels, "euclidean", 1)
    right = 0
    for left_out in range(200):
        keep = np.arange(200) != left_out
        model = KNeighborsClassifier(1).fit(vectors[keep], labels[keep])
        right += model.predict(vectors[left_out : left_out + 1])[0] == labels[left_out]
    assert (share, asked) == (right / 200, 200)


def test_without_known_classes_there_is_no_agreement_and_unknown_ones_do_not_vote():
    vectors = np.arange(8, dtype=np.float32)[:, None]
    assert np.isnan(Space(vectors).agreement(np.full(8, -1), "euclidean")[0])
    labels = np.array([0, -1, -1, -1, 0, 1, 1, 1])
    assert Space(vectors).agreement(labels, "euclidean", 1) == (0.8, 5)  # the fourth of class 0 has a 1 beside it


def test_units_that_never_answer_and_more_dimensions_than_vectors_can_be_whitened():
    vectors = np.zeros((10, 40), np.float32)
    vectors[:, :12] = RNG.normal(0, 1, (10, 12))
    assert np.isfinite(Space(vectors).distances(vectors, "mahalanobis")).all()
    assert np.isfinite(Space(np.zeros((5, 3), np.float32)).distances(np.ones((1, 3), np.float32), "mahalanobis")).all()


def test_wide_vectors_are_compared_by_their_first_components():
    wide = np.zeros((40, 600), np.float32)
    wide[:, :3] = RNG.normal(0, 1, (40, 3))
    narrow = Space(wide[:, :3].copy()).nearest(wide[0, :3], "mahalanobis", 8)
    assert set(Space(wide).nearest(wide[0], "mahalanobis", 8).indices[:3]) <= set(narrow.indices.tolist())
