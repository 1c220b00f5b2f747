"""Tables of the evaluation panel: kinds of mistakes, classes, and the single numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from guiapp.training.metrics.numbers import by_class
from guiapp.ui.panels.evaluation_words import figure, reach, share
from guiapp.ui.widgets import export
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.plain_table import Cell, PlainTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guiapp.training.metrics.decision import Outcome
    from guiapp.training.metrics.report import Report
    from guiapp.ui.theme import Theme

_CLASS_HEADS = (
    "class", "n", "precision", "recall", "F1", "AUC", "AP", "TP", "FP", "FN", "TN", "specificity", "NPV", "FPR", "FNR",
    "FDR",
)  # fmt: skip
_CLASS_TIPS = (
    "Class; a click shows its samples", "Samples of the class", "TP / (TP + FP): of the answers, how many are right",
    "TP / (TP + FN): of the class, how many are found", "2 TP / (2 TP + FP + FN)", "Area under the ROC curve",
    "Average precision", "Of the class, and answered so", "Answered so, but of another class",
    "Of the class, but not answered so", "Neither", "TN / (FP + TN)", "TN / (TN + FN)", "FP / (FP + TN)",
    "FN / (TP + FN)", "FP / (TP + FP)",
)  # fmt: skip
_MOST_PAIRS = 500
_RATES = ("specificity", "npv", "fpr", "fnr", "fdr")


class Marked(PlainTable):
    """Rows with a mark in the colour of their class before the first column.

    Attributes:
        colours: Those marks by key.
        words: Columns that hold words, which stand on the left.
    """

    def __init__(self, theme: Theme, heads: Sequence[str], tips: Sequence[str], parent: QWidget) -> None:
        super().__init__(theme, heads, tips, parent)
        self.colours: dict[str, QColor] = {}
        self.words: frozenset[int] = frozenset()

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DecorationRole and not index.column():
            return self.colours.get(self.keys[index.row()])
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in self.words:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return super().data(index, role)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.TextAlignmentRole and (section in self.words or not section):
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return super().headerData(section, way, role)


class FigureTable(NumberTable):
    """Rows that a click chooses; its numbers can be saved.

    Attributes:
        chosen: Emitted with the key of a row.
        table: The rows.
    """

    chosen = Signal(str)

    def __init__(
        self, theme: Theme, name: str, title: str, heads: Sequence[str], tips: Sequence[str], parent: QWidget
    ) -> None:
        self.table = Marked(theme, heads, tips, parent)
        super().__init__(parent, name, title, self.table)
        self.setSelectionMode(self.SelectionMode.SingleSelection)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.clicked.connect(lambda index: self.chosen.emit(self.table.keys[index.row()]))
        self.activated.connect(lambda index: self.chosen.emit(self.table.keys[index.row()]))
        save = self.addAction("Save values as CSV …")
        save.triggered.connect(lambda: export.ask_save_text(self, f"{title.lower()}.csv", self.csv_text()))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def csv_text(self) -> str:
        """The rows."""
        return self.table.csv_text()

    def show_rows(self, rows: Sequence[tuple[Cell, ...]], keys: Sequence[str]) -> None:
        """Show other rows; order, choice and widths stay where they can."""
        picked = self.selectionModel().selectedRows() if self.selectionModel() is not None else []
        key = self.table.keys[picked[0].row()] if picked else None
        same = self.table.rows and sorted(keys) == sorted(self.table.keys)
        at = self.verticalScrollBar().value()
        self.table.set_rows(rows, keys)
        header = self.horizontalHeader()
        self.table.sort(header.sortIndicatorSection(), header.sortIndicatorOrder())
        if key in self.table.keys:
            self.selectRow(self.table.keys.index(key))
        self.verticalScrollBar().setValue(at)
        if not same:
            self.fit()

    def mark(self, key: str | None) -> None:
        """Show a row as chosen."""
        if key is not None and key in self.table.keys:
            self.selectRow(self.table.keys.index(key))
        else:
            self.clearSelection()


def classes_table(theme: Theme, parent: QWidget) -> FigureTable:
    """The table of classes, ``evaluation.classes``."""
    made = FigureTable(theme, "evaluation.classes", "Classes", _CLASS_HEADS, _CLASS_TIPS, parent)
    made.least, made.padding, made.names = "0.000", 22, 96
    return made


def show_classes(made: FigureTable, report: Report, outcome: Outcome, colours: dict[str, QColor]) -> None:
    """Fill the table of classes; keys are their indices."""
    measures = by_class(outcome)
    rows, keys = [], []
    for index, name in enumerate(outcome.names):
        counts = [int(getattr(outcome, kind)[index]) for kind in ("tp", "fp", "fn", "tn")]
        number = counts[0] + counts[2]
        areas = (float(report.ranking.auc[index]), float(report.ranking.average_precision[index]))
        firsts = [float(measures[key][index]) for key in ("precision", "recall", "f1")]
        rates = [float(measures[key][index]) for key in _RATES]
        rows.append((
            Cell(name, float(index)), Cell(f"{number:,}", float(number), number == 0, "" if number else "no samples"),
            *map(_number, firsts), *map(_number, areas), *(Cell(f"{count:,}", float(count)) for count in counts),
            *map(_number, rates),
        ))  # fmt: skip
        keys.append(str(index))
    made.table.colours = colours
    made.show_rows(rows, keys)


def _number(value: float) -> Cell:
    return Cell(figure(value, 3), None if math.isnan(value) else value)


def numbers_table(theme: Theme, parent: QWidget) -> FigureTable:
    """The table of single numbers, ``evaluation.numbers``."""
    heads = ("number", "value", "95 % interval", "majority", "made of", "counted")
    tips = (
        "Single number; a click shows the samples that make it worse", "Mean over the classes, or of the chosen class",
        "Where the figure of all such samples lies, in 95 of 100 such parts",
        "What always answering the most frequent class of the training part gives", "Formula",
        "The formula with counts",
    )  # fmt: skip
    made = FigureTable(theme, "evaluation.numbers", "Numbers", heads, tips, parent)
    made.table.words = frozenset((4, 5))
    made.least, made.padding, made.names = "0.0000", 20, 150
    return made


def show_numbers(made: FigureTable, report: Report, outcome: Outcome) -> None:
    """Fill the table of numbers; keys are their names."""
    lines = report.numbers(outcome)
    rows = [
        (
            Cell(line.title, float(place), tip=f"{line.title} = {line.formula}; {line.better} is better"),
            Cell(figure(line.value), None if math.isnan(line.value) else line.value),
            Cell(reach(line.interval)),
            Cell(figure(line.majority), None if math.isnan(line.majority) else line.majority),
            Cell(line.formula),
            Cell(line.counted),
        )
        for place, line in enumerate(lines)
    ]
    made.show_rows(rows, [line.name for line in lines])


def pairs_table(theme: Theme, parent: QWidget) -> FigureTable:
    """The table of kinds of mistakes, ``evaluation.pairs``."""
    heads = ("true class", "answer", "samples", "of the class", "mean confidence")
    tips = (
        "True class; a click shows the samples", "What was answered", "How many", "Share of the samples of the class",
        "Mean probability of the answer: high where the network is sure of the mistake",
    )  # fmt: skip
    made = FigureTable(theme, "evaluation.pairs", "Mistakes by kind", heads, tips, parent)
    made.table.words = frozenset((1,))
    made.least = "0.000"
    return made


def show_pairs(made: FigureTable, outcome: Outcome, colours: dict[str, QColor]) -> None:
    """Fill the table of kinds of mistakes, the most frequent ones; keys are row and column of the matrix."""
    rows, keys, marks = [], [], {}
    wide = outcome.count + 1
    places, at = np.unique(outcome.truth * wide + outcome.columns, return_inverse=True)
    sums = dict(zip(places.tolist(), np.bincount(at, outcome.scores.confidence).tolist(), strict=True))
    for row, column, count in outcome.pairs()[:_MOST_PAIRS]:
        answer = outcome.names[column] if column < outcome.count else "no answer"
        key = f"{row} {column}"
        rows.append((
            Cell(outcome.names[row], float(row)), Cell(answer, float(column)), Cell(f"{count:,}", float(count)),
            Cell(share(count, int(outcome.totals[row])), count / outcome.totals[row]),
            _number(sums[row * wide + column] / count),
        ))  # fmt: skip
        keys.append(key)
        if str(row) in colours:
            marks[key] = colours[str(row)]
    made.table.colours = marks
    made.show_rows(rows, keys)
