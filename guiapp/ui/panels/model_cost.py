"""What the model panel says of costs: columns of the table, captions of the graph, the job that counts."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guiapp.ui.status_bar import size
from guiapp.ui.widgets.architecture_painting import Caption
from guiapp.ui.widgets.layer_chooser import DOES, OUTPUT, LayerColumn, does_text, shape_text

if TYPE_CHECKING:
    from guiapp.engine.job import Step
    from guiapp.engine.state import Inspected
    from guiapp.engine.study import Study
    from guiapp.interpret.cost import Cost, LayerCost
    from guiapp.interpret.cost_run import Measured
    from guiapp.interpret.flow_graph import Architecture
    from guiapp.interpret.layers import LayerInfo

PRIORITY = ("parameters", "flops", "%", "field", "activations", "stride", "weights")
"""Columns beside name and output that little room is given to first."""


@dataclass(frozen=True, eq=False)
class Counted:
    """A network, counted, with who feeds whom in it."""

    measured: Measured
    architecture: Architecture


def count(study: Study, tell: Callable[[Any], None]) -> Generator[Step, None, Counted]:
    """The job: one run of the network, on shapes alone where that works."""
    from guiapp.interpret.cost import measure_published
    from guiapp.interpret.cost_run import measure
    from guiapp.interpret.flow_graph import Architecture

    yield 0.0, "counting what each layer costs"  # one run in a piece: no time left can be told from it
    if study.model.origin == "trained":
        measured = measure(study.module, study.inspected.preprocessing.size)
    else:
        measured = measure_published(study.model, study.picture)
    yield 0.9, "laying out the graph"
    return Counted(measured, Architecture.of(measured))


def flops_text(flops: float | None) -> str:
    """A number of operations with a unit: ``"27.0 G"``; a dash for none."""
    if not flops:
        return "–"
    for unit, power in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if flops >= 0.9995 * power:
            scaled = flops / power
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{scaled:.{digits}f} {unit}"
    return f"{flops:.0f}"


def _size_text(count: float | None) -> str:
    return size(count) if count else "–"


def _pair_text(pair: tuple[int, int] | None) -> str:
    """Columns by rows, as pictures are sized; one number where both are the same."""
    if pair is None:
        return "–"
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[1]} × {pair[0]}"


def columns(opened: Inspected, cost: Cost | None) -> tuple[LayerColumn, ...]:
    """What the table says of each layer; the last column takes the room that is left."""
    total = cost.total if cost is not None else None
    parameters = opened.parameters if total is None or not opened.parameters else total.parameters
    batch = cost.batch if cost is not None else 1
    pictures = f"{batch} pictures" if batch > 1 else "one picture"

    def of(layer: LayerInfo) -> LayerCost | None:
        return cost.of(layer.name) if cost is not None else None

    def figure(key: str) -> Callable[[LayerInfo], Any]:
        return lambda layer: getattr(found, key) if (found := of(layer)) is not None else None

    def weights(layer: LayerInfo) -> int:
        found = of(layer)
        return layer.parameters if found is None else found.parameters

    def seen(layer: LayerInfo) -> tuple[int, int] | None:
        found = layer.receptive_field
        return found.size if found is not None else None

    def stride(layer: LayerInfo) -> tuple[int, int] | None:
        found = layer.receptive_field
        return found.stride if found is not None and found.stride != (0, 0) else None

    return (
        OUTPUT,
        LayerColumn("parameters", weights, lambda n: f"{n:,}" if n else "–",
                    "Weights and biases in the layer and below it", True, parameters),
        LayerColumn("%", lambda layer: 100 * weights(layer) / max(parameters, 1),
                    lambda share: f"{share:.1f}" if share else "–", "Share of all parameters in per cent", True,
                    100 if parameters else ""),
        LayerColumn("flops", figure("flops"), flops_text, f"Operations for {pictures}: multiply-adds times two", True,
                    total.flops if total is not None else ""),
        LayerColumn("field", seen, _pair_text, "Receptive field: pixels of the input that a unit depends on", True),
        LayerColumn("stride", stride, _pair_text, "Pixels of the input from one unit to the next", True),
        LayerColumn("activations", figure("activation_memory"), _size_text, f"Memory of the outputs for {pictures}",
                    True, total.activation_memory if total is not None else ""),
        LayerColumn("weights", figure("parameter_memory"), _size_text, "Memory of the parameters", True,
                    total.parameter_memory if total is not None else ""),
        DOES,
    )  # fmt: skip


def captions(layers: Sequence[LayerInfo], cost: Cost | None) -> Mapping[str, Caption]:
    """What the graph writes into its nodes; the bar is the share of the flops."""
    whole = max(cost.total.flops, 1) if cost is not None else 1
    found = {}
    for layer in layers:
        one = cost.of(layer.name) if cost is not None else None
        told = [text for text in (flops_text(one.flops) + " flops" if one is not None and one.flops else "",) if text]
        given = " · ".join([shape_text(layer.output_shape), *told])
        tip = [f"{layer.name} · {does_text(layer)}", f"output {shape_text(layer.output_shape)}"]
        if one is not None:
            tip += [
                f"{one.parameters:,} parameters, {_size_text(one.parameter_memory)}",
                f"{one.flops:,} flops, {100 * one.flops / whole:.1f} % of all",
                f"activations {_size_text(one.activation_memory)}",
            ]
            if one.receptive_field is not None:
                tip.append(f"a unit sees {_pair_text(one.receptive_field)} pixels")
        share = one.flops / whole if one is not None else 0.0
        short = layer.name.rpartition(".")[2]
        title = f"{short} · {layer.type}" if short.isdigit() or layer.kind == "container" else short
        found[layer.name] = Caption(title, (does_text(layer), given), layer.kind, share, "\n".join(tip))
    return found


def total_text(opened: Inspected, cost: Cost | None) -> tuple[str, str]:
    """The whole network in a line, and in a shorter one."""
    if not opened.parameters and (cost is None or not cost.total.flops):
        return "no parameters: nothing is trained by gradient", "no parameters"
    memory = size(4 * opened.parameters)
    if cost is None:
        return f"total {opened.parameters:,} parameters · {memory} as float32", f"{opened.parameters:,} parameters"
    total = cost.total
    parts = [
        f"total {total.parameters:,} parameters · {size(total.parameter_memory)}",
        f"{flops_text(total.flops)} flops",
        f"activations {_size_text(total.activation_memory)}",
    ]
    return " · ".join(parts), f"{total.parameters:,} parameters · {flops_text(total.flops)} flops"


def matches(layer: LayerInfo, words: Sequence[str]) -> bool:
    """Whether every word stands in what there is to say of a layer."""
    text = f"{layer.name} {layer.type} {layer.kind} {layer.detail}".lower()
    return all(word in text for word in words)
