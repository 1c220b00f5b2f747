"""The excitation probe: the weight that squeeze-and-excitation blocks give each channel for the picture."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError

if TYPE_CHECKING:  # these load torch, and this module is imported before the first paint
    from guiapp.interpret.base import Look
    from guiapp.interpret.layers import LayerInfo

_BLOCK = re.compile(r"Squeeze|^SE([A-Z]|$)|^Eca|EffectiveSE|ChannelAttention|ChannelAttn")
"""How classes of blocks that weigh channels are called, in torchvision, timm and here."""
_MOST = 400
_BATCH = 50


@dataclass(frozen=True)
class ExcitationOptions:
    """What the excitation probe shows."""

    block: str = field(default="", metadata={"help": "name of one block, or of a layer in it; empty for all blocks"})


@dataclass(frozen=True, eq=False)
class ExcitationView:
    """Result of the excitation probe.

    Attributes:
        blocks: Names of the blocks in the order of the forward pass.
        weights: float32 (C,) for each block, the factor of each channel for the picture.
        step: Training step of the weights, or None.
    """

    blocks: tuple[str, ...]
    weights: tuple[npt.NDArray[np.float32], ...]
    step: int | None


@dataclass(frozen=True, eq=False)
class ExcitationMeans:
    """Mean weights over samples of a data set (Hu et al. 2017, figure 5).

    Attributes:
        blocks: Names of the blocks.
        classes: Names of the classes.
        means: float32 (classes, C) for each block; NaN for a class without samples.
        count: Samples that were looked at.
    """

    blocks: tuple[str, ...]
    classes: tuple[str, ...]
    means: tuple[npt.NDArray[np.float32], ...]
    count: int


def gates(layers: Sequence[LayerInfo]) -> dict[str, str]:
    """The blocks that weigh channels, each with the layer in it whose output is the weights."""
    found: dict[str, str] = {}
    for block in layers:
        if not _BLOCK.search(block.type) or not block.output_shape:
            continue
        for layer in layers:
            flat = layer.output_shape[:1] == block.output_shape[:1] and set(layer.output_shape[1:]) <= {1}
            if layer.name.startswith(f"{block.name}.") and flat:
                found[block.name] = layer.name  # the last one: the gate after the layers before it
    return found


def chosen_gates(layers: Sequence[LayerInfo], wanted: str) -> dict[str, str]:
    """The blocks that a name means: the one of that name or that holds it; all for an empty name."""
    found = gates(layers)
    if not wanted:
        return found
    return {name: gate for name, gate in found.items() if wanted == name or wanted.startswith(f"{name}.")}


def excitation_layers(layers: Sequence[LayerInfo], options: ExcitationOptions | None) -> tuple[str, ...]:
    """The layers whose outputs are the weights."""
    return tuple(chosen_gates(layers, options.block if options else "").values())


def run(look: Look, options: ExcitationOptions | None = None) -> ExcitationView:
    """The weights of the blocks for the picture.

    Raises:
        UserError: If the network has no such block.
    """
    wanted = options.block if options else ""
    found = chosen_gates(look.layers, wanted)
    there = {name: look.activations[gate] for name, gate in found.items() if gate in look.activations}
    if not there:
        what = (
            f"{wanted} is in no block that weighs channels"
            if wanted
            else "this network has no block that weighs channels"
        )
        raise UserError(f"{what}: open the small SENet, MobileNet v3 or EfficientNet")
    weights = tuple(output[0].detach().float().cpu().numpy().reshape(-1) for output in there.values())
    return ExcitationView(tuple(there), weights, look.step)


def means(
    module: Any, layers: Sequence[LayerInfo], batches: Any, labels: Collection[int], classes: tuple[str, ...]
) -> Generator[tuple[float, str], None, ExcitationMeans]:
    """Mean weights of every block for every class, a batch at a time.

    Args:
        module: The network in evaluation mode.
        layers: Its layers.
        batches: Called with first and last index of samples; gives their inputs.
        labels: Class of each sample.
        classes: Names of the classes.

    Yields:
        Share done and words.

    Raises:
        UserError: If the network has no such block.
    """
    import torch

    from guiapp.interpret import capture

    found, known = gates(layers), np.asarray(list(labels))
    if not found:
        raise UserError("this network has no block that weighs channels")
    sums: dict[str, npt.NDArray[np.float64]] = {}
    for start in range(0, len(known), _BATCH):
        yield start / len(known), f"sample {start} of {len(known)}"
        with torch.no_grad():
            _, kept = capture.run(module, batches(start, min(start + _BATCH, len(known))), list(found.values()))
        for name, gate in found.items():
            values = kept[gate].float().cpu().numpy()
            values = values.reshape(len(values), -1)
            total = sums.setdefault(name, np.zeros((len(classes), values.shape[1])))
            np.add.at(total, known[start : start + len(values)], values)
    counts = np.bincount(known, minlength=len(classes)).astype(np.float64)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        result = tuple((sums[name] / counts).astype(np.float32) for name in found)
    return ExcitationMeans(tuple(found), classes, result, len(known))
