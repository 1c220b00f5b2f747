"""The points of a scatter plot: counted by pixel where many, discs where few, pictures where they lie far apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from guiapp.ui.widgets import scatter_marks
from guiapp.ui.widgets.painting import blend, polygon
from guiapp.ui.widgets.scatter_raster import Window, codes, count_of, grown, levels_for, palette, picture, seen

if TYPE_CHECKING:
    from guiapp.interpret.embedding.cloud import Cloud
    from guiapp.ui.theme import Theme
    from guiapp.ui.widgets.scatter_view import MapView

_DISCS_TO = 6000
_EXACT_TO = 60_000
_CHUNKS = 4
_THUMBNAIL_ROOM = 46.0  # mean distance of points in pixels from which their pictures are shown
_MOST_KEPT = 3000


class PointLayer:
    """Points with their groups, painted for a view.

    Attributes:
        cloud: The points, or None.
        pictured: Points that were painted as pictures last.
        marked: bool (N,), the points that stand out, or None where all are alike.
        axes: What lies on the axes, empty for none.
        thumbnail: Gives the picture of a point, uint8 (h, w, 3), or None.
    """

    def __init__(self, theme: Theme) -> None:
        self.cloud: Cloud | None = None
        self.pictured: list[int] = []
        self.axes: tuple[str, str] = ("", "")
        self.thumbnail: scatter_marks.Thumbnail | None = None
        self._theme = theme
        self._groups: npt.NDArray[np.integer] = np.empty(0, np.uint8)
        self._sorted: npt.NDArray[np.integer] = np.empty(0, np.uint8)
        self._colours: tuple[QColor, ...] = ()
        self.marked: npt.NDArray[np.bool_] | None = None
        self._marked_sorted: npt.NDArray[np.bool_] | None = None
        self._few = 0
        self._images: dict[int, QImage] = {}

    # ------------------------------------------------------------------ content

    def set_cloud(self, cloud: Cloud | None, same_points: bool) -> None:
        """Take other points, or with ``same_points`` the same ones at other places, which stay marked."""
        self.cloud = cloud
        if not same_points:
            self._images.clear()
            self.marked = None
        if cloud is None or len(self._groups) != len(cloud):
            self._groups = np.zeros(0 if cloud is None else len(cloud), np.uint8)
        self._sort()

    def set_groups(self, groups: npt.NDArray[np.integer], colours: Sequence[QColor]) -> None:
        """Say in which of ``colours`` each point, (N,), is seen."""
        levels = levels_for(len(colours) + 1)
        kind = np.uint8 if (len(colours) + 1) * levels < 256 else np.uint16
        self._groups, self._colours = np.ascontiguousarray(groups).astype(kind), tuple(colours)
        self._sort()

    def set_marked(self, marked: npt.NDArray[np.bool_] | None) -> bool:
        """Let these points, (N,), stand out and the others fade, or none; whether that changes anything."""
        if marked is None and self.marked is None:
            return False
        self.marked = marked
        self._sort()
        return True

    def _sort(self) -> None:
        order = self.cloud.order if self.cloud is not None else np.empty(0, np.int64)
        self._sorted = self._groups[order]
        self._marked_sorted = self.marked[order] if self.marked is not None else None

    # ------------------------------------------------------------------ painting

    def image(self, view: MapView, ratio: float, font: QFont) -> QImage:
        """The points with the axes under or over them, ``ratio`` pixels for one of the widget's."""
        window, chosen = view.window(ratio), self._in_sight(view)
        if count_of(chosen) > _DISCS_TO:
            self.pictured = []
            layer = self._counted(window)
            layer.setDevicePixelRatio(ratio)
            if any(self.axes):
                painter = QPainter(layer)
                painter.setFont(font)
                painter.setOpacity(0.75)
                scatter_marks.paint_axes(painter, self._theme, view.window(), self.axes)
                painter.end()
            return layer
        layer = QImage(window.width, window.height, QImage.Format.Format_RGB32)
        layer.setDevicePixelRatio(ratio)
        painter = QPainter(layer)
        painter.setFont(font)
        self._paint_few(painter, view, chosen)
        painter.end()
        return layer

    def paint_to(self, painter: QPainter, view: MapView, font: QFont) -> None:
        """Paint with vectors where the points are few, else as an image."""
        chosen = self._in_sight(view)
        if count_of(chosen) > _DISCS_TO:
            painter.drawImage(QPointF(0, 0), self.image(view, 1.0, font))
        else:
            self._paint_few(painter, view, chosen)

    def side(self, view: MapView) -> int:
        """Longer side of the pictures in pixels."""
        room = np.sqrt(view.width * view.height / max(self._few, 1))
        return int(np.clip(0.6 * room, 26, 72))

    def _in_sight(self, view: MapView) -> slice | npt.NDArray[np.int64]:
        """The points in sight, and where these are many some beside."""
        assert self.cloud is not None
        window = view.window()
        chosen = seen(self.cloud, window)
        return chosen if count_of(chosen) > _EXACT_TO else self.cloud.within(*window.area)

    def _paint_few(self, painter: QPainter, view: MapView, chosen: slice | npt.NDArray[np.int64]) -> None:
        """Discs, and pictures where they lie far apart."""
        cloud = self.cloud
        assert cloud is not None
        painter.fillRect(view.rect, self._theme.panel)
        if any(self.axes):
            scatter_marks.paint_axes(painter, self._theme, view.window(), self.axes)
        places = np.arange(chosen.start, chosen.stop) if isinstance(chosen, slice) else chosen
        self._few = len(places)
        at = view.to_widget(cloud.x[places], cloud.y[places])
        self._paint_discs(painter, view, at, places)
        self.pictured = self._paint_pictures(painter, view, at, cloud.order[places])

    def _shown_colours(self) -> tuple[QColor, ...]:
        """Colours of the groups, and after them that of what is faded."""
        colours = self._colours or (self._theme.accent,)
        return (*colours, blend(self._theme.panel, self._theme.faint, 0.35))

    def _counted(self, window: Window) -> QImage:
        """Points counted by pixel; those that stand out over the others."""
        cloud = self.cloud
        assert cloud is not None
        colours = self._shown_colours()
        levels = levels_for(len(colours))
        table = palette(colours, self._theme.panel, levels)
        chosen = seen(cloud, window)
        marked = self._marked_sorted
        if marked is None:
            image = codes(cloud, window, chosen, self._sorted, levels)
            image = grown(image, _square(window, count_of(chosen)))
        else:
            places = np.arange(chosen.start, chosen.stop) if isinstance(chosen, slice) else chosen
            kind = self._sorted.dtype
            faded = np.full(len(cloud), len(colours) - 1, kind)
            side = _square(window, count_of(chosen))
            image = grown(codes(cloud, window, places[~marked[places]], faded, levels), side)
            over = codes(cloud, window, places[marked[places]], self._sorted, levels)
            over = grown(over, max(side, _square(window, int(marked[places].sum()))))
            image = np.where(over != 0, over, image)
        return picture(image, table)

    def _paint_discs(
        self, painter: QPainter, view: MapView, at: npt.NDArray[np.float64], places: npt.NDArray[np.int64]
    ) -> None:
        assert self.cloud is not None
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._shown_colours()
        groups = self._sorted[places].astype(np.int64)
        marked = self._marked_sorted[places] if self._marked_sorted is not None else None
        if marked is not None:
            groups = np.where(marked, groups, len(colours) - 1)
        room = np.sqrt(view.width * view.height / max(len(places), 1))
        size = float(np.clip(0.4 * room, 3.5, 8))
        edge = len(places) < 1500
        shuffled = np.argsort(self.cloud.order[places] % 7919, kind="stable")  # no group lies over all others
        turns = [shuffled[turn::_CHUNKS] for turn in range(_CHUNKS)]
        if marked is not None:
            turns = [shuffled[~marked[shuffled]], shuffled[marked[shuffled]]]
        for turn in turns:
            for group in np.unique(groups[turn]).tolist():
                mine = turn[groups[turn] == group]
                discs = polygon(at[mine, 0], at[mine, 1])
                for colour, diameter in ((self._theme.panel, size + 1.5), (colours[group], size))[0 if edge else 1 :]:
                    painter.setPen(_round_pen(colour, diameter))
                    painter.drawPoints(discs)

    def _paint_pictures(
        self, painter: QPainter, view: MapView, at: npt.NDArray[np.float64], indices: npt.NDArray[np.int64]
    ) -> list[int]:
        room = np.sqrt(view.width * view.height / max(len(indices), 1))
        if self.thumbnail is None or room < _THUMBNAIL_ROOM or not len(indices):
            return []
        if len(self._images) > _MOST_KEPT:
            self._images.clear()
        colours = self._shown_colours()
        return scatter_marks.paint_thumbnails(
            painter, at, indices.tolist(), self.side(view), self.thumbnail, lambda i: colours[self._groups[i]],
            self._images,
        )  # fmt: skip


def _square(window: Window, count: int) -> int:
    """Side of a point in pixels: larger where there is room."""
    return int(np.clip(np.sqrt(0.25 * window.width * window.height / max(count, 1)), 1, 4))


def _round_pen(colour: QColor, width: float) -> QPen:
    """A pen with round ends; named arguments of QPen itself crash PySide 6.10."""
    pen = QPen(colour, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen
