"""ROC and precision-recall: how well the probability of a class ranks its samples above the others.

Course text 4, section 4.2. Equal probabilities stand and fall together, as in scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from guiapp.training.metrics.numbers import Z95, Interval, jackknife, mean_of
from guiapp.training.metrics.scores import Bools, Floats, Scores

_YIELD_EVERY = 32


@dataclass(frozen=True, eq=False)
class Curve:
    """What every threshold gives for one class against the others, from the highest on: answered so from it on.

    The first point answers nothing (threshold infinite), the last one everything.

    Attributes:
        thresholds: float64 (T,), falling.
        tp, fp: float64 (T,), counts from that threshold on.
        positives, negatives: Samples of the class, and of the others.
    """

    thresholds: Floats
    tp: Floats
    fp: Floats
    positives: int
    negatives: int

    @property
    def tpr(self) -> Floats:
        """True positive rate, (T,); NaN without a sample of the class."""
        return self.tp / self.positives if self.positives else np.full(len(self.tp), np.nan)

    @property
    def fpr(self) -> Floats:
        """False positive rate, (T,); NaN where there are no others."""
        return self.fp / self.negatives if self.negatives else np.full(len(self.fp), np.nan)

    @property
    def precision(self) -> Floats:
        """Precision, (T,); 1 where nothing is answered."""
        said = self.tp + self.fp
        return np.divide(self.tp, said, out=np.ones(len(said)), where=said > 0)

    @property
    def auc(self) -> float:
        """Area under true over false positive rate, by trapezoids; NaN where one of them does not exist."""
        if not (self.positives and self.negatives):
            return math.nan
        heights = (self.tp[1:] + self.tp[:-1]) / 2
        return float((heights * np.diff(self.fp)).sum() / (self.positives * self.negatives))

    @property
    def average_precision(self) -> float:
        """Sum of precision times growth of recall, without interpolation; NaN without a sample of the class."""
        if not self.positives:
            return math.nan
        return float((np.diff(self.tp) * self.precision[1:]).sum() / self.positives)

    def at(self, threshold: float) -> int:
        """Index of the point that a threshold stands for: all probabilities from it on."""
        return max(0, int(np.searchsorted(-self.thresholds, -threshold, "right")) - 1)


def curve(scores: Scores, index: int) -> Curve:
    """The curve of one class; samples without an answer are left out.

    Args:
        scores: The samples.
        index: The class.
    """
    truth, column = (scores.truth == index)[scores.answered], scores.column(index)[scores.answered]
    order = np.argsort(-column, kind="stable")
    values, hits = column[order], truth[order]
    last = np.flatnonzero(values[1:] != values[:-1])
    ends = np.append(last, len(values) - 1) if len(values) else last
    tp = np.cumsum(hits, dtype=np.float64)[ends]
    fp = ends + 1.0 - tp
    start = np.zeros(1)
    return Curve(
        np.concatenate([[np.inf], values[ends]]), np.concatenate([start, tp]), np.concatenate([start, fp]),
        int(truth.sum()), int((~truth).sum()),
    )  # fmt: skip


def influences(column: Floats, truth: Bools) -> tuple[float, Floats, float, Floats]:
    """Area under the ROC curve and average precision, with how much the weight of each sample moves them.

    Args:
        column: (N,), probability of the class.
        truth: (N,), whether a sample is of it.

    Returns:
        Area, its derivatives (N,) by the weights of the samples at weights of 1, average precision, its derivatives;
        NaN and zeros where they do not exist. The derivatives of the area are DeLong's structural components.
    """
    count, positives = len(column), int(truth.sum())
    negatives = count - positives
    nothing = np.zeros(count)
    if not positives:
        return math.nan, nothing, math.nan, nothing
    values, place = np.unique(-column, return_inverse=True)  # groups of equals, the highest first
    of_class = np.bincount(place[truth], minlength=len(values)).astype(np.float64)
    others = np.bincount(place[~truth], minlength=len(values)).astype(np.float64)
    hits, misses = np.cumsum(of_class), np.cumsum(others)
    # average precision: the mean over the class of hits / (hits + misses) from its place on
    said = hits + misses
    precision = hits / said
    average = float((of_class * precision).sum() / positives)
    later = _from_here(of_class / said)
    later_squared = _from_here(of_class * hits / said**2)
    by_average = np.where(truth, precision[place] - average + later[place], 0.0) - later_squared[place]
    by_average /= positives
    if not negatives:
        return math.nan, nothing, average, by_average
    below = (negatives - misses + others / 2) / negatives  # share of the others that a sample of the class beats
    beaten_by = (hits - of_class / 2) / positives
    area = float((of_class * below).sum() / positives)
    by_area = np.where(truth, (below[place] - area) / positives, (beaten_by[place] - area) / negatives)
    return area, by_area, average, by_average


def area_interval(area: float, influence: Floats, positives: int, negatives: int) -> Interval:
    """DeLong's interval; where all pairs are in order, or none, Newcombe's (2006, method 5), which has a width."""
    low, high = jackknife(area, influence, 0, 1)
    if low < high or not math.isfinite(area):
        return low, high
    pairs, number = positives * negatives, (positives + negatives) / 2
    inner, outer = 0.0, 1.0  # distances from the end: the score test does not reject the first, and does the second
    for _ in range(60):
        distance = (inner + outer) / 2
        truth = 1 - distance
        spread = 1 + (number - 1) * (distance / (2 - truth) + truth / (1 + truth))
        if distance <= Z95 * math.sqrt(truth * distance * spread / pairs):
            inner = distance
        else:
            outer = distance
    return (1 - inner, 1.0) if area == 1 else (0.0, inner) if area == 0 else (low, high)


def _mean_interval(mean: float, influence: Floats, values: Floats, ends: Floats) -> Interval:
    """Of a mean over classes; where its jackknife has no width, from the intervals of the classes (MOVER)."""
    low, high = jackknife(mean, influence, 0, 1)
    there = np.isfinite(values)
    if low < high or not there.any():
        return low, high
    down, up = (float(np.sqrt(((values - ends[:, at])[there] ** 2).sum())) / int(there.sum()) for at in (0, 1))
    return max(mean - down, 0.0), min(mean + up, 1.0)


def _from_here(values: Floats) -> Floats:
    """Sums from each place to the end."""
    return np.asarray(np.cumsum(values[::-1])[::-1])


@dataclass(frozen=True, eq=False)
class Ranking:
    """Areas under the curves of every class.

    Attributes:
        auc, average_precision: (C,), NaN where they do not exist.
        auc_intervals, precision_intervals: (C, 2), 95 %.
        mean_auc, mean_precision: Means over the classes for which there is one, with intervals.
    """

    auc: Floats
    average_precision: Floats
    auc_intervals: Floats = field(repr=False)
    precision_intervals: Floats = field(repr=False)
    mean_auc: tuple[float, Interval]
    mean_precision: tuple[float, Interval]


def ranking(scores: Scores) -> Generator[tuple[int, int], None, Ranking]:
    """Rank the samples by every class; yields how many classes are done.

    Samples without an answer are left out.
    """
    scores = scores if bool(scores.answered.all()) else scores.chosen(scores.answered)
    classes, count = scores.count, len(scores)
    areas, averages = np.full(classes, np.nan), np.full(classes, np.nan)
    ends = np.full((2, classes, 2), np.nan)
    sums = np.zeros((2, count))
    columns: npt.NDArray[np.float32] = np.ascontiguousarray(scores.probabilities.T)
    for index in range(classes):
        area, by_area, average, by_average = influences(columns[index], scores.truth == index)
        areas[index], averages[index] = area, average
        positives = int((scores.truth == index).sum())
        ends[0, index] = area_interval(area, by_area, positives, count - positives)
        ends[1, index] = jackknife(average, by_average, 0, 1)
        sums[0] += by_area
        sums[1] += by_average
        if index % _YIELD_EVERY == _YIELD_EVERY - 1:
            yield index + 1, classes
    means = [mean_of(areas), mean_of(averages)]
    numbers = [max(int(np.isfinite(values).sum()), 1) for values in (areas, averages)]
    both = [
        (mean, _mean_interval(mean, total / n, values, of))
        for mean, total, n, values, of in zip(means, sums, numbers, (areas, averages), ends, strict=True)
    ]
    return Ranking(areas, averages, ends[0], ends[1], both[0], both[1])
