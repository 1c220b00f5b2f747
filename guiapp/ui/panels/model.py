"""The model panel: what the network is, its layers with their parameters, and the sums behind them."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from guiapp.engine.state import EngineState, Inspected
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.network_commands import restore_network
from guiapp.ui.panel import Panel
from guiapp.ui.status_bar import size
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.colour_bar import number
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.export import ask_save_text
from guiapp.ui.widgets.layer_chooser import DOES, OUTPUT, TYPE, LayerChooser, LayerColumn, shape_text
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.models.base import Preprocessing

_WORDS_FROM = 260  # height of the panel from which it also says what the network is
_SCALE_FROM = 360  # … and how pixels are scaled, which the tip of the line on the input says too
_SUMS_FROM = 420  # … and from which the sums stand under the table, not in its place
_SHARE_FROM, _DOES_FROM = 400, 480  # widths from which these have a column


class ModelPanel(Panel):
    """A table of layers between lines on the input and on the chosen layer, and the sums.

    Attributes:
        layers: The table, ``model.layers``; a click chooses the layer for every panel.
        heading: Name of the network, ``model.title``.
        about: What it is and who describes it, ``model.about``.
        input: What it is fed and what it gives, ``model.input``; ``scale``: how pixels become its numbers.
        chosen: What the chosen layer does, in full, ``model.chosen``.
        total: Sum of the parameters, ``model.total``.
        counts: The sums of the course and of the papers for this network, ``model.counts``; in a small panel
            ``sums``, ``model.sums``, shows them in the place of the table.
    """

    id = "model"
    title = "Model"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._opened: Inspected | None = None
        theme, commands = context.theme, context.commands
        self.heading = QuietLabel("model.title", self)
        bold = self.heading.font()
        bold.setWeight(bold.Weight.DemiBold)
        self.heading.setFont(bold)
        self.about = QuietLabel("model.about", self, theme.faint)
        self.input = QuietLabel("model.input", self, theme.faint)
        self.scale = QuietLabel("model.scale", self, theme.faint)
        self.chosen = QuietLabel("model.chosen", self)
        self.total = QuietLabel("model.total", self)
        self.counts = QLabel(self)
        self.counts.setObjectName("model.counts")
        self.counts.setProperty("faint", True)
        self.counts.setWordWrap(True)
        self.counts.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.sums = QPushButton("Sums", self)
        self.sums.setObjectName("model.sums")
        self.sums.setToolTip("Show the sums behind the parameters in the place of the table")
        self.sums.setCheckable(True)
        self.sums.setFixedHeight(22)
        self.sums.toggled.connect(lambda _on: self._arrange())
        self._sums = QScrollArea(self)
        self._sums.setWidget(self.counts)
        self._sums.setWidgetResizable(True)
        self._sums.setFrameShape(QFrame.Shape.NoFrame)
        self._sums.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.layers = LayerChooser(self.id, parent=self)
        self.layers.chosen.connect(self._choose)
        self._actions = (
            declare(commands, Command("model.copy", "Copy layers", self.copy, "Put the table of layers on the "
                                      "clipboard, as comma-separated values", "", "copy", menu="Model")),
            declare(commands, Command("model.save-csv", "Save layers as CSV …", self.save, "Save the table of layers "
                                      "as comma-separated values", "", "csv", menu="Model")),
        )  # fmt: skip
        for action in self._actions:
            action.setEnabled(False)
        restore_network(context)
        opens = [(commands[name], "model.open") for name in ("catalogue.find",) if name in commands.records]
        self.empty = EmptyState("Choose an experiment in the catalogue to see its network.", tuple(opens), self)
        self._build()
        theme.changed.connect(self._restyle)
        stop = context.workspace.subscribe("layer", self._mark)
        self.destroyed.connect(lambda _=None: stop())
        self.show_state(self.seen)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self.heading, 1)
        for action, verb in zip(self._actions, ("copy", "save-csv"), strict=True):
            top.addWidget(icon_button(self, action, f"model.{verb}"))
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        for widget in (self.about, self.input, self.scale):
            column.addWidget(widget)
        column.addWidget(self.layers, 1)
        column.addWidget(self.chosen)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.total, 1)
        row.addWidget(self.sums)
        column.addLayout(row)
        column.addWidget(self._sums, 1)
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

    def _arrange(self) -> None:
        """In a small panel the table comes first: names say the type, and tips the rest."""
        width, height = self.width(), self.height()
        self.about.setVisible(height >= _WORDS_FROM)
        self.scale.setVisible(height >= _SCALE_FROM)
        for column, least in ((3, _SHARE_FROM), (4, _DOES_FROM)):
            self.layers.tree.setColumnHidden(column, width < least)
        self.layers.fit()
        some, small = bool(self.counts.text()), height < _SUMS_FROM
        needed = self.counts.heightForWidth(max(100, width - 28)) + 2
        beside = some and small and needed > height // 5
        self.sums.setVisible(beside)
        instead = beside and self.sums.isChecked()
        self.layers.setVisible(not instead)
        self._sums.setVisible(some and (instead or not beside))
        self._sums.setMinimumHeight(0 if instead else min(needed, height // 3))
        self._sums.setMaximumHeight(16777215 if instead else min(needed, height // 3))

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
        self.heading.set_text(model.title)
        self.heading.tip = f"{model.description}\n{source_text(model.source)}".strip()
        self.about.set_text(" · ".join(t for t in (model.description.rstrip("."), source_text(model.source)) if t))
        self.input.set_text(input_text(opened))
        self.input.tip = scale_text(opened.preprocessing)
        self.scale.set_text(scale_text(opened.preprocessing))
        self.layers.columns = columns(opened.parameters)
        self.layers.set_layers(opened.layers)
        self._mark(self.context.workspace.layer)
        self.total.set_text(total_text(opened), (total_text(opened).removeprefix("total ").partition(" as ")[0],))
        counts = [str(count) for count in model.count(opened.preprocessing, len(opened.labels), **opened.model_options)]
        self.counts.setText("\n".join(counts))
        self._arrange()

    def _mark(self, name: str | None) -> None:
        """Mark the chosen layer and say what it does."""
        self.layers.set_current(name)
        layers = self._opened.layers if self._opened is not None else ()
        layer = next((layer for layer in layers if layer.name == name), None)
        self.chosen.setVisible(layer is not None)
        if layer is not None:
            parts = [layer.type, *([layer.detail] if layer.detail else ())]
            self.chosen.set_text(" · ".join((layer.name, *parts)), (" · ".join(parts), parts[-1]))

    def _choose(self, name: str) -> None:
        self.context.workspace.unit = None
        self.context.workspace.layer = name

    def _restyle(self) -> None:
        for label in (self.about, self.input, self.scale):
            label.ink = self.context.theme.faint
            label.update()

    # ------------------------------------------------------------------ export

    def csv_text(self) -> str:
        """The table, one line a layer and one for the whole."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        shown = (*self.layers.columns[:-1], TYPE, DETAIL)
        writer.writerow(["layer", *(column.head for column in shown)])
        for layer in self._opened.layers if self._opened is not None else ():
            writer.writerow([layer.name, *(_plain(column.value(layer)) for column in shown)])
        writer.writerow(["total", *(column.total for column in shown)])
        return stream.getvalue()

    def copy(self) -> None:
        """Put the table on the clipboard."""
        QGuiApplication.clipboard().setText(self.csv_text())

    def save(self) -> None:
        """Ask for a file name and save the table."""
        if self._opened is not None:
            ask_save_text(self, f"{self._opened.model.name}.csv", self.csv_text())


