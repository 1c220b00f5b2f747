"""What a person can set of the unit inspector: plain data without torch, from which forms are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

Rule = Literal["deconvnet", "guided", "gradient"]
"""How a signal goes back through a ReLU: what of it is positive (Zeiler and Fergus 2014); what is positive where the
ReLU let something through (Springenberg et al. 2015); or all of it where the ReLU let something through."""


def _option(default: Any, help: str, low: float | None = None, high: float | None = None, unit: str = "") -> Any:
    return field(default=default, metadata={"help": help, "unit": unit, "low": low, "high": high})


@dataclass(frozen=True)
class UnitOptions:
    """Which unit the unit probe shows."""

    layer: str = _option("", "name of the layer; empty for the first with weights")
    unit: int = _option(0, "channel, or unit of a dense layer", low=0)
    compare: bool = _option(False, "whether the network is also run as it is, where channels of it are changed")


@dataclass(frozen=True)
class GrowOptions:
    """How a picture is grown that excites a unit."""

    steps: int = _option(256, "steps of gradient ascent (Adam)", low=1, high=4096)
    rate: float = _option(0.05, "step length", low=1e-4, high=1.0)
    wants: Literal["unit", "channel"] = _option("channel", "the unit in the middle of the map, or the mean of the map")
    sign: Literal["most", "least"] = _option("most", "a picture that excites, or one that makes the response small")
    jitter: float = _option(0.04, "the picture is moved by up to this share of its side before each step", 0, 0.5)
    turn: float = _option(5.0, "and turned by up to this angle", 0, 45, "degrees")
    size: float = _option(0.1, "and made larger or smaller by up to this share", 0, 0.5)
    fourier: bool = _option(True, "steps are taken in frequencies, each as easy to change as the others")
    decorrelated: bool = _option(True, "colours are changed along the axes in which those of photographs vary")
    smoothness: float = _option(0.0, "weight of the differences between neighbouring pixels (total variation)", 0, 100)
    seed: int = _option(0, "of the noise that it begins with and of the movements", low=0)


@dataclass(frozen=True)
class TraceOptions:
    """Which response is traced back."""

    layer: str = _option("", "name of the layer; empty for the first with weights")
    unit: int = _option(0, "channel, or unit of a dense layer", low=0)
    row: int | None = _option(None, "row in the map; empty for the strongest place", low=0)
    column: int | None = _option(None, "column in the map; empty for the strongest place", low=0)
    rule: Literal["deconvnet", "guided", "gradient"] = _option("deconvnet", "how the signal goes back through a ReLU")


@dataclass(frozen=True)
class GrowProbeOptions(GrowOptions):
    """For which unit a picture is grown, and how."""

    layer: str = _option("", "name of the layer; empty for the first with weights")
    unit: int = _option(0, "channel, or unit of a dense layer", low=0)


@dataclass(frozen=True)
class PatchProbeOptions:
    """For which unit patches are looked for, and where."""

    layer: str = _option("", "name of the layer; empty for the first with weights")
    unit: int = _option(0, "channel, or unit of a dense layer", low=0)
    folder: str = _option(
        "", "folder of pictures, or a recorded video; empty for the validation part of the open data set"
    )
    most: int = _option(1000, "at most so many pictures, evenly spread over the data", low=1)
    count: int = _option(9, "how many patches", low=1, high=24)


def unit_layers(layers: Sequence[LayerInfo], options: Any) -> tuple[str, ...]:
    """The layer that ``options.layer`` names, else the first with weights."""
    if options is not None and options.layer:
        return (options.layer,)
    return tuple(layer.name for layer in layers if layer.has_weights)[:1]


def unit_count(layer: LayerInfo) -> int:
    """Units of a layer: channels of maps and clips, units of dense layers, numbers of a token; 0 where it has none."""
    shape = layer.output_shape
    if len(shape) == 2:
        return shape[1]
    return shape[0] if len(shape) in (1, 3, 4) else 0


def can_be_changed(layer: LayerInfo) -> bool:
    """Whether units of a layer can be switched off and boosted: its second dimension holds them."""
    return len(layer.output_shape) in (1, 3, 4) and not layer.channels_last
