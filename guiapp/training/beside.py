"""Runs that differ from a recipe in one thing alone, to be trained beside it: what a person may ask for in one go."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from guiapp.models.base import ModelEntry
from guiapp.training.recipe import Recipe

_OFF: Mapping[str, Any] = {
    "leave_out.dropout": 0.0, "leave_out.dropconnect": 0.0, "leave_out.depth": 0.0, "leave_out.pooling": "own",
    "penalty.name": "none", "optimiser.weight_decay": 0.0, "loss.smoothing": 0.0, "normalisation.name": "none",
    "initialisation.name": "own", "preprocessing.name": "own", "schedule.name": "constant", "schedule.warmup": 0.0,
    "clipping.name": "none", "balance.name": "none", "stopping.patience": 0, "average.name": "none",
    "distillation.teacher": "", "data.share": 1.0,
}  # fmt: skip
"""What a setting is where the thing is not there at all."""
_LEFT_AS_IT_IS: Mapping[str, tuple[Any, ...]] = {
    "leave_out.dropout": (None,),
    "normalisation.name": ("own",),
}
"""Further values that ask for nothing."""
_CHOICES = (
    "optimiser.name", "schedule.name", "initialisation.name", "normalisation.name", "preprocessing.name",
    "penalty.name", "clipping.name", "balance.name",
)  # fmt: skip
_OTHER: Mapping[str, tuple[Any, ...]] = {
    "leave_out.dropout": (0.2, 0.5),
    "leave_out.dropconnect": (0.3,),
    "leave_out.depth": (0.2,),
    "loss.smoothing": (0.1,),
    "optimiser.weight_decay": (5e-4, 5e-3),
    "augmentation.cutout": (0.4,),
    "augmentation.mixup": (0.2,),
}
"""Values to try of settings that are numbers."""
_TIMES = ((0.1, "a tenth"), (1 / 3, "a third"), (3.0, "three times"), (10.0, "ten times"))


@dataclass(frozen=True)
class Twin:
    """One other run.

    Attributes:
        setting: Dotted name of the setting that is another.
        value: What it is there.
        changes: All dotted settings to change, with those that belong to it.
        words: Of a rate, how it compares; else empty.
    """

    setting: str
    value: Any
    changes: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""


def without(recipe: Recipe) -> list[Twin]:
    """A twin for each thing that the recipe has and could do without."""
    found = []
    for setting, off in _OFF.items():
        value = value_of(recipe, setting)
        if value != off and value not in _LEFT_AS_IT_IS.get(setting, ()):
            found.append(Twin(setting, off, {setting: off}))
    made = recipe.augmentation
    strengths = {f.name: 0.0 for f in dataclasses.fields(made) if f.name not in ("name", "cutout_chance")}
    changes = {f"augmentation.{name}": 0.0 for name in strengths if getattr(made, name)}
    if made.name != "none" or changes:
        found.append(Twin("augmentation.name", "none", {"augmentation.name": "none", **changes}))
    return found


def others(recipe: Recipe) -> dict[str, list[Twin]]:
    """By setting, twins with another choice or value of it; the rate in multiples, and other seeds."""
    rate = recipe.optimiser.lr
    rates = [(float(f"{rate * times:.3g}"), words) for times, words in _TIMES]
    found = {"optimiser.lr": [
        Twin("optimiser.lr", one, {"optimiser.lr": one}, words) for one, words in rates if 1e-8 <= one <= 100.0
    ]}  # fmt: skip
    for setting in _CHOICES:
        now = value_of(recipe, setting)
        found[setting] = [Twin(setting, one, {setting: one}) for one in _names(recipe, setting) if one != now]
    for setting, values in _OTHER.items():
        now = value_of(recipe, setting)
        found[setting] = [Twin(setting, one, {setting: one}) for one in values if one != now]
    seeds = [recipe.seed + more for more in (1, 2) if recipe.seed + more < 2**31]
    found["seed"] = [Twin("seed", seed, {"seed": seed}) for seed in seeds]
    return found


def networks(model: ModelEntry, options: Mapping[str, Any]) -> list[Twin]:
    """Twins whose network is built with another choice, such as its activation, or without dropout of its own.

    Args:
        model: The network's entry.
        options: What it is built with, where that is not the entry's default.
    """
    found = []
    for name, default in (model.options or {}).items():
        now = options.get(name, default)
        values: tuple[Any, ...] = (model.choices or {}).get(name, ())
        if isinstance(now, bool):
            values = (not now,)
        elif name == "dropout" and now:
            values = (0.0,)
        setting = f"model.{name}"
        found += [Twin(setting, one, {setting: one}) for one in values if one != now]
    return found


def changed(recipe: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of ``other`` that ``recipe`` has otherwise, both flat; without those that decide no figure."""
    skipped = ("device", "threads", "checkpoint_seconds", "observe.", "loading.")
    return {
        name: value
        for name, value in other.items()
        if name in recipe and recipe[name] != value and not name.startswith(skipped)
    }


def value_of(recipe: Recipe, setting: str) -> Any:
    """What a dotted setting is in a recipe."""
    value: Any = recipe
    for name in setting.split("."):
        value = getattr(value, name)
    return value


def _names(recipe: Recipe, setting: str) -> tuple[str, ...]:
    """The choices of a setting, in the order of its type."""
    group = getattr(recipe, setting.partition(".")[0])
    return typing.get_args(typing.get_type_hints(type(group))[setting.rpartition(".")[2]])
