"""The page of a search that there is: how far it is, its configurations as a plot and a table, best first."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from guiapp.training.run_records import short_name
from guiapp.training.search_process import last_words
from guiapp.training.search_record import SearchFolder, Standing
from guiapp.ui.panels.runs_table import duration
from guiapp.ui.theme import Theme
from guiapp.ui.widgets.buttons import text_button
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.plain_table import Cell, PlainTable
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.response_plot import Dot, ResponsePlot

_STATES = {
    "running": "runs", "stopped": "was stopped", "spent": "has spent its budget", "done": "is done", "new": "begins",
    "interrupted": "was interrupted: its process ended",
}  # fmt: skip


class FoundPage(QWidget):
    """One search at a time.

    Args:
        theme: Colours.
        actions: What is done with a search, each with the text of its button.
        parent: The panel.

    Attributes:
        shown: The search, or None.
        plot: ``search.plot``.
        table: ``search.table``, its configurations, best first; ``model``: their figures.
        delete: ``search.delete``; pressed twice it deletes.
        chosen: Emitted with the name of another search.
        opened: Emitted with the place of a configuration among the ranked ones.
        deleted: Emitted when the search is to be deleted.
    """

    chosen = Signal(str)
    opened = Signal(int)
    deleted = Signal()

    def __init__(self, theme: Theme, actions: Sequence[tuple[QAction, str]], parent: QWidget) -> None:
        super().__init__(parent)
        self.shown: SearchFolder | None = None
        self._make(theme)
        head = QHBoxLayout()
        head.addWidget(self.of, 1)
        head.addWidget(self.delete)
        row = QHBoxLayout()
        row.setSpacing(4)
        for action, text in actions:
            button = text_button(self, action, f"search.{text.lower()}-button")
            button.setText(text)
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.progress)
        column.addLayout(row)
        column.addWidget(self.over)
        column.addWidget(self.plot, 3)
        column.addWidget(self.table, 2)

    def _make(self, theme: Theme) -> None:
        self.of = QComboBox(self)
        self.of.setObjectName("search.of")
        self.of.setAccessibleName("Search")
        self.of.setToolTip("The search that is looked at, newest first")
        self.of.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.of.setMinimumContentsLength(14)
        self.of.activated.connect(lambda _index: self.chosen.emit(self.of.currentText()))
        self.words = QuietLabel("search.words", self, theme.faint)
        theme.changed.connect(lambda: setattr(self.words, "ink", theme.faint))
        self.progress = QProgressBar(self)
        self.progress.setObjectName("search.progress")
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.delete = QPushButton("Delete", self)
        self.delete.setObjectName("search.delete")
        self.delete.setToolTip("Delete this search with all of its runs; press twice")
        self.delete.clicked.connect(self._press_delete)
        self.over = QComboBox(self)
        self.over.setObjectName("search.over")
        self.over.setAccessibleName("Setting on the axis")
        self.over.setToolTip("The setting on the axis of the plot")
        self.over.activated.connect(lambda _index: self._show_plot())
        self.plot = ResponsePlot(theme, "search.plot", self)
        self.plot.clicked.connect(self.opened)
        self.model = PlainTable(theme, ("configuration", "epochs", "runs", "accuracy", "±"), (
            "What it sets", "Epochs that all of its runs have reached", "Runs with figures",
            "Mean accuracy on the validation part", "Standard deviation over its runs",
        ), self)  # fmt: skip
        self.table = NumberTable(self, "search.table", "Configurations", self.model)
        self.table.setSortingEnabled(False)
        self.table.doubleClicked.connect(lambda index: self.opened.emit(index.row()))

    def list_searches(self, names: Sequence[str]) -> None:
        """Offer these searches, newest first."""
        self.of.clear()
        self.of.addItems(names)

    def show_search(self, search: SearchFolder | None, process: subprocess.Popen[bytes] | None) -> None:
        """Show a search as it stands, or that there is none; ``process`` is the one that was begun here for it."""
        self.shown = search
        for widget in (self.progress, self.plot, self.over, self.table, self.of, self.delete):
            widget.setVisible(search is not None)
        self.delete.setText("Delete")
        self.delete.setEnabled(search is None or search.state != "running")
        if search is None:
            self.words.set_text("No search yet: begin one on the page New search, or with guiapp search.")
            return
        self.of.setCurrentText(search.path.name)
        self._say(search, process)
        self.progress.setValue(round(1000 * search.share))
        self._show_table(search.ranked())
        names = [axis.name for axis in search.plan.axes]
        if names != [self.over.itemText(i) for i in range(self.over.count())]:
            self.over.clear()
            self.over.addItems(names)
        self.over.setVisible(len(names) > 1)
        self._show_plot()

    def _say(self, search: SearchFolder, process: subprocess.Popen[bytes] | None) -> None:
        state = search.state
        done = sum(trial.state in ("done", "failed") for trial in search.trials)
        failed = sum(trial.state == "failed" for trial in search.trials)
        words = f"It {_STATES.get(state, state)}: {len(search.trials)} of {search.planned_runs} runs begun, "
        words += f"{done} to the end"
        words += f" ({failed} failed)" if failed else ""
        words += f", {search.epochs} of {search.planned_epochs} epochs in {duration(search.seconds)}"
        if state == "running" and 0.02 < search.share < 1:
            words += f", about {duration(search.seconds / search.share - search.seconds)} left"
        short = (
            f"{_STATES.get(state, state)} · {search.epochs}/{search.planned_epochs} epochs · {duration(search.seconds)}"
        )
        if state in ("new", "interrupted") and process is not None and process.poll() is not None:
            words = short = f"Its process ended: {last_words(search.path)}"
        self.words.set_text(words, (short,))

    def _show_table(self, ranked: Sequence[Standing]) -> None:
        rows = []
        for found in ranked:
            words = ", ".join(f"{short_name(n)} {_text(v)}" for n, v in found.settings.items()) or "as it is"
            spread = Cell(f"{found.spread:.4f}") if found.spread == found.spread else Cell("–")
            rows.append(
                (Cell(words), Cell(str(found.epochs)), Cell(str(found.count)), Cell(f"{found.accuracy:.4f}"), spread)
            )
        keys = [str(found.configuration) for found in ranked]
        if rows != self.model.rows:
            self.model.set_rows(rows, keys)
            self.table.fit()

    def _show_plot(self) -> None:
        search = self.shown
        if search is None:
            return
        name = self.over.currentText() or (search.plan.axes[0].name if search.plan.axes else "")
        dots = []
        for found in search.ranked():
            tip = ", ".join(f"{n} {_text(v)}" for n, v in found.settings.items())
            tip += f"\naccuracy {found.accuracy:.4f} after {found.epochs} epochs, {found.count} runs"
            dots.append(
                Dot(found.settings.get(name), found.accuracy, found.spread, found.epochs / search.plan.rungs[-1], tip)
            )
        axis = short_name(name) if name else "one configuration"
        if dots != self.plot.dots or not dots:
            self.plot.set_dots(dots, axis)

    def _press_delete(self) -> None:
        if self.delete.text() == "Delete":
            self.delete.setText("Delete all?")
        else:
            self.deleted.emit()


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
