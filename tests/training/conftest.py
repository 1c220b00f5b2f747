"""A run so small that a test can repeat it many times: 50 pictures of 6x6, a net with every kind of state."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.catalogue.entry import Experiment
from guiapp.datasets.base import Dataset, Samples, channel_statistics
from guiapp.models.base import ModelEntry
from guiapp.tasks.classification import ClassificationTask
from guiapp.training.recipe import Recipe, change
from guiapp.training.setup import Setup

CLASSES = ("bar", "dash", "dot")


def pictures(count: int, seed: int) -> Samples:
    """A bright column, row or corner on noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % 3
    images = draw.integers(0, 60, (count, 6, 6, 1), np.uint8)
    for image, label in zip(images, labels, strict=True):
        place = draw.integers(0, 6)
        region = image[:, place] if label == 0 else image[place] if label == 1 else image[:2, :2]
        region[...] = 255
    return Samples(images, labels)


def tiny_net(channels: int, height: int, width: int, classes: int, hidden: int = 8) -> nn.Module:
    """Convolution, batch normalisation (buffers), dropout (random numbers) and a dense layer."""
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * (height - 2) * (width - 2), hidden),
        nn.Dropout(0.3),
        nn.Linear(hidden, classes),
    )


@pytest.fixture(scope="session")
def tiny_data() -> Dataset:
    train = pictures(50, 0)
    mean, std = channel_statistics(train.images)
    return Dataset("tiny", "Tiny", CLASSES, train, pictures(21, 1), pictures(24, 2), mean, std)


@pytest.fixture
def make_setup(tiny_data):
    """Makes a setup from recipe fields; ``entry`` and ``data`` replace the tiny ones."""

    def make(entry: ModelEntry | None = None, data: Dataset | None = None, **fields) -> Setup:
        entry = entry or ModelEntry("tiny", "Tiny net", tiny_net, options={"hidden": 8})
        dataset = data or tiny_data
        start = change(Recipe(epochs=3, batch=8, device="cpu"), {"augmentation": "none"})
        recipe = change(start, {name.replace("__", "."): value for name, value in fields.items()})
        return Setup(
            Experiment("tiny", "test", "Tiny", (), entry.name, dataset.name, "tiny"),
            recipe,
            dataset.name,
            entry,
            entry.preprocessing(dataset),
            dataset.classes,
            ClassificationTask(dataset.classes),
            open_data=lambda: dataset,
        )

    return make


def same(one, other) -> bool:
    """Whether two state dicts are equal, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def same_weights():
    return same


@pytest.fixture
def replace():
    return dataclasses.replace
