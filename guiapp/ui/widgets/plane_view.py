"""A plane of pictures: the regions of a linear classifier, the samples as points, the picture as a ring."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPainterPath, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.image_layers import Layer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.painting import blend, hairline, polygon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guiapp.interpret.linear_views import Plane
    from guiapp.ui.theme import Theme

_POINT = 4.0  # diameter of a sample in pixels
_REACH = 7.0  # pixels from a point within which the pointer means it
_GROUND = 0.3  # share of a class's colour in its region
_CHUNKS = 6  # samples are painted in turns, so that no class covers the others
_THUMBNAIL = 56


class PlaneView(ImageView):
    """Regions in faint class colours, samples in full ones; zooms and pans as every picture does.

    Points are painted once into a pixmap; new weights repaint the regions below them.

    Attributes:
        plane: What is shown.
        shape_changed: Emitted when another width / height, or other cells, would fill the widget better.
    """

    shape_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "plane of the linear classifier", parent)
        self.corner_text = False
        self.margin = 0
        self.plane: Plane | None = None
        self.labels: Sequence[str] = ()
        self.values = self._csv
        self._points = _Points()
        self._names: Layer = _Names(())
        self._hover: Layer | None = None
        self._asked = (0.0, 0)
        self.setMinimumSize(80, 80)
        theme.changed.connect(self._restyle)

    def set_plane(self, plane: Plane | None, labels: Sequence[str] = ()) -> None:
        """Show another plane, or the same with other weights."""
        self.plane, self.labels = plane, labels
        if plane is None:
            self.set_image(None)
            self.set_layers(())
            return
        ground = self.theme.panel
        colours = [self._colour(index) for index in range(len(plane.offsets))]
        faint = np.array([blend(ground, colour, _GROUND).getRgb()[:3] for colour in colours], np.uint8)
        self.set_image(np.ascontiguousarray(faint[plane.regions[::-1]]))
        self._names = _Names(tuple(self._placed_names()))
        self._lay()

    def set_hover(self, sample: int | None, image: QImage | None = None) -> None:
        """Mark a sample (its row in ``plane.points``) and show its picture beside it; None takes the mark away."""
        hover = None if sample is None or self.plane is None else _Hover(tuple(self.plane.points[sample]), image)
        if hover is not None or self._hover is not None:
            self._hover = hover
            self._lay()

    def _lay(self) -> None:
        above = () if self._hover is None else (self._hover,)
        self.set_layers((_Borders(), self._points, self._names, _Ring(), *above))

    def _colour(self, index: int) -> QColor:
        assert self.plane is not None
        return self.theme.class_colour(index, len(self.plane.offsets))

    def _placed_names(self) -> list[tuple[QPointF, str, QColor]]:
        """Each class that has a region worth a name, at its middle in pixels of the map."""
        assert self.plane is not None
        regions = self.plane.regions
        rows, columns = regions.shape
        classes = len(self.plane.offsets)
        across = np.broadcast_to(np.arange(columns) + 0.5, regions.shape).ravel()
        down = np.broadcast_to((rows - np.arange(rows) - 0.5)[:, None], regions.shape).ravel()
        flat = regions.ravel()
        cells = np.bincount(flat, minlength=classes)
        x = np.bincount(flat, across, classes) / np.maximum(cells, 1)
        y = np.bincount(flat, down, classes) / np.maximum(cells, 1)
        return [
            (QPointF(float(x[c]), float(y[c])), self.labels[c], self._colour(c))
            for c in np.flatnonzero(cells > 0.004 * flat.size).tolist()
            if c < len(self.labels)
        ]

    def _restyle(self) -> None:
        self._points = _Points()
        self.set_plane(self.plane, self.labels)

    # ------------------------------------------------------------------ geometry

    @property
    def aspect(self) -> float:
        """Width / height of the widget."""
        return max(1, self.width()) / max(1, self.height())

    @property
    def cells(self) -> int:
        """Cells along the longer side that look smooth without costing more than they show."""
        return int(np.clip(32 * round(max(self.width(), self.height()) / 2 / 32), 96, 320))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wanted = round(self.aspect, 3), self.cells
        if wanted != self._asked:
            self._asked = wanted
            self.shape_changed.emit()

    def to_cells(self, p: npt.ArrayLike, q: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Places of the plane in pixels of the map; q grows upwards."""
        assert self.plane is not None
        left, right, bottom, top = self.plane.extent
        rows, columns = self.plane.regions.shape
        x = (np.asarray(p, np.float64) - left) / (right - left) * columns
        return x, (top - np.asarray(q, np.float64)) / (top - bottom) * rows

    def place(self, p: npt.ArrayLike, q: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Places of the plane in the widget."""
        x, y = self.to_cells(p, q)
        origin = self.to_widget(QRectF(0, 0, 1, 1))
        return x * origin.width() + origin.x(), y * origin.height() + origin.y()

    def to_plane(self, x: float, y: float) -> tuple[float, float]:
        """A place in pixels of the map, in the plane."""
        assert self.plane is not None
        left, right, bottom, top = self.plane.extent
        rows, columns = self.plane.regions.shape
        return left + x / columns * (right - left), top - y / rows * (top - bottom)

    def sample_at(self, x: float, y: float) -> int | None:
        """Row in ``plane.points`` of the sample nearest to a place in pixels of the map, within reach; else None."""
        if self.plane is None or not len(self.plane.points):
            return None
        columns, rows = self.to_cells(self.plane.points[:, 0], self.plane.points[:, 1])
        away = (columns - x) ** 2 + (rows - y) ** 2
        nearest = int(away.argmin())
        return nearest if away[nearest] <= (_REACH / self.scale) ** 2 else None

    def scores_at(self, p: float, q: float) -> npt.NDArray[np.float32]:
        """Scores of the classes at a place of the plane, (C,)."""
        assert self.plane is not None
        return self.plane.offsets + self.plane.slopes @ np.array([p, q], np.float32)

    def _csv(self) -> str:
        """The samples: position in the training part, place in the plane, class."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["sample", "p", "q", "class"])
        if self.plane is not None:
            for index, (p, q), label in zip(self.plane.indices, self.plane.points, self.plane.labels, strict=True):
                name = self.labels[label] if label < len(self.labels) else int(label)
                writer.writerow([int(index), f"{p:.7g}", f"{q:.7g}", name])
        return stream.getvalue()


@dataclass(frozen=True, eq=False)
class _Borders:
    """The lines on which the two best classes are equal."""

    def paint(self, painter: QPainter, view: PlaneView) -> None:
        """Thin lines, exact at every zoom."""
        assert view.plane is not None
        borders = view.plane.borders
        starts, ends = view.place(borders[:, 0], borders[:, 1]), view.place(borders[:, 2], borders[:, 3])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(view.theme.panel, 1.5))
        lines = np.stack([*starts, *ends], 1).tolist()
        painter.drawLines([QLineF(*line) for line in lines])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


