"""The time machine's slider: one stop for each snapshot of the weights, and "live" at the right end."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.painting import blend, hairline, tabular
from guiapp.ui.widgets.ticks import nearest

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_RADIUS = 5


class TimeSlider(QWidget):
    """Chooses the step whose weights are looked at.

    Snapshots are dense early and sparse late; the stops stand at equal distances, so each can be reached with the
    mouse. A mark stands at each; some carry their step.

    Attributes:
        moved: The chosen step, or None at the right end, where the newest weights are followed.
    """

    moved = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._steps: tuple[int, ...] = ()
        self._ends: int | None = None
        self._step: int | None = None
        self.setAutoFillBackground(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFont(tabular(self.font()))
        self.setAccessibleName("Time machine: step of the weights that are looked at")
        self.setToolTip("Time machine: look at the weights of an earlier step; the right end follows the newest")
        theme.changed.connect(self.update)

    def set_steps(self, steps: Sequence[int]) -> None:
        """The steps of the snapshots, ascending."""
        if tuple(steps) != self._steps:
            self._steps = tuple(steps)
            self.update()

    def set_step(self, step: int | None) -> None:
        """Show a step, None for live; emits nothing."""
        if step != self._step:
            self._step = step
            self.update()

    @property
    def step(self) -> int | None:
        """The chosen step; None is live."""
        return self._step

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that can be chosen."""
        return self._steps

    def _choose(self, place: int) -> None:
        """Stop number ``place``, the number of snapshots for live."""
        place = max(0, min(len(self._steps), place))
        step = None if place >= len(self._steps) else self._steps[place]
        if step != self._step:
            self._step = step
            self.update()
            self.moved.emit(step)

    def _place(self) -> int:
        if self._step is None or not self._steps:
            return len(self._steps)
        return nearest(self._steps, self._step)

    # ------------------------------------------------------------------ geometry and painting

    def sizeHint(self) -> QSize:
        return QSize(200, 2 * _RADIUS + 6 + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(90, self.sizeHint().height())

    def _track(self) -> tuple[float, float]:
        if self._ends is None:  # asked for every mark, and measuring text is slow
            self._ends = self.fontMetrics().horizontalAdvance("live ▸") + 8
        return _RADIUS + 2.0, self.width() - self._ends - _RADIUS

    def changeEvent(self, event: QEvent) -> None:
        self._ends = None  # the font may be another
        super().changeEvent(event)

    def x_of(self, place: int) -> float:
        """Horizontal position of a stop."""
        left, right = self._track()
        return left + (right - left) * place / max(1, len(self._steps))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, metrics = self.theme, self.fontMetrics()
        left, right = self._track()
        middle = _RADIUS + 2.5
        live = self._step is None
        painter.setPen(theme.accent if live else theme.faint)
        painter.drawText(
            QRectF(right + _RADIUS + 6, 0, self.width() - right, 2 * middle), Qt.AlignmentFlag.AlignVCenter, "live ▸"
        )
        here = self.x_of(self._place())
        painter.setPen(hairline(theme.border))
        painter.drawLine(QPointF(left, middle), QPointF(right, middle))
        if self._steps:
            self._paint_marks(painter, middle, metrics.ascent())
            painter.setPen(hairline(theme.accent))
            painter.drawLine(QPointF(left, middle), QPointF(here, middle))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent if self._steps else theme.disabled)
        painter.drawEllipse(QPointF(here, middle), _RADIUS, _RADIUS)
        if self.hasFocus():
            painter.setPen(hairline(theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(here, middle), _RADIUS + 2, _RADIUS + 2)
        painter.end()

    def _paint_marks(self, painter: QPainter, middle: float, ascent: int) -> None:
        metrics = self.fontMetrics()
        count = len(self._steps)
        apart = (self._track()[1] - self._track()[0]) / max(1, count)
        ink = blend(self.theme.panel, self.theme.faint, 0.6)
        every = max(1, round(4 / apart)) if apart < 4 else 1
        free = 0.0
        for place in range(0, count, every):
            x = round(self.x_of(place)) + 0.5
            painter.setPen(hairline(ink))
            painter.drawLine(QPointF(x, middle + 4), QPointF(x, middle + 7))
            text = f"{self._steps[place]:,}"
            width = metrics.horizontalAdvance(text)
            start = max(0.0, x - width / 2)
            if start >= free and start + width < self.width() - 4:
                painter.setPen(self.theme.faint)
                painter.drawText(QPointF(start, middle + 8 + ascent), text)
                free = start + width + 14

    # ------------------------------------------------------------------ hand

    def _move_to(self, x: float) -> None:
        left, right = self._track()
        self._choose(round((x - left) / max(1.0, right - left) * len(self._steps)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._steps:
            self._move_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._steps:
            self._move_to(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._steps:
            self.go(-1 if event.angleDelta().y() > 0 else 1)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go from snapshot to snapshot; Home is the first, End is live."""
        key = Qt.Key(event.key())
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10}
        if key in moves:
            self.go(moves[key])
        elif key == Qt.Key.Key_Home:
            self._choose(0)
        elif key == Qt.Key.Key_End:
            self._choose(len(self._steps))
        else:
            super().keyPressEvent(event)

    def go(self, stops: int) -> None:
        """Go some stops on (or back)."""
        if self._steps:
            place = self._place()
            if self._step is not None and stops < 0 and self._step not in self._steps:
                place = bisect_left(self._steps, self._step)
            self._choose(place + stops)
