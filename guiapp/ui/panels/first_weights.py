"""The first-weights panel: activations and gradients layer by layer under the rules of the course."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter

from guiapp.engine.state import EngineState
from guiapp.training.recipe_network import Initialisation
from guiapp.ui.panels.study_panel import StudyPanel, samples_of
from guiapp.ui.widgets.histogram_grid import Bars, HistogramGrid
from guiapp.ui.widgets.profile_plot import Profile, ProfilePlot

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.first_weights import LayerSpread

_SAMPLES = 256
RULES = (
    ("weights as they are now", "now"),
    ("zero", "zero"),
    ("small random, 0.01", "small"),
    ("Xavier, 1/√D_in (text)", "xavier"),
    ("Xavier, PyTorch", "xavier-torch"),
    ("Kaiming, √(2/D_in)", "kaiming"),
)
_SHORT = {"now": "now", "small": "small", "xavier": "Xavier", "xavier-torch": "Xavier (PyTorch)", "kaiming": "Kaiming"}
_COMPARED = ("small", "xavier", "xavier-torch", "kaiming")
_MOST_BARS = 24  # layers whose histograms are shown, evenly taken
_DEAD = 1e-3  # deviation behind which nothing can be told apart


class FirstWeightsPanel(StudyPanel):
    """Histograms behind every hidden layer, and their deviation by depth under every rule.

    Attributes:
        rule: First weights that are shown, ``first-weights.rule``.
        activation: What takes the place of the activations, ``first-weights.activation``.
        quantity: Activations or gradients by depth, ``first-weights.quantity``.
        use: Trains with these first weights, ``first-weights.use``.
        grid: Histograms, ``first-weights.histograms``.
        depth: Deviation by layer, ``first-weights.depth``.
        found: Spreads by rule.
    """

    id = "first-weights"
    title = "First weights"
    empty_text = "Open an experiment to see what first weights do to its layers."
    words = "first weights"

    def build(self) -> None:
        """Make the widgets."""
        theme = self.context.theme
        self.found: dict[str, tuple[LayerSpread, ...]] = {}
        self._bar_rows: list[int] = []
        self.rule = self.choice("rule", "First weights whose activations are shown", RULES)
        acts = (("own activation", "own"), ("tanh", "tanh"), ("ReLU", "relu"), ("sigmoid", "sigmoid"))
        self.activation = self.choice("activation", "Activation in the place of the network's own", acts)
        self.quantity = self.choice(
            "quantity", "What is drawn by depth", (("activations", "deviation"), ("gradients", "gradient"))
        )
        self.quantity.activated.disconnect()
        self.quantity.activated.connect(lambda _row: self._draw())
        self.use = QPushButton("Train so", self)
        self.use.setObjectName(f"{self.id}.use")
        self.use.setToolTip("Begin anew with these first weights (and this activation, where the network offers it)")
        self.use.clicked.connect(self._use)
        self.grid = HistogramGrid(theme, f"{self.id}.histograms", "Activations layer by layer", self)
        self.grid.clicked.connect(lambda item: self._choose(self._bar_rows[item]))
        self.grid.hovered.connect(lambda item: self._describe(None if item is None else self._bar_rows[item]))
        self.depth = ProfilePlot(theme, f"{self.id}.depth", "Deviation by layer", ("hidden layer", "deviation"), self)
        self.depth.clicked.connect(self._choose)
        self.depth.hovered.connect(self._describe)
        for one, beside in ((self.rule, self.use), (self.activation, self.quantity)):
            row = QHBoxLayout()
            row.setSpacing(4)
            row.addWidget(one, 1)
            row.addWidget(beside, 0 if beside is self.use else 1)
            self.column.addLayout(row)
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(self.grid)
        split.addWidget(self.depth)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        self.column.addWidget(split, 1)
        stop = self.context.workspace.subscribe("layer", lambda _name: self._mark())
        self.destroyed.connect(lambda _=None: stop())

    def refused(self, state: EngineState) -> str:
        """A network with one layer has no hidden ones."""
        layers = state.opened.layers if state.opened is not None else ()
        weighted = [one for one in layers if one.kind in ("conv", "dense")]
        return "" if len(weighted) > 1 else "This network has no hidden layer: open one that has."

    def opened_changed(self) -> None:
        """Show the rule that the recipe names."""
        opened = self.seen.opened
        name = opened.recipe.initialisation.name if opened is not None else "own"
        row = self.rule.findData(name if self.seen.step == 0 else "now")
        self.rule.setCurrentIndex(max(row, 0))

    def work(self) -> Any:
        """All rules, on samples of the training part."""
        chosen, activation = self.rule.currentData(), self.activation.currentData()
        opened = self.seen.opened
        recipe = opened.recipe if opened is not None else None
        seed = recipe.seed if recipe is not None else 0
        shape = recipe.initialisation if recipe is not None else Initialisation()

        def work(study: Study) -> Generator[Any, None, dict[str, tuple[LayerSpread, ...]]]:
            from guiapp.interpret.first_weights import compared
            from guiapp.models.initial_weights import Rule

            names = list(dict.fromkeys((chosen, "now", *_COMPARED)))
            rules = [None if n == "now" else Rule(n, shape.deviation, shape.distribution) for n in names]
            inputs, targets = samples_of(study, _SAMPLES)
            spreads = yield from compared(study.module, inputs, targets, rules, activation, seed)
            return dict(zip(names, spreads, strict=True))

        return work

    def take(self, found: dict[str, tuple[LayerSpread, ...]]) -> None:
        """Show histograms of the chosen rule, lines of all."""
        self.found = found
        self._draw()

    def _shown(self) -> tuple[LayerSpread, ...]:
        return self.found.get(self.rule.currentData(), ())

    def _draw(self) -> None:
        shown = self._shown()
        self._bar_rows = np.unique(np.linspace(0, len(shown) - 1, min(len(shown), _MOST_BARS)).astype(int)).tolist()
        self.grid.show_bars([_bars(shown[row]) for row in self._bar_rows] if shown else ())
        field, theme = self.quantity.currentData(), self.context.theme
        lines = []
        for name, spreads in self.found.items():
            if name == "zero" and name != self.rule.currentData():
                continue
            strong = name == self.rule.currentData()
            colour = theme.class_colour(_COMPARED.index(name)) if name in _COMPARED else theme.text
            values = np.array([getattr(one, field) for one in spreads])
            lines.append(Profile(_SHORT.get(name, name), values, colour, strong=strong))
        self.depth.title = "Activations by depth" if field == "deviation" else "Gradients by depth"
        self.depth.show_lines(lines, [one.layer for one in shown], log=True)
        self._mark()
        self._describe(None)

    def _describe(self, item: int | None) -> None:
        """One layer, or the first against the last."""
        shown = self._shown()
        if not shown:
            return
        if item is not None and item < len(shown):
            one = shown[item]
            words = f"{one.layer}: mean {one.mean:.3g}, deviation {one.deviation:.3g}, gradient {one.gradient:.2g}"
            self.line.set_text(f"{words} · {_ends(one)}", (words,))
            return
        first, last = shown[0], shown[-1]
        ratio = last.deviation / first.deviation if first.deviation else 0.0
        back = first.gradient / last.gradient if last.gradient else 0.0
        self.line.set_text(
            f"forwards ×{ratio:.2g} from the first to the last hidden layer · backwards ×{back:.2g}",
            (f"forwards ×{ratio:.2g} · backwards ×{back:.2g}",),
        )

    def _choose(self, item: int) -> None:
        shown = self._shown()
        if item < len(shown):
            self.context.workspace.unit = None
            self.context.workspace.layer = shown[item].shown

    def _mark(self) -> None:
        name = self.context.workspace.layer
        shown = self._shown()
        found = next((i for i, one in enumerate(shown) if name in (one.layer, one.shown)), None)
        self.depth.chosen = found
        self.grid.chosen = self._bar_rows.index(found) if found in self._bar_rows else None
        self.grid.update()
        self.depth.update()

    def _use(self) -> None:
        """Begin anew with the chosen rule."""
        rule = self.rule.currentData()
        changes: dict[str, Any] = {"initialisation.name": "own" if rule == "now" else rule}
        opened, activation = self.seen.opened, self.activation.currentData()
        if opened is not None and activation != "own" and "activation" in (opened.model.options or {}):
            changes["model.activation"] = activation
        self.context.bridge.engine.configure(changes)


def _bars(one: LayerSpread) -> Bars:
    dead = one.deviation < _DEAD or one.saturated > 0.5 or one.zero > 0.95
    return Bars(one.layer, f"σ {one.deviation:.2g} · {_ends(one)}", one.counts, one.edges, dead)


def _ends(one: LayerSpread) -> str:
    if one.saturated:
        return f"{one.saturated:.0%} saturated"
    return f"{one.zero:.0%} zero" if one.zero else f"mean {one.mean:.2g}"
