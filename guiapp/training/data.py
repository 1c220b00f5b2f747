"""The training and validation parts as batches on the device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from guiapp.datasets.base import Part
from guiapp.training import seeds
from guiapp.training.augmenter import augmenter_of
from guiapp.training.balance import draw_order
from guiapp.training.loader import Loader
from guiapp.training.schedules import steps_of_epoch
from guiapp.training.setup import Setup

if TYPE_CHECKING:
    from guiapp.training.recipe import Recipe

KEEP_BYTES = 1 << 30
"""Prepared inputs are kept in memory up to this size, unless the recipe says otherwise; see ``kept_bytes``."""
_KEEP_MB = 1024
EVALUATION_BATCH = 128
_BLOCK = 1000


@dataclass(frozen=True)
class Preparing:
    """Pictures are being brought to the network's input: ``done`` of ``total``."""

    done: int
    total: int


class TrainingData:
    """Batches of a run; which samples a step sees depends on the seed and the step alone.

    Attributes:
        count: Samples of the training part.
        steps_per_epoch: Steps of one pass.
        clock: Told when a batch begins (True) and ends (False) to be brought to the device, while a step is timed.
        share: Which of how many equal shares of each batch this process gets (see ``ranks``).
    """

    def __init__(self, setup: Setup, device: torch.device) -> None:
        self._setup = setup
        self._device = device
        self._seed = setup.recipe.seed
        self._batch = len(setup.dataset.train) if setup.recipe.optimiser.name == "gd" else setup.recipe.batch
        self._balanced = setup.recipe.balance.name == "sampling"
        self._augment = augmenter_of(setup)
        self.clock: Callable[[bool], None] | None = None
        self._kept: dict[Part, torch.Tensor] = {}
        self._loader: Loader | None = None
        self._coming: Generator[torch.Tensor, None, None] | None = None
        self._coming_step = 0
        self._labels: dict[Part, torch.Tensor] = {}
        self._epoch = -1
        self.share = (0, 1)
        self._order = torch.empty(0, dtype=torch.int64)
        self._known_order = -1, self._order
        self._targets = torch.empty(0, dtype=torch.int64)
        self.count = len(setup.dataset.train)
        self.steps_per_epoch = steps_of_epoch(setup.recipe, self.count)

    def prepare(self) -> Iterator[Preparing]:
        """Bring the training and validation parts to the device, where they fit; yields between blocks."""
        parts: tuple[Part, Part] = ("train", "validation")
        for part in parts:
            samples = self._setup.dataset.part(part)
            self._labels_of(part)
            shape = (len(samples), *self._setup.preprocessing.size)
            if 4 * int(np.prod(shape, dtype=np.int64)) > kept_bytes(self._setup.recipe):
                continue
            kept = torch.empty(shape, device=self._device)
            for start in range(0, len(samples), _BLOCK):
                kept[start : start + _BLOCK] = self._inputs(part, slice(start, start + _BLOCK))
                yield Preparing(min(start + _BLOCK, len(samples)), len(samples))
            self._kept[part] = kept

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs (N, C, H, W) of one step, augmented, and class indices (N,), or shares (N, K) of mixed samples."""
        chosen, place = self._chosen(step)
        kept = self._kept.get("train")
        if kept is not None:
            inputs = kept.index_select(0, chosen)
        elif self._is_read("train"):
            inputs = self._prepared(self._read(step))
        else:
            inputs = self._inputs("train", chosen.cpu().numpy())
        targets = self._targets[place]
        if self._augment is not None:
            draw = seeds.generator(
                self._device, seeds.mix(self._seed, seeds.AUGMENTATION, seeds.of_rank(step, self.share[0]))
            )
            inputs, targets = self._augment(inputs, targets, draw)
        return inputs, targets

    def counts(self, step: int) -> tuple[int, int]:
        """Samples of a step that count: those of this process, and of all of them.

        A process whose share is empty gets one sample all the same, so that it takes part, and it counts for nothing.
        """
        first, last, whole = self._bounds(step % self.steps_per_epoch)
        return last - first, whole

    def _bounds(self, position: int) -> tuple[int, int, int]:
        """Of a batch of an epoch: first and last sample of this process, counted from the batch's first, and all."""
        whole = min(self._batch, self.count - position * self._batch)
        rank, size = self.share
        return whole * rank // size, whole * (rank + 1) // size, whole

    def _place(self, position: int) -> slice:
        """Where the samples of this process stand in the order of the epoch."""
        first, last, whole = self._bounds(position)
        first = min(first, whole - 1)
        start = position * self._batch
        return slice(start + first, start + max(last, first + 1))

    def batches(
        self, part: Part, size: int = EVALUATION_BATCH, share: tuple[int, int] = (0, 1)
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Inputs and class indices of a part in its own order, not augmented; of the batches only a ``share``."""
        samples = self._setup.dataset.part(part)
        kept, labels = self._kept.get(part), self._labels.get(part)
        read: Iterator[torch.Tensor] | None = None
        count = -(-len(samples) // size)  # of batches
        starts = range(count * share[0] // share[1] * size, count * (share[0] + 1) // share[1] * size, size)
        if kept is None and self._is_read(part):
            plan = (np.arange(start, min(start + size, len(samples))) for start in starts)
            read = self._reader().batches(part, plan)
        for start in starts:
            place = slice(start, start + size)
            if read is not None:
                inputs = self._prepared(next(read))
            else:
                inputs = self._inputs(part, place) if kept is None else kept[place]
            if labels is None:
                yield inputs, torch.from_numpy(np.asarray(samples.labels[place], np.int64)).to(self._device)
            else:
                yield inputs, labels[place]

    def size(self, part: Part) -> int:
        """Samples of a part."""
        return len(self._setup.dataset.part(part))

    @property
    def workers(self) -> int:
        """Processes that read samples; 0 where none do."""
        return self._loader.workers if self._loader is not None else 0

    def close(self) -> None:
        """End what reads samples; a later batch starts it again."""
        self._forget()
        if self._loader is not None:
            self._loader.close()

    def _chosen(self, step: int) -> tuple[torch.Tensor, slice]:
        """Rows of the training part of a step, and where they stand in the order of its epoch."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._shuffle(epoch)
        place = self._place(position)
        return self._order[place], place

    def _is_read(self, part: Part) -> bool:
        """Whether the samples of a part lie in files, from which they are read ahead."""
        return type(self._setup.dataset.part(part).images) is not np.ndarray

    def _reader(self) -> Loader:
        if self._loader is None:
            parts: tuple[Part, ...] = ("train", "validation", "test")
            images = {part: self._setup.dataset.part(part).images for part in parts}
            self._loader = Loader(images, self._setup.recipe.loading, self._device)
        return self._loader

    def _read(self, step: int) -> torch.Tensor:
        """The samples of a step, uint8 (N, H, W, C); those of the steps that follow are read meanwhile."""
        if self._coming is None or self._coming_step != step:
            self._forget()
            plan = (self._rows(later) for later in itertools.count(step))
            self._coming, self._coming_step = self._reader().batches("train", plan), step
        try:
            pictures = next(self._coming)
        except BaseException:
            self._coming = None  # another try begins anew
            raise
        self._coming_step += 1
        return pictures

    def _rows(self, step: int) -> npt.NDArray[np.int64]:
        """Rows of a step that comes; the order of this epoch is not given up for it."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch == self._epoch:
            return self._order[self._place(position)].cpu().numpy()
        return self._order_of(epoch)[self._place(position)].numpy()

    def _forget(self) -> None:
        if self._coming is not None:
            self._coming.close()
            self._coming = None

    def _shuffle(self, epoch: int) -> None:
        self._order = self._order_of(epoch).to(self._device)
        self._targets = self._labels_of("train").index_select(0, self._order)
        self._epoch = epoch

    def _order_of(self, epoch: int) -> torch.Tensor:
        """Rows of the training part in the order of an epoch, on the CPU."""
        if self._known_order[0] != epoch:
            draw = seeds.generator("cpu", seeds.mix(self._seed, seeds.ORDER, epoch))
            if self._balanced:
                order = draw_order(self._labels_of("train").cpu(), self.count, draw)
            else:
                order = torch.randperm(self.count, generator=draw)
            self._known_order = epoch, order
        return self._known_order[1]

    def _labels_of(self, part: Part) -> torch.Tensor:
        """Class indices of a part on the device."""
        if part not in self._labels:
            labels = np.asarray(self._setup.dataset.part(part).labels, np.int64)
            self._labels[part] = torch.from_numpy(labels).to(self._device)
        return self._labels[part]

    def _inputs(self, part: Part, place: slice | npt.NDArray[np.int64]) -> torch.Tensor:
        return self._prepared(np.asarray(self._setup.dataset.part(part).images[place]))

    def _prepared(self, images: npt.NDArray[np.uint8] | torch.Tensor) -> torch.Tensor:
        if self.clock is not None:
            self.clock(True)
        inputs = self._setup.preprocessing(images, self._device)
        if self.clock is not None:
            self.clock(False)
        return inputs


def kept_bytes(recipe: Recipe) -> int:
    """Up to which size the prepared samples of a part are kept on the device."""
    return recipe.loading.memory * KEEP_BYTES // _KEEP_MB
