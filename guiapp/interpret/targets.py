"""What of a network is explained, grown or attacked: a class, a box, pixels of a class, a unit, a likeness.

Plain data without torch. ``interpret.score.make_score`` makes of one, of a network and of a picture a function from
inputs to one number each, through which gradients flow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from guiapp.core.picture import Picture

Measure = Literal["logit", "probability", "log-probability"]
"""What of a class counts: its number before the soft-max (or logistic function), after it, or the logarithm of that."""

Likeness = Literal["cosine", "dot product", "minus distance"]
"""How alike two embeddings a, b are: a.b / |a||b|, a.b, or -|a - b|."""

Share = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of the picture, each from 0 to 1."""


def _option(default: Any, help: str, low: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "unit": "", "low": low, "high": None})


@dataclass(frozen=True)
class ClassTarget:
    """A class of any network that knows classes.

    Of a detector it means the best box of that class, of a segmentation network the pixels where that class wins.
    """

    class_index: int | None = _option(None, "index of the class; empty for the best", low=0)
    measure: Literal["logit", "probability", "log-probability"] = _option(
        "logit", "before the soft-max, after it, or the logarithm of that"
    )


@dataclass(frozen=True)
class BoxTarget:
    """The class score of one box of a detector.

    The anchor, cell or region that the box came from is held fast, so that the score is a smooth function of the
    picture also where the box would no longer be found.
    """

    box: tuple[float, float, float, float] | None = _option(
        None, "left, top, right, bottom as shares of the picture; empty for the best box"
    )
    class_index: int | None = _option(None, "index of the class; empty for the box's own", low=0)
    measure: Literal["logit", "probability", "log-probability"] = _option(
        "logit", "before the soft-max or logistic function, after it, or the logarithm"
    )


@dataclass(frozen=True)
class PixelsTarget:
    """The mean score of a class over pixels of a segmentation network (as Seg-Grad-CAM, Vinogradova et al. 2020)."""

    class_index: int | None = _option(None, "index of the class; empty for the largest that is no background", low=0)
    region: tuple[float, float, float, float] | None = _option(
        None, "left, top, right, bottom as shares of the input; empty for all of it"
    )
    where: Literal["won", "all"] = _option("won", "pixels where the class wins, or all")
    measure: Literal["logit", "probability", "log-probability"] = _option(
        "logit", "before the soft-max, after it, or the logarithm of that"
    )


@dataclass(frozen=True)
class UnitTarget:
    """One unit or channel of a layer; the network is run no farther than that layer.

    Attributes:
        layer: Name of the layer.
        unit: Channel of maps, or unit of a dense layer.
        place: Row and column of one unit of the map; None for the mean of the map.
    """

    layer: str = _option("", "name of the layer")
    unit: int = _option(0, "channel, or unit of a dense layer", low=0)
    place: tuple[int, int] | None = _option(None, "row and column in the map; empty for its mean")


@dataclass(frozen=True, eq=False)
class SimilarityTarget:
    """How alike the embeddings of the picture and of another one are, for networks with and without classes.

    Attributes:
        picture: The other picture, held fast.
        layer: The layer whose output, flattened, is the embedding; empty for what the last dense layer is fed.
        likeness: How it is measured.
    """

    picture: Picture
    layer: str = ""
    likeness: Likeness = "cosine"


Target = ClassTarget | BoxTarget | PixelsTarget | UnitTarget | SimilarityTarget
"""Every kind of target."""

DETECTORS = ("detection", "instances", "keypoints")
"""Tasks whose networks give boxes."""


def suited(target: Target, task: str) -> Target:
    """The target as a network of ``task`` knows it: a class becomes its best box, or the pixels that it wins."""
    if isinstance(target, ClassTarget):
        if task in DETECTORS:
            return BoxTarget(None, target.class_index, target.measure)
        if task == "segmentation":
            return PixelsTarget(target.class_index, measure=target.measure)
    return target
