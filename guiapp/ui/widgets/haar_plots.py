"""Plots of the face cascade: a feature over its window, the votes of one stage, all stages with what they let past."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from guiapp.ui.widgets.painting import hairline, image_of, polygon
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.interpret.cascade import CascadeView
    from guiapp.ui.theme import Theme

_AIR = 3  # pixels between words and the bars above and below them
_WEAK = 0.35  # opacity of what the cascade would no longer look at


def feature_weights(rectangles: np.ndarray) -> np.ndarray:
    """What a feature multiplies each pixel of the window by, (20, 20).

    OpenCV writes the whole once with a negative weight and the light part over it with a greater positive one.

    Args:
        rectangles: (3, 5): left, top, width, height, weight.
    """
    weights = np.zeros((20, 20))
    for left, top, width, height, weight in rectangles.tolist():
        weights[int(top) : int(top + height), int(left) : int(left + width)] += weight
    return weights


def paint_feature(painter: QPainter, place: QRectF, rectangles: np.ndarray, opacity: float, edge: QColor) -> None:
    """Paint a feature over a window that lies at ``place``: what is white is added, what is black taken away."""
    weights = feature_weights(rectangles)
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[weights > 0, :3] = 255
    pixels[weights != 0, 3] = round(255 * opacity)
    painter.drawImage(place, image_of(pixels))
    side = place.width() / 20
    painter.setPen(hairline(edge))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for left, top, width, height, weight in rectangles.tolist():
        if weight:
            painter.drawRect(QRectF(place.x() + left * side, place.y() + top * side, width * side, height * side))


class FeatureView(SmallPlot):
    """The window of 20 x 20 grey values, with one feature over it."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Window")
        self.view: CascadeView | None = None
        self.stump = 0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(64, 60)

    def show_feature(self, view: CascadeView | None, stump: int) -> None:
        """Show a feature of the chosen window; ``stump`` counts those of all stages."""
        self.view, self.stump = view, stump
        self.update()

    @property
    def filled(self) -> bool:
        """Whether a window is shown."""
        return self.view is not None

    def place(self) -> QRectF:
        """Where the window is painted."""
        side = float(min(self.width(), self.height()))
        return QRectF((self.width() - side) / 2, 0, side, side)

    def sizeHint(self) -> QSize:
        return QSize(132, 132)

    def paint_to(self, painter: QPainter) -> None:
        """Paint window and feature."""
        if self.view is None:
            return
        place = self.place()
        painter.drawImage(place, image_of(self.view.crop))
        cascade = self.view.cascade
        paint_feature(painter, place, cascade.rectangles[cascade.feature[self.stump]], 0.6, self.theme.accent)

    def csv_text(self) -> str:
        """The grey values."""
        return "\n".join(",".join(map(str, row)) for row in self.view.crop.tolist()) + "\n" if self.view else ""


