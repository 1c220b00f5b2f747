"""Live curves over training steps: cheap to repaint, exact to read, free to zoom."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from guiapp.ui.widgets import export
from guiapp.ui.widgets.painting import blend, decimate, hairline, polygon, tabular, zigzag
from guiapp.ui.widgets.ticks import grown_end, grown_range, linear_ticks, log_ticks, nearest, tick_text

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_EMPTY = np.empty(0)
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 22, 8, 20
_TITLE_LEFT = 4
_NEAR = 8  # pixels from the pointer within which an earlier run is named
_DASHES = (
    Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
)  # fmt: skip


@dataclass
class Series:
    """One curve.

    Attributes:
        label: Name in the legend, the crosshair and the CSV.
        colour: Its colour.
        dots: Whether single points are marked (for few of them, such as one an epoch).
        x, y: The line, shape (n,), x ascending.
        low, high: The band around it at ``band_x``, shape (m,), or empty.
    """

    label: str
    colour: QColor
    dots: bool = False
    x: npt.NDArray[np.floating] = field(default_factory=lambda: _EMPTY)
    y: npt.NDArray[np.floating] = field(default_factory=lambda: _EMPTY)
    band_x: npt.NDArray[np.floating] = field(default_factory=lambda: _EMPTY)
    low: npt.NDArray[np.floating] = field(default_factory=lambda: _EMPTY)
    high: npt.NDArray[np.floating] = field(default_factory=lambda: _EMPTY)


@dataclass(frozen=True, eq=False)
class Earlier:
    """The curve of another run.

    Attributes:
        name: What the run is called.
        x, y: The line, shape (n,), x ascending.
    """

    name: str
    x: npt.NDArray[np.floating]
    y: npt.NDArray[np.floating]


@dataclass(frozen=True)
class Marker:
    """A vertical line.

    Attributes:
        x: Where.
        tip: What it says under the pointer.
        strong: Drawn in the accent colour (the step looked at), else faint and dashed (an event).
    """

    x: float
    tip: str = ""
    strong: bool = False


class CurvePlot(QWidget):
    """Curves with axes, band, crosshair and markers.

    Axes, grid and earlier runs are painted once into a pixmap and again only when a range, the size or the theme
    changes; ranges grow in steps. An update paints two short polylines a curve.

    Attributes:
        view_changed: Emitted when the visible part of the x axis changes.
        crosshair_moved: x under the pointer, or None when it leaves.
        clicked: x of a click.
        paint_ms: Time of the last repaint.
    """

    view_changed = Signal()
    crosshair_moved = Signal(object)
    clicked = Signal(float)

    def __init__(
        self, theme: Theme, title: str, x_title: str = "step", unit: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.theme, self.title, self.x_title, self.unit = theme, title, x_title, unit
        self.series: dict[str, Series] = {}
        self.paint_ms = 0.0
        self._previous: list[Earlier] = []
        self._markers: tuple[Marker, ...] = ()
        self._log_x = self._log_y = False
        self._x_user: tuple[float, float] | None = None
        self._y_user: tuple[float, float] | None = None
        self._x_range, self._y_range = (0.0, 100.0), (0.0, 1.0)
        self._y_limits: tuple[float | None, float | None] = (None, None)
        self._apart: tuple[tuple[object, ...], bool] | None = None
        self._background: QPixmap | None = None
        self._cross: float | None = None
        self._pointer: QPointF | None = None
        self._drag: tuple[QPointF, tuple[float, float], tuple[float, float]] | None = None
        self._pressed: QPointF | None = None
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(100, 80)
        self.setAccessibleName(f"{title} over {x_title}")
        theme.changed.connect(self.refresh)

    # ------------------------------------------------------------------ content

    def add_series(self, key: str, label: str, colour: QColor, dots: bool = False) -> Series:
        """Declare a curve; curves are painted in this order."""
        self.series[key] = Series(label, QColor(colour), dots)
        self.refresh()
        return self.series[key]

    def set_data(
        self,
        key: str,
        x: npt.NDArray[np.floating],
        y: npt.NDArray[np.floating],
        band: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating], npt.NDArray[np.floating]] | None = None,
    ) -> None:
        """Replace a curve and, where given, the band ``(x, low, high)`` around it. Arrays are kept, not copied."""
        series = self.series[key]
        series.x, series.y = x, y
        series.band_x, series.low, series.high = band if band is not None else (_EMPTY, _EMPTY, _EMPTY)
        self._fit()
        self.update(self._plot())

    def clear(self) -> None:
        """Remove all curves' data, earlier runs, markers and any zoom."""
        for series in self.series.values():
            series.x = series.y = series.band_x = series.low = series.high = _EMPTY
        self._previous, self._markers = [], ()
        self._x_user = self._y_user = None
        self._x_range, self._y_range = (1.0 if self._log_x else 0.0, 100.0), self._start_y()
        self.refresh()

    def set_previous(self, runs: Sequence[Earlier]) -> None:
        """Other runs as grey lines behind the curves; each has a grey and a dash of its own (``pen_of``)."""
        self._previous = list(runs)
        self._fit()
        self.refresh()

    def pen_of(self, place: int) -> QPen:
        """The pen of the other run at a place in their order."""
        shade = (0.85, 0.55)[place // len(_DASHES) % 2]
        ink = blend(self.palette().color(self.backgroundRole()), self.theme.faint, shade)
        return hairline(ink, style=_DASHES[place % len(_DASHES)])

    def set_markers(self, markers: Sequence[Marker]) -> None:
        """Replace the vertical lines."""
        if tuple(markers) != self._markers:
            self._markers = tuple(markers)
            self.update()

    def set_limits(self, low: float | None, high: float | None) -> None:
        """Values that the y axis shows from the start and never goes beyond, such as 0 to 100 %."""
        self._y_limits = (low, high)
        self._y_range = self._start_y()
        self._fit()
        self.refresh()

    def set_log(self, x: bool | None = None, y: bool | None = None) -> None:
        """Logarithmic axes; values of zero or less are left out."""
        if x is not None and x != self._log_x:
            self._log_x, self._x_user = x, None
        if y is not None and y != self._log_y:
            self._log_y, self._y_user = y, None
        self._x_range = (1.0 if self._log_x else 0.0, 100.0)
        self._y_range = self._start_y()
        self._fit()
        self.refresh()
        self.view_changed.emit()

    @property
    def log_x(self) -> bool:
        """Whether the x axis is logarithmic."""
        return self._log_x

    @property
    def log_y(self) -> bool:
        """Whether the y axis is logarithmic."""
        return self._log_y

    @property
    def x_range(self) -> tuple[float, float]:
        """The visible part of the x axis."""
        return self._x_range

    @property
    def y_range(self) -> tuple[float, float]:
        """The visible part of the y axis."""
        return self._y_range

    @property
    def x_zoom(self) -> tuple[float, float] | None:
        """The part of the x axis that the person chose, or None where it follows the data."""
        return self._x_user

    @property
    def zoomed(self) -> bool:
        """Whether the person chose a range, so that it does not follow the data."""
        return self._x_user is not None or self._y_user is not None

    @property
    def columns(self) -> int:
        """Pixels across the plot: more points than two for each are wasted."""
        return max(32, self._plot().width())

    def zoom_to(self, x: tuple[float, float] | None, y: tuple[float, float] | None) -> None:
        """Show a chosen range on either axis; None follows the data."""
        self._x_user, self._y_user = x, y
        before = self._x_range
        if x is None and y is None:
            self._x_range, self._y_range = (1.0 if self._log_x else 0.0, 100.0), self._start_y()
        self._fit()
        self.refresh()
        if self._x_range != before:
            self.view_changed.emit()

    def autoscale(self) -> None:
        """Follow the data again on both axes."""
        self.zoom_to(None, None)

    # ------------------------------------------------------------------ ranges

    def _start_y(self) -> tuple[float, float]:
        low, high = self._y_limits
        if self._log_y:
            return (0.1, 1.0)
        return (0.0 if low is None else low, 1.0 if high is None else high)

    def _fit(self) -> None:
        """Let the ranges follow the data, in steps; the background is painted anew only if one changed."""
        before = self._x_range, self._y_range
        if self._x_user is not None:
            self._x_range = self._x_user
        else:
            ends = [float(s.x[-1]) for s in self.series.values() if len(s.x)]
            ends += [float(s.band_x[-1]) for s in self.series.values() if len(s.band_x)]
            ends += [float(run.x[-1]) for run in self._previous if len(run.x)]
            low = 1.0 if self._log_x else 0.0
            # A single point stands in the middle.
            self._x_range = (low, max(grown_end(max(ends, default=10.0)), low * 10, 2.0))
        if self._y_user is not None:
            self._y_range = self._y_user
        else:
            self._fit_y()
        if (self._x_range, self._y_range) != before:
            self._background = None
            self.update()

    def _fit_y(self) -> None:
        bounds = [b for s in self.series.values() for b in self._bounds(s)]
        bounds += [b for run in self._previous for b in self._extent(run.x, run.y, run.y)]
        if not bounds:
            self._y_range = self._start_y()
            return
        least, most = self._y_limits
        bottom, top = min(bounds), max(bounds)
        if not self._log_y and self._x_user is None:
            # The axis is made for all that it shows, its fixed end too, with room above: no curve runs along its edge.
            bottom = bottom if least is None else min(bottom, least)
            top += 0.02 * (top - bottom)
        low, high = grown_range(bottom, top, self._log_y)
        if not self._log_y and self._x_user is None:
            low = low if least is None else least
            high = high if most is None else most
        elif not self._log_y:
            low = low if least is None else max(low, least)
            high = high if most is None else min(high, most)
        self._y_range = (low, high if high > low else low + 1)

    def _bounds(self, series: Series) -> list[float]:
        return self._extent(series.x, series.y, series.y) + self._extent(series.band_x, series.low, series.high)

    def _extent(
        self, x: npt.NDArray[np.floating], low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]
    ) -> list[float]:
        """Lowest and highest finite value in the visible part of x."""
        if not len(x):
            return []
        if self._x_user is not None:
            first, last = np.searchsorted(x, self._x_user[0], "left"), np.searchsorted(x, self._x_user[1], "right")
            low, high = low[first:last], high[first:last]
        if self._log_y:
            low, high = low[low > 0], high[high > 0]
        if not len(low) or not len(high):
            return []
        bottom, top = float(np.fmin.reduce(low)), float(np.fmax.reduce(high))
        return [v for v in (bottom, top) if math.isfinite(v)]

    def _plot(self) -> QRect:
        top = _TOP + (self.fontMetrics().height() if self._legend_apart() else 0)
        return QRect(_LEFT, top, max(1, self.width() - _LEFT - _RIGHT), max(1, self.height() - top - _BOTTOM))

    def _legend_apart(self) -> bool:
        """Whether the legend has a line of its own: beside the title it would not fit, in the plot curves cross it.

        Asked for every curve of every repaint, and measuring text is slow: kept until what decides it changes.
        """
        asked = (self.width(), self.title, self.unit, tuple([s.label for s in self.series.values()]))
        if self._apart is None or self._apart[0] != asked:
            widths = self._legend_widths()
            self._apart = asked, bool(widths) and self._title_end() + sum(widths) > self.width() - 2
        return self._apart[1]

    def _title_end(self) -> int:
        return _TITLE_LEFT + self.fontMetrics().horizontalAdvance(f"{self.title} {self.unit}") + 10

    def _legend_widths(self) -> list[int]:
        """Widths of the entries with the gap after each; a single curve needs none."""
        if len(self.series) < 2:
            return []
        return [self.fontMetrics().horizontalAdvance(s.label) + 24 for s in self.series.values()]

    def _to_x(self, values: npt.NDArray[np.floating] | float, area: QRectF) -> npt.NDArray[np.float64]:
        return _project(values, self._x_range, self._log_x) * area.width() + area.left()

    def _to_y(self, values: npt.NDArray[np.floating] | float, area: QRectF) -> npt.NDArray[np.float64]:
        return area.bottom() - _project(values, self._y_range, self._log_y) * area.height()

    def x_at(self, pixel: float) -> float:
        """The x value at a horizontal position in the widget."""
        area = self._plot()
        return _unproject((pixel - area.left()) / area.width(), self._x_range, self._log_x)

    def y_at(self, pixel: float) -> float:
        """The y value at a vertical position in the widget."""
        area = self._plot()
        return _unproject((area.top() + area.height() - pixel) / area.height(), self._y_range, self._log_y)

    def pixel_of(self, x: float) -> float:
        """The horizontal position of an x value in the widget."""
        return float(self._to_x(x, QRectF(self._plot())))

    # ------------------------------------------------------------------ painting

    def refresh(self) -> None:
        """Paint everything anew, as after a change of theme or size."""
        self._apart = None
        self._background = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._background = None
        self.view_changed.emit()

    def sizeHint(self) -> QSize:
        return QSize(280, 180)

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        if self._background is None:
            ratio = self.devicePixelRatioF()
            self._background = QPixmap(self.size() * ratio)
            self._background.setDevicePixelRatio(ratio)
            self._background.fill(self.palette().color(self.backgroundRole()))
            painter = QPainter(self._background)
            self._paint_axes(painter)
            painter.end()
        painter = QPainter(self)
        area = event.rect()
        ratio = self._background.devicePixelRatio()
        source = QRectF(area.x() * ratio, area.y() * ratio, area.width() * ratio, area.height() * ratio)
        painter.drawPixmap(QRectF(area), self._background, source)
        self._paint_curves(painter)
        self._paint_crosshair(painter)
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3

    def _paint_axes(self, painter: QPainter) -> None:
        area = QRectF(self._plot())
        painter.setFont(tabular(self.font()))
        metrics = QFontMetrics(painter.font())
        text, faint, grid = self.theme.text, self.theme.faint, self.theme.hover
        painter.setPen(text)
        painter.drawText(QPointF(_TITLE_LEFT, _TOP - 10), self.title)
        if self.unit:
            painter.setPen(faint)
            painter.drawText(QPointF(_TITLE_LEFT + metrics.horizontalAdvance(self.title + " "), _TOP - 10), self.unit)
        self._paint_legend(painter, metrics)
        most_y = max(2, int(area.height() // (metrics.height() * 2)))
        most_x = max(2, int(area.width() // (metrics.horizontalAdvance("00000") * 1.7)))
        ticks_y, step_y = _ticks(self._y_range, most_y, self._log_y)
        for value in ticks_y:
            y = round(float(self._to_y(value, area))) + 0.5
            painter.setPen(hairline(grid))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(faint)
            box = QRectF(0, y - metrics.height() / 2, area.left() - 6, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, tick_text(value, step_y))
        painter.setPen(faint)
        name_width = metrics.horizontalAdvance(self.x_title)
        baseline = area.bottom() + metrics.ascent() + 4
        painter.drawText(QPointF(area.right() - name_width, baseline), self.x_title)
        free = area.right() - name_width - 8
        if not self._log_x:  # there is nothing between two steps
            most_x = max(1, min(most_x, int(self._x_range[1] - self._x_range[0])))
        ticks_x, step_x = _ticks(self._x_range, most_x, self._log_x)
        for value in ticks_x:
            x = round(float(self._to_x(value, area))) + 0.5
            painter.setPen(hairline(grid))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            label = tick_text(value, step_x)
            width = metrics.horizontalAdvance(label)
            if x + width / 2 < free:
                painter.setPen(faint)
                painter.drawText(QPointF(x - width / 2, baseline), label)
        painter.setClipRect(area.adjusted(0, -1, 1, 1))
        for place, run in enumerate(self._previous):
            painter.setPen(self.pen_of(place))
            xs, low, high = decimate(run.x, run.y, self.columns)
            same = len(xs) == len(run.x)
            self._line(painter, area, xs if same else np.repeat(xs, 2), low if same else zigzag(low, high))

    def _paint_legend(self, painter: QPainter, metrics: QFontMetrics) -> None:
        """Names of the curves at the right, beside the title where there is room, else in a line below it."""
        widths = self._legend_widths()
        baseline = _TOP - 10.0 + (metrics.height() if self._legend_apart() else 0)
        left = max(float(_TITLE_LEFT), self.width() - 2.0 - sum(widths) + 10)
        for series, width in zip(self.series.values(), widths, strict=False):
            painter.setPen(self.theme.faint)
            painter.drawText(QPointF(left + 14, baseline), series.label)
            painter.fillRect(QRectF(left, baseline - metrics.xHeight() / 2 - 1, 10, 2), series.colour)
            left += width

    def _paint_curves(self, painter: QPainter) -> None:
        area = QRectF(self._plot())
        painter.save()
        painter.setClipRect(area.adjusted(0, -1, 1, 1))
        for series in self.series.values():
            if len(series.band_x):
                xs, low, high = self._shown(series.band_x, series.low, series.high)
                painter.setPen(hairline(blend(self.palette().color(self.backgroundRole()), series.colour, 0.4)))
                self._line(painter, area, np.repeat(xs, 2), zigzag(low, high))
        for series in self.series.values():
            if not len(series.x):
                continue
            painter.setPen(hairline(series.colour))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            xs, low, high = self._shown(series.x, series.y, series.y)
            if len(xs) < len(series.x) and low is not high:
                self._line(painter, area, np.repeat(xs, 2), zigzag(low, high))
            else:
                self._line(painter, area, xs, low)
            if len(xs) == 1 or (series.dots and len(xs) <= self.columns // 6):
                self._dots(painter, area, series.colour, xs, low, 3.0 if len(xs) == 1 else 1.5)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for marker in self._markers:
            x = round(float(self._to_x(marker.x, area))) + 0.5
            colour = self.theme.accent if marker.strong else self.theme.faint
            painter.setPen(hairline(colour, style=Qt.PenStyle.SolidLine if marker.strong else Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.restore()

    def _shown(
        self, x: npt.NDArray[np.floating], low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        """The visible part, at most two points a pixel column."""
        first = max(0, int(np.searchsorted(x, self._x_range[0], "left")) - 1)
        last = int(np.searchsorted(x, self._x_range[1], "right")) + 1
        x, low, high = x[first:last], low[first:last], high[first:last]
        if len(x) <= 2 * self.columns:
            return x, low, high
        edges = None
        if self._log_x:
            marks = np.geomspace(max(float(x[0]), self._x_range[0], 1e-12), float(x[-1]), self.columns)
            edges = np.unique(np.searchsorted(x, marks[:-1], "left"))
        xs, bottom, top = decimate(x, low, self.columns, edges)
        if high is not low:
            _, _, top = decimate(x, high, self.columns, edges)
        return xs, bottom, top

    def _line(self, painter: QPainter, area: QRectF, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> None:
        """One polyline; gaps at values that are not finite (or not positive on a logarithmic axis)."""
        px, py = self._to_x(x, area), self._to_y(y, area)
        good = np.isfinite(px) & np.isfinite(py)
        np.clip(py, area.top() - 4000, area.bottom() + 4000, out=py)
        if good.all():
            painter.drawPolyline(polygon(px, py))
            return
        edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False]))))
        for start, end in zip(edges[0::2], edges[1::2], strict=True):
            painter.drawPolyline(polygon(px[start:end], py[start:end]))

    def _dots(
        self,
        painter: QPainter,
        area: QRectF,
        colour: QColor,
        x: npt.NDArray[np.floating],
        y: npt.NDArray[np.floating],
        radius: float = 1.5,
    ) -> None:
        painter.setBrush(colour)
        for px, py in zip(self._to_x(x, area), self._to_y(y, area), strict=True):
            if math.isfinite(px) and math.isfinite(py):
                painter.drawEllipse(QPointF(px, py), radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    # ------------------------------------------------------------------ crosshair

    def values_at(self, x: float) -> list[tuple[str, float, float]]:
        """Label, x and value of the point nearest to ``x`` in each curve that has points."""
        result = []
        for series in self.series.values():
            if len(series.x):
                index = nearest(series.x, x)
                result.append((series.label, float(series.x[index]), float(series.y[index])))
        return result

    def earlier_at(self, point: QPointF) -> tuple[str, float] | None:
        """Name and value of the other run whose curve passes nearest to a point of the widget, or None."""
        area = QRectF(self._plot())
        x, found = self.x_at(point.x()), []
        for run in self._previous:
            if len(run.x) and run.x[0] <= x <= run.x[-1]:
                value = float(np.interp(x, run.x, run.y))
                distance = abs(float(self._to_y(value, area)) - point.y())
                if distance <= _NEAR:
                    found.append((distance, run.name, value))
        return min(found)[1:] if found else None

    def set_crosshair(self, x: float | None) -> None:
        """Show the crosshair at ``x`` (None hides it), as when it moves in a plot beside this one."""
        if x != self._cross:
            self._cross = x
            self.update()

    def _paint_crosshair(self, painter: QPainter) -> None:
        if self._cross is None:
            return
        area = QRectF(self._plot())
        x = float(self._to_x(self._cross, area))
        if not area.left() <= x <= area.right():
            return
        painter.setPen(hairline(self.theme.faint))
        painter.drawLine(QPointF(round(x) + 0.5, area.top()), QPointF(round(x) + 0.5, area.bottom()))
        lines = [(f"{self.x_title} {self._cross:.0f}", self.theme.faint, "")]
        colours = [s.colour for s in self.series.values() if len(s.x)]
        for (label, _, value), colour in zip(self.values_at(self._cross), colours, strict=True):
            lines.append((label, colour, _number(value, self.unit)))
        other = self.earlier_at(self._pointer) if self._pointer is not None else None
        if other is not None:
            lines.append((other[0], self.theme.faint, _number(other[1], self.unit)))
            colours.append(self.theme.faint)
        near = [m for m in self._markers if m.tip and abs(self.pixel_of(m.x) - x) < 4]
        lines += [(m.tip, self.theme.text, "") for m in near]
        painter.setFont(tabular(self.font()))
        metrics = QFontMetrics(painter.font())
        names = max(metrics.horizontalAdvance(label) for label, _, value in lines if value or len(lines) == 1)
        numbers = max(metrics.horizontalAdvance(value) for _, _, value in lines)
        alone = max((metrics.horizontalAdvance(label) for label, _, value in lines if not value), default=0)
        width, height = max(names + 12 + numbers, alone) + 12, len(lines) * metrics.height() + 8
        left = x + 10 if x + 10 + width < area.right() else x - 10 - width
        box = QRectF(max(area.left(), left), area.top() + 4, width, height)
        background = QColor(self.palette().color(self.backgroundRole()))
        background.setAlpha(230)
        painter.setPen(hairline(self.theme.border))
        painter.setBrush(background)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for row, (label, colour, value) in enumerate(lines):
            baseline = box.top() + 4 + row * metrics.height() + metrics.ascent()
            painter.setPen(colour)
            painter.drawText(QPointF(box.left() + 6, baseline), label)
            painter.setPen(self.theme.text)
            painter.drawText(QPointF(box.right() - 6 - metrics.horizontalAdvance(value), baseline), value)

    # ------------------------------------------------------------------ hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = (event.position(), self._x_range, self._y_range)
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        where = event.position()
        if self._drag is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start, x_range, y_range = self._drag
            if self._pressed is not None and (where - self._pressed).manhattanLength() < 4:
                return
            self._pressed = None
            area = self._plot()
            x = _shift(x_range, (start.x() - where.x()) / area.width(), self._log_x)
            y = _shift(y_range, (where.y() - start.y()) / area.height(), self._log_y)
            self.zoom_to(x, y)
            return
        inside = self._plot().contains(where.toPoint())
        x = self.x_at(where.x()) if inside else None
        self._pointer = where if inside else None
        if self._previous:
            self.update()
        x = x if x is None or self._log_x else float(round(x))
        self.set_crosshair(x)
        self.crosshair_moved.emit(x)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            if self._pressed is not None and self._plot().contains(event.position().toPoint()):
                self.clicked.emit(self.x_at(event.position().x()))
            self._drag = self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        self.autoscale()

    def leaveEvent(self, event: object) -> None:
        self._pointer = None
        self.set_crosshair(None)
        self.crosshair_moved.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer: both axes inside, one axis over its marks."""
        area = self._plot()
        where = event.position()
        factor = 0.85 ** (event.angleDelta().y() / 120)
        on_y, on_x = where.x() < area.left(), where.y() > area.bottom()
        x, y = self._x_user, self._y_user
        if not on_y:
            share = min(1.0, max(0.0, (where.x() - area.left()) / area.width()))
            x = _scale(self._x_range, share, factor, self._log_x)
        if not on_x:
            share = min(1.0, max(0.0, (area.bottom() - where.y()) / area.height()))
            y = _scale(self._y_range, share, factor, self._log_y)
        self.zoom_to(x, y)
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.make_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def make_menu(self) -> QMenu:
        """What a right click offers."""
        menu = QMenu(self)
        menu.addAction("Follow the data", self.autoscale).setEnabled(self.zoomed)
        log_y = menu.addAction("Logarithmic values", lambda: self.set_log(y=not self._log_y))
        log_x = menu.addAction("Logarithmic steps", lambda: self.set_log(x=not self._log_x))
        for action, on in ((log_y, self._log_y), (log_x, self._log_x)):
            action.setCheckable(True)
            action.setChecked(on)
        menu.addSeparator()
        menu.addAction("Copy picture", lambda: export.copy_widget(self))
        menu.addAction("Save as PNG or SVG …", lambda: export.ask_save_plot(self, self.title))
        menu.addAction(
            "Save numbers as CSV …", lambda: export.ask_save_text(self, f"{self.title}.csv", self.csv_text())
        )
        return menu

    # ------------------------------------------------------------------ export

    def paint_to(self, painter: QPainter) -> None:
        """Paint the whole plot with vectors, for SVG."""
        painter.fillRect(self.rect(), self.palette().color(self.backgroundRole()))
        self._paint_axes(painter)
        painter.setClipping(False)
        self._paint_curves(painter)

    def csv_text(self) -> str:
        """The numbers drawn: one line a point, with the lowest and highest value of its band where there is one."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        value = f"{self.title} ({self.unit})" if self.unit else self.title
        writer.writerow(["series", self.x_title, value, "lowest", "highest"])
        for series in self.series.values():
            for x, y in zip(series.x.tolist(), series.y.tolist(), strict=True):
                writer.writerow([series.label, f"{x:g}", f"{y:.9g}", "", ""])
            for x, low, high in zip(series.band_x.tolist(), series.low.tolist(), series.high.tolist(), strict=True):
                writer.writerow([f"{series.label} (band)", f"{x:g}", "", f"{low:.9g}", f"{high:.9g}"])
        for run in self._previous:
            for x, y in zip(run.x.tolist(), run.y.tolist(), strict=True):
                writer.writerow([run.name, f"{x:g}", f"{y:.9g}", "", ""])
        return stream.getvalue()


def _project(
    values: npt.NDArray[np.floating] | float, limits: tuple[float, float], log: bool
) -> npt.NDArray[np.float64]:
    """Values to 0..1 within the limits; NaN where a logarithm does not exist."""
    low, high = limits
    numbers = np.asarray(values, np.float64)
    if not log:
        return (numbers - low) / (high - low)
    safe = np.where(numbers > 0, numbers, np.nan)
    return (np.log10(safe) - math.log10(low)) / (math.log10(high) - math.log10(low))


def _unproject(share: float, limits: tuple[float, float], log: bool) -> float:
    low, high = limits
    if log:
        return float(low * (high / low) ** share)
    return low + share * (high - low)


def _shift(limits: tuple[float, float], share: float, log: bool) -> tuple[float, float]:
    return _unproject(share, limits, log), _unproject(1 + share, limits, log)


def _scale(limits: tuple[float, float], about: float, factor: float, log: bool) -> tuple[float, float]:
    """The limits drawn together or apart by ``factor`` about the share ``about`` of their span."""
    low, high = _unproject(about - about * factor, limits, log), _unproject(about + (1 - about) * factor, limits, log)
    if not high > low or high - low < 1e-9 * max(abs(high), abs(low), 1e-9) or not math.isfinite(high - low):
        return limits
    return low, high


def _ticks(limits: tuple[float, float], most: int, log: bool) -> tuple[list[float], float | None]:
    if log and limits[0] > 0 and limits[1] / limits[0] > 5:
        return log_ticks(*limits, most), None
    values = linear_ticks(*limits, most)
    return values, values[1] - values[0] if len(values) > 1 else None


def _number(value: float, unit: str) -> str:
    """A value in four significant figures with its unit."""
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"
    return f"{text} {unit.strip('()')}".strip()
