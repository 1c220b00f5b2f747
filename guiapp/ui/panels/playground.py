"""The playground: update rules raced on loss surfaces, seen from above."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QLabel, QSlider, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.job import Job
from guiapp.engine.playground import RaceOptions, make_race
from guiapp.engine.state import EngineState
from guiapp.toys.race import Race
from guiapp.toys.surfaces import RULES, SURFACES, Surface
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.attribution_settings import scrolled
from guiapp.ui.widgets.buttons import declare, icon_button, text_button
from guiapp.ui.widgets.curve_data import Marker
from guiapp.ui.widgets.curve_head import Head
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.marked_form import MarkedForm
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.race_table import NAMES, RaceTable
from guiapp.ui.widgets.surface_view import SurfaceView

_TICK_MS = 40
_SPEEDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # steps a second
_SIDE = 300
_LEAST = 1e-9


def _figure(loss: float) -> str:
    """A loss in few characters, however small."""
    return f"{loss:.3g}" if loss >= 0.01 or loss == 0 else f"{loss:.1e}"


class PlaygroundPanel(Panel):
    """A race is worked out on the work lane; here it is played, stepped through and seen.

    Attributes:
        surface: The surface, ``playground.surface``.
        view: The map, ``playground.map``.
        table: Rules with rate and figures, ``playground.rule.<rule>`` and ``playground.rate.<rule>``.
        form: What they share, ``playground.<field>``.
        curves: Loss over steps.
        slider: The step that is seen, ``playground.slider``.
        race: The race.
        step: The step that is seen.
    """

    id = "playground"
    title = "Playground"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.race: Race | None = None
        self.step = 0
        self._start: tuple[float, float] | None = None
        self._job: Job[Any] | None = None
        self._due = 0.0
        self._experiment = ""
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        add = context.commands
        self.run = declare(add, Command("playground.run", "Run", self.toggle, "Run or pause the race", "", "play"))
        self.one = declare(add, Command("playground.step", "Step", self.one_step, "One step of every rule", "", "step"))
        self.again = declare(
            add, Command("playground.restart", "Restart", self.restart, "Everybody back to the start", "", "reset")
        )
        self._build()
        context.theme.changed.connect(self._colour)
        self.visibility_changed.connect(lambda shown: self._fit() if shown else None)
        self._colour()
        self.choose("ravine")

    # ------------------------------------------------------------------ layout

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(self._build_head())
        column.addLayout(self._build_map(), 1)

    def _build_head(self) -> QHBoxLayout:
        """Surface, run, speed, step."""
        self.surface = QComboBox(self)
        self.surface.setObjectName("playground.surface")
        self.surface.setAccessibleName("Loss surface")
        for surface in SURFACES.values():
            self.surface.addItem(surface.title, surface.id)
            self.surface.setItemData(self.surface.count() - 1, surface.about, Qt.ItemDataRole.ToolTipRole)
        self.surface.activated.connect(lambda _index: self.choose(str(self.surface.currentData())))
        self.run_button = text_button(self, self.run, "playground.run-button", primary=True)
        self.run_button.setMinimumWidth(self.fontMetrics().horizontalAdvance("Pause") + 34)
        self.speed = QSlider(Qt.Orientation.Horizontal, self)
        self.speed.setObjectName("playground.speed")
        self.speed.setAccessibleName("Speed")
        self.speed.setRange(0, len(_SPEEDS) - 1)
        self.speed.setValue(4)
        self.speed.setFixedWidth(72)
        self.speed.valueChanged.connect(self._say_speed)
        self._say_speed()
        self.settings = declare(
            self.context.commands,
            Command("playground.settings", "Settings", self._show_settings,
                    "Noise, schedule, momentum and length of the race", "", "settings", checkable=True),
        )  # fmt: skip
        top = QHBoxLayout()
        top.setSpacing(4)
        for widget in (
            self.surface, self.run_button, icon_button(self, self.one, "playground.step-button"),
            icon_button(self, self.again, "playground.restart-button"), self.speed,
        ):  # fmt: skip
            top.addWidget(widget)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("playground.slider")
        self.slider.setAccessibleName("Step")
        self.slider.setToolTip("The step that is seen")
        self.slider.valueChanged.connect(self._slid)
        self.words = QuietLabel("playground.words", self)
        self.words.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.words.set_room("step 20,000 of 20,000")
        top.addWidget(self.slider, 1)
        top.addWidget(self.words)
        top.addWidget(icon_button(self, self.settings, "playground.settings-button"))
        return top

    def _build_map(self) -> QBoxLayout:
        """The map, and beside or below it the rules with their curves."""
        theme = self.context.theme
        self.view = SurfaceView(theme, "playground.map", self)
        self.view.picked.connect(self.begin_at)
        self.view.pointed.connect(self._describe)
        self.place = QuietLabel("playground.place", self, theme.faint)
        self.message = QLabel(self)
        self.message.setObjectName("playground.message")
        self.message.setProperty("error", True)
        self.message.setWordWrap(True)
        self.message.hide()
        self.table = RaceTable(RULES, "playground", self)
        self.table.changed.connect(self.restart)
        self.table.rejected.connect(self._say)
        self.form = MarkedForm(RaceOptions(), RaceOptions(), "playground", parent=self)
        self.form.edited.connect(self._edited)
        self.form.rejected.connect(self._say)
        self.curves = CurvePlot(theme, "Loss above the lowest point", parent=self)
        self.curves.setObjectName("playground.curves")
        self.curves.head = Head("Loss above the lowest point", "", {})  # the table has the colours of the rules
        self.curves.clicked.connect(lambda x: self.show_step(round(x)))
        self.curves.set_log(y=True)
        for rule in RULES:
            self.curves.add_series(rule, NAMES[rule], QColor())
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.table)
        self.pages.addWidget(scrolled(self.form, self))
        return self._lay()

    def _lay(self) -> QBoxLayout:
        left = QVBoxLayout()
        left.setSpacing(2)
        left.addWidget(self.view, 1)
        left.addWidget(self.place)
        side = QWidget(self)
        right = QVBoxLayout(side)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(4)
        right.addWidget(self.pages)
        right.addWidget(self.message)
        right.addWidget(self.curves, 1)
        self.pages.setMaximumHeight(self.table.sizeHint().height())
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(8)
        self._row.addLayout(left, 3)
        self._row.addWidget(side, 2)
        side.setMinimumWidth(_SIDE)
        return self._row

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.isVisible():  # before that the size is not that of its place, and a tall panel makes the window grow
            self._fit()

    def _fit(self) -> None:
        """Rules beside the map, or below it where there is no width for both."""
        wide = self.width() >= 2 * _SIDE - 60
        wanted = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._row.direction() != wanted:
            self._row.setDirection(wanted)

    def _colour(self) -> None:
        theme = self.context.theme
        self._colours = {rule: theme.class_colour(number) for number, rule in enumerate(RULES)}
        self._colours["gd"] = theme.text
        self.table.set_colours(self._colours)
        self.place.ink = theme.faint
        for rule, colour in self._colours.items():
            self.curves.series[rule].colour = colour
        self.curves.refresh()
        self._show()

    # ------------------------------------------------------------------ the race

    @property
    def chosen(self) -> Surface:
        """The surface."""
        return SURFACES[str(self.surface.currentData())]

    def choose(self, name: str) -> None:
        """Race on another surface, from its start and with the rates that suit it."""
        self.surface.setCurrentIndex(self.surface.findData(name))
        self._start = None
        self.view.set_surface(self.chosen)
        self.table.set_rates(self.chosen.rates)
        self._describe(None)
        self.restart()

    def begin_at(self, x: float, y: float) -> None:
        """Race again from another place; who was running runs on."""
        self._start = (x, y)
        running = self._timer.isActive()
        self.restart()
        if running:
            self._timer.start()
            self._say_running()

    def restart(self) -> None:
        """A new race, everybody at the start; it is worked out when somebody looks."""
        self._timer.stop()
        if self._job is not None:
            self._job.stop()
            self._job = None
        self.race = make_race(self.chosen, self.table.rates, self.form.options, self._start)
        self.step, self._due = 0, 0.0
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, self.race.steps)
        self._say_running()
        self.curves.autoscale()
        self._show()

    def _work(self) -> None:
        """Have the race worked out, if that was not begun."""
        race, options = self.race, self.form.options
        if self._job is not None or race is None:
            return
        noise = options.noise * self.chosen.noise
        self._job = self.context.bridge.engine.submit(
            lambda: race.run(noise, options.seed), on_error=lambda error: None, title="Race of update rules"
        )
        self.context.bridge.call(self._job, lambda _none: self._show())

    def toggle(self) -> None:
        """Run or pause; at the end, run again from the start."""
        if self._timer.isActive():
            self._timer.stop()
        else:
            if self.race is not None and self.step >= self.race.steps:
                self.step, self._due = 0, 0.0
            self._work()
            self._timer.start()
        self._say_running()

    def one_step(self) -> None:
        """One step of every rule, then stand still."""
        self._timer.stop()
        self._say_running()
        self.show_step(self.step + 1)

    def show_step(self, step: int) -> None:
        """See the race after a step."""
        self._work()
        race = self.race
        if race is not None:
            self.step = max(0, min(step, race.steps))
            self._due = float(self.step)
            self._show()

    def _slid(self, step: int) -> None:
        self._timer.stop()
        self._say_running()
        self.show_step(step)

    def _tick(self) -> None:
        race = self.race
        if race is None or not self.isVisible():
            self._timer.stop()
            return
        self._due = min(self._due + _SPEEDS[self.speed.value()] * _TICK_MS / 1000, float(race.done))
        if int(self._due) != self.step:
            self.step = int(self._due)
            self._show()
        if self.step >= race.steps:
            self._timer.stop()
            self._say_running()

    def _edited(self, _name: str, _value: Any) -> None:
        self.form.mark(self.form.options, RaceOptions())
        self.restart()

    # ------------------------------------------------------------------ showing

    def _show(self) -> None:
        race = self.race
        if race is None:
            return
        step = min(self.step, race.done)
        self.view.set_race(race, step, [self._colours[rule] for rule in race.names])
        with QSignalBlocker(self.slider):
            self.slider.setValue(self.step)
        self.words.set_text(f"step {self.step:,} of {race.steps:,}")
        known = dict(zip(race.names, range(len(race.names)), strict=True))
        reached = race.steps_to(1e-3)
        every = np.unique(np.linspace(0, step, min(step + 1, 400)).astype(int))
        for rule in RULES:
            number = known.get(rule)
            if number is None:
                self.table.show_figures(rule, "", "")
                self.curves.set_data(rule, np.empty(0), np.empty(0))
                continue
            losses = race.losses[number]
            lost = race.lost[number]
            gone = lost is not None and lost <= step
            there = reached[number] if reached[number] is not None and reached[number] <= step else None
            loss = "flew out" if gone else _figure(losses[step])
            self.table.show_figures(rule, loss, "–" if there is None else f"{there:,}")
            drawn = every[np.isfinite(losses[every])]
            self.curves.set_data(rule, drawn.astype(np.float64), np.maximum(losses[drawn], _LEAST))
        self.curves.set_markers((Marker(step, strong=True),) if step else ())

    def _describe(self, place: object) -> None:
        surface = self.chosen
        if isinstance(place, tuple):
            x, y = place
            self.place.set_text(f"x {x:.3f}   y {y:.3f}   loss {float(surface.values(x, y)):.4g}")
        else:
            self.place.set_text(surface.formula)
            self.place.tip = surface.about

    def _say(self, text: str) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _say_speed(self) -> None:
        self.speed.setToolTip(f"Speed: {_SPEEDS[self.speed.value()]} steps a second")

    def _say_running(self) -> None:
        self.run_button.setText("Pause" if self._timer.isActive() else "Run")

    def _show_settings(self, on: bool) -> None:
        self.pages.setCurrentIndex(int(on))

    # ------------------------------------------------------------------ following

    def show_state(self, state: EngineState) -> None:
        """An exhibit may name the surface that it begins with."""
        opened = state.opened
        if opened is None or opened.experiment.id == self._experiment:
            return
        self._experiment = opened.experiment.id
        name = opened.experiment.begin.get("playground.surface")
        if name in SURFACES:
            self.choose(str(name))

    def told(self) -> dict[str, Any]:
        """The surface and what was raced with, for a report."""
        return {"surface": self.chosen.title, **{f"rate of {NAMES[r]}": v for r, v in self.table.rates.items()}}

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        self._say_running()
        super().hideEvent(event)

    def shut(self) -> None:
        """Stop racing."""
        self._timer.stop()
        if self._job is not None:
            self._job.stop()
