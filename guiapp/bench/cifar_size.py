"""A data set of CIFAR-10's size that needs no files: coloured noise with a class in its means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from guiapp.datasets.base import DATASETS, Dataset, DatasetEntry, Samples

if TYPE_CHECKING:
    import torch

NAME = "bench-cifar"
BATCH = 128
COUNT = 50_000


def dataset(samples: int = COUNT) -> Dataset:
    """``samples`` training pictures of 32x32 pixels in ten classes; few for validation, which is not timed."""
    random = np.random.default_rng(0)
    colours = random.integers(40, 200, (10, 3), np.uint8)

    def part(count: int) -> Samples:
        labels = np.arange(count, dtype=np.int64) % 10
        images = random.integers(0, 56, (count, 32, 32, 3), np.uint8)
        images += colours[labels][:, None, None]
        return Samples(images, labels)

    train = part(samples)
    mean, std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    classes = tuple("0123456789")
    return Dataset(NAME, "Noise in CIFAR-10's size", classes, train, part(100), part(100), mean, std)


def register(samples: int = COUNT) -> None:
    """Make it known by name, once, with so many training samples."""
    if NAME not in DATASETS:
        DATASETS.add(NAME, DatasetEntry(NAME, "Noise in CIFAR-10's size", lambda _: dataset(samples), lambda: True))


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)
