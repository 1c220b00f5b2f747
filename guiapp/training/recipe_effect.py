"""Which settings of a recipe do nothing as the others are: the form leaves them out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from guiapp.training.recipe import Recipe
from guiapp.training.schedules import full_momentum

_OFF = ("none", "off", "own")
_ENDS = ("cosine", "linear", "polynomial", "one-cycle")
_DROPS = ("step", "exponential")

_COUNTS: Mapping[str, Callable[[Recipe], object]] = {
    "optimiser.momentum": lambda r: r.optimiser.name in ("momentum", "nesterov", "rmsprop"),
    "optimiser.beta1": lambda r: r.optimiser.name in ("adam", "adamw"),
    "optimiser.beta2": lambda r: r.optimiser.name in ("adam", "adamw", "rmsprop"),
    "optimiser.damping": lambda r: r.optimiser.name == "newton",
    "optimiser.iterations": lambda r: r.optimiser.name == "newton",
    "schedule.every": lambda r: r.schedule.name in _DROPS and not r.schedule.points,
    "schedule.factor": lambda r: r.schedule.name in _DROPS,
    "schedule.points": lambda r: r.schedule.name == "step",
    "schedule.final": lambda r: r.schedule.name in _ENDS,
    "schedule.power": lambda r: r.schedule.name == "polynomial",
    "schedule.gamma": lambda r: r.schedule.name == "inverse",
    "schedule.rho": lambda r: r.schedule.name == "inverse",
    "schedule.cycles": lambda r: r.schedule.name == "cosine",
    "schedule.warmup": lambda r: r.schedule.name != "one-cycle",
    "schedule.warmup_from": lambda r: r.schedule.name != "one-cycle" and r.schedule.warmup,
    "schedule.rise": lambda r: r.schedule.name == "one-cycle",
    "schedule.start": lambda r: r.schedule.name == "one-cycle",
    "schedule.curve": lambda r: r.schedule.name == "one-cycle",
    "schedule.momentum_low": lambda r: r.schedule.name == "one-cycle" and full_momentum(r),
    "augmentation.cutout_chance": lambda r: r.augmentation.cutout,
    "data.fold": lambda r: r.data.folds,
    "transfer.every": lambda r: r.transfer.name == "gradual",
    "transfer.groups": lambda r: r.transfer.name == "gradual" or (r.transfer.name == "all" and r.transfer.decay < 1.0),
    "transfer.decay": lambda r: r.transfer.name != "head",
    "transfer.views": lambda r: r.transfer.name == "head",
    "preprocessing.components": lambda r: r.preprocessing.name in ("pca", "whitening"),
    "preprocessing.epsilon": lambda r: r.preprocessing.name == "whitening",
    "preprocessing.back": lambda r: r.preprocessing.name in ("pca", "whitening"),
    "initialisation.deviation": lambda r: r.initialisation.name == "small",
    "initialisation.distribution": lambda r: r.initialisation.name not in ("own", "zero"),
    "normalisation.groups": lambda r: r.normalisation.name == "group",
    "leave_out.pool_share": lambda r: r.leave_out.pooling == "fractional",
    "penalty.beta": lambda r: r.penalty.name == "elastic",
    "stopping.watch": lambda r: r.stopping.patience,
    "stopping.margin": lambda r: r.stopping.patience,
    "average.rho": lambda r: r.average.name == "polyak",
    "average.every": lambda r: r.average.name == "cycles",
    "distillation.temperature": lambda r: r.distillation.teacher and r.distillation.share,
    "distillation.share": lambda r: r.distillation.teacher,
}
"""When a setting counts; those that are not named always do, but for those of a group that is switched off."""


def idle(recipe: Recipe) -> frozenset[str]:
    """Dotted names of the settings that change nothing as long as the others are what they are."""
    found = {dotted for dotted, counts in _COUNTS.items() if not counts(recipe)}
    for field in dataclasses.fields(recipe):
        group = getattr(recipe, field.name)
        if dataclasses.is_dataclass(group) and getattr(group, "name", "") in _OFF:
            inner = {f"{field.name}.{part.name}" for part in dataclasses.fields(group) if part.name != "name"}
            found |= inner if field.name != "augmentation" else set()
    return frozenset(found)
