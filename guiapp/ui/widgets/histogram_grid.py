"""Small histograms beside each other, one for each layer or stage, each with two lines of words."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.painting import hairline
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.ticks import tick_text

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_GAP = 8


@dataclass(frozen=True, eq=False)
class Bars:
    """One histogram.

    Attributes:
        name: Above it.
        words: Below the name.
        counts: (n,) between ``edges`` (n + 1,).
        marked: Whether its words stand out: something is wrong there.
    """

    name: str
    words: str
    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    marked: bool = False


class HistogramGrid(SmallPlot):
    """As many columns as have room; heights are shares of the fullest bin of each, on a root scale.

    Attributes:
        bars: What is shown.
        chosen: Item that is framed, or None.
    """

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, title, parent)
        self.bars: tuple[Bars, ...] = ()
        self.chosen: int | None = None

    def show_bars(self, bars: Sequence[Bars]) -> None:
        """Show other histograms."""
        self.bars = tuple(bars)
        self._point_at(None)
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.bars)

    def csv_text(self) -> str:
        """Edges and counts of all of them."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("histogram", "from", "to", "count"))
        for one in self.bars:
            for count, low, high in zip(one.counts, one.edges, one.edges[1:], strict=False):
                writer.writerow((one.name, f"{low:.7g}", f"{high:.7g}", int(count)))
        return text.getvalue()

    def sizeHint(self) -> QSize:
        return QSize(320, 220)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, 100)

    # ------------------------------------------------------------------ places

    def columns(self) -> int:
        """So many beside each other that each is somewhat wider than high; a few stand below one another."""
        count, width, height = max(len(self.bars), 1), max(self.width(), 1), max(self.height(), 1)
        most = max(1, int(width // (self.fontMetrics().horizontalAdvance("layer10") + _GAP)))
        wish = round(math.sqrt(count * width / (1.2 * height))) if count > 3 else 1
        return max(1, min(count, most, wish))

    def cell(self, item: int) -> QRectF:
        """Where an item stands."""
        columns = self.columns()
        rows = math.ceil(len(self.bars) / columns)
        wide, tall = self.width() / columns, self.height() / max(rows, 1)
        return QRectF((item % columns) * wide, (item // columns) * tall, wide - _GAP, tall - 4)

    def item_at(self, where: QPointF) -> int | None:
        """The histogram at a point."""
        return next((item for item in range(len(self.bars)) if self.cell(item).contains(where)), None)

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint all of them."""
        for item, one in enumerate(self.bars):
            self._paint(painter, self.cell(item), one, item)

    def _paint(self, painter: QPainter, cell: QRectF, one: Bars, item: int) -> None:
        metrics = self.fontMetrics()
        line = metrics.height()
        words = cell.height() > 4 * line
        top = cell.top() + metrics.ascent()
        painter.setPen(self.theme.accent if item == self.chosen else self.theme.text)
        room = int(cell.width()) - 2
        elide = Qt.TextElideMode.ElideRight
        painter.drawText(QPointF(cell.left() + 2, top), metrics.elidedText(one.name, elide, room))
        if words:
            painter.setPen(self.theme.warning if one.marked else self.theme.faint)
            painter.drawText(QPointF(cell.left() + 2, top + line), metrics.elidedText(one.words, elide, room))
        ends = cell.height() > 5 * line
        head = line * (2 if words else 1) + 2
        area = QRectF(cell.left() + 2, cell.top() + head, cell.width() - 4, 0)
        area.setBottom(cell.bottom() - (line if ends else 2))
        most = float(one.counts.max()) if len(one.counts) else 0.0
        if area.height() > 3 and most > 0:
            wide = area.width() / len(one.counts)
            colour = self.theme.accent if item == self.hover else self.theme.training
            for index in np.flatnonzero(one.counts).tolist():
                tall = math.sqrt(float(one.counts[index]) / most) * area.height()
                painter.fillRect(QRectF(area.left() + index * wide, area.bottom() - tall, max(1.0, wide), tall), colour)
        painter.setPen(hairline(self.theme.border))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if ends and len(one.edges):
            painter.setPen(self.theme.faint)
            y = area.bottom() + metrics.ascent() + 1
            low, high = tick_text(float(f"{one.edges[0]:.2g}")), tick_text(float(f"{one.edges[-1]:.2g}"))
            painter.drawText(QPointF(area.left(), y), low)
            painter.drawText(QPointF(area.right() - metrics.horizontalAdvance(high), y), high)
