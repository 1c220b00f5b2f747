"""The cost probe: output size, parameters, flops, memory, receptive field and stride of every layer of any network.

Two conventions give the figures of one run of the network (``interpret.cost_run``):

- ``"torch"``: flops as ``torch.utils.flop_counter`` counts them, multiply-adds times two of convolutions, matrix
  products and attention; parameters as they are; the memory of parameters and of what each layer hands on, once, in
  their own type, nothing where a layer writes over its input or only sees it in another shape. The flops of an
  attention layer are those of its plain way: in evaluation mode without gradients PyTorch's CPU takes a fused one that
  its counter misses.
- ``"text"``: as the tables of course text 1, section 7, count: pooling costs one operation for each number in each
  window; a dense layer has a bias for each of its *inputs*; activations and parameters take 4 bytes, activations twice
  (value and gradient), parameters three times (value, gradient, momentum); activations are those of convolution,
  pooling and dense layers (what is between them is done in place), and of branches that are joined, those that are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guiapp.interpret.cost_options import Convention, CostOptions
from guiapp.interpret.cost_run import Figures, Measured, Window, measure

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.base import Look
    from guiapp.interpret.layers import LayerInfo
    from guiapp.interpret.receptive_field import ReceptiveField
    from guiapp.models.zoo.open import OpenedModel

_KEPT = ("conv", "dense", "pool", "attention", "embedding", "recurrent")
"""Kinds whose outputs course text 1 counts as memory: the others write over their input."""
NOT_RUN = "not run"
"""Type of what has weights and takes no part in a prediction, such as heads that only help to train."""
_VALUES, _COPIES = 2, 3  # in memory, by text 1: value and gradient; value, gradient and momentum
_FLOAT = 4
_NOISE = (480, 640, 3)


@dataclass(frozen=True)
class LayerCost:
    """What a layer, or a block with all that it holds, costs.

    Attributes:
        name: Qualified name; of what is done outside of any layer that of the module that does it, ``""`` for the
            network.
        type: Class name.
        output: Shape of its output without the batch, channels first.
        parameters: Weights and biases.
        flops: Of the whole batch.
        activation_memory: Bytes of its output for the whole batch; of a block those of all that it holds.
        parameter_memory: Bytes.
        receptive_field: Height and width in pixels of the input, or None where it is not known.
        stride: Pixels of the input from one unit to the next, rows and columns; (0, 0) where all units see the same.
        window: Kernel, step and padding of a convolution or a pooling.
        block: Whether it holds other layers.
    """

    name: str
    type: str
    output: tuple[int, ...]
    parameters: int
    flops: int
    activation_memory: int
    parameter_memory: int
    receptive_field: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    window: Window | None = None
    block: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain data; both numbers of a pair that are the same become one."""
        window = self.window
        return {
            "name": self.name,
            "type": self.type,
            "output": list(self.output),
            "parameters": self.parameters,
            "flops": self.flops,
            "activation_memory": self.activation_memory,
            "parameter_memory": self.parameter_memory,
            "receptive_field": one_of(self.receptive_field),
            "stride": one_of(self.stride),
            "kernel": one_of(window.kernel) if window else None,
            "step": one_of(window.step) if window else None,
            "padding": one_of(window.padding) if window else None,
        }


