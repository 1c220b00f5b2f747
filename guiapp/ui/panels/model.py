"""The model panel: what the network is, what each layer costs, how they are connected, and the sums behind them."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSpinBox, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, Inspected
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.network_commands import restore_network
from guiapp.ui.panel import Panel
from guiapp.ui.panels.model_about import AboutNetwork
from guiapp.ui.panels.model_cost import Counted, captions, columns, count, total_text
from guiapp.ui.panels.model_layers import LayerTable
from guiapp.ui.panels.model_sums import BELOW_FROM, SumsView
from guiapp.ui.panels.model_text import TextTableView, csv_rows
from guiapp.ui.panels.paged import why_no_layers
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.architecture_graph import ArchitectureGraph
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.export import ask_save_text
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.settled import settled

if TYPE_CHECKING:
    from guiapp.interpret.cost import Cost
    from guiapp.interpret.cost_options import Convention

_CONTROLS_FROM = 300  # height from which search, batch and convention stand above the table
_BUTTONS_FROM = 400  # width from which blocks are opened and the graph saved by buttons, too
_PATIENCE_S = 0.3  # what is counted sooner shows no bar
_TABLES = "architecture-tables"  # exhibits that open on the table of the text
_LAYERS, _GRAPH, _TEXT = "Layers", "Graph", "Text 1"


class ModelPanel(Panel):
    """A table of layers, a graph, or a table of course text 1, between lines on the input and on the chosen layer.

    Attributes:
        layers: The table, ``model.layers``; a click chooses the layer for every panel, one on a head sorts by it.
        graph: The network as a graph, ``model.graph``.
        text: The text's table of this network, where it has one.
        view: Which of the three is shown, ``model.view``.
        search: Words that a layer must have, ``model.search``.
        batch: Pictures at once, ``model.batch``; ``convention``: by whose rules it is counted, ``model.convention``.
        about: What the network is, and what it is fed.
        chosen: What the chosen layer does, in full, ``model.chosen``.
        total: What the whole costs, ``model.total``; ``bar`` stands there while that is counted.
        sums: Those of the chosen layer, and those of the course and of the papers for this network.
        counted: The network, counted, or None until it is.
        cost: The figures for the batch and the convention.
    """

    id = "model"
    title = "Model"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._opened: Inspected | None = None
        self.counted: Counted | None = None
        self.cost: Cost | None = None
        theme = context.theme
        self.about = AboutNetwork(theme, self)
        self.chosen = QuietLabel("model.chosen", self)
        self.total = QuietLabel("model.total", self)
        self.sums = SumsView(self)
        self.sums.toggled.connect(self._arrange)
        self.layers = LayerTable(self)
        self.layers.chosen.connect(self._choose)
        self.layers.listed.connect(self._show_listed)
        self.graph = ArchitectureGraph(theme, "model.graph", self)
        self.graph.chosen.connect(self._choose)
        self.text = TextTableView(theme, self)
        self.text.chosen.connect(self._choose)
        self.run = StudyRun(self)
        self.run.done.connect(self._take)
        self.run.failed.connect(lambda _reason: self._show_bar(True))
        self.run.ticked.connect(lambda: self._show_bar(self.run.seconds > _PATIENCE_S))
        self.run.stopped.connect(lambda: self._show_bar(True))
        self.bar = StudyBar(self.run, "model.count", theme, self)
        self._make_controls()
        self._declare()
        restore_network(context)
        commands = context.commands
        opens = [(commands[name], "model.open") for name in ("catalogue.find",) if name in commands.records]
        self.empty = EmptyState("Choose an experiment in the catalogue to see its network.", tuple(opens), self)
        self._build()
        stop = context.workspace.subscribe("layer", self._mark)
        self.destroyed.connect(lambda _=None: stop())
        self.show_state(self.seen)

    def _make_controls(self) -> None:
        self.view = QComboBox(self)
        self.view.setObjectName("model.view")
        self.view.setAccessibleName("View")
        self.view.setToolTip("Table of layers, graph, or the table of course text 1 where it has one of this network")
        self.view.addItems([_LAYERS, _GRAPH])
        self.view.currentIndexChanged.connect(lambda _index: self._show_view())
        self.search = QLineEdit(self)
        self.search.setObjectName("model.search")
        self.search.setPlaceholderText("Search layers")
        self.search.setToolTip("Words that a layer has in its name, type or numbers, such as 3×3 or conv")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(60)
        self.search.textChanged.connect(self.layers.search)
        self.batch = QSpinBox(self)
        self.batch.setObjectName("model.batch")
        self.batch.setAccessibleName("Pictures at once")
        self.batch.setToolTip("Pictures at once, for flops and memory of activations")
        self.batch.setRange(1, 65536)
        self.batch.setPrefix("batch ")
        self.batch.setKeyboardTracking(False)
        self.batch.setMinimumHeight(24)
        self.batch.valueChanged.connect(lambda _value: self._recount())
        self.convention = QComboBox(self)
        self.convention.setObjectName("model.convention")
        self.convention.setAccessibleName("Convention")
        self.convention.addItem("as PyTorch", "torch")
        self.convention.addItem("as text 1", "text")
        self.convention.setToolTip(
            "as PyTorch: flops of torch's counter, each number in memory once\n"
            "as text 1: pooling costs too, activations with gradients, parameters with gradients and momentum"
        )
        self.convention.currentIndexChanged.connect(lambda _index: self._recount())

    def _declare(self) -> None:
        commands = self.context.commands
        self._actions = (
            declare(commands, Command("model.copy", "Copy layers", self.copy, "Put the table of layers on the "
                                      "clipboard, as comma-separated values", "", "copy", menu="Model")),
            declare(commands, Command("model.save-csv", "Save layers as CSV …", self.save, "Save the table of layers "
                                      "as comma-separated values", "", "csv", menu="Model")),
            declare(commands, Command("model.save-graph", "Save graph as SVG …", self.graph.ask_save, "Save the whole "
                                      "graph, with the blocks that are open, as SVG or PNG", "", "image",
                                      menu="Model")),
            declare(commands, Command("model.close-blocks", "Close all blocks", self.close_blocks, "Show the outermost "
                                      "blocks alone", "", "minus", menu="Model")),
            declare(commands, Command("model.open-blocks", "Open all blocks", self.open_blocks, "Show every layer in "
                                      "every block", "", "plus", menu="Model")),
        )  # fmt: skip
        for action in self._actions:
            action.setEnabled(False)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self.about.heading, 1)
        verbs = ("copy", "save-csv", "save-graph", "close-blocks", "open-blocks")
        buttons = [
            icon_button(self, action, f"model.{verb}") for action, verb in zip(self._actions, verbs, strict=True)
        ]
        for button in buttons:
            top.addWidget(button)
        self._spare = buttons[2:]
        top.addSpacing(4)
        top.addWidget(self.view)
        self._controls = QWidget(self)
        controls = QHBoxLayout(self._controls)
        controls.setContentsMargins(0, 0, 0, 0)
        controls.setSpacing(4)
        controls.addWidget(self.search, 1)
        controls.addWidget(self.batch)
        controls.addWidget(self.convention)
        self._views = QStackedWidget(self)
        self._none = EmptyState("", (), self)
        for view in (self.layers, self.graph, self.text, self._none):
            self._views.addWidget(view)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.about)
        column.addWidget(self._controls)
        column.addWidget(self._views, 1)
        column.addWidget(self.chosen)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.total, 1)
        row.addWidget(self.bar, 1)
        row.addWidget(self.sums.button)
        self._show_bar(False)
        column.addLayout(row)
        column.addWidget(self.sums, 1)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 0, 8, 4)
        outer.addWidget(self._pages)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 150)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    @settled
    def _arrange(self) -> None:
        """In a small panel the table comes first: names say the type, and tips the rest."""
        width, height = self.width(), self.height()
        beside_text = self.view.currentText() == _TEXT and height < BELOW_FROM  # rows need the room
        self.about.arrange(height, beside_text)
        self._controls.setVisible(height >= _CONTROLS_FROM)
        for button in self._spare:  # menus have what they do
            button.setVisible(width >= _BUTTONS_FROM)
        self.layers.fit_columns(width)
        self._views.setVisible(not self.sums.instead(width, height))

    # ------------------------------------------------------------------ showing

    def show_state(self, state: EngineState) -> None:
        """Show a newly opened network."""
        opened = state.opened
        if opened is self._opened:
            return
        self._opened = opened
        self._pages.setCurrentIndex(0 if opened is None else 1)
        for action in self._actions:
            action.setEnabled(opened is not None)
        if opened is None:
            return
        model = opened.model
        self.about.say(opened)
        self.graph.file_name = f"{model.name}-graph"
        self.counted = self.cost = None
        with QSignalBlocker(self.search):
            self.search.clear()
        self._offer_text(False)
        self.layers.show_network(opened.layers, columns(opened, None))
        self.graph.set_architecture(None, {})
        self._say_total()
        self._mark(self.context.workspace.layer)
        self._say_sums()
        self._arrange()
        self._none.set_text(why_no_layers(opened))
        self._show_view()
        if opened.layers:
            self.run.start(count, f"Cost of {model.title}")
        else:  # what still counts another network has nothing to say of this one
            self.run.stop()
            self.bar.say("")
            self._show_bar(False)

    def _take(self, counted: Counted) -> None:
        """Show what the network costs."""
        self._show_bar(False)
        self.counted = counted
        self._recount()
        if self._opened is not None:
            self.graph.set_architecture(counted.architecture, captions(self._opened.layers, self.cost))
            self.graph.set_current(self.context.workspace.layer)
        self._offer_text(True)
        self._show_view()

    def _recount(self) -> None:
        """Batch or convention is another."""
        if self.counted is None or self._opened is None:
            return
        from guiapp.interpret.cost import cost_of

        self.cost = cost_of(self.counted.measured, self.batch.value(), self._convention())
        self.layers.show_columns(columns(self._opened, self.cost))
        self.graph.set_captions(captions(self._opened.layers, self.cost))
        self._say_total()
        self._say_sums()
        self._arrange()

    def _convention(self) -> Convention:
        convention: Convention = self.convention.currentData()
        return convention

    def _say_total(self) -> None:
        if self._opened is not None:
            whole, short = total_text(self._opened, self.cost)
            self.total.set_text(whole, (whole.removeprefix("total "), short))

    def _show_bar(self, shown: bool) -> None:
        """The bar stands in the place of the total while the network is counted, and after that failed."""
        self.bar.setVisible(shown)
        self.total.setVisible(not shown)

    def _offer_text(self, known: bool) -> None:
        """Offer the table of course text 1 for the networks that it has one of."""
        from guiapp.interpret.text_tables import BATCH, TABLES, compare

        table = TABLES.get(self._opened.model.name) if known and self._opened is not None else None
        place = self.view.findText(_TEXT)
        if table is None:
            if place >= 0:
                if self.view.currentIndex() == place:
                    self.view.setCurrentIndex(0)
                self.view.removeItem(place)
            return
        from guiapp.interpret.cost import cost_of

        assert self.counted is not None
        rows = compare(cost_of(self.counted.measured, BATCH, "text"), table)
        self.text.show_rows(table.title, rows)
        if place < 0 and len(rows) == len(table.rows):
            self.view.addItem(_TEXT)
            if (self.context.workspace.experiment or "").startswith(_TABLES):
                self.view.setCurrentText(_TEXT)

    def _show_view(self) -> None:
        name = self.view.currentText()
        shown = {_GRAPH: self.graph, _TEXT: self.text}.get(name, self.layers)
        bare = self._opened is not None and not self._opened.layers
        self._views.setCurrentWidget(self._none if bare else shown)
        for control in (self.search, self.batch, self.convention):
            control.setEnabled(name != _TEXT)
        self._arrange()

    def _show_listed(self) -> None:
        """Mark the chosen layer in the new rows, and what was searched for in the graph."""
        self.layers.set_current(None)
        self.layers.set_current(self.context.workspace.layer)
        self.graph.set_marked([layer.name for layer in self.layers.found()] if self.layers.words else [])
        self._arrange()

    def open_blocks(self) -> None:
        """Open every block, in table and graph."""
        self.layers.tree.expandAll()
        self.graph.open_all()

    def close_blocks(self) -> None:
        """Close every block, in table and graph."""
        self.layers.tree.collapseAll()
        self.graph.close_all()

    # ------------------------------------------------------------------ the chosen layer

    def _mark(self, name: str | None) -> None:
        """Mark the chosen layer and say what it does."""
        self.layers.set_current(name)
        self.graph.set_current(name)
        layers = self._opened.layers if self._opened is not None else ()
        layer = next((layer for layer in layers if layer.name == name), None)
        self.chosen.setVisible(layer is not None)
        if layer is not None:
            parts = [layer.type, *([layer.detail] if layer.detail else ())]
            self.chosen.set_text(" · ".join((layer.name, *parts)), (" · ".join(parts), parts[-1]))
        if self.counted is not None:
            self._say_sums()
            self._arrange()

    def _say_sums(self) -> None:
        """The sums of the chosen layer, then those of the network."""
        opened = self._opened
        if opened is None:
            return
        model, lines, name = opened.model, [], self.context.workspace.layer
        if self.counted is not None and self.cost is not None and name:
            from guiapp.interpret.arithmetic import sums_of

            lines = [f"{name} {line}" for line in sums_of(self.counted.measured, self.cost, name)]
        own = model.count(opened.preprocessing, len(opened.labels), **opened.model_options)
        self.sums.say(lines, [str(line) for line in own])

    def _choose(self, name: str) -> None:
        self.context.workspace.unit = None
        self.context.workspace.layer = name

    # ------------------------------------------------------------------ export

    def csv_text(self) -> str:
        """The table that is shown: one line a layer and one for the whole, or the rows of the text."""
        stream = io.StringIO()
        rows = csv_rows(self.text.rows) if self.view.currentText() == _TEXT else self.layers.csv_rows()
        csv.writer(stream).writerows(rows)
        return stream.getvalue()

    def copy(self) -> None:
        """Put the table on the clipboard."""
        QGuiApplication.clipboard().setText(self.csv_text())

    def save(self) -> None:
        """Ask for a file name and save the table."""
        if self._opened is not None:
            ask_save_text(self, f"{self._opened.model.name}.csv", self.csv_text())
