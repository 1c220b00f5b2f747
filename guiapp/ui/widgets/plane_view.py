"""A plane of pictures: the regions of a linear classifier, the samples as points, the picture as a cross."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.painting import blend, hairline, image_of

if TYPE_CHECKING:
    from guiapp.interpret.linear_views import Plane
    from guiapp.ui.theme import Theme

_POINT = 3  # side of a sample's square in pixels
_REACH = 6  # pixels from a point within which a click means it


class PlaneView(QWidget):
    """Regions in faint class colours, samples in full ones.

    Points are painted once into a pixmap; new weights repaint the regions below them.

    Attributes:
        hovered: Place in the plane (p, q) under the pointer, or None.
        clicked: Position in the training part of the clicked sample.
        paint_ms: Time of the last repaint.
    """

    hovered = Signal(object)
    clicked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.paint_ms = 0.0
        self.plane: Plane | None = None
        self._regions: QImage | None = None
        self._points: QPixmap | None = None
        self._points_of: tuple[object, ...] = ()
        self._classes = 0
        self.setMouseTracking(True)
        self.setAutoFillBackground(True)
        self.setMinimumSize(80, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Regions of the classes in the plane of the two main directions")
        theme.changed.connect(self._restyle)

    def set_plane(self, plane: Plane | None) -> None:
        """Show another plane, or the same with other weights."""
        self.plane = plane
        if plane is not None:
            self._classes = len(plane.offsets)
            table = [blend(self.theme.panel, colour, 0.35).rgb() for colour in self._colours()]
            regions = np.ascontiguousarray(plane.regions[::-1].astype(np.uint8))
            self._regions = image_of(regions, table + [0] * (256 - len(table))) if len(table) <= 256 else None
        self.update()

    def _colours(self) -> list[QColor]:
        return [self.theme.class_colour(index, self._classes) for index in range(self._classes)]

    def _restyle(self) -> None:
        self._points_of = ()
        self.set_plane(self.plane)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._points_of = ()

    def sizeHint(self) -> QSize:
        return QSize(280, 240)

    # ------------------------------------------------------------------ geometry

    def _area(self) -> QRectF:
        return QRectF(0, 0, max(1, self.width()), max(1, self.height()))

    def to_widget(self, p: npt.ArrayLike, q: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Places of the plane in widget coordinates; q grows upwards."""
        assert self.plane is not None
        left, right, bottom, top = self.plane.extent
        area = self._area()
        x = (np.asarray(p, np.float64) - left) / (right - left) * area.width()
        y = (top - np.asarray(q, np.float64)) / (top - bottom) * area.height()
        return x, y

    def to_plane(self, point: QPointF) -> tuple[float, float]:
        """A point of the widget in the plane."""
        assert self.plane is not None
        left, right, bottom, top = self.plane.extent
        area = self._area()
        return (
            left + point.x() / area.width() * (right - left),
            top - point.y() / area.height() * (top - bottom),
        )

    def sample_at(self, point: QPointF) -> int | None:
        """Position in the training part of the sample nearest to a point of the widget, within reach."""
        if self.plane is None or not len(self.plane.points):
            return None
        x, y = self.to_widget(self.plane.points[:, 0], self.plane.points[:, 1])
        away = (x - point.x()) ** 2 + (y - point.y()) ** 2
        nearest = int(away.argmin())
        return int(self.plane.indices[nearest]) if away[nearest] <= _REACH**2 else None

    def scores_at(self, p: float, q: float) -> npt.NDArray[np.float32]:
        """Scores of the classes at a place of the plane, (C,)."""
        assert self.plane is not None
        return self.plane.offsets + self.plane.slopes @ np.array([p, q], np.float32)

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        painter = QPainter(self)
        if self.plane is not None:
            if self._regions is not None:
                painter.drawImage(self._area(), self._regions)
            painter.drawPixmap(0, 0, self._painted_points())
            if self.plane.picture is not None:
                self._paint_picture(painter, *self.plane.picture)
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3

    def _painted_points(self) -> QPixmap:
        assert self.plane is not None
        made_of = (id(self.plane.indices), self.plane.extent, self.size(), self._classes)
        if self._points is None or made_of != self._points_of:
            self._points_of = made_of
            self._points = QPixmap.fromImage(self._rasterise())
        return self._points

    def _rasterise(self) -> QImage:
        """All samples as small squares, without a loop over them."""
        assert self.plane is not None
        pixels = np.zeros((max(1, self.height()), max(1, self.width()), 4), np.uint8)
        x, y = (np.round(v).astype(np.int64) for v in self.to_widget(self.plane.points[:, 0], self.plane.points[:, 1]))
        colours = np.array([c.getRgb() for c in self._colours()], np.uint8)[self.plane.labels]
        for down in range(_POINT):
            for right in range(_POINT):
                rows = np.clip(y + down - _POINT // 2, 0, pixels.shape[0] - 1)
                columns = np.clip(x + right - _POINT // 2, 0, pixels.shape[1] - 1)
                pixels[rows, columns] = colours
        return image_of(pixels).copy()

    def _paint_picture(self, painter: QPainter, p: float, q: float) -> None:
        x, y = (float(v) for v in self.to_widget(p, q))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, radius in ((self.theme.panel, 6), (self.theme.text, 5)):
            painter.setPen(hairline(colour))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(x, y), radius, radius)
        painter.setPen(hairline(self.theme.text))
        painter.drawLine(QPointF(x - 9, y), QPointF(x + 9, y))
        painter.drawLine(QPointF(x, y - 9), QPointF(x, y + 9))

    # ------------------------------------------------------------------ hand

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.plane is not None:
            self.hovered.emit(self.to_plane(event.position()))

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        sample = self.sample_at(event.position())
        if sample is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(sample)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()
