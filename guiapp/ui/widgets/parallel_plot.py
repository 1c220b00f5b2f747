"""Parallel coordinates: an axis for each column, a line for each run; axes are brushed, lines are clicked."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from guiapp.ui.colour_maps import sequential
from guiapp.ui.widgets.painting import hairline, polygon
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.ticks import linear_ticks, log_ticks, tick_step, tick_text

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

Value = str | int | float | bool | None
_NEAR = 6.0  # pixels from a line within which the pointer means it
_GRIP = 9.0  # pixels from an axis within which a press brushes it
_DECADES = 1.5  # a column of positive numbers that spans more powers of ten stands on a logarithmic axis


@dataclass(frozen=True)
class Scale:
    """Where the values of a column lie on its axis, from 0 (below) to 1.

    Attributes:
        title: Head of the axis.
        places: One for each run; NaN where it has no value.
        ticks: Marks: place and text.
    """

    title: str
    places: npt.NDArray[np.float64]
    ticks: tuple[tuple[float, str], ...]


def scale_of(title: str, values: Sequence[Value]) -> Scale:
    """The axis of a column: linear or logarithmic for numbers, evenly spaced names for everything else."""
    there = [v for v in values if v is not None]
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in there):
        numbers = np.array([math.nan if v is None else float(v) for v in values], np.float64)
        finite = numbers[np.isfinite(numbers)]
        if not len(finite):
            return Scale(title, np.full(len(values), np.nan), ())
        low, high = float(finite.min()), float(finite.max())
        if low == high:
            return Scale(title, np.where(np.isfinite(numbers), 0.5, np.nan), ((0.5, tick_text(float(f"{low:.4g}"))),))
        if low > 0 and math.log10(high / low) > _DECADES:
            bottom, top = math.log10(low), math.log10(high)
            ticks = tuple(((math.log10(t) - bottom) / (top - bottom), tick_text(t)) for t in log_ticks(low, high, 6))
            return Scale(title, (np.log10(numbers) - bottom) / (top - bottom), ticks)
        step = tick_step(high - low, 5)
        marks = tuple(((t - low) / (high - low), tick_text(t, step)) for t in linear_ticks(low, high, 5))
        return Scale(title, (numbers - low) / (high - low), marks)
    names = sorted({str(v) for v in there}, key=str.casefold)
    at = {name: (i + 0.5) / len(names) for i, name in enumerate(names)}
    places = np.array([math.nan if v is None else at[str(v)] for v in values], np.float64)
    return Scale(title, places, tuple((place, name) for name, place in at.items()))


class ParallelPlot(SmallPlot):
    """Lines coloured by the last axis; those outside a brush are faint.

    A press on an axis and a drag along it brushes; a click on the axis takes its brush away. ``clicked`` gives the row
    of a clicked line.

    Attributes:
        scales: The axes.
        brushes: Lowest and highest place by axis.
        brushed: Emitted with the rows inside all brushes, or None where there is no brush.
    """

    brushed = Signal(object)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Parallel coordinates", parent)
        self.scales: list[Scale] = []
        self.brushes: dict[int, tuple[float, float]] = {}
        self._rows: list[str] = []
        self._values: list[list[Value]] = []
        self._pulled: tuple[int, float] | None = None

    def set_runs(self, names: Sequence[str], columns: Sequence[tuple[str, Sequence[Value]]]) -> None:
        """Show other runs: their names, and for each axis its title and a value a run. Brushes stay by title."""
        before = {self.scales[axis].title: brush for axis, brush in self.brushes.items()}
        self._rows = list(names)
        self.scales = [scale_of(title, values) for title, values in columns]
        self._values = [list(values) for _, values in columns]
        self.brushes = {axis: before[s.title] for axis, s in enumerate(self.scales) if s.title in before}
        self.hover = None
        if before:
            self.brushed.emit(self.inside() if self.brushes else None)
        self.update()

    def set_brush(self, axis: int, low: float, high: float) -> None:
        """Brush an axis between two places, or take its brush away where they are the same."""
        low, high = max(min(low, high), 0.0), min(max(low, high), 1.0)
        if high - low < 0.005:
            self.brushes.pop(axis, None)
        else:
            self.brushes[axis] = (low, high)
        self.brushed.emit(self.inside() if self.brushes else None)
        self.update()

    def inside(self) -> list[int]:
        """Rows inside all brushes."""
        kept = np.ones(len(self._rows), bool)
        for axis, (low, high) in self.brushes.items():
            places = self.scales[axis].places
            kept &= (places >= low - 1e-9) & (places <= high + 1e-9)
        return [int(row) for row in np.flatnonzero(kept)]

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self._rows and self.scales)

    def csv_text(self) -> str:
        """Runs and what stands on the axes."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["run", *(scale.title for scale in self.scales)])
        for row, name in enumerate(self._rows):
            writer.writerow([name, *("" if (v := values[row]) is None else v for values in self._values)])
        return stream.getvalue()

    # ------------------------------------------------------------------ places

    def _area(self) -> QRectF:
        line = self.fontMetrics().height()
        beside = min(64.0, self.width() / 8)
        return QRectF(beside, 2.0 * line + 2, max(1.0, self.width() - 2 * beside), max(1.0, self.height() - 3.6 * line))

    def _x(self, axis: int) -> float:
        area = self._area()
        return (
            area.center().x() if len(self.scales) == 1 else area.left() + area.width() * axis / (len(self.scales) - 1)
        )

    def _y(self, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        area = self._area()
        below = self.height() - 0.5 * self.fontMetrics().height()
        return np.where(np.isfinite(places), area.bottom() - np.nan_to_num(places) * area.height(), below)

    def _points(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Places of the axes (A,) and of the lines on them (runs, A)."""
        x = np.array([self._x(axis) for axis in range(len(self.scales))])
        return x, np.stack([self._y(scale.places) for scale in self.scales], 1)

    def item_at(self, where: QPointF) -> int | None:
        """The line at a point, among those inside the brushes."""
        if not self.filled or len(self.scales) < 2:
            return None
        x, y = self._points()
        right = int(np.clip(np.searchsorted(x, where.x()), 1, len(x) - 1))
        share = (where.x() - x[right - 1]) / (x[right] - x[right - 1])
        if not -0.05 <= share <= 1.05:
            return None
        there = y[:, right - 1] + share * (y[:, right] - y[:, right - 1])
        slope = (y[:, right] - y[:, right - 1]) / (x[right] - x[right - 1])
        away = np.abs(there - where.y()) / np.hypot(1.0, slope)
        kept = self.inside() if self.brushes else range(len(self._rows))
        near = min(kept, key=lambda row: away[row], default=None)
        return near if near is not None and away[near] <= _NEAR else None

    def _axis_at(self, where: QPointF) -> int | None:
        for axis in range(len(self.scales)):
            if abs(where.x() - self._x(axis)) <= _GRIP and self._area().adjusted(-99, -4, 99, 4).contains(where):
                return axis
        return None

    def _place(self, y: float) -> float:
        area = self._area()
        return min(max((area.bottom() - y) / area.height(), 0.0), 1.0)

    # ------------------------------------------------------------------ events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        axis = self._axis_at(event.position())
        if axis is None:
            super().mousePressEvent(event)
        else:
            self._pulled = (axis, self._place(event.position().y()))
            self.set_brush(axis, self._pulled[1], self._pulled[1])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pulled is not None:
            self.set_brush(self._pulled[0], self._pulled[1], self._place(event.position().y()))
            return
        over = self._axis_at(event.position())
        shape = Qt.CursorShape.SplitVCursor if over is not None else Qt.CursorShape.ArrowCursor
        if over is None and self.item_at(event.position()) is not None:
            shape = Qt.CursorShape.PointingHandCursor
        self.setCursor(shape)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pulled = None

    # ------------------------------------------------------------------ painting

    def _colours(self) -> list[QColor]:
        """A colour for each line, by its place on the last axis."""
        table = sequential("viridis")
        last = np.nan_to_num(self.scales[-1].places, nan=0.0)
        low, high = (40, 255) if self.theme.dark else (1, 215)  # neither end vanishes against the ground
        return [QColor(*(int(v) for v in table[round(low + place * (high - low))][:3])) for place in last]

    def paint_to(self, painter: QPainter) -> None:
        """Paint axes, lines, brushes and the line under the pointer with its values."""
        if not self.filled:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x, y = self._points()
        colours, kept = self._colours(), set(self.inside())
        faint = hairline(self.theme.border)
        for row in range(len(self._rows)):
            if row not in kept:
                painter.setPen(faint)
                painter.drawPolyline(polygon(x, y[row]))
        thin = len(kept) > 150
        for row in sorted(kept, key=lambda r: -1.0 if math.isnan(p := float(self.scales[-1].places[r])) else p):
            painter.setPen(hairline(colours[row]) if thin else QPen(colours[row], 1.6))
            painter.drawPolyline(polygon(x, y[row]))
        self._paint_axes(painter)
        if self.hover is not None and self.hover < len(self._rows):
            painter.setPen(QPen(self.theme.text, 2.4))
            painter.drawPolyline(polygon(x, y[self.hover]))
            self._paint_values(painter, x, y[self.hover], self.hover)

    def _paint_axes(self, painter: QPainter) -> None:
        area, metrics = self._area(), self.fontMetrics()
        room = area.width() / max(len(self.scales) - 1, 1) - 8
        staggered = any(metrics.horizontalAdvance(scale.title) > room for scale in self.scales)
        tall = metrics.height()
        for axis, scale in enumerate(self.scales):
            x = self._x(axis)
            painter.setPen(hairline(self.theme.faint))
            painter.drawLine(QLineF(x, area.top(), x, area.bottom()))
            painter.setPen(self.theme.text)
            wanted = int(max(2 * room if staggered else room, 60))
            title = metrics.elidedText(scale.title, Qt.TextElideMode.ElideMiddle, wanted)
            wide = metrics.horizontalAdvance(title)
            left = min(max(x - wide / 2, 2.0), self.width() - wide - 2)
            low = staggered and (len(self.scales) - 1 - axis) % 2 == 1
            painter.drawText(QPointF(left, metrics.ascent() + (metrics.height() if low else 1)), title)
            painter.setPen(self.theme.faint)
            last = axis == len(self.scales) - 1
            drawn = -math.inf
            for place, text in sorted(scale.ticks):
                at = area.bottom() - place * area.height()
                if abs(at - drawn) < tall:
                    continue
                drawn = at
                shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(max(min(room, 90), 40)))
                wide = metrics.horizontalAdvance(shown)
                painter.drawLine(QLineF(x - 3, at, x + 3, at))
                painter.drawText(QPointF(x + 6 if last else x - 6 - wide, at + metrics.ascent() / 2 - 1), shown)
            if np.isnan(scale.places).any():
                painter.drawText(QPointF(x + 5, self.height() - 0.5 * tall + metrics.ascent() / 2 - 1), "none")
            if axis in self.brushes:
                low, high = self.brushes[axis]
                band = QRectF(x - 5, area.bottom() - high * area.height(), 10, (high - low) * area.height())
                ground = QColor(self.theme.accent)
                ground.setAlphaF(0.35)
                painter.fillRect(band, ground)
                painter.setPen(hairline(self.theme.accent))
                painter.drawRect(band)

    def _paint_values(
        self, painter: QPainter, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], row: int
    ) -> None:
        metrics = self.fontMetrics()
        for axis, values in enumerate(self._values):
            value = values[row]
            text = "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
            wide = metrics.horizontalAdvance(text) + 8
            left = min(max(float(x[axis]) - wide / 2, 1.0), self.width() - wide - 1)
            top = float(y[axis]) - metrics.height() - 6
            box = QRectF(left, top if top > metrics.height() + 4 else float(y[axis]) + 6, wide, metrics.height() + 2)
            painter.fillRect(box, self.theme.field)
            painter.setPen(hairline(self.theme.border))
            painter.drawRect(box)
            painter.setPen(self.theme.text)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def sizeHint(self) -> QSize:
        return QSize(640, 260)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 110)
