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
    """Random changes of training samples."""

    name: str = option("default", "random changes of training samples; 'default' is the data set's own")


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