def columns(parameters: int) -> tuple[LayerColumn, ...]:
    """What the table says of each layer of a network with so many parameters; the last takes the room that is left."""
    return (
        OUTPUT,
        LayerColumn(
            "parameters",
            lambda layer: layer.parameters,
            lambda count: f"{count:,}" if count else "–",
            "Weights and biases in the layer and below it",
            number=True,
            total=parameters,
        ),
        LayerColumn(
            "%",
            lambda layer: 100 * layer.parameters / max(parameters, 1),
            lambda share: f"{share:.1f}" if share else "–",
            "Share of all parameters in per cent",
            number=True,
            total=100 if parameters else "",
        ),
        DOES,
    )


DETAIL = LayerColumn("detail", lambda layer: layer.detail)


def _plain(value: Any) -> Any:
    return "x".join(map(str, value)) if isinstance(value, tuple) else value


def input_text(opened: Inspected) -> str:
    """What a network is fed and how many classes it tells apart."""
    size, classes = opened.preprocessing.size, len(opened.labels)
    fed = f"input {shape_text(size)}" if all(size) else "input: pictures of any size"
    return fed if not classes else f"{fed} · {classes} class{'es' if classes != 1 else ''}"


def scale_text(preprocessing: Preprocessing) -> str:
    """How the pixels of a picture become the numbers that a network is fed."""

    def values(numbers: tuple[float, ...]) -> str:
        return number(numbers[0]) if len(numbers) == 1 else f"({', '.join(map(number, numbers))})"

    return f"fed (pixel / 255 − {values(preprocessing.mean)}) / {values(preprocessing.std)}"


def source_text(source: str) -> str:
    """Where a network is described; ``"T2"`` is the second of the course texts."""
    return re.sub(r"\bT(\d)\b", r"course text \1", source)


def total_text(opened: Inspected) -> str:
    """Sum of the parameters and what they take as float32."""
    if not opened.parameters:
        return "no parameters: nothing is trained by gradient"
    return f"total {opened.parameters:,} parameters · {size(4 * opened.parameters)} as float32"
