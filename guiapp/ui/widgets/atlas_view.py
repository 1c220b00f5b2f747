"""All maps of a layer as one image: hover tells map and value, a click chooses and enlarges one."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from guiapp.ui import colour_maps
from guiapp.ui.widgets.image_layers import Layer, RectLayer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.painting import hairline

if TYPE_CHECKING:
    from guiapp.interpret.atlas import Atlas
    from guiapp.ui.theme import Theme


@cache
def palette_table(signed: bool) -> list[int]:
    """Colours of palette indices for ``QImage.setColorTable``."""
    return colour_maps.colour_table(colour_maps.signed() if signed else colour_maps.sequential())


class AtlasView(ImageView):
    """Shows an ``Atlas``.

    Attributes:
        tile_hovered: Index of the tile under the pointer, or None.
        tile_clicked: Index of a clicked tile.
        aspect_changed: Emitted when the shape of the widget changed so much that another arrangement fits better.
    """

    tile_hovered = Signal(object)
    tile_clicked = Signal(int)
    aspect_changed = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent)
        self.corner_text = False
        self.margin = 0
        self.atlas: Atlas | None = None
        self._chosen: int | None = None
        self._crossed: frozenset[int] = frozenset()
        self._enlarged: int | None = None
        self._hover: int | None = None
        self._aspect = 1.0
        self._captions: tuple[str, ...] = ()
        self.values = self._csv
        self.hovered.connect(self._hovered)
        self.clicked.connect(self._click)

    def set_atlas(self, atlas: Atlas | None) -> None:
        """Show another atlas; zoom and enlargement stay while its arrangement stays."""
        old, self.atlas = self.atlas, atlas
        if atlas is None:
            self._enlarged = None
            self.set_image(None)
            self.set_layers(())
            return
        same = old is not None and (old.count, old.tile, old.columns) == (atlas.count, atlas.tile, atlas.columns)
        if not same:
            self._enlarged = None
        self.set_image(atlas.pixels, palette_table(atlas.signed) if atlas.pixels.ndim == 2 else None)
        if not same:
            self._mark()

    # ------------------------------------------------------------------ marks

    def set_chosen(self, tile: int | None) -> None:
        """Frame a tile."""
        if tile != self._chosen:
            self._chosen = tile
            self._mark()

    def set_crossed(self, tiles: frozenset[int]) -> None:
        """Cross out tiles, such as channels that are switched off."""
        if tiles != self._crossed:
            self._crossed = tiles
            self._mark()

    def set_captions(self, captions: tuple[str, ...]) -> None:
        """Name the tiles, such as templates by their class."""
        if captions != self._captions:
            self._captions = captions
            self._mark()

    def _mark(self) -> None:
        atlas = self.atlas
        if atlas is None:
            return
        layers: list[Layer] = [
            RectLayer(atlas.tile_rect(t), self.theme.warning, cross=True)
            for t in sorted(self._crossed)
            if t < atlas.count
        ]
        if self._chosen is not None and self._chosen < atlas.count:
            layers.append(_Frame(atlas.tile_rect(self._chosen), self.theme.accent))
        if self._captions:
            tiles = zip(self._captions[: atlas.count], range(atlas.count), strict=False)
            layers.append(_Captions(tuple((text, QRectF(*atlas.tile_rect(tile))) for text, tile in tiles)))
        self.set_layers(layers)

    # ------------------------------------------------------------------ enlarging

    @property
    def enlarged(self) -> int | None:
        """The tile that fills the view, or None."""
        return self._enlarged

    def enlarge(self, tile: int | None) -> None:
        """Let one tile fill the view; None shows all."""
        if self.atlas is None or tile is None or not 0 <= tile < self.atlas.count:
            self._enlarged = None
            self.fit()
            return
        self._enlarged = tile
        left, top, width, height = self.atlas.tile_rect(tile)
        scale = min((self.width() - 8) / width, (self.height() - 8) / height)
        scale = float(max(1, int(scale))) if scale > 4 else scale
        self._scale, self._fitted = scale, False
        self._offset = QPointF(
            round((self.width() - width * scale) / 2 - left * scale),
            round((self.height() - height * scale) / 2 - top * scale),
        )
        self.update()
        self.zoomed.emit()

    def fit(self) -> None:
        """Show all tiles."""
        self._enlarged = None
        super().fit()

    @property
    def aspect(self) -> float:
        """Width / height of the widget in coarse steps, for the arrangement of tiles."""
        return self._aspect

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._enlarged is not None:
            self.enlarge(self._enlarged)
        exact = max(1, self.width()) / max(1, self.height())
        if not 0.93 < exact / self._aspect < 1.07:
            self._aspect = float(np.clip(round(exact, 1), 0.1, 15.0))
            self.aspect_changed.emit()

    def _paint_image(self, painter: QPainter) -> None:
        if self._enlarged is None or self.atlas is None or self._image is None:
            super()._paint_image(painter)
            return
        source = QRectF(*self.atlas.tile_rect(self._enlarged))
        painter.drawImage(self.to_widget(source), self._image, source)

    # ------------------------------------------------------------------ hand

    def tile_under(self, point: QPointF) -> int | None:
        """The tile at a point of the widget."""
        if self.atlas is None:
            return None
        tile = self.atlas.tile_at(*self.to_image(point))
        return tile if self._enlarged is None or tile == self._enlarged else None

    def _hovered(self, place: tuple[int, int] | None) -> None:
        tile = None
        if place is not None and self.atlas is not None:
            tile = self.atlas.tile_at(place[0] + 0.5, place[1] + 0.5)
            if self._enlarged is not None and tile != self._enlarged:
                tile = None
        self._hover = tile
        self.tile_hovered.emit(tile)

    def _click(self, x: float, y: float) -> None:
        tile = self.atlas.tile_at(x, y) if self.atlas is not None else None
        if self._enlarged is not None:
            self.enlarge(None)
        elif tile is not None:
            self.tile_clicked.emit(tile)
            self.enlarge(tile)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press of a double click is a click of its own: it shows all tiles again."""
        self.enlarge(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows choose a neighbouring tile, Return enlarges it, Escape shows all."""
        atlas, key = self.atlas, Qt.Key(event.key())
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if atlas is not None:
            moves |= {Qt.Key.Key_Up: -atlas.columns, Qt.Key.Key_Down: atlas.columns}
        if atlas is not None and key in moves:
            tile = max(0, min(atlas.count - 1, (self._chosen or 0) + moves[key]))
            self.tile_clicked.emit(tile)
            if self._enlarged is not None:
                self.enlarge(tile)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._chosen is not None:
            self.enlarge(None if self._enlarged is not None else self._chosen)
        elif key == Qt.Key.Key_Escape and self._enlarged is not None:
            self.enlarge(None)
        else:
            super().keyPressEvent(event)

    def _csv(self) -> str:
        """The numbers behind the pixels: one line a row of each tile (and colour)."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        if self.atlas is not None:
            values = self.atlas.values
            values = values[:, None] if values.ndim == 3 else values
            writer.writerow(["tile", "channel", "row", *(f"x{i}" for i in range(values.shape[-1]))])
            for tile, planes in enumerate(values):
                for channel, plane in enumerate(planes):
                    for row, line in enumerate(plane.tolist()):
                        writer.writerow([tile, channel, row, *(f"{v:.7g}" for v in line)])
        return stream.getvalue()


class _Frame(RectLayer):
    """A frame in the gap around a tile."""

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Two hairlines outside the tile, so that no value is covered."""
        box = view.to_widget(QRectF(*self.area))
        painter.setPen(hairline(self.colour))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(-1, -1, 0, 0))
        painter.drawRect(box.adjusted(-2, -2, 1, 1))


@dataclass(frozen=True)
class _Captions:
    """Names in the upper left corners of tiles."""

    named: tuple[tuple[str, QRectF], ...]

    def paint(self, painter: QPainter, view: AtlasView) -> None:
        """On a small ground of their own; left out where they would cover much of a tile."""
        metrics = view.fontMetrics()
        ground = QColor(view.theme.panel)
        ground.setAlpha(215)
        for index, (text, tile) in enumerate(self.named):
            if view.enlarged not in (None, index):
                continue
            box = view.to_widget(tile)
            label = QRectF(box.x(), box.y(), metrics.horizontalAdvance(text) + 6, metrics.height())
            if box.height() < 2.2 * label.height() or box.width() < label.width():
                continue
            painter.fillRect(label, ground)
            painter.setPen(view.theme.text)
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, text)
