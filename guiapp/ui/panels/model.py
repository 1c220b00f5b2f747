"""The model panel: what the network is, its layers with their parameters, and the sums behind them."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, Opened
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.network_commands import restore_network
from guiapp.ui.panel import Panel
from guiapp.ui.status_bar import size
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.colour_bar import number
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.export import ask_save_text
from guiapp.ui.widgets.layer_chooser import OUTPUT, TYPE, LayerChooser, LayerColumn, shape_text
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.models.base import Preprocessing

_WORDS_FROM = 260  # height of the panel from which it also says what the network is
_TYPES_FROM = 400  # width from which the types of the layers have a column


class ModelPanel(Panel):
    """A table of layers between two lines on the input and two on the sums.

    Attributes:
        layers: The table, ``model.layers``; a click chooses the layer for every panel.
        heading: Name of the network, ``model.title``.
        about: What it is and who describes it, ``model.about``.
        input: What it is fed and what it gives, ``model.input``; ``scale``: how pixels become its numbers.
        total: Sum of the parameters, ``model.total``.
        counts: The sums of the course for this network, ``model.counts``.
    """

    id = "model"
    title = "Model"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._opened: Opened | None = None
        theme, commands = context.theme, context.commands
        self.heading = QuietLabel("model.title", self)
        bold = self.heading.font()
        bold.setWeight(bold.Weight.DemiBold)
        self.heading.setFont(bold)
        self.about = QuietLabel("model.about", self, theme.faint)
        self.input = QuietLabel("model.input", self, theme.faint)
        self.scale = QuietLabel("model.scale", self, theme.faint)
        self.total = QuietLabel("model.total", self)
        self.counts = QLabel(self)
        self.counts.setObjectName("model.counts")
        self.counts.setProperty("faint", True)
        self.counts.setWordWrap(True)
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
        stop = context.workspace.subscribe("layer", self.layers.set_current)
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
        for widget in (self.total, self.counts):
            column.addWidget(widget)
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
        for label in (self.about, self.scale):
            label.setVisible(self.height() >= _WORDS_FROM)
        self.layers.tree.setColumnHidden(len(self.layers.columns), self.width() < _TYPES_FROM)

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
        self.input.set_text(f"input {shape_text(opened.preprocessing.size)} · {len(opened.labels)} classes")
        self.input.tip = scale_text(opened.preprocessing)
        self.scale.set_text(scale_text(opened.preprocessing))
        self.layers.columns = columns(opened.parameters)
        self.layers.set_layers(opened.layers)
        self.layers.set_current(self.context.workspace.layer)
        self._arrange()
        self.total.set_text(total_text(opened))
        counts = [str(count) for count in model.count(opened.preprocessing, len(opened.labels), **opened.model_options)]
        self.counts.setText("\n".join(counts))
        self.counts.setVisible(bool(counts))

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
        shown = self.layers.columns
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
        TYPE,
    )


def _plain(value: Any) -> Any:
    return "x".join(map(str, value)) if isinstance(value, tuple) else value


def scale_text(preprocessing: Preprocessing) -> str:
    """How the pixels of a picture become the numbers that a network is fed."""

    def values(numbers: tuple[float, ...]) -> str:
        return number(numbers[0]) if len(numbers) == 1 else f"({', '.join(map(number, numbers))})"

    return f"fed (pixel / 255 − {values(preprocessing.mean)}) / {values(preprocessing.std)}"


def source_text(source: str) -> str:
    """Where a network is described; ``"T2"`` is the second of the course texts."""
    return re.sub(r"\bT(\d)\b", r"course text \1", source)


def total_text(opened: Opened) -> str:
    """Sum of the parameters and what they take as float32."""
    if not opened.parameters:
        return "no parameters: nothing is trained by gradient"
    return f"total {opened.parameters:,} parameters · {size(4 * opened.parameters)} as float32"
