"""Chooses a layer of the network: a tree where there is room, a box with the same tree where there is little."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from guiapp.ui.widgets.painting import tabular

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

_NAMES_LEAST, _WORDS_LEAST, _AROUND = 72, 84, 18  # pixels
_STEP, _LETTERS = 12, 36  # pixels by which a layer stands further in than the one that holds it; the least of a name
_PADDING = 14  # of a cell, with what the style leaves beside its text
_NAME = Qt.ItemDataRole.UserRole


def shape_text(shape: Sequence[int]) -> str:
    """``(6, 28, 28)`` as ``"6 × 28 × 28"``."""
    return " × ".join(str(n) for n in shape)


@dataclass(frozen=True)
class LayerColumn:
    """One column of the tree.

    Attributes:
        head: What stands above it.
        value: What it tells of a layer.
        text: That value as the tree shows it.
        tip: One line on what it tells.
        number: Whether it holds numbers, which stand at the right.
        total: Value of the whole network, or empty.
    """

    head: str
    value: Callable[[LayerInfo], Any]
    text: Callable[[Any], str] = str
    tip: str = ""
    number: bool = False
    total: Any = ""


OUTPUT = LayerColumn("output", lambda layer: layer.output_shape, shape_text, "Channels × height × width, or units")
TYPE = LayerColumn("type", lambda layer: layer.type, tip="Kind of the layer")


def does_text(layer: LayerInfo) -> str:
    """What a layer does, where that also says its kind; else its type with what there is to say of it."""
    if layer.detail and layer.kind in ("conv", "dense", "pool", "container"):
        return layer.detail
    return f"{layer.type} {layer.detail}".strip()


DOES = LayerColumn(
    "does",
    does_text,
    tip="Channels in → out, kernel, and what of stride, groups and dilation is not 1; else the kind of the layer",
)


class _Names(QStyledItemDelegate):
    """Names that have no room lose their middle: those of neighbours differ at their ends."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


def shorter(text: str) -> str:
    """What a layer does, in fewer letters: arrows without room, strides as in papers, kinds without dimensions."""
    return re.sub(r"(Norm|Pool|Dropout)\dd\b", r"\1", text.replace(", stride ", " /").replace(" → ", "→"))


