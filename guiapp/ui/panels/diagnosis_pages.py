"""Pages of the Diagnosis panel: findings on the curve, layers, histograms over time, where the time goes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QItemSelectionModel, Qt, QUrl, Signal
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QSplitter, QTextBrowser, QVBoxLayout, QWidget

from guiapp.training.diagnosis.record import (
    ACTIVATION_DECADES,
    ACTIVATION_UNIT,
    GRADIENT_DECADES,
    GRADIENT_UNIT,
    STAGES,
    Observations,
    bin_edges,
)
from guiapp.training.diagnosis.summary import late
from guiapp.ui.panels.diagnosis_words import findings_html
from guiapp.ui.widgets.curve_data import Span
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.histogram_time import HistogramTime
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.plain_table import Cell, PlainTable
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.stage_bars import StageBars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guiapp.training.diagnosis.figures import RunFigures
    from guiapp.training.diagnosis.findings import Finding
    from guiapp.ui.theme import Theme

_STAGE_WORDS = {
    "data": "data",
    "transfer": "transfer",
    "forward": "forward",
    "backward": "backward",
    "update": "update",
}
_NOT_SEEN = "not observed: press Observe before a run to note what happens within"
_SCRIPT = "a script of your own: what its curves tell; Units › Values counts dead units"
_SCRIPT_SHORT = ("a script of your own: what its curves tell", "what the curves tell")
_NOT_SEEN_SHORT = ("not observed: press Observe before a run", "not observed yet")


def column_of(page: QWidget) -> QVBoxLayout:
    """The layout of a page."""
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    return column


class FindingsPage(QWidget):
    """The loss with the evidence of a finding marked, and all findings in words.

    Attributes:
        chosen: Emitted with the number of a clicked finding.
        layer: Emitted with the name of a clicked layer.
        samples: Emitted with the number of the finding whose samples are wanted.
        plot: The curve, ``diagnosis.curve``.
        text: The findings, ``diagnosis.findings``.
    """

    chosen = Signal(int)
    layer = Signal(str)
    samples = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.plot = CurvePlot(theme, "loss", unit="nats", parent=self)
        self.plot.setObjectName("diagnosis.curve")
        self.plot.add_series("train", "training", theme.training)
        self.plot.add_series("validation", "validation", theme.validation, dots=True)
        self.plot.set_limits(0.0, None)
        self.text = QTextBrowser(self)
        self.text.setObjectName("diagnosis.findings")
        self.text.setAccessibleName("Findings")
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(self._clicked)
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.setChildrenCollapsible(False)
        split.addWidget(self.plot)
        split.addWidget(self.text)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        column_of(self).addWidget(split)

    def show_run(self, run: RunFigures | None) -> None:
        """Draw the curves of a run, the training loss as means of blocks of steps."""
        if run is None or not run.steps:
            self.plot.clear()
            return
        blocks = run.blocks(count=400)
        self.plot.set_data("train", blocks.steps, blocks.values)
        if run.epochs:
            self.plot.set_data("validation", run.epoch_steps, run.curve("validation", "loss"))

    def show_findings(self, found: Sequence[Finding], place: int | None, plain: str) -> None:
        """List the findings and mark the evidence of one; of all where none is chosen."""
        bar = self.text.verticalScrollBar().value()
        self.text.setHtml(findings_html(found, place, self._theme, plain))
        self.text.verticalScrollBar().setValue(bar)
        shown = found if place is None else found[place : place + 1]
        self.plot.set_spans([Span(e.first, e.last, f"{one.title}: {e.text}") for one in shown for e in one.evidence])

    def _clicked(self, url: QUrl) -> None:
        kind, _, rest = url.toString().partition(":")
        if kind == "layer":
            self.layer.emit(rest)
        elif kind in ("finding", "samples"):
            (self.chosen if kind == "finding" else self.samples).emit(int(rest))


class LayersPage(QWidget):
    """Figures of each layer late in the run; the ratio of update to weights over time, and gradients by depth.

    Attributes:
        chosen: Emitted with the name of a clicked layer.
        table: The layers, ``diagnosis.layers``.
        ratio: Ratio over time of the chosen layer, ``diagnosis.ratio``.
        depth: Gradient norm by depth, at first and now, ``diagnosis.depth``.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        tips = (
            "Layers with weights, from the first to the last",
            "Norm of the update divided by the norm of the weights; about 1e-3 is usual",
            "Norm of the gradient of the weights",
            "Units that are zero for every sample of a batch",
            "Outputs where the activation is flat: slope below 6 % of the steepest",
        )
        self.model = PlainTable(theme, ("layer", "update", "gradient", "dead", "flat"), tips, self)
        self.table = NumberTable(self, "diagnosis.layers", "Layers", self.model)
        self.table.setSortingEnabled(False)
        self.table.padding = 12
        self.table.names = 60
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.clicked.connect(lambda index: self.chosen.emit(self.model.keys[index.row()]))
        self.ratio = CurvePlot(theme, "update / weight", parent=self)
        self.ratio.setObjectName("diagnosis.ratio")
        self.ratio.add_series("usual", "usual, 1e-3", theme.validation)
        self.ratio.add_series("ratio", "layer", theme.training, dots=True)
        self.ratio.set_log(y=True)
        self.depth = CurvePlot(theme, "gradient norm", "depth", parent=self)
        self.depth.setObjectName("diagnosis.depth")
        self.depth.add_series("first", "first step", theme.validation, dots=True)
        self.depth.add_series("now", "now", theme.training, dots=True)
        self.depth.set_log(y=True)
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.setChildrenCollapsible(False)
        for widget, stretch in ((self.table, 3), (self.ratio, 2), (self.depth, 2)):
            split.addWidget(widget)
            split.setStretchFactor(split.count() - 1, stretch)
        column_of(self).addWidget(split)

    def show_observations(self, seen: Observations | None, layer: str | None) -> None:
        """Show figures of all layers, and those of one over time."""
        if seen is None or not len(seen):
            self.model.set_rows([], [])
            self.ratio.clear()
            self.depth.clear()
            return
        names = [one.name for one in seen.layers]
        figures = {name: late(seen, name) for name in ("ratio", "gradient", "dead", "saturated")}
        rows = [
            (
                Cell(one.name, float(i), tip=f"{one.type}{f', then {one.activation_type}' if one.activation else ''}"),
                _cell(figures["ratio"][i], ".1e", not 1e-4 <= figures["ratio"][i] <= 3e-2),
                _cell(figures["gradient"][i], ".1e"),
                _cell(figures["dead"][i], ".0%", figures["dead"][i] >= 0.4),
                _cell(figures["saturated"][i], ".0%", figures["saturated"][i] >= 0.5),
            )
            for i, one in enumerate(seen.layers)
        ]
        self.model.set_rows(rows, names)
        self.table.fit()
        at = names.index(layer) if layer in names else 0
        mode = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.table.selectionModel().select(self.model.index(at, 0), mode)
        steps = seen.steps.astype(np.float64)
        self.ratio.series["ratio"].label = names[at]
        self.ratio.set_data("ratio", steps, np.asarray(seen.figures["ratio"][:, at], np.float64))
        self.ratio.set_data("usual", steps[[0, -1]], np.full(2, 1e-3))
        self.ratio.refresh()
        places = np.arange(1, len(names) + 1, dtype=np.float64)
        for key, row in (("first", 0), ("now", -1)):
            self.depth.set_data(key, places, np.asarray(seen.figures["gradient"][row], np.float64))


