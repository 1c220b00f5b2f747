"""A picture to look at closely: pixels as pixels, zoom, pan, values under the pointer, layers painted over it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from guiapp.ui.widgets import export
from guiapp.ui.widgets.painting import image_of
from guiapp.ui.widgets.scaling import ReadyPicture

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme
    from guiapp.ui.widgets.image_layers import Layer

_MOST_ZOOM = 256.0


class ImageView(QWidget):
    """Shows one uint8 picture, RGB or palette indices.

    Attributes:
        hovered: Column, row (ints) in the picture under the pointer, or None when it leaves.
        clicked: Column and row (floats) of a click in the picture.
        zoomed: Emitted when zoom or position changed.
        paint_ms: Time of the last repaint.
        describe: Text for the value at (column, row), shown in the corner; None shows the stored value.
    """

    hovered = Signal(object)
    clicked = Signal(float, float)
    zoomed = Signal()

    def __init__(self, theme: Theme, name: str = "picture", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme, self.name = theme, name
        self.paint_ms = 0.0
        self.describe: Callable[[int, int], str] | None = None
        self.values: Callable[[], str] | None = None
        self.corner_text = True
        self.margin = 4
        self._array: npt.NDArray[np.uint8] | None = None
        self._table: list[int] | None = None
        self._image: QImage | None = None
        self._ready = ReadyPicture()
        self._layers: tuple[Layer, ...] = ()
        self._scale = 1.0
        self._offset = QPointF(0, 0)
        self._fitted = True
        self._pointer: tuple[int, int] | None = None
        self._mouse: QPointF | None = None
        self._drag: tuple[QPointF, QPointF] | None = None
        self._pressed: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(64, 48)
        self.setAccessibleName(name)
        theme.changed.connect(self.update)

    # ------------------------------------------------------------------ content

    def set_image(self, array: npt.NDArray[np.uint8] | None, table: list[int] | None = None) -> None:
        """Show uint8 (H, W, 3), (H, W, 4) RGBA, or (H, W) indices into ``table`` (0xAARRGGBB); None shows nothing.

        The array is not copied: give a fresh one each time. Zoom stays while the size stays.
        """
        resized = array is None or self._array is None or array.shape[:2] != self._array.shape[:2]
        self._array, self._table = array, table
        self._image = None if array is None else image_of(array, table)
        self._ready.forget()
        if resized:
            self._fitted = True
            self._fit()
            self.update()
        else:
            self._repaint()

    def _repaint(self) -> None:
        """Paint anew what another picture or other layers change."""
        self.update()

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Replace what is painted over the picture, first at the bottom."""
        if tuple(layers) != self._layers:
            self._layers = tuple(layers)
            self._repaint()

    @property
    def image(self) -> QImage | None:
        """The picture shown, or None."""
        return self._image

    @property
    def array(self) -> npt.NDArray[np.uint8] | None:
        """The array shown, or None."""
        return self._array

    @property
    def pointer(self) -> tuple[int, int] | None:
        """Column and row of the pixel under the pointer, or None."""
        return self._pointer

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the picture in its own pixels; (0, 0) without one."""
        return (0, 0) if self._array is None else (self._array.shape[1], self._array.shape[0])

    # ------------------------------------------------------------------ geometry

    @property
    def scale(self) -> float:
        """Widget pixels for one pixel of the picture."""
        return self._scale

    @property
    def fitted(self) -> bool:
        """Whether the whole picture is kept in sight."""
        return self._fitted

    def fit(self) -> None:
        """Show the whole picture as large as the widget allows, and keep doing so."""
        self._fitted = True
        self._fit()
        self._point_again()
        self.update()
        self.zoomed.emit()

    def show_area(self, area: QRectF, share: float = 0.6) -> None:
        """Bring a rectangle of the picture to the middle, so large that it takes ``share`` of the widget."""
        if self._image is None or area.isEmpty():
            return
        scale = share * min(self.width() / area.width(), self.height() / area.height())
        fitted = min(self.width() / self.image_size[0], self.height() / self.image_size[1])
        self._scale = min(_MOST_ZOOM, max(fitted, scale))
        middle = area.center() * self._scale
        self._offset = QPointF(round(self.width() / 2 - middle.x()), round(self.height() / 2 - middle.y()))
        self._fitted = False
        self._point_again()
        self.update()
        self.zoomed.emit()

    def show_like(self, other: ImageView) -> None:
        """Show what another view of a picture of the same size shows, as large as there; ``zoomed`` is not emitted."""
        self._fitted = other.fitted
        if self._fitted:
            self._fit()
        else:
            wider, higher = self.width() - other.width(), self.height() - other.height()
            self._scale, self._offset = other._scale, other._offset + QPointF(wider / 2, higher / 2)
        self.update()

    def _fit(self) -> None:
        width, height = self.image_size
        if not width or not height:
            return
        room_x, room_y = max(1, self.width() - 2 * self.margin), max(1, self.height() - 2 * self.margin)
        scale = min(room_x / width, room_y / height)
        if scale >= 4:
            ratio = self.devicePixelRatioF()
            scale = math.floor(scale * ratio) / ratio  # whole device pixels, so that pixels have one size
        self._scale = scale
        self._offset = QPointF(round((self.width() - width * scale) / 2), round((self.height() - height * scale) / 2))

    def to_widget(self, area: QRectF) -> QRectF:
        """A rectangle of the picture in widget coordinates."""
        return QRectF(
            area.x() * self._scale + self._offset.x(), area.y() * self._scale + self._offset.y(),
            area.width() * self._scale, area.height() * self._scale,
        )  # fmt: skip

    def to_image(self, point: QPointF) -> tuple[float, float]:
        """A point of the widget in pixels of the picture."""
        return (point.x() - self._offset.x()) / self._scale, (point.y() - self._offset.y()) / self._scale

    def zoom(self, factor: float, about: QPointF) -> None:
        """Enlarge by ``factor``, keeping what is under ``about`` where it is."""
        if self._image is None:
            return
        smallest = min(1.0, self.width() / self.image_size[0], self.height() / self.image_size[1]) / 4
        scale = min(_MOST_ZOOM, max(smallest, self._scale * factor))
        self._offset = about - (about - self._offset) * (scale / self._scale)
        self._scale, self._fitted = scale, False
        self.update()
        self.zoomed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self._fit()
        else:
            grown = event.size() - event.oldSize()
            self._offset += QPointF(grown.width() / 2, grown.height() / 2)

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        painter = QPainter(self)
        self._paint_ground(painter, event.rect())
        if self._image is not None:
            self._paint_image(painter)
            for layer in self._layers:
                layer.paint(painter, self)
            self._paint_corner(painter)
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3

    def _paint_ground(self, painter: QPainter, area: QRect) -> None:
        """The ground around the picture: below it, it would cost as much as the picture."""
        colour = self.palette().color(self.backgroundRole())
        if self._image is None or self._image.hasAlphaChannel():
            painter.fillRect(area, colour)
            return
        width, height = self.image_size
        covered = self.to_widget(QRectF(0, 0, width, height))
        left, top = max(0, math.ceil(covered.left())), max(0, math.ceil(covered.top()))
        right, bottom = min(self.width(), math.floor(covered.right())), min(self.height(), math.floor(covered.bottom()))
        if right <= left or bottom <= top:
            painter.fillRect(area, colour)
            return
        for strip in (
            QRect(0, 0, self.width(), top),
            QRect(0, bottom, self.width(), self.height() - bottom),
            QRect(0, top, left, bottom - top),
            QRect(right, top, self.width() - right, bottom - top),
        ):
            part = strip & area
            if not part.isEmpty():
                painter.fillRect(part, colour)

    def _paint_image(self, painter: QPainter) -> None:
        """Only the visible part, so that a great zoom costs no more."""
        assert self._image is not None
        width, height = self.image_size
        left, top = self.to_image(QPointF(0, 0))
        right, bottom = self.to_image(QPointF(self.width(), self.height()))
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
        x1, y1 = min(width, math.ceil(right)), min(height, math.ceil(bottom))
        if x1 <= x0 or y1 <= y0:
            return
        source = QRectF(x0, y0, x1 - x0, y1 - y0)
        # Shrinking is smooth; so is a scale of 1.1, where some pixels would be drawn twice and their neighbours once.
        device = self._scale * self.devicePixelRatioF()
        whole = (x0, y0, x1, y1) == (0, 0, width, height)
        assert self._array is not None
        ready = self._ready.fast(self._array, device) if whole and device < 2 and device != 1 else None
        if device < 0.6 or ready is not None:
            ready = ready or self._ready.smooth(self._image, self._array, device)
            painter.drawImage(self.to_widget(QRectF(0, 0, width, height)), ready)
            return
        if device < 2 and device != 1:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(self.to_widget(source), self._image, source)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)

    def _paint_corner(self, painter: QPainter) -> None:
        if self._pointer is None or not self.corner_text:
            return
        text = self.value_text(*self._pointer)
        metrics = self.fontMetrics()
        width, height = metrics.horizontalAdvance(text) + 10, metrics.height() + 4
        box = QRectF(4, self.height() - height - 4, width, height)
        ground = QColor(self.theme.panel)
        ground.setAlpha(220)
        painter.fillRect(box, ground)
        painter.setPen(self.theme.text)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def value_text(self, column: int, row: int) -> str:
        """Position and value of a pixel as shown under the pointer."""
        if self.describe is not None:
            return self.describe(column, row)
        assert self._array is not None
        value = self._array[row, column]
        parts = value.tolist() if value.ndim else [int(value)]
        shown = str(parts[0]) if len(set(parts[:3])) == 1 else " ".join(map(str, parts[:3]))
        return f"x {column}  y {row}  ·  {shown}"

    # ------------------------------------------------------------------ hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._drag = (event.position(), self._offset)
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        where = event.position()
        if self._drag is not None and event.buttons():
            start, offset = self._drag
            if self._pressed is not None and (where - self._pressed).manhattanLength() < 4:
                return
            self._pressed = None
            self._offset, self._fitted = offset + where - start, False
            self.update()
            self.zoomed.emit()
            return
        self._point_at(where)

    def _point_again(self) -> None:
        """Another pixel is under a pointer that rests."""
        if self._mouse is not None:
            self._point_at(self._mouse)

    def _point_at(self, where: QPointF) -> None:
        self._mouse = where
        pointer = None
        if self._image is not None:
            x, y = self.to_image(where)
            column, row = math.floor(x), math.floor(y)
            width, height = self.image_size
            pointer = (column, row) if 0 <= column < width and 0 <= row < height else None
        if pointer != self._pointer:
            self._pointer = pointer
            self.hovered.emit(pointer)
            if self.corner_text:
                self.update(0, self.height() - 32, self.width(), 32)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and event.button() == Qt.MouseButton.LeftButton and self._image is not None:
            x, y = self.to_image(event.position())
            width, height = self.image_size
            if 0 <= x < width and 0 <= y < height:
                self.clicked.emit(x, y)
        self._drag = self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        self.fit()

    def leaveEvent(self, event: object) -> None:
        self._mouse = None
        if self._pointer is not None:
            self._pointer = None
            self.hovered.emit(None)
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(1.25 ** (event.angleDelta().y() / 120), event.position())
        self._point_at(event.position())
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.make_menu(event.pos().toPointF())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def make_menu(self, where: QPointF) -> QMenu:
        """What a right click at a point offers; panels add their own."""
        menu = QMenu(self)
        menu.addAction("Fit", self.fit)
        menu.addSeparator()
        menu.addAction("Copy picture", self.copy)
        menu.addAction("Save as PNG …", self.ask_save)
        menu.addAction("Save values as CSV …", self.ask_save_values)
        for action in menu.actions()[1:]:
            action.setEnabled(self._image is not None)
        return menu

    # ------------------------------------------------------------------ export

    def copy(self) -> None:
        """Put the picture, with what is painted over it, on the clipboard."""
        if self._image is not None:
            export.copy_image(self.composed())

    def ask_save(self) -> None:
        """Ask for a file name and save the picture with what is painted over it."""
        if self._image is not None:
            export.ask_save_image(self, f"{self.name}.png", self.composed())

    def ask_save_values(self) -> None:
        """Ask for a file name and save the numbers."""
        if self._image is not None:
            export.ask_save_text(self, f"{self.name}.csv", self.csv_text())

    def composed(self) -> QImage:
        """The whole picture with its layers; small ones enlarged by a whole factor to about 512 pixels."""
        assert self._image is not None
        width, height = self.image_size
        factor = max(1, 512 // max(width, height))
        result = QImage(width * factor, height * factor, QImage.Format.Format_ARGB32_Premultiplied)
        result.fill(self.palette().color(self.backgroundRole()))
        painter = QPainter(result)
        kept = self._scale, self._offset
        self._scale, self._offset = float(factor), QPointF(0, 0)
        try:
            painter.drawImage(QRectF(0, 0, result.width(), result.height()), self._image)
            for layer in self._layers:
                layer.paint(painter, self)
        finally:
            self._scale, self._offset = kept
            painter.end()
        return result

    def csv_text(self) -> str:
        """The numbers: those that ``values`` gives, else the stored ones, one line a row of each channel."""
        if self.values is not None:
            return self.values()
        assert self._array is not None
        return export.pixels_csv(self._array)
