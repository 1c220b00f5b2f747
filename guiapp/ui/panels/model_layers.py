"""The table of layers of the model panel: searched, sorted, with the columns that have room, and as rows of a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from guiapp.ui.panels.model_cost import PRIORITY, matches
from guiapp.ui.widgets.layer_chooser import TYPE, LayerChooser, LayerColumn

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

_NAMES = 108  # pixels of the names that no column takes away
_DETAIL = LayerColumn("detail", lambda layer: layer.detail)


class LayerTable(LayerChooser):
    """Layers with what each costs; a click on a head sorts by it.

    Attributes:
        listed: Emitted when others are listed, or in another order.
        words: What a layer must have to be listed, in small letters.
    """

    listed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__("model", parent=parent)
        self.words: list[str] = []
        self._every: Sequence[LayerInfo] = ()
        self._sorted: tuple[int, bool] | None = None  # column, largest first
        self.head_clicked.connect(self.sort_by)

    def show_network(self, layers: Sequence[LayerInfo], columns: Sequence[LayerColumn]) -> None:
        """List all layers of another network, as they run."""
        self._every, self._sorted, self.words = layers, None, []
        self.columns = columns
        self._list()

    def show_columns(self, columns: Sequence[LayerColumn]) -> None:
        """Say something else of the same layers."""
        self.columns = columns
        if self._sorted is not None:
            self._list()
        else:
            self.refresh()

    def search(self, text: str) -> None:
        """List the layers that have every word of a text."""
        self.words = text.lower().split()
        self._list()

    def sort_by(self, section: int) -> None:
        """Layers by a column, the largest first; clicked again the smallest first; a third time as they run."""
        if self._sorted is None or self._sorted[0] != section:
            self._sorted = (section, section > 0)
        elif self._sorted[1] == (section > 0):
            self._sorted = (section, not self._sorted[1])
        else:
            self._sorted = None
        self._list()

    def _list(self) -> None:
        header = self.tree.header()
        header.setSortIndicatorShown(self._sorted is not None)
        if self._sorted is not None:
            descending, ascending = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder
            header.setSortIndicator(self._sorted[0], descending if self._sorted[1] else ascending)
        self.set_layers(self.found())
        self.listed.emit()

    def found(self) -> Sequence[LayerInfo]:
        """The layers that are searched for, in the order that is asked for; blocks are left out of an order."""
        layers = [layer for layer in self._every if matches(layer, self.words)]
        if self._sorted is None:
            return layers
        section, largest = self._sorted
        holds = {layer.parent for layer in self._every}
        layers = [layer for layer in layers if layer.name not in holds]
        value = self.columns[section - 1].value if section else None

        def key(layer: LayerInfo) -> Any:
            told = layer.name if value is None else value(layer)
            if isinstance(told, tuple):
                return math.prod(told)
            return told if told is not None else -1

        return sorted(layers, key=key, reverse=largest)

    def fit_columns(self, width: int) -> None:
        """Show the columns that a panel of this width has room for beside the names; what a layer does comes last."""
        room = width - _NAMES - 40  # margins and scroll bar
        heads = {column.head: section for section, column in enumerate(self.columns, 1)}
        shown = {heads.get("output", 1)}
        room -= sum(self.width_of(section) for section in shown)
        for head in (*PRIORITY[:3], "does", *PRIORITY[3:]):
            section = heads.get(head)
            if section is not None and (needed := self.width_of(section)) <= room:
                shown.add(section)
                room -= needed
            elif head in PRIORITY[:1] and section is not None:
                shown.add(section)  # the first is there in any case
                room = 0
        for section in range(1, len(self.columns) + 1):
            self.tree.setColumnHidden(section, section not in shown)
        self.fit()

    def csv_rows(self) -> list[list[Any]]:
        """The heads, one row a layer of the network, and one for the whole."""
        shown = (*self.columns[:-1], TYPE, _DETAIL)
        return [
            ["layer", *(column.head for column in shown)],
            *([layer.name, *(_plain(column.value(layer)) for column in shown)] for layer in self._every),
            ["total", *(column.total for column in shown)],
        ]


def _plain(value: Any) -> Any:
    return "x".join(map(str, value)) if isinstance(value, tuple) else value
