"""The group of a recipe that says which layers of a network learn. See ``transfer``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guiapp.training.recipe_parts import option


@dataclass(frozen=True)
class Transfer:
    """Which layers learn, from when on, and how fast."""

    name: Literal["all", "head", "gradual"] = option(
        "all", "layers that learn; head: the last one alone; gradual: it first, then one group after the other joins"
    )
    every: int = option(1, "gradual: epochs after which the next group joins", unit="epochs", low=1, high=100_000)
    groups: int = option(4, "groups that the layers below the head are put into", low=1, high=1000)
    decay: float = option(
        1.0, "rate of each group as a share of the one above it, the head's is 1; 1: all alike", low=1e-3, high=1.0
    )
    statistics: Literal["auto", "batch", "kept"] = option(
        "auto",
        "normalisation of layers that learn: by the batch, or by what the network came with (auto: published ones)",
    )
    views: int = option(
        0, "head, with augmentation: versions of each sample that are drawn once and kept; 0: drawn anew at every step",
        low=0, high=1000,
    )  # fmt: skip
