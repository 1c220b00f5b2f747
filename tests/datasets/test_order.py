"""Tests of classes brought into the order of a network's outputs."""

import numpy as np
import pytest

from guiapp.core.notices import SettingError
from guiapp.datasets.base import Dataset, Samples
from guiapp.datasets.order import in_order_of


def _set(*classes: str) -> Dataset:
    labels = np.arange(len(classes)).repeat(2)
    samples = Samples(np.zeros((len(labels), 4, 4, 1), np.uint8), labels, [classes[k] for k in labels])
    return Dataset("set", "A set", classes, samples, samples, samples, (0.0,), (1.0,))


def test_the_same_names_in_another_order_keep_each_sample_its_class():
    before = _set("bar", "circle", "cross")
    after = in_order_of(before, ("circle", "Cross", "bar"))
    assert after.classes == ("circle", "cross", "bar")
    for part in (after.train, after.validation, after.test):
        assert [after.classes[label] for label in part.labels] == list(before.train.paths)
        assert part.images is before.train.images


@pytest.mark.parametrize("names", [("bar", "circle"), ("a", "b"), ("bar", "bar"), ("bar", "other")])
def test_what_the_names_do_not_tell_stays(names):
    before = _set("bar", "circle")
    assert in_order_of(before, names) is before


def test_half_of_the_names_at_other_places_is_refused():
    with pytest.raises(SettingError, match="class 0 of A set is bar, which is output 1"):
        in_order_of(_set("bar", "circle"), ("disc", "bar"))
