"""The scores of a linear classifier as numbers, one class a row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap

from guiapp.ui.theme import Theme, tabular

if TYPE_CHECKING:
    from guiapp.interpret.linear_views import Algebra

SORT_ROLE = Qt.ItemDataRole.UserRole
HEADS = ("class", "w·x", "b", "score", "margin")
_TIPS = {
    "class": "Class, in its colour",
    "w·x": "Sum of weight times pixel",
    "b": "Bias: what the class gets whatever the picture",
    "score": "w·x + b; the greatest wins",
    "margin": "Score minus the greatest other score: the lead of the best class, the arrears of the others",
}
_OUTPUT_TIP = "{0} of the score: the output, which the soft-max is given"
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def figure(value: float, decimals: int) -> str:
    """A number with a true minus sign; powers of ten where it would be long, zero without a sign."""
    text = f"{value:.{decimals}f}" if abs(value) < 1e4 else f"{value:.1e}"
    return text.lstrip("-") if not float(text) else text.replace("-", "−")


def margins(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each score minus the greatest of the others, (C,); above zero for the winner alone. Needs two classes."""
    best = int(scores.argmax())
    second = np.delete(scores, best).max()
    lead: npt.NDArray[np.float32] = scores - scores[best]
    lead[best] = scores[best] - second
    return lead


@lru_cache(maxsize=256)
def swatch(colour: int) -> QIcon:
    """A square of a colour (0xAARRGGBB), made once.

    Of a bare colour Qt makes an icon anew at every painting of every cell and keeps it: 10 MB before it forgets any.
    """
    square = QPixmap(32, 32)
    square.fill(QColor.fromRgba(colour))
    return QIcon(square)


class ScoreTable(QAbstractTableModel):
    """Rows are classes.

    Attributes:
        heads: Heads of the columns: ``HEADS``; where the scores pass through an activation, its name is the last.
        values: float32 (C, 4): product, bias, score, and margin, or the output of the activation.
        ordered: The same for a view, sorted by a click on a head.
    """

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._labels: tuple[str, ...] = ()
        self._best = -1
        self._plain = tabular()
        self._bold = tabular()
        self._bold.setWeight(self._bold.Weight.DemiBold)
        self.heads = HEADS
        self.values = np.zeros((0, 4), np.float32)
        self.ordered = QSortFilterProxyModel(self)
        self.ordered.setSourceModel(self)
        self.ordered.setSortRole(SORT_ROLE)

    def show_scores(self, algebra: Algebra | None, labels: Sequence[str]) -> None:
        """Show the scores of one picture; None empties the table."""
        heads, values = self.heads, np.zeros((0, 4), np.float32)
        if algebra is not None:
            heads = (*HEADS[:-1], algebra.activation or HEADS[-1])
            last = algebra.outputs if algebra.activation else margins(algebra.scores)
            columns = (algebra.products, algebra.bias, algebra.scores, last)
            values = np.stack(columns, 1)
            self._best = int(algebra.outputs.argmax())
        if values.shape != self.values.shape or tuple(labels) != self._labels or heads != self.heads:
            self.beginResetModel()
            self.values, self._labels, self.heads = values, tuple(labels), heads
            self.endResetModel()
        else:
            self.values = values
            self.dataChanged.emit(self.index(0, 0), self.index(len(values) - 1, len(heads) - 1))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.values)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return len(self.heads)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self.heads[section]
            if role == Qt.ItemDataRole.ToolTipRole:
                head = self.heads[section]
                return _TIPS.get(head, _OUTPUT_TIP.format(head))
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if section else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.FontRole:
            return self._bold if row == self._best else self._plain
        if not column:
            return self._class(row, role)
        value = float(self.values[row, column - 1])
        if role == Qt.ItemDataRole.DisplayRole:
            return figure(value, 3 if self.heads[column] == "b" else 2)
        if role == SORT_ROLE:
            return value
        return _RIGHT if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _class(self, row: int, role: int) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._labels[row]
        if role == Qt.ItemDataRole.DecorationRole:
            return swatch(self._theme.class_colour(row, len(self.values)).rgba())
        return row if role == SORT_ROLE else None

    def csv_rows(self) -> list[list[object]]:
        """The table with its head, by class."""
        rows = zip(self._labels, self.values.tolist(), strict=False)
        return [list(self.heads), *([label, *(f"{v:.7g}" for v in values)] for label, values in rows)]
