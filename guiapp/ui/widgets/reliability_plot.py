"""A reliability diagram: what the probabilities promised, and what came of it, bin by bin."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.painting import hairline
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.training.metrics.calibration import Calibration
    from guiapp.ui.theme import Theme

_BELOW = 0.22  # share of the height for the counts


class ReliabilityPlot(SmallPlot):
    """Bars of what came, marks of what was promised, 95 % of the share as a line; below them how many samples.

    Attributes:
        found: What is shown, or None.
        chosen: Bin that is framed, or None.
        ink: Colour of the bars.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Calibration", parent)
        self.found: Calibration | None = None
        self.chosen: int | None = None
        self.ink = QColor(theme.validation)
        self._right = "share right"

    def show_bins(self, found: Calibration | None, ink: QColor, right: str) -> None:
        """Show other bins; ``right`` names what came."""
        self.found, self.ink, self._right = found, ink, right
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return self.found is not None

    def sizeHint(self) -> QSize:
        return QSize(300, 260)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, 120)

    def csv_text(self) -> str:
        """One line a bin."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["from", "to", "samples", "promised", "came", "low", "high"])
        found = self.found
        if found is not None:
            for index, count in enumerate(found.counts.tolist()):
                numbers = (found.promised[index], found.came[index], found.low[index], found.high[index])
                ends = (f"{found.edges[index]:.4g}", f"{found.edges[index + 1]:.4g}")
                writer.writerow([*ends, count, *("" if np.isnan(v) else f"{v:.6g}" for v in numbers)])
        return stream.getvalue()

    # ------------------------------------------------------------------ geometry

    def _areas(self) -> tuple[QRectF, QRectF]:
        """Of the shares, and of the counts."""
        metrics = self.fontMetrics()
        line = metrics.height()
        left = metrics.horizontalAdvance("100 %") + 6
        height = max(30.0, self.height() - 3 * line - 10)
        width = max(30.0, min(self.width() - left - 8.0, 2.2 * height))
        upper = QRectF(left, line + 2, width, height * (1 - _BELOW))
        return upper, QRectF(left, upper.bottom() + 6, width, height * _BELOW)

    def item_at(self, where: QPointF) -> int | None:
        """The bin at a point; None where it is empty."""
        if self.found is None:
            return None
        upper, lower = self._areas()
        if not upper.united(lower).contains(where):
            return None
        count = len(self.found.counts)
        index = min(count - 1, int((where.x() - upper.left()) / upper.width() * count))
        return index if self.found.counts[index] else None

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint axes, bars and counts."""
        painter.setFont(self.font())
        theme, line = self.theme, self.fontMetrics().height()
        painter.fillRect(self.rect(), theme.panel)
        upper, lower = self._areas()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = upper.bottom() - share * upper.height()
            painter.setPen(hairline(theme.border))
            painter.drawLine(QPointF(upper.left(), y), QPointF(upper.right(), y))
            painter.setPen(theme.faint)
            if share in (0.0, 0.5, 1.0):
                painter.drawText(QRectF(0, y - line / 2, upper.left() - 4, line), right, f"{100 * share:.0f} %")
            x = upper.left() + share * upper.width()
            below = QRectF(x - 25, lower.bottom() + 2, 50, line)
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, f"{share:g}")
        painter.drawText(QRectF(upper.left(), 0, upper.width(), line), Qt.AlignmentFlag.AlignLeft, f"{self._right} ↑")
        under = QRectF(upper.left(), lower.bottom() + line, self.width() - upper.left(), line)
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, "probability →")
        if self.found is None:
            return
        self._paint_bins(painter, upper, lower)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(hairline(theme.text, style=Qt.PenStyle.DashLine))
        painter.drawLine(upper.bottomLeft(), upper.topRight())

    def _paint_bins(self, painter: QPainter, upper: QRectF, lower: QRectF) -> None:
        found, theme = self.found, self.theme
        assert found is not None
        count = len(found.counts)
        wide, most = upper.width() / count, max(1.0, float(found.counts.max()))
        gap = QColor(theme.error)
        gap.setAlphaF(0.28)
        for index in np.flatnonzero(found.counts).tolist():
            left = upper.left() + index * wide
            came = upper.bottom() - float(found.came[index]) * upper.height()
            promised = upper.bottom() - float(found.promised[index]) * upper.height()
            bar = QRectF(left + 1, came, wide - 2, upper.bottom() - came)
            painter.fillRect(bar, self.ink)
            painter.fillRect(QRectF(left + 1, min(came, promised), wide - 2, abs(promised - came)), gap)
            painter.setPen(hairline(theme.text))
            painter.drawLine(QPointF(left + 1, promised), QPointF(left + wide - 2, promised))
            ends = [upper.bottom() - float(v[index]) * upper.height() for v in (found.low, found.high)]
            painter.drawLine(QPointF(left + wide / 2, ends[0]), QPointF(left + wide / 2, ends[1]))
            tall = float(found.counts[index]) / most * lower.height()
            painter.fillRect(QRectF(left + 1, lower.bottom() - max(tall, 1.0), wide - 2, max(tall, 1.0)), theme.other)
            for at, colour in ((self.chosen, theme.accent), (self.hover, theme.text)):
                if at == index:
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.setPen(hairline(colour))
                    painter.drawRect(QRectF(left, upper.top(), wide, lower.bottom() - upper.top()))
