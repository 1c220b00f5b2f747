"""Names of lines in one row under plots, each beside a piece of its line."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.painting import tabular
from guiapp.ui.widgets.tips import Tips

_SAMPLE = 22
_SLACK = 4  # shortening measures without the figures of one width that are painted


def shares(wanted: Sequence[float], room: float) -> list[float]:
    """How much of the room each gets: long ones share what short ones leave, none gets more than it wants."""
    widths = [0.0] * len(wanted)
    for done, index in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        widths[index] = min(wanted[index], room / (len(wanted) - done))
        room -= widths[index]
    return widths


class LineLegend(QWidget):
    """Takes no room while it has nothing to name; names share the width and are cut off in the middle.

    Attributes:
        names: What is named.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        Tips(self)
        self.setObjectName(name)
        self.names: tuple[str, ...] = ()
        self._pens: tuple[QPen, ...] = ()
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def set_lines(self, names: Sequence[str], pens: Sequence[QPen]) -> None:
        """Name these lines, each painted with its pen."""
        self.names, self._pens = tuple(names), tuple(pens)
        self.setAccessibleName(", ".join(names))
        self.setVisible(bool(names))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(100, self.fontMetrics().height() + 2)

    minimumSizeHint = sizeHint

    def _places(self) -> list[tuple[float, float]]:
        """Left end and width of each entry; long names get what short ones leave."""
        wanted = [_SAMPLE + 6 + self.fontMetrics().horizontalAdvance(name) + 14 + _SLACK for name in self.names]
        widths = shares(wanted, float(self.width()))
        return [(sum(widths[:index]), width) for index, width in enumerate(widths)]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, metrics = QPainter(self), self.fontMetrics()
        middle = round(self.height() / 2) + 0.5
        for name, pen, (left, width) in zip(self.names, self._pens, self._places(), strict=True):
            painter.setPen(pen)
            painter.drawLine(QPointF(left, middle), QPointF(left + _SAMPLE, middle))
            painter.setPen(pen.color())
            room = max(0, int(width - _SAMPLE - 20))
            text = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            baseline = (self.height() + metrics.ascent() - metrics.descent()) / 2
            painter.drawText(QPointF(left + _SAMPLE + 6, baseline), text)
        painter.end()

    def tip_at(self, at: QPoint) -> str | None:
        """The whole name at a point."""
        places = zip(self.names, self._places(), strict=True)
        return next((name for name, (left, width) in places if left <= at.x() < left + width), None)
