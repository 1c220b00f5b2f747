"""What is painted over a picture: maps stretched over it, rectangles around parts of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from guiapp.ui.widgets.painting import hairline

if TYPE_CHECKING:
    from guiapp.ui.widgets.image_view import ImageView


class Layer(Protocol):
    """Something painted over the picture."""

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Paint in widget coordinates; ``view.to_widget`` maps from the picture."""


@dataclass(frozen=True, eq=False)
class MapLayer:
    """A map stretched over the picture or a part of it.

    Attributes:
        image: The map, with its colours.
        opacity: 0 to 1.
        area: Left, top, width, height in pixels of the picture; None for all of it.
    """

    image: QImage
    opacity: float = 0.5
    area: tuple[float, float, float, float] | None = None

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Paint each value as a block, as the network has it."""
        width, height = view.image_size
        area = self.area or (0.0, 0.0, float(width), float(height))
        painter.setOpacity(self.opacity)
        painter.drawImage(view.to_widget(QRectF(*area)), self.image)
        painter.setOpacity(1.0)


@dataclass(frozen=True, eq=False)
class RectLayer:
    """A rectangle, such as the receptive field of a unit.

    Attributes:
        area: Left, top, width, height in pixels of the picture.
        colour: Of its hairline.
        cross: Whether it is crossed out.
    """

    area: tuple[float, float, float, float]
    colour: QColor
    cross: bool = False

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Paint the outline of one device pixel."""
        box = view.to_widget(QRectF(*self.area))
        painter.setPen(hairline(self.colour))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        if self.cross:
            painter.drawLine(box.topLeft(), box.bottomRight())
            painter.drawLine(box.topRight(), box.bottomLeft())


@dataclass(frozen=True, eq=False)
class BoxesLayer:
    """Several rectangles, framed.

    Attributes:
        boxes: (n, 4), corners in pixels of the picture.
        colour: Of the hairlines; ``alpha``: how opaque, 0 to 1; ``dashed``: whether they are broken.
    """

    boxes: npt.NDArray[np.floating]
    colour: QColor
    alpha: float = 1.0
    dashed: bool = False

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Paint hairlines."""
        style = Qt.PenStyle.DashLine if self.dashed else Qt.PenStyle.SolidLine
        painter.setPen(hairline(self.colour, self.alpha, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for left, top, right, bottom in self.boxes.tolist():
            painter.drawRect(view.to_widget(QRectF(left, top, right - left, bottom - top)))
