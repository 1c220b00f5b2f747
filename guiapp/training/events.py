"""What happens in a run, as the trainer tells it, and what the trainer asks of its data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch

from guiapp.datasets.base import Part


class Evaluating(NamedTuple):
    """Part of an evaluation is done: ``done`` of ``total`` samples, with the weights of ``step``."""

    step: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class StepEnd:
    """One step is done. ``step`` counts from 1; loss and correct are 0-d tensors on the device, of the batch."""

    step: int
    epoch: int
    loss: torch.Tensor
    correct: torch.Tensor
    count: int
    lr: float


@dataclass(frozen=True)
class EpochEnd:
    """One pass is done and validated.

    Attributes:
        epoch: Counts from 1.
        step: Steps done.
        train: ``{"loss", "accuracy"}``, running mean in training mode over the epoch.
        validation: The same in evaluation mode over the validation part.
        seconds: Time of the steps and the validation, without pauses.
    """

    epoch: int
    step: int
    train: dict[str, float]
    validation: dict[str, float]
    seconds: float


Event = StepEnd | Evaluating | EpochEnd


class Data(Protocol):
    """What the trainer asks of its data (see ``data.TrainingData``)."""

    steps_per_epoch: int
    clock: Callable[[bool], None] | None
    """Told when a batch begins (True) and ends (False) to be brought to the device, while a step is timed."""

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of a step."""
        ...

    def batches(self, part: Part) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Inputs and targets of a part for evaluation."""
        ...

    def size(self, part: Part) -> int:
        """Samples of a part."""
        ...
