"""Lines over numbered items, such as layers, channels or epochs; bands around them; one item under the pointer."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.painting import hairline, polygon
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.ticks import grown_range, linear_ticks, log_ticks, tick_step, tick_text

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_DECADES = 1e-8  # of a logarithmic scale: what is smaller lies at its foot
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Profile:
    """One line.

    Attributes:
        name: In the legend.
        values: (n,); what is not finite, or not positive on a logarithmic scale, leaves a gap.
        colour: Of the line.
        low, high: A band around it, (n,) each, or None.
        strong: Whether it is the line that is meant.
    """

    name: str
    values: Floats
    colour: QColor
    low: Floats | None = None
    high: Floats | None = None
    strong: bool = False


class ProfilePlot(SmallPlot):
    """Lines with a legend above them.

    Attributes:
        lines: What is shown.
        names: Name of each item.
        log: Whether the scale is logarithmic.
        chosen: Item that is marked, or None.
    """

    def __init__(self, theme: Theme, name: str, title: str, axes: tuple[str, str], parent: QWidget | None = None):
        """Make it empty; ``axes`` names what lies across and up."""
        super().__init__(theme, name, title, parent)
        self.axes = axes
        self.lines: tuple[Profile, ...] = ()
        self.names: Sequence[str] = ()
        self.log = False
        self.chosen: int | None = None

    def show_lines(self, lines: Sequence[Profile], names: Sequence[str], log: bool = False) -> None:
        """Show other lines over other items."""
        self.lines, self.names, self.log = tuple(lines), names, log
        self._point_at(None)
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.lines)

    def csv_text(self) -> str:
        """Every item of every line."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow((self.axes[0], *(line.name for line in self.lines)))
        for item, name in enumerate(self.names):
            writer.writerow((name, *(f"{v[item]:.7g}" if item < len(v := line.values) else "" for line in self.lines)))
        return text.getvalue()

    def sizeHint(self) -> QSize:
        return QSize(260, 150)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 120)  # three lines of a legend leave room for the lines

    # ------------------------------------------------------------------ geometry

    def area(self) -> QRectF:
        """Where lines are painted."""
        metrics = self.fontMetrics()
        line = metrics.height()
        left = metrics.horizontalAdvance("0.0001") + 8
        top = (line + 2) * len(self._legend_rows())
        return QRectF(left, top + 4, max(8.0, self.width() - left - 10), max(8.0, self.height() - top - line - 10))

    def range(self) -> tuple[float, float]:
        """Lowest and highest value of the axis."""
        parts = [part for line in self.lines for part in (line.values, line.low, line.high) if part is not None]
        values = np.concatenate([np.asarray(part, np.float64) for part in parts]) if parts else np.zeros(0)
        values = values[np.isfinite(values) & ((values > 0) if self.log else True)]
        if not len(values):
            return (0.1, 1.0) if self.log else (0.0, 1.0)
        low, high = float(values.min()), float(values.max())
        return grown_range(max(low, high * _DECADES) if self.log else low, high, self.log)

    def _y(self, value: float, area: QRectF, low: float, high: float) -> float:
        share = math.log(max(value, low) / low) / math.log(high / low) if self.log else (value - low) / (high - low)
        return area.bottom() - min(max(share, 0.0), 1.0) * area.height()

    def _x(self, item: float, area: QRectF) -> float:
        return area.left() + (item + 0.5) / max(len(self.names), 1) * area.width()

    def item_at(self, where: QPointF) -> int | None:
        """The item above or below which a point lies."""
        area = self.area()
        if not self.names or not area.adjusted(-4, -4, 4, 4).contains(where):
            return None
        return min(max(int((where.x() - area.left()) / area.width() * len(self.names)), 0), len(self.names) - 1)

    # ------------------------------------------------------------------ painting

    def _legend_rows(self) -> list[list[Profile]]:
        metrics, rows, room = self.fontMetrics(), [[]], self.width() - 8.0
        used = 0.0
        for line in self.lines:
            wide = metrics.horizontalAdvance(line.name) + 26
            if rows[-1] and used + wide > room:
                rows.append([])
                used = 0.0
            rows[-1].append(line)
            used += wide
        return rows

    def paint_to(self, painter: QPainter) -> None:
        """Paint axes, bands, lines, legend, the item under the pointer."""
        if not self.filled:
            return
        metrics, area = self.fontMetrics(), self.area()
        low, high = self.range()
        most = max(1, int(area.height() // (metrics.height() * 1.6)))
        ticks = log_ticks(low, high, most) if self.log else linear_ticks(low, high, most)
        step = None if self.log else tick_step(high - low, most)
        for tick in ticks:
            y = self._y(tick, area, low, high)
            painter.setPen(hairline(self.theme.border))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(self.theme.faint)
            text = tick_text(tick, step)
            at = QPointF(area.left() - 5 - metrics.horizontalAdvance(text), y + metrics.ascent() / 2 - 1)
            painter.drawText(at, text)
        self._paint_items(painter, area)
        for item, strong in ((self.chosen, True), (self.hover, False)):
            if item is not None and item < len(self.names):
                painter.setPen(hairline(self.theme.accent if strong else self.theme.faint))
                x = self._x(item, area)
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for line in sorted(self.lines, key=lambda one: one.strong):
            self._paint_line(painter, line, area, low, high)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._paint_legend(painter)

    def _paint_items(self, painter: QPainter, area: QRectF) -> None:
        """Numbers of items where they have room, and the name of the axis."""
        metrics = self.fontMetrics()
        painter.setPen(self.theme.faint)
        base = area.bottom() + metrics.ascent() + 3
        axis = self.axes[0]
        wide = metrics.horizontalAdvance(axis)
        painter.drawText(QPointF(area.right() - wide, base), axis)
        count = len(self.names)
        every = max(1, math.ceil(count * 34 / max(area.width(), 1)))
        for item in range(0, count, every):
            text = str(item + 1)
            x = self._x(item, area) - metrics.horizontalAdvance(text) / 2
            if x + metrics.horizontalAdvance(text) < area.right() - wide - 6:
                painter.drawText(QPointF(x, base), text)

    def _paint_line(self, painter: QPainter, line: Profile, area: QRectF, low: float, high: float) -> None:
        def points(values: Floats) -> list[QPointF | None]:
            return [
                QPointF(self._x(item, area), self._y(float(value), area, low, high))
                if math.isfinite(value) and (value > 0 or not self.log)
                else None
                for item, value in enumerate(values)
            ]

        if line.low is not None and line.high is not None and len(line.low) == len(line.high):
            there = [p for p in points(line.low) if p is not None]
            back = [p for p in points(line.high) if p is not None]
            colour = QColor(line.colour)
            colour.setAlphaF(0.25)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            around = [*there, *back[::-1]]
            painter.drawPolygon(polygon([p.x() for p in around], [p.y() for p in around]))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(line.colour, 2.0 if line.strong else 1.2)
        painter.setPen(pen)
        found = points(line.values)
        for first, second in itertools.pairwise(found):
            if first is not None and second is not None:
                painter.drawLine(first, second)
        if len(found) <= 40:
            painter.setBrush(line.colour)
            for point in found:
                if point is not None:
                    painter.drawEllipse(point, 2.0, 2.0)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_legend(self, painter: QPainter) -> None:
        metrics = self.fontMetrics()
        for row, lines in enumerate(self._legend_rows()):
            x, y = 4.0, (metrics.height() + 2) * row + metrics.ascent() + 1.0
            for line in lines:
                painter.fillRect(QRectF(x, y - metrics.ascent() / 2 - 1, 12, 3 if line.strong else 2), line.colour)
                painter.setPen(self.theme.text if line.strong else self.theme.faint)
                painter.drawText(QPointF(x + 16, y), line.name)
                x += metrics.horizontalAdvance(line.name) + 26
