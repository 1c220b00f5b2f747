"""The single numbers of a classifier: course text 4, section 4.1, and those that are usual beside them.

Numbers made of TP, FP, FN and TN belong to one class against the others; over several classes stands their mean over
the classes for which they exist (the macro average; scikit-learn's with ``zero_division=nan``). A number that would
divide by zero is NaN. Intervals hold 95 %: Wilson's (1927) for shares of counted samples, put together by MOVER (Zou
and Donner 2008) for means over classes; the infinitesimal jackknife (Efron 1982) for the others, which for the area
under the ROC curve is DeLong's (1988).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from guiapp.training.metrics.decision import Outcome
from guiapp.training.metrics.scores import Floats, Ints

Interval = tuple[float, float]
Z95 = 1.959963984540054
_NO = (math.nan, math.nan)


@dataclass(frozen=True)
class Measure:
    """A number of one class against the others.

    Attributes:
        name: Its key in JSON and tables.
        title: What a person reads.
        formula: From what it is made.
        equation: Number of the equation in course text 4, or empty.
        above, below: Names of the counts above and below the line of the fraction; ``2tp`` counts double.
        wrong: Which samples make it worse.
        better: Whether more or less of it is good.
    """

    name: str
    title: str
    formula: str
    equation: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    wrong: Literal["fp", "fn", "both"]
    better: Literal["higher", "lower"] = "higher"


MEASURES: tuple[Measure, ...] = (
    Measure("precision", "Precision (PPV)", "TP / (TP + FP)", "20", ("tp",), ("tp", "fp"), "fp"),
    Measure("recall", "Recall (sensitivity, TPR)", "TP / (TP + FN)", "21", ("tp",), ("tp", "fn"), "fn"),
    Measure("specificity", "Specificity (TNR)", "TN / (FP + TN)", "22", ("tn",), ("fp", "tn"), "fp"),
    Measure("npv", "Negative predictive value", "TN / (TN + FN)", "23", ("tn",), ("tn", "fn"), "fn"),
    Measure("fpr", "Fall-out (FPR)", "FP / (FP + TN)", "24", ("fp",), ("fp", "tn"), "fp", "lower"),
    Measure("fnr", "Miss rate (FNR)", "FN / (TP + FN)", "25", ("fn",), ("tp", "fn"), "fn", "lower"),
    Measure("fdr", "False discovery rate", "FP / (TP + FP)", "26", ("fp",), ("tp", "fp"), "fp", "lower"),
    Measure("f1", "F1", "2 TP / (2 TP + FP + FN)", "", ("2tp",), ("2tp", "fp", "fn"), "both"),
)


def counts_of(outcome: Outcome) -> dict[str, Floats]:
    """TP, FP, FN, TN of every class, and TP twice."""
    found = {"tp": outcome.tp, "fp": outcome.fp, "fn": outcome.fn, "tn": outcome.tn, "2tp": 2 * outcome.tp}
    return {name: values.astype(np.float64) for name, values in found.items()}


def by_class(outcome: Outcome) -> dict[str, Floats]:
    """Every measure for every class, (K,) each; NaN where it would divide by zero."""
    counts = counts_of(outcome)
    return {measure.name: _share(counts, measure)[0] for measure in MEASURES}


def _share(counts: dict[str, Floats], measure: Measure) -> tuple[Floats, Floats]:
    """Values and what stands below the line."""
    above = sum(counts[name] for name in measure.above)
    below = np.asarray(sum(counts[name] for name in measure.below))
    return np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0), below


def intervals(outcome: Outcome, measure: Measure) -> tuple[Floats, Floats]:
    """Lower and upper ends of a measure of every class, (K,) each; NaN where it does not exist."""
    counts = counts_of(outcome)
    if measure.name == "f1":  # F1 = 2 J / (1 + J), with the share J = TP / (TP + FP + FN)
        low, high = wilson_ends(counts["tp"], counts["tp"] + counts["fp"] + counts["fn"])
        return 2 * low / (1 + low), 2 * high / (1 + high)
    _, below = _share(counts, measure)
    return wilson_ends(np.asarray(sum(counts[name] for name in measure.above)), below)


def wilson_ends(successes: Floats, trials: Floats, z: float = Z95) -> tuple[Floats, Floats]:
    """Wilson's score interval of many shares; NaN where nothing was counted."""
    n = np.where(trials > 0, trials, np.nan)
    share = successes / n
    centre, scale = share + z * z / (2 * n), 1 + z * z / n
    reach = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.maximum((centre - reach) / scale, 0.0), np.minimum((centre + reach) / scale, 1.0)


def mean_of(values: Floats) -> float:
    """Mean over the classes for which there is a value; NaN without any."""
    there = np.isfinite(values)
    return float(values[there].mean()) if there.any() else math.nan


