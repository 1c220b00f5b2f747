"""The search panel: begins searches as processes of their own, and watches, stops, resumes and refines them."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from guiapp.core.notices import UserError
from guiapp.engine.state import EngineState
from guiapp.training.search_record import REPEATS, SearchFolder, searches
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import search_work
from guiapp.ui.panels.search_found import FoundPage
from guiapp.ui.panels.search_new import NewSearchPage
from guiapp.ui.while_shown import WhileShown

_POLL_MS = 1000


class SearchPanel(Panel):
    """Two pages: a new search of the open experiment, and the searches that there are.

    Attributes:
        new: What is to be searched.
        found: The search that is looked at.
        shown: The same as it was read last, or None.
        tabs: ``search.tabs``, which page is seen.
    """

    id = "search"
    title = "Search"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.shown: SearchFolder | None = None
        self._reading = False
        self._names: list[str] = []
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}
        self._stamp: search_work.Stamp | None = None
        self._declare()
        self.new = NewSearchPage(context, self._start, self)
        self.new.begun.connect(self._begun)
        actions = ((self._stop, "Stop"), (self._resume, "Resume"), (self._finer, "Finer"), (self._compare, "Compare"))
        self.found = FoundPage(context.theme, actions, self)
        self.found.chosen.connect(lambda name: self.look_at(searches() / name))
        self.found.opened.connect(self._open_best_of)
        self.found.deleted.connect(self._delete)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.new)
        self._pages.addWidget(self.found)
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("search.tabs")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 4px 7px; }")
        self.tabs.addTab("New search")
        self.tabs.addTab("Searches")
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(4)
        column.addWidget(self.tabs)
        column.addWidget(self._pages, 1)
        self._watch = WhileShown(self, self.refresh, _POLL_MS)
        self._unsubscribe = context.workspace.subscribe("search", lambda _search: self.refresh())
        self._show_search()

    def _declare(self) -> None:
        add = self.context.commands.add
        self._start = add(Command("search.start", "Start search", self.start,
                                  "Begin the search as a process of its own; it goes on when the window is closed",
                                  icon="play", menu="Run"))  # fmt: skip
        self._stop = add(Command("search.stop", "Stop search", self.stop,
                                 "Ask the search to stop after its step; it can be resumed", icon="stop"))  # fmt: skip
        self._resume = add(Command("search.resume", "Resume search", self.resume,
                                   "Go on with a search that was stopped, killed, or whose budget was spent",
                                   icon="resume"))  # fmt: skip
        self._finer = add(Command("search.finer", "Search around the best", self.refine,
                                  "Fill in a finer search around the best configuration", icon="zoom-in"))  # fmt: skip
        self._compare = add(Command("search.compare", "Compare its runs", self.compare,
                                    "Every run of the search in the panel Compare", icon="compare"))  # fmt: skip

    def show_state(self, state: EngineState) -> None:
        """Offer the settings of the experiment that is open."""
        self.new.show_opened(state.opened)

    def start(self) -> None:
        """Begin the search in a process of its own."""
        self.new.start()

    def _begun(self, folder: SearchFolder, process: subprocess.Popen[bytes]) -> None:
        self._processes[folder.path] = process
        self.tabs.setCurrentIndex(1)
        self.look_at(folder.path)

    # ------------------------------------------------------------------ searches

    def look_at(self, search: Path) -> None:
        """Show a search; the panel Compare follows."""
        self._stamp = None
        self.context.workspace.search = search
        self.refresh()

    def refresh(self) -> None:
        """Read what has changed, on the work lane."""
        for process in self._processes.values():
            process.poll()  # so that none stays behind as a zombie
        if self._reading:
            return
        self._reading = True
        work = partial(search_work.read, self.context.workspace.search, self._stamp)

        def failed(error: BaseException) -> None:
            self._reading = False
            self.context.notices.post("error", f"The searches cannot be read: {error}")

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, on_error=failed, title="reading searches"), self._arrived)

    def _arrived(self, found: tuple[list[str], SearchFolder | None, search_work.Stamp | None]) -> None:
        self._reading = False
        names, search, stamp = found
        if names != self._names:
            self._names = names
            self.found.list_searches(names)
        if stamp == self._stamp and search is None and stamp is not None:
            return
        self._stamp, self.shown = stamp, search
        self._show_search()

    def _show_search(self) -> None:
        search = self.shown
        self._stop.setEnabled(search is not None and search.state == "running")
        self._resume.setEnabled(search is not None and search.resumable)
        self._finer.setEnabled(search is not None and bool(search.ranked()) and bool(search.plan.axes))
        self._compare.setEnabled(search is not None and bool(search.trials))
        self.found.show_search(search, None if search is None else self._processes.get(search.path))

    def _open_best_of(self, place: int) -> None:
        """Open the best run of a configuration, by its place among the ranked ones."""
        search = self.shown
        ranked = search.ranked() if search is not None else []
        if search is None or not 0 <= place < len(ranked):
            return
        mine = [t for t in search.trials if t.configuration == ranked[place].configuration and t.figures]
        best = max(mine, key=lambda trial: trial.figures or (0.0, 0.0))
        self.context.bridge.engine.open_run(search.path / best.folder)

    # ------------------------------------------------------------------ actions

    def stop(self) -> None:
        """Ask the process of the search to stop."""
        if self.shown is not None:
            self.shown.ask_to_stop()

    def resume(self) -> None:
        """Go on with the search, in a process of its own; a spent budget is lifted."""
        search = self.shown
        if search is None:
            return
        path = search.path

        def begun(found: Any) -> None:
            if isinstance(found, str):
                self.context.notices.post("error", f"The search cannot go on: {found}")
            else:
                self._processes[path] = found
            self._stamp = None
            self.refresh()

        work = partial(search_work.resumed, path, search.state == "spent")
        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, title="resuming a search"), begun)

    def refine(self) -> None:
        """Fill the form with a search around the best configuration."""
        search, opened = self.shown, self.new.opened
        if search is None:
            return
        if opened is None or opened.experiment.id != search.plan.experiment:
            self.context.notices.post("warning", f"Open {search.plan.experiment} first: this is a search of it.")
            return
        try:
            fixed, varied, held = search.finer()
        except UserError as error:
            self.context.notices.post("warning", str(error))
            return
        self.new.form.show_axes(fixed, varied)
        if held:
            self.context.bridge.engine.configure({n: v for n, v in held.items() if n not in REPEATS})
        self.tabs.setCurrentIndex(0)

    def compare(self) -> None:
        """Show its runs in the panel Compare."""
        if self.shown is not None:
            self.context.workspace.search = self.shown.path
            self.context.bridge.panel_wanted.emit("compare")

    def _delete(self) -> None:
        search = self.shown
        if search is None:
            return

        def gone(_: object) -> None:
            self.context.workspace.search = None
            self._stamp, self.shown = None, None
            self.refresh()

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(partial(search_work.deleted, search.path), title="deleting a search"), gone)

    def shut(self) -> None:
        """Stop watching; searches go on."""
        self._unsubscribe()
        self._watch.stop()
        self.new.shut()
