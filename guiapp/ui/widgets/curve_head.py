"""What stands above a plot of curves: its title, and the names of the curves beside or below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetrics, QPainter

from guiapp.ui.widgets.curve_data import Series

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

TOP = 22  # height of the title
_LEFT = 4


class Head:
    """Title and legend.

    Attributes:
        title: Name of what is drawn.
        unit: Its unit, or "".
        series: The curves by key; a single one needs no legend.
    """

    def __init__(self, title: str, unit: str, series: Mapping[str, Series]) -> None:
        self.title, self.unit, self.series = title, unit, series
        self._apart: tuple[tuple[object, ...], bool] | None = None

    def forget(self) -> None:
        """The font may be another one: measure anew."""
        self._apart = None

    def height(self, metrics: QFontMetrics, width: int) -> int:
        """Pixels that the head takes in a widget of a width."""
        return TOP + (metrics.height() if self.apart(metrics, width) else 0)

    def apart(self, metrics: QFontMetrics, width: int) -> bool:
        """Whether the legend has a line of its own: beside the title it would not fit, in the plot curves cross it.

        Asked at every repaint, and measuring text is slow: kept until what decides it changes.
        """
        asked = (width, tuple([s.label for s in self.series.values()]))
        if self._apart is None or self._apart[0] != asked:
            widths = self._widths(metrics)
            self._apart = asked, bool(widths) and self.title_end(metrics) + sum(widths) > width - 2
        return self._apart[1]

    def title_end(self, metrics: QFontMetrics) -> int:
        """Where the title ends, with a gap after it."""
        return _LEFT + metrics.horizontalAdvance(f"{self.title} {self.unit}") + 10

    def _widths(self, metrics: QFontMetrics) -> list[int]:
        """Widths of the names with the gap after each."""
        if len(self.series) < 2:
            return []
        return [metrics.horizontalAdvance(s.label) + 24 for s in self.series.values()]

    def paint(self, painter: QPainter, theme: Theme, metrics: QFontMetrics, width: int) -> None:
        """Paint title, unit and names with the painter's font.

        Args:
            painter: Of the whole widget.
            theme: Gives the colours.
            metrics: Of the widget's font, which decides where things stand.
            width: Of the widget.
        """
        own = QFontMetrics(painter.font())
        painter.setPen(theme.text)
        painter.drawText(QPointF(_LEFT, TOP - 10), self.title)
        if self.unit:
            painter.setPen(theme.faint)
            painter.drawText(QPointF(_LEFT + own.horizontalAdvance(self.title + " "), TOP - 10), self.unit)
        # Names stand at the right, beside the title where there is room, else in a line below it.
        widths = self._widths(metrics)
        baseline = TOP - 10.0 + (own.height() if self.apart(metrics, width) else 0)
        left = max(float(_LEFT), width - 2.0 - sum(widths) + 10)
        for series, taken in zip(self.series.values(), widths, strict=False):
            painter.setPen(theme.faint)
            painter.drawText(QPointF(left + 14, baseline), series.label)
            painter.fillRect(QRectF(left, baseline - own.xHeight() / 2 - 1, 10, 2), series.colour)
            left += taken
