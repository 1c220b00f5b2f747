"""Event files: every scalar that TensorBoard, or a run, has written below a folder, one plot a tag, as it grows."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QColor, QPen
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.widgets.buttons import declare, text_button
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.line_legend import LineLegend
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.training.event_files import Curve, EventFolder

_MOST_PLOTS, _MOST_RUNS = 24, 8
_POINTS = 1500
_REFRESH_MS = 2000
_PLOT_WIDTH, _PLOT_HEIGHT = 260, 170
_HUES = (210, 25, 140, 280, 0, 180, 55, 320)


class EventsPanel(Panel):
    """Curves of a folder of TensorBoard events; it is read on the work lane, and again while it is visible.

    Attributes:
        folder: What is shown, or None.
        plots: One for each tag that is shown.
        words: Which are shown: those whose run and tag hold every word, ``events.words``.
    """

    id = "events"
    title = "Event files"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.folder: EventFolder | None = None
        self.plots: dict[str, CurvePlot] = {}
        self._reading = False
        self._shown: tuple[object, ...] = ()
        self._drawn: dict[tuple[str, str], int] = {}
        self._colours: dict[str, QColor] = {}
        commands = context.commands
        choose = declare(
            commands,
            Command("events.open", "Open folder of events", self.ask, "Choose a folder with TensorBoard event files",
                    icon="open", menu="Run"),
        )  # fmt: skip
        self._of_run = declare(
            commands,
            Command("events.of-run", "Events of the open run", self.open_run,
                    "Show every figure that the open run has written for TensorBoard", icon="chart", menu="Run"),
        )  # fmt: skip
        text = "Open a folder of TensorBoard events, or drop one on the window, to see its curves as they grow."
        self.empty = EmptyState(text, ((choose, "events.choose"), (self._of_run, "events.choose-run")), parent=self)
        self.words = QLineEdit(self)
        self.words.setObjectName("events.words")
        self.words.setPlaceholderText("words of run or tag")
        self.words.setClearButtonEnabled(True)
        self.words.setMaximumWidth(240)
        self.words.textChanged.connect(self._show)
        self.status = QuietLabel("events.status", self)
        self.legend = LineLegend("events.runs", self)
        self._grid_of = QWidget(self)
        self._grid = QGridLayout(self._grid_of)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._grid_of)
        self._build(choose)
        self._timer = QTimer(self)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self.visibility_changed.connect(lambda shown: self._timer.start() if shown else self._timer.stop())
        context.theme.changed.connect(self._restyle)
        self.show_state(context.bridge.state)

    def _build(self, choose: QAction) -> None:
        self._body = QWidget(self)
        row = QHBoxLayout()
        row.addWidget(text_button(self, choose, "events.folder"))
        row.addWidget(text_button(self, self._of_run, "events.run"))
        row.addWidget(self.words)
        row.addWidget(self.status, 1)
        inner = QVBoxLayout(self._body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addLayout(row)
        inner.addWidget(self.legend)
        inner.addWidget(self._scroll, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.addWidget(self.empty, 1)
        column.addWidget(self._body, 1)
        self._body.hide()

    def show_state(self, state: EngineState) -> None:
        """Offer the open run's own events."""
        if self._of_run.isEnabled() != (state.run is not None):
            self._of_run.setEnabled(state.run is not None)

    def ask(self) -> None:
        """Let the person choose a folder."""
        name = QFileDialog.getExistingDirectory(self, "Open folder of events")
        if name:
            self.open(Path(name))

    def open_run(self) -> None:
        """Show what the open run has written."""
        run = self.context.bridge.state.run
        if run is not None:
            self.open(run)

    def open(self, folder: Path) -> None:
        """Show the events below a folder."""
        from guiapp.training.event_files import EventFolder

        self.folder = EventFolder(folder)
        self.empty.hide()
        self._body.show()
        self._colours.clear()
        self._rebuild((), ())
        self._reading = False
        self.status.set_text("reading")
        self.refresh()

    def refresh(self) -> None:
        """Read what has been added, on the work lane; at most one reading at a time."""
        folder = self.folder
        if folder is None or self._reading:
            return
        self._reading = True

        def work() -> Generator[tuple[float, str], None, int]:
            count = 0
            for count in folder.refresh():
                yield 0.0, f"{count:,} figures read"
            return count

        def failed(error: BaseException) -> None:
            self._reading = False
            self.context.notices.post("error", f"{folder.folder} cannot be read: {error}", topic="events")

        def done(_count: int) -> None:
            if folder is self.folder:
                self._reading = False
                self._show()

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, on_error=failed, title="reading events"), done)

    # ------------------------------------------------------------------ what is shown

    def _show(self) -> None:
        """Bring the plots to what is read, and to the words."""
        if self.folder is None:
            return
        words = self.words.text().casefold().split()
        found = [c for c in self.folder.curves.values() if all(w in f"{c.run} {c.tag}".casefold() for w in words)]
        every = sorted({c.tag for c in found})
        tags = tuple(every[:_MOST_PLOTS])
        runs = tuple(sorted({c.run for c in found})[:_MOST_RUNS])
        if (tags, runs) != self._shown:
            self._rebuild(tags, runs)
        for curve in found:
            if curve.tag in self.plots and curve.run in runs:
                self._draw(curve)
        total = len({c.run for c in found})
        parts = [self.folder.folder.name, f"{len(tags)} of {len(every)} tags" if len(every) > len(tags) else ""]
        parts.append(f"{len(runs)} of {total} runs: words choose" if total > len(runs) else "")
        if not self.folder.curves:
            parts = [f"no figures in {self.folder.folder.name} yet"]
        elif not found:
            parts = ["no run or tag holds these words"]
        self.status.set_text(" · ".join(part for part in parts if part))

    def _rebuild(self, tags: tuple[str, ...], runs: tuple[str, ...]) -> None:
        self._shown = tags, runs
        self._drawn.clear()
        for plot in self.plots.values():
            self._grid.removeWidget(plot)
            plot.hide()
            plot.deleteLater()
        theme = self.context.theme
        self._colours = {run: self._colour(place) for place, run in enumerate(runs)}
        self.plots = {}
        for tag in tags:
            plot = self.plots[tag] = CurvePlot(theme, tag, parent=self._grid_of)
            plot.setObjectName(f"events.plot.{tag}")
            plot.setMinimumSize(_PLOT_WIDTH - 20, _PLOT_HEIGHT)
            for run in runs:
                plot.add_series(run, run or "this folder", self._colours[run])
            plot.head.series = {}  # one legend names the runs of all
        names = [run or "this folder" for run in runs] if len(runs) > 1 else []
        self.legend.set_lines(names, [QPen(self._colours[run], 1.5) for run in runs][: len(names)])
        self._arrange()

    def _arrange(self) -> None:
        across = max(1, self.width() // _PLOT_WIDTH)
        for place, plot in enumerate(self.plots.values()):
            self._grid.addWidget(plot, place // across, place % across)
            plot.show()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._arrange()

    def _draw(self, curve: Curve) -> None:
        key = curve.run, curve.tag
        if self._drawn.get(key) == len(curve):
            return
        self._drawn[key] = len(curve)
        self.plots[curve.tag].set_data(curve.run, *thinned(curve.steps, curve.values, _POINTS))

    def _colour(self, place: int) -> QColor:
        if place == 0:
            return self.context.theme.training
        light = self.context.theme.training.lightness()
        return QColor.fromHsl(_HUES[place % len(_HUES)], 150, light)

    def _restyle(self) -> None:
        tags, runs = self._shown or ((), ())
        self._rebuild(tags, runs)  # type: ignore[arg-type]
        self._show()


def thinned(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], points: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """About ``points`` of many points: of each group the lowest and the highest, in their order, so that peaks stay."""
    keep = np.isfinite(y)
    x, y = x[keep], y[keep]
    if len(x) <= points:
        return x, y
    width = -(-2 * len(x) // points)
    groups = len(x) // width
    block = y[: groups * width].reshape(groups, width)
    starts = np.arange(groups) * width
    chosen = np.unique(np.concatenate([starts + block.argmin(1), starts + block.argmax(1), [len(x) - 1]]))
    return x[chosen], y[chosen]
