"""The schedule drawn before the run and followed during it: rate and momentum of every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState
from guiapp.training.schedules import Curve, curve, drop_epochs, steps_of_epoch
from guiapp.ui.panels.recipe_words import FORMULAS
from guiapp.ui.widgets.curve_data import EMPTY, Marker
from guiapp.ui.widgets.curve_plot import CurvePlot

if TYPE_CHECKING:
    from guiapp.training.recipe import Recipe
    from guiapp.ui.theme import Theme

_MOST = 600
_RATE_HIGH, _MOMENTUM_HIGH = 132, 104


class ScheduleView(QWidget):
    """What the schedule will do, and what it has done so far.

    Attributes:
        rate, momentum: The plots, ``recipe.rate-plot`` and ``recipe.momentum-plot``.
        formula: The shape as a formula, ``recipe.formula``.
        planned: What is drawn; None for a schedule that cannot be drawn yet.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rate = CurvePlot(theme, "Learning rate", parent=self)
        self.momentum = CurvePlot(theme, "Momentum", parent=self)
        for plot, name, high in ((self.rate, "rate", _RATE_HIGH), (self.momentum, "momentum", _MOMENTUM_HIGH)):
            plot.setObjectName(f"recipe.{name}-plot")
            plot.add_series("planned", "planned", theme.other)
            plot.add_series("done", "done", theme.training)
            plot.setFixedHeight(high)
        self.rate.crosshair_moved.connect(self.momentum.set_crosshair)
        self.momentum.crosshair_moved.connect(self.rate.set_crosshair)
        self.formula = QLabel(self)
        self.formula.setObjectName("recipe.formula")
        self.formula.setProperty("faint", True)
        self.formula.setWordWrap(True)
        self.planned: Curve | None = None
        self._shown: tuple[object, ...] = ()
        self._done: tuple[object, ...] = ()
        theme.changed.connect(lambda: self._colour(theme))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.formula, self.rate, self.momentum):
            column.addWidget(widget)

    def _colour(self, theme: Theme) -> None:
        for plot in (self.rate, self.momentum):
            plot.series["planned"].colour = theme.other
            plot.refresh()

    def show_plan(self, recipe: Recipe, samples: int, state: EngineState) -> None:
        """Draw the schedule of a recipe on so many samples; changes of the rate by hand during the run count."""
        per_epoch = steps_of_epoch(recipe, max(samples, 1))
        changes = tuple((int(e["step"]), float(e["value"])) for e in state.events if e.get("what") == "lr")
        asked = (recipe.optimiser, recipe.schedule, recipe.epochs, per_epoch, changes)
        if asked == self._shown:
            return
        self._shown, self._done = asked, ()
        self.formula.setText(FORMULAS.get(recipe.schedule.name, ""))
        try:
            drop_epochs(recipe.schedule)
            self.planned = curve(recipe, per_epoch, changes, _MOST)
        except ValueError:  # the drops are being typed
            self.planned = None
        found = self.planned
        for plot, values in ((self.rate, found and found.rates), (self.momentum, found and found.momenta)):
            there = found is not None and values is not None
            plot.set_data("planned", found.steps + 1.0 if there else EMPTY, values if there else EMPTY)
            plot.set_data("done", EMPTY, EMPTY)
            plot.autoscale()
        # A momentum that stays what it is needs no plot: its field says it.
        momenta = found.momenta if found is not None else None
        self.momentum.setVisible(momenta is not None and bool(np.ptp(momenta)))

    def follow(self, state: EngineState) -> None:
        """Show how far the run is on the schedule."""
        done = state.step if state.phase in ("running", "paused", "finished", "failed") else 0
        now = (done, id(state.columns))
        if now == self._done or self.planned is None:
            return
        self._done = now
        columns = state.columns
        marks = (Marker(done, f"step {done:,}", strong=True),) if done else ()
        if not done or columns is None or "lr" not in columns.names or not len(columns):
            self.rate.set_data("done", EMPTY, EMPTY)
        else:
            rates = columns.view("lr")
            every = max(-(-len(rates) // _MOST), 1)
            steps = np.unique(np.append(np.arange(0, len(rates), every), len(rates) - 1))
            self.rate.set_data("done", steps + 1.0, rates[steps].astype(np.float64))
        if self.planned.momenta is not None:
            past = self.planned.steps < done
            self.momentum.set_data("done", self.planned.steps[past] + 1.0, self.planned.momenta[past])
        for plot in (self.rate, self.momentum):
            plot.set_markers(marks)
