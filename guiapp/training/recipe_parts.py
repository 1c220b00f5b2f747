"""The groups of a recipe: plain dataclasses of settings, one for each concern. See ``recipe``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

OPTIMISERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
SCHEDULES = ("constant", "step", "cosine")


def option(default: Any, help: str, *, unit: str = "", low: float | None = None, high: float | None = None) -> Any:
    """A dataclass field with the metadata from which forms and messages are made."""
    return field(default=default, metadata={"help": help, "unit": unit, "low": low, "high": high})


@dataclass(frozen=True)
class Optimiser:
    """How gradients change the weights; each is PyTorch's own."""

    name: Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"] = option(
        "momentum", "the update rule"
    )
    lr: float = option(0.05, "learning rate: size of a step along the gradient", low=1e-8, high=100.0)
    momentum: float = option(0.9, "share of the last step kept (momentum, Nesterov, RMSProp)", low=0.0, high=0.9999)
    weight_decay: float = option(0.0, "pulls weights towards zero (L2; decoupled for AdamW)", low=0.0, high=1.0)
    beta1: float = option(0.9, "decay of the mean of gradients (Adam)", low=0.0, high=0.99999)
    beta2: float = option(
        0.999, "decay of the mean of squared gradients (Adam; alpha of RMSProp)", low=0.0, high=0.999999
    )


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes over the run; recomputed at every step."""

    name: Literal["constant", "step", "cosine"] = option("cosine", "shape of the learning rate over the run")
    every: int = option(5, "step: epochs between two drops", unit="epochs", low=1, high=100_000)
    factor: float = option(0.1, "step: the rate is multiplied by this at each drop", low=1e-6, high=1.0)
    final: float = option(0.0, "cosine: share of the first rate at the end", low=0.0, high=1.0)


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
    mixup: float = option(0.0, "blends of two samples: alpha of the Beta distribution of their shares", low=0.0, high=10)
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
