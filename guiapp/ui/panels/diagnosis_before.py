"""The checks before a run, made in a process of their own, with the rate that the range test suggests."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTextBrowser, QWidget

from guiapp.ui.panels.diagnosis_pages import column_of
from guiapp.ui.panels.diagnosis_words import checks_html
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.curve_data import Marker
from guiapp.ui.widgets.curve_plot import CurvePlot

if TYPE_CHECKING:
    from guiapp.training.diagnosis.before import Checks
    from guiapp.ui.panel import Panel
    from guiapp.ui.theme import Theme


def _work(study: Any, tell: Callable[[Any], None]) -> Generator[Any, None, Checks]:
    from guiapp.training.diagnosis.apart import checks_apart

    opened, known = study.inspected, None
    going = checks_apart(opened.experiment, opened.settings)
    try:
        while True:
            try:
                share, words, found = next(going)
            except StopIteration as stop:
                return stop.value
            if found is not known:
                known = found
                tell(found)
            yield share, words
    finally:
        going.close()


class BeforePage(QWidget):
    """Checks of the open experiment.

    Attributes:
        wanted: Emitted with a learning rate that a person takes over.
        check: Begins, ``diagnosis.check``.
        use: Takes the suggested rate over, ``diagnosis.use-rate``.
        range: Loss over rates, ``diagnosis.range``.
        handful: Loss of the handful over steps, ``diagnosis.handful``.
        run: The study.
        found: What is known, or None.
    """

    wanted = Signal(float)

    def __init__(self, panel: Panel, theme: Theme) -> None:
        super().__init__(panel)
        self._theme = theme
        self.found: Checks | None = None
        self.check = QPushButton("Check before a run", self)
        self.check.setObjectName("diagnosis.check")
        self.check.setToolTip(
            "Labels, first loss, a handful learned by heart, range of rates: on networks of their own"
        )
        self.check.clicked.connect(self.begin)
        self.use = QPushButton("Use the rate", self)
        self.use.setObjectName("diagnosis.use-rate")
        self.use.setToolTip("Put the suggested learning rate into the recipe")
        self.use.setEnabled(False)
        self.use.clicked.connect(self._use)
        self.text = QTextBrowser(self)
        self.text.setObjectName("diagnosis.checks")
        self.text.setAccessibleName("Checks before a run")
        self.range = CurvePlot(theme, "loss", "rate", unit="nats", parent=self)
        self.range.setObjectName("diagnosis.range")
        self.range.whole = False
        self.range.axes.x_low = 1e-6  # where the range test begins
        self.range.add_series("loss", "each step", theme.other)
        self.range.add_series("smoothed", "smoothed", theme.training)
        self.range.set_log(x=True)
        self.range.set_limits(0.0, None)
        self.handful = CurvePlot(theme, "handful", unit="nats", parent=self)
        self.handful.setObjectName("diagnosis.handful")
        self.handful.add_series("loss", "loss", theme.training)
        self.handful.set_limits(0.0, None)
        self.run = StudyRun(panel)
        self.run.partly.connect(self.show_checks)
        self.run.done.connect(self.show_checks)
        self.bar = StudyBar(self.run, "diagnosis", theme, self)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.check)
        row.addWidget(self.use)
        row.addStretch(1)
        column = column_of(self)
        column.addLayout(row)
        column.addWidget(self.bar)
        column.addWidget(self.text, 3)
        column.addWidget(self.range, 3)
        column.addWidget(self.handful, 2)
        theme.changed.connect(lambda: self.show_checks(self.found))
        self.show_checks(None)

    def begin(self) -> None:
        """Check the experiment as it is set now."""
        self.show_checks(None)
        self.run.start(_work, "checks before a run", "experiment")

    def forget(self) -> None:
        """Another experiment or recipe: what was found does not hold any more."""
        self.run.stop()
        self.bar.say("")
        self.show_checks(None)

    def show_checks(self, found: Checks | None) -> None:
        """Show what is known."""
        self.found = found
        self.text.setHtml(checks_html(found, self._theme))
        tested = found.range_test if found is not None else None
        few = found.handful if found is not None else None
        for plot in (self.range, self.handful):
            plot.clear()
        if tested is not None:
            rates = np.array(tested.rates)
            top = 2 * max(tested.smoothed[0], 1e-9) if tested.smoothed else None
            self.range.set_limits(0.0, None)
            self.range.set_data("loss", rates, np.minimum(tested.losses, top))
            self.range.set_data("smoothed", rates, np.minimum(tested.smoothed, top))
            marks = [(tested.suggested, "falls fastest", True), (tested.highest, "lowest: no more from here on", False)]
            self.range.set_markers([Marker(at, f"{words}, {at:.2g}", strong) for at, words, strong in marks if at])
        if few is not None:
            self.handful.set_data("loss", np.arange(1.0, len(few.losses) + 1), np.array(few.losses))
        suggested = tested.suggested if tested is not None else None
        self.use.setEnabled(suggested is not None)
        self.use.setText("Use the rate" if suggested is None else f"Use {suggested:.2g}")

    def _use(self) -> None:
        if self.found is not None and self.found.range_test is not None and self.found.range_test.suggested:
            self.wanted.emit(self.found.range_test.suggested)
