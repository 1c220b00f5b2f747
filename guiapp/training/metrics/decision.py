"""What is answered at a threshold, and how often that is right: counts for every class at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from guiapp.training.metrics.scores import NOTHING, Bools, Floats, Ints, Scores

Kind = Literal["tp", "fp", "fn", "tn"]


@dataclass(frozen=True)
class Decision:
    """How probabilities become answers.

    Attributes:
        positive: Class that stands against all others together, or None: the most probable class is the answer.
        threshold: Against the others, the class is the answer from this probability on. Among all classes, nothing is
            answered where the most probable one is below it; 0 answers always.
    """

    positive: int | None = None
    threshold: float = 0.0


@dataclass(frozen=True, eq=False)
class Outcome:
    """Answers and counts.

    Against the others there are two classes, the others (0) and the class (1).

    Attributes:
        scores: The samples.
        decision: How they were decided.
        names: Names of the classes that are told apart.
        truth: int64 (N,), true class among them.
        answer: int64 (N,), answer among them, or ``NOTHING``.
    """

    scores: Scores
    decision: Decision
    names: tuple[str, ...]
    truth: Ints
    answer: Ints

    @property
    def count(self) -> int:
        """Number of classes that are told apart."""
        return len(self.names)

    @cached_property
    def columns(self) -> Ints:
        """(N,): column of each sample in the matrix, the last one for those without an answer."""
        return np.asarray(np.where(self.answer == NOTHING, self.count, self.answer), np.int64)

    @cached_property
    def cells(self) -> tuple[Ints, Ints, Ints]:
        """Row, column and count of the cells that are not empty, row by row: few, where there are many classes."""
        codes, counts = np.unique(self.truth * (self.count + 1) + self.columns, return_counts=True)
        return codes // (self.count + 1), codes % (self.count + 1), counts.astype(np.int64)

    @cached_property
    def matrix(self) -> Ints:
        """(K, K + 1): rows are true classes, columns answers; the last column counts those without an answer."""
        rows, columns, counts = self.cells
        found = np.zeros((self.count, self.count + 1), np.int64)
        found[rows, columns] = counts
        return found

    @cached_property
    def totals(self) -> Ints:
        """(K,): samples of each true class."""
        return np.bincount(self.truth, minlength=self.count).astype(np.int64)

    @cached_property
    def answers(self) -> Ints:
        """(K + 1,): samples with each answer, the last those without one."""
        return np.bincount(self.columns, minlength=self.count + 1).astype(np.int64)

    @cached_property
    def tp(self) -> Ints:
        """(K,): samples of the class with it as answer."""
        return np.bincount(self.truth[self.right], minlength=self.count).astype(np.int64)

    @cached_property
    def fp(self) -> Ints:
        """(K,): samples of other classes with it as answer."""
        return np.asarray(self.answers[:-1] - self.tp)

    @cached_property
    def fn(self) -> Ints:
        """(K,): samples of the class with another answer, or none."""
        return np.asarray(self.totals - self.tp)

    @cached_property
    def tn(self) -> Ints:
        """(K,): samples of other classes without it as answer."""
        return np.asarray(len(self.truth) - self.tp - self.fp - self.fn)

    @property
    def right(self) -> Bools:
        """(N,): whether the answer is the true class."""
        return np.asarray(self.answer == self.truth)

    @property
    def unanswered(self) -> int:
        """Samples without an answer."""
        return int((self.answer == NOTHING).sum())

    def cell(self, row: int, column: int) -> Ints:
        """Indices of the samples of a cell of the matrix."""
        wanted = NOTHING if column == self.count else column
        return np.flatnonzero((self.truth == row) & (self.answer == wanted))

    def among(self, kind: Kind, index: int) -> Ints:
        """Indices of the samples that are true or false, positive or negative for a class."""
        true, said = self.truth == index, self.answer == index
        chosen = {"tp": true & said, "fp": ~true & said, "fn": true & ~said, "tn": ~true & ~said}[kind]
        return np.flatnonzero(chosen)

    def pairs(self) -> list[tuple[int, int, int]]:
        """True class, answer (``count`` for none) and count of every kind of mistake there is, most frequent first."""
        rows, columns, counts = self.cells
        wrong = np.flatnonzero(rows != columns)
        order = wrong[np.lexsort((columns[wrong], rows[wrong], -counts[wrong]))]
        return [(int(rows[i]), int(columns[i]), int(counts[i])) for i in order]


def decide(scores: Scores, decision: Decision | None = None) -> Outcome:
    """Answers for every sample, and their counts.

    Args:
        scores: The samples.
        decision: How they are decided; by default the most probable class.
    """
    decision = decision or Decision()
    if decision.positive is None:
        enough = scores.confidence >= decision.threshold
        answer = np.where(enough, scores.top, NOTHING)
        return Outcome(scores, decision, scores.classes, scores.truth, answer)
    said = above(scores.column(decision.positive), decision.threshold)
    answer = np.where(scores.answered, said, NOTHING).astype(np.int64)
    truth = (scores.truth == decision.positive).astype(np.int64)
    name = scores.classes[decision.positive]
    others = [label for index, label in enumerate(scores.classes) if index != decision.positive]
    return Outcome(scores, decision, (others[0] if len(others) == 1 else f"not {name}", name), truth, answer)


def above(column: Floats, threshold: float) -> Bools:
    """Where a probability reaches a threshold; nowhere among NaN."""
    return np.asarray(np.nan_to_num(column, nan=-1.0) >= threshold)
