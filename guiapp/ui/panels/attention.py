"""The attention panel: what each head of a transformer looks at, from any place of the picture; learned positions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.attention_options import AttentionOptions, PositionOptions, attention_names, chosen_attention
from guiapp.ui.context import Context
from guiapp.ui.panels.paged import PagedPanel
from guiapp.ui.widgets.atlas_view import AtlasView, palette_table
from guiapp.ui.widgets.colour_bar import number
from guiapp.ui.widgets.image_layers import Layer, MapLayer, RectLayer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.painting import image_of
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.interpret.attention import AttentionView, PositionView

_NO_PICTURE = "no picture: open one to see what the heads look at"
_VIEWS = (("one layer", "one"), ("every layer", "every"), ("positions", "positions"))
_CLASS, _MEAN = "class", "mean"
_BESIDE = 1.25  # width over height from which picture and tiles stand beside each other


class _Tiles(AtlasView):
    """Tiles that a click chooses; the picture beside them shows the chosen one large."""

    def enlarge(self, tile: int | None) -> None:
        """All tiles stay in sight."""
        super().enlarge(None)


class AttentionPanel(PagedPanel):
    """The picture with the attention of one head, or the mean of all, over it; below it a tile for each head.

    Attributes:
        layers: The attention layers, ``attention.layer``.
        views: One layer, every layer, or positions, ``attention.view``.
        looks: Which token looks, ``attention.from``.
        heads: Which head lies over the picture, ``attention.head``.
        picture: What the network sees, ``attention.picture``.
        tiles: A tile for each head, ``attention.tiles``.
        view, places: What is shown now, or None.
        token: The patch that looks, as a token; None while the class token or the mean does.
    """

    id = "attention"
    title = "Attention"
    nothing_open = "Open the vision transformer in the catalogue to see what its heads look at."
    nothing_here = "This network has no attention layers: open the vision transformer in the catalogue."
    least = (220, 200)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.view: AttentionView | None = None
        self.places: PositionView | None = None
        self.token: int | None = None
        self._opened: object = None
        theme = context.theme
        self.layers = self._box("layer", "Attention layer", "Attention layer that is shown")
        self.layers.activated.connect(lambda row: self._choose_layer(self.layers.itemData(row)))
        self.views = self._box("view", "What is shown", "Heads of one layer, of every layer, or learned positions")
        for title, value in _VIEWS:
            self.views.addItem(title, value)
        self.views.currentIndexChanged.connect(lambda _=0: self._change_view())
        self.looks = self._box("from", "Which token looks", "Token that looks; a click on the picture chooses a patch")
        self.looks.activated.connect(lambda row: self._look_from(self.looks.itemData(row)))
        self.heads = self._box("head", "Head over the picture", "Head that lies over the picture, or the mean of all")
        self.heads.activated.connect(lambda _row: self._paint())
        self.picture = ImageView(theme, "attention", self)
        self.picture.setObjectName("attention.picture")
        self.picture.corner_text = False
        self.picture.hovered.connect(self._point)
        self.picture.clicked.connect(self._click)
        self.tiles = _Tiles(theme, "attention heads", self)
        self.tiles.setObjectName("attention.tiles")
        self.tiles.tile_hovered.connect(lambda _tile: self._describe())
        self.tiles.hovered.connect(lambda _place: self._describe())
        self.tiles.tile_clicked.connect(self._tile_clicked)
        self.line = QuietLabel("attention.line", self, theme.faint)
        self.hover = QuietLabel("attention.hover", self)
        self._build()
        self.follow("layer", lambda _name: self._follow())
        self.show_state(self.seen)

    def _box(self, name: str, title: str, tip: str) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(f"attention.{name}")
        box.setAccessibleName(title)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(6)
        return box

    def _build(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for row, boxes in ((first, (self.layers, self.views)), (second, (self.looks, self.heads))):
            row.setSpacing(4)
            for box in boxes:
                row.addWidget(box, 1)
        self._both = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._both.setSpacing(4)
        self._both.addWidget(self.picture, 1)
        self._both.addWidget(self.tiles, 1)
        self.lay_out(first, second, self.line, (self._both, 1), self.hover, faint=(self.line,))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() > _BESIDE * self.height()
        way = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self._both.direction() != way:
            self._both.setDirection(way)

    # ------------------------------------------------------------------ what is asked

    @property
    def shown(self) -> str:
        """``"one"``, ``"every"`` or ``"positions"``."""
        return str(self.views.currentData())

    @property
    def layer(self) -> str | None:
        """The attention layer that the chosen layer means; None without any."""
        opened = self.seen.opened
        return chosen_attention(opened.layers, self.context.workspace.layer or "") if opened is not None else None

    def request(self) -> Request | None:
        """Attention of the layer from the chosen token, or positions."""
        layer = self.layer
        if layer is None:
            return None
        if self.shown == "positions":
            return Request("positions", PositionOptions(layer), 0.25)
        of: Any = "mean" if self.looks.currentData() == _MEAN else "query"
        return Request("attention", AttentionOptions(layer, self.token, of, self.shown == "every"))

    def _choose_layer(self, name: str) -> None:
        self.context.workspace.unit = None
        self.context.workspace.layer = name

    def _change_view(self) -> None:
        places = self.shown == "positions"
        for widget in (self.picture, self.looks, self.heads):
            widget.setVisible(not places)
        self.tiles.set_atlas(None)
        self.view = self.places = None
        self.hover.set_text("")
        self.request_changed.emit()

    def _follow(self) -> None:
        self.layers.setCurrentIndex(self.layers.findData(self.layer))
        self.request_changed.emit()

    def _look_from(self, what: object) -> None:
        """Let the class token look, all tokens in the mean, or a patch by its number as a token."""
        self.token = what if isinstance(what, int) else None
        self.request_changed.emit()
        self._paint()

    def _list_tokens(self, view: AttentionView) -> None:
        """What can look: the class token where there is one, all of them, the patch that was clicked."""
        first = "class token" if view.extra else "middle patch"
        found: list[tuple[str, object]] = [(f"from the {first}", _CLASS), ("mean of all tokens", _MEAN)]
        if self.token is not None:
            row, column = divmod(self.token - view.extra, view.grid[1])
            found.append((f"from patch {row}, {column}", self.token))
        chosen = self.token if self.token is not None else self.looks.currentData()
        _fill(self.looks, found, chosen if chosen in (_MEAN, self.token) else _CLASS)
        heads: list[tuple[str, object]] = [("mean of heads", -1)]
        heads += [(f"head {head + 1}", head) for head in range(len(view.itself))]
        _fill(self.heads, heads, self.heads.currentData())

    # ------------------------------------------------------------------ showing

    def show_state(self, state: EngineState) -> None:
        """List the attention layers of another network."""
        if state.opened is self._opened:
            return
        self._opened, self.token = state.opened, None
        self.view = self.places = None
        names = attention_names(state.opened.layers) if state.opened is not None else []
        self.layers.clear()
        for index, name in enumerate(names):
            self.layers.addItem(f"layer {index + 1} of {len(names)}", name)
            self.layers.setItemData(index, name, Qt.ItemDataRole.ToolTipRole)
        self.looks.clear()
        self.heads.clear()
        self.picture.set_image(None)
        self.picture.set_layers(())
        self.tiles.set_atlas(None)
        if names:
            self.show_something()
        else:
            self.show_nothing(state.opened)
        self.line.set_text(self.no_look(_NO_PICTURE))
        self.hover.set_text("")
        self._follow()

    def show_look(self, result: LookResult) -> None:
        """Show the newest attention, or what places have become."""
        found = result.results.get(self.id)
        if found is None:
            if result.picture is not None and self.view is None and self.shown != "positions":
                self.line.set_text("no attention of this layer could be read")
            return
        if hasattr(found, "kind"):
            if self.shown == "positions":
                self._show_places(found)
            return
        if self.shown == "positions" or (len(found.layers) > 1) != (self.shown == "every"):
            return
        view: AttentionView = found
        if view.tokens_gone(self.token):
            self.token = None
            self.request_changed.emit()
        self.view = view
        self._list_tokens(view)
        seen = view.picture
        if seen is None and result.picture is not None:
            seen = result.picture.pixels
        self.picture.set_image(seen)
        self.tiles.set_atlas(view.maps)
        if self.shown == "one":
            self.tiles.set_captions(tuple(str(head + 1) for head in range(view.maps.count)))
        else:
            columns = view.maps.columns
            self.tiles.set_captions(
                tuple(f"{tile // columns + 1}.{tile % columns + 1}" for tile in range(view.maps.count))
            )
        self._say(view)
        self._paint()
        self._describe()

    def _say(self, view: AttentionView) -> None:
        rows, columns = view.grid
        tokens = f"{rows} × {columns} patches" + (
            " + class token" if view.extra == 1 else f" + {view.extra}" if view.extra else ""
        )
        row = view.layers.index(view.layer)
        far, wide = np.nanmean(view.distance[row]), np.nanmean(view.entropy[row])
        spread = f"looks {far:.0f} px far, entropy {wide:.2f} nats"
        heads = f"{len(view.itself)} heads · {tokens}"
        self.line.set_text(f"{heads} · {spread}", (f"{tokens} · {spread}", spread))
        self.line.tip = (
            "In the mean over heads and patches: distance in pixels of the input weighed by attention, and entropy, at "
            f"most log {view.extra + rows * columns} = {math.log(view.extra + rows * columns):.2f} nats"
        )

    def _paint(self) -> None:
        """The attention of the chosen head over the picture, and the patch that looks."""
        view = self.view
        if view is None or self.picture.image is None:
            return
        width, height = self.picture.image_size
        rows, columns = view.grid
        mean = self.looks.currentData() == _MEAN
        query = None if mean else (self.token if self.token is not None else view.first)
        map_ = self._map(view, query)
        high = float(np.nanmax(map_)) if np.isfinite(map_).any() else 0.0
        index = np.where(np.isfinite(map_), map_ / max(high, 1e-30) * 254 + 1, 0).round().astype(np.uint8)
        layers: list[Layer] = [MapLayer(image_of(index, palette_table(False)), 0.62)]
        if query is not None and query >= view.extra:
            row, column = divmod(query - view.extra, columns)
            area = (column * width / columns, row * height / rows, width / columns, height / rows)
            layers.append(RectLayer(area, self.context.theme.warning))
        self.picture.set_layers(layers)
        chosen = self.heads.currentData()
        head = chosen if isinstance(chosen, int) and chosen >= 0 else None
        if head is not None and self.shown == "every":
            head += view.layers.index(view.layer) * view.maps.columns
        self.tiles.set_chosen(head)

    def _map(self, view: AttentionView, query: int | None) -> np.ndarray:
        """What lies over the picture: (rows, columns)."""
        found = view.looks(query)
        head = self.heads.currentData()
        return found[head] if isinstance(head, int) and 0 <= head < len(found) else found.mean(0)

    def _show_places(self, places: PositionView) -> None:
        self.places, self.view = places, None
        self.tiles.set_atlas(places.maps)
        rows, columns = places.grid
        if places.kind == "similarity":
            self.tiles.set_captions(())
            text = f"cosine of the embedding of each of {rows} × {columns} places with all others"
        else:
            self.tiles.set_captions(tuple(str(head + 1) for head in range(places.maps.count)))
            text = (
                f"what each head adds for the way from query to key, up to {rows // 2} patches; own place in the middle"
            )
        self.line.set_text(f"{text} · {places.layer}", (text,))
        self.line.tip = text
        self._describe()

    # ------------------------------------------------------------------ hand

    def _patch(self, column: float, row: float) -> tuple[int, int] | None:
        """Row and column of the patch at a point of the picture."""
        view, (width, height) = self.view, self.picture.image_size
        if view is None or not width:
            return None
        rows, columns = view.grid
        return min(int(row * rows / height), rows - 1), min(int(column * columns / width), columns - 1)

    def _point(self, place: tuple[int, int] | None) -> None:
        """Say how much of the attention falls on the patch under the pointer; other panels draw where it lies."""
        view = self.view
        patch = self._patch(place[0] + 0.5, place[1] + 0.5) if place is not None else None
        if view is None or patch is None:
            self.context.workspace.place = None
            self._describe()
            return
        layers = self.seen.opened.layers if self.seen.opened is not None else ()
        made = (x.name for x in layers if x.kind == "conv" and tuple(x.output_shape[1:]) == tuple(view.grid))
        conv = next(made, None)
        self.context.workspace.place = (conv, *patch) if conv is not None else None
        mean = self.looks.currentData() == _MEAN
        value = float(self._map(view, None if mean else self.token if self.token is not None else view.first)[patch])
        share = "not seen from there" if math.isnan(value) else f"{100 * value:.2f} % of the attention"
        self.hover.set_text(f"patch {patch[0]}, {patch[1]}: {share} · click looks from here")

    def _click(self, column: float, row: float) -> None:
        patch = self._patch(column, row)
        if self.view is None or patch is None:
            return
        self.token = self.view.extra + patch[0] * self.view.grid[1] + patch[1]
        self._list_tokens(self.view)
        self.looks.setCurrentIndex(self.looks.findData(self.token))
        self._look_from(self.token)

    def _tile_clicked(self, tile: int) -> None:
        view = self.view
        if view is None:
            return
        row, head = divmod(tile, view.maps.columns) if self.shown == "every" else (view.layers.index(view.layer), tile)
        if row < len(view.layers) and not np.isfinite(view.distance[row, head]):
            return  # a place without a head
        same = self.heads.currentData() == head and view.layers[row] == view.layer
        self.heads.setCurrentIndex(0 if same else head + 1)
        if view.layers[row] != view.layer:
            self._choose_layer(view.layers[row])
        self._paint()

    def _describe(self) -> None:
        """What is under the pointer in the tiles."""
        atlas, place = self.tiles.atlas, self.tiles.pointer
        found = atlas.value_at(place[0] + 0.5, place[1] + 0.5) if atlas is not None and place is not None else None
        if found is None:
            if self.view is not None:
                self.hover.set_text(
                    "click a patch to look from it, a tile to lay a head over the picture",
                    ("click: a patch looks, a tile lies over it", "click a patch or a tile"),
                )
            else:
                self.hover.set_text("")
            return
        tile, row, column, value = found
        places, view = self.places, self.view
        if places is not None:
            if places.kind == "similarity":
                own = divmod(tile, places.grid[1])
                text = f"places {own[0]}, {own[1]} and {row}, {column}: cosine {number(value)}"
            else:
                down, right = row - places.grid[0] // 2, column - places.grid[1] // 2
                text = f"head {tile + 1}, {down:+d} rows {right:+d} columns: adds {number(value)}"
            self.hover.set_text(text.replace("-", "−"))
        elif view is not None:
            columns = view.maps.columns
            layer, head = divmod(tile, columns) if self.shown == "every" else (view.layers.index(view.layer), tile)
            if not np.isfinite(view.distance[layer, head]):
                self.hover.set_text("")
                return
            name = f"layer {layer + 1}, head {head + 1}" if self.shown == "every" else f"head {head + 1}"
            text = f"{name} · patch {row}, {column}: {100 * value:.2f} %"
            more = f" · looks {view.distance[layer, head]:.0f} px far, entropy {view.entropy[layer, head]:.2f} nats"
            if view.extra and self.shown == "one":
                more += f", {100 * view.itself[head]:.0f} % on the class token"
            self.hover.set_text(text + more, (text,))

    def _restyle(self) -> None:
        super()._restyle()
        self._paint()


def _fill(box: QComboBox, items: list[tuple[str, object]], chosen: object) -> None:
    """Offer these items, and keep what is chosen where it is among them; nothing is emitted."""
    if [(box.itemText(row), box.itemData(row)) for row in range(box.count())] == items:
        if box.currentData() != chosen and box.findData(chosen) >= 0:
            box.setCurrentIndex(box.findData(chosen))
        return
    box.blockSignals(True)
    box.clear()
    for text, data in items:
        box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.blockSignals(False)
