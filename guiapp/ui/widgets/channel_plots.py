"""Weights of channels: every block as a strip of colours, one block as bars, with means drawn as lines over them."""

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

Weights = npt.NDArray[np.float32]
_SPACE = 4


class ChannelStrips(SmallPlot):
    """A row for each block, a colour for each of its channels: 0 dark, 1 bright.

    Attributes:
        chosen: Row that is framed, or None.
    """

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, title, parent)
        self.chosen: int | None = None
        self._names: Sequence[str] = ()
        self._weights: Sequence[Weights] = ()

    def show_weights(self, names: Sequence[str], weights: Sequence[Weights]) -> None:
        """Show the weights (C,) of each block, 0 to 1."""
        self._names, self._weights = names, weights
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self._weights)

    def csv_text(self) -> str:
        """One line a channel of each block."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["block", "channel", "weight"])
        for name, weights in zip(self._names, self._weights, strict=True):
            writer.writerows([name, channel, f"{value:.6g}"] for channel, value in enumerate(weights.tolist()))
        return stream.getvalue()

    def row_rect(self, row: int) -> QRectF:
        """Where a block is painted."""
        left = self.fontMetrics().horizontalAdvance("00") + _SPACE
        height = self.height() / max(1, len(self._weights))
        return QRectF(left, row * height, max(1.0, self.width() - left - 1), height)

    def item_at(self, where: QPointF) -> int | None:
        """The block at a point."""
        if not self._weights or not 0 <= where.y() < self.height():
            return None
        return min(len(self._weights) - 1, int(where.y() / self.height() * len(self._weights)))

    def paint_to(self, painter: QPainter) -> None:
        """Paint the strips and the numbers of the blocks."""
        painter.fillRect(self.rect(), self.theme.panel)
        painter.setFont(self.font())
        line = self.fontMetrics().height()
        every = max(1, -(-line * len(self._weights) // max(1, self.height())))
        for row, weights in enumerate(self._weights):
            area = self.row_rect(row)
            index = (np.clip(weights, 0, 1) * 254 + 1).round().astype(np.uint8)[None]
            painter.drawImage(area.adjusted(0, 0.5, 0, -0.5), image_of(index, palette_table(False)))
            painter.setPen(self.theme.faint)
            if row % every == 0:
                text = QRectF(0, area.center().y() - line / 2, area.left() - _SPACE, line)
                painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(row + 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for row, colour in ((self.chosen, self.theme.accent), (self.hover, self.theme.text)):
            if row is not None and row < len(self._weights):
                painter.setPen(hairline(colour))
                painter.drawRect(self.row_rect(row).adjusted(0, 0, -1, -1))


class ChannelBars(SmallPlot):
    """A bar for each channel from 0 to 1, and lines for what the block does in the mean over samples.

    Attributes:
        weights: float32 (C,), empty without any.
        chosen: Channel that is marked, or None.
        lines: Mean weights with their colours and names.
    """

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, title, parent)
        self.weights: Weights = np.zeros(0, np.float32)
        self.chosen: int | None = None
        self.lines: tuple[tuple[str, Weights], ...] = ()

    def show_weights(self, weights: Weights, lines: tuple[tuple[str, Weights], ...] = ()) -> None:
        """Show the weights (C,) of one block, and means (C,) by name, at most two."""
        if len(weights) != len(self.weights):
            self._point_at(None)
        self.weights, self.lines = weights, lines
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(len(self.weights))

    def csv_text(self) -> str:
        """One line a channel."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["channel", "weight", *(name for name, _ in self.lines)])
        for channel, value in enumerate(self.weights.tolist()):
            writer.writerow([channel, f"{value:.6g}", *(f"{mean[channel]:.6g}" for _, mean in self.lines)])
        return stream.getvalue()

    def area(self) -> QRectF:
        """Where the bars are."""
        line = self.fontMetrics().height()
        left = self.fontMetrics().horizontalAdvance("0.5") + _SPACE
        return QRectF(left, line + 2, max(1.0, self.width() - left - 2), max(1.0, self.height() - 2 * line - 6))

    def bar_rect(self, channel: int) -> QRectF:
        """Where a channel's bar is."""
        area = self.area()
        step = area.width() / max(1, len(self.weights))
        high = float(np.clip(self.weights[channel], 0, 1)) * area.height()
        gap = 1.0 if step >= 4 else 0.0
        return QRectF(area.left() + channel * step, area.bottom() - high, step - gap, high)

    def item_at(self, where: QPointF) -> int | None:
        """The channel at a point."""
        area = self.area()
        if not self.filled or not area.left() <= where.x() < area.right():
            return None
        return min(len(self.weights) - 1, int((where.x() - area.left()) / area.width() * len(self.weights)))

    def paint_to(self, painter: QPainter) -> None:
        """Paint axes, bars, lines and their names."""
        theme, area, metrics = self.theme, self.area(), self.fontMetrics()
        painter.fillRect(self.rect(), theme.panel)
        painter.setFont(self.font())
        if not self.filled:
            return
        for value, text in ((0.0, "0"), (0.5, "0.5"), (1.0, "1")):
            y = area.bottom() - value * area.height()
            painter.setPen(hairline(theme.border))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.faint)
            place = QRectF(0, y - metrics.height() / 2, area.left() - _SPACE, metrics.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        for channel in range(len(self.weights)):
            marked = channel in (self.chosen, self.hover)
            painter.fillRect(self.bar_rect(channel), theme.accent if marked else theme.faint)
        x = area.left() + (np.arange(len(self.weights)) + 0.5) * area.width() / len(self.weights)
        left = area.left()
        for (name, mean), colour in zip(self.lines, (theme.text, theme.validation), strict=False):
            painter.setPen(hairline(colour))
            y = area.bottom() - np.clip(mean, 0, 1) * area.height()
            points = [QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True) if point[1] == point[1]]
            painter.drawPolyline(points)
            painter.drawText(QPointF(left, metrics.ascent()), name)
            left += metrics.horizontalAdvance(name) + 12
        painter.setPen(theme.faint)
        under = QRectF(area.left(), area.bottom() + 2, area.width(), metrics.height())
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, "channel 0")
        painter.drawText(under, Qt.AlignmentFlag.AlignRight, str(len(self.weights) - 1))
