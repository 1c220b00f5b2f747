"""What a click in the evaluation panel stands for: samples that follow the threshold and the weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from guiapp.training.metrics.calibration import calibration
from guiapp.training.metrics.decision import Outcome
from guiapp.training.metrics.scores import NOTHING, Ints

Choice = Callable[[Outcome], tuple[str, Ints]]
"""What the samples are called, and their indices, at any decision."""


def of_cell(title: str, truths: Ints, answers: Ints, outcome: Outcome) -> tuple[str, Ints]:
    """Samples of a cell of the matrix, the least expected truth first."""
    chosen = np.isin(outcome.truth, truths) & np.isin(outcome.answer, answers)
    return title, _by_surprise(outcome, np.flatnonzero(chosen))


def of_class(title: str, index: int, outcome: Outcome) -> tuple[str, Ints]:
    """Samples of a class, wrong answers before right ones."""
    scores = outcome.scores
    return title, _by_surprise(outcome, np.flatnonzero(scores.truth == index))


def of_bin(title: str, index: int, outcome: Outcome) -> tuple[str, Ints]:
    """Samples of a bin, wrong answers before right ones."""
    found = calibration(outcome.scores, outcome.decision.positive)
    return title, _by_surprise(outcome, found.members(index))


def against(title: str, wrong: str, outcome: Outcome) -> tuple[str, Ints]:
    """Samples that make a number worse."""
    kinds = {"fp": "false positives", "fn": "false negatives", "both": "wrong answers", "wrong": "wrong answers"}
    if not wrong:
        return f"{title}: without answer", np.flatnonzero(outcome.answer == NOTHING)
    if wrong in ("fp", "fn") and outcome.decision.positive is not None:
        chosen = outcome.among("fp" if wrong == "fp" else "fn", 1)
    else:
        chosen = np.flatnonzero(~outcome.right)
    return f"{title}: {kinds[wrong]}", _by_surprise(outcome, chosen)


def _by_surprise(outcome: Outcome, indices: Ints) -> Ints:
    """Indices, wrong answers before right ones, the least expected truth first."""
    surprise = np.nan_to_num(outcome.scores.surprise[indices], nan=np.inf, posinf=np.finfo(np.float64).max)
    return indices[np.lexsort((-surprise, outcome.right[indices]))]


def named_answers(outcome: Outcome) -> Ints:
    """(N,): the answer to each sample as a class of the data set.

    Where one class stands against the others and is not the answer, it is the most probable one of the others.
    """
    scores, positive = outcome.scores, outcome.decision.positive
    if positive is None:
        return outcome.answer
    best = scores.top.copy()
    itself = np.flatnonzero(best == positive)
    rest = scores.probabilities[itself]
    rest[:, positive] = -1
    best[itself] = rest.argmax(1)
    return np.where(outcome.answer == 1, positive, best).astype(np.int64)
