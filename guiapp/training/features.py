"""What a frozen backbone gives for the samples of a run, worked out once: training the head then takes seconds.

Kept are the inputs of the head in evaluation mode, one vector or map a sample, in memory and as a file in the cache
folder. Without augmentation nothing is lost: every step sees exactly what it would have seen. With augmentation a
sample is another picture at every step, so nothing is kept, unless the recipe asks for a number of ``views``: as many
augmented versions of each sample are drawn once, and epoch e learns from version e modulo their number. The
validation and test parts are never augmented.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from guiapp.core import paths
from guiapp.core.files import write_atomic
from guiapp.datasets.base import Part
from guiapp.models.head import Head, feature_shape, features_of, find_head, head_parameters, take_features
from guiapp.training import seeds
from guiapp.training.augmenter import augmenter_of
from guiapp.training.data import KEEP_BYTES, Preparing, TrainingData

if TYPE_CHECKING:
    from guiapp.training.setup import Setup

BLOCK = 32
"""Samples that are worked out at once."""
_VERSION = 1  # of the files in the cache
VIEWS = 1 << 40
"""Counters of the draws of views lie beyond those of steps."""
_HASHED_ROWS = 256


class FeatureData(TrainingData):
    """Batches of features in place of pictures; ``take_features`` lets the network be called with them.

    Args:
        setup: The run.
        device: Where the network lies.
        model: The network, whose backbone must not change.
        head: Its head.
        shape: Shape of the features of a sample.
    """

    def __init__(
        self, setup: Setup, device: torch.device, model: torch.nn.Module, head: Head, shape: tuple[int, ...]
    ) -> None:
        super().__init__(setup, device)
        self._model, self._head, self._feature_shape = model, head, shape
        recipe = setup.recipe.transfer
        # From this step on more than the head learns, and pictures are needed again.
        self._until = recipe.every * self.steps_per_epoch if recipe.name == "gradual" else None
        self._count_of_views = setup.recipe.transfer.views if self._augment is not None else 0
        self._features: dict[Part, torch.Tensor] = {}
        self._views: list[torch.Tensor] = []
        self._over = False
        take_features(model, head, shape)

    def prepare(self) -> Iterator[Preparing]:
        """Work the features of the training and validation parts out, or read them; yields between blocks."""
        weights = _digest_of(self._model, self._head)
        parts: tuple[Part, Part] = ("train", "validation")
        for part in parts:
            labels = np.asarray(self._setup.dataset.part(part).labels, np.int64)
            self._labels[part] = torch.from_numpy(labels).to(self._device)
            self._features[part] = yield from self._kept_or_made(part, weights, None)
        for view in range(self._count_of_views):
            self._views.append((yield from self._kept_or_made("train", weights, view)))
        self._kept = dict(self._features)
        if self._until is not None:
            pictures = TrainingData(self._setup, self._device)
            yield from pictures.prepare()
            self._pictures = pictures._kept

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (N, ...) of one step, or pictures once the backbone learns, with what they are."""
        self._over = self._until is not None and step >= self._until
        if self._over:
            self._kept = self._pictures
            return super().batch(step)
        augment, self._augment = self._augment, None
        try:
            if self._views:
                self._kept["train"] = self._views[step // self.steps_per_epoch % len(self._views)]
            return super().batch(step)
        finally:
            self._augment = augment

    def batches(
        self, part: Part, size: int = 128, share: tuple[int, int] = (0, 1)
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Features of a part in its own order, not augmented; pictures where there are none."""
        self._kept = self._pictures if self._over else dict(self._features)
        return super().batches(part, size, share)

    def learning(self, step: int) -> None:
        """The run stands before this step: whether what is evaluated there are features, or pictures."""
        self._over = self._until is not None and step > self._until

    def _kept_or_made(self, part: Part, weights: str, view: int | None) -> Generator[Preparing, None, torch.Tensor]:
        count = len(self._setup.dataset.part(part))
        shape = (count, *self._feature_shape)
        file = paths.cache() / "features" / f"{self._key(part, weights, view)}.npy"
        found = _read(file, shape)
        if found is None:
            found = np.empty(shape, np.float32)
            for start in range(0, count, BLOCK):
                rows = slice(start, min(start + BLOCK, count))
                found[rows] = self._made(part, rows, view).cpu().numpy()
                yield Preparing(rows.stop, count)
            _write(file, found)
        return torch.from_numpy(found).to(self._device)

    def _made(self, part: Part, rows: slice, view: int | None) -> torch.Tensor:
        inputs = self._inputs(part, rows).contiguous(memory_format=torch.channels_last)
        if view is not None:
            assert self._augment is not None
            counter = VIEWS + view * (1 << 24) + rows.start
            draw = seeds.generator(self._device, seeds.mix(self._seed, seeds.AUGMENTATION, counter))
            classes = torch.zeros(len(inputs), dtype=torch.int64, device=self._device)
            inputs = self._augment(inputs, classes, draw)[0]
        return features_of(self._model, self._head, inputs)

    def _key(self, part: Part, weights: str, view: int | None) -> str:
        """Name of the file: changes with anything that decides the numbers, to the last bit."""
        setup = self._setup
        about: list[object] = [
            _VERSION, weights, setup.preprocessing.as_dict(), setup.entry.name, self._head.names, self._device.type,
            torch.get_num_threads(), torch.__version__,
        ]  # fmt: skip
        if view is not None:
            about += [view, setup.recipe.seed, setup.recipe.augmentation]
        digest = hashlib.blake2b(repr(about).encode(), digest_size=16)
        images = setup.dataset.part(part).images
        digest.update(repr(images.shape).encode())
        for start in range(0, len(images), _HASHED_ROWS):
            digest.update(np.ascontiguousarray(images[start : start + _HASHED_ROWS]).data)
        return digest.hexdigest()


def training_data(setup: Setup, device: torch.device, model: torch.nn.Module) -> TrainingData:
    """The batches of a run: of features where the recipe freezes the backbone and they can be kept, else of pictures.

    ``model`` is changed so that it takes features, where they are.
    """
    if keeps_features(setup):
        head = find_head(model)
        shape = feature_shape(model, head, setup.preprocessing.size)
        if shape is not None and fits(setup, shape):
            return FeatureData(setup, device, model, head, shape)
    return TrainingData(setup, device)


def keeps_features(setup: Setup) -> bool:
    """Whether the recipe lets the features of the samples be kept, at least for the first epochs."""
    recipe = setup.recipe.transfer
    if setup.entry.trained_by != "gradient" or recipe.name == "all":
        return False
    return augmenter_of(setup) is None or (recipe.name == "head" and recipe.views > 0)


def fits(setup: Setup, shape: tuple[int, ...]) -> bool:
    """Whether the features of every part and view are small enough to be kept."""
    train, validation = len(setup.dataset.train), len(setup.dataset.validation)
    return 4 * math.prod(shape) * (train * (1 + setup.recipe.transfer.views) + validation) <= KEEP_BYTES


def _digest_of(model: torch.nn.Module, head: Head) -> str:
    """Of the numbers of the backbone."""
    own = set(head_parameters(model, head))
    digest = hashlib.blake2b(digest_size=16)
    for name, value in model.state_dict().items():
        if name not in own:
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read(file: Path, shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None:
    try:
        found = np.load(file)
    except (OSError, ValueError, EOFError):
        return None
    if found.shape != shape or found.dtype != np.float32:
        return None
    return cast("np.ndarray[tuple[int, ...], np.dtype[np.float32]]", found)


def _write(file: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    """Keep it for the next run; where there is no room it is worked out again then."""
    import io

    content = io.BytesIO()
    np.save(content, values)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, content.getvalue())
    except OSError:
        return
