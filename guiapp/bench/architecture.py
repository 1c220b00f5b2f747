"""Time until a large network is opened, counted and laid out, beside its forward pass."""

from __future__ import annotations

import time
from typing import Any

from guiapp.bench.figures import Tell, paired

WHAT = (
    "ResNet-152 from the tensors of its file to the table of layers with their costs and the graph, both painted, "
    "against one forward pass of it on a picture of 224x224; more is what ours takes longer"
)
_NAME = "resnet152"


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Do both in turn; ``more`` is the median of what ours takes longer, in seconds: the aim is less than 1."""
    import statistics

    import torch

    from guiapp import drive
    from guiapp.models.zoo import find_model
    from guiapp.models.zoo.build import build_random, build_trained

    drive.without_display()
    entry = find_model(_NAME)
    tell("drawing the weights of ResNet-152")
    state = build_random(entry).state_dict()
    picture = torch.zeros(1, 3, 224, 224)
    pairs, parts = [], []
    with drive.apart(), _Panel() as panel:
        for number in range(2 if quick else 11):
            tell(f"pair {number + 1}")
            begin = time.perf_counter()
            module = build_trained(entry, entry.best, state, "the tensors")
            built = time.perf_counter()
            parts.append((built - begin, *panel.show(module, entry)))
            shown = time.perf_counter()
            with torch.inference_mode():
                module(picture)
            pairs.append((shown - begin, time.perf_counter() - shown))
    pairs, parts = pairs[1:], parts[1:]  # the first round loads fonts and code
    return paired(
        pairs, "s", "lower", WHAT,
        more=statistics.median(ours - peer for ours, peer in pairs),
        open=statistics.median(part[0] for part in parts),
        count=statistics.median(part[1] for part in parts),
        lay_out=statistics.median(part[2] for part in parts),
        paint=statistics.median(part[3] for part in parts),
    )  # fmt: skip


class _Panel:
    """The table and the graph of the model panel, with nothing else in the window."""

    def __enter__(self) -> _Panel:
        from guiapp.app import create_application
        from guiapp.ui.theme import Theme
        from guiapp.ui.widgets.architecture_graph import ArchitectureGraph
        from guiapp.ui.widgets.layer_chooser import LayerChooser

        self._application = create_application(["guiapp"])
        theme = Theme("dark")
        self._table, self._graph = LayerChooser("model"), ArchitectureGraph(theme, "model.graph")
        for widget in (self._table, self._graph):
            widget.resize(900, 900)
            widget.show()
        self._application.processEvents()
        return self

    def __exit__(self, *error: object) -> None:
        for widget in (self._table, self._graph):
            widget.close()
            widget.deleteLater()
        self._application.processEvents()

    def show(self, module: Any, entry: Any) -> tuple[float, float, float]:
        """Seconds of counting, of laying out table and graph, and of painting them."""
        from guiapp.engine.state import Inspected
        from guiapp.interpret.cost import cost_of
        from guiapp.interpret.cost_run import measure as count
        from guiapp.interpret.flow_graph import Architecture
        from guiapp.models.base import ModelEntry, Preprocessing
        from guiapp.ui.panels.model_cost import captions, columns

        begin = time.perf_counter()
        measured = count(module, (3, 224, 224))
        cost = cost_of(measured)
        counted = time.perf_counter()
        inspected = Inspected(
            ModelEntry(entry.name, entry.title, lambda *_a, **_k: module), {},
            Preprocessing((3, 224, 224), (0.5,) * 3, (0.5,) * 3), (), measured.layers, measured.parameters, "cpu",
        )  # fmt: skip
        self._table.columns = columns(inspected, cost)
        self._table.set_layers(measured.layers)
        self._graph.set_architecture(Architecture.of(measured), captions(measured.layers, cost))
        laid = time.perf_counter()
        self._table.grab()
        self._graph.grab()
        return counted - begin, laid - counted, time.perf_counter() - laid
