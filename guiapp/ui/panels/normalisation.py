"""The normalisation panel: statistics of batches against the running ones, values before and after, both modes."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter

from guiapp.engine.state import EngineState
from guiapp.ui.panels.study_panel import StudyPanel, samples_of
from guiapp.ui.widgets.histogram_grid import Bars, HistogramGrid
from guiapp.ui.widgets.profile_plot import Profile, ProfilePlot
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.batch_statistics import NormView, Statistics

_KINDS = ("own", "none", "batch", "layer", "instance", "group")
_BATCHES = (2, 8, 32, 64, 128)
_SAMPLES = 512
_NONE = (
    "This network has no normalisation. Choose one in its recipe (normalisation: batch, layer, instance, group) to see "
    "it swapped in."
)


class NormalisationPanel(StudyPanel):
    """One normalisation of the network at a time.

    Attributes:
        swap: Kind that is swapped in, ``normalisation.swap``; the network begins anew.
        batch: Samples a batch, ``normalisation.batch``.
        quantity: Mean or deviation, ``normalisation.quantity``.
        plot: Channels, ``normalisation.channels``.
        grid: Values before and after, ``normalisation.histograms``.
        modes: Both modes in one line, ``normalisation.modes``.
        found: What is shown, or None.
    """

    id = "normalisation"
    title = "Normalisation"
    empty_text = "Open an experiment to see its normalisation from within."
    words = "statistics of batches"

    def build(self) -> None:
        """Make the widgets."""
        theme = self.context.theme
        self.found: Statistics | None = None
        self.swap = self.choice("swap", "Normalisation swapped into the network, which begins anew", tuple(
            ("the network's own" if kind == "own" else kind, kind) for kind in _KINDS
        ))  # fmt: skip
        self.swap.activated.disconnect()
        self.swap.activated.connect(self._swap)
        self.layers = self.choice("layer", "Normalisation that is shown", ())
        self.layers.activated.disconnect()
        self.layers.activated.connect(lambda row: self._choose(self.layers.itemData(row)))
        self.batch = self.choice(
            "batch", "Samples a batch", tuple((f"batches of {count}", str(count)) for count in _BATCHES)
        )
        self.batch.setCurrentIndex(self.batch.findData("32"))
        self.quantity = self.choice("quantity", "What is drawn", (("mean", "0"), ("deviation", "1")))
        self.quantity.activated.disconnect()
        self.quantity.activated.connect(lambda _row: self._draw())
        self.plot = ProfilePlot(
            theme, f"{self.id}.channels", "Statistics of channels", ("channel", "before normalising"), self
        )
        self.plot.hovered.connect(self._describe)
        self.plot.clicked.connect(self._pick)
        self.grid = HistogramGrid(theme, f"{self.id}.histograms", "Values before and after", self)
        self.modes = QuietLabel(f"{self.id}.modes", self)
        top, second = QHBoxLayout(), QHBoxLayout()
        for row, boxes in ((top, (self.swap, self.batch)), (second, (self.layers, self.quantity))):
            row.setSpacing(4)
            for box in boxes:
                row.addWidget(box, 1)
            self.column.addLayout(row)
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(self.plot)
        split.addWidget(self.grid)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        self.column.addWidget(split, 1)
        self.column.addWidget(self.modes)
        stop = self.context.workspace.subscribe("layer", self._follow)
        self.destroyed.connect(lambda _=None: stop())

    def refused(self, state: EngineState) -> str:
        """Without normalisation the boxes stay, so that one can be swapped in."""
        opened = state.opened
        if opened is not None and opened.model.trained_by == "memory":
            return "It only remembers the samples: there is nothing to normalise."
        return ""

    def opened_changed(self) -> None:
        """Show what the recipe names."""
        opened = self.seen.opened
        if opened is not None:
            self.swap.setCurrentIndex(self.swap.findData(opened.recipe.normalisation.name))
        self.found = None
        self.layers.clear()
        self.plot.show_lines((), ())
        self.grid.show_bars(())
        self.modes.set_text("")

    def work(self) -> Any:
        """Statistics of every normalisation on batches of validation samples."""
        size = int(self.batch.currentData())

        def work(study: Study) -> Generator[Any, None, Statistics | None]:
            from guiapp.interpret.batch_statistics import norm_names, statistics

            if not norm_names(study.module):
                return None
            inputs, targets = samples_of(study, max(_SAMPLES, size), "validation")
            step = min(size, len(targets))
            pairs = [
                (inputs[at : at + step], targets[at : at + step]) for at in range(0, len(targets) - step + 1, step)
            ]
            return (yield from statistics(study.module, pairs))

        return work

    def take(self, found: Statistics | None) -> None:
        """Show them."""
        self.found = found
        shown = self.layers.currentData()
        self.layers.clear()
        if found is None:
            self.line.set_text(_NONE, ("no normalisation here: swap one in",))
            return
        for view in found.layers:
            self.layers.addItem(f"{view.name} · {view.type}", view.name)
        row = self.layers.findData(shown)
        self.layers.setCurrentIndex(max(row, 0))
        m = found.modes
        running = f"running statistics: loss {m.loss_running:.3f}, {m.right_running:.1%} right"
        batch = f"those of batches of {m.batch}: loss {m.loss_batch:.3f}, {m.right_batch:.1%} right"
        keeps = any(view.running is not None for view in found.layers)
        text = (
            f"{running} · {batch}"
            if keeps
            else f"loss {m.loss_running:.3f}, {m.right_running:.1%} right, in both modes"
        )
        short = f"running {m.right_running:.1%} · batch {m.right_batch:.1%} right" if keeps else text
        self.modes.set_text(text, (short,))
        self._follow(self.context.workspace.layer)
        self._draw()

    def _view(self) -> NormView | None:
        name = self.layers.currentData()
        views = self.found.layers if self.found is not None else ()
        return next((view for view in views if view.name == name), None)

    def _draw(self) -> None:
        view, theme = self._view(), self.context.theme
        if view is None:
            return
        row = int(self.quantity.currentData())
        of = view.batches[:, row]
        lines = [
            Profile("batches, least to largest", of.mean(0), theme.training, of.min(0), of.max(0)),
        ]
        if view.running is not None:
            lines.append(Profile("running", view.running[row], theme.validation, strong=True))
        self.plot.show_lines(lines, [f"channel {number}" for number in range(of.shape[1])])
        self.grid.show_bars(
            [
                Bars("given", "before normalising", view.before, view.edges_before),
                Bars("returned", "after, with scale and shift", view.after, view.edges_after),
            ]
        )
        self._describe(None)

    def _describe(self, item: int | None) -> None:
        view = self._view()
        if view is None:
            return
        row = int(self.quantity.currentData())
        what = ("mean", "deviation")[row]
        if item is not None and item < view.batches.shape[2]:
            of = view.batches[:, row, item]
            words = f"channel {item}: {what} of batches {of.min():.3g} to {of.max():.3g}"
            self.line.set_text(words if view.running is None else f"{words}, running {view.running[row, item]:.3g}")
        elif view.running is None:
            self.line.set_text(f"{view.type} keeps no statistics: it treats each sample alone, in training as in use")
        else:
            self.line.set_text(
                f"{view.batches.shape[0]} batches · training uses the band, use the running line",
                (f"{view.batches.shape[0]} batches",),
            )

    def _pick(self, item: int) -> None:
        self.context.workspace.layer = self.layers.currentData()
        self.context.workspace.unit = item

    def _choose(self, name: str) -> None:
        self.context.workspace.unit = None
        self.context.workspace.layer = name
        self._draw()

    def _follow(self, name: str | None) -> None:
        row = self.layers.findData(name)
        if row >= 0 and row != self.layers.currentIndex():
            self.layers.setCurrentIndex(row)
            self._draw()

    def _swap(self, _row: int) -> None:
        self.context.bridge.engine.configure({"normalisation.name": self.swap.currentData()})
