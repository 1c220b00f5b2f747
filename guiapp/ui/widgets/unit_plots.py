"""Plots of one unit: the histogram of its outputs, and its response while a picture is grown for it."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.painting import hairline, polygon
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.ticks import linear_ticks, tick_step, tick_text

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_LEFT, _TOP, _RIGHT = 8, 4, 8


class HistogramPlot(SmallPlot):
    """Counts on a logarithmic scale, from one output on; a mark where the picture's strongest response lies.

    Attributes:
        mark: That value, or None.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Histogram of a unit", parent)
        self._counts: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._edges: npt.NDArray[np.float64] = np.zeros(0)
        self.mark: float | None = None

    def set_counts(self, counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64]) -> None:
        """Show counts (n,) of the bins between edges (n + 1,)."""
        self._counts, self._edges = counts, edges
        self.hover = None
        self.update()

    def set_mark(self, value: float | None) -> None:
        """Mark a value."""
        if value != self.mark:
            self.mark = value
            self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return len(self._counts) > 0

    def bin(self, index: int) -> tuple[float, float, int]:
        """Lower and upper edge of a bin, and its count."""
        return float(self._edges[index]), float(self._edges[index + 1]), int(self._counts[index])

    def csv_text(self) -> str:
        """Edges and counts."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("from", "to", "count"))
        for index in range(len(self._counts)):
            low, high, count = self.bin(index)
            writer.writerow((f"{low:.8g}", f"{high:.8g}", count))
        return text.getvalue()

    # ------------------------------------------------------------------ painting

    def _area(self) -> QRectF:
        line = self.fontMetrics().height() + 2
        return QRectF(_LEFT, _TOP, max(1, self.width() - _LEFT - _RIGHT), max(1, self.height() - _TOP - line))

    def _range(self) -> tuple[float, float]:
        low, high = min(0.0, float(self._edges[0])), max(0.0, float(self._edges[-1]))
        if self.mark is not None and math.isfinite(self.mark):
            low, high = min(low, self.mark), max(high, self.mark)
        return (low, high) if high > low else (low, low + 1.0)

    def _x(self, value: float) -> float:
        low, high = self._range()
        area = self._area()
        return area.left() + (value - low) / (high - low) * area.width()

    def paint_to(self, painter: QPainter) -> None:
        """Paint bars, axis, mark."""
        if not self.filled:
            return
        area, (low, high) = self._area(), self._range()
        metrics = self.fontMetrics()
        most = max(12, int(area.width() // 64))
        step = tick_step(high - low, min(most, max(2, int(area.width() // 64))))
        painter.setPen(self.theme.faint)
        base = area.bottom()
        for tick in linear_ticks(low, high, max(2, int(area.width() // 64))):
            x, text = self._x(tick), tick_text(tick, step)
            wide = metrics.horizontalAdvance(text)
            left = min(max(x - wide / 2, 0.0), self.width() - wide)
            painter.drawText(QPointF(left, base + metrics.ascent() + 1), text)
        top = math.log10(float(self._counts.max())) + 0.3
        for index in np.flatnonzero(self._counts).tolist():
            first, last, count = self.bin(index)
            tall = (math.log10(count) + 0.3) / top * area.height()
            left, right = self._x(first), self._x(last)
            bar = QRectF(left, base - tall, max(1.0, right - left - (1 if right - left > 3 else 0)), tall)
            painter.fillRect(bar, self.theme.accent if index == self.hover else self.theme.training)
        painter.setPen(hairline(self.theme.border))
        painter.drawLine(QPointF(area.left(), base), QPointF(area.right(), base))
        if low < 0 < high:
            painter.drawLine(QPointF(self._x(0), area.top()), QPointF(self._x(0), base))
        if self.mark is not None and math.isfinite(self.mark):
            painter.setPen(hairline(self.theme.warning))
            painter.drawLine(QPointF(self._x(self.mark), area.top()), QPointF(self._x(self.mark), base))

    def item_at(self, where: QPointF) -> int | None:
        """Index of the bin at a point."""
        if not self.filled or not self._area().adjusted(0, 0, 0, 2).contains(where):
            return None
        low, high = self._range()
        value = low + (where.x() - self._area().left()) / self._area().width() * (high - low)
        index = int(np.searchsorted(self._edges, value, "right")) - 1
        return index if 0 <= index < len(self._counts) else None

    def sizeHint(self) -> QSize:
        return QSize(240, 110)

    def minimumSizeHint(self) -> QSize:
        return QSize(100, 56)


class ResponsePlot(SmallPlot):
    """The response at each step of growing a picture, with a line where the best of the data lies."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Response while growing", parent)
        self._trace: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._best: float | None = None

    def set_trace(self, trace: npt.NDArray[np.float32], best: float | None) -> None:
        """Show responses (steps,), and the best of the data where it is known."""
        self._trace, self._best = trace, best
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return len(self._trace) > 0

    def csv_text(self) -> str:
        """Steps and responses."""
        return "step,response\n" + "".join(f"{i},{value:.6g}\n" for i, value in enumerate(self._trace.tolist(), 1))

    def paint_to(self, painter: QPainter) -> None:
        """Paint the curve, smoothed numbers are none of it."""
        if len(self._trace) < 2:
            return
        metrics = self.fontMetrics()
        wide = max(metrics.horizontalAdvance(tick_text(float(f"{v:.3g}"))) for v in self._extent()) + 6
        left, right, top, bottom = wide, self.width() - 4.0, 5.0, self.height() - 5.0
        low, high = self._extent()
        span = high - low or 1.0
        y = bottom - (self._trace.astype(np.float64) - low) / span * (bottom - top)
        x = left + np.arange(len(self._trace)) / (len(self._trace) - 1) * (right - left)
        painter.setPen(self.theme.faint)
        for value, place in ((high, top), (low, bottom)):
            text = tick_text(float(f"{value:.3g}"))
            painter.drawText(
                QRectF(0, place - metrics.height() / 2, wide - 6, metrics.height()), Qt.AlignmentFlag.AlignRight, text
            )
        if self._best is not None and low <= self._best <= high:
            painter.setPen(hairline(self.theme.validation, style=Qt.PenStyle.DashLine))
            at = bottom - (self._best - low) / span * (bottom - top)
            painter.drawLine(QPointF(left, at), QPointF(right, at))
        painter.setPen(hairline(self.theme.training))
        painter.drawPolyline(polygon(x, y))

    def _extent(self) -> tuple[float, float]:
        values = [*self._trace[np.isfinite(self._trace)].tolist(), *([self._best] if self._best is not None else [])]
        return (min(values), max(values)) if values else (0.0, 1.0)

    def sizeHint(self) -> QSize:
        return QSize(240, 56)

    def minimumSizeHint(self) -> QSize:
        return QSize(100, 40)
