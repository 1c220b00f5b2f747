"""The tensors of a file against those of a network as a table: what fits, what is missing, what is of another shape."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt

from guiapp.ui.theme import Theme

if TYPE_CHECKING:
    from guiapp.models.own.match import Row

HEADS = ("tensor", "is", "network", "file")
_TIPS = {
    "tensor": "Name in the network; of what only the file has, its name there",
    "is": "Whether the file has it in the shape that the network needs",
    "network": "Shape that the network needs",
    "file": "Shape in the file",
}
_WORDS = {"ignored": "not needed", "unexpected": "only in file"}
_BAD = ("missing", "other shape", "unexpected")


def shape_text(shape: tuple[int, ...] | None) -> str:
    """A shape as ``64×3×7×7``."""
    return "–" if shape is None else "×".join(map(str, shape)) or "1 number"


class TensorTable(QAbstractTableModel):
    """Rows are tensors.

    Attributes:
        rows: All rows.
        ordered: The same for a view, sorted and filtered.
    """

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: Sequence[Row] = ()
        self.ordered = _Filter(parent)  # not a child of this model: Qt would take it down after it
        self.ordered.setSourceModel(self)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show the tensors of another file."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(HEADS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[HEADS[section]]
        return HEADS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.texts(row)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            both = row.name and row.file_name and row.name != row.file_name
            return f"{row.name}, in the file {row.file_name}" if both else row.name or row.file_name
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1:
            return self._theme.error if row.status in _BAD else self._theme.faint
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() > 1:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def texts(self, row: Row) -> tuple[str, ...]:
        """What the cells of a row say."""
        name = row.name or row.file_name
        return name, _WORDS.get(row.status, row.status), shape_text(row.shape), shape_text(row.file_shape)

    def csv_text(self) -> str:
        """All tensors, one a line."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["network", "file", "status", "network's shape", "file's shape"])
        for row in self.rows:
            shapes = ("x".join(map(str, shape)) if shape is not None else "" for shape in (row.shape, row.file_shape))
            writer.writerow([row.name, row.file_name, row.status, *shapes])
        return stream.getvalue()


class _Filter(QSortFilterProxyModel):
    """Rows that do not fit alone, where that is wanted, and those whose names hold a text."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._only_bad, self._text = False, ""

    def show_only(self, bad: bool, text: str) -> None:
        """Leave rows out."""
        self._only_bad, self._text = bad, text.strip().lower()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:
        one = self.sourceModel().rows[row]
        if self._only_bad and one.status not in _BAD:
            return False
        return self._text in f"{one.name} {one.file_name}".lower()
