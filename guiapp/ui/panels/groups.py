"""The groups panel: convolutions whose channels are split, what connects what, and the cost against the dense one."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QPushButton, QWidget

from guiapp.engine.state import EngineState
from guiapp.interpret.groups import GroupedConv, GroupView, Timing, timing, view_of
from guiapp.ui.context import Context
from guiapp.ui.panels.paged import PagedPanel
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets import export
from guiapp.ui.widgets.atlas_view import AtlasView
from guiapp.ui.widgets.colour_bar import ColourBar, number
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.plain_table import Cell, PlainTable
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.study import Study

_HEADS = ("layer", "groups", "weights", "Mflop", "dense")
_TIPS = (
    "The convolution; a click shows which channels it connects",
    "Parts into which the channels are split; dw: one channel each, depthwise",
    "Parameters, as they are",
    "Multiply-adds times two for one picture, in millions",
    "Mflop of a dense convolution: as many times more as there are groups",
)


class GroupsPanel(PagedPanel):
    """A table of the grouped convolutions, the connections of one, and its time measured here.

    Attributes:
        table: The convolutions, ``groups.table``.
        plot: Which output channel reads which input channel, ``groups.connections``.
        measure: Times the chosen one against its dense twin, ``groups.measure``.
        view: What is shown now, or None.
    """

    id = "groups"
    title = "Groups"
    nothing_open = "Open MobileNet v2 in the catalogue to see what grouped convolutions save."
    nothing_here = "No convolution of this network is grouped: open MobileNet v2, ResNeXt or ShuffleNet v2."
    least = (220, 200)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.view: GroupView | None = None
        self._opened: object = None
        self._asked = ""
        self.model = PlainTable(theme, _HEADS, _TIPS, self)
        self.table = NumberTable(self, "groups.table", "Grouped convolutions", self.model)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setSortingEnabled(False)
        self.table.names = 90
        self.table.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self.table.clicked.connect(self._row_clicked)
        save = QAction("Save as CSV …", self.table)
        save.triggered.connect(lambda: export.ask_save_text(self, "groups.csv", self.model.csv_text()))
        self.table.addAction(save)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.plot = AtlasView(theme, "connections of channels", self)
        self.plot.setObjectName("groups.connections")
        self.plot.hovered.connect(lambda _place: self._describe())
        self.bar = ColourBar(theme, "groups.range", self)
        self.measure = QPushButton("Measure time", self)
        self.measure.setObjectName("groups.measure")
        self.measure.setToolTip("Run this convolution and its dense twin on this machine, seven times each in turn")
        self.measure.clicked.connect(self._time)
        self.line = QuietLabel("groups.line", self, theme.faint)
        self.chosen = QuietLabel("groups.chosen", self)
        self.hover = QuietLabel("groups.hover", self, theme.faint)
        self.counting, self.timing = StudyRun(self), StudyRun(self)
        self.counting.done.connect(self._take)
        self.counting.failed.connect(lambda reason: self.show_nothing(self.seen.opened, reason))
        self.timing.done.connect(self._take_time)
        self.progress = StudyBar(self.timing, "groups", theme, self)
        self._build()
        self.follow("layer", lambda _name: self._follow())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_state(self.seen)  # not before: counting takes a core some seconds, which a hidden panel does not use

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.bar, 1)
        row.addWidget(self.measure)
        parts = (self.line, (self.table, 3), self.chosen, (self.plot, 3), self.hover, row, self.progress)
        self.lay_out(*parts, faint=(self.line, self.hover))

    # ------------------------------------------------------------------ counting

    @property
    def layer(self) -> str:
        """The grouped convolution that is or is in the chosen layer, else the one shown before, else the first."""
        names = [conv.name for conv in self.view.layers] if self.view is not None else []
        chosen = self.context.workspace.layer or ""
        inside = [name for name in names if name == chosen or (chosen and name.startswith(f"{chosen}."))]
        return next(iter([*inside, *(name for name in names if name == self._asked), *names]), "")

    def show_state(self, state: EngineState) -> None:
        """Count another network."""
        if state.opened is self._opened:
            return
        self._opened, self.view, self._asked = state.opened, None, ""
        for run in (self.counting, self.timing):
            run.stop()
        self.progress.say("")
        self.model.set_rows((), ())
        self.plot.set_atlas(None)
        for label in (self.line, self.chosen, self.hover):
            label.set_text("")
        countable = state.opened is not None and bool(state.opened.layers)
        self.show_nothing(state.opened, "counting …" if countable else "")
        if countable:
            self._count(self.context.workspace.layer or "")

    def _count(self, layer: str) -> None:
        def work(study: Study, _tell: Any) -> Generator[Any, None, GroupView]:
            from guiapp.interpret.cost import measure_published
            from guiapp.interpret.cost_run import measure

            yield 0.1, "counting"
            trained = study.model.origin == "trained"
            size = study.inspected.preprocessing.size
            measured = measure(study.module, size) if trained else measure_published(study.model)
            yield 0.8, "connections"
            found = view_of(study.module, measured, layer)
            inside = [conv.name for conv in found.layers if layer and conv.name.startswith(f"{layer}.")]
            return view_of(study.module, measured, inside[0]) if inside and found.layer != layer else found

        self.counting.start(work, "grouped convolutions")

    def _take(self, view: GroupView) -> None:
        first = self.view is None
        self.view, self._asked = view, view.layer
        if not view.layers:
            self.show_nothing(self.seen.opened)
            return
        self.show_something()
        if first:
            self.model.set_rows([self._cells(conv) for conv in view.layers], [conv.name for conv in view.layers])
            self.table.fit()
        grouped = f"{len(view.layers)} of {view.convolutions} convolutions are grouped"
        weights = f"{view.parameters / 1e6:.1f} M parameters, dense {view.dense_parameters / 1e6:.1f} M"
        flops = f"{view.flops / 1e9:.2f} Gflop, dense {view.dense_flops / 1e9:.2f}"
        self.line.set_text(f"{grouped} · {weights} · {flops}", (f"{weights} · {flops}", flops))
        self.line.tip = f"{grouped}; {weights}; {flops}: the whole network, for one picture"
        self.plot.set_atlas(view.connections)
        if view.connections is not None:
            self.bar.set_range(*view.connections.range_of(0), False)
        self._show_chosen()
        self._describe()

    @staticmethod
    def _cells(conv: GroupedConv) -> tuple[Cell, ...]:
        groups = f"{conv.groups} dw" if conv.depthwise else f"{conv.groups}"
        return (
            Cell(conv.name),
            Cell(groups, conv.groups, tip=f"{conv.inputs} → {conv.outputs} channels in {conv.groups} groups"),
            Cell(f"{conv.parameters:,}", conv.parameters, tip=f"dense {conv.dense_parameters:,}"),
            Cell(f"{conv.flops / 1e6:,.1f}", conv.flops),
            Cell(f"{conv.dense_flops / 1e6:,.0f}", conv.dense_flops),
        )

    def _conv(self) -> GroupedConv | None:
        view = self.view
        return next((conv for conv in view.layers if conv.name == view.layer), None) if view is not None else None

    def _show_chosen(self) -> None:
        conv = self._conv()
        if conv is None:
            return
        self.table.selectRow(self.model.keys.index(conv.name))
        kernel = "×".join(map(str, conv.kernel))
        each = f"{conv.groups} groups of {conv.inputs // conv.groups} → {conv.outputs // conv.groups} channels"
        words = f"{each}, {kernel}: {conv.parameters:,} parameters instead of {conv.dense_parameters:,}"
        self.chosen.set_text(words, (f"{each}, {kernel}", each))

    def _follow(self) -> None:
        """Look at the connections of the chosen layer, where it is grouped."""
        if self.view is not None and self.layer and self.layer != self._asked:
            self._asked = self.layer
            self.progress.say("")
            self._count(self.layer)

    def _row_clicked(self, index: QModelIndex) -> None:
        self.context.workspace.unit = None
        self.context.workspace.layer = self.model.keys[index.row()]

    # ------------------------------------------------------------------ pointing and timing

    def _describe(self) -> None:
        conv, atlas, place = self._conv(), self.plot.atlas, self.plot.pointer
        if conv is None or atlas is None:
            return
        found = atlas.value_at(place[0] + 0.5, place[1] + 0.5) if place is not None else None
        if found is None:
            self.hover.set_text("rows are output channels, columns input channels; empty: not connected")
            return
        _, row, column, value = found
        rows, columns = atlas.values.shape[1:]
        output, given = row * conv.outputs // rows, column * conv.inputs // columns
        what = "not connected" if math.isnan(value) else f"mean |weight| {number(value)}"
        self.hover.set_text(f"output {output} from input {given}: {what}", (what,))

    def _time(self) -> None:
        conv = self._conv()
        if conv is None:
            return

        def work(study: Study, _tell: Any) -> Generator[Any, None, Timing]:
            own = study.module.get_submodule(conv.name)
            given = [size * step for size, step in zip(conv.output, own.stride, strict=True)]
            return timing(study.module, conv, given)

        self.timing.start(work, "time of a grouped convolution")

    def _take_time(self, found: Timing) -> None:
        conv = self._conv()
        if conv is not None and conv.name == found.name:
            times = f"{found.dense / max(found.grouped, 1e-9):.1f} × time for {conv.groups} × flops"
            self.progress.say(f"{found.grouped:.2f} ms, dense {found.dense:.2f}: {times}")
