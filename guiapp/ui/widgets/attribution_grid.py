"""Several attribution maps side by side over the same picture: one zoom, one pointer, one style for all of them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QResizeEvent
from PySide6.QtWidgets import QMenu, QWidget

from guiapp.ui.widgets import export
from guiapp.ui.widgets.attribution_image import Floats, MapStyle, map_image, range_of, without_colours
from guiapp.ui.widgets.image_layers import Layer, MapLayer, RectLayer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.painting import hairline
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

Area = tuple[float, float, float, float]

_GAP = 6
_LEAST = 48


@dataclass(frozen=True, eq=False)
class Tile:
    """One map.

    Attributes:
        title: What it is, such as ``"Grad-CAM"``; ``shorter`` are wordings for less room.
        pixels: The picture, uint8 (H, W, 3) or (H, W, 1).
        values: float32 (h, w), signed; None while nothing is known yet.
        area: Left, top, width, height, in pixels of the picture, that the map lies over; None for all of it.
        colour: Of the class that is explained, or None.
        box: Left, top, width, height of what is explained, drawn as a frame, or None.
        coarse: Whether its values are those of a layer, not of pixels.
        chosen: Whether it is the one that other panels follow.
    """

    title: str
    pixels: npt.NDArray[np.uint8]
    values: Floats | None = None
    area: Area | None = None
    colour: QColor | None = None
    box: Area | None = None
    coarse: bool = False
    chosen: bool = False
    shorter: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PaddingLayer:
    """The black that a network's input has around a picture, where its map reaches over the edge.

    Attributes:
        area: Left, top, width, height of the input in pixels of the picture.
    """

    area: Area

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Fill what of the area is not the picture."""
        whole = QPainterPath()
        whole.addRect(view.to_widget(QRectF(*self.area)))
        picture = QPainterPath()
        picture.addRect(view.to_widget(QRectF(0, 0, *view.image_size)))
        painter.fillPath(whole.subtracted(picture), QColor("black"))


