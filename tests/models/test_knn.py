"""Nearest neighbours are those of scikit-learn, survive a state dict, and vote."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from guiapp.models import knn


@pytest.fixture(scope="module")
def data():
    digits = load_digits()
    jitter = np.random.default_rng(0).normal(0, 0.05, digits.data.shape)  # no ties between distances
    images = torch.tensor(digits.data / 16 + jitter, dtype=torch.float32).reshape(-1, 1, 8, 8)
    return images[:1000], torch.tensor(digits.target[:1000]), images[1000:1400]


@pytest.mark.parametrize(("metric", "name"), [("L1", "manhattan"), ("L2", "euclidean")])
@pytest.mark.parametrize("k", [1, 5])
def test_same_as_scikit_learn(data, metric, name, k):
    images, labels, queries = data
    model = knn.KNN(1, 8, 8, 10, k, metric)
    model.fit(images, labels)
    reference = KNeighborsClassifier(k, metric=name, algorithm="brute").fit(images.flatten(1), labels)
    distances, indices = reference.kneighbors(queries.flatten(1).numpy())
    found, lengths = model.neighbours(queries)
    np.testing.assert_array_equal(found, indices)
    np.testing.assert_allclose(lengths, distances, rtol=1e-4)
    shares = torch.softmax(model(queries), 1).numpy()
    np.testing.assert_allclose(shares, reference.predict_proba(queries.flatten(1).numpy()), atol=1e-4)
    np.testing.assert_array_equal(shares.argmax(1), reference.predict(queries.flatten(1).numpy()))


def test_blocks_give_the_same(data, monkeypatch):
    images, labels, queries = data
    model = knn.KNN(1, 8, 8, 10)
    model.fit(images, labels)
    whole = model.neighbours(queries)
    monkeypatch.setattr(knn, "BLOCK_BYTES", 4 * 1000 * 7)
    parts = model.neighbours(queries)
    assert torch.equal(whole[0], parts[0]) and torch.equal(whole[1], parts[1])


def test_near_pictures_have_exact_distances():
    # The matrix product alone would round a distance of 1e-3 between numbers near 100 to nothing.
    images = torch.full((20, 1, 2, 2), 100.0) + torch.arange(20.0).reshape(-1, 1, 1, 1)
    model = knn.KNN(1, 2, 2, 2, k=1)
    model.fit(images, torch.zeros(20, dtype=torch.int64))
    index, distance = model.neighbours(images[3:4] + 0.001)
    assert index.item() == 3
    assert distance.item() == pytest.approx(0.002, rel=0.02)


def test_state_dict_carries_the_samples(data):
    images, labels, queries = data
    model = knn.KNN(1, 8, 8, 10)
    model.fit(images, labels)
    other = knn.KNN(1, 8, 8, 10)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(queries), model(queries))


def test_fewer_samples_than_k_and_none():
    model = knn.KNN(1, 2, 2, 4, k=5)
    images = torch.randn(3, 1, 2, 2)
    torch.testing.assert_close(torch.softmax(model(images), 1), torch.full((3, 4), 0.25))
    model.fit(images, torch.tensor([0, 1, 1]))
    assert model.neighbours(images)[0].shape == (3, 3)
    assert torch.softmax(model(images), 1)[0].tolist() == pytest.approx([1 / 3, 2 / 3, 0, 0], abs=1e-5)


def test_wrong_samples_are_refused():
    model = knn.KNN(1, 2, 2, 4)
    with pytest.raises(ValueError, match="labels"):
        model.fit(torch.zeros(3, 1, 2, 2), torch.zeros(2))
    with pytest.raises(ValueError, match="numbers"):
        model.fit(torch.zeros(3, 1, 3, 3), torch.zeros(3))