class _Words(QStyledItemDelegate):
    """Words that have no room are written shorter before they lose their end; the tip has all of them."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        if option.fontMetrics.horizontalAdvance(option.text) > option.rect.width() - _PADDING:
            option.text = shorter(option.text)


class LayerChooser(QWidget):
    """The layers by name with what the columns say of them, as a tree or as a box.

    Attributes:
        chosen: Qualified name of the layer that was chosen by hand.
        tree: The tree; ``box``: the box. One of the two is shown.
        columns: What stands beside the names; the last takes the room that is left.
        head_clicked: A click on the head of a column, 0 for the names.
    """

    chosen = Signal(str)
    head_clicked = Signal(int)

    def __init__(
        self, name: str, usable: Callable[[LayerInfo], bool] = lambda layer: True, parent: QWidget | None = None
    ) -> None:
        """Make it; layers that are not ``usable`` are listed but cannot be chosen."""
        super().__init__(parent)
        self._usable = usable
        self._layers: tuple[LayerInfo, ...] = ()
        self._items: dict[str, QStandardItem] = {}
        self._current: str | None = None
        self._widths: dict[int, int] = {}
        self._depth = 1
        self.columns: Sequence[LayerColumn] = (OUTPUT, DOES)
        self._model = QStandardItemModel(self)
        self.tree = self._view(self)
        self.tree.setObjectName(f"{name}.layers")
        self.tree.setAccessibleName("Layers")
        self.tree.setModel(self._model)
        self.tree.clicked.connect(self._picked)
        self.tree.activated.connect(self._picked)
        self.tree.verticalScrollBar().rangeChanged.connect(lambda _low, _high: self.fit())  # it comes and goes
        self.tree.header().setSectionsClickable(True)
        self.tree.header().sectionClicked.connect(self.head_clicked)
        self.tree.selectionModel().currentChanged.connect(lambda now, _old: self._picked(now, self.tree.hasFocus()))
        self.box = QComboBox(self)
        self.box.setObjectName(f"{name}.layer")
        self.box.setAccessibleName("Layer")
        self.box.setToolTip("Layer that is shown")
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(8)
        self.box.activated.connect(lambda row: self._pick(self.box.itemData(row)))
        self._words, self._words_at = _Words(self.tree), len(self.columns)
        self._compact: bool | None = None
        self.set_compact(False)

    @staticmethod
    def _view(parent: QWidget) -> QTreeView:
        view = QTreeView(parent)
        view.setUniformRowHeights(True)
        view.setIndentation(_STEP)
        view.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        view.setAllColumnsShowFocus(True)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setItemDelegateForColumn(0, _Names(view))
        return view

    def set_layers(self, layers: Sequence[LayerInfo]) -> None:
        """List the layers of another network."""
        self._layers = tuple(layers)
        self._items.clear()
        depths: dict[str, int] = {}
        self.tree.collapseAll()  # else it keeps a mark for every row that was open
        self._model.setRowCount(0)  # clear() would keep every row alive below a root that PySide never lets go
        self._model.setHorizontalHeaderLabels(["layer", *(column.head for column in self.columns)])
        for section, column in enumerate(self.columns, 1):
            self._model.setHeaderData(section, Qt.Orientation.Horizontal, column.tip, Qt.ItemDataRole.ToolTipRole)
        for layer in layers:
            short = layer.name.rpartition(".")[2] if layer.parent in self._items else layer.name
            row = [QStandardItem(short), *(QStandardItem(column.text(column.value(layer))) for column in self.columns)]
            for item in row:
                item.setData(layer.name, _NAME)
                item.setEnabled(self._usable(layer))
                does = f" · {layer.detail}" if layer.detail else ""
                item.setToolTip(f"{layer.name} · {layer.type}{does} · {layer.parameters:,} parameters")
            holder = self._items.get(layer.parent)
            (holder if holder is not None else self._model.invisibleRootItem()).appendRow(row)
            self._items[layer.name] = row[0]
            depths[layer.name] = depths.get(layer.parent, 0) + 1
            self._align(row)
        self._depth = max(depths.values(), default=1)
        self.tree.expandAll()
        self.tree.setItemDelegateForColumn(self._words_at, None)
        self._words_at = len(self.columns)
        if not self.columns[-1].number:
            self.tree.setItemDelegateForColumn(self._words_at, self._words)
        header = self.tree.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        for section in range(1, len(self.columns)):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.Interactive)
        self._measure()
        self.fit()
        self.box.clear()
        for layer in layers:
            if self._usable(layer):
                self.box.addItem(f"{layer.name}   {shape_text(layer.output_shape)}   {does_text(layer)}", layer.name)
        self._mark()

    def refresh(self) -> None:
        """Say again what the columns tell of the same layers, without closing or moving anything."""
        for layer in self._layers:
            item = self._items[layer.name]
            holder = item.parent() or self._model.invisibleRootItem()
            for section, column in enumerate(self.columns, 1):
                holder.child(item.row(), section).setText(column.text(column.value(layer)))
        for section, column in enumerate(self.columns, 1):
            self._model.setHeaderData(section, Qt.Orientation.Horizontal, column.tip, Qt.ItemDataRole.ToolTipRole)
        self._measure()
        self.fit()

    def _measure(self) -> None:
        """Make the columns as wide as what stands in them: a view knows the widths of the rows in sight alone."""
        metrics = QFontMetrics(tabular(self.font()))
        self._widths = {
            section: _AROUND + max(
                (metrics.horizontalAdvance(text) for text in {self._model_text(x, column) for x in self._layers}),
                default=0,
            )
            for section, column in enumerate(self.columns, 1)
        }  # fmt: skip
        header = self.tree.header()
        for section in range(1, len(self.columns) + 1):
            header.resizeSection(section, max(self._widths[section], header.sectionSizeHint(section)))

    def width_of(self, section: int) -> int:
        """Pixels that a column needs, 1 for the first beside the names; of words the least that is useful."""
        needed = max(self._widths.get(section, 0), self.tree.header().sectionSizeHint(section))
        return needed if self.columns[section - 1].number else min(needed, _WORDS_LEAST)

    @staticmethod
    def _model_text(layer: LayerInfo, column: LayerColumn) -> str:
        return column.text(column.value(layer))

    def _align(self, row: list[QStandardItem]) -> None:
        """Numbers at the right, in figures of one width, under heads at the right."""
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for section, column in enumerate(self.columns, 1):
            if column.number:
                row[section].setTextAlignment(right)
                row[section].setFont(tabular(self.font()))
                self._model.setHeaderData(section, Qt.Orientation.Horizontal, right, Qt.ItemDataRole.TextAlignmentRole)

    def set_current(self, name: str | None) -> None:
        """Mark a layer; emits nothing."""
        if name != self._current:
            self._current = name
            self._mark()

    @property
    def current(self) -> str | None:
        """Name of the marked layer."""
        return self._current

    def _mark(self) -> None:
        item = self._items.get(self._current or "")
        if item is not None:
            self.tree.setCurrentIndex(item.index())
        self.box.setCurrentIndex(self.box.findData(self._current))

    def _picked(self, index: QModelIndex, by_hand: bool = True) -> None:
        if by_hand:
            self._pick(index.data(_NAME))

    def _pick(self, name: str | None) -> None:
        layer = next((found for found in self._layers if found.name == name), None)
        if layer is not None and self._usable(layer) and name != self._current:
            self._current = name
            self._mark()
            self.chosen.emit(name)

    # ------------------------------------------------------------------ size

    def set_compact(self, compact: bool) -> None:
        """Show the box instead of the tree."""
        if compact != self._compact:
            self._compact = compact
            self.tree.setVisible(not compact)
            self.box.setVisible(compact)
            self.updateGeometry()

    @property
    def compact(self) -> bool:
        """Whether the box is shown."""
        return bool(self._compact)

    def rows_height(self) -> int:
        """Height of the tree with all its rows."""
        return (len(self._layers) + 1) * (self.fontMetrics().height() + 9) + 4

    def sizeHint(self) -> QSize:
        return self.box.sizeHint() if self._compact else QSize(220, self.rows_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.box.minimumSizeHint().height() if self._compact else 60)

    def fit(self) -> None:
        """Make the names as wide as they are, but leave the columns beside them room; called where columns change."""
        tree, header = self.tree, self.tree.header()
        shown = [section for section in range(1, len(self.columns) + 1) if not tree.isColumnHidden(section)]
        needs = {s: max(self._widths.get(s, 0), header.sectionSizeHint(s)) for s in shown}
        if shown and not self.columns[shown[-1] - 1].number:
            needs[shown[-1]] = min(needs[shown[-1]], _WORDS_LEAST)  # words may be cut, numbers not
        room = tree.viewport().width() - sum(needs.values())
        names = tree.sizeHintForColumn(0) + 4 + self._depth * (_STEP - tree.indentation())
        width = min(names, max(room, _NAMES_LEAST))
        header.resizeSection(0, width)
        # Names that are deep inside others must not be pushed out of their column.
        tree.setIndentation(_STEP if width == names else max(2, min(_STEP, (width - _LETTERS) // self._depth)))
        if shown:  # a last section that stretches never gets smaller than it was
            header.setStretchLastSection(False)
            left = tree.viewport().width() - sum(header.sectionSize(section) for section in (0, *shown[:-1]))
            words = not self.columns[shown[-1] - 1].number
            header.resizeSection(shown[-1], min(needs[shown[-1]], max(left, 0)) if words else needs[shown[-1]])
            header.setStretchLastSection(True)

    def resizeEvent(self, event: object) -> None:
        (self.box if self._compact else self.tree).setGeometry(self.rect())
        self.fit()
        if self.tree.currentIndex().isValid():
            self.tree.scrollTo(self.tree.currentIndex())
