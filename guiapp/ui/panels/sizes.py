"""The sizes panel: the layers of the open network beside those of another one, with what differs marked."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHBoxLayout, QLabel, QWidget

from guiapp.engine.state import EngineState
from guiapp.interpret.sizes import Pair, pairs, size
from guiapp.ui.context import Context
from guiapp.ui.panels.paged import PagedPanel
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets import export
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.plain_table import Cell, PlainTable
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.cost import Cost, LayerCost

_OTHERS = (
    "alexnet-paper", "zfnet", "alexnet", "vgg16", "googlenet-paper", "googlenet", "resnet18", "resnet50",
    "resnext50_32x4d", "densenet121", "squeezenet1_1", "mobilenet_v2", "vit_b_16",
)  # fmt: skip
_SHOWN = (
    ("window", "kernel / step", "Kernel and step of a convolution or pooling"),
    ("output", "output", "Channels × height × width"),
    ("parameters", "parameters", "Weights and biases"),
    ("flops", "Mflop", "Multiply-adds times two for one picture, in millions"),
    ("field", "sees / apart", "Receptive field, and pixels of the input from one unit to the next"),
)


class SizesPanel(PagedPanel):
    """Convolutions, poolings and dense layers of two networks, kind beside kind.

    Attributes:
        other: The other network, ``sizes.other``; a name of the zoo can be typed.
        what: The figure that is compared, ``sizes.what``.
        table: The layers, ``sizes.table``.
        found: Pairs of layers that are shown.
    """

    id = "sizes"
    title = "Sizes"
    nothing_open = "Open a network to see its layers beside those of another one."
    least = (240, 180)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.found: tuple[Pair, ...] = ()
        self._costs: tuple[Cost, Cost] | None = None
        self._opened: object = None
        self.other = QComboBox(self)
        self.other.setObjectName("sizes.other")
        self.other.setAccessibleName("Other network")
        self.other.setToolTip("Network beside the open one; any name of the zoo can be typed")
        self.other.setEditable(True)
        self.other.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.other.addItems(_OTHERS)
        self.other.setMinimumContentsLength(8)
        self.other.textActivated.connect(lambda _text: self._compare())
        self.what = QComboBox(self)
        self.what.setObjectName("sizes.what")
        self.what.setAccessibleName("Figure")
        self.what.setToolTip("Figure that is compared")
        for value, title, tip in _SHOWN:
            self.what.addItem(title, value)
            self.what.setItemData(self.what.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.what.currentIndexChanged.connect(lambda _=0: self._fill())
        self.model = PlainTable(theme, ("layer", "", "", ""), ("Layer of the open network", "", "", ""), self)
        self.table = NumberTable(self, "sizes.table", "Layers of two networks", self.model)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setSortingEnabled(False)
        self.table.clicked.connect(self._clicked)
        save = QAction("Save as CSV …", self.table)
        save.triggered.connect(lambda: export.ask_save_text(self, "sizes.csv", self.csv_text()))
        self.table.addAction(save)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.line = QuietLabel("sizes.line", self, theme.faint)
        self.run = StudyRun(self)
        self.run.done.connect(self._take)
        self.progress = StudyBar(self.run, "sizes", theme, self)
        self._build()
        self.follow("layer", lambda _name: self._mark())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_state(self.seen)  # not before: counting takes a core some seconds, which a hidden panel does not use

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        beside = QLabel("beside", self)
        beside.setProperty("faint", True)
        top.addWidget(beside)
        top.addWidget(self.other, 2)
        top.addWidget(self.what, 1)
        self.lay_out(top, (self.table, 1), self.line, self.progress, faint=(self.line,))

    # ------------------------------------------------------------------ counting

    def show_state(self, state: EngineState) -> None:
        """Compare another network."""
        if state.opened is self._opened:
            return
        self._opened, self._costs, self.found = state.opened, None, ()
        self.run.stop()
        self.model.set_rows((), ())
        self.line.set_text("")
        self.progress.say("")
        if state.opened is None or not state.opened.layers:
            self.show_nothing(state.opened)
        else:
            self.show_something()
            if self.other.currentText() == state.opened.model.name:
                self.other.setCurrentIndex(1 - min(1, self.other.currentIndex()))
            self._compare()

    def _compare(self) -> None:
        name = self.other.currentText().strip()

        def work(study: Study, _tell: Any) -> Generator[Any, None, tuple[Cost, Cost]]:
            from guiapp.interpret.cost import cost_of, measure_published
            from guiapp.interpret.cost_run import measure
            from guiapp.models.zoo import find_model
            from guiapp.models.zoo.bare import open_shape

            yield 0.05, "counting the open network"
            trained = study.model.origin == "trained"
            own = (
                measure(study.module, study.inspected.preprocessing.size) if trained else measure_published(study.model)
            )
            yield 0.4, f"building {name}"
            other = open_shape(find_model(name))
            yield 0.7, f"counting {name}"
            return cost_of(own), cost_of(measure_published(other))

        self.run.start(work, "sizes of two networks")

    def _take(self, costs: tuple[Cost, Cost]) -> None:
        self._costs, self.found = costs, pairs(*costs)
        self.progress.say("")
        self._fill()

    def _fill(self) -> None:
        """Rows for the chosen figure."""
        if self._costs is None or self.seen.opened is None:
            return
        what, name = str(self.what.currentData()), self.other.currentText()
        self.model.set_heads(("layer", self.seen.opened.model.title, name, "its layer"))
        rows, keys = [], []
        for pair in self.found:
            mine, theirs = size(pair.first, what), size(pair.second, what)
            differs = mine != theirs
            rows.append((
                Cell(pair.first.name if pair.first is not None else ""),
                Cell(mine, mark=differs, tip=_whole(pair.first)),
                Cell(theirs, mark=differs, tip=_whole(pair.second)),
                Cell(pair.second.name if pair.second is not None else ""),
            ))  # fmt: skip
            keys.append(pair.first.name if pair.first is not None else "")
        self.model.set_rows(rows, keys)
        self.table.fit()
        self._mark()
        mine, theirs = (cost.total for cost in self._costs)
        texts = [f"{total.parameters / 1e6:.1f} M · {total.flops / 1e9:.2f} Gflop" for total in (mine, theirs)]
        differing = sum(pair.differs for pair in self.found)
        self.line.set_text(
            f"{texts[0]} beside {texts[1]} · {differing} of {len(self.found)} rows differ",
            (f"{texts[0]} | {texts[1]}",),
        )
        self.line.tip = "Parameters and multiply-adds times two of the whole networks, for one picture"

    def csv_text(self) -> str:
        """Every figure of every row."""
        lines = ["layer,other layer," + ",".join(f"{value},other {value}" for value, _, _ in _SHOWN)]
        for pair in self.found:
            names = [one.name if one is not None else "" for one in (pair.first, pair.second)]
            figures = [f'"{size(one, value)}"' for value, _, _ in _SHOWN for one in (pair.first, pair.second)]
            lines.append(",".join([*names, *figures]))
        return "\n".join(lines) + "\n"

    # ------------------------------------------------------------------ hand

    def _clicked(self, index: QModelIndex) -> None:
        name = self.model.keys[index.row()]
        if name:
            self.context.workspace.unit = None
            self.context.workspace.layer = name

    def _mark(self) -> None:
        chosen = self.context.workspace.layer
        if chosen in self.model.keys:
            self.table.selectRow(self.model.keys.index(chosen))
        else:
            self.table.clearSelection()


def _whole(layer: LayerCost | None) -> str:
    """Everything about a layer, for the pointer."""
    if layer is None:
        return "nothing stands here"
    told = [f"{title}: {size(layer, value)}" for value, title, _ in _SHOWN if size(layer, value)]
    return "\n".join([layer.name, *told])
