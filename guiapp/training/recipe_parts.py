"""The groups of a recipe: plain dataclasses of settings, one for each concern. See ``recipe``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

OPTIMISERS = ("gd", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "newton")
SCHEDULES = (
    "constant", "step", "exponential", "polynomial", "inverse", "inverse-sqrt", "linear", "cosine", "one-cycle",
)  # fmt: skip


def option(default: Any, help: str, *, unit: str = "", low: float | None = None, high: float | None = None) -> Any:
    """A dataclass field with the metadata from which forms and messages are made."""
    return field(default=default, metadata={"help": help, "unit": unit, "low": low, "high": high})


@dataclass(frozen=True)
class Optimiser:
    """How gradients change the weights; each is PyTorch's own, but for Newton's."""

    name: Literal["gd", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "newton"] = option(
        "momentum", "the update rule; gd: one step an epoch, along the gradient of the whole training part"
    )
    lr: float = option(0.05, "learning rate: size of a step along the gradient", low=1e-8, high=100.0)
    momentum: float = option(0.9, "share of the last step kept (momentum, Nesterov, RMSProp)", low=0.0, high=0.9999)
    weight_decay: float = option(0.0, "pulls weights towards zero (L2; decoupled for AdamW)", low=0.0, high=1.0)
    beta1: float = option(0.9, "decay of the mean of gradients (Adam)", low=0.0, high=0.99999)
    beta2: float = option(
        0.999, "decay of the mean of squared gradients (Adam; alpha of RMSProp)", low=0.0, high=0.999999
    )
    damping: float = option(
        1.0, "newton: added to the curvature in every direction; small trusts it more", low=1e-8, high=1e4
    )
    iterations: int = option(10, "newton: products with the Hessian that a step may take", low=1, high=10_000)


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes over the run, and under one-cycle the momentum; recomputed at every step."""

    name: Literal[
        "constant", "step", "exponential", "polynomial", "inverse", "inverse-sqrt", "linear", "cosine", "one-cycle"
    ] = option("cosine", "shape of the learning rate over the run; one-cycle: the rate is the peak")
    every: int = option(
        5, "step: epochs between two drops; exponential: epochs for one drop", unit="epochs", low=1, high=100_000
    )
    factor: float = option(0.1, "step, exponential: the rate is multiplied by this at each drop", low=1e-6, high=1.0)
    points: str = option("", "step: epochs after which it drops, such as 80,120; empty: every so many epochs")
    final: float = option(0.0, "cosine, linear, polynomial, one-cycle: share of the rate at the end", low=0.0, high=1.0)
    power: float = option(2.0, "polynomial: exponent of what is left of the run", low=0.01, high=100.0)
    gamma: float = option(1.0, "inverse: gamma of (1 + gamma epochs)^-rho", low=1e-6, high=1e6)
    rho: float = option(1.0, "inverse: rho of (1 + gamma epochs)^-rho", low=0.01, high=100.0)
    cycles: int = option(1, "cosine: times that it falls; above 1 it starts again at the full rate", low=1, high=1000)
    warmup: float = option(
        0.0, "epochs over which the rate rises in a line before the shape begins", unit="epochs", low=0.0, high=10_000.0
    )
    warmup_from: float = option(0.0, "warm-up: share of the rate at the first step", low=0.0, high=1.0)
    rise: float = option(0.3, "one-cycle: share of the run in which the rate rises", low=0.01, high=0.99)
    start: float = option(0.04, "one-cycle: share of the peak at the first step", low=0.0, high=1.0)
    momentum_low: float = option(
        0.85, "one-cycle: momentum (beta 1 of Adam) at the peak; else the optimiser's", low=0.01, high=1.0
    )
    curve: Literal["linear", "cosine"] = option(
        "linear", "one-cycle: lines as in course text 1, or half cosines as PyTorch's own"
    )


@dataclass(frozen=True)
class Clipping:
    """Keeps gradients from being too large for a step."""

    name: Literal["none", "norm", "value"] = option(
        "none", "norm: the gradient of all weights together is shortened; value: each number of it is cut"
    )
    limit: float = option(1.0, "largest norm, or largest value", low=1e-8, high=1e8)


