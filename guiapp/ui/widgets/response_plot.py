"""How well configurations do over one setting: a dot each, larger the longer it was trained."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.painting import hairline
from guiapp.ui.widgets.parallel_plot import Value, scale_of
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme


@dataclass(frozen=True)
class Dot:
    """One configuration.

    Attributes:
        value: Of the setting.
        accuracy: Mean on the validation part.
        spread: Standard deviation over repetitions, or NaN.
        share: Share of the full length that it was trained, 0 to 1.
        tip: In words.
    """

    value: Value
    accuracy: float
    spread: float = math.nan
    share: float = 1.0
    tip: str = ""


class ResponsePlot(SmallPlot):
    """The best dot is ringed; those that were stopped early are small and faint.

    Attributes:
        dots: What is shown.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Accuracy over a setting", parent)
        self.dots: list[Dot] = []
        self._axis = ""
        self.hovered.connect(lambda item: self.setToolTip("" if item is None else self.dots[item].tip))

    def set_dots(self, dots: Sequence[Dot], axis: str) -> None:
        """Show other configurations; ``axis`` names the setting."""
        self.dots, self._axis, self.hover = list(dots), axis, None
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.dots)

    def csv_text(self) -> str:
        """Values and accuracies."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow([self._axis, "accuracy", "spread", "share of full length"])
        writer.writerows([d.value, d.accuracy, "" if math.isnan(d.spread) else d.spread, d.share] for d in self.dots)
        return stream.getvalue()

    # ------------------------------------------------------------------ places

    def _area(self) -> QRectF:
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance("0.0000") + 12
        tall = self.height() - 2 * metrics.height() - 18
        return QRectF(left, 10, max(1.0, self.width() - left - 24), max(1.0, tall))

    def _places(self) -> list[QPointF]:
        area = self._area()
        x = scale_of("", [dot.value for dot in self.dots]).places
        y = scale_of("", [dot.accuracy for dot in self.dots]).places
        return [
            QPointF(area.left() + (0.5 if math.isnan(a) else a) * area.width(), area.bottom() - b * area.height())
            for a, b in zip(x.tolist(), y.tolist(), strict=True)
        ]

    def item_at(self, where: QPointF) -> int | None:
        """The dot at a point."""
        away = [(p - where).manhattanLength() for p in self._places()]
        near = min(range(len(away)), key=away.__getitem__, default=None)
        return near if near is not None and away[near] <= 12 else None

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint axes and dots."""
        if not self.dots:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, metrics = self._area(), self.fontMetrics()
        across, up = scale_of("", [d.value for d in self.dots]), scale_of("", [d.accuracy for d in self.dots])
        end = -math.inf
        for place, text in sorted(across.ticks):
            x, wide = area.left() + place * area.width(), metrics.horizontalAdvance(text)
            painter.setPen(hairline(self.theme.border))
            painter.drawLine(QLineF(x, area.top(), x, area.bottom() + 4))
            if x - wide / 2 > end:
                painter.setPen(self.theme.faint)
                painter.drawText(QPointF(x - wide / 2, area.bottom() + metrics.ascent() + 6), text)
                end = x + wide / 2 + 6
        for place, text in up.ticks:
            y, wide = area.bottom() - place * area.height(), metrics.horizontalAdvance(text)
            painter.setPen(hairline(self.theme.border))
            painter.drawLine(QLineF(area.left(), y, area.right(), y))
            painter.setPen(self.theme.faint)
            painter.drawText(QPointF(area.left() - wide - 6, y + metrics.ascent() / 2 - 1), text)
        painter.drawText(QPointF(area.left(), self.height() - metrics.descent() - 1), f"accuracy over {self._axis}")
        self._paint_dots(painter)

    def _paint_dots(self, painter: QPainter) -> None:
        area, places = self._area(), self._places()
        accuracies = [dot.accuracy for dot in self.dots]
        span = max(accuracies) - min(accuracies)
        best = max(range(len(self.dots)), key=lambda i: (self.dots[i].share, accuracies[i]))
        for index in sorted(range(len(self.dots)), key=lambda i: self.dots[i].share):
            dot, where = self.dots[index], places[index]
            colour = QColor(self.theme.validation)
            colour.setAlphaF(0.35 + 0.65 * dot.share)
            if math.isfinite(dot.spread) and span:
                half = dot.spread / span * area.height()
                painter.setPen(QPen(colour, 1.4))
                painter.drawLine(QLineF(where.x(), where.y() - half, where.x(), where.y() + half))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            size = 3.0 + 2.5 * dot.share
            painter.drawEllipse(where, size, size)
            if index in (best, self.hover):
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(self.theme.text if index == self.hover else self.theme.accent, 2))
                painter.drawEllipse(where, size + 3, size + 3)

    def sizeHint(self) -> QSize:
        return QSize(320, 190)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 110)
