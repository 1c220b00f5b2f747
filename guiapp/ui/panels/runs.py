"""The list of runs with their figures: open, resume, compare, rename, delete."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSortFilterProxyModel, Qt, QTimer, QUrl
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from guiapp.core import paths
from guiapp.engine.state import EngineState
from guiapp.ui import run_summary
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.runs_table import COLUMNS, SORT_ROLE, RunsTable
from guiapp.ui.run_summary import Listed, RunSummary, SearchLine
from guiapp.ui.status_bar import size
from guiapp.ui.use_on import actions as use_on
from guiapp.ui.use_on import use_on_button
from guiapp.ui.widgets.buttons import icon_button
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.quiet_label import QuietLabel

_UNDO_SECONDS = 8
_BIN = ".deleted"
_NO_RUNS = "No runs yet: press Start in the training panel, or run `guiapp train lenet5`."
_NO_RUNS_SHORT = ("No runs yet: press Start in the training panel.", "No runs yet: press Start.", "no runs yet")


class RunsPanel(Panel):
    """Table of runs; it is read on the work lane and follows the folder while it is visible.

    Attributes:
        table: The table, ``runs.table``.
        scope: Whose runs are listed, ``runs.scope``: those in no search, all, those of one search.
        summaries: What is known of each listed run, by folder.
    """

    id = "runs"
    title = "Runs"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.summaries: dict[Path, RunSummary] = {}
        self._reading = False
        self._again = False
        self._searches: tuple[SearchLine, ...] = ()
        self._doomed: dict[Path, RunSummary] = {}
        self._state: EngineState = context.bridge.state
        self._model = RunsTable(context.theme, self.rename, self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(SORT_ROLE)
        self.table = self._make_table()
        self.hint = QuietLabel("runs.hint", self)
        context.theme.changed.connect(self._restyle)
        self._restyle()
        self.hint.set_text(_NO_RUNS, _NO_RUNS_SHORT)
        self._actions = self._declare()
        self.scope = self._make_scope()
        row = QHBoxLayout()
        row.setSpacing(2)
        for name, action in self._actions.items():
            row.addWidget(icon_button(self, action, f"runs.{name}-button"))
            if name == "pad":
                row.addWidget(use_on_button(self, self.context.commands, "runs.use-on"))
        row.addSpacing(8)
        row.addWidget(self.scope)
        row.addWidget(self.hint, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.table, 1)
        self.table.doubleClicked.connect(lambda index: index.column() >= 0 and self.open())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._follow_selection())
        self._empty = QTimer(self)
        self._empty.setSingleShot(True)
        self._empty.setInterval(_UNDO_SECONDS * 1000)
        self._empty.timeout.connect(self.empty_bin)
        self._watch = QTimer(self)
        self._watch.setInterval(2000)
        self._watch.timeout.connect(self.refresh)
        self.visibility_changed.connect(self._visible)
        self._follow_selection()

    def _make_table(self) -> NumberTable:
        table = NumberTable(self, "runs.table", "Runs", self._sorted)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.sortByColumn(COLUMNS.index("date"), Qt.SortOrder.DescendingOrder)
        return table

    def _make_scope(self) -> QComboBox:
        scope = QComboBox(self)
        scope.setObjectName("runs.scope")
        scope.setToolTip("Whose runs are listed: those that were trained one by one, all, or those of one search")
        scope.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        scope.setMinimumContentsLength(27)
        scope.addItem("Runs", "own")
        scope.activated.connect(lambda _: self._rescope())
        scope.hide()
        return scope

    def _rescope(self) -> None:
        """Read the runs that are asked for now."""
        self.summaries = {}
        self.refresh()

    def _show_searches(self, found: tuple[SearchLine, ...]) -> None:
        """Offer the searches; what is chosen stays while it is there."""
        if found == self._searches:
            return
        self._searches, chosen = found, self.scope.currentData()
        self.scope.clear()
        self.scope.addItem("Runs", "own")
        self.scope.addItem("All, with those of searches", "all")
        for line in found:
            self.scope.addItem(f"Search {line.title} ({line.count})", line.folder)
            self.scope.setItemData(self.scope.count() - 1, str(line.folder), Qt.ItemDataRole.ToolTipRole)
        self.scope.setCurrentIndex(max(self.scope.findData(chosen), 0))
        self.scope.setVisible(bool(found))

    def _declare(self) -> dict[str, QAction]:
        add = self.context.commands.add
        return {
            "open": add(Command("runs.open", "Open run", self.open, "Open the chosen run with its curves and weights",
                                icon="open", menu="Run")),
            "resume": add(Command("runs.resume", "Resume run", self.resume, "Open the chosen run and train on",
                                  icon="resume", menu="Run")),
            "pad": add(Command("runs.use-on-pad", "Use run on the pad", self.use_on_pad,
                               "Open the chosen run and let it read what is drawn", icon="brush", menu="Run")),
            "compare": add(Command("runs.compare", "Compare runs", self.compare,
                                   "Draw the curves of the chosen runs faint beside those of the open one; with none "
                                   "chosen, take them away", icon="compare", menu="Run")),
            "rename": add(Command("runs.rename", "Rename run", self.edit_name, "Give the chosen run another name",
                                  icon="rename", menu="Run")),
            "folder": add(Command("runs.open-folder", "Open folder of the run", self.open_folder,
                                  "Show the files of the chosen run", icon="folder", menu="Run")),
            "delete": add(Command("runs.delete", "Delete runs", self.delete,
                                  "Delete the chosen runs; for a few seconds this can be undone", icon="delete",
                                  menu="Run")),
            "undo": add(Command("runs.undo-delete", "Undo delete", self.undo_delete,
                                "Keep the runs that were just deleted", icon="undo", menu="Run")),
        }  # fmt: skip

    # ------------------------------------------------------------------ reading

    def refresh(self) -> None:
        """Read what has changed, on the work lane; at most one reading at a time."""
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        known, scope, searches = dict(self.summaries), self.scope.currentData(), self._searches

        def work() -> Generator[None, None, Listed]:
            return (yield from run_summary.read_listed(scope, known, searches))

        def failed(error: BaseException) -> None:
            self._reading = False
            self.context.notices.post("error", f"The runs cannot be listed: {error}")

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, on_error=failed, title="reading the runs"), self._arrived)

    def show_summaries(self) -> None:
        """Bring the table to what is known, without what is about to be deleted."""
        chosen = {run.folder for run in self.chosen()}
        gone = {run.folder for run in self._doomed.values()}
        paused = self._state.run if self._state.phase == "paused" else None
        shown = [
            replace(run, state="paused") if folder == paused else run
            for folder, run in self.summaries.items()
            if folder not in gone
        ]
        self._model.show_runs(shown)
        self.table.fit()
        if chosen != {run.folder for run in self.chosen()}:
            self.choose(chosen)
        self._follow_selection()

    def show_state(self, state: EngineState) -> None:
        """Read again when the engine begins or ends something."""
        old, self._state = self._state, state
        if old.phase != state.phase or old.run != state.run or len(old.epoch_rows) != len(state.epoch_rows):
            self.refresh()

    def _arrived(self, found: Listed) -> None:
        self._reading = False
        self.summaries = found.runs
        self._show_searches(found.searches)
        self.show_summaries()
        if self._again:
            self.refresh()

    def _visible(self, shown: bool) -> None:
        if shown:
            if not self._doomed:
                self.empty_bin()
            self.refresh()
            self._watch.start()
        else:
            self._watch.stop()

    # ------------------------------------------------------------------ selection

    def chosen(self) -> list[RunSummary]:
        """The chosen runs, from above."""
        rows = sorted(self.table.selectionModel().selectedRows(), key=lambda index: index.row())
        return [self._model.runs[self._sorted.mapToSource(index).row()] for index in rows]

    def choose(self, folders: set[Path]) -> None:
        """Choose the runs with these folders."""
        selection = self.table.selectionModel()
        selection.clearSelection()
        flags = selection.SelectionFlag.Select | selection.SelectionFlag.Rows
        for row, run in enumerate(self._model.runs):
            if run.folder in folders:
                selection.select(self._sorted.mapFromSource(self._model.index(row, 0)), flags)

    def _follow_selection(self) -> None:
        chosen = self.chosen()
        one = len(chosen) == 1
        for name in ("open", "pad", "rename", "folder"):
            self._actions[name].setEnabled(one)
        self._actions["resume"].setEnabled(one and chosen[0].resumable)
        self._actions["delete"].setEnabled(bool(chosen))
        self._actions["compare"].setEnabled(bool(chosen) or bool(self.context.workspace.compared))
        self._actions["undo"].setEnabled(bool(self._doomed))
        count = len(self._model.runs)
        shorter: tuple[str, ...] = ()
        if self._doomed:
            text = f"{len(self._doomed)} deleted: Undo brings back"
        elif count:
            text = f"{count} run{'s' if count != 1 else ''} · {size(sum(run.bytes for run in self._model.runs))}"
        else:
            text, shorter = _NO_RUNS, _NO_RUNS_SHORT
        self.hint.set_text(text, shorter)

    def _restyle(self) -> None:
        self.hint.ink = self.context.theme.faint
        self.hint.update()

    def _menu(self, position: object) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([*self._actions.values(), *use_on(self.context.commands)])
        menu.popup(self.table.viewport().mapToGlobal(position))

    # ------------------------------------------------------------------ actions

    def open(self) -> None:
        """Open the chosen run."""
        for run in self.chosen()[:1]:
            self.context.bridge.engine.open_run(run.folder)

    def resume(self) -> None:
        """Open the chosen run and train on."""
        for run in self.chosen()[:1]:
            self.context.bridge.engine.open_run(run.folder)
            self.context.bridge.engine.start()

    def use_on_pad(self) -> None:
        """Open the chosen run and draw for it."""
        if self.chosen():
            self.open()
            self.context.commands["view.source"].setChecked(True)
            self.context.commands["source.draw"].trigger()
            self.context.commands["source.look-at-pad"].trigger()  # not the sample that was looked at before

    def compare(self) -> None:
        """Draw the curves of the chosen runs beside those of the open one."""
        self.context.workspace.compared = tuple(run.folder for run in self.chosen())
        self._follow_selection()

    def edit_name(self) -> None:
        """Let the person type another name."""
        rows = self.table.selectionModel().selectedRows()
        if len(rows) == 1:
            self.table.edit(rows[0])

    def rename(self, run: RunSummary, name: str) -> None:
        """Give a run another name."""
        try:
            run_summary.rename(run.folder, name)
        except (OSError, ValueError) as error:
            self.context.notices.post("error", f"{run.name} cannot be renamed: {error}")
        self.refresh()

    def open_folder(self) -> None:
        """Show the files of the chosen run."""
        for run in self.chosen()[:1]:
            if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(run.folder))):
                self.context.notices.post("info", f"The run lies in {run.folder}")

    def delete(self) -> None:
        """Move the chosen runs into the bin; it is emptied a few seconds later."""
        for run in self.chosen():
            if run.state == "running":
                self.context.notices.post("warning", f"{run.name} is being trained; stop it before deleting it.")
            elif run.search is not None:
                self.context.notices.post(
                    "warning",
                    f"{run.name} belongs to a search, which counts on its runs: delete the folder {run.search}",
                )
            elif run.folder == self._state.run:
                self.context.notices.post("warning", f"{run.name} is open; open an experiment before deleting it.")
            else:
                bin_ = run.folder.parent / _BIN / run.folder.name
                try:
                    bin_.parent.mkdir(exist_ok=True)
                    run.folder.rename(bin_)
                except OSError as error:
                    self.context.notices.post("error", f"{run.name} cannot be deleted: {error.strerror}")
                else:
                    self._doomed[bin_] = run
        self._empty.start()
        self.show_summaries()

    def undo_delete(self) -> None:
        """Take the runs back out of the bin."""
        for bin_, run in self._doomed.items():
            bin_.rename(run.folder)
        self._doomed.clear()
        self.show_summaries()

    def empty_bin(self) -> None:
        """Remove from the disk what lies in the bin, also what an earlier session has left there."""
        self._doomed.clear()
        self._empty.stop()
        self.show_summaries()
        parent = paths.runs()

        def work() -> Generator[None, None, None]:
            for folder in sorted((parent / _BIN).glob("*")):
                shutil.rmtree(folder)
                yield

        def failed(error: BaseException) -> None:
            self.context.notices.post("error", f"A run cannot be deleted: {error}")

        self.context.bridge.engine.submit(work, on_error=failed, title="deleting runs")
