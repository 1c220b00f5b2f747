"""The pages of the evaluation panel but for the samples: matrix, tables, curves, calibration."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from guiapp.training.metrics.calibration import Calibration, calibration
from guiapp.training.metrics.decision import Decision, Outcome, decide
from guiapp.training.metrics.ranking import Curve, curve
from guiapp.training.metrics.scores import NOTHING
from guiapp.ui.panels import evaluation_tables as tables
from guiapp.ui.panels import evaluation_words as words
from guiapp.ui.panels.evaluation_choices import Choice, against, of_bin, of_cell, of_class
from guiapp.ui.widgets.confusion_plot import ConfusionPlot
from guiapp.ui.widgets.rate_plots import RatePlot
from guiapp.ui.widgets.reliability_plot import ReliabilityPlot

if TYPE_CHECKING:
    from guiapp.engine.evaluate import Evaluated
    from guiapp.ui.theme import Theme

MATRIX, PAIRS, CLASSES, NUMBERS, CURVES, CALIBRATION = range(6)
_FEW = 20  # classes up to which all have their curves


class Views(QStackedWidget):
    """Six pages on one evaluation at one decision; a click stands for samples.

    Attributes:
        chosen: Emitted with a ``Choice`` and the class that it is about, or None.
        decided: Emitted with class and threshold of a point of a curve, before what it stands for.
        said: Emitted with what is under the pointer, or the figures of the page.
        matrix, pairs, classes, numbers, roc, precision, bins: The pages, ``evaluation.matrix`` and so on.
        calibration: What ``bins`` shows, or None; ``curves``: those of the classes so far.
    """

    chosen = Signal(object, object)
    decided = Signal(int, float)
    said = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._found: Evaluated | None = None
        self._outcome: Outcome | None = None
        self._class: int | None = None
        self.curves: dict[int, Curve] = {}
        self.calibration: Calibration | None = None
        self.matrix = ConfusionPlot(theme, "evaluation.matrix", self)
        self.matrix.clicked.connect(self._choose_cell)
        self.matrix.hovered.connect(lambda _item: self.describe())
        self.pairs = tables.pairs_table(theme, self)
        self.pairs.chosen.connect(self._choose_pair)
        self.classes = tables.classes_table(theme, self)
        self.classes.chosen.connect(self._choose_row)
        self.numbers = tables.numbers_table(theme, self)
        self.numbers.chosen.connect(self._choose_number)
        self.roc = RatePlot(theme, "evaluation.roc", "roc", self)
        self.precision = RatePlot(theme, "evaluation.precision-recall", "pr", self)
        for plot in (self.roc, self.precision):
            plot.picked.connect(self._choose_point)
            plot.pointed.connect(self._describe_point)
        self.bins = ReliabilityPlot(theme, "evaluation.calibration", self)
        self.bins.clicked.connect(self._choose_bin)
        self.bins.hovered.connect(lambda _item: self.describe())
        both = QWidget(self)
        pair = QHBoxLayout(both)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.setSpacing(8)
        pair.addWidget(self.roc, 1)
        pair.addWidget(self.precision, 1)
        for page in (self.matrix, self.pairs, self.classes, self.numbers, both, self.bins):
            self.addWidget(page)

    @property
    def _decision(self) -> Decision:
        return self._outcome.decision if self._outcome is not None else Decision()

    # ------------------------------------------------------------------ showing

    def clear(self) -> None:
        """Show nothing."""
        self._found = self._outcome = self.calibration = None
        self.curves = {}
        self.matrix.show_matrix(np.zeros((0, 1), np.int64), (), ())
        for table in (self.pairs, self.classes, self.numbers):
            table.show_rows((), ())
        for plot in (self.roc, self.precision):
            plot.show_curves({}, {}, (), None, None)
        self.bins.show_bins(None, self._theme.validation, "share right")
        self.said.emit("")

    def show_figures(self, found: Evaluated, outcome: Outcome, index: int | None) -> None:
        """Bring the page in front up to date.

        Args:
            found: What was measured.
            outcome: At which decision.
            index: The class that is looked at, or None.
        """
        if self._found is not found:
            self.curves = {}
        before = None if self._outcome is None else self._outcome.decision.positive
        if self._found is not found or before != outcome.decision.positive or self.calibration is None:
            self.calibration = calibration(found.report.scores, outcome.decision.positive)
        if before != outcome.decision.positive:
            self.matrix.chosen = self.bins.chosen = None
        self._found, self._outcome, self._class = found, outcome, index
        page, positive = self.currentIndex(), outcome.decision.positive
        if page == MATRIX:
            self.matrix.show_matrix(outcome.matrix, outcome.names, self._colours())
        elif page == PAIRS:
            tables.show_pairs(self.pairs, outcome, self._marks())
        elif page == CLASSES:
            apart = outcome if positive is None else decide(found.report.scores)
            tables.show_classes(self.classes, found.report, apart, self._marks(apart=True))
            self.classes.mark(None if index is None else str(index))
        elif page == NUMBERS:
            tables.show_numbers(self.numbers, found.report, outcome)
        elif page == CURVES:
            self._show_curves(found)
        elif page == CALIBRATION:
            ink = self._theme.validation if positive is None else self._colour(positive)
            came = "share right" if positive is None else f"share of {found.report.scores.classes[positive]}"
            self.bins.show_bins(self.calibration, ink, came)
        self.describe()

    @property
    def _names(self) -> tuple[str, ...]:
        return self._found.report.scores.classes if self._found is not None else ()

    @property
    def _count(self) -> int:
        return len(self._names)

    def _colour(self, index: int) -> QColor:
        return self._theme.class_colour(index, self._count)

    def _colours(self) -> tuple[QColor, ...]:
        """Of the classes that are told apart."""
        positive = self._decision.positive
        if positive is None:
            return tuple(self._colour(index) for index in range(self._count))
        return self._theme.other, self._colour(positive)

    def _marks(self, apart: bool = False) -> dict[str, QColor]:
        if apart or self._decision.positive is None:
            return {str(index): self._colour(index) for index in range(self._count)}
        return {str(index): colour for index, colour in enumerate(self._colours())}

    def _show_curves(self, found: Evaluated) -> None:
        scores, ranking, chosen = found.report.scores, found.report.ranking, self._class
        shown = list(range(scores.count))
        if scores.count > _FEW:  # those that are told apart worst
            known = np.flatnonzero(np.isfinite(ranking.auc))
            shown = known[np.argsort(ranking.auc[known], kind="stable")][: _FEW // 2].tolist()
        if chosen is not None and chosen not in shown:
            shown.append(chosen)
        for index in shown:
            if index not in self.curves:
                self.curves[index] = curve(scores, index)
        curves = {index: self.curves[index] for index in shown}
        colours = {index: self._colour(index) for index in shown}
        mark = curves[chosen].at(self._decision.threshold) if self._decision.positive is not None else None
        for plot in (self.roc, self.precision):
            plot.show_curves(curves, colours, scores.classes, chosen, mark)

    def describe(self) -> None:
        """What is under the pointer, or the figures of the page."""
        found, outcome = self._found, self._outcome
        text = ""
        if found is None or outcome is None:
            self.said.emit(text)
            return
        if self.currentIndex() == MATRIX:
            text = "a click on a cell shows its samples"
            if self.matrix.hover is not None:
                row, column = self.matrix.cell(self.matrix.hover)
                names = self.matrix.title_of(row), self.matrix.answer_of(column)
                text = words.of_cell(*names, self.matrix.count(row, column), self.matrix.total(row))
        elif self.currentIndex() == CURVES:
            chosen = self._class
            name = None if chosen is None else found.report.scores.classes[chosen]
            text = words.of_areas(name, chosen, found.report.ranking)
        elif self.currentIndex() == CALIBRATION and self.calibration is not None:
            bin_ = self.bins.hover
            text = words.of_bins(self.calibration) if bin_ is None else words.of_bin(self.calibration, bin_)
        elif self.currentIndex() == NUMBERS and self._decision.positive is None:
            text = "rates are means over the classes; choose a class to see one against the others"
        self.said.emit(text)

    def _describe_point(self, near: tuple[int, int] | None) -> None:
        if near is None or self._found is None or near[0] not in self.curves:
            self.describe()
            return
        self.said.emit(words.of_curve(self._found.report.scores.classes[near[0]], self.curves[near[0]], near[1]))

    # ------------------------------------------------------------------ clicks

    def _give(self, choice: Choice, index: int | None = None) -> None:
        self.chosen.emit(choice, index)

    def _choose_cell(self, item: int) -> None:
        row, column = self.matrix.cell(item)
        self.matrix.chosen = (row, column)
        self.matrix.update()
        truths, answers = self.matrix.rows[row], self.matrix.columns[column]
        title = f"{self.matrix.title_of(row)} → {self.matrix.answer_of(column)}"
        self._give(
            partial(of_cell, title, truths, answers), self._index_of(int(truths[0])) if len(truths) == 1 else None
        )

    def _choose_pair(self, key: str) -> None:
        row, column = map(int, key.split())
        outcome = self._outcome
        if outcome is None:
            return
        answer = NOTHING if column == outcome.count else column
        title = f"{outcome.names[row]} → {outcome.names[column] if column < outcome.count else 'no answer'}"
        self._give(partial(of_cell, title, np.array([row]), np.array([answer])), self._index_of(row))

    def _index_of(self, row: int) -> int | None:
        """The class of the data set that a row of the matrix is; None for all the others together."""
        positive = self._decision.positive
        if positive is None:
            return row
        return positive if row == 1 else None

    def _choose_row(self, key: str) -> None:
        index = int(key)
        name = self._names[index]
        self._give(partial(of_class, f"true {name}, wrong ones first", index), index)

    def _choose_number(self, key: str) -> None:
        if self._found is None or self._outcome is None:
            return
        line = next(line for line in self._found.report.numbers(self._outcome) if line.name == key)
        self._give(partial(against, line.title, line.wrong))

    def _choose_point(self, index: int, at: int) -> None:
        """Let the class of a curve stand against the others from the threshold of the point on."""
        found = self.curves.get(index)
        if found is None:
            return
        self.decided.emit(index, min(1.0, float(found.thresholds[at])))
        self._give(partial(against, f"wrong about {self._names[index]}", "both"), index)

    def _choose_bin(self, index: int) -> None:
        bins = self.calibration
        if bins is None:
            return
        self.bins.chosen = index
        self.bins.update()
        low, high = bins.edges[index], bins.edges[index + 1]
        self._give(partial(of_bin, f"probability {low:.2g} to {high:.2g}", index))
