"""Runs against each other: a table with any column, parallel coordinates, differences, spread, bias and variance."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from guiapp.core import paths
from guiapp.training.run_groups import by_settings, groups_of
from guiapp.training.run_records import (
    RunRecord,
    columns_of,
    csv_text,
    matches,
    read_all,
    run_folders,
    shown_columns,
)
from guiapp.training.search_record import searches
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.compare_pages import BiasPage, DifferencesPage, ParallelPage, SpreadPage
from guiapp.ui.panels.compare_table import CompareTable, column_menu, folders
from guiapp.ui.while_shown import WhileShown
from guiapp.ui.widgets import export
from guiapp.ui.widgets.buttons import icon_button
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.quiet_label import QuietLabel

_POLL_MS = 2000
_ALL, _ALONE = "All runs", "Runs outside of searches"
_KEY = "compare/columns"
_NO_RUNS = "No runs yet: press Start in the panel Training, or begin a search in the panel Search."
_PAGES = ("Runs", "Parallel", "Differences", "Spread", "Bias and variance")


class ComparePanel(Panel):
    """Read on the work lane; follows the folders while it is visible.

    What is chosen in the table is what the other pages show; with fewer than two chosen they show all of it.

    Attributes:
        records: Every run that is known, newest first.
        table: ``compare.table``.
        tabs: ``compare.tabs``, the pages.
    """

    id = "compare"
    title = "Compare"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.records: list[RunRecord] = []
        self._reading = self._again = False
        self._choosing = False
        chosen = context.settings.value(_KEY)
        self._columns: list[str] | None = [str(c) for c in chosen] if isinstance(chosen, list) and chosen else None
        self._model = CompareTable(context.theme, self._after_sorting, self)
        self.table = NumberTable(self, "compare.table", "Runs against each other", self._model)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.doubleClicked.connect(lambda _index: self.open())
        self.table.selectionModel().selectionChanged.connect(lambda *_: None if self._choosing else self._follow())
        self.parallel = ParallelPage(context.theme, self)
        self.parallel.opened.connect(context.bridge.engine.open_run)
        self.parallel.kept.connect(self._keep)
        self.differences = DifferencesPage(context.theme, self)
        self.spread = SpreadPage(context.theme, self)
        self.bias = BiasPage(self, self)
        self._pages = QStackedWidget(self)
        self.empty = QLabel("Reading the runs …", self)
        self.empty.setObjectName("compare.empty")
        self.empty.setProperty("faint", True)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for page in (self.table, self.parallel, self.differences, self.spread, self.bias, self.empty):
            self._pages.addWidget(page)
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("compare.tabs")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 4px 7px; }")
        for title in _PAGES:
            self.tabs.addTab(title)
        self.tabs.currentChanged.connect(self._turn)
        self._lay_out(self._declare())
        self._watch = WhileShown(self, self.refresh, _POLL_MS)
        self._unsubscribe = context.workspace.subscribe("search", self._follow_search)
        self._follow_search(context.workspace.search)
        self._follow()

    def _declare(self) -> dict[str, QAction]:
        add = self.context.commands.add
        return {
            "open": add(Command("compare.open", "Open this run", self.open,
                                "Open the chosen run with its curves and weights", icon="open")),
            "curves": add(Command("compare.curves", "Draw curves of these runs", self.draw_curves,
                                  "Draw the curves of the chosen runs faint beside those of the open one; with none "
                                  "chosen, take them away", icon="compare")),
            "columns": add(Command("compare.columns", "Choose columns", self.choose_columns,
                                   "Any setting of the recipe and any figure as a column", icon="settings")),
            "csv": add(Command("compare.csv", "Save runs as CSV", self.ask_save,
                               "Save the table that is shown, in full precision", icon="csv")),
        }  # fmt: skip

    def _lay_out(self, actions: dict[str, QAction]) -> None:
        self.of = QComboBox(self)
        self.of.setObjectName("compare.of")
        self.of.setAccessibleName("Runs that are compared")
        self.of.setToolTip("All runs, or those of one search")
        self.of.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.of.setMinimumContentsLength(14)
        self.of.addItem(_ALL, None)
        self.of.addItem(_ALONE, "")
        self.of.currentIndexChanged.connect(lambda _index: self.show_records())
        self.filter = QLineEdit(self)
        self.filter.setObjectName("compare.filter")
        self.filter.setAccessibleName("Filter")
        self.filter.setPlaceholderText("Filter: words, or lr<0.1 validation.accuracy>=0.9")
        self.filter.setToolTip("Words that stand in a row; comparisons with <, <=, >, >=, =, != of any column")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMinimumWidth(80)
        self.filter.textChanged.connect(lambda _text: self.show_records())
        self.hint = QuietLabel("compare.hint", self, self.context.theme.faint)
        self.context.theme.changed.connect(lambda: setattr(self.hint, "ink", self.context.theme.faint))
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.of)
        row.addWidget(self.filter, 2)
        for name, action in actions.items():
            row.addWidget(icon_button(self, action, f"compare.{name}-button"))
        second = QHBoxLayout()
        second.addWidget(self.tabs)
        second.addWidget(self.hint, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(4)
        column.addLayout(row)
        column.addLayout(second)
        column.addWidget(self._pages, 1)

    # ------------------------------------------------------------------ reading

    def refresh(self) -> None:
        """Read what has changed, on the work lane; at most one reading at a time."""
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        known = {record.folder: record for record in self.records}
        places = [path for path in (paths.runs(), searches()) if path.is_dir()]

        def work() -> Generator[None, None, list[RunRecord]]:
            found = [folder for place in places for folder in _quiet(place)]
            return (yield from read_all(found, known))

        def failed(error: BaseException) -> None:
            self._reading = False
            self.context.notices.post("error", f"The runs cannot be compared: {error}")

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, on_error=failed, title="reading the runs"), self._arrived)

    def _arrived(self, found: list[RunRecord]) -> None:
        self._reading = False
        self.empty.setText(_NO_RUNS)
        if found != self.records:
            self.records = found
            self._list_searches()
            self.show_records()
        elif not found:
            self._follow()
        if self._again:
            self.refresh()

    def _list_searches(self) -> None:
        """Every search that has runs, newest first."""
        names = sorted({str(s) for r in self.records if (s := r.about["search"]) is not None}, reverse=True)
        before = self.of.currentData()
        if names == [self.of.itemData(i) for i in range(2, self.of.count())]:
            return
        self.of.blockSignals(True)
        while self.of.count() > 2:
            self.of.removeItem(2)
        for name in names:
            self.of.addItem(f"Search {name}", name)
        self.of.setCurrentIndex(max(self.of.findData(before), 0))
        self.of.blockSignals(False)
        self._follow_search(self.context.workspace.search)

    def _follow_search(self, search: Path | None) -> None:
        if search is not None and (place := self.of.findData(search.name)) >= 0:
            self.of.setCurrentIndex(place)

    # ------------------------------------------------------------------ what is shown

    def passing(self) -> list[RunRecord]:
        """The runs of the chosen search that pass the filter."""
        of, text = self.of.currentData(), self.filter.text()
        found = [r for r in self.records if of is None or (r.about["search"] or "") == of]
        return [record for record in found if matches(record, text)]

    def compared(self) -> list[RunRecord]:
        """What the pages compare: the chosen runs, or all of the table where fewer than two are chosen."""
        chosen = self.chosen()
        return chosen if len(chosen) > 1 else list(self._model.records)

    def columns(self, records: list[RunRecord]) -> list[str]:
        """The columns that are shown."""
        if self._columns is None:
            return shown_columns(records)
        every = columns_of(records)
        return [column for column in self._columns if column in every] or ["name"]

    def show_records(self) -> None:
        """Bring the table to what is known and wanted; what was chosen stays chosen."""
        chosen, records = folders(self.chosen()), self.passing()
        self._choosing = True
        if self._model.show_records(records, self.columns(records)):
            self.table.fit()
            self.choose(chosen)
        self._choosing = False
        self._mark_sorting()
        self._follow()

    def _mark_sorting(self) -> None:
        name, descending = self._model.sorted_by
        header = self.table.horizontalHeader()
        header.blockSignals(True)
        place = self._model.columns.index(name) if name in self._model.columns else -1
        header.setSortIndicator(
            place, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        )  # fmt: skip
        header.blockSignals(False)

    def _after_sorting(self) -> None:
        self._follow()

    def chosen(self) -> list[RunRecord]:
        """The chosen runs, from above."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self._model.records[row] for row in rows if row < len(self._model.records)]

    def choose(self, wanted: set[Path]) -> None:
        """Choose the runs with these folders."""
        selection = self.table.selectionModel()
        selection.clearSelection()
        flags = selection.SelectionFlag.Select | selection.SelectionFlag.Rows
        for row, record in enumerate(self._model.records):
            if record.folder in wanted:
                selection.select(self._model.index(row, 0), flags)

    def _keep(self, wanted: set[Path]) -> None:
        self._choosing = True
        self.choose(wanted)
        self._choosing = False
        self.parallel.plot.brushes.clear()
        self._follow()

    def _follow(self) -> None:
        """Bring the page in front, the hint and the commands to what is chosen."""
        chosen = self.chosen()
        self.context.commands["compare.open"].setEnabled(len(chosen) == 1)
        self.context.commands["compare.curves"].setEnabled(bool(chosen) or bool(self.context.workspace.compared))
        self.context.commands["compare.csv"].setEnabled(bool(self._model.records))
        self._say()
        self._turn(self.tabs.currentIndex())

    def _say(self) -> None:
        shown, chosen = len(self._model.records), len(self.chosen())
        if not self.records:
            text = ""
        elif not shown:
            text = f"None of {len(self.records)} runs passes the filter."
        else:
            text = f"{shown} runs" + (f", {chosen} chosen" if chosen else "")
        self.hint.set_text(text)

    def _turn(self, page: int) -> None:
        self._pages.setCurrentIndex(page if self.records else len(_PAGES))
        records = self.compared()
        if page == 1:
            self.parallel.show_records(records, self._columns or ["gap"])
        elif page == 2:
            self.differences.show_records(self.chosen() if len(self.chosen()) > 1 else [])
        elif page == 3:
            self.spread.show_groups(groups_of(records))
        elif page == 4:
            self.bias.show_groups(by_settings(groups_of(records)))

    # ------------------------------------------------------------------ actions

    def open(self) -> None:
        """Open the chosen run."""
        for record in self.chosen()[:1]:
            self.context.bridge.engine.open_run(record.folder)

    def draw_curves(self) -> None:
        """Draw the curves of the chosen runs beside those of the open one."""
        self.context.workspace.compared = tuple(record.folder for record in self.chosen())
        self._follow()

    def choose_columns(self) -> None:
        """Show the menu of columns."""
        shown = self._model.columns
        menu = column_menu(
            self, self.passing() or self.records, shown, self.set_column, self.set_automatic, self._columns is None
        )
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.mapToGlobal(self.rect().topRight()))

    def set_column(self, name: str, shown: bool) -> None:
        """Show or hide a column; from now on the person's choice holds."""
        columns = [c for c in self._model.columns if c != name] + ([name] if shown else [])
        self._columns = columns
        self.context.settings.setValue(_KEY, columns)
        self.show_records()

    def set_automatic(self) -> None:
        """Show what differs between the runs and how good they are."""
        self._columns = None
        self.context.settings.remove(_KEY)
        self.show_records()

    def ask_save(self) -> None:
        """Ask where to save the table."""
        export.ask_save_text(self, "runs.csv", self.csv_text())

    def csv_text(self) -> str:
        """The table that is shown."""
        return csv_text(self._model.records, self._model.columns)

    def shut(self) -> None:
        """Stop measuring and listening."""
        self._unsubscribe()
        self._watch.stop()
        self.bias.run.stop()


def _quiet(place: Path) -> list[Path]:
    from guiapp.core.notices import UserError

    try:
        return run_folders([place])
    except UserError:
        return []
