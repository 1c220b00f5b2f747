"""The paper of the drawing pad: ink on black, brush and eraser, mouse and pen, undo and redo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPointingDevice,
    QTabletEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

SIDE = 280
_UNDO = 60


class DrawingCanvas(QWidget):
    """A square of 280 x 280 grey values that is drawn on at any size.

    Attributes:
        changed: Emitted whenever ink was added or taken away.
        history_changed: Emitted when undo or redo became possible or impossible.
        brush: Width of the brush in canvas pixels; the pressure of a pen makes it thinner.
        erasing: Whether the brush takes ink away; the right button and the far end of a pen always do.
    """

    changed = Signal()
    history_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.brush = 22.0
        self._erasing = False
        self._image = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
        self._image.fill(0)
        self._past: list[QImage] = []
        self._future: list[QImage] = []
        self._last: QPointF | None = None
        self._pen_down = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 96)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Drawing pad")
        self._aim()

    # ------------------------------------------------------------------ content

    def canvas(self) -> npt.NDArray[np.uint8]:
        """A copy of the ink: uint8 (280, 280), 255 on 0."""
        flat = np.frombuffer(self._image.constBits(), np.uint8)
        return flat.reshape(SIDE, self._image.bytesPerLine())[:, :SIDE].copy()

    def set_canvas(self, ink: npt.NDArray[np.uint8]) -> None:
        """Replace the ink, uint8 (280, 280), as one step that can be undone."""
        self._remember()
        data = np.ascontiguousarray(ink)
        self._image = QImage(data.data, SIDE, SIDE, SIDE, QImage.Format.Format_Grayscale8).copy()
        self._touched()

    @property
    def empty(self) -> bool:
        """Whether there is no ink."""
        return not self.canvas().any()

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._future)

    @property
    def erasing(self) -> bool:
        """Whether the brush takes ink away."""
        return self._erasing

    @erasing.setter
    def erasing(self, on: bool) -> None:
        self._erasing = on
        self._aim()

    def set_brush(self, width: float) -> None:
        """Width of the brush in canvas pixels."""
        self.brush = width
        self._aim()

    def clear(self) -> None:
        """Take all ink away; can be undone."""
        if not self.empty:
            self._remember()
            self._image.fill(0)
            self._touched()

    def undo(self) -> None:
        """Take back the last stroke or clearing."""
        if self._past:
            self._future.append(self._image)
            self._image = self._past.pop()
            self._touched()

    def redo(self) -> None:
        """Do again what was taken back."""
        if self._future:
            self._past.append(self._image)
            self._image = self._future.pop()
            self._touched()

    def _remember(self) -> None:
        self._past = [*self._past[1 - _UNDO :], self._image.copy()]
        self._future = []

    def _touched(self) -> None:
        self.update()
        self.changed.emit()
        self.history_changed.emit()

    # ------------------------------------------------------------------ geometry

    def _paper(self) -> QRectF:
        side = min(self.width(), self.height())
        return QRectF((self.width() - side) / 2, 0, side, side)

    def to_canvas(self, point: QPointF) -> QPointF:
        """A point of the widget on the canvas."""
        paper = self._paper()
        return QPointF((point.x() - paper.x()) * SIDE / paper.width(), (point.y() - paper.y()) * SIDE / paper.height())

    def sizeHint(self) -> QSize:
        return QSize(SIDE, SIDE)

    def resizeEvent(self, event: object) -> None:
        self._aim()

    def _aim(self) -> None:
        """A ring as wide as the brush for a pointer."""
        side = max(5, min(96, round(self.brush * self._paper().width() / SIDE)))
        ring = QPixmap(side + 4, side + 4)
        ring.fill(Qt.GlobalColor.transparent)
        painter = QPainter(ring)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, inset in ((QColor(0, 0, 0, 160), 1.0), (QColor(255, 255, 255, 220), 2.0)):
            pen = QPen(colour, 1)
            if self._erasing:
                pen.setStyle(Qt.PenStyle.DotLine)
            painter.setPen(pen)
            painter.drawEllipse(QRectF(ring.rect()).adjusted(inset, inset, -inset, -inset))
        painter.end()
        self.setCursor(QCursor(ring))

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(self._paper(), self._image)
        painter.end()

    def _stroke(self, start: QPointF, end: QPointF, pressure: float, erase: bool) -> None:
        width = self.brush * (0.3 + 0.7 * pressure) * (1.6 if erase else 1.0)
        painter = QPainter(self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = QColor(0, 0, 0) if erase else QColor(255, 255, 255)
        painter.setPen(QPen(ink, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        if start == end:
            painter.drawPoint(start)
        else:
            painter.drawLine(start, end)
        painter.end()
        paper = self._paper()
        scale = paper.width() / SIDE
        reach = (width / 2 + 2) * scale
        box = QRectF(start, end).normalized()
        dirty = QRectF(
            box.x() * scale + paper.x() - reach, box.y() * scale + paper.y() - reach,
            box.width() * scale + 2 * reach, box.height() * scale + 2 * reach,
        )  # fmt: skip
        self.update(dirty.toAlignedRect())
        self.changed.emit()

    # ------------------------------------------------------------------ hand

    def _begin(self, where: QPointF, pressure: float, erase: bool) -> None:
        self._remember()
        self._last = self.to_canvas(where)
        self._stroke(self._last, self._last, pressure, erase)
        self.history_changed.emit()

    def _go_on(self, where: QPointF, pressure: float, erase: bool) -> None:
        if self._last is not None:
            point = self.to_canvas(where)
            self._stroke(self._last, point, pressure, erase)
            self._last = point

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self._begin(event.position(), 1.0, self._erases(event.button()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        held = event.buttons() & (Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton)
        if held:
            erase = self._erasing or not event.buttons() & Qt.MouseButton.LeftButton
            self._go_on(event.position(), 1.0, erase)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._last = None

    def _erases(self, button: Qt.MouseButton) -> bool:
        return self._erasing or button == Qt.MouseButton.RightButton

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen: its pressure sets the width, its far end erases."""
        erase = self._erasing or event.pointerType() == QPointingDevice.PointerType.Eraser
        kind = event.type()
        if kind == QTabletEvent.Type.TabletPress:
            self._pen_down = True
            self._begin(event.position(), event.pressure(), erase)
        elif kind == QTabletEvent.Type.TabletMove and self._pen_down:
            self._go_on(event.position(), event.pressure(), erase)
        elif kind == QTabletEvent.Type.TabletRelease:
            self._pen_down, self._last = False, None
        event.accept()
