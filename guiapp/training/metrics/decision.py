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
    def matrix(self) -> Ints:
        """(K, K + 1): rows are true classes, columns answers; the last column counts those without an answer."""
        columns = np.where(self.answer == NOTHING, self.count, self.answer)
        pairs = np.bincount(self.truth * (self.count + 1) + columns, minlength=self.count * (self.count + 1))
        return pairs.reshape(self.count, self.count + 1).astype(np.int64)

    @cached_property
    def tp(self) -> Ints:
        """(K,): samples of the class with it as answer."""
        return np.diagonal(self.matrix).copy()

    @cached_property
    def fp(self) -> Ints:
        """(K,): samples of other classes with it as answer."""
        return np.asarray(self.matrix[:, :-1].sum(0) - self.tp)

    @cached_property
    def fn(self) -> Ints:
        """(K,): samples of the class with another answer, or none."""
        return np.asarray(self.matrix.sum(1) - self.tp)

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
        wrong = self.matrix.copy()
        np.fill_diagonal(wrong[:, :-1], 0)
        rows, columns = np.nonzero(wrong)
        order = np.lexsort((columns, rows, -wrong[rows, columns]))
        return [(int(rows[i]), int(columns[i]), int(wrong[rows[i], columns[i]])) for i in order]


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
