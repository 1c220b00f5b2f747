"""The parameters of each method of attribution, and the options of the probe; plain data without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


def _option(default: Any, help: str, low: float | None = None, high: float | None = None, unit: str = "") -> Any:
    return field(default=default, metadata={"help": help, "unit": unit, "low": low, "high": high})


@dataclass(frozen=True)
class NoOptions:
    """A method without parameters."""


@dataclass(frozen=True)
class SmoothGradOptions:
    """SmoothGrad and its kin."""

    samples: int = _option(24, "noisy copies of the picture", low=1, high=1000)
    noise: float = _option(0.15, "standard deviation, as a share of the input's range", low=0.0, high=2.0)
    kind: Literal["mean", "mean of squares", "variance"] = _option("mean", "what of the gradients is taken")
    seed: int = _option(0, "of the noise", low=0)


@dataclass(frozen=True)
class IntegratedOptions:
    """Integrated gradients."""

    steps: int = _option(32, "points on the way from the baseline to the picture", low=1, high=2000)
    baseline: Literal["black", "white", "grey", "blurred", "noise"] = _option("black", "where the way begins")
    rule: Literal["gausslegendre", "riemann_trapezoid", "riemann_middle", "riemann_left", "riemann_right"] = _option(
        "gausslegendre", "how the integral is approximated"
    )


@dataclass(frozen=True)
class DeepLiftOptions:
    """DeepLift."""

    baseline: Literal["black", "white", "grey", "blurred", "noise"] = _option(
        "black", "what activations are compared with"
    )


@dataclass(frozen=True)
class OcclusionOptions:
    """Occlusion."""

    window: int = _option(0, "side of the square that hides; 0 for an eighth of the shorter side", 0, 4096, "px")
    stride: int = _option(0, "from one place to the next; 0 for half the window", 0, 4096, "px")
    baseline: Literal["black", "white", "grey", "blurred", "noise"] = _option("grey", "what the square is filled with")


@dataclass(frozen=True)
class CamOptions:
    """Grad-CAM and Layer-CAM."""

    layer: str = _option("", "layer whose maps are weighted; empty for the last with places")
    positive: bool = _option(True, "only what speaks for it, as published; else signed")


@dataclass(frozen=True)
class GuidedCamOptions:
    """Guided Grad-CAM."""

    layer: str = _option("", "layer whose maps are weighted; empty for the last with places")


@dataclass(frozen=True)
class RolloutOptions:
    """Attention roll-out."""

    heads: Literal["mean", "max", "min"] = _option("mean", "how the heads of a block become one")
    discard: float = _option(0.0, "share of the weakest attention that is dropped in each block", low=0.0, high=0.99)
    first: int = _option(0, "the block to begin with", low=0, high=200)


@dataclass(frozen=True)
class AttributionOptions:
    """What the probe ``attribution`` is asked: a live method, a target, and the layer of CAMs."""

    method: str = _option("grad-cam", "name of a method with one backward pass")
    class_index: int | None = _option(None, "index of the class; empty for the best", low=0)
    measure: Literal["logit", "probability", "log-probability"] = _option(
        "logit", "before the soft-max, after it, or the logarithm of that"
    )
    layer: str = _option("", "layer of a CAM; empty for the last with places")
    settings: Any = field(default=None, metadata={"help": "options of the method, its own dataclass"})
    target: Any = field(default=None, metadata={"help": "a target of interpret.targets in the place of the class"})
