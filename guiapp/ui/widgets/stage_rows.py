"""One row for each way of preparing pictures: its name, two neighbouring pixels against each other, some pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.painting import hairline, image_of, polygon
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.interpret.prepared import Stage
    from guiapp.ui.theme import Theme

_GAP = 6


class StageRows(SmallPlot):
    """Rows share the height; a click chooses one.

    Attributes:
        stages: What is shown.
        chosen: Row that is framed, or None.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Data before and after", parent)
        self.stages: Sequence[Stage] = ()
        self.chosen: int | None = None
        self._images: list[list[QImage]] = []

    def show_stages(self, stages: Sequence[Stage]) -> None:
        """Show other stages."""
        self.stages = stages
        self._images = [[image_of(p[:, :, 0] if p.shape[2] == 1 else p) for p in one.pictures] for one in stages]
        self._point_at(None)
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.stages)

    def csv_text(self) -> str:
        """Mean, deviation and correlation of every stage."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("stage", "mean", "deviation", "correlation of two neighbouring pixels"))
        for one in self.stages:
            writer.writerow((one.name, f"{one.mean:.6g}", f"{one.deviation:.6g}", f"{one.correlation:.6g}"))
        return text.getvalue()

    def sizeHint(self) -> QSize:
        return QSize(340, 320)

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 160)

    def row_rect(self, row: int) -> QRectF:
        """Where a row stands."""
        tall = self.height() / max(len(self.stages), 1)
        return QRectF(0, row * tall, self.width(), tall)

    def item_at(self, where: QPointF) -> int | None:
        """The row at a point."""
        return next((row for row in range(len(self.stages)) if self.row_rect(row).contains(where)), None)

    def paint_to(self, painter: QPainter) -> None:
        """Paint all rows."""
        metrics = self.fontMetrics()
        words = max((metrics.horizontalAdvance(one.name) for one in self.stages), default=0)
        words = max(words, metrics.horizontalAdvance("σ 0.000 · r −0.00")) + 12
        for row, one in enumerate(self.stages):
            area = self.row_rect(row).adjusted(2, 2, -2, -2)
            if row in (self.chosen, self.hover):
                ground = QColor(self.theme.selection if row == self.chosen else self.theme.hover)
                painter.fillRect(area.adjusted(-2, -2, 2, 2), ground)
            middle = area.center().y()
            painter.setPen(self.theme.text)
            painter.drawText(QPointF(area.left() + 2, middle - 2), one.name)
            painter.setPen(self.theme.faint)
            small = f"σ {one.deviation:.3f} · r {one.correlation:.2f}".replace("-", "−")
            painter.drawText(QPointF(area.left() + 2, middle + metrics.ascent()), small)
            side = area.height()
            square = QRectF(area.left() + words, area.top(), side, side)
            self._paint_pair(painter, one, square)
            left = square.right() + _GAP
            for image in self._images[row]:
                if left + side > area.right():
                    break
                painter.drawImage(QRectF(left, area.top(), side, side), image)
                left += side + _GAP

    def _paint_pair(self, painter: QPainter, one: Stage, square: QRectF) -> None:
        """Points around the origin in the middle, on one scale for both pixels."""
        reach = float(np.abs(one.pair).max()) * 1.05 or 1.0
        painter.setPen(hairline(self.theme.border))
        painter.drawRect(square)
        centre = square.center()
        painter.drawLine(QPointF(square.left(), centre.y()), QPointF(square.right(), centre.y()))
        painter.drawLine(QPointF(centre.x(), square.top()), QPointF(centre.x(), square.bottom()))
        colour = QColor(self.theme.training)
        colour.setAlphaF(0.6)
        painter.setPen(hairline(colour))
        half = square.width() / 2
        x = centre.x() + one.pair[:, 0].astype(np.float64) / reach * half
        y = centre.y() - one.pair[:, 1].astype(np.float64) / reach * half
        painter.drawPoints(polygon(x, y))
        painter.setPen(Qt.PenStyle.NoPen)
