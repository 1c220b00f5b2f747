"""The table of runs with any columns: cells, sorting, tips, and the menu that chooses columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from guiapp.training.run_records import ABOUT, FIGURES, HELP, RunRecord, Value, columns_of, differing, in_order
from guiapp.ui.panels.runs_table import date, duration
from guiapp.ui.theme import Theme, tabular

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_TEXT = frozenset(ABOUT)
_STAMPED = re.compile(r"(\d{8})-(\d\d)(\d\d)\d\d-(.+)")
"""Name of a run that nobody has named: when it began, experiment and data set."""


def _name(text: str) -> str:
    """What tells runs apart first, as a long name is cut off."""
    return _STAMPED.sub(lambda found: f"{found[2]}:{found[3]} {found[4]}", text)


_SAID: Mapping[str, Callable[[str], str]] = {"created": date, "name": _name}


def cell_text(column: str, value: Value) -> str:
    """A value as it stands in a cell."""
    if value is None:
        return "–"
    if column == "seconds" and isinstance(value, float):
        return duration(value)
    if column in _SAID:
        return _SAID[column](str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}" if column in FIGURES else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and column in FIGURES else str(value)


class CompareTable(QAbstractTableModel):
    """Rows are runs, columns are chosen.

    Attributes:
        records: The runs by row, in the order that is shown.
        columns: Names of the columns.
    """

    def __init__(self, theme: Theme, after_sorting: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self.records: list[RunRecord] = []
        self.columns: list[str] = ["name"]
        self._theme, self._after_sorting = theme, after_sorting
        self._figures = tabular()
        self._order: tuple[str, bool] = ("created", True)

    def show_records(self, records: Sequence[RunRecord], columns: Sequence[str]) -> bool:
        """Show these runs and columns; whether anything is different from before."""
        ordered = in_order(records, *self._order)
        if ordered == self.records and list(columns) == self.columns:
            return False
        self.beginResetModel()
        self.records, self.columns = ordered, list(columns)
        self.endResetModel()
        return True

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.records)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        name = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return name.removesuffix(".name") if name not in ABOUT else name
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{name}: {HELP[name]}" if name in HELP else name
        return int(_LEFT if name in _TEXT else _RIGHT) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        record, name = self.records[index.row()], self.columns[index.column()]
        give: dict[int, Callable[[], object]] = {
            Qt.ItemDataRole.DisplayRole: lambda: cell_text(name, record.value(name)),
            Qt.ItemDataRole.TextAlignmentRole: lambda: int(_LEFT if name in _TEXT else _RIGHT),
            Qt.ItemDataRole.FontRole: lambda: None if name in _TEXT else self._figures,
            Qt.ItemDataRole.ToolTipRole: lambda: (
                f"{record.name}\n{record.about['experiment']} on {record.settings['dataset']}\n{record.folder}"
            ),
            Qt.ItemDataRole.ForegroundRole: lambda: self._ink(name, str(record.about["state"])),
        }
        made = give.get(role)
        return made() if made is not None else None

    def _ink(self, column: str, state: str) -> object:
        if column != "state":
            return None
        return {"failed": self._theme.error, "interrupted": self._theme.warning}.get(state)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; runs without a value stay last."""
        if not 0 <= column < len(self.columns) or not self.records:
            return
        self._order = (self.columns[column], order == Qt.SortOrder.DescendingOrder)
        self.beginResetModel()
        self.records = in_order(self.records, *self._order)
        self.endResetModel()
        self._after_sorting()

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """Column and whether the largest comes first."""
        return self._order


class _StayingMenu(QMenu):
    """A menu that stays open while boxes are checked."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = self.activeAction()
        if action is not None and action.isCheckable() and action.isEnabled():
            action.trigger()
        else:
            super().mouseReleaseEvent(event)


def column_menu(
    parent: QWidget,
    records: Sequence[RunRecord],
    shown: Sequence[str],
    toggle: Callable[[str, bool], object],
    automatic: Callable[[], object],
    is_automatic: bool,
) -> QMenu:
    """Every column by kind, checked where it is shown."""
    menu = QMenu(parent)
    menu.setObjectName("compare.column-menu")
    own = menu.addAction("Choose automatically: what differs", automatic)
    own.setCheckable(True)
    own.setChecked(is_automatic)
    menu.addSeparator()
    every, differ = columns_of(records), differing(records)
    rest = [name for name in every if name not in ABOUT and name not in FIGURES and name not in differ]
    for title, names in (
        ("Settings that differ", differ),
        ("Figures", FIGURES),
        ("About", ABOUT),
        ("Same in all", rest),
    ):
        inner = _StayingMenu(title, menu)
        for name in names:
            action = inner.addAction(name)
            action.setCheckable(True)
            action.setChecked(name in shown)
            action.setEnabled(name != "name")
            action.setToolTip(HELP.get(name, ""))
            action.toggled.connect(lambda on, n=name: toggle(n, on))
        inner.setEnabled(bool(names))
        menu.addMenu(inner)
    return menu


def folders(records: Sequence[RunRecord]) -> set[Path]:
    """Their folders."""
    return {record.folder for record in records}
