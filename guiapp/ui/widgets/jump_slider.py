"""A slider whose knob goes where it is clicked, for places in a video and thresholds."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from guiapp.ui.theme import Theme

_RADIUS = 5.0
_THICK = 3.0


class JumpSlider(QSlider):
    """A horizontal ``QSlider``: arrows and page keys step, a click jumps, dragging follows the pointer.

    ``sliderMoved`` tells of the hand alone; ``valueChanged`` of every change.
    """

    def __init__(self, theme: Theme, name: str, accessible: str, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.theme = theme
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(120, 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 20)

    def x_of(self, value: int) -> float:
        """Where the knob stands for a value."""
        span = max(1, self.maximum() - self.minimum())
        return _RADIUS + 1 + (value - self.minimum()) / span * (self.width() - 2 * _RADIUS - 2)

    def _move(self, x: float) -> None:
        share = (x - _RADIUS - 1) / max(1.0, self.width() - 2 * _RADIUS - 2)
        value = self.minimum() + round(min(1.0, max(0.0, share)) * (self.maximum() - self.minimum()))
        if value != self.value():
            self.setValue(value)
            self.sliderMoved.emit(value)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._move(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._move(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # else a column that scrolls would change values on its way

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle, here, on = self.height() / 2, self.x_of(self.sliderPosition()), self.isEnabled()
        painter.setBrush(theme.border)
        painter.drawRoundedRect(QRectF(1, middle - _THICK / 2, self.width() - 2, _THICK), 1.5, 1.5)
        painter.setBrush(theme.accent if on else theme.disabled)
        painter.drawRoundedRect(QRectF(1, middle - _THICK / 2, here, _THICK), 1.5, 1.5)
        radius = _RADIUS + (1 if self.hasFocus() else 0)
        painter.drawEllipse(QRectF(here - radius, middle - radius, 2 * radius, 2 * radius))
        painter.end()
