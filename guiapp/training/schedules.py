"""The learning rate and the momentum of each step, computed from the step alone, and drawn for a whole run.

Step, exponential, polynomial (course text T0, performance tuning; T2, learning rate updates), inverse (T2), inverse
square root (T4, 8.6), linear and cosine (T1, 9 (36)-(37); T4, 8.6), warm-up (T1, T4), one-cycle (T1 (38)-(39) with the
falling part from the peak, as Smith and Topin 2018). The texts' epochs are taken in fractions, so that every step has a
rate of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from guiapp.training.recipe import Recipe, Schedule

_WITH_MOMENTUM = {
    "momentum": "momentum",
    "nesterov": "momentum",
    "rmsprop": "momentum",
    "adam": "beta1",
    "adamw": "beta1",
}


def shape(schedule: Schedule, step: int, total: int, per_epoch: int) -> float:
    """Share of the base rate at ``step`` (0 is the first step of the run)."""
    if schedule.name == "constant" and not schedule.warmup:
        return 1.0
    if schedule.name == "one-cycle":
        return _one_cycle(schedule, step, total, schedule.start, 1.0, schedule.final)
    if schedule.name == "step":
        return _warmed(schedule, step, per_epoch) * schedule.factor ** _drops(schedule, step, per_epoch)
    if not schedule.warmup:
        return _SHAPES[schedule.name](schedule, step, max(total, 1), per_epoch)
    warm = warmup_steps(schedule, per_epoch)
    if step < warm:
        return _warmed(schedule, step, per_epoch)
    return _SHAPES[schedule.name](schedule, step - warm, max(total - warm, 1), per_epoch)


def warmup_steps(schedule: Schedule, per_epoch: int) -> int:
    """Steps of the warm-up."""
    return round(schedule.warmup * per_epoch)


def rate(schedule: Schedule, base: float, step: int, total: int, per_epoch: int) -> float:
    """Learning rate of one step: ``base`` times the share below.

    With e the epochs done since the warm-up (a fraction within an epoch), t and T the steps done and in all since then,
    and f ``final``:

    - ``constant``: 1.
    - ``step``: factor^floor(epochs of the run / every), or factor^(how many of ``points`` are past).
    - ``exponential``: factor^(e / every), as torch's ``ExponentialLR`` with gamma = factor^(1 / (every per_epoch)).
    - ``polynomial``: f + (1 - f) (1 - t / T)^power, as torch's ``PolynomialLR`` for f = 0. ``linear``: power 1.
    - ``inverse``: (1 + gamma e)^-rho. ``inverse-sqrt``: 1 / sqrt(1 + e), the text's epochs being counted from 1.
    - ``cosine``: f + (1 - f) (1 + cos(pi t / T)) / 2 (Loshchilov and Hutter 2017), as torch's ``CosineAnnealingLR``;
      with c ``cycles`` it falls c times, as ``CosineAnnealingWarmRestarts``.
    - ``one-cycle``: from ``start`` up to 1 within ``rise`` of the run, then down to f. ``curve="linear"`` reaches the
      peak at step rise * total (T1); ``"cosine"`` is torch's ``OneCycleLR``, whose two phases end a step earlier.
    - A warm-up of w steps multiplies step i < w by s + (1 - s) i / w, s being ``warmup_from``, as ``LinearLR``.

    Args:
        schedule: Its name and parameters.
        base: The optimiser's rate.
        step: Steps done before this one, 0 to total - 1.
        total: Steps of the whole run.
        per_epoch: Steps of one epoch.
    """
    return base * shape(schedule, step, total, per_epoch)


def rate_with_changes(
    schedule: Schedule, base: float, changes: Sequence[tuple[int, float]], step: int, total: int, per_epoch: int
) -> float:
    """Learning rate of one step after changes by hand.

    A change ``(at, value)`` makes the rate of step ``at`` exactly ``value``; from there it follows the schedule's
    shape in proportion. Where the shape is 0 at that step (the first one of a warm-up), ``value`` is the new base.

    Args:
        schedule: Its name and parameters.
        base: The optimiser's rate.
        changes: In the order of their steps.
        step: Steps done before this one.
        total: Steps of the whole run.
        per_epoch: Steps of one epoch.
    """
    start, value = -1, base
    for at, changed in changes:
        if at > step:
            break
        start, value = at, changed
    if start < 0:
        return base * shape(schedule, step, total, per_epoch)
    if start == step:
        return value
    return value * shape(schedule, step, total, per_epoch) / (shape(schedule, start, total, per_epoch) or 1.0)


def has_momentum(recipe: Recipe) -> bool:
    """Whether the schedule changes the momentum: one-cycle, with an optimiser that has one."""
    return recipe.schedule.name == "one-cycle" and full_momentum(recipe) > 0.0


def full_momentum(recipe: Recipe) -> float:
    """The momentum of the optimiser, beta 1 for Adam; 0 for those without."""
    name = _WITH_MOMENTUM.get(recipe.optimiser.name)
    return 0.0 if name is None else float(getattr(recipe.optimiser, name))


def momentum(recipe: Recipe, step: int, total: int) -> float:
    """Momentum (beta 1 of Adam) of one step under one-cycle: down while the rate rises, then up again (T1 (39))."""
    high = full_momentum(recipe)
    return _one_cycle(recipe.schedule, step, total, high, recipe.schedule.momentum_low, high)


@dataclass(frozen=True, eq=False)
class Curve:
    """What a schedule will do, or has done.

    Attributes:
        steps: Steps done before those that are drawn, int64 (N,), from 0.
        rates: Learning rate of each, float64 (N,).
        momenta: Momentum (beta 1 of Adam) of each, float64 (N,), or None for an optimiser without.
    """

    steps: npt.NDArray[np.int64]
    rates: npt.NDArray[np.float64]
    momenta: npt.NDArray[np.float64] | None


def curve(recipe: Recipe, per_epoch: int, changes: Sequence[tuple[int, float]] = (), most: int | None = None) -> Curve:
    """The whole schedule of a run, also before it begins: the rate and the momentum of every step.

    Args:
        recipe: Epochs, optimiser and schedule.
        per_epoch: Steps of one epoch.
        changes: Changes of the rate by hand, see ``rate_with_changes``.
        most: Draw at most about this many steps, evenly, with the first, the last and those of the peak; None for all.
            A million steps take about a second.
    """
    total = recipe.epochs * per_epoch
    every = 1 if most is None else max(-(-total // max(most, 1)), 1)
    chosen = {*range(0, total, every), total - 1, *(at for at, _ in changes if at < total)}
    if every > 1:
        corner = round(recipe.schedule.rise * total) if recipe.schedule.name == "one-cycle" else 0
        corners = (corner - 1, corner, warmup_steps(recipe.schedule, per_epoch))
        chosen.update(step for step in corners if 0 <= step < total)
    steps = sorted(chosen)
    base = recipe.optimiser.lr
    rates = [rate_with_changes(recipe.schedule, base, changes, step, total, per_epoch) for step in steps]
    momenta: npt.NDArray[np.float64] | None = None
    if has_momentum(recipe):
        momenta = np.array([momentum(recipe, step, total) for step in steps], np.float64)
    elif full_momentum(recipe) > 0.0:
        momenta = np.full(len(steps), full_momentum(recipe))
    return Curve(np.array(steps, np.int64), np.array(rates, np.float64), momenta)


def steps_of_epoch(recipe: Recipe, samples: int) -> int:
    """Steps of one pass over a training part of so many samples.

    A last batch of one sample is left out where there are others: batch normalisation cannot train on it.
    """
    full, rest = divmod(samples, samples if recipe.optimiser.name == "gd" else recipe.batch)
    return max(full + (rest > (1 if full else 0)), 1)


def drop_epochs(schedule: Schedule) -> tuple[float, ...]:
    """The epochs named by ``points``, in order.

    Raises:
        ValueError: If they are not numbers above 0 in rising order.
    """
    return _numbers(schedule.points)


@lru_cache(maxsize=16)
def _numbers(text: str) -> tuple[float, ...]:
    found = tuple(float(word) for word in text.split(",") if word.strip())
    if any(not 0 < point < math.inf for point in found) or list(found) != sorted(set(found)):
        raise ValueError(text)
    return found


def _warmed(schedule: Schedule, step: int, per_epoch: int) -> float:
    warm = warmup_steps(schedule, per_epoch)
    if step >= warm:
        return 1.0
    return schedule.warmup_from + (1.0 - schedule.warmup_from) * step / warm


def _drops(schedule: Schedule, step: int, per_epoch: int) -> int:
    if not schedule.points:
        return step // (schedule.every * per_epoch)
    return sum(step >= round(point * per_epoch) for point in drop_epochs(schedule))


def _exponential(schedule: Schedule, step: int, total: int, per_epoch: int) -> float:
    return float(schedule.factor ** (step / (schedule.every * per_epoch)))


def _polynomial(schedule: Schedule, step: int, total: int, per_epoch: int) -> float:
    power = schedule.power if schedule.name == "polynomial" else 1.0
    return float(schedule.final + (1.0 - schedule.final) * (1.0 - min(step / total, 1.0)) ** power)


def _inverse(schedule: Schedule, step: int, total: int, per_epoch: int) -> float:
    return float((1.0 + schedule.gamma * step / per_epoch) ** -schedule.rho)


def _inverse_sqrt(schedule: Schedule, step: int, total: int, per_epoch: int) -> float:
    return 1.0 / math.sqrt(1.0 + step / per_epoch)


def _cosine(schedule: Schedule, step: int, total: int, per_epoch: int) -> float:
    if schedule.cycles > 1 and step < total:
        step = step * schedule.cycles % total
    wave = 0.5 * (1.0 + math.cos(math.pi * min(step / total, 1.0)))
    return schedule.final + (1.0 - schedule.final) * wave


_SHAPES: dict[str, Callable[[Schedule, int, int, int], float]] = {
    "constant": lambda schedule, step, total, per_epoch: 1.0,
    "exponential": _exponential,
    "polynomial": _polynomial,
    "linear": _polynomial,
    "inverse": _inverse,
    "inverse-sqrt": _inverse_sqrt,
    "cosine": _cosine,
}


def _one_cycle(schedule: Schedule, step: int, total: int, first: float, middle: float, last: float) -> float:
    """From ``first`` to ``middle`` within the rising share of the run, then to ``last``."""
    earlier = schedule.curve == "cosine"  # as torch: the first phase ends at p I - 1, the second at I - 1
    turn, end = schedule.rise * total - earlier, total - earlier
    if step < turn:
        before, after, share = first, middle, step / turn
    else:
        before, after, share = middle, last, min((step - turn) / (end - turn), 1.0) if end > turn else 1.0
    if schedule.curve == "cosine":
        share = 0.5 * (1.0 - math.cos(math.pi * share))
    return after + (before - after) * (1.0 - share)
