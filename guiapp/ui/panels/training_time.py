"""The row under the curves: the time machine's slider, smoothing, log axes and zoom."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from guiapp.ui.context import Context
from guiapp.ui.panels.training_commands import add
from guiapp.ui.panels.training_curves import TrainingCurves
from guiapp.ui.widgets.buttons import icon_button
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.time_slider import TimeSlider

_SMOOTHING = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class TimeRow(QWidget):
    """Chooses the step that is looked at and how the curves are drawn.

    Attributes:
        slider: The time machine, ``training.time``.
        label: The step looked at, ``training.time-step``.
        smoothing: Over how many steps training curves are averaged, ``training.smoothing``.
    """

    def __init__(
        self, context: Context, curves: TrainingCurves, slider: TimeSlider, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._curves, self.slider = context.workspace, curves, slider
        slider.setObjectName("training.time")
        slider.moved.connect(self._go_to)
        self.label = QuietLabel("training.time-step", self)
        self.label.set_room("step 000,000")
        self.smoothing = QSlider(Qt.Orientation.Horizontal, self)
        self.smoothing.setObjectName("training.smoothing")
        self.smoothing.setRange(0, len(_SMOOTHING) - 1)
        self.smoothing.setValue(_SMOOTHING.index(curves.smoothing))
        self.smoothing.setFixedWidth(64)
        self.smoothing.setAccessibleName("Smoothing of the training curves")
        self.smoothing.valueChanged.connect(self._set_smoothing)
        self._smoothing_label = QuietLabel("training.smoothing-steps", self, context.theme.faint)
        self._smoothing_label.set_room("no smoothing")
        self._set_smoothing(self.smoothing.value())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.label)
        row.addWidget(self.slider, 1)
        row.addSpacing(8)
        row.addWidget(self.smoothing)
        row.addWidget(self._smoothing_label)
        self._declare(context, row)

    def _declare(self, context: Context, row: QHBoxLayout) -> None:
        commands = context.commands
        for action in (
            add(
                commands, "log-loss", "Log loss", self._set_log_loss, "Logarithmic loss axis", "", "log",
                checkable=True,
            ),
            add(
                commands, "log-steps", "Log steps", self._set_log_steps, "Logarithmic step axis", "", "chart",
                checkable=True,
            ),
            add(
                commands, "zoom-accuracy", "Zoom accuracy", self._curves.zoom_recent,
                "Let the accuracy axis show the range of the later half of the run", "", "zoom-in", checkable=True,
            ),
            add(commands, "fit", "Fit curves", self.fit_curves, "Let all curves follow the run again", "", "fit"),
        ):  # fmt: skip
            row.addWidget(icon_button(self, action, action.objectName()))
        back, on = (lambda: self.slider.go(-1)), (lambda: self.slider.go(1))
        add(commands, "earlier", "Earlier snapshot", back, "Time machine: one snapshot back", "Ctrl+[", "left")
        add(commands, "later", "Later snapshot", on, "Time machine: one snapshot on", "Ctrl+]", "right")
        self._live = add(
            commands, "live", "Follow live weights", self._go_live, "Look at the newest weights again", "Ctrl+L",
            "live",
        )  # fmt: skip

    def follow(self, newest: int, snapshots: Sequence[int]) -> None:
        """A run has come to the step ``newest`` and can go back to ``snapshots``."""
        self._say(newest)
        self.slider.set_steps(snapshots)

    def set_step(self, step: int | None, newest: int) -> None:
        """Show the step looked at; None follows ``newest``."""
        self.slider.set_step(step)
        self._curves.set_markers(step)
        self._say(newest)

    def _say(self, newest: int) -> None:
        step = self.slider.step
        self.label.set_text(f"step {newest if step is None else step:,}")
        if self._live.isEnabled() != (step is not None):
            self._live.setEnabled(step is not None)

    def _go_to(self, step: int | None) -> None:
        self._workspace.step = step

    def _go_live(self) -> None:
        self._workspace.step = None

    def _set_smoothing(self, place: int) -> None:
        steps = _SMOOTHING[place]
        self._curves.smoothing = steps
        self._smoothing_label.set_text(f"mean of {steps}" if steps > 1 else "no smoothing")
        self.smoothing.setToolTip(
            f"Training curves show the mean of the last {steps} steps; validation is never smoothed"
        )
        self._curves.refresh()

    def _set_log_loss(self, on: bool) -> None:
        self._curves.plots["loss"].set_log(y=on)

    def _set_log_steps(self, on: bool) -> None:
        for plot in self._curves.plots.values():
            plot.set_log(x=on)

    def fit_curves(self) -> None:
        """Let every plot follow the run again."""
        for plot in self._curves.plots.values():
            plot.autoscale()
