"""Paints a plot of curves: grid and marks, lines and bands in two points a pixel column, vertical lines."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from guiapp.ui.widgets.curve_axes import Frame
from guiapp.ui.widgets.curve_data import Earlier, Marker, Series, Span
from guiapp.ui.widgets.painting import blend, decimate, hairline, polygon, zigzag
from guiapp.ui.widgets.ticks import tick_text

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_DASHES = (
    Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
)  # fmt: skip


def pen_of(place: int, theme: Theme, ground: QColor, colour: QColor | None = None) -> QPen:
    """The pen of the other run at a place in their order: each has a grey, or another colour, and a dash of its own."""
    shade = (0.85, 0.55)[place // len(_DASHES) % 2]
    faded = blend(ground, theme.faint, shade) if colour is None else blend(ground, colour, 0.6 * shade)
    return hairline(faded, style=_DASHES[place % len(_DASHES)])


def paint_grid(painter: QPainter, frame: Frame, theme: Theme, x_title: str) -> None:
    """Grid lines, their values and the name of the x axis, in the painter's font."""
    area, metrics = frame.area, QFontMetrics(painter.font())
    faint, grid = theme.faint, theme.hover
    most_y = max(2, int(area.height() // (metrics.height() * 2)))
    most_x = max(2, int(area.width() // (metrics.horizontalAdvance("00000") * 1.7)))
    ticks_y, step_y = frame.axes.y.ticks(most_y)
    for value in ticks_y:
        y = round(float(frame.to_y(value))) + 0.5
        painter.setPen(hairline(grid))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(faint)
        box = QRectF(0, y - metrics.height() / 2, area.left() - 6, metrics.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, tick_text(value, step_y))
    painter.setPen(faint)
    name_width = metrics.horizontalAdvance(x_title)
    baseline = area.bottom() + metrics.ascent() + 4
    painter.drawText(QPointF(area.right() - name_width, baseline), x_title)
    free = area.right() - name_width - 8
    x_axis = frame.axes.x
    if not x_axis.log:  # there is nothing between two steps
        most_x = max(1, min(most_x, int(x_axis.range[1] - x_axis.range[0])))
    ticks_x, step_x = x_axis.ticks(most_x)
    for value in ticks_x:
        x = round(float(frame.to_x(value))) + 0.5
        painter.setPen(hairline(grid))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        label = tick_text(value, step_x)
        width = metrics.horizontalAdvance(label)
        if x + width / 2 < free:
            painter.setPen(faint)
            painter.drawText(QPointF(x - width / 2, baseline), label)


def paint_spans(painter: QPainter, frame: Frame, spans: Iterable[Span], theme: Theme) -> None:
    """Pieces of the x axis that stand out, as coloured ground with an edge on either side."""
    painter.save()
    painter.setClipRect(frame.inside)
    ground = QColor(theme.warning)
    ground.setAlphaF(0.13)
    painted = -math.inf  # pieces that overlap are no darker where they do
    for left, end in sorted((float(frame.to_x(span.first)), float(frame.to_x(span.last))) for span in spans):
        right = max(end, left + 2.0)
        if right > painted:
            start = max(left, painted)
            painter.fillRect(QRectF(start, frame.area.top(), right - start, frame.area.height()), ground)
            painted = right
        painter.setPen(hairline(theme.warning, 0.5))
        for x in {round(left) + 0.5, round(right) + 0.5}:
            painter.drawLine(QPointF(x, frame.area.top()), QPointF(x, frame.area.bottom()))
    painter.restore()


def paint_earlier(painter: QPainter, frame: Frame, runs: Sequence[Earlier], theme: Theme, ground: QColor) -> None:
    """The curves of other runs, each with its pen; their validation with the same dash in the faded colour of ours."""
    painter.setClipRect(frame.inside)
    for place, run in enumerate(runs):
        painter.setPen(pen_of(place, theme, ground))
        xs, low, high = decimate(run.x, run.y, frame.columns)
        same = len(xs) == len(run.x)
        _line(painter, frame, xs if same else np.repeat(xs, 2), low if same else zigzag(low, high))
        if not len(run.held_x):
            continue
        pen = pen_of(place, theme, ground, theme.validation)
        painter.setPen(pen)
        xs, low, high = decimate(run.held_x, run.held_y, frame.columns)
        same = len(xs) == len(run.held_x)
        _line(painter, frame, xs if same else np.repeat(xs, 2), low if same else zigzag(low, high))
        if len(xs) == 1:
            _dots(painter, frame, pen.color(), xs, low, 2.0)
    painter.setClipping(False)


def paint_curves(
    painter: QPainter,
    frame: Frame,
    curves: Collection[Series],
    markers: Iterable[Marker],
    theme: Theme,
    ground: QColor,
) -> None:
    """Bands, the lines over all of them, and the vertical lines; ``ground`` is the colour behind the plot."""
    painter.save()
    painter.setClipRect(frame.inside)
    for series in curves:
        if len(series.band_x):
            xs, low, high = _shown(frame, series.band_x, series.low, series.high)
            painter.setPen(hairline(blend(ground, series.colour, 0.4)))
            _line(painter, frame, np.repeat(xs, 2), zigzag(low, high))
    for series in curves:
        if not len(series.x):
            continue
        painter.setPen(hairline(series.colour))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        xs, low, high = _shown(frame, series.x, series.y, series.y)
        if len(xs) < len(series.x) and low is not high:
            _line(painter, frame, np.repeat(xs, 2), zigzag(low, high))
        else:
            _line(painter, frame, xs, low)
        if len(xs) == 1 or (series.dots and len(xs) <= frame.columns // 6):
            _dots(painter, frame, series.colour, xs, low, 3.0 if len(xs) == 1 else 1.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for marker in markers:
        x = round(float(frame.to_x(marker.x))) + 0.5
        colour = theme.accent if marker.strong else theme.faint
        painter.setPen(hairline(colour, style=Qt.PenStyle.SolidLine if marker.strong else Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, frame.area.top()), QPointF(x, frame.area.bottom()))
    painter.restore()


def _shown(
    frame: Frame, x: npt.NDArray[np.floating], low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """The visible part, at most two points a pixel column."""
    axis, columns = frame.axes.x, frame.columns
    first = max(0, int(np.searchsorted(x, axis.range[0], "left")) - 1)
    last = int(np.searchsorted(x, axis.range[1], "right")) + 1
    x, low, high = x[first:last], low[first:last], high[first:last]
    if len(x) <= 2 * columns:
        return x, low, high
    edges = None
    if axis.log:
        marks = np.geomspace(max(float(x[0]), axis.range[0], 1e-12), float(x[-1]), columns)
        edges = np.unique(np.searchsorted(x, marks[:-1], "left"))
    xs, bottom, top = decimate(x, low, columns, edges)
    if high is not low:
        _, _, top = decimate(x, high, columns, edges)
    return xs, bottom, top


def _line(painter: QPainter, frame: Frame, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> None:
    """One polyline; gaps at values that are not finite (or not positive on a logarithmic axis)."""
    px, py = frame.to_x(x), frame.to_y(y)
    good = np.isfinite(px) & np.isfinite(py)
    np.clip(py, frame.area.top() - 4000, frame.area.bottom() + 4000, out=py)
    if good.all():
        painter.drawPolyline(polygon(px, py))
        return
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False]))))
    for start, end in zip(edges[0::2], edges[1::2], strict=True):
        painter.drawPolyline(polygon(px[start:end], py[start:end]))


def _dots(
    painter: QPainter,
    frame: Frame,
    colour: QColor,
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    radius: float,
) -> None:
    painter.setBrush(colour)
    for px, py in zip(frame.to_x(x), frame.to_y(y), strict=True):
        if math.isfinite(px) and math.isfinite(py):
            painter.drawEllipse(QPointF(px, py), radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)
