"""The parameters of each method of attribution, and the options of the probe; plain data without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from guiapp.core.notices import SettingError
from guiapp.interpret.targets import BoxTarget, ClassTarget, PixelsTarget, Target, UnitTarget


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
class CurveOptions:
    """Insertion and deletion curves."""

    steps: int = _option(24, "shares of the picture that are shown to the network", low=2, high=500)
    removed: Literal["black", "white", "grey", "blurred", "noise"] = _option(
        "grey", "what stands in the places that are taken away"
    )
    start: Literal["black", "white", "grey", "blurred", "noise"] = _option(
        "blurred", "what places are put into, the most important first"
    )
    chance: bool = _option(True, "the same with places in a random order, to compare with")


@dataclass(frozen=True)
class SanityOptions:
    """The randomisation test."""

    stages: int = _option(6, "how often the map is computed again with more layers randomised", low=1, high=200)
    seed: int = _option(0, "of the new weights", low=0)


@dataclass(frozen=True)
class AttributionOptions:
    """What the probe ``attribution`` is asked: a method, a target, and the layer of CAMs.

    In the window it answers at each look, by methods with one backward pass; on the command line by every method.
    """

    method: str = _option("grad-cam", "name of a method")
    class_index: int | None = _option(None, "index of the class; empty for the best", low=0)
    measure: Literal["logit", "probability", "log-probability"] = _option(
        "logit", "before the soft-max, after it, or its logarithm"
    )
    layer: str = _option("", "layer of a CAM; empty for the last with places")
    settings: Any = field(default=None, metadata={"help": "options of the method, its own dataclass"})
    target: Any = field(default=None, metadata={"help": "a target of interpret.targets in the place of the class"})
    smooth_grad: SmoothGradOptions = field(default_factory=SmoothGradOptions)
    integrated_gradients: IntegratedOptions = field(default_factory=IntegratedOptions)
    deep_lift: DeepLiftOptions = field(default_factory=DeepLiftOptions)
    occlusion: OcclusionOptions = field(default_factory=OcclusionOptions)
    attention_rollout: RolloutOptions = field(default_factory=RolloutOptions)
    positive: bool = _option(True, "CAMs: only what speaks for it, as published; else signed")
    box: str = _option("", "a detector's box: left,top,right,bottom as shares of the picture, 0 to 1")
    region: str = _option("", "of a segmentation network: left,top,right,bottom as shares, 0 to 1")
    of_layer: str = _option("", "explain a unit of this layer in the place of a class")
    unit: int = _option(0, "channel or unit of that layer", low=0)

    def own(self) -> Any:
        """The options of the chosen method, or None for its defaults."""
        if self.settings is not None:
            return self.settings
        if self.method in ("grad-cam", "layer-cam"):
            return CamOptions(self.layer, self.positive)
        if self.method == "guided-grad-cam":
            return GuidedCamOptions(self.layer)
        return getattr(self, self.method.replace("-", "_"), None)

    def subject(self) -> Target:
        """What is explained."""
        if self.target is not None:
            found: Target = self.target
            return found
        if self.of_layer:
            return UnitTarget(self.of_layer, self.unit)
        if self.box:
            return BoxTarget(shares(self.box), self.class_index, self.measure)
        if self.region:
            return PixelsTarget(self.class_index, shares(self.region), "all", self.measure)
        return ClassTarget(self.class_index, self.measure)


@dataclass(frozen=True)
class CurveProbeOptions(AttributionOptions):
    """The insertion and deletion curves of a map."""

    curve: CurveOptions = field(default_factory=CurveOptions)


@dataclass(frozen=True)
class SanityProbeOptions(AttributionOptions):
    """A map again and again while weights are randomised from the output down."""

    how: SanityOptions = field(default_factory=SanityOptions)


def shares(text: str) -> tuple[float, float, float, float]:
    """Four numbers of a text.

    Raises:
        SettingError: If these are no four shares in order.
    """
    try:
        left, top, right, bottom = (float(part) for part in text.split(","))
    except ValueError:
        raise SettingError(f"a box is left,top,right,bottom as shares of the picture, not {text!r}") from None
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise SettingError(f"a box lies within 0 and 1, left before right and top before bottom, not {text!r}")
    return left, top, right, bottom
