"""The crosshair of a plot of curves: the value of every curve at a step, in a box beside a vertical line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from guiapp.ui.widgets.curve_axes import Frame
from guiapp.ui.widgets.curve_data import Earlier, Series
from guiapp.ui.widgets.painting import hairline
from guiapp.ui.widgets.ticks import nearest

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_NEAR = 8  # pixels from the pointer within which an earlier run is named

Line = tuple[str, QColor, str]
"""What the box says in one line: a name, its colour, and a value or ""."""


def values_at(curves: Iterable[Series], x: float) -> list[tuple[Series, float, float]]:
    """Each curve that has points, with x and value of its point nearest to ``x``."""
    result = []
    for series in curves:
        if len(series.x):
            index = nearest(series.x, x)
            result.append((series, float(series.x[index]), float(series.y[index])))
    return result


def earlier_at(frame: Frame, runs: Iterable[Earlier], point: QPointF) -> tuple[str, float] | None:
    """Name and value of the other run whose curve passes nearest to a point of the widget, or None."""
    x, found = frame.x_at(point.x()), []
    lines = [line for run in runs for line in ((run.name, run.x, run.y), (_held(run.name), run.held_x, run.held_y))]
    for name, xs, ys in lines:
        if len(xs) and xs[0] <= x <= xs[-1]:
            value = float(np.interp(x, xs, ys))
            distance = abs(float(frame.to_y(value)) - point.y())
            if distance <= _NEAR:
                found.append((distance, name, value))
    return min(found)[1:] if found else None


def _held(name: str) -> str:
    return f"{name} (validation)"


def number(value: float, unit: str) -> str:
    """A value in four significant figures with its unit."""
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"
    return f"{text} {unit.strip('()')}".strip()


def paint(painter: QPainter, frame: Frame, x: float, lines: Sequence[Line], theme: Theme, ground: QColor) -> None:
    """Paint the vertical line and the box on that side of it where there is room.

    Args:
        painter: Its font is that of the box.
        frame: Where the axes lie.
        x: Horizontal position of the line in the widget.
        lines: What the box says, at least one line.
        theme: Gives the colours.
        ground: Colour behind the plot.
    """
    area = frame.area
    painter.setPen(hairline(theme.faint))
    painter.drawLine(QPointF(round(x) + 0.5, area.top()), QPointF(round(x) + 0.5, area.bottom()))
    metrics = QFontMetrics(painter.font())
    beside = (metrics.horizontalAdvance(label) for label, _, value in lines if value or len(lines) == 1)
    numbers = max(metrics.horizontalAdvance(value) for _, _, value in lines)
    alone = max((metrics.horizontalAdvance(label) for label, _, value in lines if not value), default=0)
    width, height = max(max(beside, default=0) + 12 + numbers, alone) + 12, len(lines) * metrics.height() + 8
    left = x + 10 if x + 10 + width < area.right() else x - 10 - width
    box = QRectF(max(area.left(), left), area.top() + 4, width, height)
    background = QColor(ground)
    background.setAlpha(230)
    painter.setPen(hairline(theme.border))
    painter.setBrush(background)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for row, (label, colour, value) in enumerate(lines):
        baseline = box.top() + 4 + row * metrics.height() + metrics.ascent()
        painter.setPen(colour)
        painter.drawText(QPointF(box.left() + 6, baseline), label)
        painter.setPen(theme.text)
        painter.drawText(QPointF(box.right() - 6 - metrics.horizontalAdvance(value), baseline), value)
