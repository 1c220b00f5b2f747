"""Groups of runs in rows: every run as a dot with mean and deviation, and errors split into bias and variance."""

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
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.ticks import linear_ticks, tick_step, tick_text

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_LABEL = 0.34  # share of the width for labels, at most


@dataclass(frozen=True)
class Row:
    """A group: what it is called, the value of each of its runs, or the parts of one bar.

    Attributes:
        label: In words.
        values: Numbers: one a run (dots), or the parts of the bar in order.
        text: What stands at the right end.
        tip: What is told while the pointer is on it.
    """

    label: str
    values: tuple[float, ...]
    text: str = ""
    tip: str = ""


class RowPlot(SmallPlot):
    """The base: rows with labels on the left, an axis of numbers below."""

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, title, parent)
        self.rows: list[Row] = []
        self.axis = ""
        self.hovered.connect(lambda item: self.setToolTip("" if item is None else self.rows[item].tip))

    def set_rows(self, rows: Sequence[Row], axis: str) -> None:
        """Show other groups; ``axis`` says what the numbers are."""
        self.rows, self.axis, self.hover = list(rows), axis, None
        self.updateGeometry()
        self.setMinimumHeight(self.minimumSizeHint().height())
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.rows)

    def heads(self) -> list[str]:
        """Heads of the columns behind the label."""
        return [f"value {i + 1}" for i in range(max((len(row.values) for row in self.rows), default=0))]

    def csv_text(self) -> str:
        """Labels and values."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["group", *self.heads()])
        writer.writerows([row.label, *row.values] for row in self.rows)
        return stream.getvalue()

    def extent(self) -> tuple[float, float]:
        """Smallest and largest number on the axis."""
        raise NotImplementedError

    def paint_row(self, painter: QPainter, row: Row, area: QRectF) -> None:
        """Paint one group into its stripe."""
        raise NotImplementedError

    # ------------------------------------------------------------------ places

    def _line(self) -> float:
        return self.fontMetrics().height() + 6.0

    def _area(self) -> QRectF:
        metrics = self.fontMetrics()
        label = max((metrics.horizontalAdvance(row.label) for row in self.rows), default=0)
        text = max((metrics.horizontalAdvance(row.text) for row in self.rows), default=0)
        left = min(float(label), _LABEL * self.width()) + 16
        bottom = 2.0 * metrics.height() + 8
        right = self.width() - text - 16
        return QRectF(left, 4.0, max(1.0, right - left), max(1.0, self.height() - bottom - 4.0))

    def x(self, value: float) -> float:
        """Where a number lies."""
        (low, high), area = self.extent(), self._area()
        return area.left() + (value - low) / ((high - low) or 1.0) * area.width()

    def _stripe(self, index: int) -> QRectF:
        area = self._area()
        tall = min(area.height() / max(len(self.rows), 1), 2.2 * self._line())
        return QRectF(area.left(), area.top() + index * tall, area.width(), tall)

    def item_at(self, where: QPointF) -> int | None:
        """The group at a point."""
        for index in range(len(self.rows)):
            stripe = self._stripe(index)
            if stripe.top() <= where.y() < stripe.bottom():
                return index
        return None

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint stripes, labels, numbers and the axis."""
        if not self.rows:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, metrics, (low, high) = self._area(), self.fontMetrics(), self.extent()
        bottom = self._stripe(len(self.rows) - 1).bottom()
        most = max(2, int(area.width() // 70))
        step = tick_step(high - low, most)
        for tick in linear_ticks(low, high, most):
            at = self.x(tick)
            painter.setPen(hairline(self.theme.border))
            painter.drawLine(QLineF(at, area.top(), at, bottom))
            painter.setPen(self.theme.faint)
            text = tick_text(tick, step)
            painter.drawText(QPointF(at - metrics.horizontalAdvance(text) / 2, bottom + metrics.ascent() + 2), text)
        painter.drawText(QPointF(area.left(), bottom + metrics.height() + metrics.ascent() + 4), self.axis)
        for index, row in enumerate(self.rows):
            stripe = self._stripe(index)
            if index == self.hover:
                painter.fillRect(QRectF(0, stripe.top(), self.width(), stripe.height()), self.theme.hover)
            painter.setPen(self.theme.text)
            label = metrics.elidedText(row.label, Qt.TextElideMode.ElideMiddle, int(area.left() - 14))
            box = QRectF(6, stripe.top(), area.left() - 12, stripe.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)
            self.paint_row(painter, row, stripe)
            painter.setPen(self.theme.faint)
            box = QRectF(area.right() + 8, stripe.top(), self.width() - area.right() - 8, stripe.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, row.text)

    def sizeHint(self) -> QSize:
        return QSize(420, int(len(self.rows) * 1.4 * self._line() + 3 * self._line()))

    def minimumSizeHint(self) -> QSize:
        return QSize(220, int(max(len(self.rows), 1) * 0.9 * self._line() + 2.4 * self._line()))


class SpreadPlot(RowPlot):
    """A dot a run, a bar from mean - deviation to mean + deviation, a line at the mean."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Mean and spread", parent)

    def extent(self) -> tuple[float, float]:
        """All runs, with a little room."""
        values = [value for row in self.rows for value in row.values]
        low, high = min(values, default=0.0), max(values, default=1.0)
        room = 0.06 * (high - low) or 0.5
        return low - room, high + room

    def paint_row(self, painter: QPainter, row: Row, area: QRectF) -> None:
        """Paint the dots of one group."""
        if not row.values:
            return
        count, middle = len(row.values), area.center().y()
        mean = sum(row.values) / count
        deviation = math.sqrt(sum((v - mean) ** 2 for v in row.values) / (count - 1)) if count > 1 else 0.0
        half = min(0.3 * area.height(), 9.0)
        ground = QColor(self.theme.accent)
        ground.setAlphaF(0.25)
        left = self.x(mean - deviation)
        painter.fillRect(QRectF(left, middle - half, self.x(mean + deviation) - left, 2 * half), ground)
        painter.setPen(QPen(self.theme.accent, 2.0))
        painter.drawLine(QLineF(self.x(mean), middle - half - 2, self.x(mean), middle + half + 2))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.validation)
        for number, value in enumerate(row.values):
            shift = (number % 3 - 1) * half / 2 if count > 2 else 0.0
            painter.drawEllipse(QPointF(self.x(value), middle + shift), 3.0, 3.0)


class PartsPlot(RowPlot):
    """One bar a group, made of parts; a legend above the axis names them.

    Attributes:
        parts: Name and colour of each part.
    """

    def __init__(
        self, theme: Theme, name: str, title: str, parts: Sequence[tuple[str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, name, title, parent)
        self.parts = tuple(parts)

    def heads(self) -> list[str]:
        """Names of the parts."""
        return [name for name, _ in self.parts]

    def extent(self) -> tuple[float, float]:
        """From zero to the longest bar."""
        return 0.0, 1.04 * max((sum(row.values) for row in self.rows), default=1.0) or 1.0

    def paint_row(self, painter: QPainter, row: Row, area: QRectF) -> None:
        """Paint the parts one after another."""
        at, half = 0.0, min(0.32 * area.height(), 11.0)
        for value, (_, colour) in zip(row.values, self.parts, strict=True):
            left, at = self.x(at), at + value
            box = QRectF(left, area.center().y() - half, self.x(at) - left, 2 * half)
            painter.fillRect(box, getattr(self.theme, colour))

    def paint_to(self, painter: QPainter) -> None:
        """Paint the bars, and the legend at the right end of the axis' name."""
        super().paint_to(painter)
        if not self.rows:
            return
        metrics = self.fontMetrics()
        y = self._stripe(len(self.rows) - 1).bottom() + metrics.height() + 4
        x = self._area().right()
        for name, colour in reversed(self.parts):
            x -= metrics.horizontalAdvance(name) + 4
            painter.setPen(self.theme.faint)
            painter.drawText(QPointF(x, y + metrics.ascent()), name)
            x -= 14
            painter.fillRect(QRectF(x, y + metrics.height() / 2 - 5, 10, 10), getattr(self.theme, colour))
            x -= 10
