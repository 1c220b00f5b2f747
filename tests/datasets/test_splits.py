"""Parts are exact, disjoint, stratified and always the same."""

import numpy as np
import pytest

from guiapp.datasets.splits import hold_out, stratified


def test_parts_are_exact_disjoint_and_stratified():
    labels = np.repeat(np.arange(4), [100, 60, 30, 10])
    np.random.default_rng(0).shuffle(labels)
    parts = stratified(labels, (120, 40, 40))
    assert [len(part) for part in parts] == [120, 40, 40]
    assert sorted(np.concatenate(parts).tolist()) == list(range(200))
    assert np.bincount(labels[parts[0]]).tolist() == [60, 36, 18, 6]
    assert np.bincount(labels[parts[1]]).tolist() == [20, 12, 6, 2]
    assert all((np.diff(part) > 0).all() for part in parts)


def test_remainders_go_to_the_largest_and_ties_to_any_class():
    labels = np.repeat(np.arange(10), 3)
    train, rest = stratified(labels, (25, 5))
    assert len(train) == 25
    assert np.bincount(labels[rest], minlength=10).max() == 1
    assert np.bincount(labels[rest], minlength=10)[5:].sum() > 0  # not just the first classes


def test_the_seed_fixes_the_parts():
    labels = np.arange(1000) % 7
    first, again, other = (stratified(labels, (700, 300), seed) for seed in (1, 1, 2))
    assert (first[0] == again[0]).all()
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_tiny_sets(number):
    parts = stratified(np.zeros(number, np.int64), (number, 0, 0))
    assert [len(part) for part in parts] == [number, 0, 0]


def test_counts_that_do_not_add_up_are_an_error():
    with pytest.raises(ValueError, match="do not add up"):
        stratified(np.zeros(5, np.int64), (2, 2))


def test_hold_out_keeps_pictures_with_their_labels():
    labels = np.arange(50) % 5
    images = labels.astype(np.uint8)[:, None, None, None]
    train, held = hold_out(images, labels, 10)
    assert (len(train), len(held)) == (40, 10)
    for part in (train, held):
        assert (part.images.ravel() == part.labels).all()
