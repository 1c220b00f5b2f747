"""What is known of each sample of a part after the network has read it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NOTHING = -1
"""Stands for no answer in arrays of predicted classes."""
_LEAST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Scores:
    """Probabilities of the classes for each sample of a part, in the order of the part.

    Attributes:
        probabilities: float32 (N, C), rows sum to 1; a row with NaN is a sample that the network gave no answer to.
        truth: int64 (N,), true classes.
        classes: Names of the C classes.
        part: ``"train"``, ``"validation"`` or ``"test"``.
        dataset: Name of the data set.
        step: Training step of the weights.
        losses: float64 (N,), -log p(true class), more exact than from ``probabilities`` where they round to 0 or 1;
            computed from them by default.
        loss: Mean of the task's own loss, without penalty; mean of ``losses`` by default.
        train_counts: int64 (C,), samples of each class in the training part; those of ``truth`` by default.
    """

    probabilities: npt.NDArray[np.float32] = field(repr=False)
    truth: Ints = field(repr=False)
    classes: tuple[str, ...]
    part: str = "validation"
    dataset: str = ""
    step: int = 0
    losses: Floats | None = field(default=None, repr=False)
    loss: float | None = None
    train_counts: Ints | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def count(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @cached_property
    def answered(self) -> Bools:
        """(N,): whether the probabilities of a sample are numbers."""
        return np.asarray(np.isfinite(self.probabilities).all(1))

    @cached_property
    def top(self) -> Ints:
        """(N,): the most probable class, the first of equals; ``NOTHING`` where there is no answer."""
        if not self.probabilities.size:
            return np.full(len(self), NOTHING, np.int64)
        best = np.where(self.answered[:, None], self.probabilities, -1).argmax(1)
        return np.asarray(np.where(self.answered, best, NOTHING), np.int64)

    @cached_property
    def confidence(self) -> Floats:
        """(N,): probability of the most probable class; 0 where there is no answer."""
        return np.where(self.answered, self.probabilities.max(1, initial=0.0), 0.0).astype(np.float64)

    @cached_property
    def right(self) -> Bools:
        """(N,): whether the most probable class is the true one."""
        return np.asarray(self.top == self.truth)

    @cached_property
    def of_truth(self) -> Floats:
        """(N,): probability of the true class; NaN where there is no answer."""
        found = self.probabilities[np.arange(len(self)), self.truth].astype(np.float64)
        return np.where(self.answered, found, np.nan)

    @cached_property
    def surprise(self) -> Floats:
        """(N,): -log p(true class); NaN where there is no answer."""
        if self.losses is not None:
            return self.losses
        return -np.log(np.maximum(self.of_truth, _LEAST))

    @cached_property
    def support(self) -> Ints:
        """(C,): samples of each true class."""
        return np.bincount(self.truth, minlength=self.count)[: self.count].astype(np.int64)

    @cached_property
    def prior(self) -> Floats:
        """(C,): shares of the classes in the training part; sums to 1, or all equal where nothing is known."""
        counts = self.support if self.train_counts is None else self.train_counts
        total = counts.sum()
        return counts / total if total else np.full(self.count, 1.0 / max(self.count, 1))

    def column(self, index: int) -> Floats:
        """(N,): probability of one class; NaN where there is no answer."""
        return np.where(self.answered, self.probabilities[:, index], np.nan).astype(np.float64)

    def chosen(self, keep: Bools | Ints) -> Scores:
        """These samples alone."""
        losses = None if self.losses is None else self.losses[keep]
        return replace(
            self, probabilities=self.probabilities[keep], truth=self.truth[keep], losses=losses, loss=None,
            train_counts=self.support if self.train_counts is None else self.train_counts,
        )  # fmt: skip


def uninformed(scores: Scores) -> Scores:
    """The same samples as one who has seen no picture would score them: every row the shares of the training part.

    Its answer is always the most frequent class of the training part, as scikit-learn's
    ``DummyClassifier(strategy="prior")`` gives it.
    """
    rows = np.broadcast_to(scores.prior.astype(np.float32), (len(scores), scores.count))
    with np.errstate(divide="ignore"):
        losses = -np.log(scores.prior)[scores.truth]
    return replace(scores, probabilities=rows, losses=losses, loss=None)
