"""Training: start, pause and steer a run, watch its curves, go back in time."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.recipe_words import LABELS
from guiapp.ui.panels.training_beside import Beside
from guiapp.ui.panels.training_commands import RunCommands
from guiapp.ui.panels.training_curves import TrainingCurves, read_previous
from guiapp.ui.panels.training_recipe import RecipeRow
from guiapp.ui.panels.training_status import before_first_step, remembers, status_texts
from guiapp.ui.panels.training_time import TimeRow
from guiapp.ui.use_on import actions as use_on
from guiapp.ui.use_on import use_on_button
from guiapp.ui.widgets.buttons import icon_button, text_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.readable import Readable
from guiapp.ui.widgets.time_slider import TimeSlider

_READABLE_S = 0.25


class TrainingPanel(Panel):
    """Controls, recipe, curves and the time machine.

    Attributes:
        run: The commands of the run.
        recipe: Data set and the most used fields of the recipe.
        beside: Trains the same with one thing changed, in the same plots.
        curves: The plots.
        slider: The time machine, ``training.time``.
        time: The slider's row, with how the curves are drawn.
    """

    id = "training"
    title = "Training"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._state = EngineState()
        self._opened: object = None
        self._words = Readable(_READABLE_S, self._show_words, self)
        self._words_of: tuple[object, ...] = ()
        self._buttons_for: tuple[object, ...] = ()
        self._previous_for: tuple[Any, ...] = ()
        engine = context.bridge.engine
        self.run = RunCommands(
            context.commands,
            self.start,
            engine.pause,
            self._one_step,
            self._one_epoch,
            engine.stop,
            self.reset,
            self.go_on_apart,
        )
        self.curves = TrainingCurves(context.theme, self)
        self.slider = TimeSlider(context.theme, self)  # made before all buttons: it has the keyboard first
        self.empty = EmptyState(
            "Choose an experiment in the catalogue to train its network.", self._empty_actions(), parent=self
        )
        self._build()
        self._follow_time(context.workspace.step)
        follow = {
            "step": self._follow_time,
            "compared": lambda _: self._ask_previous(context.bridge.state),
            "evidence": self.curves.set_evidence,
        }
        for name, call in follow.items():
            stop = context.workspace.subscribe(name, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        # Commands hold also while the panel is hidden, and at once: what is ready can be started.
        context.bridge.state_changed.connect(self._follow_phase)
        self.show_state(context.bridge.state)

    def _empty_actions(self) -> tuple[tuple[QAction, str], ...]:
        commands = self.context.commands
        if "catalogue.find" in commands.records:
            return ((commands["catalogue.find"], "training.open"),)
        return ()

    # ------------------------------------------------------------------ the run

    def start(self) -> None:
        """Start a run with the recipe as it stands in the form, or go on with a paused one."""
        self.context.draft.apply()
        self.context.workspace.step = None
        self.context.bridge.engine.start()

    def _one_step(self) -> None:
        self.context.draft.apply()
        self.context.bridge.engine.step()

    def _one_epoch(self) -> None:
        self.context.draft.apply()
        self.context.bridge.engine.epoch()

    def reset(self) -> None:
        """Back to the first weights; changes of the recipe that waited for a new run hold from now on."""
        self.context.workspace.step = None
        if not self.context.draft.apply():
            self.context.bridge.engine.reset()

    def go_on_apart(self) -> None:
        """Let a process of its own train on."""
        self.context.draft.apply()
        self.context.workspace.step = None
        self.context.bridge.engine.go_on_apart()

    def _edited(self, dotted: str, value: Any) -> None:
        if not self.context.draft.edit({dotted: value}):
            self.status.set_text(f"{LABELS.get(dotted, dotted)} {value}: holds from the next start or reset on")

    def _choose_dataset(self, name: str) -> None:
        self.context.bridge.engine.configure({"dataset": name})

    # ------------------------------------------------------------------ layout

    def _build(self) -> None:
        top = self._build_top()
        self.beside = Beside(self.context, self._ask_others, self)
        self.recipe = RecipeRow(self.context, self.beside.button, self)
        self.recipe.edited.connect(self._edited)
        self.recipe.rejected.connect(self._say)
        self.recipe.dataset_chosen.connect(self._choose_dataset)
        self.message = QLabel(self)
        self.message.setObjectName("training.message")
        self.message.setProperty("warning", True)
        self.message.setWordWrap(True)
        self.message.hide()
        self.time = TimeRow(self.context, self.curves, self.slider, self)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.recipe)
        column.addWidget(self.message)
        column.addWidget(self.curves, 1)
        column.addWidget(self.time)
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)

    def _build_top(self) -> QHBoxLayout:
        self.start_button = QPushButton("Start", self)
        self.start_button.setObjectName("training.start")
        self.start_button.setProperty("primary", True)
        self.start_button.clicked.connect(self._start_or_pause)
        # Wide enough for both words, so that nothing moves when one replaces the other.
        self.start_button.setMinimumWidth(self.start_button.fontMetrics().horizontalAdvance("Resume") + 34)
        self.progress = QProgressBar(self)
        self.progress.setObjectName("training.progress")
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(4)
        self.status = QuietLabel("training.status", self)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.start_button)
        for action in (self.run.step, self.run.epoch, self.run.stop, self.run.reset):
            top.addWidget(text_button(self, action, action.objectName()))
        top.addWidget(icon_button(self, self.run.apart, self.run.apart.objectName()))
        top.addSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.status)
        words.addWidget(self.progress)
        top.addLayout(words, 1)
        if use_on(self.context.commands):  # a window without a live room has nothing to use it on
            top.addWidget(use_on_button(self, self.context.commands, "training.use-on"))
        return top

    def _start_or_pause(self) -> None:
        self.run.next_of(self._state.phase)[0].trigger()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.recipe.fit(self.width())

    def minimumSizeHint(self) -> QSize:
        return QSize(500, 190)  # its buttons side by side

    # ------------------------------------------------------------------ following the engine

    def show_state(self, state: EngineState) -> None:
        """Bring buttons, texts and curves up to date; what did not change is not touched."""
        self._state = state
        opened = state.opened
        if opened is not self._opened:
            self._opened = opened
            self._pages.setCurrentIndex(1 if opened is not None else 0)
            self._show_recipe()
        self._show_buttons(state)
        words_of = state.phase, state.run
        if self._words_of != words_of or state.phase != "running":
            self._words_of = words_of
            self._words.now()
        else:
            self._words.soon()
        self.curves.show_state(state)
        self.curves.set_markers(self.context.workspace.step)
        self._ask_previous(state)

    def _follow_phase(self, state: EngineState) -> None:
        self._state = state
        self._show_buttons(state)

    def _follow_time(self, step: int | None) -> None:
        self.time.set_step(step, self._state.step)

    def _show_words(self) -> None:
        """Figures of the newest state."""
        self._show_progress(self._state)
        self.time.follow(self._state.step, self._state.snapshot_steps)

    def _show_recipe(self) -> None:
        opened = self._state.opened
        if opened is None:
            return
        self.recipe.set_opened(opened)
        self.recipe.setVisible(opened.experiment.id != "watched")  # of a script of one's own it is not known
        self.recipe.fit(self.width())
        self.curves.show_rate(not remembers(opened))
        self._buttons_for = ()  # the fields may be new

    def _show_buttons(self, state: EngineState) -> None:
        decides = (state.phase, state.refused, state.opened, bool(state.watched))
        if decides == self._buttons_for:
            return
        self._buttons_for = decides
        self.run.follow(state)
        action, text = self.run.next_of(state.phase)
        if text != self.start_button.text():
            self.start_button.setText(text)
        self.start_button.setEnabled(action.isEnabled())
        self.start_button.setToolTip(action.toolTip())
        self._say(state.refused)
        self.recipe.follow("watched" if state.watched else state.phase, self.context.draft.reopening)

    def _show_progress(self, state: EngineState) -> None:
        self.status.set_text(*status_texts(state))
        share = state.step / state.total_steps if state.total_steps else 0.0
        if state.share is not None and (state.phase == "opening" or before_first_step(state)):
            share = state.share
        value = round(1000 * min(1.0, max(0.0, share)))
        if value != self.progress.value():
            self.progress.setValue(value)

    def _say(self, text: str) -> None:
        if text != self.message.text():
            self.message.setText(text)
        self.message.setVisible(bool(text))

    def _ask_previous(self, state: EngineState) -> None:
        """Read the runs chosen for comparison, else earlier ones of this experiment, when one was opened or ended."""
        opened = state.opened
        if opened is None or state.phase not in ("ready", "running", "paused", "finished"):
            return
        asked = (opened, state.run, self.context.workspace.compared)
        if asked == self._previous_for:
            return
        self._previous_for = asked
        self._ask_others()

    def _ask_others(self) -> None:
        """Read the curves of the other runs as they are now."""
        if not self._previous_for:
            return
        asked = self._previous_for
        opened, run, chosen = asked

        def work() -> Any:
            yield (0.0, "reading earlier runs")
            return read_previous(opened, run, chosen)

        job = self.context.bridge.engine.submit(work, on_error=lambda _error: None, title="earlier runs")
        self.context.bridge.call(job, lambda runs: asked == self._previous_for and self.curves.set_previous(runs))
