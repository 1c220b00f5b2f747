"""Faults that the curves of a run show: divergence, rate, plateau, decay, start, overfitting, underfitting."""

from __future__ import annotations

import math

import numpy as np

from guiapp.training.diagnosis.figures import RunFigures, trend
from guiapp.training.diagnosis.findings import Evidence, Finder, Finding

_LEAST_STEPS = 30
_LEAST_EPOCHS = 3
_LEARNED = 0.1
"""Below this share of log C a training loss is as good as gone: what is flat there is no fault."""


_LARGE = 3e-2
"""A ratio of update to weights that is a fault also where the curves show none."""


def divergence(run: RunFigures) -> Finding | None:
    """The loss is not a number any more, or ends far above where it began."""
    losses = np.asarray(run.loss, np.float64)
    lost = np.flatnonzero(~np.isfinite(losses))
    start = run.initial_loss if run.initial_loss is not None and math.isfinite(run.initial_loss) else run.chance
    advice = "Take a smaller learning rate, warm it up over the first steps, or clip the gradients."
    if len(lost) or "not finite" in run.reason:
        step = int(lost[0]) + 1 if len(lost) else max(run.steps, 1)
        first = max(1, step - max(5, step // 10))
        before = losses[first - 1 : step - 1]
        tail = f" after {np.nanmin(before):.3g} to {np.nanmax(before):.3g} in the steps before" if len(before) else ""
        text = f"The loss is not a number from step {step} on{tail}."
        return Finding(
            "divergence", "Divergence", "error", text, advice, (Evidence("loss", first, step, "the loss explodes"),)
        )
    if run.steps < _LEAST_STEPS:
        return None
    blocks = run.blocks()
    best = int(blocks.values.argmin())
    last = float(blocks.values[-3:].mean())
    if last > 2 * max(start, run.chance) and last > 3 * float(blocks.values[best]):
        text = f"The loss ends at {last:.3g}, after {blocks.values[best]:.3g} at step {blocks.steps[best]}."
        where = Evidence("loss", int(blocks.steps[best]), run.steps, "the loss grows")
        return Finding("divergence", "Divergence", "error", text, advice, (where,))
    return None


def rate_too_high(run: RunFigures) -> Finding | None:
    """The loss climbs above that of guessing, or jumps up again and again, and comes back: steps that are too long."""
    if run.steps < _LEAST_STEPS or divergence(run) is not None:
        return None
    blocks = run.blocks()
    start = max(run.initial_loss or 0.0, run.chance)
    evidence = []
    high = np.flatnonzero(blocks.values > 1.3 * start)
    if len(high):
        worst = int(high[blocks.values[high].argmax()])
        first = 1 if high[0] == 0 else int(blocks.steps[high[0] - 1])
        text = f"the loss climbs to {blocks.values[worst]:.3g}; {run.guess} {run.chance:.3g}"
        evidence = [Evidence("loss", first, int(blocks.steps[high[-1]]), text)]
    else:
        lowest = np.minimum.accumulate(blocks.values)
        jumps = np.flatnonzero((blocks.values[1:] > 2 * lowest[:-1]) & (np.diff(blocks.values) > 0.15 * run.chance))
        if len(jumps) >= 3:
            text = f"the loss jumps up {len(jumps)} times"
            evidence = [Evidence("loss", int(blocks.steps[jumps[0]]), int(blocks.steps[jumps[-1] + 1]), text)]
    ratio = _late_ratio(run)
    if not evidence and not (ratio is not None and ratio > _LARGE):
        return None
    words = [one.text for one in evidence]
    if ratio is not None and ratio > 1e-2:
        words.append(f"an update is {ratio:.1e} of the weights, where 1e-3 is usual")
    said = "; ".join(words)
    rate = float(np.max(run.rate)) if len(run.rate) else math.nan
    if not evidence:
        evidence = [Evidence("rate", 1, run.steps, "updates are large for the weights")]
    return Finding(
        "rate-too-high", "Learning rate too high", "warning", f"{said[:1].upper()}{said[1:]}.",
        f"Try {_nice(rate / 10)} instead of {_nice(rate)}, or let the range test suggest a rate.", tuple(evidence),
    )  # fmt: skip


def rate_too_low(run: RunFigures) -> Finding | None:
    """The loss still falls in a straight line at the end, and updates are small for the weights."""
    ratio = _late_ratio(run)
    if ratio is None or ratio >= 1e-4 or run.steps < _LEAST_STEPS:
        return None
    if run.rate[-1] < 0.5 * np.max(run.rate):  # it was decayed: small steps are meant
        return None
    half = run.blocks(run.steps // 2)
    if len(half.values) < 3 or half.values.mean() < _LEARNED * run.chance:
        return None
    fall = trend(half.values)
    if fall.change > -2 * fall.error or fall.change > -0.01 * fall.mean:
        return None
    rate = float(np.max(run.rate))
    text = f"An update is {ratio:.1e} of the weights, where 1e-3 is usual, and the loss still falls at {fall.mean:.3g}."
    where = Evidence("loss", run.steps // 2, run.steps, "the loss falls slowly and steadily")
    advice = f"Try {_nice(10 * rate)} instead of {_nice(rate)}, or let the range test suggest a rate."
    return Finding("rate-too-low", "Learning rate too low", "warning", text, advice, (where,))


def slow_start(run: RunFigures) -> Finding | None:
    """The loss stands still at first and then falls: bad initial weights (T4, figure 29)."""
    if run.steps < 2 * _LEAST_STEPS:
        return None
    blocks = run.blocks()
    low, high = float(blocks.values.min()), float(blocks.values[0])
    if high - low < 0.3 * run.chance or high > 1.5 * run.chance:
        return None
    left = np.flatnonzero(blocks.values < high - 0.1 * (high - low))
    share = (int(blocks.steps[left[0]]) if len(left) else run.steps) / run.steps
    planned = max(run.total_steps, run.steps)
    if (
        share < 0.2
        or blocks.steps[left[0]] < 0.1 * planned
        or run.rate[0] < 0.3 * np.max(run.rate[: int(share * run.steps)])
    ):
        return None  # a warm-up is meant to be slow
    until = int(blocks.steps[left[0]])
    text = f"The loss stays near {high:.3g} for {until} steps, {share:.0%} of the run, before it falls."
    advice = "Take other initial weights (Kaiming with ReLU), normalise the layers, or warm the rate up."
    where = Evidence("loss", 1, until, "nothing is learned yet")
    return Finding("slow-start", "Slow start", "warning", text, advice, (where,))


def plateau(run: RunFigures) -> Finding | None:
    """The training loss does not fall any more though the rate is as high as before (T4, figure 30)."""
    if run.steps < 2 * _LEAST_STEPS or divergence(run) is not None:
        return None
    first = int(0.65 * run.steps)
    rates = np.asarray(run.rate[first:], np.float64)
    if rates.min() < 0.7 * rates.max():
        return None  # a rate that goes down is the remedy
    whole, late = run.blocks(), run.blocks(first + 1, count=40)
    if len(late.values) < 4 or late.values.mean() < _LEARNED * run.chance:
        return None
    fall = trend(late.values)
    if fall.change < -0.03 * fall.mean or 2 * fall.error > 0.15 * fall.mean:
        return None
    if whole.values[0] - fall.mean < 0.1 * run.chance:
        return None  # nothing was learned at all: underfitting says so
    while first > run.steps // 10:  # how long it has been so
        earlier = run.blocks(max(1, first - run.steps // 20), first, count=3)
        if earlier.values.mean() > 1.05 * fall.mean:
            break
        first -= run.steps // 20 or 1
    text = (
        f"The training loss stays at {fall.mean:.3g} from step {max(first, 1)} on while the rate is {_nice(rates[-1])}."
    )
    advice = "Lower the rate from there on (by a factor of ten, or with a cosine); if nothing changes, stop earlier."
    where = Evidence("loss", max(first, 1), run.steps, "the loss is flat")
    return Finding("plateau", "Plateau", "warning", text, advice, (where,))


def decayed_too_early(run: RunFigures) -> Finding | None:
    """The loss was falling when the rate went down, and hardly falls since (T4, figure 31)."""
    step = _decayed_at(run)
    reach = min(step - 1, run.steps - step + 1)
    if reach < _LEAST_STEPS // 2:
        return None
    before = run.blocks(max(1, step - reach // 2), step - 1, count=20)
    after = run.blocks(step + reach // 4, run.steps, count=20)
    if len(before.values) < 3 or len(after.values) < 3:
        return None
    fell, falls = trend(before.values), trend(after.values)
    per_step = fell.change / max(step - 1 - max(1, step - reach // 2), 1)
    since = falls.change / max(run.steps - step - reach // 4, 1)
    if fell.change > -0.08 * fell.mean or fell.change > -2 * fell.error:
        return None  # it had come to rest
    if falls.mean < _LEARNED * run.chance or since < 0.25 * per_step:
        return None
    text = (
        f"At step {step} the rate was down to {_nice(float(run.rate[step - 1]))}, a fifth or less of "
        f"{_nice(float(np.max(run.rate)))}, while the loss was still falling ("
        f"{-fell.change / fell.mean:.0%} over the steps before); it stays near {falls.mean:.3g}."
    )
    advice = "Keep the high rate until the loss stands still, or let the rate fall over the whole run (cosine)."
    evidence = (
        Evidence("loss", max(1, step - reach // 2), step, "still falling"),
        Evidence("loss", step, run.steps, "hardly falls since"),
        Evidence("rate", step, run.steps, "low from here on"),
    )
    return Finding("decayed-too-early", "Decayed too early", "warning", text, advice, evidence)


def overfitting(run: RunFigures) -> Finding | None:
    """Training goes on getting better while validation gets worse, or stays far behind (T1, 2.2; T4, figure 33)."""
    if len(run.epochs) < _LEAST_EPOCHS or _strange_validation(run):
        return None
    steps = run.epoch_steps
    loss, held = run.curve("train", "loss"), run.curve("validation", "loss")
    best = int(np.nanargmin(held)) if np.isfinite(held).any() else 0
    late = float(np.nanmean(held[-min(3, len(held) - best) :]))
    rises = late > 1.15 * held[best] + 0.02 and loss[-1] < loss[best] and best < len(held) - 1
    learned, kept = (float(run.curve(part, "accuracy")[-3:].mean()) for part in ("train", "validation"))
    gap = learned - kept
    if not rises and gap < 0.1:
        return None
    words, evidence = [], []
    if rises:
        words.append(f"the validation loss rises from {held[best]:.3g} after epoch {best + 1} to {late:.3g}")
        text = "validation gets worse, training better"
        evidence.append(Evidence("loss", int(steps[best]), int(steps[-1]), text))
    if gap >= 0.05:
        words.append(f"training is right in {learned:.1%}, validation in {kept:.1%}")
        wide = run.curve("train", "accuracy") - run.curve("validation", "accuracy") >= 0.05
        from_epoch = int(np.flatnonzero(wide)[0]) if wide.any() else len(wide) - 1
        evidence.append(Evidence("accuracy", int(steps[from_epoch]), int(steps[-1]), f"a gap of {gap:.1%}"))
    said = "; ".join(words)
    advice = "Augment, regularise more (weight decay, dropout), bring more data, or stop at the best epoch."
    return Finding(
        "overfitting", "Overfitting", "warning", f"{said[:1].upper()}{said[1:]}.", advice, tuple(evidence)
    )  # fmt: skip


def underfitting(run: RunFigures) -> Finding | None:
    """Training and validation end alike and neither is good (T1, 2.2; T4, figures 32 and 34)."""
    if len(run.epochs) < _LEAST_EPOCHS or divergence(run) is not None:
        return None
    steps = run.epoch_steps
    loss, held = run.curve("train", "loss"), run.curve("validation", "loss")
    learned, kept = run.curve("train", "accuracy"), run.curve("validation", "accuracy")
    done = run.steps >= 0.8 * max(run.total_steps, 1)
    late = slice(-3, None)
    mean, mean_held = float(loss[late].mean()), float(held[late].mean())
    if not done or mean < 0.25 * run.chance or mean_held > 1.2 * mean or mean_held > 1.15 * np.nanmin(held) + 0.02:
        return None
    if learned[late].mean() > 0.9 or learned[late].mean() - kept[late].mean() > 0.05:
        return None
    third = max(3, len(held) // 3)
    rising = trend(kept[-third:])
    longer = rising.change > 0.01 and rising.change > 2 * rising.error
    text = (
        f"Training is right in {learned[late].mean():.1%} and validation in {kept[late].mean():.1%}: no gap, and the "
        f"training loss ends at {mean:.3g}, {mean / run.chance:.0%} of {'guessing' if run.classes else 'the first'}."
    )
    if mean > 0.95 * run.chance:
        text = f"Nothing is learned: the training loss ends at {mean:.3g}, {run.guess} {run.chance:.3g}."
    advice = "Take a larger network, a better rate, or less regularisation."
    if longer:
        text += f" Validation still gains {rising.change:.1%} over the last {third} epochs."
        advice = f"Train longer; then {advice[:1].lower()}{advice[1:]}"
    first = int(steps[-third])
    evidence = (
        Evidence("loss", first, int(steps[-1]), "high for both"),
        Evidence("accuracy", first, int(steps[-1]), "still rising" if longer else "no gap, and low"),
    )
    return Finding("underfitting", "Underfitting", "warning", text, advice, evidence)


def strange_validation(run: RunFigures) -> Finding | None:
    """Validation is no better than guessing though training is learned: the labels of the parts do not fit."""
    if not _strange_validation(run):
        return None
    learned, kept = (float(run.curve(part, "accuracy")[-3:].mean()) for part in ("train", "validation"))
    text = (
        f"Training is right in {learned:.1%}, validation in {kept:.1%}, which guessing among {run.classes} classes "
        "gets too: the classes of the two parts do not mean the same, or random labels were learned by heart."
    )
    advice = "Look at samples of both parts with their labels; check how labels and files were paired."
    where = Evidence("accuracy", 1, int(run.epoch_steps[-1]), "validation stays at chance")
    return Finding("label-problems", "Label problems", "error", text, advice, (where,))


def _strange_validation(run: RunFigures) -> bool:
    if len(run.epochs) < 2:
        return False
    learned, kept = (float(run.curve(part, "accuracy")[-3:].mean()) for part in ("train", "validation"))
    if not run.classes:
        return False
    chance = 1 / max(run.classes, 2)
    return bool(kept < 1.5 * chance and learned > 3 * chance and learned > chance + 0.3)


def _decayed_at(run: RunFigures) -> int:
    """The first step after the highest rate at which a fifth or less of it is left, within 60 % of the run; else 0."""
    rates = np.asarray(run.rate, np.float64)
    if len(rates) < 2 * _LEAST_STEPS:
        return 0
    top = int(rates.argmax())
    low = np.flatnonzero((rates < 0.2 * rates[top] * (1 + 1e-6)) & (np.arange(len(rates)) > top))
    return int(low[0]) + 1 if len(low) and low[0] <= 0.6 * max(run.total_steps, run.steps) else 0


def _late_ratio(run: RunFigures) -> float | None:
    """Median over layers and the last half of the records of the ratio of update to weights."""
    if run.observation is None or len(run.observation) < 4:
        return None
    ratios = run.observation.figures["ratio"][len(run.observation) // 2 :]
    return float(np.nanmedian(ratios)) if np.isfinite(ratios).any() else None


def _nice(rate: float) -> str:
    return f"{rate:.2g}"


FINDERS: tuple[Finder, ...] = (
    divergence, strange_validation, rate_too_high, rate_too_low, slow_start, decayed_too_early, plateau, overfitting,
    underfitting,
)  # fmt: skip
