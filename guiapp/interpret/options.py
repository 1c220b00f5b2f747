"""The options of the probes: plain data without torch, from which forms are made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo


BLOCK = "DenseBlock"
"""How the names of the classes of dense blocks end, in torchvision and in timm."""


def _option(default: Any, help: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "unit": "", "low": low, "high": high})


@dataclass(frozen=True)
class FilterOptions:
    """What the filters probe shows."""

    layer: str = _option("", "name of the layer; empty for the first with weights")
    filter: int | None = _option(None, "one filter's (or unit's) inputs; empty for all filters", low=0)
    scale: Literal["layer", "filter"] = _option("layer", "one range for the layer, or one for each filter")
    aspect: float = _option(1.0, "width / height of the picture", low=0.05, high=20.0)


@dataclass(frozen=True)
class ActivationOptions:
    """What the activations probe shows."""

    layer: str = _option("", "name of the layer; empty for every layer")
    scale: Literal["layer", "map"] = _option("layer", "one range for the layer, or one for each map")
    aspect: float = _option(1.0, "width / height of the picture", low=0.05, high=20.0)
    region: tuple[float, float, float, float] | None = field(
        default=None, metadata={"help": "left, top, right, bottom of a part of the picture, 0 to 1: maps are cut to it"}
    )


@dataclass(frozen=True)
class ConnectionOptions:
    """Which dense block the connections probe shows."""

    layer: str = _option("", "name of a dense block or of a layer in it; empty for the first block")


@dataclass(frozen=True)
class LinearOptions:
    """What the views of a linear classifier show."""

    sample_limit: int = _option(1000, "samples of the training part in the plane", low=0, high=100_000)
    resolution: int = _option(160, "cells of the map of decisions along its longer side", low=8, high=1024)
    aspect: float = _option(1.0, "width / height of the picture", low=0.05, high=20.0)
    switched_off: dict[str, frozenset[int]] = field(
        default_factory=dict, hash=False, metadata={"help": "channels set to zero, by layer, as in the window"}
    )


@dataclass(frozen=True)
class InformationOptions:
    """What the information of a prediction is measured against."""

    label: int | None = _option(None, "true class; empty for the picture's own", low=0)


def only_dense_layer(layers: Sequence[LayerInfo], size: tuple[int, ...]) -> LayerInfo | None:
    """The one layer with weights, where it is a dense layer that sees the pixels of an input of ``size``; else None."""
    found = [layer for layer in layers if layer.has_weights]
    if len(found) != 1 or found[0].kind != "dense":
        return None
    weights = math.prod(found[0].output_shape) * math.prod(size)
    return found[0] if found[0].parameters in (weights, weights + math.prod(found[0].output_shape)) else None


def activation_layers(layers: Sequence[LayerInfo], options: ActivationOptions | None) -> tuple[str, ...]:
    """The layers whose outputs the activations probe needs: the chosen one, or all but containers."""
    if options is not None and options.layer:
        return (options.layer,)
    return tuple(layer.name for layer in layers if layer.kind != "container" and layer.output_shape)
