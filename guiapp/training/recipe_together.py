"""The groups of a recipe about several networks: averages of weights, what a cyclic run keeps, a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guiapp.training.recipe_parts import option


@dataclass(frozen=True)
class Average:
    """An average of the weights of many steps, which is validated and kept in their place. See ``averages``."""

    name: Literal["none", "polyak", "cycles"] = option(
        "none", "polyak: a moving average of every step; cycles: the mean of the weights at the end of each cycle"
    )
    rho: float = option(0.99, "polyak: share of the average that each step keeps", low=0.0, high=0.999999)
    start: float = option(0.0, "epochs before the first weights are averaged", unit="epochs", low=0.0, high=100_000.0)
    every: int = option(
        0, "cycles: epochs of a cycle; 0: those of the cosine schedule", unit="epochs", low=0, high=100_000
    )


@dataclass(frozen=True)
class Members:
    """Weights that a run keeps on its way, to be put together as an ensemble. See ``averages``."""

    name: Literal["none", "cycles"] = option(
        "none", "cycles: the weights at the end of each cycle are kept, a snapshot ensemble"
    )
    every: int = option(0, "epochs of a cycle; 0: those of the cosine schedule", unit="epochs", low=0, high=100_000)


@dataclass(frozen=True)
class Distillation:
    """A teacher whose softened answers the network learns beside the labels. See ``distillation``."""

    teacher: str = option("", "runs or weight files, separated by commas (several: their mean); empty: labels alone")
    temperature: float = option(
        4.0, "scores of teacher and student are divided by it; may change during a run", low=0.1, high=100.0
    )
    share: float = option(0.9, "share of the loss that is the teacher's; the rest is the labels'", low=0.0, high=1.0)
