"""What stands above a plot of curves: its title, and the names of the curves beside or below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from guiapp.ui.widgets.curve_data import Series
from guiapp.ui.widgets.line_legend import shares

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

TOP = 22  # height of the title
_LEFT = 4
_GAP = 10  # after each name
_ROUND = 14 + _GAP  # what a name takes beside its letters


class Head:
    """Title and legend.

    Attributes:
        title: Name of what is drawn.
        unit: Its unit, or "".
        series: The curves by key; a single one needs no legend.
    """

    def __init__(self, title: str, unit: str, series: Mapping[str, Series]) -> None:
        self.title, self.unit, self.series = title, unit, series
        self._apart: tuple[tuple[object, ...], bool, list[tuple[str, float]]] | None = None

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
            apart = bool(widths) and self.title_end(metrics) + sum(widths) > width - 2
            self._apart = asked, apart, self._names(metrics, width, widths)
        return self._apart[1]

    def names(self, metrics: QFontMetrics, width: int) -> list[tuple[str, float]]:
        """What each curve is called in the legend, and the pixels it takes: all of them are within the width."""
        self.apart(metrics, width)
        assert self._apart is not None
        return self._apart[2]

    def _names(self, metrics: QFontMetrics, width: int, widths: list[int]) -> list[tuple[str, float]]:
        """Names whole where there is room for all, else cut off in the middle."""
        labels = [s.label for s in self.series.values()][: len(widths)]
        room = width - 2 - _LEFT + _GAP
        if sum(widths) <= room:
            return list(zip(labels, map(float, widths), strict=True))
        given = shares(widths, room)
        cut = [
            label if share >= wanted else metrics.elidedText(label, Qt.TextElideMode.ElideMiddle, int(share - _ROUND))
            for label, share, wanted in zip(labels, given, widths, strict=True)
        ]
        return list(zip(cut, given, strict=True))

    def title_end(self, metrics: QFontMetrics) -> int:
        """Where the title ends, with a gap after it."""
        return _LEFT + metrics.horizontalAdvance(f"{self.title} {self.unit}") + 10

    def _widths(self, metrics: QFontMetrics) -> list[int]:
        """Widths of the names with the gap after each."""
        if len(self.series) < 2:
            return []
        return [metrics.horizontalAdvance(s.label) + _ROUND for s in self.series.values()]

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
        names = self.names(metrics, width)
        baseline = TOP - 10.0 + (own.height() if self.apart(metrics, width) else 0)
        left = max(float(_LEFT), width - 2.0 - sum(taken for _, taken in names) + _GAP)
        for series, (name, taken) in zip(self.series.values(), names, strict=False):
            painter.setPen(theme.faint)
            painter.drawText(QPointF(left + 14, baseline), name)
            painter.fillRect(QRectF(left, baseline - own.xHeight() / 2 - 1, 10, 2), series.colour)
            left += taken
