"""Tables of numbers: one look for all of them, columns as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

_LEAST_NAME = 12  # characters of the first column that are seen at least


class NumberTable(QTableView):
    """Sorts by a click on a head and chooses whole rows.

    Attributes:
        least: A text for which every column but the first has room, so that changing numbers seldom change widths.
        padding: Pixels beside the widest text of a column.
        names: Least width of the first column where its texts may be cut off; None gives them the room they need.
    """

    def __init__(self, parent: QWidget, name: str, title: str, model: QAbstractItemModel) -> None:
        super().__init__(parent)
        self.least = ""
        self.padding = 18
        self.names: int | None = None
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSortingEnabled(True)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(40)

    def fit(self) -> None:
        """Make columns as wide as what stands in them, the first as wide as the room that is left.

        A long name is cut off rather than the last columns. Qt's own fitting leaves room for an arrow in each.
        """
        model, wide = self.model(), self.fontMetrics().horizontalAdvance
        room = self.viewport().width()
        for column in reversed(range(model.columnCount())):
            if self.isColumnHidden(column):
                continue
            cells = [_width(model.index(row, column), wide) for row in range(model.rowCount())]
            head = str(model.headerData(column, Qt.Orientation.Horizontal))
            beside = self.padding if column else max(self.padding, 18)
            width = max(*(cell + beside for cell in [*cells, wide(self.least if column else "")]), wide(head) + 18)
            width = max(width, self.horizontalHeader().minimumSectionSize())  # Qt takes no less
            if not column:
                least = min(width, wide("x" * _LEAST_NAME)) if self.names is None else self.names
                width = max(least, room)
            self.setColumnWidth(column, width)
            room -= width

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()


def _width(cell: QModelIndex, wide: Callable[[str], int]) -> int:
    """Pixels of a cell's text in the cell's own font, which may be bold, else as ``wide`` measures it."""
    text, font = str(cell.data() or ""), cell.data(Qt.ItemDataRole.FontRole)
    return QFontMetrics(font).horizontalAdvance(text) if isinstance(font, QFont) else wide(text)
