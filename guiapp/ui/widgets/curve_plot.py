"""Live curves over training steps: cheap to repaint, exact to read, free to zoom."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from guiapp.ui.widgets import curve_crosshair, curve_painting, export
from guiapp.ui.widgets.curve_axes import Axes, Frame
from guiapp.ui.widgets.curve_data import EMPTY, Earlier, Marker, Series, Span, as_csv
from guiapp.ui.widgets.curve_head import Head
from guiapp.ui.widgets.painting import tabular

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_LEFT, _RIGHT, _BOTTOM = 48, 8, 20


class CurvePlot(QWidget):
    """Curves with axes, band, crosshair and markers.

    Axes, grid and earlier runs are painted once into a pixmap and again only when a range, the size or the theme
    changes; ranges grow in steps. An update paints two short polylines a curve.

    Attributes:
        view_changed: Emitted when the visible part of the x axis changes.
        crosshair_moved: x under the pointer, or None when it leaves.
        clicked: x of a click.
        series: The curves by key, in the order in which they are painted.
        axes: What part is seen.
        head: Title and legend.
        paint_ms: Time of the last repaint.
        whole: Whether x are whole numbers, as steps are; the crosshair then stands on them alone.
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
        self.axes = Axes()
        self.head = Head(title, unit, self.series)
        self.paint_ms = 0.0
        self.whole = True
        self._previous: list[Earlier] = []
        self._markers: tuple[Marker, ...] = ()
        self._spans: tuple[Span, ...] = ()
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
        series.band_x, series.low, series.high = band if band is not None else (EMPTY, EMPTY, EMPTY)
        self._follow()
        self.update(self._box())

    def clear(self) -> None:
        """Remove all curves' data, earlier runs, markers and any zoom."""
        for series in self.series.values():
            series.x = series.y = series.band_x = series.low = series.high = EMPTY
        self._previous, self._markers = [], ()
        self.axes.restart()
        self.refresh()

    def set_previous(self, runs: Sequence[Earlier]) -> None:
        """Other runs as grey lines behind the curves; each has a grey and a dash of its own (``pen_of``)."""
        self._previous = list(runs)
        self._follow()
        self.refresh()

    def pen_of(self, place: int) -> QPen:
        """The pen of the other run at a place in their order."""
        return curve_painting.pen_of(place, self.theme, self._ground())

    def set_markers(self, markers: Sequence[Marker]) -> None:
        """Replace the vertical lines."""
        if tuple(markers) != self._markers:
            self._markers = tuple(markers)
            self.update()

    def set_spans(self, spans: Sequence[Span]) -> None:
        """Replace the pieces of the x axis that stand out."""
        if tuple(spans) != self._spans:
            self._spans = tuple(spans)
            self.refresh()

    def set_limits(self, low: float | None, high: float | None) -> None:
        """Values that the y axis shows from the start and never goes beyond, such as 0 to 100 %."""
        self.axes.limits = (low, high)
        self._follow()
        self.refresh()

    def set_log(self, x: bool | None = None, y: bool | None = None) -> None:
        """Logarithmic axes; values of zero or less are left out."""
        for axis, log in ((self.axes.x, x), (self.axes.y, y)):
            if log is not None and log != axis.log:
                axis.log, axis.chosen = log, None
        self._follow()
        self.refresh()
        self.view_changed.emit()

    @property
    def log_x(self) -> bool:
        """Whether the x axis is logarithmic."""
        return self.axes.x.log

    @property
    def log_y(self) -> bool:
        """Whether the y axis is logarithmic."""
        return self.axes.y.log

    @property
    def x_range(self) -> tuple[float, float]:
        """The visible part of the x axis."""
        return self.axes.x.range

    @property
    def y_range(self) -> tuple[float, float]:
        """The visible part of the y axis."""
        return self.axes.y.range

    @property
    def x_zoom(self) -> tuple[float, float] | None:
        """The part of the x axis that the person chose, or None where it follows the data."""
        return self.axes.x.chosen

    @property
    def zoomed(self) -> bool:
        """Whether the person chose a range, so that it does not follow the data."""
        return self.axes.x.chosen is not None or self.axes.y.chosen is not None

    @property
    def columns(self) -> int:
        """Pixels across the plot: more points than two for each are wasted."""
        return self.frame().columns

    def zoom_to(self, x: tuple[float, float] | None, y: tuple[float, float] | None) -> None:
        """Show a chosen range on either axis; None follows the data."""
        before = self.axes.x.range
        self.axes.x.chosen, self.axes.y.chosen = x, y
        self._follow()
        self.refresh()
        if self.axes.x.range != before:
            self.view_changed.emit()

    def autoscale(self) -> None:
        """Follow the data again on both axes."""
        self.zoom_to(None, None)

    def _follow(self) -> None:
        """Let the ranges follow the data; the background is painted anew only if one changed."""
        if self.axes.follow(self.series.values(), self._previous):
            self._background = None
            self.update()

    # ------------------------------------------------------------------ geometry

    def _box(self) -> QRect:
        top = self.head.height(self.fontMetrics(), self.width())
        return QRect(_LEFT, top, max(1, self.width() - _LEFT - _RIGHT), max(1, self.height() - top - _BOTTOM))

    def frame(self) -> Frame:
        """Where the axes lie in the widget at present."""
        return Frame(self._box(), self.axes)

    def x_at(self, pixel: float) -> float:
        """The x value at a horizontal position in the widget."""
        return self.frame().x_at(pixel)

    def y_at(self, pixel: float) -> float:
        """The y value at a vertical position in the widget."""
        return self.frame().y_at(pixel)

    def pixel_of(self, x: float) -> float:
        """The horizontal position of an x value in the widget."""
        return float(self.frame().to_x(x))

    # ------------------------------------------------------------------ painting

    def refresh(self) -> None:
        """Paint everything anew, as after a change of theme or size."""
        self.head.forget()
        self._background = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._background = None
        self.view_changed.emit()

    def sizeHint(self) -> QSize:
        return QSize(280, 180)

    def _ground(self) -> QColor:
        return self.palette().color(self.backgroundRole())

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        frame, ground = self.frame(), self._ground()
        if self._background is None:
            ratio = self.devicePixelRatioF()
            self._background = QPixmap(self.size() * ratio)
            self._background.setDevicePixelRatio(ratio)
            self._background.fill(ground)
            painter = QPainter(self._background)
            self._paint_background(painter, frame, ground)
            painter.end()
        painter = QPainter(self)
        area = event.rect()
        ratio = self._background.devicePixelRatio()
        source = QRectF(area.x() * ratio, area.y() * ratio, area.width() * ratio, area.height() * ratio)
        painter.drawPixmap(QRectF(area), self._background, source)
        curve_painting.paint_curves(painter, frame, self.series.values(), self._markers, self.theme, ground)
        if self._cross is not None:
            self._paint_crosshair(painter, frame, self._cross, ground)
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3

    def _paint_background(self, painter: QPainter, frame: Frame, ground: QColor) -> None:
        painter.setFont(tabular(self.font()))
        self.head.paint(painter, self.theme, self.fontMetrics(), self.width())
        curve_painting.paint_spans(painter, frame, self._spans, self.theme)
        curve_painting.paint_grid(painter, frame, self.theme, self.x_title)
        curve_painting.paint_earlier(painter, frame, self._previous, self.theme, ground)

    def paint_to(self, painter: QPainter) -> None:
        """Paint the whole plot with vectors, for SVG."""
        frame, ground = self.frame(), self._ground()
        painter.fillRect(self.rect(), ground)
        self._paint_background(painter, frame, ground)
        curve_painting.paint_curves(painter, frame, self.series.values(), self._markers, self.theme, ground)

    # ------------------------------------------------------------------ crosshair

    def values_at(self, x: float) -> list[tuple[str, float, float]]:
        """Label, x and value of the point nearest to ``x`` in each curve that has points."""
        found = curve_crosshair.values_at(self.series.values(), x)
        return [(series.label, at, value) for series, at, value in found]

    def earlier_at(self, point: QPointF) -> tuple[str, float] | None:
        """Name and value of the other run whose curve passes nearest to a point of the widget, or None."""
        return curve_crosshair.earlier_at(self.frame(), self._previous, point)

    def set_crosshair(self, x: float | None) -> None:
        """Show the crosshair at ``x`` (None hides it), as when it moves in a plot beside this one."""
        if x != self._cross:
            self._cross = x
            self.update()

    def _paint_crosshair(self, painter: QPainter, frame: Frame, cross: float, ground: QColor) -> None:
        x = float(frame.to_x(cross))
        if not frame.area.left() <= x <= frame.area.right():
            return
        number, faint = curve_crosshair.number, self.theme.faint
        lines = [(f"{self.x_title} {cross:.0f}" if self.whole else f"{self.x_title} {cross:.3g}", faint, "")]
        for series, _, value in curve_crosshair.values_at(self.series.values(), cross):
            lines.append((series.label, series.colour, number(value, self.unit)))
        where = self._pointer
        other = curve_crosshair.earlier_at(frame, self._previous, where) if where is not None else None
        if other is not None:
            lines.append((other[0], faint, number(other[1], self.unit)))
        near = [m for m in self._markers if m.tip and abs(float(frame.to_x(m.x)) - x) < 4]
        lines += [(m.tip, self.theme.text, "") for m in near]
        lines += [(s.tip, self.theme.warning, "") for s in self._spans if s.tip and s.first <= cross <= s.last]
        painter.setFont(tabular(self.font()))
        curve_crosshair.paint(painter, frame, x, lines, self.theme, ground)

    # ------------------------------------------------------------------ hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = (event.position(), self.axes.x.range, self.axes.y.range)
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        where = event.position()
        if self._drag is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start, x_range, y_range = self._drag
            if self._pressed is not None and (where - self._pressed).manhattanLength() < 4:
                return
            self._pressed = None
            box = self._box()
            x = self.axes.x.moved(x_range, (start.x() - where.x()) / box.width())
            y = self.axes.y.moved(y_range, (where.y() - start.y()) / box.height())
            self.zoom_to(x, y)
            return
        inside = self._box().contains(where.toPoint())
        x = self.x_at(where.x()) if inside else None
        self._pointer = where if inside else None
        if self._previous:
            self.update()
        x = x if x is None or self.axes.x.log or not self.whole else float(round(x))
        self.set_crosshair(x)
        self.crosshair_moved.emit(x)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            if self._pressed is not None and self._box().contains(event.position().toPoint()):
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
        box, axes = self._box(), self.axes
        where = event.position()
        factor = 0.85 ** (event.angleDelta().y() / 120)
        on_y, on_x = where.x() < box.left(), where.y() > box.bottom()
        x, y = axes.x.chosen, axes.y.chosen
        if not on_y:
            x = axes.x.drawn(min(1.0, max(0.0, (where.x() - box.left()) / box.width())), factor)
        if not on_x:
            y = axes.y.drawn(min(1.0, max(0.0, (box.bottom() - where.y()) / box.height())), factor)
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
        log_y = menu.addAction("Logarithmic values", lambda: self.set_log(y=not self.log_y))
        log_x = menu.addAction("Logarithmic steps", lambda: self.set_log(x=not self.log_x))
        for action, on in ((log_y, self.log_y), (log_x, self.log_x)):
            action.setCheckable(True)
            action.setChecked(on)
        menu.addSeparator()
        menu.addAction("Copy picture", lambda: export.copy_widget(self))
        menu.addAction("Save as PNG or SVG …", lambda: export.ask_save_plot(self, self.title))
        menu.addAction(
            "Save numbers as CSV …", lambda: export.ask_save_text(self, f"{self.title}.csv", self.csv_text())
        )
        return menu

    def csv_text(self) -> str:
        """The numbers drawn: one line a point, with the lowest and highest value of its band where there is one."""
        value = f"{self.title} ({self.unit})" if self.unit else self.title
        return as_csv(self.x_title, value, self.series.values(), self._previous)
