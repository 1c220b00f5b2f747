"""The connections probe: how strongly each layer of a dense block reads each one before it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.base import Look
from guiapp.interpret.layers import LayerInfo
from guiapp.interpret.options import BLOCK, ConnectionOptions


@dataclass(frozen=True, eq=False)
class ConnectionView:
    """Result of the connections probe (Huang et al. 2016, figure 5).

    Attributes:
        layer: Name of the dense block.
        sources: What is read: ``"input"``, then the layers of the block by their numbers.
        channels: Maps that each source gives.
        targets: What reads: the layers by their numbers, then what stands after the block, where that reads all of it.
        readers: Names of the layers whose weights those are, in the order of the targets.
        strength: float32 (sources, targets), mean |weight| over the maps of the source and all outputs of the target;
            NaN where there is no connection.
    """

    layer: str
    sources: tuple[str, ...]
    channels: tuple[int, ...]
    targets: tuple[str, ...]
    readers: tuple[str, ...]
    strength: npt.NDArray[np.float32]


def run(look: Look, options: ConnectionOptions | None = None) -> ConnectionView:
    """Measure the dense block that holds the chosen layer, or the nearest one before it, else the first.

    Weights are taken as they are; the normalisation before them scales each map once more.

    Raises:
        UserError: If the network has no dense block.
    """
    options = options or ConnectionOptions()
    name = block_of(look.layers, options.layer)
    block = look.model.get_submodule(name)
    layers = [(f"{name}.{child}", module) for child, module in block.named_children()]
    readers = [(f"{held}.{inner}", conv) for held, layer in layers for inner, conv in _first(layer)]
    growth = _last(layers[-1][1]).out_channels
    first = readers[0][1].in_channels
    channels = (first, *(growth for _ in layers))
    after = _after(look, name, sum(channels))
    numbers = tuple(str(index + 1) for index in range(len(layers)))
    beside = name.rpartition(".")[0] + "."
    targets = (*numbers, *(held.removeprefix(beside).split(".")[0] for held, _ in after))
    strength = np.full((len(channels), len(readers) + len(after)), np.nan, np.float32)
    bounds = np.cumsum((0, *channels))
    for column, (_, module) in enumerate([*readers, *after]):
        each = module.weight.detach().float().abs().transpose(0, 1).flatten(1).mean(1)  # of each map that is read
        for row, (begin, end) in enumerate(itertools.pairwise(bounds)):
            if end <= len(each):
                strength[row, column] = float(each[begin:end].mean())
    names = tuple(held for held, _ in [*readers, *after])
    return ConnectionView(name, ("input", *numbers), channels, targets, names, strength)


def block_of(layers: Sequence[LayerInfo], chosen: str) -> str:
    """Name of the dense block that holds a layer, else of the nearest before it, else of the first.

    Raises:
        UserError: If there is none.
    """
    names = [layer.name for layer in layers]
    blocks = [layer.name for layer in layers if layer.type.endswith(BLOCK)]
    if not blocks:
        raise UserError("this looks at the dense blocks of a DenseNet: this network has none")
    before = names[: names.index(chosen) + 1] if chosen in names else []
    return next((name for name in reversed(before) if name in blocks), blocks[0])


def _first(layer: nn.Module) -> list[tuple[str, nn.Conv2d]]:
    """The convolution of a dense layer that reads what came before, with its name in the layer."""
    return [(name, module) for name, module in layer.named_modules() if isinstance(module, nn.Conv2d)][:1]


def _last(layer: nn.Module) -> nn.Conv2d:
    return [module for module in layer.modules() if isinstance(module, nn.Conv2d)][-1]


def _after(look: Look, block: str, channels: int) -> list[tuple[str, nn.Conv2d | nn.Linear]]:
    """The next layer with weights after a block, where it reads all of its maps."""
    names = [layer.name for layer in look.layers]
    last = max(index for index, name in enumerate(names) if name == block or name.startswith(f"{block}."))
    for name in names[last + 1 :]:
        module = look.model.get_submodule(name)
        if isinstance(module, nn.Conv2d | nn.Linear):
            reads = module.in_channels if isinstance(module, nn.Conv2d) else module.in_features
            return [(name, module)] if reads == channels else []
    return []
