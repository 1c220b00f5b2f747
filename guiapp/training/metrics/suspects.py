"""Samples worth a look: the worst mistakes, and samples whose label is perhaps wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guiapp.training.metrics.decision import Outcome
from guiapp.training.metrics.scores import Floats, Ints, Scores


def worst(outcome: Outcome) -> Ints:
    """Indices of the samples with a wrong answer or none, the least expected truth first.

    Against the others the truth of a sample is "the class" or "not the class"; its probability orders them.
    """
    scores, positive = outcome.scores, outcome.decision.positive
    if positive is None:
        surprise = scores.surprise
    else:
        column = scores.column(positive)
        surprise = 1 - np.where(outcome.truth == 1, column, 1 - column)
    wrong = np.flatnonzero(~outcome.right)
    keys = np.nan_to_num(surprise[wrong], nan=np.inf, posinf=np.finfo(np.float64).max)
    return wrong[np.argsort(-keys, kind="stable")]


@dataclass(frozen=True, eq=False)
class Suspects:
    """Samples that the network takes for another class with more confidence than is usual for that class.

    Attributes:
        indices: int64 (M,), most suspect first.
        suggested: int64 (M,), the class that the network sees.
        margins: (M,), its probability minus that of the given class.
        usual: (C,), mean probability of a class over the samples that have it as label, NaN without any.
    """

    indices: Ints
    suggested: Ints
    margins: Floats
    usual: Floats


def suspects(scores: Scores) -> Suspects:
    """Confident learning (Northcutt, Jiang and Chuang, 2021): samples off the diagonal of the confident joint.

    A sample counts as class j where p(j) is at least the mean of p(j) over the samples labelled j; of several such
    classes the most probable one. Where that is not its label, and more probable than it, the label is suspect. On
    samples that the network has learned from it finds less, because networks learn wrong labels by heart.
    """
    count = scores.count
    known = np.flatnonzero(scores.answered)
    rows, labels = scores.probabilities[known].astype(np.float64), scores.truth[known]
    sums = np.bincount(labels, rows[np.arange(len(known)), labels], count)
    numbers = np.bincount(labels, minlength=count)
    usual = np.divide(sums, numbers, out=np.full(count, np.nan), where=numbers > 0)
    enough = rows >= np.nan_to_num(usual, nan=np.inf)
    seen = np.where(enough, rows, -1.0).argmax(1)
    every = np.arange(len(known))
    ahead = rows[every, seen] - rows[every, labels]
    off = np.flatnonzero(enough.any(1) & (seen != labels) & (ahead > 0))
    margins = ahead[off]
    order = np.argsort(-margins, kind="stable")
    return Suspects(known[off[order]], seen[off[order]].astype(np.int64), margins[order], usual)