class _Points:
    """The samples, kept as a pixmap until place, zoom or size changes."""

    def __init__(self) -> None:
        self._made_of: tuple[object, ...] = ()
        self._pixmap = QPixmap()

    def paint(self, painter: QPainter, view: PlaneView) -> None:
        """Discs in class colours with a thin edge, so that they are seen on a region of their own class."""
        plane = view.plane
        assert plane is not None
        device = painter.device()
        box, ratio = view.to_widget(QRectF(0, 0, *view.image_size)), device.devicePixelRatioF()
        size = QSize(device.width(), device.height())
        made_of = (plane.points.ctypes.data, len(plane.points), plane.extent, box, size, ratio)
        if made_of != self._made_of:
            self._made_of = made_of
            self._pixmap = QPixmap(size * ratio)
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(Qt.GlobalColor.transparent)
            own = QPainter(self._pixmap)
            self._paint_samples(own, view, plane)
            own.end()
        painter.drawPixmap(QPointF(0, 0), self._pixmap)

    @staticmethod
    def _paint_samples(painter: QPainter, view: PlaneView, plane: Plane) -> None:
        x, y = view.place(plane.points[:, 0], plane.points[:, 1])
        classes = len(plane.offsets)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for turn in range(_CHUNKS):
            for label in np.unique(plane.labels).tolist():
                chosen = np.flatnonzero(plane.labels == label)[turn::_CHUNKS]
                discs = polygon(x[chosen], y[chosen])
                for colour, diameter in (
                    (view.theme.panel, _POINT + 1.5),
                    (view.theme.class_colour(label, classes), _POINT),
                ):
                    painter.setPen(_round_pen(colour, diameter))
                    painter.drawPoints(discs)


@dataclass(frozen=True, eq=False)
class _Names:
    """The names of the classes in their regions."""

    placed: tuple[tuple[QPointF, str, QColor], ...]

    def paint(self, painter: QPainter, view: PlaneView) -> None:
        """Bold, with a halo that keeps them apart from the samples."""
        font = QFont(view.font())
        font.setWeight(QFont.Weight.Bold)
        metrics = QFontMetrics(font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for middle, name, colour in self.placed:
            at = view.to_widget(QRectF(middle, middle)).topLeft()
            wide, room = metrics.horizontalAdvance(name), painter.device().width()
            left = at.x() - wide / 2
            if 0 <= at.x() < room:  # a name in sight is seen whole
                left = max(4.0, min(left, room - wide - 4.0))
            text = QPainterPath()
            text.addText(left, at.y() + metrics.capHeight() / 2, font, name)
            halo = _round_pen(view.theme.panel, 4)
            painter.strokePath(text, halo)
            painter.fillPath(text, blend(colour, view.theme.text, 0.35))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


@dataclass(frozen=True, eq=False)
class _Ring:
    """The place of the picture that is looked at."""

    def paint(self, painter: QPainter, view: PlaneView) -> None:
        """A ring with a cross, dark on light and light on dark."""
        plane = view.plane
        if plane is None or plane.picture is None:
            return
        x, y = (float(v) for v in view.place(*plane.picture))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((view.theme.panel, 4.0), (view.theme.text, 1.6)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(QPointF(x, y), 7, 7)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(QPointF(x + 7 * dx, y + 7 * dy), QPointF(x + 12 * dx, y + 12 * dy))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


@dataclass(frozen=True, eq=False)
class _Hover:
    """A sample under the pointer with its picture beside it."""

    sample: tuple[float, float]
    image: QImage | None

    def paint(self, painter: QPainter, view: PlaneView) -> None:
        """On the side where there is room."""
        x, y = (float(v) for v in view.place(*self.sample))
        painter.setPen(QPen(view.theme.accent, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawEllipse(QPointF(x, y), 5, 5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if self.image is None:
            return
        left = x + 12 if x + 14 + _THUMBNAIL < view.width() else x - 12 - _THUMBNAIL
        top = min(max(2.0, y - _THUMBNAIL / 2), view.height() - _THUMBNAIL - 2.0)
        box = QRectF(round(left), round(top), _THUMBNAIL, _THUMBNAIL)
        painter.drawImage(box, self.image)
        painter.setPen(hairline(view.theme.accent))
        painter.drawRect(box.adjusted(-1, -1, 0, 0))


def _round_pen(colour: QColor, width: float) -> QPen:
    """A pen with round ends; named arguments of QPen itself crash PySide 6.10."""
    pen = QPen(colour, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen
