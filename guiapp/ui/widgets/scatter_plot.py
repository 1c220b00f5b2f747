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
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from guiapp.ui.widgets import export, scatter_marks
from guiapp.ui.widgets.painting import polygon, tabular
from guiapp.ui.widgets.scatter_points import PointLayer
from guiapp.ui.widgets.scatter_view import MapView

if TYPE_CHECKING:
    from guiapp.interpret.embedding.cloud import Cloud
    from guiapp.ui.theme import Theme

_REACH = 9.0  # pixels from the pointer within which a point answers
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
        points: What is painted of the points; its ``thumbnail`` and ``axes`` are to be set.
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
        self.points = PointLayer(theme)
        self._view = MapView()
        self.describe: Callable[[int], Sequence[str]] = lambda index: (str(index),)
        self.save_numbers: Callable[[], None] | None = None
        self.paint_ms = 0.0
        self.title = "Map"
        self._layer: QImage | None = None
        self._made_of: tuple[object, ...] = ()
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
        if not same_points:
            self._closed = self._hover = self._chosen = None
            self._ties, self._trail = (), []
            self.view.fitted = True
        self.points.set_cloud(cloud, same_points)
        if equal != self.view.equal:
            self.view.equal, self.view.fitted = equal, True
        if self.view.fitted:
            self._fit()
        self._forget()

    def set_groups(self, groups: npt.NDArray[np.integer], colours: Sequence[QColor]) -> None:
        """Say in which colour each point is seen.

        Args:
            groups: (N,), index into ``colours``.
            colours: One for each group.
        """
        self.points.set_groups(groups, colours)
        self._forget()

    def set_marked(self, marked: npt.NDArray[np.bool_] | None) -> None:
        """Let these points stand out and the others fade; None lets none stand out."""
        if self.points.set_marked(marked):
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
    def view(self) -> MapView:
        """Which part of the map is seen."""
        self._view.width, self._view.height = self.width(), self.height()
        return self._view

    @property
    def cloud(self) -> Cloud | None:
        """The points."""
        return self.points.cloud

    @property
    def hover(self) -> int | None:
        """The point under the pointer."""
        return self._hover.index if self._hover is not None else None

    @property
    def live(self) -> tuple[float, float] | None:
        """Where the picture of the moment lies."""
        return self._trail[-1] if self._trail else None

    def _forget(self) -> None:
        self._made_of = ()
        self.update()

    # ------------------------------------------------------------------ geometry

    def fit(self) -> None:
        """Show every point, and keep doing so."""
        self.view.fitted = True
        self._fit()
        self.update()
        self.view_changed.emit()

    def set_range(self, left: float, bottom: float, right: float, top: float) -> None:
        """Show a rectangle of the map; with equal units all of it and what lies beside it."""
        self.view.set_range(left, bottom, right, top)
        self.update()
        self.view_changed.emit()

    def _fit(self) -> None:
        cloud = self.points.cloud
        if cloud is not None:
            self.view.fit(cloud.low, cloud.high)

    def zoom(self, factor: float, about: QPointF) -> None:
        """Enlarge, keeping what is under ``about`` where it is."""
        self.view.zoom(factor, about)
        self._point_at(about)
        self.update()
        self.view_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.view.fitted:
            self._fit()

    def point_at(self, point: QPointF) -> int | None:
        """The point nearest to a place of the widget, within reach."""
        cloud, view = self.points.cloud, self.view
        if cloud is None:
            return None
        reach = _REACH + (0.5 * self.points.side(view) if self.points.pictured else 0)
        return cloud.nearest(*view.to_map(point), reach / view.scale.x(), reach / view.scale.y())

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
            self._drag = event.position(), QPointF(self.view.centre)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._outline:
            self._outline.append(event.position())
            self.update()
        elif self._drag is not None:
            begin, centre = self._drag
            moved = event.position() - begin
            if self.view.fitted and moved.manhattanLength() < 4:
                return
            self.view.centre = centre + QPointF(-moved.x() / self.view.scale.x(), moved.y() / self.view.scale.y())
            self.view.fitted = False
            self.update()
            self.view_changed.emit()
        else:
            self._point_at(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._outline:
            line, self._outline = self._outline, []
            if len(line) > 2:
                self._closed = np.array([self.view.to_map(point) for point in line])
                if self.cloud is not None:
                    self.circled.emit(self.cloud.inside(self._closed))
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
        pixels = self.points.thumbnail(index) if self.points.thumbnail is not None else None
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
            action.setEnabled(self.cloud is not None)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def csv_text(self) -> str:
        """Places of all points."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["point", "x", "y", "about"])
        if self.cloud is not None:
            for index, (x, y) in enumerate(self.cloud.xy.tolist()):
                writer.writerow([index, f"{x:.7g}", f"{y:.7g}", "; ".join(self.describe(index))])
        return stream.getvalue()

    def ask_numbers(self) -> None:
        """Ask where to save the places, then save them."""
        export.ask_save_text(self, f"{self.title.lower()}.csv", self.csv_text())

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        painter = QPainter(self)
        if self.cloud is None:
            painter.fillRect(self.rect(), self.theme.panel)
        else:
            ratio = self.devicePixelRatioF()
            made_of = (id(self.cloud), self.view.window(), ratio, self.theme.dark)
            if made_of != self._made_of or self._layer is None:  # a marker that moves costs no more than itself
                self._made_of, self._layer = made_of, self.points.image(self.view, ratio, self.font())
            painter.drawImage(QPointF(0, 0), self._layer)
            self._paint_marks(painter)
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3

    def paint_to(self, painter: QPainter) -> None:
        """Paint everything, with vectors where the points are few."""
        if self.cloud is None:
            painter.fillRect(self.rect(), self.theme.panel)
            return
        self.points.paint_to(painter, self.view, self.font())
        self._paint_marks(painter)

    def _spot(self, index: int) -> QPointF:
        assert self.cloud is not None
        return QPointF(*self.view.to_widget(*self.cloud.xy[index]).tolist())

    def _paint_marks(self, painter: QPainter) -> None:
        assert self.cloud is not None
        count = len(self.cloud)
        if any(self.points.axes):
            scatter_marks.paint_names(painter, self.theme, self.view.window(), self.points.axes)
        trail = [QPointF(*self.view.to_widget(x, y).tolist()) for x, y in self._trail]
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
            line = self.view.to_widget(self._closed[:, 0], self._closed[:, 1])
            scatter_marks.paint_lasso(painter, self.theme, polygon(line[:, 0], line[:, 1]), closed=True)
        if self._hover is not None and self._hover.index < count and self._drag is None:
            at = self._spot(self._hover.index)
            scatter_marks.paint_ring(painter, self.theme, at, 5)
            scatter_marks.paint_card(painter, self.theme, self._hover, at, QRectF(self.rect()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