class HistogramsPage(QWidget):
    """Outputs and gradients of one layer over time.

    Attributes:
        chosen: Emitted with the name of a chosen layer.
        layers: The layer, ``diagnosis.layer``.
        outputs: Its outputs, ``diagnosis.outputs``.
        gradients: Gradients of its weights, ``diagnosis.gradients``.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.layers = QComboBox(self)
        self.layers.setObjectName("diagnosis.layer")
        self.layers.setAccessibleName("Layer")
        self.layers.setToolTip("Layer whose outputs and gradients are shown")
        self.layers.setMinimumContentsLength(8)
        self.layers.activated.connect(lambda row: self.chosen.emit(self.layers.itemData(row)))
        self.outputs = HistogramTime(theme, "diagnosis.outputs", "Outputs", self)
        self.gradients = HistogramTime(theme, "diagnosis.gradients", "Gradients", self)
        self._names: list[str] = []
        column = column_of(self)
        column.addWidget(self.layers)
        column.addWidget(self.outputs, 1)
        column.addWidget(self.gradients, 1)

    def show_observations(self, seen: Observations | None, layer: str | None) -> None:
        """Show one layer's histograms."""
        names = [one.name for one in seen.layers] if seen is not None else []
        if names != self._names:
            self._names = names
            self.layers.clear()
            for one in seen.layers if seen is not None else ():
                self.layers.addItem(f"{one.name} · {one.activation_type or one.type}", one.name)
        if seen is None or not len(seen):
            none = np.zeros((0, 0), np.float32)
            for plot in (self.outputs, self.gradients):
                plot.show_histograms(np.zeros(0, np.int64), none, np.zeros(1))
            return
        at = names.index(layer) if layer in names else max(self.layers.currentIndex(), 0)
        self.layers.setCurrentIndex(at)
        one = seen.layers[at]
        after = f"after {one.activation_type}" if one.activation else "of the layer itself"
        self.outputs.show_histograms(
            seen.steps, seen.activations[:, at], bin_edges(ACTIVATION_UNIT, ACTIVATION_DECADES), after
        )
        self.gradients.show_histograms(
            seen.steps, seen.gradients[:, at], bin_edges(GRADIENT_UNIT, GRADIENT_DECADES), "of the weights"
        )


