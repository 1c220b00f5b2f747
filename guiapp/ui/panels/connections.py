"""The connections panel: which layer of a dense block reads which, as a heat map of mean weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.options import BLOCK, ConnectionOptions
from guiapp.ui.context import Context
from guiapp.ui.panels.paged import PagedPanel
from guiapp.ui.widgets.colour_bar import ColourBar, number
from guiapp.ui.widgets.heat_map import HeatMap
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.interpret.connections import ConnectionView

_PAUSE = 0.25


class ConnectionsPanel(PagedPanel):
    """Sources from above, targets from the left; a click chooses the layer that reads.

    Attributes:
        blocks: The dense blocks, ``connections.block``.
        plot: The heat map, ``connections.map``.
        line: What is shown, ``connections.line``.
        hover: The cell under the pointer, ``connections.hover``.
        view: What is shown now, or None.
    """

    id = "connections"
    title = "Connections"
    nothing_open = "Open Small DenseNet or DenseNet-121 in the catalogue to see which of its layers read which."
    nothing_here = "This network has no dense blocks: open Small DenseNet or DenseNet-121 in the catalogue."
    least = (200, 150)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.view: ConnectionView | None = None
        self._opened: object = None
        self.blocks = QComboBox(self)
        self.blocks.setObjectName("connections.block")
        self.blocks.setAccessibleName("Dense block")
        self.blocks.setToolTip("Dense block that is shown")
        self.blocks.activated.connect(lambda row: self._choose(self.blocks.itemData(row)))
        self.plot = HeatMap(theme, "connections.map", "Connections", ("is read", "reads"), self)
        self.plot.hovered.connect(lambda _item: self._describe())
        self.plot.clicked.connect(self._clicked)
        self.bar = ColourBar(theme, "connections.range", self)
        self.line = QuietLabel("connections.line", self, theme.faint)
        self.hover = QuietLabel("connections.hover", self)
        self._build()
        self.follow("layer", lambda _name: self._follow())
        self.show_state(self.seen)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.blocks)
        top.addWidget(self.bar, 1)
        self.lay_out(top, self.line, (self.plot, 1), self.hover, faint=(self.line,))

    # ------------------------------------------------------------------ which block

    @property
    def block(self) -> str | None:
        """The block that holds the chosen layer, else the one shown before, else the first, where there are any."""
        opened = self.seen.opened
        blocks = [x.name for x in opened.layers if x.type.endswith(BLOCK)] if opened is not None else []
        chosen = self.context.workspace.layer or ""
        inside = next((name for name in blocks if chosen == name or chosen.startswith(f"{name}.")), None)
        if inside is not None or not blocks:
            return inside
        shown = self.blocks.currentData()
        return shown if shown in blocks else blocks[0]

    def request(self) -> Request | None:
        """The connections of the block."""
        block = self.block
        return Request("connections", ConnectionOptions(block), _PAUSE) if block is not None else None

    def _choose(self, name: str) -> None:
        self.context.workspace.unit = None
        self.context.workspace.layer = name

    def _follow(self) -> None:
        self.blocks.setCurrentIndex(self.blocks.findData(self.block))
        self._mark()
        self.request_changed.emit()

    # ------------------------------------------------------------------ showing

    def show_state(self, state: EngineState) -> None:
        """List the blocks of another network."""
        if state.opened is self._opened:
            return
        self._opened, self.view = state.opened, None
        self.blocks.clear()
        for layer in state.opened.layers if state.opened is not None else ():
            if layer.type.endswith(BLOCK):
                self.blocks.addItem(layer.name.rpartition(".")[2], layer.name)
        if self.blocks.count():
            self.show_something()
        else:
            self.show_nothing(state.opened)
        self.line.set_text(self.no_look("no picture: open a camera, a video or a picture"))
        self.hover.set_text("")
        self._follow()

    def show_look(self, result: LookResult) -> None:
        """Show the newest weights."""
        view = result.results.get(self.id)
        if view is None or view.layer != self.block:
            return
        self.view = view
        self.plot.show_matrix(view.strength, view.sources, view.targets)
        self.bar.set_range(0.0, float(view.strength[view.strength == view.strength].max()), False)
        layers, growth = len(view.sources) - 1, view.channels[-1]
        grown = f"{view.channels[0]} + {layers} × {growth} = {sum(view.channels):,} maps"
        self.line.set_text(f"{layers} layers · {grown} · mean |weight|", (f"{grown} · mean |weight|", grown))
        self._mark()
        self._describe()

    def _mark(self) -> None:
        """Frame the column of the chosen layer."""
        view, chosen = self.view, self.context.workspace.layer or ""
        readers = view.readers if view is not None else ()
        # Whatever is chosen in a dense layer, such as its second convolution, belongs to that layer's column.
        inside = view is not None and chosen.startswith(f"{view.layer}.")
        depth = view.layer.count(".") + 2 if inside and view is not None else 0
        wanted = chosen.split(".")[:depth]
        found = (
            i for i, name in enumerate(readers) if name == chosen or (inside and name.split(".")[:depth] == wanted)
        )
        self.plot.chosen = next(found, None)
        self.plot.update()

    def _describe(self) -> None:
        view, item = self.view, self.plot.hover
        if view is None:
            return
        if item is None:
            self.hover.set_text("a column reads the rows · click chooses its layer", ("click chooses the layer",))
            return
        row, column = self.plot.cell(item)
        source = "the block's input" if row == 0 else f"layer {view.sources[row]}"
        target = f"layer {view.targets[column]}" if view.targets[column].isdigit() else view.targets[column]
        value = number(float(view.strength[row, column]))
        self.hover.set_text(
            f"{target} reads {source} ({view.channels[row]} maps): mean |weight| {value}",
            (f"{target} ← {source}: {value}",),
        )

    def _clicked(self, item: int) -> None:
        if self.view is not None:
            self._choose(self.view.readers[self.plot.cell(item)[1]])
