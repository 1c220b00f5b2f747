"""The search panel: begins searches as processes of their own, and watches, stops, resumes and refines them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from guiapp.core.notices import UserError
from guiapp.engine.state import EngineState, Opened
from guiapp.training.run_records import short_name
from guiapp.training.search_process import begin, last_words
from guiapp.training.search_record import REPEATS, SearchFolder, Standing, searches
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.runs_table import duration
from guiapp.ui.panels.search_form import SearchForm, names_of
from guiapp.ui.widgets.buttons import text_button
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.plain_table import Cell, PlainTable
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.response_plot import Dot, ResponsePlot

_POLL_MS = 1000
_PLAN_MS = 300
_STATES = {
    "running": "runs", "stopped": "was stopped", "spent": "has spent its budget", "done": "is done", "new": "begins",
    "interrupted": "was interrupted: its process ended",
}  # fmt: skip


class SearchPanel(Panel):
    """Two pages: a new search of the open experiment, and the searches that there are.

    Attributes:
        form: What is to be searched.
        shown: The search that is looked at, as it was read last, or None.
        plot: ``search.plot``.
        table: ``search.table``, its configurations, best first.
    """

    id = "search"
    title = "Search"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.shown: SearchFolder | None = None
        self._opened: Opened | None = None
        self._configured: str | None = None
        self._reading = False
        self._names: list[str] = []
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}
        self._stamp: tuple[Path, float, str] | None = None
        self._asked = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PLAN_MS)
        self._soon.timeout.connect(self._check)
        self._declare()
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self._new_page())
        self._pages.addWidget(self._found_page())
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
        self._watch = QTimer(self)
        self._watch.setInterval(_POLL_MS)
        self._watch.timeout.connect(self.refresh)
        self.visibility_changed.connect(self._visible)
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

    def _new_page(self) -> QWidget:
        page = QWidget(self)
        fields = QWidget(page)
        self.about = QLabel("Open an experiment to search its settings.", fields)
        self.about.setObjectName("search.about")
        self.about.setWordWrap(True)
        self.form = SearchForm(fields)
        self.form.changed.connect(self._soon.start)
        self.plan = QLabel(fields)
        self.plan.setObjectName("search.plan")
        self.plan.setWordWrap(True)
        self.plan.setProperty("faint", True)
        theme = self.context.theme
        self.cost = QuietLabel("search.cost", page, theme.faint)
        theme.changed.connect(lambda: setattr(self.cost, "ink", theme.faint))
        inner = QVBoxLayout(fields)
        inner.setContentsMargins(0, 2, 6, 0)
        inner.setSpacing(6)
        inner.addWidget(self.about)
        inner.addWidget(self.form)
        inner.addWidget(self.plan)
        inner.addStretch(1)
        area = QScrollArea(page)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(fields)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(text_button(page, self._start, "search.start-button", primary=True))
        row.addWidget(self.cost, 1)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area, 1)
        column.addLayout(row)  # below the form, whatever its length: seen without scrolling
        self._start.setEnabled(False)
        return page

    def _found_page(self) -> QWidget:
        page, theme = QWidget(self), self.context.theme
        self.of = QComboBox(page)
        self.of.setObjectName("search.of")
        self.of.setAccessibleName("Search")
        self.of.setToolTip("The search that is looked at, newest first")
        self.of.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.of.setMinimumContentsLength(14)
        self.of.activated.connect(lambda _index: self.look_at(searches() / self.of.currentText()))
        self.words = QuietLabel("search.words", page, theme.faint)
        theme.changed.connect(lambda: setattr(self.words, "ink", theme.faint))
        self.progress = QProgressBar(page)
        self.progress.setObjectName("search.progress")
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.delete = QPushButton("Delete", page)
        self.delete.setObjectName("search.delete")
        self.delete.setToolTip("Delete this search with all of its runs; press twice")
        self.delete.clicked.connect(self._press_delete)
        head = QHBoxLayout()
        head.addWidget(self.of, 1)
        head.addWidget(self.delete)
        row = QHBoxLayout()
        row.setSpacing(4)
        for action, text in (
            (self._stop, "Stop"),
            (self._resume, "Resume"),
            (self._finer, "Finer"),
            (self._compare, "Compare"),
        ):
            button = text_button(page, action, f"search.{text.lower()}-button")
            button.setText(text)
            row.addWidget(button)
        row.addStretch(1)
        self.over = QComboBox(page)
        self.over.setObjectName("search.over")
        self.over.setAccessibleName("Setting on the axis")
        self.over.setToolTip("The setting on the axis of the plot")
        self.over.activated.connect(lambda _index: self._show_plot())
        self.plot = ResponsePlot(theme, "search.plot", page)
        self.plot.clicked.connect(self._open_best_of)
        self._model = PlainTable(theme, ("configuration", "epochs", "runs", "accuracy", "±"), (
            "What it sets", "Epochs that all of its runs have reached", "Runs with figures",
            "Mean accuracy on the validation part", "Standard deviation over its runs",
        ), self)  # fmt: skip
        self.table = NumberTable(page, "search.table", "Configurations", self._model)
        self.table.setSortingEnabled(False)
        self.table.doubleClicked.connect(lambda index: self._open_best_of(index.row()))
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.progress)
        column.addLayout(row)
        column.addWidget(self.over)
        column.addWidget(self.plot, 3)
        column.addWidget(self.table, 2)
        return page

    # ------------------------------------------------------------------ a new search

    def show_state(self, state: EngineState) -> None:
        """Offer the settings of the experiment that is open."""
        opened = state.opened
        if opened is self._opened:
            return
        self._opened = opened
        if opened is None:
            self.about.setText("Open an experiment to search its settings.")
            self._start.setEnabled(False)
            return
        self.about.setText(f"<b>{opened.experiment.title}</b> on {opened.dataset.title}, with the settings as they are")
        self.form.set_names(names_of(opened.recipe, tuple(opened.model.options or ())))
        if self._configured != opened.experiment.id:
            self._configured = opened.experiment.id
            self._begin_with(opened)
        self._soon.start()

    def _begin_with(self, opened: Opened) -> None:
        """What the experiment suggests to search, else the learning rate."""
        begin: Mapping[str, Any] = opened.experiment.begin
        self.form.clear()
        for way in ("grid", "random"):
            for name, values in dict(begin.get(f"search.{way}", {})).items():
                self.form.add_line(name, values, way)  # type: ignore[arg-type]
        chosen = {n: begin.get(f"search.{n}", 0) for n in ("halving", "folds", "seeds", "draws")}
        self.form.set_choices(
            epochs=opened.recipe.epochs, trials=begin.get("search.trials", 12),
            budget=begin.get("search.budget", ""), **chosen,
        )  # fmt: skip
        if not any(key.startswith("search.") for key in begin):
            self.form.add_line()

    def _ask(self, begin: bool, title: str, then: Callable[[Any], object]) -> None:
        """Make the plan on the work lane; with ``begin`` also the folder and the process."""
        opened, choices = self._opened, self.form.choices()
        if opened is None:
            then("Open an experiment first")
            return
        try:
            fixed, varied = self.form.axes()
        except UserError as error:
            then(str(error))
            return
        named = {axis.name for axis in (*fixed, *varied)}
        dropped = {*named, "epochs", *({"seed"} if choices.seeds else ()), *({"data.draw"} if choices.draws else ())}
        if choices.folds:
            dropped |= {"data.folds", "data.fold"}
        settings = {"dataset": opened.dataset.name, **opened.settings}
        settings = {name: value for name, value in settings.items() if name not in dropped}
        if "epochs" not in named:
            settings["epochs"] = choices.epochs
        bridge = self.context.bridge
        work = partial(_planned, opened, settings, fixed, varied, choices, begin)
        bridge.call(bridge.engine.submit(work, title=title), then)

    def _check(self) -> None:
        """Say what would be done, or why not."""
        self._asked += 1
        self._ask(False, "planning a search", partial(self._planned, self._asked))

    def _planned(self, number: int, found: Any) -> None:
        if number != self._asked:
            return
        sound = not isinstance(found, str)
        self._start.setEnabled(sound and self._opened is not None)
        text = found[0] if sound else found
        self.plan.setText(text)
        self.cost.set_text(text.rpartition(": ")[2] if sound else "not yet: see above")
        self.plan.setProperty("faint", sound)
        self.plan.setProperty("error", not sound)
        self.plan.style().unpolish(self.plan)
        self.plan.style().polish(self.plan)

    def start(self) -> None:
        """Begin the search in a process of its own."""
        self._ask(True, "beginning a search", self._begun)

    def _begun(self, found: Any) -> None:
        if isinstance(found, str):
            self.context.notices.post("error", f"The search cannot begin: {found}")
            return
        _, folder, process = found
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
        wanted, stamp = self.context.workspace.search, self._stamp

        def work() -> Generator[None, None, Any]:
            yield
            return _read(wanted, stamp)

        def failed(error: BaseException) -> None:
            self._reading = False
            self.context.notices.post("error", f"The searches cannot be read: {error}")

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, on_error=failed, title="reading searches"), self._arrived)

    def _arrived(self, found: tuple[list[str], SearchFolder | None, tuple[Path, float, str] | None]) -> None:
        self._reading = False
        names, search, stamp = found
        if names != self._names:
            self._names = names
            self.of.clear()
            self.of.addItems(names)
        if stamp == self._stamp and search is None and stamp is not None:
            return
        self._stamp, self.shown = stamp, search
        if search is not None:
            self.of.setCurrentText(search.path.name)
        self._show_search()

    def _visible(self, shown: bool) -> None:
        if shown:
            self.refresh()
            self._watch.start()
        else:
            self._watch.stop()

    def _show_search(self) -> None:
        search = self.shown
        state = search.state if search is not None else ""
        self._stop.setEnabled(state == "running")
        self._resume.setEnabled(search is not None and search.resumable)
        for widget in (self.progress, self.plot, self.over, self.table, self.of, self.delete):
            widget.setVisible(search is not None)
        self.delete.setText("Delete")
        self.delete.setEnabled(state != "running")
        if search is None:
            self.words.set_text("No search yet: begin one on the page New search, or with guiapp search.")
            self._finer.setEnabled(False)
            self._compare.setEnabled(False)
            return
        ranked = search.ranked()
        self._finer.setEnabled(bool(ranked) and bool(search.plan.axes))
        self._compare.setEnabled(bool(search.trials))
        self._say(search, state)
        self.progress.setValue(round(1000 * search.share))
        self._show_table(search, ranked)
        names = [axis.name for axis in search.plan.axes]
        if names != [self.over.itemText(i) for i in range(self.over.count())]:
            self.over.clear()
            self.over.addItems(names)
        self.over.setVisible(len(names) > 1)
        self._show_plot()

    def _say(self, search: SearchFolder, state: str) -> None:
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
        process = self._processes.get(search.path)
        if state in ("new", "interrupted") and process is not None and process.poll() is not None:
            words = short = f"Its process ended: {last_words(search.path)}"
        self.words.set_text(words, (short,))

    def _show_table(self, search: SearchFolder, ranked: list[Standing]) -> None:
        rows = []
        for found in ranked:
            words = ", ".join(f"{short_name(n)} {_text(v)}" for n, v in found.settings.items()) or "as it is"
            spread = Cell(f"{found.spread:.4f}") if found.spread == found.spread else Cell("–")
            rows.append(
                (Cell(words), Cell(str(found.epochs)), Cell(str(found.count)), Cell(f"{found.accuracy:.4f}"), spread)
            )
        keys = [str(found.configuration) for found in ranked]
        if rows != self._model.rows:
            self._model.set_rows(rows, keys)
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
        path, spent = search.path, search.state == "spent"

        def work() -> Generator[None, None, Any]:
            yield
            try:
                folder = SearchFolder.open(path)
                folder.lock()
                if spent:
                    folder.set_budget("")
                    folder.save("stopped")
                return begin(folder)
            except (UserError, OSError) as error:
                return str(error)

        def begun(found: Any) -> None:
            if isinstance(found, str):
                self.context.notices.post("error", f"The search cannot go on: {found}")
            else:
                self._processes[path] = found
            self._stamp = None
            self.refresh()

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, title="resuming a search"), begun)

    def refine(self) -> None:
        """Fill the form with a search around the best configuration."""
        search, opened = self.shown, self._opened
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
        self.form.show_axes(fixed, varied)
        if held:
            self.context.bridge.engine.configure({n: v for n, v in held.items() if n not in REPEATS})
        self.tabs.setCurrentIndex(0)

    def compare(self) -> None:
        """Show its runs in the panel Compare."""
        if self.shown is not None:
            self.context.workspace.search = self.shown.path
            self.context.bridge.panel_wanted.emit("compare")

    def _press_delete(self) -> None:
        search = self.shown
        if search is None:
            return
        if self.delete.text() == "Delete":
            self.delete.setText("Delete all?")
            return
        path = search.path

        def work() -> Generator[None, None, None]:
            yield
            shutil.rmtree(path)

        def gone(_: object) -> None:
            self.context.workspace.search = None
            self._stamp, self.shown = None, None
            self.refresh()

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, title="deleting a search"), gone)

    def shut(self) -> None:
        """Stop watching; searches go on."""
        self._unsubscribe()
        self._watch.stop()
        self._soon.stop()


def _planned(
    opened: Opened, settings: dict[str, Any], fixed: Any, varied: Any, choices: Any, starts: bool
) -> Generator[None, None, Any]:
    """The plan in words, with the folder and its process where it begins; a reason as text where it cannot be."""
    from guiapp.training.search_plan import make_plan, words

    yield
    try:
        plan = make_plan(
            opened.experiment, settings, fixed, varied, trials=choices.trials, folds=choices.folds, seeds=choices.seeds,
            draws=choices.draws, halving=choices.halving, budget=choices.budget,
        )  # fmt: skip
        planned = SearchFolder(Path(), plan)
        told = f"{words(plan)}: {planned.planned_runs} runs, {planned.planned_epochs} epochs"
        if not starts:
            return told, None, None
        folder = SearchFolder.create(None, plan)
        return told, folder, begin(folder)
    except (UserError, OSError) as error:
        return " ".join(str(error).split())


def _read(
    wanted: Path | None, before: tuple[Path, float, str] | None
) -> tuple[list[str], SearchFolder | None, tuple[Path, float, str] | None]:
    """Names of the searches, newest first; the wanted one or the newest, None where it is as it was; its stamp."""
    parent = searches()
    names = sorted((f.parent.name for f in parent.glob("*/search.json")), reverse=True) if parent.is_dir() else []
    path = wanted if wanted is not None and (wanted / "search.json").is_file() else None
    if path is None and names:
        path = parent / names[0]
    if path is None:
        return names, None, None
    try:
        time = (path / "search.json").stat().st_mtime
        if before is not None and before[:2] == (path, time) and before[2] != "running":
            return names, None, before
        search = SearchFolder.open(path)
    except (OSError, UserError):
        return names, None, None
    return names, search, (path, time, search.state)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
