"""A table of course text 1 beside the same figures of the live network; what differs is marked, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.settled import settled

if TYPE_CHECKING:
    from guiapp.interpret.text_tables import Row
    from guiapp.ui.theme import Theme

_HEADS = (
    ("layer", "The text's name of the layer"),
    ("output", "Channels × height × width"),
    ("params K", "Parameters in thousands"),
    ("flops M", "Operations for 128 pictures in millions"),
    ("activ. MB", "Memory of values and gradients for 128 pictures, in MB of 2²⁰ bytes"),
    ("params MB", "Memory of parameters, gradients and momentum, in MB of 2²⁰ bytes"),
)
_LINE_FROM, _WORDS_FROM = 170, 320  # heights from which a line stands below the rows, and all the reasons
_OUTPUT_FROM = 430  # width from which output sizes have a column
_NAME = Qt.ItemDataRole.UserRole
_ORDER = Qt.ItemDataRole.UserRole + 1


class TextTableView(QWidget):
    """Printed figures; where the network gives another one, that one behind ``≠``.

    Attributes:
        chosen: Emitted with the network's name of a clicked row.
        table: The rows, ``model.text``; ``words``: how many are equal, and why others are not.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: Sequence[Row] = ()
        self._title = ""
        self._model = QStandardItemModel(self)
        self._model.setSortRole(_ORDER)
        self.table = NumberTable(self, "model.text", "Table of course text 1", self._model)
        self.table.padding = 14
        self.table.clicked.connect(self._clicked)
        self.words = QLabel(self)
        self.words.setObjectName("model.text-words")
        self.words.setProperty("faint", True)
        self.words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.table, 1)
        column.addWidget(self.words)
        theme.changed.connect(lambda: self.show_rows(self._title, self._rows))

    @property
    def rows(self) -> Sequence[Row]:
        """What is shown."""
        return self._rows

    def show_rows(self, title: str, rows: Sequence[Row]) -> None:
        """Show another table."""
        self._title, self._rows = title, rows
        self._model.setRowCount(0)
        self._model.setHorizontalHeaderLabels([head for head, _ in _HEADS])
        for section, (_, tip) in enumerate(_HEADS):
            self._model.setHeaderData(section, Qt.Orientation.Horizontal, tip, Qt.ItemDataRole.ToolTipRole)
            side = Qt.AlignmentFlag.AlignRight if section > 1 else Qt.AlignmentFlag.AlignLeft
            where = int(side | Qt.AlignmentFlag.AlignVCenter)
            self._model.setHeaderData(section, Qt.Orientation.Horizontal, where, Qt.ItemDataRole.TextAlignmentRole)
        for number, row in enumerate(rows):
            self._model.appendRow(self._items(number, row))
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.fit()
        self._say()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.table.setColumnHidden(1, self.width() < _OUTPUT_FROM)  # the panel's other view has it
        self.table.fit()
        self._arrange()

    @settled
    def _arrange(self) -> None:
        self.words.setVisible(self.height() >= _LINE_FROM)
        self._say()

    def _say(self) -> None:
        """In little room the rows come first: the reasons are in the tips."""
        text = words_of(self._title, self._rows)
        self.words.setText(text if self.height() >= _WORDS_FROM else text.partition("\n")[0])
        self.words.setToolTip(text)

    def _items(self, number: int, row: Row) -> list[QStandardItem]:
        from guiapp.interpret.text_tables import FIGURES

        shape = " × ".join(map(str, row.printed.output))
        items = [QStandardItem(row.printed.name), QStandardItem(shape)]
        items[0].setData(number, _ORDER)
        items[1].setData(number, _ORDER)
        for key, digits in zip(FIGURES, row.printed.digits, strict=True):
            printed = getattr(row.printed, key)
            text = f"{printed:,.{digits}f}"
            item = QStandardItem(text)
            item.setData(printed, _ORDER)
            if key in row.differs:
                item.setText(f"{text} ≠ {row.ours[key]:,.1f}")
                item.setForeground(self._theme.warning)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            items.append(item)
        for item in items:
            item.setData(row.layer, _NAME)
            item.setToolTip(f"{row.layer or 'the network'}: {row.why or 'as printed'}")
        return items

    def _clicked(self, index: QModelIndex) -> None:
        name = index.data(_NAME)
        if name:
            self.chosen.emit(name)


def words_of(title: str, rows: Sequence[Row]) -> str:
    """How many rows are as printed, and what explains the others."""
    equal = sum(not row.differs for row in rows)
    head = f"{title} in course text 1, 128 pictures: {equal} of {len(rows)} rows as printed."
    reasons = dict.fromkeys(part for row in rows for part in row.why.split("; ") if part)
    return "\n".join((head, *(f"≠ {reason}" for reason in reasons)))


def csv_rows(rows: Sequence[Row]) -> list[list[object]]:
    """The table with the network's figures beside the printed ones."""
    from guiapp.interpret.text_tables import FIGURES

    heads: list[object] = ["layer", "in the network"]
    for key in FIGURES:
        heads += [f"{key} printed", f"{key} here"]
    lines: list[list[object]] = [[*heads, "why they differ"]]
    for row in rows:
        line: list[object] = [row.printed.name, row.layer]
        for key in FIGURES:
            line += [getattr(row.printed, key), row.ours[key]]
        lines.append([*line, row.why])
    return lines
