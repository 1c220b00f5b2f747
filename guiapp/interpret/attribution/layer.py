"""The layer whose maps a CAM weights, chosen from the tree of layers; no torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

_PASSED_ON = ("pool", "dropout", "shape")
"""Kinds that only pass on, coarser, what the layer before them found."""


def places(layer: LayerInfo) -> int:
    """In how many places its output is; 1 where it is one vector."""
    shape = layer.output_shape
    if len(shape) == 2:
        return shape[0]  # tokens
    return math.prod(shape[1:]) if len(shape) > 2 else 1


def best_layer(layers: Sequence[LayerInfo]) -> str:
    """The layer that CAMs weight by default: the last one whose output still has places, as a whole block.

    - Of a CNN the last block before the pooling that takes the places away; a pooling at its end is left out, as is a
      convolution that gives one map a class.
    - Of a transformer the normalisation that feeds the last attention: after it only the class token is read, so the
      patches have no gradient (Chefer et al. 2021, section 3).
    - Of a detector the last block of its backbone before the pyramid.

    Returns:
        Its name; empty where no layer has places.
    """
    return next(iter(ranked_layers(layers)), "")


def ranked_layers(layers: Sequence[LayerInfo]) -> list[str]:
    """``best_layer``, then those to fall back on where the target does not depend on it, later ones first."""
    inside = _inside_backbone(layers)
    classes = layers[-1].output_shape[0] if layers and layers[-1].output_shape else 0
    usable = [
        layer for layer in inside if places(layer) > 1 and layer.kind not in _PASSED_ON and layer.type != "Permute"
    ]
    kept = [layer for layer in usable if _channels(layer) != classes] or usable
    found = list(dict.fromkeys([*_attended(kept), *_down(inside, kept, ""), *(layer.name for layer in reversed(kept))]))
    return found


def _channels(layer: LayerInfo) -> int:
    return layer.output_shape[-1] if len(layer.output_shape) == 2 else layer.output_shape[0]


def _inside_backbone(layers: Sequence[LayerInfo]) -> Sequence[LayerInfo]:
    """The layers of a detector's or segmentation network's backbone without its pyramid; else all."""
    names = {layer.name for layer in layers}
    if "backbone" not in names:
        return layers
    body = "backbone.body." if "backbone.body" in names else "backbone."
    return [layer for layer in layers if layer.name.startswith(body) and ".fpn" not in layer.name] or layers


def _attended(layers: Sequence[LayerInfo]) -> list[str]:
    """What feeds the last attention, where the network ends in tokens."""
    if not layers or len(layers[-1].output_shape) != 2:
        return []
    last = next((index for index, layer in reversed(list(enumerate(layers))) if layer.kind == "attention"), None)
    if last is None:
        return []
    parent = layers[last].parent
    before = [layer.name for layer in layers[:last] if layer.kind == "norm" and layer.parent == parent]
    return before[-1:]


def _down(layers: Sequence[LayerInfo], kept: Sequence[LayerInfo], parent: str) -> Iterator[str]:
    """The last child of a container that has places; of one that ends in a pooling, or gives nothing, its own."""
    names = {layer.name for layer in kept}
    known = {layer.name for layer in layers}
    top = [layer for layer in layers if (layer.parent == parent if parent else layer.parent not in known)]
    for layer in reversed(top):
        children = [child for child in layers if child.parent == layer.name]
        if children and (not layer.output_shape or children[-1].kind == "pool"):
            yield from _down(layers, kept, layer.name)
        elif layer.name in names:
            yield layer.name