def mean_interval(outcome: Outcome, measure: Measure) -> Interval:
    """Interval of the mean of a measure over the classes.

    The wider one of two: the intervals of the classes as if they were independent (MOVER: squared distances of the ends
    add up), which holds where every answer is right; and the infinitesimal jackknife over the samples, which knows
    that one mistake counts against two classes.
    """
    values, (low, high) = by_class(outcome)[measure.name], intervals(outcome, measure)
    there = np.isfinite(values)
    number = int(there.sum())
    if not number:
        return _NO
    centre = float(values[there].mean())
    together = Z95 * math.sqrt(_variance(outcome, measure, values))
    down = max(together, math.sqrt(float(((values - low)[there] ** 2).sum())) / number)
    up = max(together, math.sqrt(float(((high - values)[there] ** 2).sum())) / number)
    return max(centre - down, 0.0), min(centre + up, 1.0)


def _variance(outcome: Outcome, measure: Measure, values: Floats) -> float:
    """Variance of the mean over the classes, by the infinitesimal jackknife over the cells of the table."""
    below = _share(counts_of(outcome), measure)[1]
    there = np.isfinite(values)
    scale = np.where(there, 1 / np.where(below > 0, below, 1), 0.0) / max(int(there.sum()), 1)

    def moved(kind: str) -> Floats:
        """(K + 1,): what one more sample of this kind adds to the mean through each class; none through no answer."""
        above, under = (_times(names, kind) for names in (measure.above, measure.below))
        return np.append((above - np.where(there, values, 0.0) * under) * scale, 0.0)

    tp, fp, fn, tn = (moved(kind) for kind in ("tp", "fp", "fn", "tn"))
    truth, answer, counts = outcome.cells
    same = truth == answer
    change = np.where(same, (tp - tn)[truth], (fn - tn)[truth] + (fp - tn)[answer]) + tn.sum()
    return float((counts * change**2).sum())


def _times(names: tuple[str, ...], kind: str) -> int:
    """How often a sample of a kind counts in a sum of counts."""
    return sum(2 if name == f"2{kind}" else 1 for name in names if name.removeprefix("2") == kind)


def jackknife(value: float, influence: Floats, low: float = -math.inf, high: float = math.inf) -> Interval:
    """Interval from how much each sample's weight moves the value (infinitesimal jackknife), within bounds."""
    if not math.isfinite(value) or not len(influence):
        return _NO
    reach = Z95 * math.sqrt(float((influence**2).sum()))
    return max(value - reach, low), min(value + reach, high)


# ---------------------------------------------------------------------- numbers of the whole table


def kappa(outcome: Outcome) -> tuple[float, Interval]:
    """Cohen's kappa (1960): agreement of truth and answer beyond chance; NaN where chance alone always agrees."""
    rows, columns, total, hits, cells = _table(outcome)
    if not total:
        return math.nan, _NO
    observed, expected = hits / total, float(rows @ columns) / total**2
    if expected >= 1:
        return math.nan, _NO
    value = (observed - expected) / (1 - expected)
    truth, answer, number = cells
    by_observed = ((truth == answer) - observed) / total
    by_expected = (columns[truth] + rows[answer]) / total**2 - 2 * expected / total
    moved = (by_observed - by_expected) / (1 - expected) + (observed - expected) * by_expected / (1 - expected) ** 2
    return value, jackknife(value, moved * np.sqrt(number), -1.0, 1.0)


def matthews(outcome: Outcome) -> tuple[float, Interval]:
    """Matthews' correlation of truth and answer, for several classes (Gorodkin 2004); 0 where one never changes."""
    rows, columns, total, hits, cells = _table(outcome)
    if not total:
        return math.nan, _NO
    cover = hits * total - float(rows @ columns)
    spread, other = total**2 - float((rows**2).sum()), total**2 - float((columns**2).sum())
    if spread * other <= 0:
        return 0.0, _NO
    value = cover / math.sqrt(spread * other)
    truth, answer, number = cells
    by_cover = (truth == answer) * total + hits - columns[truth] - rows[answer]
    by_root = (2 * total - 2 * rows[truth]) * other + (2 * total - 2 * columns[answer]) * spread
    moved = by_cover / math.sqrt(spread * other) - cover * by_root / (2 * (spread * other) ** 1.5)
    return value, jackknife(value, moved * np.sqrt(number), -1.0, 1.0)


def _table(outcome: Outcome) -> tuple[Floats, Floats, float, float, tuple[Ints, Ints, Floats]]:
    """Margins (no answer is one more class of both), total, hits, and the cells that are not empty."""
    columns = outcome.answers.astype(np.float64)
    rows = np.append(outcome.totals, 0).astype(np.float64)
    truth, answer, counts = outcome.cells
    return rows, columns, float(len(outcome.truth)), float(outcome.right.sum()), (truth, answer, counts.astype(float))
