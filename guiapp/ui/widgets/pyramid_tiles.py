"""The maps of a feature pyramid over the picture: one row a level, its parts side by side; a click enlarges one."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter

from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.painting import hairline, image_of
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    import numpy as np

    from guiapp.interpret.atlas import Atlas
    from guiapp.ui.theme import Theme

_GAP = 6.0
_OPACITY = 0.72
_MANY = 12  # frames beyond which they are drawn faintly, so that the map is seen


@dataclass(frozen=True, eq=False)
class MapTile:
    """One map over the picture.

    Attributes:
        place: Row and column among the tiles.
        captions: What stands over it, longest wording first.
        atlas: The map.
        boxes: (n, 4), framed over it, in pixels of the picture.
    """

    place: tuple[int, int]
    captions: tuple[str, ...]
    atlas: Atlas
    boxes: np.ndarray


class PyramidTiles(SmallPlot):
    """Tiles in a grid of rows and columns, or exchanged where that gives larger ones."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Feature pyramid")
        self.tiles: tuple[MapTile, ...] = ()
        self.enlarged: int | None = None
        self.pointer: QPointF | None = None
        self._picture: np.ndarray | None = None
        self._area = (0.0, 0.0, 1.0, 1.0)
        self._shrunk: dict[tuple[int, int], QImage] = {}
        self.setMinimumSize(160, 120)
        self.clicked.connect(self._enlarge)

    def show_tiles(
        self, tiles: Sequence[MapTile], picture: np.ndarray, area: tuple[float, float, float, float]
    ) -> None:
        """Show maps that lie over ``area`` (left, top, width, height) of a picture, uint8 (H, W, 3)."""
        if len(tiles) != len(self.tiles):
            self.enlarged = None
        if picture is not self._picture:
            self._shrunk.clear()
        self.tiles, self._picture, self._area = tuple(tiles), picture, area
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there are maps."""
        return bool(self.tiles)

    def sizeHint(self) -> QSize:
        return QSize(320, 360)

    # ------------------------------------------------------------------ geometry

    def _grid(self) -> tuple[float, bool, int]:
        """Pixels for one of the picture, whether rows and columns are exchanged, and columns of a plain list (or 0)."""
        assert self._picture is not None
        height, width = self._picture.shape[:2]
        line = self.fontMetrics().height() + 1
        rows = 1 + max(tile.place[0] for tile in self.tiles)
        columns = 1 + max(tile.place[1] for tile in self.tiles)

        def scale(down: int, across: int) -> float:
            room_x = (self.width() - _GAP * (across - 1)) / across
            room_y = (self.height() - (line + 2) * down) / down
            return max(1e-3, min(room_x / width, room_y / height))

        if columns == 1:
            best = max(range(1, rows + 1), key=lambda n: scale(math.ceil(rows / n), n))
            return scale(math.ceil(rows / best), best), False, best
        plain, exchanged = scale(rows, columns), scale(columns, rows)
        return max(plain, exchanged), exchanged > plain, 0

    def place_of(self, index: int) -> QRectF:
        """Where the picture of a tile is painted."""
        assert self._picture is not None
        height, width = self._picture.shape[:2]
        line = self.fontMetrics().height() + 1
        if self.enlarged is not None:
            if index != self.enlarged:
                return QRectF()
            scale = min(self.width() / width, (self.height() - line) / height)
            return QRectF((self.width() - width * scale) / 2, line, width * scale, height * scale)
        scale, exchanged, listed = self._grid()
        row, column = self.tiles[index].place
        if listed:
            row, column = divmod(index, listed)
        elif exchanged:
            row, column = column, row
        across, down = width * scale, height * scale
        return QRectF(column * (across + _GAP), line + row * (down + line + 2), across, down)

    def item_at(self, where: QPointF) -> int | None:
        """The tile at a point."""
        if not self.tiles:
            return None
        return next((i for i in range(len(self.tiles)) if self.place_of(i).contains(where)), None)

    def cell_at(self, where: QPointF) -> tuple[int, int, int] | None:
        """Tile, row and column of the value at a point, or None in the padding and outside."""
        index = self.item_at(where)
        if index is None or self._picture is None:
            return None
        place = self.place_of(index)
        scale = place.width() / self._picture.shape[1]
        rows, columns = self.tiles[index].atlas.tile
        left, top, width, height = self._area
        column = math.floor(((where.x() - place.x()) / scale - left) / width * columns)
        row = math.floor(((where.y() - place.y()) / scale - top) / height * rows)
        return (index, row, column) if 0 <= row < rows and 0 <= column < columns else None

    # ------------------------------------------------------------------ hand

    def _enlarge(self, index: int) -> None:
        self.enlarged = None if self.enlarged is not None else index
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer = event.position()
        super().mouseMoveEvent(event)
        if self.hover is not None:
            self.hovered.emit(self.hover)

    def leaveEvent(self, event: object) -> None:
        self.pointer = None
        super().leaveEvent(event)

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint every tile: picture, map, objects, caption."""
        if self._picture is None:
            return
        metrics = self.fontMetrics()
        for index, tile in enumerate(self.tiles):
            place = self.place_of(index)
            if place.isEmpty():
                continue
            caption = next((c for c in tile.captions if metrics.horizontalAdvance(c) <= place.width()), None)
            if caption is None:
                caption = metrics.elidedText(tile.captions[-1], Qt.TextElideMode.ElideRight, int(place.width()))
            painter.setPen(self.theme.text if index == self.hover else self.theme.faint)
            painter.drawText(QPointF(place.x(), place.y() - metrics.descent() - 1), caption)
            self._paint_tile(painter, tile, place)

    def _paint_tile(self, painter: QPainter, tile: MapTile, place: QRectF) -> None:
        assert self._picture is not None
        scale = place.width() / self._picture.shape[1]
        left, top, width, height = self._area
        painter.save()
        painter.setClipRect(place)
        painter.drawImage(place, self._ground(place))
        painter.setOpacity(_OPACITY)
        whole = QRectF(place.x() + left * scale, place.y() + top * scale, width * scale, height * scale)
        rows, columns = tile.atlas.pixels.shape
        if rows > whole.height() or columns > whole.width():  # larger than its place: averaged, not picked
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(whole, image_of(tile.atlas.pixels, palette_table(tile.atlas.signed)))
        painter.setOpacity(1.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(hairline(self.theme.warning, 1.0 if len(tile.boxes) <= _MANY else 0.4))
        for x0, y0, x1, y1 in tile.boxes.tolist():
            painter.drawRect(
                QRectF(place.x() + x0 * scale, place.y() + y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale)
            )
        painter.restore()

    def _ground(self, place: QRectF) -> QImage:
        """The picture in grey, shrunk to device pixels once for all tiles."""
        ratio = self.devicePixelRatioF()
        size = max(1, round(place.width() * ratio)), max(1, round(place.height() * ratio))
        if size not in self._shrunk:
            keep, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            image = image_of(self._picture).scaled(*size, keep, smooth)
            self._shrunk[size] = image.convertToFormat(QImage.Format.Format_Grayscale8)
        return self._shrunk[size]

    def csv_text(self) -> str:
        """Every value: tile, row, columns."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        for tile in self.tiles:
            for row, values in enumerate(tile.atlas.values[0].tolist()):
                writer.writerow([tile.captions[0], row, *(f"{value:.6g}" for value in values)])
        return stream.getvalue()