class VoteBars(SmallPlot):
    """One bar a feature of a stage: what it says; over them how the sum of the votes grows to the threshold."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Votes of a stage")
        self.votes = np.zeros(0)
        self.fired = np.zeros(0, bool)
        self.wanted = 1.0
        self.chosen = 0
        self.setMinimumSize(100, 60)
        self.setToolTip("Bars: what each feature says. Line: their sum, which must reach the dashed line")

    def show_votes(self, votes: np.ndarray, fired: np.ndarray, wanted: float, chosen: int) -> None:
        """Show the votes (n,) of a stage, which features reached their threshold, and the sum that is wanted."""
        self.votes, self.fired, self.wanted, self.chosen = votes, fired, wanted, chosen
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there are votes."""
        return len(self.votes) > 0

    def sizeHint(self) -> QSize:
        return QSize(220, 132)

    def _area(self) -> QRectF:
        return QRectF(2, 4, max(1, self.width() - 4), max(1, self.height() - 8))

    def bar(self, index: int) -> QRectF:
        """Where a bar stands."""
        area, wide = self._area(), self._area().width() / max(1, len(self.votes))
        gap = 2 if wide > 8 else 1 if wide > 3 else 0
        high = float(self.votes[index]) * area.height()
        return QRectF(area.x() + index * wide, area.bottom() - high, max(1.0, wide - gap), high)

    def item_at(self, where: QPointF) -> int | None:
        """The feature whose column is there."""
        if not len(self.votes):
            return None
        index = math.floor((where.x() - self._area().x()) / self._area().width() * len(self.votes))
        return index if 0 <= index < len(self.votes) else None

    def paint_to(self, painter: QPainter) -> None:
        """Paint bars and line."""
        if not len(self.votes):
            return
        area, theme = self._area(), self.theme
        painter.setPen(hairline(theme.hover))
        painter.drawLine(QPointF(area.left(), area.bottom()), QPointF(area.right(), area.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        for index in range(len(self.votes)):
            colour = theme.training if self.fired[index] else theme.other
            if index in (self.chosen, self.hover):
                whole = QRectF(self.bar(index).x() - 0.5, area.y(), self.bar(index).width() + 1, area.height())
                painter.fillRect(whole, theme.selection if index == self.chosen else theme.hover)
            painter.fillRect(self.bar(index), colour)
        running = np.cumsum(self.votes)
        most = max(float(running[-1]), self.wanted) * 1.04
        line = area.bottom() - self.wanted / most * area.height()
        painter.setPen(hairline(theme.faint, 1.0, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), line), QPointF(area.right(), line))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        passes = running[-1] >= self.wanted - 1e-5
        wide = area.width() / len(running)
        x = area.x() + wide * np.arange(len(running) + 1)
        y = area.bottom() - np.concatenate([[0], running]) / most * area.height()
        for pen in (QPen(theme.panel, 4), QPen(theme.good if passes else theme.error, 1.5)):  # seen over bars, too
            painter.setPen(pen)
            painter.drawPolyline(polygon(x, y))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def csv_text(self) -> str:
        """Vote and sum of each feature."""
        rows = zip(range(len(self.votes)), self.fired, self.votes, np.cumsum(self.votes), strict=True)
        return _table(("feature", "fired", "vote", "sum"), [(i + 1, int(f), v, s) for i, f, v, s in rows])


class StageChart(SmallPlot):
    """All stages on one axis: by how much the window passes each; below, how many windows of the picture are left."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Stages")
        self.view: CascadeView | None = None
        self.chosen = 0
        self.setMinimumSize(160, 84)
        self.setToolTip("A click looks at the features of that stage")

    def show_stages(self, view: CascadeView | None, chosen: int) -> None:
        """Show the stages of the chosen window and of the picture."""
        self.view, self.chosen = view, chosen
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there are stages."""
        return self.view is not None

    def sizeHint(self) -> QSize:
        return QSize(320, 190)

    def areas(self) -> tuple[QRectF, QRectF]:
        """Where the margins and the numbers of windows are painted."""
        line = self.fontMetrics().height()
        words = line + 2 * _AIR
        room = max(20.0, self.height() - 2.0 * words - line - 4)
        upper = QRectF(2, words, max(1, self.width() - 4), room * 0.5)
        return upper, QRectF(2, upper.bottom() + words, upper.width(), room - upper.height())

    def item_at(self, where: QPointF) -> int | None:
        """The stage whose column is there."""
        if self.view is None:
            return None
        upper, count = self.areas()[0], len(self.view.wanted)
        index = math.floor((where.x() - upper.x()) / upper.width() * count)
        return index if 0 <= index < count else None

    def paint_to(self, painter: QPainter) -> None:
        """Paint both rows and the numbers of the stages."""
        view, theme = self.view, self.theme
        if view is None:
            return
        upper, lower = self.areas()
        count = len(view.wanted)
        wide = upper.width() / count
        gap = 2 if wide > 7 else 1
        metrics = self.fontMetrics()
        for index, ground in ((self.hover, theme.hover), (self.chosen, theme.selection)):
            for area in (upper, lower) if index is not None else ():
                painter.fillRect(QRectF(area.x() + index * wide, area.y(), wide - gap + 1, area.height()), ground)
        painter.setPen(theme.faint)
        ascent = metrics.ascent()
        self._words(painter, upper, ascent, ("sum of the votes − threshold", "sum − threshold"))
        left = f"{int(view.survivors[-1]):,} of {int(view.survivors[0]):,} windows left"
        self._words(painter, lower, ascent, (f"{left}, on a logarithmic scale", left, "windows left"))
        margins = view.sums - view.wanted
        low, high = min(0.0, float(margins.min())), max(0.0, float(margins.max()))
        span = max(high - low, 1e-9)
        zero = upper.bottom() + low / span * upper.height()
        most = math.log10(max(10.0, float(view.survivors[0])))
        for stage in range(count):
            x = upper.x() + stage * wide
            seen = stage <= view.passed
            colour = theme.good if margins[stage] >= -1e-5 else theme.error
            colour.setAlphaF(1.0 if seen else _WEAK)
            top = zero - float(margins[stage]) / span * upper.height()
            painter.fillRect(QRectF(x, min(zero, top), wide - gap, max(1.0, abs(top - zero))), colour)
            left_over = int(view.survivors[stage + 1])
            if left_over:
                high_bar = max(2.0, math.log10(left_over) / most * lower.height()) if left_over > 1 else 2.0
                painter.fillRect(QRectF(x, lower.bottom() - high_bar, wide - gap, high_bar), theme.training)
        painter.setPen(hairline(theme.border))
        painter.drawLine(QPointF(upper.left(), zero), QPointF(upper.right(), zero))
        painter.drawLine(QPointF(lower.left(), lower.bottom()), QPointF(lower.right(), lower.bottom()))
        painter.setPen(theme.faint)
        every = 1 if wide > metrics.horizontalAdvance("00") + 4 else 5
        for stage in range(count):
            if stage % every == (every - 1 if every > 1 else 0) or stage == 0 or (every > 1 and stage == count - 1):
                text = str(stage + 1)
                box = QRectF(upper.x() + stage * wide - 12, lower.bottom() + 1, wide - gap + 24, metrics.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _words(self, painter: QPainter, area: QRectF, ascent: int, wordings: Sequence[str]) -> None:
        """The longest wording that fits, above an area."""
        metrics = self.fontMetrics()
        text = next((t for t in wordings if metrics.horizontalAdvance(t) <= area.width()), wordings[-1])
        painter.drawText(QPointF(area.x(), area.y() - metrics.height() - _AIR + ascent), text)

    def csv_text(self) -> str:
        """Sum, threshold and windows left of each stage."""
        view = self.view
        if view is None:
            return ""
        rows = zip(range(1, len(view.wanted) + 1), view.sums, view.wanted, view.survivors[1:], strict=True)
        return _table(("stage", "sum", "threshold", "windows left"), list(rows))


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(head)
    writer.writerows([[f"{v:.7g}" if isinstance(v, float) else v for v in row] for row in rows])
    return stream.getvalue()