@dataclass(frozen=True)
class Cost:
    """The cost of a network.

    Attributes:
        layers: What computes, in the order of the run: layers that hold no other, and what blocks do and hold
            themselves. Flops, parameters and memory of ``total`` are their sums, but parameters that several share
            count once in it.
        blocks: Those that hold others, each with the sum of what is in it.
        total: Of the network; ``total.output`` is empty.
        batch: Pictures at once.
        convention: See the module.
        input: Shape of the input; ``input_memory``: bytes of a batch of it, which no total holds.
        by_shapes: Whether only shapes were computed; else it was run on one picture, and a batch is so many times that.
    """

    layers: tuple[LayerCost, ...]
    blocks: tuple[LayerCost, ...]
    total: LayerCost
    batch: int
    convention: Convention
    input: tuple[int, ...]
    input_memory: int
    by_shapes: bool = True

    def of(self, name: str) -> LayerCost | None:
        """What a layer or a block of that name costs."""
        return self._named.get(name)

    @property
    def _named(self) -> Mapping[str, LayerCost]:
        found = self.__dict__.get("_found")
        if found is None:
            found = {cost.name: cost for cost in (*self.layers, *self.blocks)}
            object.__setattr__(self, "_found", found)
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain data as ``guiapp probe cost --json`` gives it; flops and bytes are of the whole batch."""
        total = self.total.as_dict()
        sums = {key: total[key] for key in ("parameters", "flops", "activation_memory", "parameter_memory")}
        return {
            "layers": [layer.as_dict() for layer in self.layers],
            "blocks": [block.as_dict() for block in self.blocks],
            "total": {**sums, "input_memory": self.input_memory},
            "batch": self.batch,
            "convention": self.convention,
            "input": list(self.input),
        }


def one_of(pair: Sequence[int] | None) -> int | list[int] | None:
    """``11`` for (11, 11), ``[3, 5]`` for others, None for None."""
    if pair is None:
        return None
    return pair[0] if len(set(pair)) == 1 else list(pair)


def cost_of(measured: Measured, batch: int = 1, convention: Convention = "torch") -> Cost:
    """The figures of a measured network for so many pictures, by a convention."""
    holds = {layer.parent for layer in measured.layers}
    known = {layer.name for layer in measured.layers}
    counted = _counted(measured, holds)
    own = {name: _own(figures, batch, convention, name in counted) for name, figures in measured.figures.items()}
    inside = _inside(measured.figures, known)
    layers, blocks = [], []
    if not measured.layers:  # a program that cannot be looked into
        layers.append(_layer("", "network", (), _sum(own.values()), None, None))
    elif any(own.get("", ())):
        layers.append(_layer("", "network", (), own[""], None, None))
    unlisted = dict.fromkeys(name.partition(".")[0] for name in own if name and not _nearest(name, known))
    for name in unlisted if measured.layers else ():
        sums = _sum(own[other] for other in own if f"{other}.".startswith(f"{name}."))
        layers.append(_layer(name, NOT_RUN, (), sums, None, None))
    for layer in measured.layers:
        names = inside.get(layer.name, ())
        window = measured.figures[layer.name].window if layer.name in measured.figures else None
        field = layer.receptive_field
        if layer.name in holds:
            alone = [name for name in names if name == layer.name or _nearest(name, known) == layer.name]
            rest = _sum(own[name] for name in alone)
            if any(rest):
                layers.append(_layer(layer.name, layer.type, layer.output_shape, rest, field, None))
            sums = _sum(own[name] for name in names)
            blocks.append(_layer(layer.name, layer.type, layer.output_shape, sums, field, None, block=True))
        else:
            sums = _sum(own[name] for name in names)
            layers.append(_layer(layer.name, layer.type, layer.output_shape, sums, field, window))
    flops, activations, parameters, memory = _sum(own.values())
    shared = sum(figures.parameters for figures in measured.figures.values()) - measured.parameters
    if shared > 0:
        parameters -= shared
        memory = parameters * _COPIES * _FLOAT if convention == "text" else measured.parameter_bytes
    total = LayerCost("", "total", (), parameters, flops, activations, memory)
    fed = measured.input_bytes if convention == "torch" else measured.input_bytes and _numbers(measured.input) * _FLOAT
    return Cost(tuple(layers), tuple(blocks), total, batch, convention, measured.input, fed * batch, measured.by_shapes)


_Sums = tuple[int, int, int, int]
"""Flops, activation memory, parameters, parameter memory."""


def _own(figures: Figures, batch: int, convention: Convention, counted: bool) -> _Sums:
    """What is counted in one module itself."""
    if convention == "torch":
        flops = figures.flops * batch + figures.fixed
        return flops, figures.bytes * batch, figures.parameters, figures.parameter_bytes
    parameters = figures.parameters
    if figures.dense is not None:
        parameters += figures.dense[0] - figures.dense[1]
    flops = (figures.flops + figures.pooling) * batch + figures.fixed
    activations = figures.numbers * _FLOAT * _VALUES * batch if counted else 0
    return flops, activations, parameters, parameters * _FLOAT * _COPIES


def _sum(parts: Iterable[_Sums]) -> _Sums:
    flops = activations = parameters = memory = 0
    for part in parts:
        flops, activations = flops + part[0], activations + part[1]
        parameters, memory = parameters + part[2], memory + part[3]
    return flops, activations, parameters, memory


def _layer(
    name: str, type: str, output: tuple[int, ...], sums: _Sums, field: ReceptiveField | None, window: Window | None,
    block: bool = False,
) -> LayerCost:  # fmt: skip
    flops, activations, parameters, memory = sums
    size, stride = (field.size, field.stride) if field is not None else (None, None)
    return LayerCost(name, type, output, parameters, flops, activations, memory, size, stride, window, block)


def _nearest(name: str, known: Iterable[str]) -> str:
    """The listed module that is or holds the one of that name: some are never called, only their weights are used."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def _inside(figures: Mapping[str, Figures], known: set[str]) -> dict[str, list[str]]:
    """For each listed module the names of those counted in it and below."""
    found: dict[str, list[str]] = {}
    for name in figures:
        holder = name
        while holder:
            if holder in known:
                found.setdefault(holder, []).append(name)
            holder = holder.rpartition(".")[0]
    return found


