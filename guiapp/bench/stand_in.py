"""A data set of MNIST's size that needs no files: the embedded digits, enlarged and repeated."""

from __future__ import annotations

import numpy as np

from guiapp.datasets.base import DATASETS, Dataset, DatasetEntry, Samples, channel_statistics

NAME = "bench-digits"


def dataset() -> Dataset:
    """55,000 training, 1,000 validation and 1,000 test pictures of 28x28 pixels with small differences."""
    from guiapp.datasets import open_dataset

    digits = open_dataset("digits")
    random = np.random.default_rng(0)

    def enlarge(samples: Samples, count: int) -> Samples:
        chosen = np.arange(count) % len(samples)
        images = np.zeros((count, 28, 28, 1), np.uint8)
        images[:, 2:26, 2:26, 0] = samples.images[chosen, :, :, 0].repeat(3, 1).repeat(3, 2)
        images ^= random.integers(0, 16, images.shape, np.uint8)
        return Samples(images, samples.labels[chosen])

    train = enlarge(digits.train, 55_000)
    mean, std = channel_statistics(train.images[:1000])
    return Dataset(
        NAME,
        "Digits in MNIST's size",
        digits.classes,
        train,
        enlarge(digits.validation, 1000),
        enlarge(digits.test, 1000),
        mean,
        std,
        source=digits.source,
    )


def register() -> None:
    """Make it known by name, once."""
    if NAME not in DATASETS:
        DATASETS.add(NAME, DatasetEntry(NAME, "Digits in MNIST's size", lambda _: dataset(), lambda: True))