@dataclass(frozen=True)
class Penalty:
    """What weights cost by their size, added to the loss for its gradient: strength R(W), biases left out."""

    name: Literal["none", "l1", "l2", "elastic"] = option(
        "none", "l1: sum of |W|; l2: sum of W^2; elastic: sum of beta W^2 + |W|"
    )
    strength: float = option(1e-4, "lambda before the sum", low=0.0, high=100.0)
    beta: float = option(1.0, "elastic: beta before W^2", low=0.0, high=1e6)


@dataclass(frozen=True)
class Loss:
    """Changes of the loss itself."""

    smoothing: float = option(
        0.0, "label smoothing: share of the true class that is spread evenly over all classes", low=0.0, high=0.99
    )


@dataclass(frozen=True)
class Balance:
    """Makes rare classes count as much as frequent ones."""

    name: Literal["none", "weights", "sampling"] = option(
        "none", "weights: their samples weigh more in the loss; sampling: they are drawn more often, with repetition"
    )


@dataclass(frozen=True)
class Stopping:
    """Ends a run that gets no better on the validation part."""

    patience: int = option(
        0, "epochs without improvement after which the run ends; 0: never", unit="epochs", low=0, high=100_000
    )
    watch: Literal["loss", "accuracy"] = option("loss", "figure of the validation part that must improve")
    margin: float = option(0.0, "by how much it must improve", low=0.0, high=1e6)


@dataclass(frozen=True)
class Augmentation:
    """Random changes of training samples: those of ``name`` first, then each operation whose strength is not zero."""

    name: str = option("default", "random changes of training samples; 'default' is the data set's own")
    flip: float = option(0.0, "chance that a sample is mirrored left to right", low=0.0, high=1.0)
    flip_vertical: float = option(0.0, "chance that a sample is mirrored top to bottom", low=0.0, high=1.0)
    shift: float = option(0.0, "moved by whole pixels up to this share of the side", low=0.0, high=0.5)
    crop: float = option(0.0, "up to this share of the area is cut away, the rest enlarged", low=0.0, high=0.95)
    rotation: float = option(0.0, "largest angle, both ways", unit="degrees", low=0.0, high=180.0)
    scale: float = option(0.0, "largest change of size, as a share", low=0.0, high=0.9)
    shear: float = option(0.0, "largest slant, both ways", unit="degrees", low=0.0, high=60.0)
    brightness: float = option(0.0, "brightness times 1 - this to 1 + this", low=0.0, high=1.0)
    contrast: float = option(0.0, "contrast times 1 - this to 1 + this", low=0.0, high=1.0)
    saturation: float = option(0.0, "saturation times 1 - this to 1 + this", low=0.0, high=1.0)
    hue: float = option(0.0, "largest turn of the hue, as a share of the circle", low=0.0, high=0.5)
    pca: float = option(0.0, "PCA colour: standard deviation of the draws along the components", low=0.0, high=2.0)
    cutout: float = option(0.0, "side of the square that is emptied, as a share of the sample's", low=0.0, high=1.0)
    cutout_chance: float = option(0.5, "cutout: chance that a sample loses a square", low=0.0, high=1.0)
    mixup: float = option(
        0.0, "blends of two samples: alpha of the Beta distribution of their shares", low=0.0, high=10
    )
    cutmix: float = option(0.0, "a rectangle of another sample: alpha of the Beta distribution", low=0.0, high=10)


@dataclass(frozen=True)
class DataView:
    """Which samples of the data set are learned from and validated on; the test part stays what it is."""

    folds: int = option(
        0, "k of a k-fold cross-validation over training and validation part; 0: the data set's own parts",
        low=0, high=1000,
    )  # fmt: skip
    fold: int = option(1, "cross-validation: the fold that is validated, from 1", low=1, high=1000)
    share: float = option(1.0, "share of the training part that is learned from", low=1e-4, high=1.0)
    draw: int = option(
        0, "number of the draw of that share; of the whole part, from 1 on, one with repetition (bootstrap)",
        low=0, high=1_000_000,
    )  # fmt: skip
