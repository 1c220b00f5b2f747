"""The table of a layer's units: how strong, how often, which are dead or saturated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from guiapp.ui.theme import Theme, tabular
from guiapp.ui.widgets.colour_bar import short

if TYPE_CHECKING:
    from guiapp.interpret.units.scan import LayerScan

HEADS = ("unit", "largest", "mean", "above 0", "state")
_TIPS = (
    "Channel, or unit of a dense layer; its class where the layer has one unit for each",
    "Largest output on any picture",
    "Mean of all outputs",
    "Share of outputs above zero",
    "dead, or saturated: the share of outputs on the flat ends of a tanh or sigmoid",
)
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def percent(share: float) -> str:
    """A share as a figure of few characters."""
    return f"{share * 100:.0f} %" if share >= 0.1 or share == 0 else f"{share * 100:.1f} %"


class UnitTable(QAbstractTableModel):
    """Rows are units, in the order that was asked for.

    Attributes:
        order: Units by row.
    """

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self.order: list[int] = []
        self._scan: LayerScan | None = None
        self._names: tuple[str, ...] = ()
        self._theme = theme
        self._figures = tabular()
        self._sorted = (0, Qt.SortOrder.AscendingOrder)

    def set_scan(self, scan: LayerScan | None, names: tuple[str, ...] = ()) -> None:
        """Show another layer; ``names`` are those of its units, where they have some."""
        self.beginResetModel()
        self._scan, self._names = scan, names
        self.order = self._ordered()
        self.endResetModel()

    def row_of(self, unit: int) -> int:
        """Row of a unit; -1 where it is not listed."""
        return self.order.index(unit) if unit in self.order else -1

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return len(HEADS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if 0 < section < 4 else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        scan = self._scan
        if not index.isValid() or scan is None:
            return None
        unit, column = self.order[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(scan, unit, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if 0 < column < 4 else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole and 0 < column < 4:
            return self._figures
        if role == Qt.ItemDataRole.ForegroundRole and scan.dead[unit]:
            return self._theme.error
        return None

    def _text(self, scan: LayerScan, unit: int, column: int) -> str:
        if column == 0:
            return f"{unit} {self._names[unit]}" if unit < len(self._names) else str(unit)
        if column in (1, 2):
            return short(float((scan.high if column == 1 else scan.mean)[unit]))
        if column == 3:
            return percent(float(scan.positive[unit]))
        if scan.dead[unit]:
            return "dead"
        flat = float(scan.saturated[unit]) if scan.saturated is not None else 0.0
        return f"{percent(flat)} flat" if flat >= 0.005 else ""

    def csv_text(self) -> str:
        """All figures of all units."""
        scan = self._scan
        if scan is None:
            return ""
        lines = ["unit,largest,smallest,mean,zeros,above_zero,saturated,dead"]
        for unit in self.order:
            flat = f"{scan.saturated[unit]:.6g}" if scan.saturated is not None else ""
            figures = (scan.high[unit], scan.low[unit], scan.mean[unit], scan.zeros[unit], scan.positive[unit])
            lines.append(f"{unit},{','.join(f'{x:.6g}' for x in figures)},{flat},{int(scan.dead[unit])}")
        return "\n".join(lines) + "\n"

    # ------------------------------------------------------------------ order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column; units that are dead come first or last by their state."""
        self.layoutAboutToBeChanged.emit()
        self._sorted = column, order
        self.order = self._ordered()
        self.layoutChanged.emit()

    def _ordered(self) -> list[int]:
        scan, (column, way) = self._scan, self._sorted
        if scan is None:
            return []
        flat = scan.saturated if scan.saturated is not None else np.zeros(scan.units, np.float32)
        keys = (np.arange(scan.units), scan.high, scan.mean, scan.positive, scan.dead * 2.0 + flat)[max(column, 0)]
        found = np.argsort(keys if way == Qt.SortOrder.AscendingOrder else -keys, kind="stable")
        return [int(unit) for unit in found]
