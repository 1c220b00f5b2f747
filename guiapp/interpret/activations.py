"""The activations probe: what every map of a layer answers to the picture, as one atlas, with its statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from guiapp.interpret.atlas import Atlas, make_atlases
from guiapp.interpret.base import Look
from guiapp.interpret.options import ActivationOptions

SATURATED = 0.97  # |tanh| above this has a slope under 0.06 of the steepest; the same shares hold for the sigmoid


@dataclass(frozen=True)
class Statistics:
    """Numbers on the outputs of one layer for one picture.

    Attributes:
        mean, deviation, low, high: Over all outputs; the deviation divides by their number.
        zeros: Share of outputs that are exactly zero (after ReLU: units that are off), 0 to 1.
        saturated: Share of outputs on the flat ends of a tanh or sigmoid, 0 to 1; None for other layers.
        dead: Number of maps (or units) that are zero everywhere.
    """

    mean: float
    deviation: float
    low: float
    high: float
    zeros: float
    saturated: float | None
    dead: int


@dataclass(frozen=True, eq=False)
class ActivationView:
    """Result of the activations probe.

    Attributes:
        atlases: One atlas a layer, in the order of the layers: (C, h, w) as maps, (C,) as squares.
        statistics: The same layers' statistics.
        step: Training step of the weights, or None.
    """

    atlases: Mapping[str, Atlas]
    statistics: Mapping[str, Statistics]
    step: int | None


def as_maps(output: torch.Tensor) -> torch.Tensor:
    """The output of a layer for one picture as maps (C, h, w) or units (C,).

    Tokens (1, T, D) become one map of T rows; clips (1, C, T, h, w) become C T maps.
    """
    output = output[0] if output.ndim > 1 else output
    if output.ndim == 2:
        return output[None]
    return output if output.ndim < 4 else output.flatten(0, -3)


def statistics(output: torch.Tensor, kind: str = "") -> Statistics:
    """Statistics of a layer's output for one picture.

    Args:
        output: (1, ...), what the layer gave.
        kind: Class name of the layer: ``"Tanh"`` and ``"Sigmoid"`` have a share of saturated outputs.
    """
    maps = as_maps(output.detach()).float()
    flat = maps.reshape(len(maps), -1)
    deviation, mean = torch.std_mean(flat, correction=0)
    low, high = flat.aminmax()
    zero = flat == 0
    saturated = None
    if kind in ("Tanh", "Sigmoid"):
        edge = flat.abs() if kind == "Tanh" else (2 * flat - 1).abs()
        saturated = float((edge > SATURATED).float().mean())
    zeros = float(zero.float().mean())
    dead = int(zero.all(1).sum()) if zeros else 0
    return Statistics(float(mean), float(deviation), float(low), float(high), zeros, saturated, dead)


def run(look: Look, options: ActivationOptions | None = None) -> ActivationView:
    """Show the kept outputs of the chosen layer, or of all layers.

    Args:
        look: Its ``activations`` hold the layers; those that did not run are left out.
        options: The layer, the scale and the shape of the atlas.
    """
    options = options or ActivationOptions()
    types = {layer.name: layer.type for layer in look.layers}
    wanted = [options.layer] if options.layer else list(types)
    outputs = {name: look.activations[name] for name in wanted if name in look.activations}
    maps = {name: as_maps(output) for name, output in outputs.items()}
    atlases = make_atlases(maps, aspect=options.aspect, scale=options.scale)
    numbers = {name: statistics(output, types.get(name, "")) for name, output in outputs.items()}
    return ActivationView(atlases, numbers, look.step)
