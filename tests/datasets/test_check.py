"""The check finds what was planted, and nothing in clean sets."""

import numpy as np
import pytest

from guiapp.datasets import open_dataset
from guiapp.datasets.base import Dataset, Samples, channel_statistics
from guiapp.datasets.check import check
from guiapp.datasets.thumbnails import thumbnail


def made(train, validation, test, classes=("a", "b"), **changes):
    """A data set of 2x2 grey pictures, each given as (value, label)."""
    parts = [
        Samples(
            np.array([np.full((2, 2, 1), value, np.uint8) for value, _ in part], np.uint8).reshape(-1, 2, 2, 1),
            np.array([label for _, label in part], np.int64),
        )
        for part in (train, validation, test)
    ]
    mean, std = channel_statistics(parts[0].images)
    return Dataset("x", "X", classes, *parts, mean=mean, std=std, **changes)


def test_clean():
    report = check(made([(1, 0), (2, 1)], [(3, 0), (4, 1)], [(5, 0), (6, 1)]))
    assert report.counts == {"train": (1, 1), "validation": (1, 1), "test": (1, 1)}
    assert report.total("train") == 2
    assert report.warnings == ()
    assert report.duplicates == ()
    assert report.shape == (1, 2, 2)
    assert report.mean == pytest.approx((1.5 / 255,))


def test_duplicates_across_parts_with_their_places():
    report = check(made([(1, 0), (2, 1), (1, 0)], [(2, 1), (3, 0)], [(1, 1), (3, 0), (9, 1), (9, 1)]))
    found = [(d.first, d.second, d.same_label) for d in report.duplicates]
    assert found == [
        (("train", 1), ("validation", 0), True),
        (("train", 0), ("test", 0), False),
        (("validation", 1), ("test", 1), True),
    ]
    assert report.repeats == {"train": 1, "validation": 0, "test": 1}
    assert "1 sample of the validation part (50.0 %) is also in the train part: accuracy on validation is too good" in (
        " ".join(report.warnings)
    )
    assert any("same pixels as another of a different class" in warning for warning in report.warnings)


def test_imbalance_and_empty_classes():
    report = check(
        made([(n, 0) for n in range(10)] + [(20, 1), (21, 1)], [(30, 0)], [(40, 0)], classes=("cat", "dog", "emu"))
    )
    text = "\n".join(report.warnings)
    assert "10 training samples of cat, 2 of dog" in text
    assert "no sample in the train part of: emu" in text
    assert "no sample in the test part of: dog, emu" in text


def test_empty_parts_unreadable_files_and_flat_pictures():
    report = check(made([(7, 0), (7, 1)], [], [], unreadable=("a: bad", "b: bad", "c: bad", "d: bad")))
    text = "\n".join(report.warnings)
    assert "the validation part is empty" in text
    assert "the test part is empty" in text
    assert "4 files could not be read: a: bad; b: bad; c: bad and 1 more" in text
    assert "nothing to learn" in text
    assert report.unreadable == ("a: bad", "b: bad", "c: bad", "d: bad")


def test_it_can_be_stopped():
    def stop(share, text):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        check(made([(1, 0)], [], []), stop)


def test_digits_are_clean():
    report = check(open_dataset("digits"))
    assert report.warnings == ()
    assert sum(report.total(part) for part in report.counts) == 1797


@pytest.mark.data
def test_mnist_is_clean(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    report = check(open_dataset("mnist"))
    assert report.warnings == ()
    assert report.counts["test"][1] == 1135
    assert report.mean[0] == pytest.approx(0.1306, abs=2e-4)


def test_thumbnails():
    digits = open_dataset("digits")
    small = thumbnail(digits, "test", 5)
    assert small.shape == (8, 8, 3)
    assert (small == digits.test.images[5]).all()
    large = made([(9, 0)], [], [])
    images = np.arange(200 * 100 * 3, dtype=np.uint64).astype(np.uint8).reshape(1, 200, 100, 3)
    large = Dataset("y", "Y", ("a",), Samples(images, np.zeros(1, np.int64)), *[large.test] * 2, (0.5,) * 3, (1.0,) * 3)
    assert thumbnail(large, "train", 0).shape == (67, 34, 3)
    with pytest.raises(IndexError):
        thumbnail(digits, "test", 10_000)
