"""Histograms over time as one image: steps across, values up on an axis that is linear about zero, then logarithmic."""

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

from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.painting import hairline, image_of
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_LEFT, _RIGHT = 48, 8


class HistogramTime(SmallPlot):
    """One column a record, darker where fewer values are; the record under the pointer is an item.

    Attributes:
        shares: Share of the values in each bin, float32 (R, B), lowest bin first.
        steps: Steps of the records, (R,).
        edges: Edges of the bins, (B + 1,), even about zero.
    """

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, title, parent)
        self.shares: npt.NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self.steps: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.edges: npt.NDArray[np.float64] = np.zeros(1)
        self.note = ""
        self._image = None
        self._rows = (0, 0)
        self.setMinimumHeight(90)

    def sizeHint(self) -> QSize:
        return QSize(280, 150)

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.shares.size)

    def show_histograms(
        self,
        steps: npt.NDArray[np.int64],
        shares: npt.NDArray[np.float32],
        edges: npt.NDArray[np.float64],
        note: str = "",
    ) -> None:
        """Show these; bins beyond all values are cut off."""
        self.steps, self.shares, self.edges, self.note = steps, shares, edges, note
        used = np.flatnonzero(shares.max(0) > 0) if shares.size else np.zeros(0, int)
        self._rows = (max(int(used[0]) - 1, 0), min(int(used[-1]) + 2, shares.shape[1])) if len(used) else (0, 0)
        low, high = self._rows
        if high > low:
            part = np.sqrt(shares[:, low:high])
            part = part / np.maximum(part.max(1, keepdims=True), 1e-9)
            self._image = image_of((part.T[::-1] * 255).round().astype(np.uint8), palette_table(False))
        else:
            self._image = None
        self._point_at(None)
        self.update()

    def area(self) -> QRectF:
        """Where the image is."""
        line = self.fontMetrics().height()
        return QRectF(_LEFT, line + 4, max(1, self.width() - _LEFT - _RIGHT), max(1, self.height() - 2 * line - 8))

    def item_at(self, where: QPointF) -> int | None:
        """The record at a point."""
        area = self.area()
        if not self.filled or not area.contains(where):
            return None
        return min(len(self.steps) - 1, int((where.x() - area.left()) / area.width() * len(self.steps)))

    def csv_text(self) -> str:
        """A line a record: its step and the shares, under the middles of the bins."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        middles = (self.edges[:-1] + self.edges[1:]) / 2
        writer.writerow(["step", *(f"{middle:.4g}" for middle in middles)])
        for step, row in zip(self.steps, self.shares, strict=True):
            writer.writerow([int(step), *(f"{share:.6g}" for share in row)])
        return stream.getvalue()

    def paint_to(self, painter: QPainter) -> None:
        """Paint title, image, axes and the record under the pointer."""
        theme, metrics = self.theme, self.fontMetrics()
        painter.fillRect(self.rect(), theme.panel)
        painter.setPen(theme.text)
        line = metrics.height()
        painter.drawText(QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, self.title)
        if self._image is None:
            return
        area = self.area()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(area, self._image)
        painter.setPen(theme.faint)
        low, high = self._rows
        for value in self._ticks():
            bin_at = float(np.interp(value, self.edges, np.arange(len(self.edges))))
            y = area.bottom() - (bin_at - low) / (high - low) * area.height()
            if area.top() - 1 <= y <= area.bottom() + 1:
                text = QRectF(0, y - line / 2, area.left() - 6, line)
                painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{value:g}")
        under = QRectF(area.left(), area.bottom() + 2, area.width(), line)
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, f"step {int(self.steps[0])}")
        painter.drawText(under, Qt.AlignmentFlag.AlignRight, f"{int(self.steps[-1])}")
        told = self.note
        if self.hover is not None:
            x = area.left() + (self.hover + 0.5) / len(self.steps) * area.width()
            painter.setPen(hairline(theme.text))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            zero = self.shares[self.hover][len(self.edges) // 2 - 1]
            told = f"step {int(self.steps[self.hover])} · about zero {zero:.0%}"
        painter.setPen(theme.faint)
        painter.drawText(QRectF(0, 0, self.width() - _RIGHT, line), Qt.AlignmentFlag.AlignRight, told)

    def _ticks(self) -> list[float]:
        """Zero and powers of ten on either side, as many as there is room for."""
        low, high = self._rows
        rows = max(2, int(self.area().height() / (self.fontMetrics().height() * 1.5)))
        unit, top = abs(float(self.edges[len(self.edges) // 2])), float(np.abs(self.edges).max())
        first, last = math.ceil(math.log10(unit * 8)), math.floor(math.log10(top))
        powers = [10.0**p for p in range(first, last + 1)]
        values = [-p for p in reversed(powers)] + [0.0] + powers
        inside = [v for v in values if self.edges[low] <= v <= self.edges[high]]
        step = max(1, -(-len(inside) // rows))
        zero = inside.index(0.0) if 0.0 in inside else 0
        return [v for place, v in enumerate(inside) if (place - zero) % step == 0]
