"""The groups probe: convolutions whose channels are split into groups, and what the dense ones would cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError

if TYPE_CHECKING:  # these load torch, and this module is imported before the first paint
    import torch

    from guiapp.interpret.atlas import Atlas
    from guiapp.interpret.base import Look
    from guiapp.interpret.cost_run import Measured

_MOST_CELLS = 256  # of the picture of connections along a side
_REPEATS = 7


@dataclass(frozen=True)
class GroupOptions:
    """Which convolution the groups probe looks at closely."""

    layer: str = field(default="", metadata={"help": "a grouped convolution; empty for the first"})


@dataclass(frozen=True)
class GroupedConv:
    """A convolution and its dense twin: the same kernel, with every output channel reading every input channel.

    Attributes:
        name: Qualified name.
        inputs, outputs: Channels.
        groups: Parts; as many as inputs where it is depthwise.
        kernel: Height and width.
        output: Height and width of its output.
        parameters, flops: Its own, multiply-adds times two for one picture.
        dense_parameters, dense_flops: Those of the dense twin.
    """

    name: str
    inputs: int
    outputs: int
    groups: int
    kernel: tuple[int, ...]
    output: tuple[int, ...]
    parameters: int
    flops: int
    dense_parameters: int
    dense_flops: int

    @property
    def depthwise(self) -> bool:
        """Whether each group holds one input channel."""
        return self.groups == self.inputs


@dataclass(frozen=True, eq=False)
class GroupView:
    """Result of the groups probe.

    Attributes:
        layers: The grouped convolutions.
        convolutions: Number of all convolutions.
        parameters, flops: Of the whole network.
        dense_parameters, dense_flops: Of the network with every grouped convolution made dense.
        layer: The convolution that ``connections`` shows.
        connections: One tile (outputs, inputs): mean |weight|, averaged over neighbours where there are many channels;
            not a number where nothing connects them. None without grouped convolutions.
    """

    layers: tuple[GroupedConv, ...]
    convolutions: int
    parameters: int
    flops: int
    dense_parameters: int
    dense_flops: int
    layer: str
    connections: Atlas | None


@dataclass(frozen=True)
class Timing:
    """Time of a convolution and of its dense twin on this machine, in milliseconds, medians."""

    name: str
    grouped: float
    dense: float


def grouped(measured: Measured) -> tuple[tuple[GroupedConv, ...], int]:
    """The grouped convolutions of a network that was counted, and the number of all convolutions."""
    found, count = [], 0
    shapes = {layer.name: layer.output_shape for layer in measured.layers}
    for name, figures in measured.figures.items():
        window, output = figures.window, shapes.get(name, ())
        if window is None or not window.groups:
            continue
        count += 1
        if window.groups == 1 or not figures.given or not output:
            continue
        biases = output[0] if window.biases else 0
        weights = figures.parameters - biases
        found.append(
            GroupedConv(
                name=name,
                inputs=figures.given[0],
                outputs=output[0],
                groups=window.groups,
                kernel=tuple(window.kernel),
                output=tuple(output[1:]),
                parameters=figures.parameters,
                flops=figures.flops,
                dense_parameters=weights * window.groups + biases,
                dense_flops=figures.flops * window.groups,
            )
        )
    return tuple(found), count


def connections(weight: torch.Tensor, groups: int) -> npt.NDArray[np.float32]:
    """Mean |weight| from each input to each output channel.

    Args:
        weight: (outputs, inputs / groups, kernel …).
        groups: Parts.

    Returns:
        float32 (rows, columns), at most 256 a side: neighbours are averaged; NaN where nothing is connected.
    """
    strength = weight.detach().float().abs().flatten(2).mean(2).cpu().numpy()
    outputs, inside = strength.shape
    inputs = inside * groups
    rows, columns = min(outputs, _MOST_CELLS), min(inputs, _MOST_CELLS)
    sums, counts = np.zeros((2, rows, columns))
    row = np.arange(outputs) * rows // outputs
    first = np.arange(outputs) // (outputs // groups) * inside
    column = (first[:, None] + np.arange(inside)[None]) * columns // inputs
    np.add.at(sums, (np.broadcast_to(row[:, None], column.shape), column), strength)
    np.add.at(counts, (np.broadcast_to(row[:, None], column.shape), column), 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).astype(np.float32)


def view_of(model: Any, measured: Measured, wanted: str = "") -> GroupView:
    """The grouped convolutions of a network with the connections of one of them."""
    import torch

    from guiapp.interpret.atlas import make_atlas
    from guiapp.interpret.cost import cost_of

    found, count = grouped(measured)
    total = cost_of(measured).total
    names = [conv.name for conv in found]
    layer = wanted if wanted in names else names[0] if names else ""
    atlas = None
    if layer:
        module = model.get_submodule(layer)
        atlas = make_atlas(torch.from_numpy(connections(module.weight, module.groups))[None], signed=False)
    return GroupView(
        found, count, total.parameters, total.flops,
        total.parameters + sum(conv.dense_parameters - conv.parameters for conv in found),
        total.flops + sum(conv.dense_flops - conv.flops for conv in found), layer, atlas,
    )  # fmt: skip


def run(look: Look, options: GroupOptions | None = None) -> GroupView:
    """List the grouped convolutions of the network that is looked at."""
    from guiapp.interpret.cost_run import measure

    given = look.input
    size = look.preprocessing.size if given is None else tuple(given.shape[1:])
    return view_of(look.model, measure(look.model, size), options.layer if options else "")


def timing(model: Any, conv: GroupedConv, given: Sequence[int]) -> Generator[tuple[float, str], None, Timing]:
    """Measure a convolution of a network and its dense twin on noise, in turn.

    Args:
        model: The network.
        conv: The convolution.
        given: Height and width of what it is given.

    Yields:
        Share done and words.

    Raises:
        UserError: If the dense twin would not fit into 2 GiB.
    """
    import torch
    from torch import nn

    if conv.dense_parameters * 4 > 2**31:
        raise UserError(f"the dense twin of {conv.name} would take {conv.dense_parameters * 4 / 2**30:.0f} GiB")
    own = model.get_submodule(conv.name)
    first = own.weight
    kind: Any = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}[first.ndim]
    twin = kind(
        own.in_channels, own.out_channels, own.kernel_size, own.stride, own.padding, own.dilation,
        bias=own.bias is not None, device=first.device, dtype=first.dtype,
    ).requires_grad_(False)  # fmt: skip
    x = torch.zeros(1, conv.inputs, *given, device=first.device, dtype=first.dtype)
    times: dict[str, list[float]] = {"grouped": [], "dense": []}
    for repeat in range(_REPEATS + 1):  # the first of each warms up
        for name, module in (("grouped", own), ("dense", twin)):
            yield repeat / (_REPEATS + 1), f"{name} convolution"
            with torch.no_grad():
                started = time.perf_counter()
                module(x)
                if first.device.type == "cuda":
                    torch.cuda.synchronize()
                times[name].append((time.perf_counter() - started) * 1000)
    medians = [statistics.median(times[name][1:]) for name in ("grouped", "dense")]
    return Timing(conv.name, *medians)
