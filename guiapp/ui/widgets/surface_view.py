"""A loss surface from above: contour lines over shades, paths of racers, the place under the pointer."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from guiapp.ui.colour_maps import sequential
from guiapp.ui.widgets.painting import hairline, image_of, polygon
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.ticks import linear_ticks, tick_step, tick_text

if TYPE_CHECKING:
    from guiapp.toys.race import Race
    from guiapp.toys.surfaces import Surface
    from guiapp.ui.theme import Theme

_LEFT, _BOTTOM, _TOP, _RIGHT = 34, 18, 6, 6
_LEVELS = 22
_DIM = 0.5  # share of the ground in the shades, so that paths stand out


class SurfaceView(SmallPlot):
    """The map; the wheel zooms about the pointer, a double click shows all, a click is where a race begins.

    Attributes:
        picked: Emitted with x and y of a click.
        pointed: Emitted with x and y under the pointer, or None.
        surface: What is shown.
        area: Left, right, bottom and top of what is seen.
    """

    picked = Signal(float, float)
    pointed = Signal(object)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Loss surface", parent)
        self.surface: Surface | None = None
        self.area = (-1.0, 1.0, -1.0, 1.0)
        self.race: Race | None = None
        self.step = 0
        self.colours: Sequence[QColor] = ()
        self._image: QImage | None = None
        self._pixels: np.ndarray | None = None
        self.setMinimumSize(180, 160)
        self.setToolTip("A click is where the race begins; the wheel zooms, a double click shows all")
        self.setCursor(Qt.CursorShape.CrossCursor)
        theme.changed.connect(self._forget)

    def set_surface(self, surface: Surface) -> None:
        """Show all of a surface."""
        self.surface, self.area, self.race = surface, surface.area, None
        self._forget()

    def set_race(self, race: Race | None, step: int, colours: Sequence[QColor]) -> None:
        """Show the paths of a race up to a step."""
        self.race, self.step, self.colours = race, step, colours
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(340, 300)

    @property
    def filled(self) -> bool:
        return self.surface is not None

    # ------------------------------------------------------------------ geometry

    def _box(self) -> QRectF:
        return QRectF(_LEFT, _TOP, max(1, self.width() - _LEFT - _RIGHT), max(1, self.height() - _TOP - _BOTTOM))

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights in pixels of the widget."""
        left, right, bottom, top = self.area
        box = self._box()
        return (
            box.left() + (x - left) / (right - left) * box.width(),
            box.bottom() - (y - bottom) / (top - bottom) * box.height(),
        )

    def weights_at(self, where: QPointF) -> tuple[float, float] | None:
        """The weights at a point of the widget, or None beside the map."""
        box = self._box()
        if not box.contains(where):
            return None
        left, right, bottom, top = self.area
        return (
            left + (where.x() - box.left()) / box.width() * (right - left),
            bottom + (box.bottom() - where.y()) / box.height() * (top - bottom),
        )

    # ------------------------------------------------------------------ painting

    def _forget(self) -> None:
        self._image = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._image = None

    def _draw_image(self, surface: Surface) -> QImage:
        """Shades of the logarithm of the loss with a line at each of some levels."""
        box, ratio = self._box(), self.devicePixelRatioF()
        columns, rows = max(2, round(box.width() * ratio)), max(2, round(box.height() * ratio))
        left, right, bottom, top = self.area
        x = left + (np.arange(columns) + 0.5) / columns * (right - left)
        y = top - (np.arange(rows) + 0.5) / rows * (top - bottom)
        loss = surface.values(x[None, :], y[:, None]) - surface.lowest
        scale = max(float(np.median(loss)) / 50, 1e-9)
        level = np.log1p(np.maximum(loss, 0.0) / scale)
        low, high = float(level.min()), float(level.max())
        level = (level - low) / max(high - low, 1e-12)
        table = sequential()[1:, :3].astype(np.float64)
        shade = table[np.round((1.0 - level) * 200 + 20).astype(int)]
        ground = np.array(self.theme.panel.getRgb()[:3], np.float64)
        pixels = ground * _DIM + shade * (1 - _DIM)
        height = level * _LEVELS
        down, along = np.gradient(height)
        apart = np.abs(height - np.round(height)) / np.maximum(np.hypot(down, along), 1e-9)
        line = 0.45 * np.clip(1.2 - apart, 0.0, 1.0)[..., None]
        ink = np.array(self.theme.text.getRgb()[:3], np.float64)
        self._pixels = np.ascontiguousarray(np.round(pixels * (1 - line) + ink * line).astype(np.uint8))
        image = image_of(self._pixels)
        image.setDevicePixelRatio(ratio)
        return image

    def paint_to(self, painter: QPainter) -> None:
        """Paint everything."""
        if self.surface is None:
            return
        if self._image is None:
            self._image = self._draw_image(self.surface)
        box = self._box()
        painter.drawImage(box, self._image)
        self._paint_ticks(painter, box)
        painter.save()
        painter.setClipRect(box)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for places, cross in ((self.surface.minima, False), (self.surface.saddles, True)):
            for place in places:
                self._paint_mark(painter, place, cross)
        if self.race is not None:
            self._paint_paths(painter, self.race)
        painter.restore()

    def _paint_mark(self, painter: QPainter, place: tuple[float, float], cross: bool) -> None:
        x, y = (float(v) for v in self.to_pixels(np.float64(place[0]), np.float64(place[1])))
        painter.setPen(QPen(self.theme.text, 1.5))
        if cross:
            painter.drawLine(QPointF(x - 4, y - 4), QPointF(x + 4, y + 4))
            painter.drawLine(QPointF(x - 4, y + 4), QPointF(x + 4, y - 4))
        else:
            painter.drawLine(QPointF(x - 5, y), QPointF(x + 5, y))
            painter.drawLine(QPointF(x, y - 5), QPointF(x, y + 5))

    def _paint_paths(self, painter: QPainter, race: Race) -> None:
        step = min(self.step, race.done)
        for number, colour in enumerate(self.colours):
            places = race.places[number, : step + 1]
            places = places[np.isfinite(places[:, 0])]
            x, y = self.to_pixels(places[:, 0], places[:, 1])
            x, y = np.clip(x, -1e4, 1e4), np.clip(y, -1e4, 1e4)
            painter.setPen(QPen(colour, 1.6))
            painter.drawPolyline(polygon(x, y))
            if 0 < len(x) <= 60:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                for a, b in zip(x.tolist(), y.tolist(), strict=True):
                    painter.drawEllipse(QPointF(a, b), 1.8, 1.8)
            if len(x):
                painter.setPen(QPen(self.theme.panel, 1))
                painter.setBrush(colour)
                painter.drawEllipse(QPointF(x[-1], y[-1]), 4.5, 4.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        x, y = self.to_pixels(np.float64(race.start[0]), np.float64(race.start[1]))
        painter.setPen(QPen(self.theme.text, 1.5))
        painter.drawEllipse(QPointF(float(x), float(y)), 6.5, 6.5)

    def _paint_ticks(self, painter: QPainter, box: QRectF) -> None:
        left, right, bottom, top = self.area
        painter.setPen(self.theme.faint)
        most = max(2, int(box.width() / 70))
        step = tick_step(right - left, most)
        for tick in linear_ticks(left, right, most):
            x = float(self.to_pixels(np.float64(tick), np.float64(bottom))[0])
            place = QRectF(x - 30, box.bottom() + 2, 60, _BOTTOM - 2)
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, tick_text(tick, step))
        most = max(2, int(box.height() / 45))
        step = tick_step(top - bottom, most)
        for tick in linear_ticks(bottom, top, most):
            y = float(self.to_pixels(np.float64(left), np.float64(tick))[1])
            place = QRectF(0, y - 8, _LEFT - 4, 16)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, tick_text(tick, step))
        painter.setPen(hairline(self.theme.border))
        painter.drawRect(box)

    # ------------------------------------------------------------------ hand

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointed.emit(self.weights_at(event.position()))

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.weights_at(event.position())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(*place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.surface is not None:
            self.area = self.surface.area
            self._forget()

    def wheelEvent(self, event: QWheelEvent) -> None:
        place = self.weights_at(event.position())
        if place is None:
            return
        factor = 0.85 ** (event.angleDelta().y() / 120)
        left, right, bottom, top = self.area
        x, y = place
        wide = (right - left) * factor
        if self.surface is None or not 1e-6 < wide < 20 * (self.surface.area[1] - self.surface.area[0]):
            return
        self.area = (
            x + (left - x) * factor, x + (right - x) * factor, y + (bottom - y) * factor, y + (top - y) * factor,
        )  # fmt: skip
        self._forget()
        event.accept()

    def csv_text(self) -> str:
        """Every step of every racer that is drawn."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["rule", "step", "x", "y", "loss above the minimum"])
        race = self.race
        if race is not None:
            for number, name in enumerate(race.names):
                for step in range(min(self.step, race.done) + 1):
                    x, y = race.places[number, step]
                    writer.writerow([name, step, f"{x:.9g}", f"{y:.9g}", f"{race.losses[number, step]:.9g}"])
        return stream.getvalue()