class TimePage(QWidget):
    """Where the time of a step goes.

    Attributes:
        bars: ``diagnosis.time``.
        line: Samples a second, ``diagnosis.rate``.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.bars = StageBars(theme, "diagnosis.time", "Time of a step", self)
        self.line = QuietLabel("diagnosis.rate", self, theme.faint)
        column = column_of(self)
        column.addWidget(self.line)
        column.addWidget(self.bars)
        column.addStretch(1)

    def show_observations(self, seen: Observations | None, _layer: str | None = None) -> None:
        """Show the shares of the timed steps."""
        shares = seen.stage_shares if seen is not None else {}
        if seen is None or not shares:
            self.bars.show_stages(())
            if seen is None:
                self.line.set_text(_NOT_SEEN, _NOT_SEEN_SHORT)
            else:
                self.line.set_text("no step was timed yet")
            return
        timed = np.flatnonzero(np.isfinite(seen.times).all(1))
        timed = timed[len(timed) // 2 :]
        whole = float(seen.times[timed].sum(1).mean())
        waits = shares["data"] + shares["transfer"] >= 0.4
        self.bars.show_stages(
            [(_STAGE_WORDS[name], shares[name] * whole, waits and name in ("data", "transfer")) for name in STAGES]
        )
        text = f"{seen.rate:,.0f} samples/s within a step · {1e3 * whole:.1f} ms a step"
        self.line.set_text(f"{text}, mean of {len(timed)} timed steps", (text,))


def _cell(value: float, form: str, mark: bool = False) -> Cell:
    return Cell(format(value, form), float(value), mark) if math.isfinite(value) else Cell("")


def told_of(seen: Any, script: bool = False) -> tuple[str, tuple[str, ...]]:
    """What was observed, in one line, with wordings for less room; ``script``: it is a loop of a person's own."""
    if seen is None and script:
        return _SCRIPT, _SCRIPT_SHORT
    if seen is None:
        return _NOT_SEEN, _NOT_SEEN_SHORT
    return (f"observed in {len(seen)} steps" if len(seen) else "observation begins with the first step"), ()
