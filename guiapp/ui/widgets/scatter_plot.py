"""A scatter plot of up to a million points: pan, zoom, pictures at close zoom, a card under the pointer, a lasso."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from guiapp.ui.widgets import export, scatter_marks
from guiapp.ui.widgets.painting import blend, polygon, tabular
from guiapp.ui.widgets.scatter_raster import Window, codes, count_of, grown, levels_for, palette, picture, seen

if TYPE_CHECKING:
    from guiapp.interpret.embedding.cloud import Cloud
    from guiapp.ui.theme import Theme

_REACH = 9.0  # pixels from the pointer within which a point answers
_DISCS_TO = 6000
_EXACT_TO = 60_000
_CHUNKS = 4
_MARGIN = 0.05
_THUMBNAIL_ROOM = 46.0  # mean distance of points in pixels from which their pictures are shown
_MOST_KEPT = 3000
_TRAIL = 12


class ScatterPlot(QWidget):
    """Points in colours of their groups.

    Many points are counted by pixel; few are painted as discs; where they lie far apart their pictures are shown.

    Attributes:
        hovered: Index of the point under the pointer, or None.
        clicked: Index of a clicked point.
        circled: int64 indices of the points inside a lasso, ascending.
        view_changed: Emitted after a zoom or a pan.
        lasso: Whether a drag draws a lasso; with Shift held it always does.
        thumbnail: Gives the picture of a point, uint8 (h, w, 3), or None.
        describe: Gives the lines of the card of a point.
        save_numbers: Asks for a file and writes the places, where a panel does that beside other work; else None.
        paint_ms: Time of the last repaint.
    """

    hovered = Signal(object)
    clicked = Signal(int)
    circled = Signal(object)
    view_changed = Signal()

    def __init__(self, theme: Theme, name: str = "scatter", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.lasso = False
        self.thumbnail: scatter_marks.Thumbnail | None = None
        self.describe: Callable[[int], Sequence[str]] = lambda index: (str(index),)
        self.save_numbers: Callable[[], None] | None = None
        self.paint_ms = 0.0
        self.axes: tuple[str, str] = ("", "")
        self.title = "Map"
        self._cloud: Cloud | None = None
        self._groups: npt.NDArray[np.integer] = np.empty(0, np.uint8)
        self._sorted: npt.NDArray[np.integer] = np.empty(0, np.uint8)
        self._colours: tuple[QColor, ...] = ()
        self._marked: npt.NDArray[np.bool_] | None = None
        self._marked_sorted: npt.NDArray[np.bool_] | None = None
        self._equal = True
        self._centre = QPointF(0, 0)
        self._scale = QPointF(1, 1)
        self._fitted = True
        self._layer: QImage | None = None
        self._made_of: tuple[object, ...] = ()
        self._with_pictures: list[int] = []
        self._few = 0
        self._images: dict[int, QImage] = {}
        self._hover: scatter_marks.Card | None = None
        self._chosen: int | None = None
        self._ties: tuple[int, ...] = ()
        self._trail: list[tuple[float, float]] = []
        self._outline: list[QPointF] = []
        self._closed: npt.NDArray[np.float64] | None = None
        self._drag: tuple[QPointF, QPointF] | None = None
        self._pressed: QPointF | None = None
        self.setObjectName(name)
        self.setAccessibleName("Map of the pictures")
        self.setFont(tabular(self.font()))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._forget)

    def sizeHint(self) -> QSize:
        return QSize(320, 260)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 90)

    # ------------------------------------------------------------------ content

    def set_cloud(self, cloud: Cloud | None, equal: bool = True, same_points: bool = False) -> None:
        """Show other points.

        Args:
            cloud: The points.
            equal: Whether a unit is as long upwards as to the right.
            same_points: Whether they are the same pictures, moved: what is marked stays, and the view if a person has
                chosen one.
        """
        self._cloud = cloud
        if not same_points:
            self._images.clear()
            self._marked = self._closed = self._hover = self._chosen = None
            self._ties, self._trail = (), []
            self._fitted = True
        if cloud is None or len(self._groups) != len(cloud):
            self._groups = np.zeros(0 if cloud is None else len(cloud), np.uint8)
        if equal != self._equal:
            self._equal, self._fitted = equal, True
        self._sort()
        if self._fitted:
            self._fit()
        self._forget()

    def set_groups(self, groups: npt.NDArray[np.integer], colours: Sequence[QColor]) -> None:
        """Say in which colour each point is seen.

        Args:
            groups: (N,), index into ``colours``.
            colours: One for each group.
        """
        levels = levels_for(len(colours) + 1)
        kind = np.uint8 if (len(colours) + 1) * levels < 256 else np.uint16
        self._groups, self._colours = np.ascontiguousarray(groups).astype(kind), tuple(colours)
        self._sort()
        self._forget()

    def set_marked(self, marked: npt.NDArray[np.bool_] | None) -> None:
        """Let these points stand out and the others fade; None lets none stand out."""
        if marked is None and self._marked is None:
            return
        self._marked = marked
        self._sort()
        self._forget()

    def set_chosen(self, index: int | None, ties: Sequence[int] = ()) -> None:
        """Ring a point, and tie it to others."""
        if (index, tuple(ties)) != (self._chosen, self._ties):
            self._chosen, self._ties = index, tuple(ties)
            self.update()

    def set_live(self, place: tuple[float, float] | None, ties: Sequence[int] = ()) -> None:
        """Show where the picture of the moment lies; the last places are its trail. None takes it away."""
        if place is None:
            if self._trail:
                self._trail = []
                self.update()
            return
        if not self._trail or self._trail[-1] != place:
            self._trail = [*self._trail[1 - _TRAIL :], place]
        if self._chosen is None:
            self._ties = tuple(ties)
        self.update()

    def clear_trail(self) -> None:
        """Forget where the picture of the moment lay before: the map has moved."""
        self._trail = []

    def clear_lasso(self) -> None:
        """Take the line of the lasso away."""
        self._closed, self._outline = None, []
        self.update()

    @property
    def cloud(self) -> Cloud | None:
        """The points."""
        return self._cloud

    @property
    def hover(self) -> int | None:
        """The point under the pointer."""
        return self._hover.index if self._hover is not None else None

    @property
    def live(self) -> tuple[float, float] | None:
        """Where the picture of the moment lies."""
        return self._trail[-1] if self._trail else None

    @property
    def pictured(self) -> list[int]:
        """Points that are shown as pictures now."""
        return self._with_pictures

    def _sort(self) -> None:
        order = self._cloud.order if self._cloud is not None else np.empty(0, np.int64)
        self._sorted = self._groups[order]
        self._marked_sorted = self._marked[order] if self._marked is not None else None

    def _forget(self) -> None:
        self._made_of = ()
        self.update()

    # ------------------------------------------------------------------ geometry

    def seen_window(self, ratio: float = 1.0) -> Window:
        """What is seen, with ``ratio`` pixels for one of the widget's."""
        width, height = max(1, self.width()), max(1, self.height())
        return Window(
            self._centre.x() - width / 2 / self._scale.x(), self._centre.y() + height / 2 / self._scale.y(),
            self._scale.x() * ratio, self._scale.y() * ratio, max(1, round(width * ratio)),
            max(1, round(height * ratio)),
        )  # fmt: skip

    def to_widget(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Places of the map in pixels of the widget, (n, 2)."""
        across = (np.asarray(x, np.float64) - self._centre.x()) * self._scale.x() + self.width() / 2
        down = self.height() / 2 - (np.asarray(y, np.float64) - self._centre.y()) * self._scale.y()
        return np.stack([across, down], -1)

    def to_map(self, point: QPointF) -> tuple[float, float]:
        """A point of the widget in the map."""
        return (
            self._centre.x() + (point.x() - self.width() / 2) / self._scale.x(),
            self._centre.y() - (point.y() - self.height() / 2) / self._scale.y(),
        )

    @property
    def fitted(self) -> bool:
        """Whether every point is kept in sight."""
        return self._fitted

    def fit(self) -> None:
        """Show every point, and keep doing so."""
        self._fitted = True
        self._fit()
        self.update()
        self.view_changed.emit()

    def set_range(self, left: float, bottom: float, right: float, top: float) -> None:
        """Show a rectangle of the map; with equal units all of it and what lies beside it."""
        self._centre = QPointF((left + right) / 2, (bottom + top) / 2)
        scale = QPointF(self.width() / max(right - left, 1e-12), self.height() / max(top - bottom, 1e-12))
        if self._equal:
            scale = QPointF(min(scale.x(), scale.y()), min(scale.x(), scale.y()))
        self._scale, self._fitted = scale, False
        self.update()
        self.view_changed.emit()

    def _fit(self) -> None:
        cloud = self._cloud
        if cloud is None:
            return
        (left, bottom), (right, top) = cloud.low.tolist(), cloud.high.tolist()
        self._centre = QPointF((left + right) / 2, (bottom + top) / 2)
        room = 1 - 2 * _MARGIN
        scale = QPointF(max(1, self.width()) * room / (right - left), max(1, self.height()) * room / (top - bottom))
        if self._equal:
            scale = QPointF(min(scale.x(), scale.y()), min(scale.x(), scale.y()))
        self._scale = scale

    def zoom(self, factor: float, about: QPointF) -> None:
        """Enlarge, keeping what is under ``about`` where it is."""
        x, y = self.to_map(about)
        self._scale = self._scale * min(1e9, factor)
        across, up = self.to_map(about)
        self._centre += QPointF(x - across, y - up)
        self._fitted = False
        self._point_at(about)
        self.update()
        self.view_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self._fit()

    def point_at(self, point: QPointF) -> int | None:
        """The point nearest to a place of the widget, within reach."""
        if self._cloud is None:
            return None
        reach = _REACH + (0.5 * self._side() if self._with_pictures else 0)
        return self._cloud.nearest(*self.to_map(point), reach / self._scale.x(), reach / self._scale.y())

    # ------------------------------------------------------------------ hand

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(1.2 ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed = event.position()
        if self.lasso or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._outline, self._closed = [event.position()], None
        else:
            self._drag = event.position(), QPointF(self._centre)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._outline:
            self._outline.append(event.position())
            self.update()
        elif self._drag is not None:
            begin, centre = self._drag
            moved = event.position() - begin
            if self._fitted and moved.manhattanLength() < 4:
                return
            self._centre = centre + QPointF(-moved.x() / self._scale.x(), moved.y() / self._scale.y())
            self._fitted = False
            self.update()
            self.view_changed.emit()
        else:
            self._point_at(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._outline:
            line, self._outline = self._outline, []
            if len(line) > 2:
                self._closed = np.array([self.to_map(point) for point in line])
                if self._cloud is not None:
                    self.circled.emit(self._cloud.inside(self._closed))
            self.update()
        elif self._pressed is not None and (event.position() - self._pressed).manhattanLength() < 4:
            index = self.point_at(event.position())
            if index is not None:
                self.clicked.emit(index)
        self._drag = self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape takes the lasso away."""
        if event.key() == Qt.Key.Key_Escape and (self._closed is not None or self._outline):
            self.clear_lasso()
            self.circled.emit(np.empty(0, np.int64))
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: object) -> None:
        if self._hover is not None:
            self._hover = None
            self.hovered.emit(None)
            self.update()

    def _point_at(self, point: QPointF) -> None:
        index = self.point_at(point)
        if index != self.hover:
            self._hover = None if index is None else self.card(index)
            self.hovered.emit(index)
            self.update()

    def hover_at(self, x: float, y: float) -> int | None:
        """Point at a place of the widget, as the pointer does; which point answers."""
        self._point_at(QPointF(x, y))
        return self.hover

    def card(self, index: int) -> scatter_marks.Card:
        """What is told of a point: its lines and its picture."""
        pixels = self.thumbnail(index) if self.thumbnail is not None else None
        image = scatter_marks.image_of(np.ascontiguousarray(pixels)) if pixels is not None else None
        return scatter_marks.Card(index, tuple(self.describe(index)), image)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.addAction("Show all", self.fit)
        menu.addSeparator()
        menu.addAction("Copy plot", lambda: export.copy_widget(self))
        menu.addAction("Save as PNG or SVG …", lambda: export.ask_save_plot(self, self.title.lower()))
        menu.addAction("Save places as CSV …", self.save_numbers or self.ask_numbers)
        for action in menu.actions():
            action.setEnabled(self._cloud is not None)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def csv_text(self) -> str:
        """Places of all points."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["point", "x", "y", "about"])
        if self._cloud is not None:
            for index, (x, y) in enumerate(self._cloud.xy.tolist()):
                writer.writerow([index, f"{x:.7g}", f"{y:.7g}", "; ".join(self.describe(index))])
        return stream.getvalue()

    def ask_numbers(self) -> None:
        """Ask where to save the places, then save them."""
        export.ask_save_text(self, f"{self.title.lower()}.csv", self.csv_text())

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        painter = QPainter(self)
        if self._cloud is None:
            painter.fillRect(self.rect(), self.theme.panel)
        else:
            ratio = self.devicePixelRatioF()
            made_of = (id(self._cloud), self.seen_window(), ratio, self.theme.dark)
            if made_of != self._made_of or self._layer is None:  # a marker that moves costs no more than itself
                self._made_of, self._layer = made_of, self._points(ratio)
            painter.drawImage(QPointF(0, 0), self._layer)
            self._paint_marks(painter)
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3

    def paint_to(self, painter: QPainter) -> None:
        """Paint everything, with vectors where the points are few."""
        cloud = self._cloud
        if cloud is None:
            painter.fillRect(self.rect(), self.theme.panel)
            return
        chosen = self._in_sight()
        if count_of(chosen) > _DISCS_TO:
            painter.drawImage(QPointF(0, 0), self._points(1.0))
        else:
            self._paint_few(painter, chosen)
        self._paint_marks(painter)

    def _in_sight(self) -> slice | npt.NDArray[np.int64]:
        """The points in sight, and where these are many some beside."""
        assert self._cloud is not None
        window = self.seen_window()
        chosen = seen(self._cloud, window)
        return chosen if count_of(chosen) > _EXACT_TO else self._cloud.within(*window.area)

    def _points(self, ratio: float) -> QImage:
        """The points with the axes under or over them, ``ratio`` pixels for one of the widget's."""
        window = self.seen_window(ratio)
        cloud = self._cloud
        assert cloud is not None
        chosen = self._in_sight()
        if count_of(chosen) > _DISCS_TO:
            self._with_pictures = []
            layer = self._counted(window)
            layer.setDevicePixelRatio(ratio)
            if any(self.axes):
                painter = QPainter(layer)
                painter.setFont(self.font())
                painter.setOpacity(0.75)
                scatter_marks.paint_axes(painter, self.theme, self.seen_window(), self.axes)
                painter.end()
            return layer
        layer = QImage(window.width, window.height, QImage.Format.Format_RGB32)
        layer.setDevicePixelRatio(ratio)
        painter = QPainter(layer)
        painter.setFont(self.font())
        self._paint_few(painter, chosen)
        painter.end()
        return layer

    def _paint_few(self, painter: QPainter, chosen: slice | npt.NDArray[np.int64]) -> None:
        """Discs, and pictures where they lie far apart."""
        cloud = self._cloud
        assert cloud is not None
        painter.fillRect(self.rect(), self.theme.panel)
        if any(self.axes):
            scatter_marks.paint_axes(painter, self.theme, self.seen_window(), self.axes)
        places = np.arange(chosen.start, chosen.stop) if isinstance(chosen, slice) else chosen
        self._few = len(places)
        at = self.to_widget(cloud.x[places], cloud.y[places])
        self._paint_discs(painter, at, places)
        self._with_pictures = self._paint_pictures(painter, at, cloud.order[places])

    def _shown_colours(self) -> tuple[QColor, ...]:
        """Colours of the groups, and after them that of what is faded."""
        colours = self._colours or (self.theme.accent,)
        return (*colours, blend(self.theme.panel, self.theme.faint, 0.35))

    def _counted(self, window: Window) -> QImage:
        """Points counted by pixel; those that stand out over the others."""
        cloud = self._cloud
        assert cloud is not None
        colours = self._shown_colours()
        levels = levels_for(len(colours))
        table = palette(colours, self.theme.panel, levels)
        chosen = seen(cloud, window)
        marked = self._marked_sorted
        if marked is None:
            image = codes(cloud, window, chosen, self._sorted, levels)
            image = grown(image, self._square(window, count_of(chosen)))
        else:
            places = np.arange(chosen.start, chosen.stop) if isinstance(chosen, slice) else chosen
            kind = self._sorted.dtype
            faded = np.full(len(cloud), len(colours) - 1, kind)
            side = self._square(window, count_of(chosen))
            image = grown(codes(cloud, window, places[~marked[places]], faded, levels), side)
            over = codes(cloud, window, places[marked[places]], self._sorted, levels)
            over = grown(over, max(side, self._square(window, int(marked[places].sum()))))
            image = np.where(over != 0, over, image)
        return picture(image, table)

    @staticmethod
    def _square(window: Window, count: int) -> int:
        """Side of a point in pixels: larger where there is room."""
        return int(np.clip(np.sqrt(0.25 * window.width * window.height / max(count, 1)), 1, 4))

    def _paint_discs(self, painter: QPainter, at: npt.NDArray[np.float64], places: npt.NDArray[np.int64]) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._shown_colours()
        groups = self._sorted[places].astype(np.int64)
        marked = self._marked_sorted[places] if self._marked_sorted is not None else None
        if marked is not None:
            groups = np.where(marked, groups, len(colours) - 1)
        room = np.sqrt(self.width() * self.height() / max(len(places), 1))
        size = float(np.clip(0.4 * room, 3.5, 8))
        edge = len(places) < 1500
        shuffled = np.argsort(self._cloud.order[places] % 7919, kind="stable")  # no group lies over all others
        turns = [shuffled[turn::_CHUNKS] for turn in range(_CHUNKS)]
        if marked is not None:
            turns = [shuffled[~marked[shuffled]], shuffled[marked[shuffled]]]
        for turn in turns:
            for group in np.unique(groups[turn]).tolist():
                mine = turn[groups[turn] == group]
                discs = polygon(at[mine, 0], at[mine, 1])
                for colour, diameter in ((self.theme.panel, size + 1.5), (colours[group], size))[0 if edge else 1 :]:
                    painter.setPen(_round_pen(colour, diameter))
                    painter.drawPoints(discs)

    def _side(self) -> int:
        room = np.sqrt(self.width() * self.height() / max(self._few, 1))
        return int(np.clip(0.6 * room, 26, 72))

    def _paint_pictures(
        self, painter: QPainter, at: npt.NDArray[np.float64], indices: npt.NDArray[np.int64]
    ) -> list[int]:
        room = np.sqrt(self.width() * self.height() / max(len(indices), 1))
        if self.thumbnail is None or room < _THUMBNAIL_ROOM or not len(indices):
            return []
        if len(self._images) > _MOST_KEPT:
            self._images.clear()
        colours = self._shown_colours()
        return scatter_marks.paint_thumbnails(
            painter, at, indices.tolist(), self._side(), self.thumbnail, lambda i: colours[self._groups[i]],
            self._images,
        )  # fmt: skip

    def _spot(self, index: int) -> QPointF:
        assert self._cloud is not None
        return QPointF(*self.to_widget(*self._cloud.xy[index]).tolist())

    def _paint_marks(self, painter: QPainter) -> None:
        assert self._cloud is not None
        count = len(self._cloud)
        trail = [QPointF(*self.to_widget(x, y).tolist()) for x, y in self._trail]
        ties = [self._spot(index) for index in self._ties if index < count]
        chosen = self._chosen if self._chosen is not None and self._chosen < count else None
        if ties and (chosen is not None or trail):
            middle = self._spot(chosen) if chosen is not None else trail[-1]
            scatter_marks.paint_ties(painter, self.theme, middle, ties)
        if trail:
            scatter_marks.paint_live(painter, self.theme, trail)
        if chosen is not None:
            scatter_marks.paint_ring(painter, self.theme, self._spot(chosen))
        if self._outline:
            scatter_marks.paint_lasso(painter, self.theme, QPolygonF(self._outline), closed=False)
        elif self._closed is not None:
            line = self.to_widget(self._closed[:, 0], self._closed[:, 1])
            scatter_marks.paint_lasso(painter, self.theme, polygon(line[:, 0], line[:, 1]), closed=True)
        if self._hover is not None and self._hover.index < count and self._drag is None:
            at = self._spot(self._hover.index)
            scatter_marks.paint_ring(painter, self.theme, at, 5)
            scatter_marks.paint_card(painter, self.theme, self._hover, at, QRectF(self.rect()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _round_pen(colour: QColor, width: float) -> QPen:
    """A pen with round ends; named arguments of QPen itself crash PySide 6.10."""
    pen = QPen(colour, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen
