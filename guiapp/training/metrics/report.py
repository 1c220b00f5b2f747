"""The table of numbers of a part: each with its interval, its formula, and what one who sees nothing would get."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from guiapp.training.metrics.calibration import calibration
from guiapp.training.metrics.decision import Decision, Outcome, decide
from guiapp.training.metrics.numbers import (
    MEASURES,
    Interval,
    Measure,
    by_class,
    counts_of,
    intervals,
    jackknife,
    kappa,
    matthews,
    mean_interval,
    mean_of,
    wilson_ends,
)
from guiapp.training.metrics.ranking import Ranking, ranking
from guiapp.training.metrics.scores import Bools, Floats, Scores, uninformed

TOP = 5
_NO = (math.nan, math.nan)


@dataclass(frozen=True)
class Number:
    """One line of the table of numbers.

    Attributes:
        name: Key.
        title: What a person reads.
        value: The number, NaN where it does not exist.
        interval: 95 %.
        majority: What always answering the most frequent class of the training part gives.
        formula: From what it is made.
        counted: The formula with the counts in it, or over how many classes it is a mean.
        wrong: Which samples make it worse: ``"fp"``, ``"fn"``, ``"both"`` of a class, ``"wrong"`` all mistakes, or
            empty.
        better: Whether more or less of it is good.
    """

    name: str
    title: str
    value: float
    interval: Interval
    majority: float
    formula: str
    counted: str = ""
    wrong: str = "wrong"
    better: str = "higher"


@dataclass(frozen=True, eq=False)
class Report:
    """A network on a part.

    Attributes:
        scores: Of each sample.
        ranking: Areas under the curves of every class.
        chance: Scores of one who has seen no picture, the baseline.
    """

    scores: Scores
    ranking: Ranking
    chance: Scores = field(repr=False)
    _bases: dict[int | None, Outcome] = field(default_factory=dict, repr=False)
    _probable: dict[int | None, list[Number]] = field(default_factory=dict, repr=False)

    def numbers(self, outcome: Outcome) -> list[Number]:
        """The table of numbers at a decision."""
        positive = outcome.decision.positive
        if positive not in self._bases:
            self._bases[positive] = decide(self.chance, _usual(outcome.decision))
        base = self._bases[positive]
        lines = _overall(outcome, base)
        lines += [_measured(measure, outcome, base) for measure in MEASURES]
        if positive not in self._probable:  # no threshold moves these
            self._probable[positive] = _probable(self, positive)
        return lines + _ranked(self.scores, self.ranking, positive) + self._probable[positive]


def reporting(scores: Scores) -> Generator[tuple[float, str], None, Report]:
    """Work out what does not depend on the threshold; yields the share done and words."""
    work = ranking(scores)
    while True:
        try:
            done, total = next(work)
        except StopIteration as end:
            return Report(scores, end.value, uninformed(scores))
        yield done / total, f"areas under curves, {done:,} of {total:,} classes"


def report(scores: Scores) -> Report:
    """``reporting`` in one call."""
    work = reporting(scores)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Report = end.value
            return found


def _usual(decision: Decision) -> Decision:
    """How the baseline answers: always the most frequent class, so that a threshold leaves it as it is."""
    return Decision() if decision.positive is None else Decision(decision.positive, 0.5)


# ---------------------------------------------------------------------- the lines of the table


def _overall(outcome: Outcome, base: Outcome) -> list[Number]:
    total = len(outcome.truth)
    hits, base_hits = int(outcome.right.sum()), int(base.right.sum())
    low, high = wilson(hits, total)
    share, base_share = _over(hits, total), _over(base_hits, total)
    balanced = mean_of(by_class(outcome)["recall"])
    kappa_value, kappa_ends = kappa(outcome)
    matthews_value, matthews_ends = matthews(outcome)
    lines = [
        Number(
            "accuracy", "Accuracy", share, (low, high), base_share, "(TP + TN) / N: right answers",
            f"{hits:,} / {total:,}",
        ),
        Number(
            "error_rate", "Error rate", 1 - share, (1 - high, 1 - low), 1 - base_share, "(FP + FN) / N: the others",
            f"{total - hits:,} / {total:,}", better="lower",
        ),
        Number(
            "balanced_accuracy", "Balanced accuracy", balanced,
            mean_interval(outcome, _measure("recall")), mean_of(by_class(base)["recall"]),
            "mean recall of the classes", _means(by_class(outcome)["recall"]),
        ),
        Number(
            "kappa", "Cohen's kappa", kappa_value, kappa_ends, _zero(kappa(base)[0]),
            "(accuracy − chance) / (1 − chance)",
        ),
        Number(
            "mcc", "Matthews' correlation", matthews_value, matthews_ends, matthews(base)[0],
            "correlation of truth and answer",
        ),
    ]  # fmt: skip
    if outcome.unanswered:
        said = total - outcome.unanswered
        reach = wilson(said, total)
        right_low, right_high = wilson(hits, said)
        lines[2:2] = [
            Number("coverage", "Answered", _over(said, total), reach, 1.0, "answered / N", f"{said:,} / {total:,}", ""),
            Number(
                "selective_accuracy", "Accuracy of answers", _over(hits, said), (right_low, right_high), base_share,
                "right / answered", f"{hits:,} / {said:,}",
            ),
        ]  # fmt: skip
    return lines


def _measured(measure: Measure, outcome: Outcome, base: Outcome) -> Number:
    values, ends = by_class(outcome)[measure.name], intervals(outcome, measure)
    from_base = by_class(base)[measure.name]
    formula = measure.formula
    if outcome.decision.positive is None:
        return Number(
            measure.name, measure.title, mean_of(values), mean_interval(outcome, measure), mean_of(from_base), formula,
            _means(values), "wrong", measure.better,
        )  # fmt: skip
    counts = {name: int(numbers[1]) for name, numbers in counts_of(outcome).items()}
    above, below = (sum(counts[name] for name in names) for names in (measure.above, measure.below))
    return Number(
        measure.name, measure.title, float(values[1]), (float(ends[0][1]), float(ends[1][1])), float(from_base[1]),
        formula, f"{above:,} / {below:,}", measure.wrong, measure.better,
    )  # fmt: skip


def _ranked(scores: Scores, found: Ranking, positive: int | None) -> list[Number]:
    """Areas under the curves; equal scores for all rank at random: 0.5, and the share of the class."""
    shares = scores.support / max(len(scores), 1)
    known = np.isfinite(found.auc), np.isfinite(found.average_precision)
    lines = []
    for name, title, formula, values, ends, mean, blind in (
        (
            "auc", "ROC AUC", "area under TPR over FPR", found.auc, found.auc_intervals, found.mean_auc,
            np.where(known[0], 0.5, np.nan),
        ),
        (
            "average_precision", "Average precision", "Σ precision × growth of recall", found.average_precision,
            found.precision_intervals, found.mean_precision, np.where(known[1], shares, np.nan),
        ),
    ):  # fmt: skip
        if positive is None:
            lines.append(Number(name, title, mean[0], mean[1], mean_of(blind), formula, _means(values)))
        else:
            low, high = (float(end) for end in ends[positive])
            one, chance = float(values[positive]), float(blind[positive])
            lines.append(Number(name, title, one, (low, high), chance, formula, "any threshold", "both"))
    return lines


def _probable(self: Report, positive: int | None) -> list[Number]:
    """Numbers of the probabilities themselves, over the samples that have some."""
    scores, blind = self.scores, self.chance
    total, known = len(scores), int(scores.answered.sum())
    over = f"{known:,} of {total:,} samples" if known < total else f"{total:,} samples"
    lines = []
    for name, title, formula, measured in (
        ("log_loss", "Log loss", "mean of −log p(true)", _surprises),
        ("brier", "Brier score", "mean of Σ (p − truth)²", _squares),
    ):
        values, base = measured(scores, positive), measured(blind, positive)
        lines.append(Number(name, title, _mean(values), _mean_ends(values), _mean(base), formula, over, better="lower"))
    bins, base_bins = calibration(scores, positive), calibration(blind, positive)
    lines.append(
        Number(
            "ece", "Calibration error (ECE)", bins.ece, bins.ece_interval, base_bins.ece,
            "Σ n(bin) / N · |promised − came|", f"{len(bins.counts)} bins", better="lower",
        )
    )  # fmt: skip
    if positive is None and scores.count > TOP:
        hits, base_hits = int(_among_top(scores).sum()), int(_among_top(blind).sum())
        lines.append(
            Number(
                "top5", "Top-5 accuracy", _over(hits, total), wilson(hits, total), _over(base_hits, total),
                "true class among the 5 most probable", f"{hits:,} / {total:,}",
            )
        )  # fmt: skip
    return lines


def _surprises(scores: Scores, positive: int | None) -> Floats:
    if positive is None:
        return scores.surprise
    column = scores.column(positive)
    true = np.where(scores.truth == positive, column, 1 - column)
    return -np.log(np.maximum(true, np.finfo(np.float32).eps))


def _squares(scores: Scores, positive: int | None) -> Floats:
    if positive is not None:
        return np.asarray((scores.column(positive) - (scores.truth == positive)) ** 2)
    if not len(scores):
        return np.zeros(0)
    # sum of (p - truth)^2 over the classes = sum of p^2 - 2 p(true) + 1, without a table of the size of p
    squares = np.einsum("nc,nc->n", scores.probabilities, scores.probabilities, dtype=np.float64)
    return np.asarray(squares - 2 * scores.of_truth + 1)


def _among_top(scores: Scores) -> Bools:
    """(N,): whether fewer than five classes come before the true one, equals by their index."""
    true = scores.probabilities[np.arange(len(scores)), scores.truth][:, None]
    before = np.arange(scores.count)[None] < scores.truth[:, None]
    ahead = (scores.probabilities > true).sum(1) + ((scores.probabilities == true) & before).sum(1)
    return np.asarray((ahead < TOP) & scores.answered)


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _mean_ends(values: Floats) -> Interval:
    known = values[np.isfinite(values)]
    return jackknife(float(known.mean()), (known - known.mean()) / len(known), 0.0) if len(known) else _NO


def _over(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _zero(value: float) -> float:
    """Kappa of one who always says the same: no agreement beyond chance, also where all samples are of that class."""
    return value if math.isfinite(value) else 0.0


def wilson(successes: int, trials: int) -> Interval:
    """95 % interval of one share; NaN where nothing was counted."""
    low, high = wilson_ends(np.array([float(successes)]), np.array([float(trials)]))
    return float(low[0]), float(high[0])


def _measure(name: str) -> Measure:
    return next(measure for measure in MEASURES if measure.name == name)


def _means(values: Floats) -> str:
    there = int(np.isfinite(values).sum())
    return f"mean of {there:,} classes" if there == len(values) else f"mean of {there:,} of {len(values):,} classes"
