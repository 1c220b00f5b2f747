"""The groups of a recipe that change the network: input, first weights, normalisation, what is left out at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guiapp.training.recipe_parts import option


@dataclass(frozen=True)
class InputPreparation:
    """How pixels on the scale 0 to 1 become the input (T4 8.2); what is subtracted comes from the training part."""

    name: Literal["own", "none", "centre", "channels", "mean-image", "pca", "whitening"] = option(
        "own",
        "input: own (as the network has it), none (0 to 1), centre (minus the mean of each channel), channels (and "
        "divided by its deviation), mean-image (minus the mean picture), pca, whitening (principal axes)",
    )
    components: int = option(
        256, "pca, whitening: principal axes that are kept, those of the largest variance", low=1, high=4096
    )
    epsilon: float = option(
        0.001, "whitening: added to each variance, so that small ones are not blown up", low=1e-8, high=1.0
    )
    back: bool = option(
        True, "pca, whitening: turn the coordinates back into a picture; without, for dense first layers alone"
    )


@dataclass(frozen=True)
class Initialisation:
    """First weights of the hidden layers (T4 8.3); biases begin at zero, the layer of the scores keeps its own."""

    name: Literal["own", "zero", "small", "xavier", "xavier-torch", "kaiming"] = option(
        "own",
        "first weights: own (as the network has them), zero, small (a fixed deviation), xavier (1/sqrt(D_in)), "
        "xavier-torch (sqrt(2/(fan_in + fan_out))), kaiming (sqrt(2/D_in))",
    )
    deviation: float = option(0.01, "small: standard deviation of the weights", low=1e-8, high=10.0)
    distribution: Literal["normal", "uniform"] = option(
        "normal", "all but zero: how weights are drawn, with the same deviation"
    )


@dataclass(frozen=True)
class Normalisation:
    """Normalisation swapped into the network (T4 8.4)."""

    name: Literal["own", "none", "batch", "layer", "instance", "group"] = option(
        "own",
        "normalisation: own (as the network has it), none, or another kind: in the place of the network's own, else "
        "behind every hidden layer, before its activation",
    )
    groups: int = option(8, "group: groups of channels; the next smaller number that divides them", low=1, high=4096)


@dataclass(frozen=True)
class LeavingOut:
    """What a network leaves out at random while it trains (T4 8.7); outside of training everything is used."""

    dropout: float | None = option(
        None,
        "share of the units in front of hidden dense layers left out; empty: as the network has it",
        low=0.0,
        high=0.99,
    )
    dropconnect: float = option(
        0.0,
        "share of the weights of hidden dense layers left out (of the only one where there is one)",
        low=0.0,
        high=0.99,
    )
    depth: float = option(
        0.0, "stochastic depth: how often the last residual branch is left out; earlier ones less", low=0.0, high=0.99
    )
    pooling: Literal["own", "fractional"] = option(
        "own",
        "fractional: regions of pooling are drawn while it trains; afterwards the mean over five fixed ones is taken",
    )
    pool_share: float = option(0.7, "fractional: size that a pooling leaves", low=0.51, high=0.95)
