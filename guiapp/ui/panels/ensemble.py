"""The ensemble panel: cycles of the open run, or several runs, alone and together."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from guiapp.engine.state import EngineState
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.evaluation_head import TestQuestion
from guiapp.ui.panels.run_reader import RunReader
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.group_plots import Row, SpreadPlot
from guiapp.ui.widgets.heat_map import HeatMap
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.plain_table import Cell, PlainTable
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.datasets.base import Part
    from guiapp.training.ensembles import Figures, Together
    from guiapp.ui.theme import Theme

_MOST_SAMPLES = 1000
_HINTS = {
    "cycles": "Members are the weights that the open run kept at the ends of its cycles: its recipe has members=cycles "
    "and schedule.cycles of 2 or more.",
    "runs": "Check two or more runs on this data set: their probabilities are averaged.",
}
_DONE = ("done", "stopped", "interrupted")


class EnsemblePanel(Panel):
    """What takes part above, what was measured below.

    Attributes:
        of: ``ensemble.of``: cycles of the open run, or several runs.
        runs: ``ensemble.runs``, those that may be checked.
        measure: ``ensemble.measure``; ``test``: ``ensemble.test``, after a question.
        table: ``ensemble.figures``; ``sizes``: ``ensemble.sizes``; ``pairs``: ``ensemble.pairs``.
        found: What is shown, or None.
    """

    id = "ensemble"
    title = "Ensemble"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.found: Together | None = None
        self._runs = RunReader(context, self._arrived)
        self._listed: object = None
        self._make_head()
        self._make_pages(theme)
        self.line = QuietLabel("ensemble.line", self, theme.faint)
        self.run = StudyRun(self)
        self.run.done.connect(self.take)
        self.bar = StudyBar(self.run, "ensemble.bar", theme, self)
        self.run.began.connect(self._enable)
        for signal in (self.run.failed, self.run.stopped):
            signal.connect(lambda *_: self._enable())
        theme.changed.connect(self._restyle)
        self._lay_out()
        self._turn()

    def _make_head(self) -> None:
        self.of = QComboBox(self)
        self.of.setObjectName("ensemble.of")
        self.of.setAccessibleName("Members")
        self.of.setToolTip("Which networks take part")
        self.of.addItem("Cycles of this run", "cycles")
        self.of.addItem("Several runs", "runs")
        self.of.currentIndexChanged.connect(lambda _row: self._turn())
        self.measure = self._button("measure", "Measure", "Ask every member about the validation part")
        self.measure.clicked.connect(lambda: self.begin("validation"))
        self.test = self._button("test", "Test…", "Ask them about the test part once; counted in every run")
        self.test.clicked.connect(self._ask_test)
        self.question = TestQuestion(self)
        self.question.agreed.connect(lambda: self._answer(True))
        self.question.left.connect(lambda: self._answer(False))
        self.question.hide()
        self.runs = QListWidget(self)
        self.runs.setObjectName("ensemble.runs")
        self.runs.setAccessibleName("Runs on this data set")
        self.runs.setMaximumHeight(8 * (self.fontMetrics().height() + 4))
        self.runs.itemChanged.connect(lambda _item: self._enable())
        self.hint = QLabel(self)
        self.hint.setObjectName("ensemble.hint")
        self.hint.setProperty("faint", True)
        self.hint.setWordWrap(True)

    def _make_pages(self, theme: Theme) -> None:
        heads = ("answer", "accuracy", "±", "loss")
        tips = (
            "A member alone, or how all are put together",
            "Share of the samples that are right",
            "Half of the 95 % interval of the accuracy (Wilson), in points",
            "Mean of -log p(true class)",
        )
        self._table = PlainTable(theme, heads, tips, self)
        self.table = NumberTable(self, "ensemble.figures", "Members and all together", self._table)
        self.table.clicked.connect(lambda index: self._choose_mistakes(self._table.keys[index.row()]))
        self.sizes = SpreadPlot(theme, "ensemble.sizes", self)
        self.pairs = HeatMap(theme, "ensemble.pairs", "Disagreement of members", ("member", "member"), self)
        self.pairs.hovered.connect(self._tell_pair)
        self.pairs.clicked.connect(self._choose_pair)
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("ensemble.tabs")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 4px 7px; }")
        self._pages = QStackedWidget(self)
        for title, page in (
            ("Figures", self.table), ("By number", self.sizes), ("Disagreement", self.pairs),
        ):  # fmt: skip
            self.tabs.addTab(title)
            self._pages.addWidget(page)
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(f"ensemble.{name}")
        button.setToolTip(tip)
        return button

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.of, 1)
        top.addWidget(self.measure)
        top.addWidget(self.test)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(top)
        for widget in (self.question, self.runs, self.hint, self.tabs):
            column.addWidget(widget)
        column.addWidget(self._pages, 1)
        column.addWidget(self.line)
        column.addWidget(self.bar)

    # ------------------------------------------------------------------ who takes part

    def show_state(self, state: EngineState) -> None:
        """List the runs anew when another data set is open, or a run has come to rest."""
        opened = state.opened
        now = None if opened is None else (opened.dataset.name, state.run, state.phase == "running")
        if now != self._listed:
            self._listed = now
            self.refresh()
        self._enable()

    def refresh(self) -> None:
        """Read which runs there are, on the work lane."""
        if self.seen.opened is not None:
            self._runs.read()

    def _arrived(self) -> None:
        records = self._runs.records
        opened = self.seen.opened
        chosen = set(self.chosen())
        self.runs.blockSignals(True)
        self.runs.clear()
        for record in records:
            if opened is None or record.value("state") not in _DONE:
                continue
            if record.value("dataset") not in (opened.dataset.name, opened.settings.get("dataset")):
                continue
            accuracy = record.figures.get("validation.accuracy")
            right = f" · {100 * accuracy:.2f} %" if isinstance(accuracy, float) else ""
            item = QListWidgetItem(f"{record.name}{right}", self.runs)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setData(Qt.ItemDataRole.UserRole, str(record.folder))
            item.setToolTip(str(record.folder))
            item.setCheckState(Qt.CheckState.Checked if record.folder in chosen else Qt.CheckState.Unchecked)
        self.runs.blockSignals(False)
        self._enable()

    def chosen(self) -> list[Path]:
        """Folders of what takes part."""
        if self.of.currentData() == "cycles":
            return [self.seen.run] if self.seen.run is not None else []
        items = [self.runs.item(row) for row in range(self.runs.count())]
        return [Path(i.data(Qt.ItemDataRole.UserRole)) for i in items if i.checkState() == Qt.CheckState.Checked]

    def _turn(self) -> None:
        self.runs.setVisible(self.of.currentData() == "runs")
        self.hint.setText(_HINTS[self.of.currentData()])
        self._enable()

    def _enable(self) -> None:
        least = 1 if self.of.currentData() == "cycles" else 2
        ready = len(self.chosen()) >= least and self.seen.opened is not None and not self.run.running
        self.measure.setEnabled(ready)
        self.test.setEnabled(ready and self.question.isHidden())
        shown = self.found is None or len(self.chosen()) < least
        self.hint.setVisible(shown)

    # ------------------------------------------------------------------ measuring

    def begin(self, part: Part) -> None:
        """Measure on a part; a look at the test part is counted in every run."""
        folders = self.chosen()

        def work(_study: Any, _tell: Any) -> Generator[Any, None, Together]:
            from guiapp.training.ensembles import measuring, members_of

            return (yield from measuring(members_of(folders), part, "window" if part == "test" else None))

        self.run.start(work, "ensemble", "experiment")

    def _ask_test(self) -> None:
        count = len(self.chosen())
        runs = "this run" if count == 1 else f"all {count} runs"
        self.question.ask(f"The test part is for the end. The look is counted in {runs}.")
        self.question.show()
        self._enable()

    def _answer(self, agreed: bool) -> None:
        self.question.hide()
        self._enable()
        if agreed:
            self.begin("test")

    def take(self, found: Together) -> None:
        """Show what was measured."""
        self.found = found
        self.bar.say("")
        answers = (*found.members, *found.answers)
        best = max(answers, key=lambda one: one.accuracy).accuracy
        rows = [_cells(figures, figures.accuracy == best) for figures in answers]
        self._table.set_rows(rows, [str(number) for number in range(len(rows))])
        self.table.setSortingEnabled(False)
        self.table.fit()
        lines = []
        for number, values in enumerate(found.by_size, 1):
            mean = float(np.mean(values))
            label = f"{number} member" + ("s" if number > 1 else "")
            tip = f"{len(values)} subsets: {100 * min(values):.2f} % to {100 * max(values):.2f} %"
            lines.append(Row(label, tuple(100 * value for value in values), f"{100 * mean:.2f} %", tip))
        self.sizes.set_rows(lines, f"accuracy in %, {found.part} part")
        names = [str(number) for number in range(1, len(found.names) + 1)]
        self.pairs.show_matrix(found.disagreement.astype(np.float32), found.names, names)
        gain = found.answers[0].accuracy - float(np.mean([one.accuracy for one in found.members]))
        looks = f" · looks at the test part: {', '.join(map(str, found.looks))}" if found.looks else ""
        self.line.set_text(
            f"together {100 * gain:+.2f} points · {len(found.truth):,} {found.part} samples{looks}".replace("-", "−", 1)
        )
        self._enable()

    # ------------------------------------------------------------------ clicks

    def _tell_pair(self, item: int | None) -> None:
        found = self.found
        if found is None or item is None:
            return
        one, other = self.pairs.cell(item)
        count = len(found.different(one, other))
        if one == other:
            words = f"{found.names[one]} is wrong about {count:,} samples"
        else:
            words = f"{found.names[one]} and {found.names[other]} name different classes for {count:,} samples"
        self.line.set_text(f"{words} ({100 * count / len(found.truth):.2f} %) · click chooses them")

    def _choose_pair(self, item: int) -> None:
        if self.found is not None:
            self._choose(self.found.different(*self.pairs.cell(item)))

    def _choose_mistakes(self, key: str) -> None:
        """The samples that an answer gets wrong."""
        found = self.found
        if found is None:
            return
        number = int(key)
        if number < len(found.names):
            self._choose(found.different(number, number))
            return
        name = found.answers[number - len(found.names)].name
        self._choose(np.flatnonzero(found.all_together[name].argmax(1) != found.truth))

    def _choose(self, rows: np.ndarray[Any, Any]) -> None:
        found = self.found
        assert found is not None
        self.context.workspace.samples = tuple((found.part, row) for row in rows[:_MOST_SAMPLES].tolist())
        if len(rows):
            self.context.workspace.sample = (found.part, int(rows[0]))

    # ------------------------------------------------------------------

    def told(self) -> dict[str, Any]:
        """Who takes part."""
        return {"of": self.of.currentData(), "members": self.found.names if self.found is not None else ()}

    def shut(self) -> None:
        """Stop measuring."""
        self.run.stop()

    def _restyle(self) -> None:
        self.line.ink = self.context.theme.faint
        self.line.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(220, 200)


def _cells(figures: Figures, best: bool) -> tuple[Cell, ...]:
    low, high = figures.interval
    loss = Cell(f"{figures.loss:.4f}", figures.loss) if math.isfinite(figures.loss) else Cell("–")
    tip = f"95 % interval {100 * low:.2f} % to {100 * high:.2f} %"
    half = 50 * (high - low)
    accuracy = Cell(f"{100 * figures.accuracy:.2f} %", figures.accuracy, best, tip)
    return Cell(figures.name), accuracy, Cell(f"{half:.1f}", half, tip=tip), loss
