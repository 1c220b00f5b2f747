"""Training: start, pause and steer a run, watch its curves, go back in time."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAction, QHideEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from guiapp.engine.state import EngineState, Opened
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.network_options import network_form, options_of
from guiapp.ui.panels.training_curves import TrainingCurves, read_previous
from guiapp.ui.widgets.buttons import declare, icon_button, text_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.option_form import OptionForm
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.readable import Readable
from guiapp.ui.widgets.time_slider import TimeSlider

_READABLE_S = 0.25
_SMOOTHING = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_INLINE = ("optimiser.name", "optimiser.lr", "schedule.name", "batch", "epochs")
_FOR_MEMORY = ("device",)  # all that a recipe decides for a network that keeps the training part
_NOTE = "Changes hold from the next run on; the rate also during a run."
_NOTE_MEMORY = "Changes hold from the next run on. It only remembers the samples: it has no rate."
_LABELS = {
    "optimiser.name": "optimiser", "optimiser.lr": "rate", "optimiser.momentum": "momentum",
    "optimiser.weight_decay": "weight decay", "optimiser.beta1": "beta 1", "optimiser.beta2": "beta 2",
    "schedule.name": "schedule", "schedule.every": "drop every", "schedule.factor": "drop to",
    "schedule.final": "final share", "keep": "keep weights", "checkpoint_seconds": "checkpoint every",
}  # fmt: skip


def _augmentations() -> tuple[str, ...]:
    import sys

    # The module draws with torch, which must not be loaded from the window's thread.
    module = sys.modules.get("guiapp.training.augmentation")
    return ("default", *(module.AUGMENTATIONS if module is not None else ("none",)))


class TrainingPanel(Panel):
    """Controls, recipe, curves and the time machine.

    Attributes:
        curves: The plots.
        slider: The time machine, ``training.time``.
        form: The recipe's most used fields, ``training.<field>``.
        full_form: All fields, in a box that opens under ``training.recipe``.
        network_form: The options of the network in the same box, ``recipe.model.<option>``; None where it has none.
    """

    id = "training"
    title = "Training"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._state = EngineState()
        self._opened: object = None
        self._pending: dict[str, Any] = {}
        self._words = Readable(_READABLE_S, self._show_words, self)
        self._words_of: tuple[object, ...] = ()
        self._buttons_for: tuple[object, ...] = ()
        self._previous_for: tuple[object, ...] = ()
        self.form: OptionForm | None = None
        self.full_form: OptionForm | None = None
        self.network_form: OptionForm | None = None
        self._network: str | None = None
        self._declare()
        self.curves = TrainingCurves(context.theme, self)
        self.slider = TimeSlider(context.theme, self)
        self.slider.setObjectName("training.time")
        self.slider.moved.connect(self._go_to)
        self.empty = EmptyState(
            "Choose an experiment in the catalogue to train its network.", self._empty_actions(), parent=self
        )
        self._build()
        self._follow_time(context.workspace.step)
        follow = {"step": self._follow_time, "compared": lambda _: self._ask_previous(context.bridge.state)}
        for name, call in follow.items():
            stop = context.workspace.subscribe(name, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        # Commands hold also while the panel is hidden, and at once: what is ready can be started.
        context.bridge.state_changed.connect(self._follow_phase)
        self.show_state(context.bridge.state)

    # ------------------------------------------------------------------ commands

    def _declare(self) -> None:
        engine, commands = self.context.bridge.engine, self.context.commands

        def add(
            verb: str, title: str, call: Any, tip: str, shortcut: str = "", symbol: str = "", **more: Any
        ) -> QAction:
            return declare(
                commands, Command(f"training.{verb}", title, call, tip, shortcut, symbol, menu="Run", **more)
            )

        self._start = add("start", "Start", self.start, "Train the network, or go on with a paused run", "F5", "play")
        self._pause = add("pause", "Pause", engine.pause, "Stand still after the current step", "F6", "pause")
        self._resume = add("resume", "Resume", self.start, "Go on with the paused run", "", "resume")
        self._step = add("step", "Step", self._one_step, "Train one step, then stand still", "F7", "step")
        self._epoch = add(
            "epoch", "Epoch", self._one_epoch, "Train to the end of the epoch, then stand still", "F8", "epoch"
        )
        self._stop = add("stop", "Stop", engine.stop, "End the run here and keep it", "Shift+F5", "stop")
        self._reset = add(
            "reset", "Reset", self.reset, "Back to the first weights; the next start is a new run", "", "reset"
        )
        self._log_loss = add(
            "log-loss", "Log loss", self._set_log_loss, "Logarithmic loss axis", "", "log", checkable=True
        )
        self._log_steps = add(
            "log-steps", "Log steps", self._set_log_steps, "Logarithmic step axis", "", "chart", checkable=True
        )
        self._zoom = add(
            "zoom-accuracy", "Zoom accuracy", self._set_zoom,
            "Let the accuracy axis show the range of the later half of the run", "", "zoom-in", checkable=True,
        )  # fmt: skip
        self._fit = add("fit", "Fit curves", self.fit_curves, "Let all curves follow the run again", "", "fit")
        add(
            "earlier",
            "Earlier snapshot",
            lambda: self.slider.go(-1),
            "Time machine: one snapshot back",
            "Ctrl+[",
            "left",
        )
        add("later", "Later snapshot", lambda: self.slider.go(1), "Time machine: one snapshot on", "Ctrl+]", "right")
        self._live = add(
            "live", "Follow live weights", self._go_live, "Look at the newest weights again", "Ctrl+L", "live"
        )

    def _empty_actions(self) -> tuple[tuple[QAction, str], ...]:
        commands = self.context.commands
        if "catalogue.find" in commands.records:
            return ((commands["catalogue.find"], "training.open"),)
        return ()

    def start(self) -> None:
        """Start a run with the recipe as it stands in the form, or go on with a paused one."""
        self._apply_pending()
        self.context.workspace.step = None
        self.context.bridge.engine.start()

    def _one_step(self) -> None:
        self._apply_pending()
        self.context.bridge.engine.step()

    def _one_epoch(self) -> None:
        self._apply_pending()
        self.context.bridge.engine.epoch()

    def reset(self) -> None:
        """Back to the first weights; changes of the recipe that waited for a new run hold from now on."""
        self.context.workspace.step = None
        if self._pending:
            self._apply_pending()
        else:
            self.context.bridge.engine.reset()

    def _apply_pending(self) -> None:
        if self._pending and self._state.phase not in ("running", "paused"):
            changes, self._pending = self._pending, {}
            self.context.bridge.engine.configure(changes)

    # ------------------------------------------------------------------ layout

    def _build(self) -> None:
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
        self.message = QLabel(self)
        self.message.setObjectName("training.message")
        self.message.setProperty("warning", True)
        self.message.setWordWrap(True)
        self.message.hide()
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.start_button)
        for action, name in (
            (self._step, "step"),
            (self._epoch, "epoch"),
            (self._stop, "stop"),
            (self._reset, "reset"),
        ):
            top.addWidget(text_button(self, action, f"training.{name}"))
        top.addSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.status)
        words.addWidget(self.progress)
        top.addLayout(words, 1)
        self._build_recipe_row()
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(self.recipe_row)
        column.addWidget(self.message)
        column.addWidget(self.curves, 1)
        column.addLayout(self._build_time())
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        self._box = QFrame(self, Qt.WindowType.Popup)
        self._box.setObjectName("recipe-panel")
        self._box.setFrameShape(QFrame.Shape.StyledPanel)
        self._box_column = QVBoxLayout(self._box)
        self._box_column.setContentsMargins(12, 12, 12, 12)

    def _build_recipe_row(self) -> None:
        self.recipe_row = QHBoxLayout()
        self.recipe_row.setSpacing(4)
        self.dataset = QComboBox(self)
        self.dataset.setObjectName("training.dataset")
        self.dataset.setAccessibleName("Data set")
        self.dataset.setToolTip("Data set on which the network is trained")
        self.dataset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.dataset.setMinimumContentsLength(6)
        self.dataset.textActivated.connect(self._choose_dataset)
        self.recipe_button = QPushButton("Recipe …", self)
        self.recipe_button.setObjectName("training.recipe")
        self.recipe_button.setToolTip("Every field of the recipe: optimiser, schedule, weight decay, seed, device, …")
        self.recipe_button.clicked.connect(self.show_recipe)
        self.dataset.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.memory = QuietLabel("training.memory", self, self.context.theme.faint)
        self.memory.set_text("one pass, nothing to learn but memory", ("one pass: it remembers",))
        self.memory.hide()
        self.recipe_row.addWidget(self.dataset)
        self.recipe_row.addWidget(self.memory, 1)
        self.recipe_row.addStretch(1)
        self.recipe_row.addWidget(self.recipe_button)

    def _build_time(self) -> QHBoxLayout:
        self.time_label = QuietLabel("training.time-step", self)
        self.time_label.set_room("step 000,000")
        self.smoothing = QSlider(Qt.Orientation.Horizontal, self)
        self.smoothing.setObjectName("training.smoothing")
        self.smoothing.setRange(0, len(_SMOOTHING) - 1)
        self.smoothing.setValue(_SMOOTHING.index(self.curves.smoothing))
        self.smoothing.setFixedWidth(64)
        self.smoothing.setAccessibleName("Smoothing of the training curves")
        self.smoothing.valueChanged.connect(self._set_smoothing)
        self.smoothing_label = QuietLabel("training.smoothing-steps", self, self.context.theme.faint)
        self.smoothing_label.set_room("no smoothing")
        self._set_smoothing(self.smoothing.value())
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.time_label)
        row.addWidget(self.slider, 1)
        row.addSpacing(8)
        row.addWidget(self.smoothing)
        row.addWidget(self.smoothing_label)
        for action in (self._log_loss, self._log_steps, self._zoom, self._fit):
            row.addWidget(icon_button(self, action, action.objectName()))
        return row

    def _start_or_pause(self) -> None:
        (self._pause if self._state.phase == "running" else self._start).trigger()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_recipe_row()

    def _fit_recipe_row(self) -> None:
        """Leave out what does not fit, least needed first; the recipe box has every field."""
        form = self.form
        if form is None or form.isHidden():
            return
        parts = {d: (form.caption(d), form.editor(d)) for d in _INLINE}
        drops: list[QWidget] = [parts["optimiser.name"][0], parts["schedule.name"][0]]
        drops += [*parts["epochs"], *parts["batch"], parts["schedule.name"][1]]
        shown = [widget for pair in parts.values() for widget in pair]
        room = self.width() - self.dataset.sizeHint().width() - self.recipe_button.sizeHint().width() - 60
        while drops and sum(w.sizeHint().width() + 6 for w in shown) > room:
            shown.remove(drops.pop(0))
        for widget in (w for pair in parts.values() for w in pair):
            if widget.isHidden() == (widget in shown):
                widget.setVisible(widget in shown)

    def minimumSizeHint(self) -> QSize:
        return QSize(420, 190)

    def hideEvent(self, event: QHideEvent) -> None:
        self._box.hide()
        super().hideEvent(event)

    # ------------------------------------------------------------------ following the engine

    def show_state(self, state: EngineState) -> None:
        """Bring buttons, texts and curves up to date; what did not change is not touched."""
        self._state = state
        opened = state.opened
        if opened is not self._opened:
            self._opened = opened
            self._pages.setCurrentIndex(1 if opened is not None else 0)
            self._pending.clear()
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

    def _show_words(self) -> None:
        """Figures of the newest state."""
        self._show_progress(self._state)
        self._show_time()
        self.slider.set_steps(self._state.snapshot_steps)

    def _show_buttons(self, state: EngineState) -> None:
        decides = (state.phase, state.refused, state.opened)
        if decides == self._buttons_for:
            return
        self._buttons_for = decides
        phase, refused = state.phase, bool(state.refused)
        still = phase in ("ready", "paused", "finished", "failed") and state.opened is not None
        self._start.setEnabled(still and not (refused and phase == "ready"))
        self._pause.setEnabled(phase == "running")
        self._resume.setEnabled(phase == "paused")
        self._step.setEnabled(phase in ("ready", "paused") and not (refused and phase == "ready"))
        self._epoch.setEnabled(self._step.isEnabled())
        self._stop.setEnabled(phase in ("running", "paused"))
        self._reset.setEnabled(still or phase == "running")
        action = self._pause if phase == "running" else self._start
        text = {"running": "Pause", "paused": "Resume"}.get(phase, "Start")
        if text != self.start_button.text():
            self.start_button.setText(text)
        self.start_button.setEnabled(action.isEnabled())
        self.start_button.setToolTip(action.toolTip())
        self._say(state.refused)
        self.dataset.setEnabled(phase not in ("running", "opening"))
        free = None if phase in ("ready", "finished", "failed") else ("optimiser.lr",)
        for form in (self.form, self.full_form):
            if form is not None:
                form.set_enabled(free)
        if self.network_form is not None:
            self.network_form.set_enabled(None if free is None else ())

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

    # ------------------------------------------------------------------ recipe

    def _show_recipe(self) -> None:
        opened = self._state.opened
        if opened is None:
            return
        if self.form is None:
            self.form = OptionForm(opened.recipe, "training", only=_INLINE, labels=_LABELS, inline=True, parent=self)
            self.form.edited.connect(self._edited)
            self.form.rejected.connect(self._say)
            for dotted in ("batch", "epochs"):
                self.form.editor(dotted).setFixedWidth(46)
            self.form.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            self.recipe_row.insertWidget(1, self.form)
        self.form.set_options(opened.recipe)
        memory = _remembers(opened)
        self.form.setHidden(memory)
        self.memory.setVisible(memory)
        self.curves.show_rate(not memory)
        self._fit_recipe_row()
        if self.full_form is not None:
            self.full_form.set_options(opened.recipe)
            self.full_form.show_only(_FOR_MEMORY if memory else None)
            self._box_note.setText(_NOTE_MEMORY if memory else _NOTE)
            self._show_network()
        self._buttons_for = ()  # the fields may be new
        self._list_datasets(opened.dataset.name)

    def _show_network(self) -> None:
        """The options of the open network in the box; made anew when it is another network."""
        opened = self._state.opened
        assert opened is not None
        options = options_of(opened.model, opened.model_options)
        if self.network_form is not None and self._network == opened.model.name:
            self.network_form.set_options(options)
            return
        if self.network_form is not None:
            self.network_form.deleteLater()
        self.network_form, self._network = None, opened.model.name
        self._network_heading.setVisible(options is not None)
        if options is not None:
            self.network_form = network_form(opened.model, options, "recipe.model", self._box)
            self.network_form.edited.connect(lambda name, value: self._edited(f"model.{name}", value))
            self.network_form.rejected.connect(self._box_error.setText)
            self._box_column.insertWidget(1, self.network_form)
        self._box.adjustSize()

    def _list_datasets(self, current: str) -> None:
        from guiapp.datasets import DATASETS

        names = [name for name, entry in DATASETS.items() if name == current or entry.available()]
        if current not in names:
            names.append(current)
        if [self.dataset.itemText(i) for i in range(self.dataset.count())] != names:
            self.dataset.clear()
            self.dataset.addItems(names)
        self.dataset.setCurrentText(current)

    def _choose_dataset(self, name: str) -> None:
        opened = self._state.opened
        if opened is not None and name != opened.dataset.name:
            self.context.bridge.engine.configure({"dataset": name})

    def show_recipe(self) -> None:
        """Open the box with every field of the recipe."""
        opened = self._state.opened
        if opened is None:
            return
        if self.full_form is None:
            self.full_form = OptionForm(
                opened.recipe, "recipe", labels=_LABELS, choices={"augmentation": _augmentations}, parent=self._box
            )
            self.full_form.edited.connect(self._edited)
            self._box_error = QLabel(self._box)
            self._box_error.setObjectName("recipe.message")
            self._box_error.setProperty("error", True)
            self._box_error.setWordWrap(True)
            self.full_form.rejected.connect(self._box_error.setText)
            self._network_heading, training = QLabel("Network", self._box), QLabel("Training", self._box)
            self._box_note = QLabel(self._box)
            self._box_note.setObjectName("recipe.note")
            self._box_note.setProperty("faint", True)
            for heading in (self._network_heading, training):
                heading.setProperty("heading", True)
            for widget in (self._network_heading, training, self.full_form, self._box_note, self._box_error):
                self._box_column.addWidget(widget)
            self._show_recipe()
            self._show_buttons(self._state)
        self._box.adjustSize()
        corner = self.recipe_button.mapToGlobal(QPoint(self.recipe_button.width(), self.recipe_button.height() + 4))
        room = self.screen().availableGeometry()
        left = max(room.left(), min(corner.x(), room.right()) - self._box.width())
        self._box.move(left, max(room.top(), min(corner.y(), room.bottom() - self._box.height())))
        self._box.show()

    def _edited(self, dotted: str, value: Any) -> None:
        """A field was changed: now where nothing is lost, at the next start where a trained network would be."""
        engine = self.context.bridge.engine
        for form in (self.form, self.full_form):
            if form is not None and form is not self.sender() and not dotted.startswith("model."):
                from guiapp.training.recipe import change

                form.set_options(change(form.options, {dotted: value}))
        if dotted == "optimiser.lr" and self._state.phase in ("running", "paused"):
            engine.set_learning_rate(float(value))
        elif self._state.phase == "ready":
            engine.configure({dotted: value})
        else:
            self._pending[dotted] = value
            self.status.set_text(f"{_LABELS.get(dotted, dotted)} {value}: holds from the next start or reset on")

    # ------------------------------------------------------------------ time machine and plots

    def _go_to(self, step: int | None) -> None:
        self.context.workspace.step = step

    def _go_live(self) -> None:
        self.context.workspace.step = None

    def _follow_time(self, step: int | None) -> None:
        self.slider.set_step(step)
        self.curves.set_markers(step)
        self._show_time()

    def _show_time(self) -> None:
        step = self.slider.step
        self.time_label.set_text(f"step {self._state.step if step is None else step:,}")
        if self._live.isEnabled() != (step is not None):
            self._live.setEnabled(step is not None)

    def _set_smoothing(self, place: int) -> None:
        steps = _SMOOTHING[place]
        self.curves.smoothing = steps
        self.smoothing_label.set_text(f"mean of {steps}" if steps > 1 else "no smoothing")
        self.smoothing.setToolTip(
            f"Training curves show the mean of the last {steps} steps; validation is never smoothed"
        )
        self.curves.refresh()

    def _set_log_loss(self, on: bool) -> None:
        self.curves.plots["loss"].set_log(y=on)

    def _set_log_steps(self, on: bool) -> None:
        for plot in self.curves.plots.values():
            plot.set_log(x=on)

    def _set_zoom(self, on: bool) -> None:
        self.curves.zoom_recent(on)

    def fit_curves(self) -> None:
        """Let every plot follow the run again."""
        for plot in self.curves.plots.values():
            plot.autoscale()

    def _ask_previous(self, state: EngineState) -> None:
        """Read the runs chosen for comparison, else earlier ones of this experiment, when one was opened or ended."""
        opened = state.opened
        if opened is None or state.phase not in ("ready", "running", "paused", "finished"):
            return
        asked = (opened.experiment.id, opened.dataset.name, state.run, self.context.workspace.compared)
        if asked == self._previous_for:
            return
        self._previous_for = asked

        def work() -> Any:
            yield (0.0, "reading earlier runs")
            return read_previous(*asked)

        job = self.context.bridge.engine.submit(work, on_error=lambda _error: None, title="earlier runs")
        self.context.bridge.call(job, lambda runs: asked == self._previous_for and self.curves.set_previous(runs))


def _remembers(opened: Opened) -> bool:
    return opened.model.trained_by == "memory"


def before_first_step(state: EngineState) -> str:
    """What a running run does before it makes steps, with the share done; empty from then on."""
    if state.phase != "running":
        return ""
    share = "" if state.share is None else f" {100 * state.share:.0f} %"
    if state.activity == "evaluating":
        return "" if state.step else f"measuring the initial loss{share}"
    begins = not state.step and state.initial_loss is None
    return f"preparing the samples{share}" if begins or state.activity == "preparing" else ""


def status_text(state: EngineState) -> str:
    """Where the run stands, in one line."""
    return status_texts(state)[0]


def status_texts(state: EngineState) -> tuple[str, tuple[str, ...]]:
    """Where the run stands, and the same in fewer words, longest first."""
    opened = state.opened
    if state.phase == "opening":
        return state.activity or "opening", ()
    if opened is None:
        return "", ()
    if state.phase == "ready":
        return _ready_texts(state, opened)
    if _remembers(opened):
        return _memory_text(state, opened), ()
    cut = state.phase == "finished" and state.step < state.total_steps
    head = {"finished": "finished", "paused": "paused", "failed": "failed: see the message"}.get(state.phase, "")
    first = before_first_step(state)
    whole = [first or (f"stopped at step {state.step:,}" if cut else head)]
    short = list(whole)
    if state.epochs:
        current = min(state.epoch if state.phase == "finished" else state.epoch + 1, state.epochs)
        whole.append(f"epoch {current} of {state.epochs}")
        short.append(f"epoch {current}/{state.epochs}")
    if state.total_steps and not cut:
        whole.append(f"step {state.step:,} of {state.total_steps:,}")
        short.append(f"step {state.step:,}/{state.total_steps:,}")
    tail = []
    if state.phase == "running" and not first:
        if state.activity == "evaluating":
            tail.append("validating")
        if state.seconds_left is not None:
            tail.append(f"{duration(state.seconds_left)} left")
    # In little room the step goes before the epoch, which follows from it, and what a run does before its start alone.
    least = [short[0], *short[2:], *tail] if not first else [first]
    said = [" · ".join(part for part in parts if part) for parts in ([*whole, *tail], [*short, *tail], least)]
    return said[0], tuple(said[1:])


def _ready_texts(state: EngineState, opened: Opened) -> tuple[str, tuple[str, ...]]:
    estimate = state.estimate or "ready"
    if opened.pretrained:  # what is looked at is not what Start goes on with
        return f"trained weights · Start trains from fresh weights · {estimate}", (
            "trained weights · Start trains from fresh weights", "Start trains from fresh weights",
        )  # fmt: skip
    return estimate, ()


def _memory_text(state: EngineState, opened: Opened) -> str:
    """A network that keeps the training part has one step and no epochs."""
    if state.phase == "running":
        return before_first_step(state) or "reading the validation part"
    if state.phase == "failed":
        return "failed: see the message"
    count = f"remembers {len(opened.dataset.train):,} samples" if state.step else "remembers nothing yet"
    return f"{state.phase} · {count}"


def duration(seconds: float) -> str:
    """A time as a person says it: ``"48 s"``, ``"1 min 12 s"``, ``"2 h 05 min"``."""
    if not math.isfinite(seconds):
        return "–"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
