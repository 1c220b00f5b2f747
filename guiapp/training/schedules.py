"""The learning rate of each step, computed from the step alone."""

import math
from collections.abc import Sequence

from guiapp.training.recipe import Schedule


def shape(schedule: Schedule, step: int, total: int, per_epoch: int) -> float:
    """Share of the base rate at ``step`` (0 is the first step of the run)."""
    if schedule.name == "step":
        return schedule.factor ** (step // (schedule.every * per_epoch))
    if schedule.name == "cosine":
        wave = 0.5 * (1.0 + math.cos(math.pi * min(step / max(total, 1), 1.0)))
        return schedule.final + (1.0 - schedule.final) * wave
    return 1.0


def rate(schedule: Schedule, base: float, step: int, total: int, per_epoch: int) -> float:
    """Learning rate of one step.

    ``constant``: base. ``step``: base * factor^floor(epoch / every). ``cosine``: from base down to final * base along
    half a cosine over the run (Loshchilov and Hutter 2017, without restarts), as torch's ``CosineAnnealingLR``.

    Args:
        schedule: Its name and parameters.
        base: Rate at the start.
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
    shape in proportion.

    Args:
        schedule: Its name and parameters.
        base: Rate at the start of the run.
        changes: In the order of their steps.
        step: Steps done before this one.
        total: Steps of the whole run.
        per_epoch: Steps of one epoch.
    """
    start, value = 0, base
    for at, changed in changes:
        if at > step:
            break
        start, value = at, changed
    below = shape(schedule, start, total, per_epoch)
    if start == step or below == 0.0:
        return value
    return value * shape(schedule, step, total, per_epoch) / below
