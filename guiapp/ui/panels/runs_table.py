"""The table of runs: what stands in each cell, how it sorts, and its tips."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from guiapp.ui.run_summary import RunSummary
from guiapp.ui.status_bar import size
from guiapp.ui.theme import Theme, tabular

COLUMNS = ("name", "state", "epochs", "validation", "train", "test", "baselines", "time", "date")
_HEADS = {"train": "train %", "validation": "validation %", "test": "test %", "baselines": "base %"}
_TIPS = {
    "name": "The run and its data set; F2 renames it",
    "state": "running, done, stopped, failed; interrupted: its process ended in the middle, it can be resumed",
    "epochs": "Passes over the training part: done of planned",
    "train": "Accuracy on the training part in the last epoch",
    "validation": "Accuracy on the validation part of the weights that the run keeps, with its 95 % interval (Wilson)",
    "test": "Accuracy on the test part, where it was looked at",
    "baselines": "Accuracy of guessing · of always saying the most frequent class",
    "time": "Time spent training",
}
_NUMBERS = frozenset(("epochs", "train", "validation", "test", "baselines", "time"))
SORT_ROLE = Qt.ItemDataRole.UserRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def percent(share: float | None) -> str:
    """``"97.2"``, or a dash; the unit stands in the head of the column."""
    return "–" if share is None else f"{100 * share:.1f}"


def duration(seconds: float) -> str:
    """``"4.2 s"``, ``"42 s"``, ``"3:05 min"``, ``"2:04 h"``."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d} h"


def date(created: str) -> str:
    """``"09:31"`` of an ISO time of today, ``"22 Nov"`` of this year, else ``"Nov 2019"``; the tip has it whole."""
    try:
        moment = datetime.datetime.fromisoformat(created)
    except ValueError:
        return created
    now = datetime.datetime.now(moment.tzinfo)
    if moment.date() == now.date():
        return moment.strftime("%H:%M")
    return moment.strftime("%d %b" if moment.year == now.year else "%b %Y")


class RunsTable(QAbstractTableModel):
    """Rows are runs; the name can be edited.

    Attributes:
        runs: The runs by row.
    """

    def __init__(self, theme: Theme, rename: Callable[[RunSummary, str], object], parent: QObject) -> None:
        super().__init__(parent)
        self.runs: list[RunSummary] = []
        self._theme = theme
        self._rename = rename
        self._figures = tabular()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.runs)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return len(COLUMNS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way != Qt.Orientation.Horizontal:
            return None
        name = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return _HEADS.get(name, name)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS.get(name)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if name in _NUMBERS else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        run, name = self.runs[index.row()], COLUMNS[index.column()]
        number = name in _NUMBERS
        found: dict[int, Callable[[], object]] = {
            Qt.ItemDataRole.DisplayRole: lambda: _text(run, name),
            Qt.ItemDataRole.EditRole: lambda: run.name,
            SORT_ROLE: lambda: _value(run, name),
            Qt.ItemDataRole.TextAlignmentRole: lambda: _RIGHT if number else None,
            Qt.ItemDataRole.FontRole: lambda: self._figures if number else None,
            Qt.ItemDataRole.ForegroundRole: lambda: self._ink(run, name),
            Qt.ItemDataRole.ToolTipRole: lambda: (
                f"{run.name}\n{run.title} on {run.dataset}\n{run.folder}\n{size(run.bytes)} · {run.created}"
            ),
        }
        give = found.get(role)
        return give() if give is not None else None

    def _ink(self, run: RunSummary, name: str) -> object:
        if name == "state" and run.state in ("failed", "interrupted"):
            return self._theme.error if run.state == "failed" else self._theme.warning
        return self._theme.faint if name in ("baselines", "date") else None

    def setData(self, index: QModelIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name = str(value).strip()
        run = self.runs[index.row()]
        if role != Qt.ItemDataRole.EditRole or not name or name == run.name:
            return False
        self._rename(run, name)
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if COLUMNS[index.column()] == "name" else flags

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Show these runs; only rows that differ are told to the view where the runs are the same."""
        if [run.folder for run in runs] == [run.folder for run in self.runs]:
            for row, (old, new) in enumerate(zip(self.runs, runs, strict=True)):
                if old != new:
                    self.runs[row] = new
                    self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self.runs = runs
        self.endResetModel()


def _text(run: RunSummary, column: str) -> str:
    if column == "validation":
        between = run.interval("validation")
        spread = f" ({100 * between[0]:.1f}–{100 * between[1]:.1f})" if between is not None else ""
        return percent(run.validation) + spread
    if column == "baselines":
        return " · ".join(percent(share) for share in (run.chance, run.majority) if share is not None)
    return {
        "name": f"{run.name} · {run.dataset}",
        "state": run.state,
        "epochs": f"{run.epochs}/{run.planned}",
        "train": percent(run.train),
        "test": percent(run.test),
        "time": duration(run.seconds),
        "date": date(run.created),
    }[column]


def _value(run: RunSummary, column: str) -> object:
    return {
        "name": run.name.casefold(),
        "state": run.state,
        "epochs": run.epochs,
        "train": -1.0 if run.train is None else run.train,
        "validation": -1.0 if run.validation is None else run.validation,
        "test": -1.0 if run.test is None else run.test,
        "baselines": run.chance or 0.0,
        "time": run.seconds,
        "date": run.created,
    }[column]
