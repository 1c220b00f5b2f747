"""A small matrix of numbers in colours, with the names of its rows and columns; one cell under the pointer."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.painting import hairline, image_of
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_SPACE = 4


class HeatMap(SmallPlot):
    """Cells as large as fit; where names would meet, every second, fifth, … one is left.

    Attributes:
        matrix: float32 (rows, columns); NaN leaves a cell empty.
        chosen: Column that is framed, or None.
    """

    def __init__(self, theme: Theme, name: str, title: str, axes: tuple[str, str], parent: QWidget | None = None):
        """Make it empty; ``axes`` names what rows and columns are."""
        super().__init__(theme, name, title, parent)
        self.matrix: npt.NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self.chosen: int | None = None
        self._axes = axes
        self._rows: Sequence[str] = ()
        self._columns: Sequence[str] = ()
        self._image = None

    def show_matrix(self, matrix: npt.NDArray[np.float32], rows: Sequence[str], columns: Sequence[str]) -> None:
        """Show numbers from 0 to their largest."""
        self.matrix, self._rows, self._columns = matrix, rows, columns
        high = float(np.nanmax(matrix)) if matrix.size and np.isfinite(matrix).any() else 0.0
        scaled = np.where(np.isfinite(matrix), matrix / max(high, 1e-30) * 254 + 1, 0)
        self._image = image_of(scaled.round().astype(np.uint8), palette_table(False))
        self._point_at(None)
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.matrix.size)

    def cell(self, item: int) -> tuple[int, int]:
        """Row and column of an item."""
        return divmod(item, self.matrix.shape[1])

    def csv_text(self) -> str:
        """One line a row, the names before it and above."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["", *self._columns])
        for name, numbers in zip(self._rows, self.matrix, strict=True):
            writer.writerow([name, *("" if np.isnan(value) else f"{value:.6g}" for value in numbers)])
        return stream.getvalue()

    def area(self) -> QRectF:
        """Where the cells are, square where that leaves none too small."""
        rows, columns = self.matrix.shape
        metrics = self.fontMetrics()
        left = max((metrics.horizontalAdvance(name) for name in self._rows), default=0) + _SPACE
        line = metrics.height()
        width, height = self.width() - left - _SPACE, self.height() - 3 * line
        across, down = width / max(columns, 1), height / max(rows, 1)
        side = min(across, down)
        across, down = min(across, side * 1.6), min(down, side * 1.6)
        return QRectF(left, line, max(1.0, across * columns), max(1.0, down * rows))

    def item_at(self, where: QPointF) -> int | None:
        """The cell at a point; None where there is no connection."""
        area = self.area()
        if not self.filled or not area.contains(where):
            return None
        rows, columns = self.matrix.shape
        row = min(rows - 1, int((where.y() - area.top()) / area.height() * rows))
        column = min(columns - 1, int((where.x() - area.left()) / area.width() * columns))
        return None if np.isnan(self.matrix[row, column]) else row * columns + column

    def _cell_rect(self, row: int, column: int, height: int = 1) -> QRectF:
        area, (rows, columns) = self.area(), self.matrix.shape
        across, down = area.width() / columns, area.height() / rows
        return QRectF(area.left() + column * across, area.top() + row * down, across, down * height)

    def paint_to(self, painter: QPainter) -> None:
        """Paint cells, names and what is chosen."""
        painter.setFont(self.font())
        painter.fillRect(self.rect(), self.theme.panel)
        if not self.filled or self._image is None:
            return
        area, metrics, theme = self.area(), self.fontMetrics(), self.theme
        rows, columns = self.matrix.shape
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(area, self._image)
        for row, column in np.argwhere(np.isnan(self.matrix)):
            painter.fillRect(self._cell_rect(int(row), int(column)), theme.panel)
        painter.setPen(theme.faint)
        line, right = metrics.height(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        step = _step(rows, area.height(), line)
        for row in range(0, rows, step):
            place = self._cell_rect(row, 0)
            text = QRectF(0, place.center().y() - line / 2, area.left() - _SPACE, line)
            painter.drawText(text, right, self._rows[row])
        widest = metrics.horizontalAdvance("00") + 4
        step = _step(columns, area.width(), widest)
        for column in range(0, columns, step):
            if len(self._columns[column]) > 2:
                continue
            place = self._cell_rect(rows - 1, column)
            text = QRectF(place.center().x() - 20, area.bottom() + 1, 40, line)
            painter.drawText(text, Qt.AlignmentFlag.AlignCenter, self._columns[column])
        painter.drawText(QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, f"{self._axes[0]} ↓")
        under = QRectF(area.left(), area.bottom() + line, area.width(), line)
        if len(self._columns[-1]) > 2:  # what follows the numbered ones
            painter.drawText(under, Qt.AlignmentFlag.AlignRight, f"{self._columns[-1]} ↑")
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, f"{self._axes[1]} →")
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.chosen is not None and self.chosen < columns:
            painter.setPen(hairline(theme.accent))
            painter.drawRect(self._cell_rect(0, self.chosen, rows))
        if self.hover is not None:
            painter.setPen(hairline(theme.text))
            painter.drawRect(self._cell_rect(*self.cell(self.hover)))


def _step(count: int, room: float, each: float) -> int:
    """Every how many-th name there is room for."""
    return next((step for step in (1, 2, 5, 10, 20, 50) if room / count * step >= each), 100)
