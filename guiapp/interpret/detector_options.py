"""The options of the detector probe, and which calls of a detector it needs: plain data without torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

View = Literal["pyramid", "anchors", "scores", "object"]
NEEDED = "a detector of torchvision: Faster, Mask or Keypoint R-CNN, RetinaNet, FCOS, SSD or SSDlite"

_FIRST_STAGE = ("rpn.anchor_generator", "rpn.head", "roi_heads.box_roi_pool", "roi_heads.box_predictor")
_ONE_STAGE = ("anchor_generator", "head")
_LATERAL = re.compile(r"backbone\.fpn\.inner_blocks\.\d+")


@dataclass(frozen=True)
class DetectorOptions:
    """What the detector probe shows."""

    view: View = field(default="pyramid", metadata={"help": "levels of the pyramid, anchors, scores, or one object"})
    channel: Literal["mean", "strongest"] = field(
        default="mean", metadata={"help": "of a map: mean magnitude over its channels, or the channel with the largest"}
    )
    region: tuple[float, float, float, float] | None = field(
        default=None,
        metadata={"help": "left, top, right, bottom about the chosen object, 0 to 1; empty for the best object"},
    )


def kind_of(layers: Sequence[LayerInfo]) -> Literal["two-stage", "one-stage", ""]:
    """How the detector with these layers works, ``""`` if it is none of torchvision's."""
    names = {layer.name for layer in layers}
    if names.issuperset(_FIRST_STAGE):
        return "two-stage"
    return "one-stage" if names.issuperset(_ONE_STAGE) else ""


def detector_layers(layers: Sequence[LayerInfo], options: DetectorOptions | None) -> tuple[str, ...]:
    """The modules whose calls tell what happened inside; none for other networks."""
    kind = kind_of(layers)
    if not kind:
        return ()
    wanted = list(_FIRST_STAGE if kind == "two-stage" else _ONE_STAGE)
    if options is None or options.view == "pyramid":
        wanted += [layer.name for layer in layers if _LATERAL.fullmatch(layer.name)]
    return tuple(f"{name}()" for name in wanted)
