"""Diagnosis: checks before a run, what happens within it, and what is wrong with it, in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState
from guiapp.training.diagnosis.findings import Finding, findings
from guiapp.training.diagnosis.record import Observations, read
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.diagnosis_before import BeforePage
from guiapp.ui.panels.diagnosis_pages import FindingsPage, HistogramsPage, LayersPage, TimePage, told_of
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.training.diagnosis.figures import RunFigures

_EMPTY = "Open an experiment to check it before a run and to be told what is wrong with it."
_PAGES = (
    ("findings", "What is wrong"), ("layers", "Layers"), ("histograms", "Histograms over time"),
    ("time", "Time of a step"), ("before", "Before a run"),
)  # fmt: skip
_PAUSE_S = 2.0
"""Least time between two readings while a run goes on."""


class DiagnosisPanel(Panel):
    """Follows the open run; what is found is marked on its curves here and in the Training panel.

    Attributes:
        pages: Which page is shown, ``diagnosis.page``.
        observe: Whether the next run is observed, ``diagnosis.observe``.
        found: The findings.
        seen_inside: What was observed, or None.
        chosen: Number of the finding whose evidence is marked, or None for all.
    """

    id = "diagnosis"
    title = "Diagnosis"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.found: list[Finding] = []
        self.figures: RunFigures | None = None
        self.seen_inside: Observations | None = None
        self.chosen: int | None = None
        self._opened: object = None
        self._of: tuple[object, ...] = ()
        self._asked_at = 0.0
        self._reading = False
        self._newest = self.seen
        self.pages = QComboBox(self)
        self.pages.setObjectName("diagnosis.page")
        self.pages.setAccessibleName("Page")
        self.pages.setToolTip("What is shown")
        for name, title in _PAGES:
            self.pages.addItem(title, name)
        self.observe = QPushButton("Observe", self)
        self.observe.setObjectName("diagnosis.observe")
        self.observe.setCheckable(True)
        self.observe.setToolTip("Note updates, gradients, activations and times of some steps of the next run")
        self.observe.clicked.connect(self._observe)
        self.line = QuietLabel("diagnosis.line", self, theme.faint)
        self.finding_page = FindingsPage(theme, self)
        self.layers_page = LayersPage(theme, self)
        self.histograms_page = HistogramsPage(theme, self)
        self.time_page = TimePage(theme, self)
        self.before_page = BeforePage(self, theme)
        self.empty = EmptyState(_EMPTY, (), self)
        self._build()
        self.finding_page.chosen.connect(self._choose)
        self.finding_page.samples.connect(self._show_samples)
        self.before_page.wanted.connect(self._use_rate)
        for page in (self.layers_page, self.histograms_page):
            page.chosen.connect(self._choose_layer)
        self.finding_page.layer.connect(self._choose_layer)
        theme.changed.connect(self._restyle)
        # What was marked is of one run: also while the panel is hidden it does not stay on the curves of another.
        context.bridge.state_changed.connect(self._unmark)
        stop = context.workspace.subscribe("layer", lambda _name: self._show_inside())
        self.destroyed.connect(lambda _=None, s=stop: s())
        self.show_state(self.seen)

    def _build(self) -> None:
        self._stack = QStackedWidget(self)
        for page in (
            self.finding_page, self.layers_page, self.histograms_page, self.time_page, self.before_page,
        ):  # fmt: skip
            self._stack.addWidget(page)
        self.pages.currentIndexChanged.connect(self._stack.setCurrentIndex)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.pages, 1)
        top.addWidget(self.observe)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.line)
        column.addWidget(self._stack, 1)
        self._outer = QStackedWidget(self)
        self._outer.addWidget(self.empty)
        self._outer.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._outer)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 220)

    def show_page(self, name: str) -> None:
        """Show a page by its name."""
        self.pages.setCurrentIndex(self.pages.findData(name))

    # ------------------------------------------------------------------ following the run

    def show_state(self, state: EngineState) -> None:
        """Read the run anew where it moved on, at most every two seconds while it goes on."""
        self._newest, opened = state, state.opened
        if opened is not self._opened:
            self._opened = opened
            self._outer.setCurrentIndex(1 if opened is not None else 0)
            self.before_page.forget()
            self._of = ()
            self._take((None, [], None))
        self.observe.setEnabled(state.phase == "ready")
        self.observe.setChecked(opened is not None and opened.recipe.observe.name == "on")
        moved = (state.run, state.step, len(state.epoch_rows), state.phase)
        if opened is None or moved == self._of or self._reading:
            return
        now = time.monotonic()
        if state.phase == "running" and self._of[:1] == moved[:1] and now - self._asked_at < _PAUSE_S:
            return
        self._of, self._asked_at, self._reading = moved, now, True

        def work() -> Any:
            yield 0.0, "reading the run"
            return _read(state)

        def failed(_error: BaseException) -> None:
            self._reading = False

        job = self.context.bridge.engine.submit(work, on_error=failed, title="diagnosis")
        self.context.bridge.call(job, lambda read_: self._arrived(read_ if self._opened is opened else None))

    def _arrived(self, read_: tuple[Any, list[Finding], Any] | None) -> None:
        """Show what was read, None where it is of another run; what the run did meanwhile is read next."""
        self._reading = False
        if read_ is not None:
            self._take(read_)
        self.show_state(self._newest)

    def _take(self, read_: tuple[Any, list[Finding], Any]) -> None:
        self._reading = False
        self.figures, found, self.seen_inside = read_
        if [one.id for one in found] != [one.id for one in self.found]:
            self.chosen = None
        self.found = found
        opened = self.context.bridge.state.opened
        script = opened is not None and opened.experiment.id == "watched"
        self.line.set_text(*told_of(self.seen_inside, script))
        self.finding_page.show_run(self.figures)
        self._mark()
        self._show_inside()

    def _restyle(self) -> None:
        self.line.ink = self.context.theme.faint
        self._mark()

    # ------------------------------------------------------------------ what is chosen

    def _mark(self) -> None:
        """Mark the evidence here and on the curves of the Training panel."""
        figures = self.figures
        plain = "Nothing is wrong as far as the curves tell." if figures is not None and figures.steps >= 30 else (
            "Train some steps: findings come with the curves."
        )  # fmt: skip
        self.finding_page.show_findings(self.found, self.chosen, plain)
        shown = self.found if self.chosen is None else self.found[self.chosen : self.chosen + 1]
        pieces = tuple((e.plot, e.first, e.last, f"{one.title}: {e.text}") for one in shown for e in one.evidence)
        self.context.workspace.evidence = pieces
        self._marked = self._newest.opened, self._newest.run

    def _unmark(self, state: EngineState) -> None:
        if self.context.workspace.evidence and self._marked != (state.opened, state.run):
            self.context.workspace.evidence = ()

    def _choose(self, place: int) -> None:
        """Mark one finding's evidence alone; a second click marks all again."""
        self.chosen = None if self.chosen == place or place >= len(self.found) else place
        self._mark()

    def _choose_layer(self, name: str) -> None:
        self.context.workspace.layer = name

    def _show_samples(self, place: int) -> None:
        if place < len(self.found):
            self.context.workspace.samples = tuple(("validation", index) for index in self.found[place].samples)

    def _show_inside(self) -> None:
        layer = self.context.workspace.layer
        for page in (self.layers_page, self.histograms_page, self.time_page):
            page.show_observations(self.seen_inside, layer)

    # ------------------------------------------------------------------ what is changed

    def _observe(self, on: bool) -> None:
        self.context.bridge.engine.configure({"observe.name": "on" if on else "off"})

    def _use_rate(self, rate: float) -> None:
        """Take a rate over: at once where a run goes on, else into the recipe of the next one."""
        engine = self.context.bridge.engine
        if self.seen.phase in ("running", "paused"):
            engine.set_learning_rate(rate)
        else:
            engine.configure({"optimiser.lr": rate})


def _read(state: EngineState) -> tuple[RunFigures | None, list[Finding], Observations | None]:
    """Figures of the open run, what they tell, and what was observed."""
    from guiapp.training.diagnosis.figures import RunFigures

    if state.columns is None or state.opened is None or state.run is None:
        return None, [], None
    seen = read(state.run)
    figures = RunFigures(
        state.columns.view("loss"),
        state.columns.view("lr"),
        state.epoch_rows,
        len(state.opened.labels),
        state.initial_loss,
        state.total_steps,
        state.phase,
        "",
        seen,
    )
    return figures, findings(figures), seen
