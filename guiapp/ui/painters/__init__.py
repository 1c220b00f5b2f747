"""What is painted over a picture: one painter for each type of prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guiapp.tasks.compare import (
    DepthDifference,
    FlowDifference,
    ObjectDifference,
    PixelDifference,
    ScoreDifference,
)
from guiapp.tasks.predictions import ClassScores, ClipScores, Depth, Detections, Flow, LabelMap
from guiapp.ui.painters.depth import DepthLayer
from guiapp.ui.painters.detections import DetectionsLayer
from guiapp.ui.painters.differences import (
    FieldDifferenceLayer,
    ObjectDifferenceLayer,
    PixelDifferenceLayer,
    ScoreDifferenceLayer,
)
from guiapp.ui.painters.flow import FlowLayer
from guiapp.ui.painters.label_map import LabelMapLayer
from guiapp.ui.painters.layer import DrawnLayer
from guiapp.ui.painters.look import Hit, PaintOptions
from guiapp.ui.painters.scores import ClassScoresLayer, ClipScoresLayer

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from guiapp.tasks.compare import Difference
    from guiapp.tasks.predictions import Drawn
    from guiapp.ui.painters.canvas import View
    from guiapp.ui.theme import Theme

__all__ = ["PAINTERS", "DrawnLayer", "Hit", "PaintOptions", "paint", "prepare"]

PAINTERS: dict[type, type[DrawnLayer]] = {
    ClassScores: ClassScoresLayer,
    Detections: DetectionsLayer,
    LabelMap: LabelMapLayer,
    Flow: FlowLayer,
    ClipScores: ClipScoresLayer,
    Depth: DepthLayer,
    ObjectDifference: ObjectDifferenceLayer,
    PixelDifference: PixelDifferenceLayer,
    ScoreDifference: ScoreDifferenceLayer,
    FlowDifference: FieldDifferenceLayer,
    DepthDifference: FieldDifferenceLayer,
}
"""Painter by type of prediction, or of a difference of two."""

_DEFAULT = PaintOptions()


def prepare(
    drawn: Drawn | Difference,
    theme: Theme,
    look: PaintOptions = _DEFAULT,
    *,
    previous: DrawnLayer | None = None,
    scale: float = 1.0,
    ratio: float = 1.0,
) -> DrawnLayer:
    """Make a prediction ready to be painted; may be called on any thread.

    Args:
        drawn: The prediction, or what two differ by.
        theme: Gives the colours.
        look: What is on.
        previous: The layer of the prediction before, from which a strip over time goes on.
        scale: Device pixels for one pixel of the picture, as it is shown now: ``view.scale * ratio``. Another zoom is
            painted as well, then the first painting does what was prepared for the wrong one.
        ratio: Device pixels for one of the window's pixels, ``view.devicePixelRatioF()``.

    Returns:
        A layer for ``ImageView.set_layers``.
    """
    return PAINTERS[type(drawn)](drawn, theme, look, previous, scale, ratio)


def paint(drawn: Drawn, painter: QPainter, view: View, theme: Theme, look: PaintOptions = _DEFAULT) -> None:
    """Paint a prediction once, without keeping what was prepared."""
    ratio = painter.device().devicePixelRatio()
    prepare(drawn, theme, look, ratio=ratio).paint(painter, view)
