"""A picture in which the mouse draws a rectangle instead of moving the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter

from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.painting import hairline

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from guiapp.ui.theme import Theme

Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True)
class CornerLayer:
    """A rectangle whose corners have letters: A and B above, C and D below.

    Attributes:
        area: Left, top, width, height in pixels of the picture.
    """

    area: Rectangle

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Paint white on a dark rim, to be seen on every colour of a map."""
        box = view.to_widget(QRectF(*self.area))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, rim in ((QColor(0, 0, 0), 1), (QColor(255, 255, 255), 0)):
            painter.setPen(hairline(colour))
            painter.drawRect(box.adjusted(-rim, -rim, rim, rim))
        side = painter.fontMetrics().height()
        corners = ((box.left() - side, box.top() - side), (box.right(), box.top() - side),
                   (box.left() - side, box.bottom()), (box.right(), box.bottom()))  # fmt: skip
        for letter, (x, y) in zip("ABCD", corners, strict=True):
            ground = QRectF(x, y, side, side)
            painter.fillRect(ground, QColor(0, 0, 0, 150))
            painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, letter)


class RectangleView(ImageView):
    """While ``drawing``, dragging with the left button chooses whole pixels; the middle button moves the picture.

    Attributes:
        drawn: Emitted with left, top, width, height in pixels of the picture while the mouse draws.
        drawing: Whether the left button draws.
    """

    drawn = Signal(object)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent)
        self.drawing = False
        self._corner: tuple[int, int] | None = None

    def _pixel(self, where: QPointF) -> tuple[int, int]:
        """Column and row at a point, brought into the picture."""
        x, y = self.to_image(where)
        width, height = self.image_size
        return min(max(0, math.floor(x)), width - 1), min(max(0, math.floor(y)), height - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.drawing and event.button() == Qt.MouseButton.LeftButton and self.array is not None:
            self._corner = self._pixel(event.position())
            self._tell(event.position())
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._corner is not None:
            self._tell(event.position())
            self._point_at(event.position())
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._corner is not None and event.button() == Qt.MouseButton.LeftButton:
            self._tell(event.position())
            self._corner = None
        else:
            super().mouseReleaseEvent(event)

    def _tell(self, where: QPointF) -> None:
        assert self._corner is not None
        (x0, y0), (x1, y1) = self._corner, self._pixel(where)
        self.drawn.emit((min(x0, x1), min(y0, y1), abs(x1 - x0) + 1, abs(y1 - y0) + 1))
