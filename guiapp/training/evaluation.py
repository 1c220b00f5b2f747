"""How good a network is on a part of a data set, with what chance alone would give."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from guiapp.datasets.base import PARTS, Dataset
from guiapp.tasks.base import Task
from guiapp.training.events import Evaluating

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures of one network on one part.

    Attributes:
        count: Samples.
        loss: Mean loss in evaluation mode, without penalty.
        correct: Samples that are right.
        classes: Number of classes.
        truth: True class of each sample, int64 (N,).
        predicted: Most probable class, int64 (N,).
        confidence: Its probability, float32 (N,).
        majority: Share that always saying the most frequent class of the training part would get, or None.
    """

    count: int
    loss: float
    correct: int
    classes: int
    truth: npt.NDArray[np.int64] = field(repr=False)
    predicted: npt.NDArray[np.int64] = field(repr=False)
    confidence: npt.NDArray[np.float32] = field(repr=False)
    majority: float | None = None

    @property
    def accuracy(self) -> float:
        """Share of samples that are right."""
        return self.correct / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy (Wilson)."""
        return wilson(self.correct, self.count)

    @property
    def chance(self) -> float:
        """Share that guessing among the classes would get."""
        return 1.0 / self.classes

    @property
    def confusion(self) -> npt.NDArray[np.int64]:
        """Counts, shape (C, C): rows are true classes, columns predicted ones."""
        return confusion_matrix(self.truth, self.predicted, self.classes)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "count": self.count,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "majority": self.majority,
            "chance": self.chance,
            "confusion": self.confusion.tolist(),
        }


def wilson(correct: int, count: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927); (0, 1) where nothing was counted.

    Args:
        correct: Successes.
        count: Trials.
        z: Normal quantile; the default gives 95 %.
    """
    if count == 0:
        return 0.0, 1.0
    share = correct / count
    centre = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max((centre - reach) / scale, 0.0), min((centre + reach) / scale, 1.0)


def confusion_matrix(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.int64]:
    """Counts of (true, predicted) pairs, shape (classes, classes)."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def majority_share(train_labels: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> float:
    """Accuracy on ``labels`` of always saying the most frequent class of ``train_labels``."""
    if len(train_labels) == 0 or len(labels) == 0:
        return math.nan
    return float((labels == np.bincount(train_labels).argmax()).mean())


def baselines(dataset: Dataset) -> dict[str, Any]:
    """What lists of runs need for intervals and baselines: samples of each part, share of the commonest class."""
    majority = majority_share(dataset.train.labels, dataset.validation.labels)
    return {
        "samples": {part: len(dataset.part(part)) for part in PARTS},
        "majority": majority if math.isfinite(majority) else None,
    }


def evaluating(
    model: torch.nn.Module,
    task: Task,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    total: int,
    step: int = 0,
    majority: float | None = None,
) -> Generator[Evaluating, None, Evaluation]:
    """Run the network over batches in evaluation mode; yields after each batch, returns the figures.

    The network's mode is put back, also when the generator is closed early; no gradient is kept.
    """
    was_training = model.training
    losses: list[torch.Tensor] = []
    rights: list[torch.Tensor] = []
    parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    counts: list[int] = []
    classes = len(task.labels)
    try:
        for inputs, targets in batches:
            model.eval()
            with torch.no_grad():
                output = model(inputs)
                losses.append(task.loss(output, targets).detach())
                rights.append(task.correct(output, targets))
                confidence, predicted = torch.softmax(output.float(), 1).max(1)
                parts.append((targets, predicted, confidence))
            counts.append(len(targets))
            yield Evaluating(step, sum(counts), total)
    finally:
        model.train(was_training)
    if not counts:
        empty = np.empty(0, np.int64)
        return Evaluation(0, math.nan, 0, classes, empty, empty, np.empty(0, np.float32), majority)
    means = torch.stack(losses).cpu().double().numpy()
    weights = np.array(counts, np.float64)
    truth, predicted_all, confidences = (torch.cat(list(column)).cpu().numpy() for column in zip(*parts, strict=True))
    return Evaluation(
        int(weights.sum()),
        float((means * weights).sum() / weights.sum()),
        int(torch.stack(rights).sum()),
        classes,
        truth,
        predicted_all,
        confidences,
        majority,
    )


def joined(parts: Sequence[Evaluation]) -> Evaluation:
    """Figures of several stretches of a part, in their order, as one."""
    some = [part for part in parts if part.count]
    if not some:
        return parts[0]
    count = sum(part.count for part in some)
    return Evaluation(
        count,
        sum(part.loss * part.count for part in some) / count,
        sum(part.correct for part in some),
        some[0].classes,
        np.concatenate([part.truth for part in some]),
        np.concatenate([part.predicted for part in some]),
        np.concatenate([part.confidence for part in some]),
        some[0].majority,
    )


def finish(generator: Generator[Any, None, T], each: Callable[[Any], None] | None = None) -> T:
    """Run a generator to its end, passing what it yields to ``each``, and return what it returns."""
    while True:
        try:
            event = next(generator)
        except StopIteration as stop:
            result: T = stop.value
            return result
        if each is not None:
            each(event)


def evaluate(
    model: torch.nn.Module,
    task: Task,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    total: int = 0,
    majority: float | None = None,
) -> Evaluation:
    """``evaluating`` in one call."""
    return finish(evaluating(model, task, batches, total, majority=majority))
