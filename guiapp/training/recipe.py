"""The recipe of a run: plain data, saved with the run, shown as a form, set from the command line.

The groups stand in ``recipe_parts``: a new concern is a group there and a field of ``Recipe`` here.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from guiapp.core.notices import SettingError
from guiapp.training.diagnosis.options import Observe
from guiapp.training.recipe_loading import Loading
from guiapp.training.recipe_network import Initialisation, InputPreparation, LeavingOut, Normalisation
from guiapp.training.recipe_parts import (
    OPTIMISERS,
    SCHEDULES,
    Augmentation,
    Balance,
    Clipping,
    DataView,
    Loss,
    Optimiser,
    Penalty,
    Schedule,
    Stopping,
    option,
)
from guiapp.training.recipe_together import Average, Distillation, Members
from guiapp.training.recipe_transfer import Transfer

__all__ = [
    "OPTIMISERS",
    "SCHEDULES",
    "Augmentation",
    "Balance",
    "Clipping",
    "DataView",
    "Loading",
    "Loss",
    "Optimiser",
    "Penalty",
    "Recipe",
    "Schedule",
    "Stopping",
    "as_dict",
    "change",
    "convert",
    "from_dict",
    "option",
]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run beside the network and the data."""

    optimiser: Optimiser = field(default_factory=Optimiser)
    schedule: Schedule = field(default_factory=Schedule)
    epochs: int = option(10, "passes over the training part", unit="epochs", low=1, high=100_000)
    batch: int = option(64, "samples a step; under gd the samples taken at once", unit="samples", low=1, high=1_000_000)
    accumulate: int = option(
        1, "parts in which the samples of a step are taken: memory of one part, gradient of all", low=1, high=100_000
    )
    seed: int = option(0, "fixes weights, order and augmentation", low=0, high=2**31 - 1)
    augmentation: Augmentation = field(default_factory=Augmentation)
    data: DataView = field(default_factory=DataView)
    loading: Loading = field(default_factory=Loading)
    transfer: Transfer = field(default_factory=Transfer)
    observe: Observe = field(default_factory=Observe)
    preprocessing: InputPreparation = field(default_factory=InputPreparation)
    initialisation: Initialisation = field(default_factory=Initialisation)
    normalisation: Normalisation = field(default_factory=Normalisation)
    leave_out: LeavingOut = field(default_factory=LeavingOut)
    clipping: Clipping = field(default_factory=Clipping)
    penalty: Penalty = field(default_factory=Penalty)
    loss: Loss = field(default_factory=Loss)
    balance: Balance = field(default_factory=Balance)
    stopping: Stopping = field(default_factory=Stopping)
    average: Average = field(default_factory=Average)
    members: Members = field(default_factory=Members)
    distillation: Distillation = field(default_factory=Distillation)
    device: Literal["auto", "cpu", "cuda", "mps"] = option("auto", "where the network runs")
    threads: int = option(0, "processor cores for one operation; 0: by the size of the network", low=0, high=1024)
    precision: Literal["auto", "float32", "mixed"] = option(
        "auto", "mixed: half precision where it is safe (bfloat16 on a CPU); auto: only large networks on CUDA"
    )
    keep: Literal["best", "last"] = option("best", "weights used after the run: best on validation, or the last")
    checkpoint_seconds: float = option(20.0, "time between checkpoints", unit="s", low=0.1, high=86_400.0)


def change(recipe: Any, changes: Mapping[str, Any]) -> Any:
    """Return a copy of a recipe (or any option dataclass) with dotted fields set, such as ``{"optimiser.lr": "0.1"}``.

    Strings are converted to the field's type.

    Raises:
        SettingError: For an unknown field, or a value that does not fit; the message names the field and what it takes.
    """
    for dotted, value in changes.items():
        recipe = _set(recipe, dotted.split("."), value, dotted)
    return recipe


@cache
def hints_of(kind: type) -> Mapping[str, Any]:
    """The annotated types of an option dataclass by field; each annotation is compiled once, which takes 0.1 ms."""
    return types.MappingProxyType(typing.get_type_hints(kind))


def _set(node: Any, names: list[str], value: Any, dotted: str) -> Any:
    kind: type = type(node)
    hints = hints_of(kind)
    name = names[0]
    if name not in hints:
        raise SettingError(f"there is no setting {dotted!r}; {type(node).__name__.lower()} has: {', '.join(hints)}")
    if len(names) > 1:
        child = getattr(node, name)
        if not dataclasses.is_dataclass(child):
            raise SettingError(f"{dotted!r}: {name} has no parts")
        return dataclasses.replace(node, **{name: _set(child, names[1:], value, dotted)})
    if dataclasses.is_dataclass(getattr(node, name)):
        return dataclasses.replace(node, **{name: _set(getattr(node, name), ["name"], value, f"{dotted}.name")})
    found = next(f for f in dataclasses.fields(node) if f.name == name)
    return dataclasses.replace(node, **{name: convert(value, hints[name], dotted, found.metadata)})


def convert(value: Any, kind: Any, name: str, limits: Mapping[str, Any] | None = None) -> Any:
    """Convert ``value`` to the annotated type ``kind``, checking choices and limits.

    Raises:
        SettingError: If it does not fit.
    """
    limits = limits or {}
    origin = typing.get_origin(kind)
    if origin is Literal:
        choices = typing.get_args(kind)
        if value not in choices:
            raise SettingError(f"{name} is one of {', '.join(map(str, choices))}, not {value!r}")
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None or value in ("none", ""):
            return None
        return convert(value, next(k for k in typing.get_args(kind) if k is not type(None)), name, limits)
    try:
        if kind is bool:
            result: Any = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
                str(value).lower()
            ]
        elif kind is int:
            result = int(float(value)) if float(value).is_integer() else int(str(value))
        else:
            result = kind(value)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise SettingError(f"{name} takes a value of type {kind.__name__}, not {value!r}") from None
    low, high = limits.get("low"), limits.get("high")
    is_number = isinstance(result, (int, float)) and not isinstance(result, bool)
    if is_number and not (-math.inf if low is None else low) <= result <= (math.inf if high is None else high):
        raise SettingError(f"{name} lies between {low:g} and {high:g}, not {value!r}")
    return result


def as_dict(recipe: Any) -> dict[str, Any]:
    """Nested plain data of a recipe."""
    return dataclasses.asdict(recipe)


def from_dict(data: Mapping[str, Any]) -> Recipe:
    """The inverse of ``as_dict``; unknown fields raise ``SettingError``."""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            flat.update({f"{name}.{inner}": v for inner, v in value.items()})
        else:
            flat[name] = value
    recipe: Recipe = change(Recipe(), flat)
    return recipe
