"""The evaluation panel: what a network gets right and wrong, in matrix, tables, curves; clicks show samples."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState
from guiapp.training.looks import read_looks
from guiapp.training.metrics.calibration import Calibration, calibration
from guiapp.training.metrics.decision import Decision, Outcome, decide
from guiapp.training.metrics.ranking import Curve, curve
from guiapp.training.metrics.scores import NOTHING
from guiapp.training.metrics.suspects import Suspects, suspects, worst
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import evaluation_tables as tables
from guiapp.ui.panels import evaluation_words as words
from guiapp.ui.panels.evaluation_choices import Choice, against, named_answers, of_bin, of_cell, of_class
from guiapp.ui.panels.evaluation_head import DecisionRow, TestQuestion
from guiapp.ui.panels.evaluation_measure import Measuring
from guiapp.ui.study_run import StudyBar
from guiapp.ui.widgets.buttons import declare
from guiapp.ui.widgets.confusion_plot import ConfusionPlot
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.rate_plots import RatePlot
from guiapp.ui.widgets.reliability_plot import ReliabilityPlot
from guiapp.ui.widgets.sample_grid import SampleGrid

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset, Part
    from guiapp.engine.evaluate import Evaluated

MATRIX, PAIRS, CLASSES, NUMBERS, CURVES, CALIBRATION, MISTAKES, LABELS = range(8)
PAGES = (
    ("Matrix", "Confusion matrix: true classes down, answers across"),
    ("Pairs", "Kinds of mistakes, the most frequent first"),
    ("Classes", "Every number for every class"),
    ("Numbers", "Single numbers with their intervals and formulas"),
    ("Curves", "ROC, and precision against recall, for every threshold"),
    ("Calibration", "Whether probabilities mean what they say"),
    ("Mistakes", "Wrong answers, the least expected truth first"),
    ("Labels", "Samples whose label is perhaps wrong"),
)
_NOTHING = "Choose an experiment in the catalogue to measure what its network gets right and wrong."
_TOLD = 20_000  # samples that other panels are told of
_FEW = 20  # classes up to which all have their curves
_BESIDE = 520  # width from which the samples stand beside the page
_SETTLED_MS = 200


class EvaluationPanel(Panel):
    """Pages on one evaluation, with the samples that were clicked beside them.

    Attributes:
        found: What was measured, or None; ``outcome``: at the decision that is chosen.
        decision: Class and threshold.
        measuring: What measures, and when; ``part`` the part.
        tabs: ``evaluation.pages``; ``row``: part, class and threshold; ``matrix``: ``evaluation.matrix``; ``roc``,
            ``precision``: ``evaluation.roc``, ``evaluation.precision-recall``; ``bins``: ``evaluation.calibration``.
        grid: ``evaluation.samples``; ``title_of_grid``: what its samples are.
        bar: How far the work is.
        test: ``evaluation.test``; ``question``: what it asks first.
    """

    id = "evaluation"
    title = "Evaluation"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.found: Evaluated | None = None
        self.outcome: Outcome | None = None
        self.decision = Decision()
        self._opened: Any = None
        self._run_folder: Any = None
        self._choice: Choice | None = None
        self._curves: dict[int, Curve] = {}
        self._doubts: Suspects | None = None
        self._bins: Calibration | None = None
        self._thresholds: dict[int | None, float] = {}
        self._make(context)
        self._make_samples(context)
        self._make_test(context)
        self._build()
        for field, call in (
            ("class_index", self._follow_class), ("sample", self._follow_sample),
            ("step", lambda _step: self.measuring.refresh()),
        ):  # fmt: skip
            stop = context.workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        context.theme.changed.connect(self._restyle)
        self.show_state(self.seen)

    def _make(self, context: Context) -> None:
        theme = context.theme
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("evaluation.pages")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 4px 7px; }")
        for title, tip in PAGES:
            self.tabs.setTabToolTip(self.tabs.addTab(title), tip)
        self.row = DecisionRow(theme, self)
        self.row.part_chosen.connect(self.choose_part)
        self.row.class_chosen.connect(self._choose_class)
        self.row.threshold_moved.connect(self.move_threshold)
        self.matrix = ConfusionPlot(theme, "evaluation.matrix", self)
        self.matrix.clicked.connect(self._choose_cell)
        self.matrix.hovered.connect(lambda _item: self._describe())
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
        self.bins.hovered.connect(lambda _item: self._describe())

    def _make_test(self, context: Context) -> None:
        """What asks for a look at the test part, and timers."""
        theme = context.theme
        self._look = declare(context.commands, Command(
            "evaluation.test", "Look at the test part", self.ask_test,
            "Measure on the test part once; every look is counted and kept with the run", "", "eye", menu="Model",
        ))  # fmt: skip
        self.test = QPushButton("Test part…", self)
        self.test.setObjectName("evaluation.test")
        self.test.setToolTip(self._look.toolTip())
        self.test.clicked.connect(self._look.trigger)
        self.looks = QuietLabel("evaluation.looks", self, theme.faint)
        self.question = TestQuestion(self)
        self.question.agreed.connect(self.look_at_test)
        self.question.left.connect(partial(self._put_question, False))
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self._settled.timeout.connect(self._tell)

    def _make_samples(self, context: Context) -> None:
        """What shows samples, and the work that measures."""
        theme = context.theme
        self.grid = SampleGrid(theme, self)
        self.grid.setObjectName("evaluation.samples")
        self.grid.chosen.connect(self._look_at)
        self.title_of_grid = QuietLabel("evaluation.chosen", self)
        self.hover = QuietLabel("evaluation.hover", self, theme.faint)
        self.measuring = Measuring(self)
        self.measuring.taken.connect(self._take)
        self.bar = StudyBar(self.measuring.run, "evaluation", theme, self)

    def _build(self) -> None:
        actions = ()
        if "catalogue.find" in self.context.commands.records:
            actions = ((self.context.commands["catalogue.find"], "evaluation.open"),)
        self.empty = EmptyState(_NOTHING, actions, self)
        curves = QWidget(self)
        pair = QHBoxLayout(curves)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.setSpacing(8)
        pair.addWidget(self.roc, 1)
        pair.addWidget(self.precision, 1)
        self._views = QStackedWidget(self)
        for page in (self.matrix, self.pairs, self.classes, self.numbers, curves, self.bins):
            self._views.addWidget(page)
        self._side = QWidget(self)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(2)
        side.addWidget(self.title_of_grid)
        side.addWidget(self.grid, 1)
        self._halves = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._halves.setSpacing(8)
        self._halves.addWidget(self._views, 5)
        self._halves.addWidget(self._side, 3)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.bar, 3)
        foot.addWidget(self.looks, 2)
        foot.addWidget(self.test)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.tabs)
        column.addWidget(self.row)
        column.addLayout(self._halves, 1)
        column.addWidget(self.hover)
        column.addWidget(self.question)
        column.addLayout(foot)
        self.question.hide()
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._pages)
        self.tabs.currentChanged.connect(self._turn)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= max(_BESIDE, self.height())
        way = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self._halves.direction() != way:
            self._halves.setDirection(way)
        self.looks.setVisible(self.width() >= _BESIDE)

    @property
    def page(self) -> int:
        """Which page is in front."""
        return self.tabs.currentIndex()

    # ------------------------------------------------------------------ what is measured

    @property
    def part(self) -> Part:
        """The part that is measured."""
        return self.measuring.part

    def show_state(self, state: EngineState) -> None:
        """Follow the open experiment and its weights."""
        if state.opened is not self._opened:
            before, self._opened = self._opened, state.opened
            self.measuring.forget()
            self._forget(_dataset(before) is not _dataset(state.opened))
            self._pages.setCurrentIndex(0 if state.opened is None else 1)
        if state.run != self._run_folder:
            self._run_folder = state.run
            self.measuring.another_run()
            self._list_parts()
            self._say_looks()
        self.measuring.refresh()
        if self.found is not None and self.part == "test":
            self._say()

    def _forget(self, other_data: bool) -> None:
        """Nothing of the network before is shown any more."""
        self.found = self.outcome = self._choice = self._doubts = self._bins = None
        self._curves = {}
        opened = self._opened
        if other_data:
            self.decision, self._thresholds = Decision(), {}
            self.row.list_classes(tuple(opened.labels) if opened is not None else ())
            self.row.show_threshold(0.0, None)
        self._list_parts()
        self._say_looks()
        self._put_question(False)
        self.grid.set_samples(None, ())
        self.bar.say("")
        self._show()

    def _take(self, found: Evaluated) -> None:
        self._list_parts()
        self._say_looks()
        self._use(found)

    def _use(self, found: Evaluated) -> None:
        """Show other figures; what was chosen stays chosen, as it is now."""
        before, self.found = self.found, found
        self._curves, self._doubts = {}, None
        if before is None or before.part != found.part:
            self._choice = None
            opened = self._opened
            self.grid.set_samples(opened.dataset.part(found.part), tuple(opened.labels))
        self._decide()

    def choose_part(self, name: Part) -> None:
        """Measure another part; of the test part, what was seen of it at the last look."""
        self.measuring.choose(name)

    def _list_parts(self) -> None:
        self.row.list_parts(_dataset(self._opened), self.measuring.tested is not None)
        self.row.show_part(self.part)

    # ------------------------------------------------------------------ the test part

    def ask_test(self) -> None:
        """Ask before the test part is looked at."""
        self.context.bridge.panel_wanted.emit(self.id)
        opened = self.seen.opened
        if opened is None:
            return
        if not len(opened.dataset.part("test")):
            self.bar.say(f"{opened.dataset.title} has no test part")
            return
        self.question.ask(words.question(self.measuring.looks + 1, self.seen.run))
        self._put_question(True)

    def _put_question(self, shown: bool) -> None:
        self.question.setVisible(shown)
        self.test.setEnabled(not shown)

    def look_at_test(self) -> None:
        """Measure on the test part once, and count it."""
        self._put_question(False)
        self.measuring.look_at_test()

    def _say_looks(self) -> None:
        self.looks.set_text(words.looks(read_looks(self.seen.run), self.seen.run, self.measuring.here))

    # ------------------------------------------------------------------ the decision

    def _choose_class(self, index: int) -> None:
        """One class against the others, or all classes, by hand."""
        self.decide_for(None if index < 0 else index)
        if index >= 0:
            self.context.workspace.class_index = index

    def decide_for(self, positive: int | None, threshold: float | None = None) -> None:
        """Let a class stand against the others, or all apart; each keeps its threshold until it is given another."""
        self._thresholds[self.decision.positive] = self.decision.threshold
        if threshold is None:
            threshold = self._thresholds.get(positive, 0.0 if positive is None else 0.5)
        if positive != self.decision.positive:
            self._choice = None
            self.matrix.chosen = None
        self.decision = Decision(positive, threshold)
        self.row.show_class(positive)
        self.row.show_threshold(threshold, positive)
        self._decide()

    def move_threshold(self, value: float) -> None:
        """Decide from another probability on; everything follows."""
        self.decision = Decision(self.decision.positive, value)
        self.row.show_threshold(value, self.decision.positive)
        self._decide()
        if self._choice is not None:
            self._settled.start()

    def _decide(self) -> None:
        found = self.found
        if found is None:
            return
        self.outcome = decide(found.report.scores, self.decision)
        self._bins = calibration(found.report.scores, self.decision.positive)
        self._show()

    def _follow_class(self, index: int | None) -> None:
        """Another panel has chosen a class: it stands against the others where one does; else it is marked."""
        known = self._opened is not None and index is not None and index < len(self._opened.labels)
        if not known:
            return
        if self.decision.positive is not None and index != self.decision.positive:
            self.decide_for(index)
        elif self.page in (CLASSES, CURVES):
            self._show()

    # ------------------------------------------------------------------ showing

    def _turn(self, page: int) -> None:
        alone = page in (MISTAKES, LABELS)
        self._views.setVisible(not alone)
        if not alone:
            self._views.setCurrentIndex(page)
            wide = page in (CLASSES, NUMBERS)
            self._halves.setStretch(0, 3 if wide else 5)
            self._halves.setStretch(1, 1 if wide else 3)
        self._show()

    def _show(self) -> None:
        """Bring the page in front and the samples up to date."""
        found, outcome = self.found, self.outcome
        if found is None or outcome is None:
            self.matrix.show_matrix(np.zeros((0, 1), np.int64), (), ())
            for table in (self.pairs, self.classes, self.numbers):
                table.show_rows((), ())
            for plot in (self.roc, self.precision):
                plot.show_curves({}, {}, (), None, None)
            self.bins.show_bins(None, self.context.theme.validation, "share right")
            for line in (self.title_of_grid, self.hover):
                line.set_text("")
            return
        if self.page == MATRIX:
            self.matrix.show_matrix(outcome.matrix, outcome.names, self._colours())
        elif self.page == PAIRS:
            tables.show_pairs(self.pairs, outcome, self._marks())
        elif self.page == CLASSES:
            tables.show_classes(self.classes, found.report, self._apart(), self._marks(apart=True))
            chosen = self._class()
            self.classes.mark(None if chosen is None else str(chosen))
        elif self.page == NUMBERS:
            tables.show_numbers(self.numbers, found.report, outcome)
        elif self.page == CURVES:
            self._show_curves(found)
        elif self.page == CALIBRATION:
            positive = self.decision.positive
            ink = self.context.theme.validation if positive is None else self._colour(positive)
            came = "share right" if positive is None else f"share of {found.report.scores.classes[positive]}"
            self.bins.show_bins(self._bins, ink, came)
        self._list_samples()
        self._describe()
        self._say()

    def _apart(self) -> Outcome:
        """All classes apart, at the threshold where they are so decided."""
        assert self.found is not None and self.outcome is not None
        return self.outcome if self.decision.positive is None else decide(self.found.report.scores)

    def _colour(self, index: int) -> QColor:
        return self.context.theme.class_colour(index, len(self._opened.labels))

    def _colours(self) -> tuple[QColor, ...]:
        """Of the classes that are told apart."""
        positive = self.decision.positive
        if positive is None:
            return tuple(self._colour(index) for index in range(len(self._opened.labels)))
        return self.context.theme.other, self._colour(positive)

    def _marks(self, apart: bool = False) -> dict[str, QColor]:
        if apart or self.decision.positive is None:
            return {str(index): self._colour(index) for index in range(len(self._opened.labels))}
        return {str(index): colour for index, colour in enumerate(self._colours())}

    def _class(self) -> int | None:
        """The class that is looked at: against the others, or chosen anywhere."""
        if self.decision.positive is not None:
            return self.decision.positive
        index = self.context.workspace.class_index
        return index if index is not None and self._opened is not None and index < len(self._opened.labels) else None

    def _show_curves(self, found: Evaluated) -> None:
        scores, ranking, chosen = found.report.scores, found.report.ranking, self._class()
        shown = list(range(scores.count))
        if scores.count > _FEW:  # those that are told apart worst
            known = np.flatnonzero(np.isfinite(ranking.auc))
            shown = known[np.argsort(ranking.auc[known], kind="stable")][: _FEW // 2].tolist()
        if chosen is not None and chosen not in shown:
            shown.append(chosen)
        for index in shown:
            if index not in self._curves:
                self._curves[index] = curve(scores, index)
        curves = {index: self._curves[index] for index in shown}
        colours = {index: self._colour(index) for index in shown}
        mark = curves[chosen].at(self.decision.threshold) if self.decision.positive is not None else None
        for plot in (self.roc, self.precision):
            plot.show_curves(curves, colours, scores.classes, chosen, mark)

    def _describe(self) -> None:
        """What is under the pointer, or the figures of the page."""
        found, outcome = self.found, self.outcome
        text = ""
        if found is None or outcome is None:
            self.hover.set_text(text)
            return
        if self.page == MATRIX:
            text = "a click on a cell shows its samples"
            if self.matrix.hover is not None:
                row, column = self.matrix.cell(self.matrix.hover)
                names = self.matrix.title_of(row), self.matrix.answer_of(column)
                text = words.of_cell(*names, self.matrix.count(row, column), self.matrix.total(row))
        elif self.page == CURVES:
            chosen = self._class()
            name = None if chosen is None else found.report.scores.classes[chosen]
            text = words.of_areas(name, chosen, found.report.ranking)
        elif self.page == CALIBRATION and self._bins is not None:
            bin_ = self.bins.hover
            text = words.of_bins(self._bins) if bin_ is None else words.of_bin(self._bins, bin_)
        elif self.page == LABELS:
            text = "confident learning: another class is more probable than is usual for it · on new samples alone"
            if found.part != "train":
                text = "confident learning: another class is more probable than is usual for it"
        elif self.page == NUMBERS and self.decision.positive is None:
            text = "rates are means over the classes; choose a class to see one against the others"
        self.hover.set_text(text)

    def _describe_point(self, near: tuple[int, int] | None) -> None:
        if near is None or self.found is None or near[0] not in self._curves:
            self._describe()
            return
        self.hover.set_text(words.of_curve(self.found.report.scores.classes[near[0]], self._curves[near[0]], near[1]))

    def _say(self) -> None:
        if self.found is not None and self.outcome is not None:
            moved = self.seen.step if self.found.part == "test" else None
            self.bar.say(words.status(self.found, self.outcome, moved))

    # ------------------------------------------------------------------ samples

    def _list_samples(self) -> None:
        """Show what was clicked, else the worst mistakes; on the last pages what they are about."""
        found, outcome = self.found, self.outcome
        if found is None or outcome is None:
            return
        scores = found.report.scores
        every = np.arange(len(scores))
        answers = named_answers(outcome)
        if self.page == LABELS:
            doubts = self._doubts = self._doubts or suspects(scores)
            answers = scores.top.copy()
            answers[doubts.indices] = doubts.suggested
            title, indices = f"labels that are perhaps wrong ({len(doubts.indices):,})", doubts.indices
        elif self.page == MISTAKES or self._choice is None:
            indices = worst(outcome)
            title = f"worst mistakes ({len(indices):,})"
        else:
            title, indices = self._choice(outcome)
            title = f"{title} ({len(indices):,})"
        self.title_of_grid.set_text(title)
        self.grid.set_predictions(every, np.where(answers == NOTHING, -1, answers).astype(np.int16))
        if not np.array_equal(indices, self.grid.shown):
            self.grid.set_shown(indices)

    def _choose(self, choice: Choice, index: int | None = None) -> None:
        """Show the samples that a click stands for, everywhere."""
        self._choice = choice
        if index is not None:
            self.context.workspace.class_index = index
        self._list_samples()
        self._tell(first=True)

    def _tell(self, first: bool = False) -> None:
        """Tell the other panels of the chosen samples; with ``first`` look at the first one."""
        found, outcome = self.found, self.outcome
        if found is None or outcome is None or self._choice is None:
            return
        indices = self._choice(outcome)[1]
        self.context.workspace.samples = tuple((found.part, index) for index in indices[:_TOLD].tolist())
        if first and len(indices):
            self._look_at(int(indices[0]))

    def _look_at(self, index: int) -> None:
        """Look at a sample of the part."""
        found, workspace = self.found, self.context.workspace
        if found is None or self._opened is None:
            return
        if self.page in (MISTAKES, LABELS):
            listed = self.grid.shown[:_TOLD].tolist()
            workspace.samples = tuple((found.part, one) for one in listed)
        workspace.sample = (found.part, index)
        workspace.picture = self._opened.dataset.picture(found.part, index)

    def _follow_sample(self, sample: tuple[str, int] | None) -> None:
        mine = sample is not None and self.found is not None and sample[0] == self.found.part
        self.grid.set_current(sample[1] if mine and sample is not None else None)

    def _choose_cell(self, item: int) -> None:
        row, column = self.matrix.cell(item)
        self.matrix.chosen = (row, column)
        self.matrix.update()
        truths, answers = self.matrix.rows[row], self.matrix.columns[column]
        title = f"{self.matrix.title_of(row)} → {self.matrix.answer_of(column)}"
        self._choose(
            partial(of_cell, title, truths, answers), self._index_of(int(truths[0])) if len(truths) == 1 else None
        )

    def _choose_pair(self, key: str) -> None:
        row, column = map(int, key.split())
        outcome = self.outcome
        if outcome is None:
            return
        answer = NOTHING if column == outcome.count else column
        title = f"{outcome.names[row]} → {outcome.names[column] if column < outcome.count else 'no answer'}"
        self._choose(partial(of_cell, title, np.array([row]), np.array([answer])), self._index_of(row))

    def _index_of(self, row: int) -> int | None:
        """The class of the data set that a row of the matrix is; None for all the others together."""
        positive = self.decision.positive
        if positive is None:
            return row
        return positive if row == 1 else None

    def _choose_row(self, key: str) -> None:
        index = int(key)
        name = self._opened.labels[index]
        self._choose(partial(of_class, f"true {name}, wrong ones first", index), index)

    def _choose_number(self, key: str) -> None:
        if self.found is None or self.outcome is None:
            return
        line = next(line for line in self.found.report.numbers(self.outcome) if line.name == key)
        self._choose(partial(against, line.title, line.wrong))

    def _choose_point(self, index: int, at: int) -> None:
        """Let the class of a curve stand against the others from the threshold of the point on."""
        found = self._curves.get(index)
        if found is None:
            return
        self.decide_for(index, min(1.0, float(found.thresholds[at])))
        self._choose(partial(against, f"wrong about {self._opened.labels[index]}", "both"), index)

    def _choose_bin(self, index: int) -> None:
        bins = self._bins
        if bins is None:
            return
        self.bins.chosen = index
        self.bins.update()
        low, high = bins.edges[index], bins.edges[index + 1]
        self._choose(partial(of_bin, f"probability {low:.2g} to {high:.2g}", index))

    def _restyle(self) -> None:
        for line in (self.hover, self.looks):
            line.ink = self.context.theme.faint
            line.update()
        self.row.paint_classes()
        self._show()


def _dataset(opened: Any) -> Dataset | None:
    return opened.dataset if opened is not None else None