class MapView(ImageView):
    """A picture with one map over it; the corner says place and value."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent)
        self.tile: Tile | None = None
        self.full = 1.0
        self.margin = 0
        self._style = MapStyle()
        self._grey: tuple[object, npt.NDArray[np.uint8]] | None = None
        self.describe = self._describe
        self.values = self._csv
        self.setMinimumSize(48, 32)

    def show_tile(self, tile: Tile | None, style: MapStyle, full: float) -> None:
        """Show a map in a style, ``full`` being the size at which its colours are full."""
        changed = tile is not self.tile or style != self._style or full != self.full
        self.tile, self._style, self.full = tile, style, full
        if changed:
            self._show()

    def _show(self) -> None:
        tile = self.tile
        if tile is None:
            self.set_image(None)
            self.set_layers(())
            return
        pixels = tile.pixels
        if pixels.shape[2] == 1:
            pixels = pixels[:, :, 0]
        if self._style.ground != "picture" and pixels.ndim == 3:
            if self._grey is None or self._grey[0] is not tile.pixels:
                self._grey = tile.pixels, without_colours(pixels)
            pixels = self._grey[1]
        if self.array is not pixels and not (self.array is not None and np.shares_memory(self.array, pixels)):
            self.set_image(np.ascontiguousarray(pixels))
        layers: list[Layer] = []
        if tile.values is not None:
            width, height = self.image_size
            area = tile.area or (0.0, 0.0, float(width), float(height))
            image = map_image(
                tile.values, self._style, self.full, (area[2] * self.scale, area[3] * self.scale), tile.coarse
            )
            if area[0] < 0 or area[1] < 0 or area[0] + area[2] > width or area[1] + area[3] > height:
                layers.append(PaddingLayer(area))
            layers.append(MapLayer(image, 1.0, area))
        if tile.box is not None:
            layers.append(RectLayer(tile.box, tile.colour or self.theme.accent))
        self.set_layers(layers)

    def value_at(self, column: int, row: int) -> float | None:
        """The value of the map over a pixel of the picture; None beside the map."""
        tile = self.tile
        if tile is None or tile.values is None:
            return None
        width, height = self.image_size
        left, top, across, down = tile.area or (0.0, 0.0, float(width), float(height))
        rows, columns = tile.values.shape
        x, y = math.floor((column + 0.5 - left) / across * columns), math.floor((row + 0.5 - top) / down * rows)
        return float(tile.values[y, x]) if 0 <= x < columns and 0 <= y < rows else None

    def _describe(self, column: int, row: int) -> str:
        value = self.value_at(column, row)
        return f"x {column}  y {row}" + ("" if value is None else f"  ·  {value:.3g}".replace("-", "−"))

    def _csv(self) -> str:
        """The values of the map, one line a row."""
        stream = io.StringIO()
        if self.tile is not None and self.tile.values is not None:
            csv.writer(stream).writerows([f"{value:.7g}" for value in row] for row in self.tile.values.tolist())
        return stream.getvalue()

    def make_menu(self, where: QPointF) -> QMenu:
        """What every picture offers, and all maps as one picture."""
        menu = super().make_menu(where)
        grid = self.parentWidget()
        if isinstance(grid, MapGrid) and len(grid.tiles) > 1:
            menu.addAction("Save all maps as PNG or SVG …", lambda: export.ask_save_plot(grid, "attribution"))
        return menu


class MapGrid(QWidget):
    """Maps in rows and columns, as large as fit; a click chooses one.

    Attributes:
        tiles: What is shown.
        style: How.
        chosen: Emitted with the index of a tile that was clicked.
        hovered: Emitted with column and row in the picture under the pointer, or None.
    """

    chosen = Signal(int)
    hovered = Signal(object)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.theme = theme
        self.tiles: tuple[Tile, ...] = ()
        self.map_style = MapStyle()
        self.columns: int | None = None
        self.views: list[MapView] = []
        self.captions: list[QuietLabel] = []
        self.setMinimumSize(80, 80)
        theme.changed.connect(self._restyle)

    # ------------------------------------------------------------------ content

    def show_tiles(self, tiles: Sequence[Tile], columns: int | None = None) -> None:
        """Show maps; ``columns`` in a row, or as many as leave them largest."""
        moved = len(tiles) != len(self.tiles) or columns != self.columns
        moved = moved or tuple(t.pixels.shape for t in tiles[:1]) != tuple(t.pixels.shape for t in self.tiles[:1])
        self.tiles, self.columns = tuple(tiles), columns
        while len(self.views) < len(tiles):
            self._add()
        for number, (view, caption) in enumerate(zip(self.views, self.captions, strict=True)):
            view.setVisible(number < len(tiles))
            caption.setVisible(number < len(tiles))
        if moved:
            self._place()
        self._paint_all()

    def set_style(self, style: MapStyle) -> None:
        """Paint all maps in another style."""
        if style != self.map_style:
            self.map_style = style
            self._paint_all()

    def ranges(self) -> list[float]:
        """The size at which colours are full, for each tile."""
        own = [1.0 if tile.values is None else range_of(tile.values) for tile in self.tiles]
        known = [full for full, tile in zip(own, self.tiles, strict=True) if tile.values is not None]
        return own if self.map_style.own_range else [max(known, default=1.0)] * len(own)

    def _paint_all(self) -> None:
        ranges = self.ranges()
        for tile, view, caption, full in zip(self.tiles, self.views, self.captions, ranges, strict=False):
            view.show_tile(tile, self.map_style, full)
            caption.set_text(tile.title, tile.shorter)
            caption.ink = self.theme.accent if tile.chosen and len(self.tiles) > 1 else None
            caption.update()
        for view in self.views[len(self.tiles) :]:
            view.show_tile(None, self.map_style, 1.0)

    def _add(self) -> None:
        number = len(self.views)
        view = MapView(self.theme, f"attribution {number + 1}", self)
        view.setObjectName(f"{self.objectName()}.{number}")
        view.zoomed.connect(lambda v=view: self._zoom_like(v))
        view.hovered.connect(self.hovered)
        view.clicked.connect(lambda _x, _y, n=number: self.chosen.emit(n))
        self.views.append(view)
        self.captions.append(QuietLabel(f"{self.objectName()}.caption-{number}", self))

    def _zoom_like(self, source: MapView) -> None:
        for view in self.views[: len(self.tiles)]:
            if view is not source:
                view.show_like(source)

    # ------------------------------------------------------------------ geometry

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    def _line(self) -> int:
        return self.fontMetrics().height() + 2

    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        count = max(1, len(self.tiles))
        if self.columns is not None:
            return math.ceil(count / self.columns), min(self.columns, count)
        height, width = self.tiles[0].pixels.shape[:2] if self.tiles else (1, 1)
        sizes = []
        for columns in range(1, count + 1):
            rows = math.ceil(count / columns)
            room_x, room_y = self._room(rows, columns)
            sizes.append((min(room_x / width, room_y / height), -columns))
        columns = sizes.index(max(sizes)) + 1
        return math.ceil(count / columns), columns

    def _room(self, rows: int, columns: int) -> tuple[float, float]:
        """Width and height of one picture."""
        width = (self.width() - _GAP * (columns - 1)) / columns
        return max(1.0, width), max(1.0, (self.height() - _GAP * (rows - 1)) / rows - self._line())

    def places(self) -> list[tuple[QRect, QRect]]:
        """Caption and picture of each tile."""
        rows, columns = self.shape()
        width, height = self._room(rows, columns)
        if self.tiles:  # rows no higher than pictures that are fitted: a head stands on its own picture
            tall, wide = self.tiles[0].pixels.shape[:2]
            height = min(height, max(width * tall / wide, _LEAST))
        line, found = self._line(), []
        over = max(0.0, (self.height() - rows * (height + line) - (rows - 1) * _GAP) / 2)
        for number in range(len(self.tiles)):
            row, column = divmod(number, columns)
            left, top = round(column * (width + _GAP)), round(over + row * (height + line + _GAP))
            right, bottom = round(column * (width + _GAP) + width), round(top + line + height)
            body = QRect(left, top + line, right - left, bottom - top - line)
            found.append((QRect(left, top, right - left, line), body))
        return found

    def _place(self) -> None:
        for (head, body), view, caption in zip(self.places(), self.views, self.captions, strict=False):
            caption.setGeometry(head)
            view.setGeometry(body)

    # ------------------------------------------------------------------ numbers and export

    def values_at(self, column: int, row: int) -> list[float | None]:
        """The values of all maps over a pixel of the picture."""
        return [view.value_at(column, row) for view in self.views[: len(self.tiles)]]

    def paint_to(self, painter: QPainter) -> None:
        """Paint captions, pictures and maps, as they are seen."""
        painter.fillRect(self.rect(), self.theme.panel)
        for tile, view, (head, body) in zip(self.tiles, self.views, self.places(), strict=False):
            painter.setPen(self.theme.text)
            painter.drawText(head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, tile.title)
            if view.image is None:
                continue
            painter.save()
            painter.setClipRect(body)
            painter.translate(body.topLeft())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, view.scale < 2)
            painter.drawImage(view.to_widget(QRectF(0, 0, *view.image_size)), view.image)
            for layer in view._layers:
                layer.paint(painter, view)
            painter.restore()
            if tile.chosen and len(self.tiles) > 1:
                painter.setPen(hairline(self.theme.accent))
                painter.drawRect(body.adjusted(0, 0, -1, -1))

    def _restyle(self) -> None:
        self._paint_all()
