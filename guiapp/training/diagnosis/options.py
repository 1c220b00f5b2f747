"""What a recipe says about observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guiapp.training.recipe_parts import option


@dataclass(frozen=True)
class Observe:
    """What is noted of the inside of a run; no weight of it changes by that."""

    name: Literal["off", "on"] = option(
        "off", "note updates, gradients, activations and times of some steps, for the diagnosis"
    )
    every: int = option(
        50, "steps between two observations; more at the beginning of a run, fewer later", unit="steps",
        low=2, high=100_000,
    )  # fmt: skip
