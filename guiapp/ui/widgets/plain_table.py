"""A table of finished rows: texts with the values that they sort by, some of them marked."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from guiapp.ui.theme import Theme, tabular

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: What stands in it.
        value: What it sorts by; the text by default.
        mark: Whether it stands out.
        tip: What the pointer tells.
    """

    text: str
    value: float | None = None
    mark: bool = False
    tip: str = ""


class PlainTable(QAbstractTableModel):
    """Rows of cells; the first column is text, the others are figures.

    Attributes:
        rows: The rows as they stand; ``keys`` what each of them is, such as a layer's name.
    """

    def __init__(self, theme: Theme, heads: Sequence[str], tips: Sequence[str], parent: QObject) -> None:
        super().__init__(parent)
        self.rows: list[tuple[Cell, ...]] = []
        self.keys: list[str] = []
        self._heads, self._tips = tuple(heads), tuple(tips)
        self._theme = theme
        self._figures = tabular()

    def set_rows(self, rows: Sequence[tuple[Cell, ...]], keys: Sequence[str]) -> None:
        """Show other rows, in this order."""
        self.beginResetModel()
        self.rows, self.keys = list(rows), list(keys)
        self.endResetModel()

    def set_heads(self, heads: Sequence[str]) -> None:
        """Name the columns anew."""
        self._heads = tuple(heads)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(heads) - 1)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._heads)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tips[section]
        return int(_RIGHT if section else _LEFT) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        cell = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ForegroundRole and cell.mark:
            return self._theme.warning
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.tip or cell.text
        if index.column():
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return int(_RIGHT)
            if role == Qt.ItemDataRole.FontRole:
                return self._figures
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column's values; a column below 0 leaves the order as it is."""
        if not 0 <= column < len(self._heads):
            return

        def key(pair: tuple[tuple[Cell, ...], str]) -> tuple[bool, float, str]:
            cell = pair[0][column]
            return cell.value is None, cell.value or 0.0, cell.text

        both = sorted(zip(self.rows, self.keys, strict=True), key=key, reverse=order == Qt.SortOrder.DescendingOrder)
        self.layoutAboutToBeChanged.emit()
        self.rows, self.keys = [row for row, _ in both], [name for _, name in both]
        self.layoutChanged.emit()

    def csv_text(self) -> str:
        """Heads and rows."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(self._heads)
        writer.writerows([cell.text for cell in row] for row in self.rows)
        return stream.getvalue()
