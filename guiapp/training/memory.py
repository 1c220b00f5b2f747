"""Training of networks that keep the training part instead of following a gradient: nearest neighbours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, cast

import torch

from guiapp.tasks.base import Task
from guiapp.training.evaluation import evaluating
from guiapp.training.events import Data, EpochEnd, Event, StepEnd
from guiapp.training.recipe import Recipe

ASKED = 1000
"""Training samples that are asked back after fitting; asking all would take the square of their number."""


class MemoryTrainer:
    """One step that shows ``model.fit(inputs, labels)`` the whole training part, then a validation.

    The training figures are those of the first ``ASKED`` training samples, each of which is its own nearest
    neighbour: accuracy 1 with one neighbour says nothing about other samples. Same attributes as ``Trainer``.
    """

    steps_per_epoch = 1
    total_steps = 1
    finished = False

    def __init__(self, model: torch.nn.Module, task: Task, data: Data, recipe: Recipe, device: torch.device) -> None:
        self.model, self.task, self.data, self.recipe, self.device = model.to(device), task, data, recipe, device
        self.evaluated = self.model
        self.step = self.epoch = 0
        self.changes: list[tuple[int, float]] = []

    def set_learning_rate(self, value: float) -> None:
        """Nothing: there is no rate."""

    @property
    def learning_rate(self) -> float:
        """0: there is no rate."""
        return 0.0

    def events(self) -> Iterator[Event]:
        """Fit, then evaluate."""
        if self.epoch:
            return
        start = time.perf_counter()
        batches = list(self.data.batches("train"))
        inputs, labels = (torch.cat(list(column)) for column in zip(*batches, strict=True))
        cast(Any, self.model).fit(inputs, labels)
        self.step = 1
        pairs = list(zip(torch.split(inputs[:ASKED], 100), torch.split(labels[:ASKED], 100), strict=True))
        seen = yield from evaluating(self.model, self.task, pairs, min(ASKED, len(labels)), self.step)
        loss, correct = torch.tensor(seen.loss), torch.tensor(seen.correct)
        yield StepEnd(self.step, 0, loss, correct, seen.count, 0.0)
        found = yield from evaluating(
            self.model, self.task, self.data.batches("validation"), self.data.size("validation"), self.step
        )
        self.epoch = 1
        train = {"loss": seen.loss, "accuracy": seen.accuracy}
        validation = {"loss": found.loss, "accuracy": found.accuracy}
        yield EpochEnd(self.epoch, self.step, train, validation, time.perf_counter() - start)

    def state(self) -> dict[str, Any]:
        """As ``Trainer.state``."""
        return {"step": self.step, "epoch": self.epoch, "changes": [], "tensors": {}}

    def load_state(self, state: dict[str, Any]) -> None:
        """As ``Trainer.load_state``."""
        self.step, self.epoch = state["step"], state["epoch"]