def _counted(measured: Measured, holds: set[str]) -> set[str]:
    """Layers whose outputs text 1 counts; of modules whose branches are joined, the last of each branch."""
    idle = {name for name, figures in measured.figures.items() if not figures.pooling}  # pools to the size they get
    found = [
        layer
        for layer in measured.layers
        if layer.name not in holds and layer.kind in _KEPT and not (layer.kind == "pool" and layer.name in idle)
    ]
    shapes = {layer.name: layer.output_shape for layer in measured.layers}
    names = {layer.name for layer in found}
    for block in measured.layers:
        if not block.detail.endswith(" joined") or not _only_branches(block, measured.layers):
            continue
        for branch in (layer for layer in measured.layers if layer.parent == block.name):
            inner = [layer.name for layer in found if f"{layer.name}.".startswith(f"{branch.name}.")]
            last = next((name for name in reversed(inner) if shapes[name] == branch.output_shape), None)
            names.difference_update(name for name in inner if name != last)
    return names


def _only_branches(block: LayerInfo, layers: Sequence[LayerInfo]) -> bool:
    """Whether its channels are those of its branches; a dense block also gives on what it was given."""
    parts = [layer.output_shape[0] for layer in layers if layer.parent == block.name]
    return bool(block.output_shape) and block.output_shape[0] == sum(parts)


def _numbers(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def measure_published(opened: OpenedModel, picture: Picture | None = None) -> Measured:
    """Count a published network, for the size that it takes; detectors and clips are run on a picture.

    Args:
        opened: The network; on the meta device, without weights, it is never run.
        picture: What it is run on where it takes pictures of any size; by default one of noise.
    """
    import numpy as np
    import torch

    from guiapp.tasks.live_options import make_live_task

    pixels = picture.pixels if picture is not None else np.random.default_rng(0).integers(0, 256, _NOISE, np.uint8)
    task = make_live_task(opened.entry.task, opened.labels, opened.entry)
    device = "cpu" if opened.device.type == "meta" else opened.device
    inputs = opened.prepare(pixels, device)
    size = tuple(inputs.shape[1:]) if isinstance(inputs, torch.Tensor) and task.frames == 1 else None

    def call(module: Any) -> None:
        for _ in range(task.frames):
            task.run(module, inputs, (pixels.shape[1], pixels.shape[0]))

    return measure(opened.module, size, call)


def run(look: Look, options: CostOptions | None = None) -> Cost:
    """Count the network of a look; gradients are not needed and nothing of it changes."""
    options = options or CostOptions()
    given = look.input
    size = look.preprocessing.size if given is None else tuple(given.shape[1:])
    return cost_of(measure(look.model, size), options.batch, options.convention)
