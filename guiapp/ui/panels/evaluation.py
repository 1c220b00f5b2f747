"""The evaluation panel: what a network gets right and wrong, in matrix, tables, curves; clicks show samples."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState
from guiapp.training.looks import read_looks
from guiapp.training.metrics.decision import Decision, Outcome, decide
from guiapp.training.metrics.scores import NOTHING
from guiapp.training.metrics.suspects import Suspects, suspects, worst
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import evaluation_words as words
from guiapp.ui.panels.evaluation_choices import Choice, named_answers
from guiapp.ui.panels.evaluation_head import DecisionRow, TestQuestion
from guiapp.ui.panels.evaluation_measure import Measuring
from guiapp.ui.panels.evaluation_views import CLASSES, CURVES, NUMBERS, Views
from guiapp.ui.study_run import StudyBar
from guiapp.ui.widgets.buttons import declare
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.sample_grid import SampleGrid
from guiapp.ui.widgets.settled import settled

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset, Part
    from guiapp.engine.evaluate import Evaluated

MISTAKES, LABELS = 6, 7
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
_TOLD = 20_000  # samples that other panels are told of
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
        self._doubts: Suspects | None = None
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
        self.views = Views(theme, self)
        self.views.chosen.connect(self._choose)
        self.views.decided.connect(self.decide_for)
        self.matrix, self.pairs, self.classes = self.views.matrix, self.views.pairs, self.views.classes
        self.numbers, self.bins = self.views.numbers, self.views.bins
        self.roc, self.precision = self.views.roc, self.views.precision

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
        self.views.said.connect(self.hover.set_text)
        self.measuring = Measuring(self)
        self.measuring.taken.connect(self._take)
        self.bar = StudyBar(self.measuring.run, "evaluation", theme, self)

    def _build(self) -> None:
        actions = ()
        if "catalogue.find" in self.context.commands.records:
            actions = ((self.context.commands["catalogue.find"], "evaluation.open"),)
        self.empty = EmptyState(words.nothing(None), actions, self)
        self._side = QWidget(self)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(2)
        side.addWidget(self.title_of_grid)
        side.addWidget(self.grid, 1)
        self._halves = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._halves.setSpacing(8)
        self._halves.addWidget(self.views, 5)
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
        self._arrange()

    @settled
    def _arrange(self) -> None:
        """Both halves beside each other in a wide panel."""
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
            reason = words.nothing(_dataset(state.opened))
            self.empty.set_text(reason)
            self._pages.setCurrentIndex(0 if reason else 1)
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
        self.found = self.outcome = self._choice = self._doubts = None
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
        if found.inspected is not self._opened:  # what is opened now is about to be shown, and measured anew
            return
        self._list_parts()
        self._say_looks()
        self._use(found)

    def _use(self, found: Evaluated) -> None:
        """Show other figures; what was chosen stays chosen, as it is now."""
        before, self.found = self.found, found
        self._doubts = None
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
        self.views.setVisible(not alone)
        if not alone:
            self.views.setCurrentIndex(page)
            wide = page in (CLASSES, NUMBERS)
            self._halves.setStretch(0, 3 if wide else 5)
            self._halves.setStretch(1, 1 if wide else 3)
        self._show()

    def _show(self) -> None:
        """Bring the page in front and the samples up to date."""
        found, outcome = self.found, self.outcome
        if found is None or outcome is None:
            self.views.clear()
            self.title_of_grid.set_text("")
            return
        if self.page in (MISTAKES, LABELS):
            self.hover.set_text(words.of_doubts(found.part) if self.page == LABELS else "")
        else:
            self.views.show_figures(found, outcome, self._class())
        self._list_samples()
        self._say()

    def _class(self) -> int | None:
        """The class that is looked at: against the others, or chosen anywhere."""
        if self.decision.positive is not None:
            return self.decision.positive
        index = self.context.workspace.class_index
        return index if index is not None and self._opened is not None and index < len(self._opened.labels) else None

    def _say(self) -> None:
        if self.found is not None and self.outcome is not None:
            moved = self.seen.step if self.found.part == "test" else None
            best = words.best_step(self.seen) if self.found.step == self.seen.step else None
            self.bar.say(words.status(self.found, self.outcome, moved, best))

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
        at = self.grid.verticalScrollBar().value()
        self.grid.set_predictions(every, np.where(answers == NOTHING, -1, answers).astype(np.int16))
        if not np.array_equal(indices, self.grid.shown):
            self.grid.set_shown(indices)
            self.grid.verticalScrollBar().setValue(at)

    def _choose(self, choice: Choice, index: int | None = None) -> None:
        """Show the samples that a click stands for, everywhere."""
        if index is not None:  # first: another class against the others forgets what was chosen
            self.context.workspace.class_index = index
        self._choice = choice
        self.grid.verticalScrollBar().setValue(0)
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

    def _restyle(self) -> None:
        for line in (self.hover, self.looks):
            line.ink = self.context.theme.faint
            line.update()
        self.row.paint_classes()
        self._show()


def _dataset(opened: Any) -> Dataset | None:
    return opened.dataset if opened is not None else None
