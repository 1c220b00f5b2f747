"""The activations probe: what every map of a layer answers to the picture, as one atlas, with its statistics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from guiapp.interpret.atlas import Atlas, make_atlas, make_atlases
from guiapp.interpret.base import Look
from guiapp.interpret.layers import LayerInfo
from guiapp.interpret.maps import Film, as_maps, film_of
from guiapp.interpret.options import ActivationOptions

_CACHED = 2**18  # numbers worked on at a time: a megabyte stays in the cache of one core
_FILM_GAP = 3  # pixels between tiles that hold gaps themselves
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
        corners: Row and column of the first unit that is shown, for layers whose maps are cut to a region.
        films: For layers over time, whose tiles hold a channel's pictures of all moments, where those lie.
        notes: What was changed to show a layer as maps, in words, for layers of tokens.
    """

    atlases: Mapping[str, Atlas]
    statistics: Mapping[str, Statistics]
    step: int | None
    corners: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    films: Mapping[str, Film] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


class _Statistics(Mapping[str, Statistics]):
    """Statistics by layer, computed when they are asked for: a tree of a hundred layers shows one at a time."""

    def __init__(
        self, atlases: Mapping[str, Atlas], layers: Sequence[LayerInfo], clips: Mapping[str, torch.Tensor]
    ) -> None:
        self._atlases, self._layers, self._clips = atlases, layers, clips
        self._known: dict[str, Statistics] = {}

    def __getitem__(self, layer: str) -> Statistics:
        if layer not in self._known:
            kind = next((found.type for found in self._layers if found.name == layer), "")
            clip = self._clips.get(layer)  # its tiles hold gaps, which are no outputs
            values = self._atlases[layer].values if clip is None else clip.float().cpu().numpy()
            self._known[layer] = statistics(values, kind)
        return self._known[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._atlases)

    def __len__(self) -> int:
        return len(self._atlases)


def statistics(values: npt.NDArray[np.float32], kind: str = "") -> Statistics:
    """Statistics of a layer's output for one picture.

    Args:
        values: (C, h, w), C maps or units.
        kind: Class name of the layer: ``"Tanh"`` and ``"Sigmoid"`` have a share of saturated outputs.
    """
    # Each of these is the fastest of its kind: 3 million outputs take 1.6 ms, with torch.std_mean alone 18.
    maps = torch.from_numpy(values).reshape(len(values), -1)
    lows, highs = maps.amin(1), maps.amax(1)
    mean = float(maps.mean())
    deviation = _deviation(maps.reshape(-1), mean)
    saturated = None
    if kind in ("Tanh", "Sigmoid"):
        edge = maps.abs() if kind == "Tanh" else (2 * maps - 1).abs()
        saturated = np.count_nonzero((edge > SATURATED).numpy()) / maps.numel()
    zeros = 1 - np.count_nonzero(maps.numpy() != 0) / maps.numel()
    dead = int(((lows == 0) & (highs == 0)).sum())
    return Statistics(mean, deviation, float(lows.min()), float(highs.max()), zeros, saturated, dead)


def _deviation(numbers: torch.Tensor, mean: float) -> float:
    """Root of the mean squared distance from ``mean``, a part at a time, each in the processor's cache."""
    parts = torch.split(numbers, _CACHED)
    square = sum(float(torch.dot(part, part)) for part in parts) / len(numbers)
    variance = square - mean * mean
    if not variance > 1e-3 * square:  # the difference of two nearly equal numbers has lost its digits
        variance = sum(float((part - mean).norm()) ** 2 for part in parts) / len(numbers)
    return math.sqrt(variance)


def run(look: Look, options: ActivationOptions | None = None) -> ActivationView:
    """Show the kept outputs of the chosen layer, or of all layers.

    Args:
        look: Its ``activations`` hold the layers; those that did not run are left out.
        options: The layer, the scale and the shape of the atlas.
    """
    options = options or ActivationOptions()
    wanted = [options.layer] if options.layer else [layer.name for layer in look.layers]
    outputs = {name: look.activations[name] for name in wanted if name in look.activations}
    corners, notes, clips, films = {}, {}, {}, {}
    known = {layer.name: layer for layer in look.layers if layer.channels_last}
    unusual = [name for name, output in outputs.items() if output.ndim not in (2, 4) or name in known]
    if unusual:  # a small network is looked at in 0.2 ms: nothing is asked of each of its layers in vain
        known = {layer.name: layer for layer in look.layers}
        for name in unusual:
            outputs[name], note = as_maps(outputs[name], known.get(name), look.layers, look.preprocessing.size[1:])
            if note:
                notes[name] = note
    if options.region is not None and look.picture is not None:
        for name, output in outputs.items():
            if output.ndim >= 4 and output.shape[-1] > 1:
                outputs[name], corners[name] = cut(output, options.region, look.picture.size, look.area)
    laid = {}
    for name in [name for name in unusual if outputs[name].ndim == 5 and outputs[name].shape[2] > 1]:
        clips[name] = outputs.pop(name)[0]
        maps, films[name] = film_of(clips[name])
        laid[name] = make_atlas(maps, options.aspect, scale=options.scale, gap=_FILM_GAP)
    atlases = make_atlases(outputs, aspect=options.aspect, scale=options.scale) if outputs else {}
    if laid:
        laid.update(atlases)
        atlases = {name: laid[name] for name in wanted if name in laid}
    numbers = _Statistics(atlases, look.layers, clips)
    if options.layer in numbers:
        numbers[options.layer]  # here, not on the thread of the window
    return ActivationView(atlases, numbers, look.step, corners, films, notes)


def cut(
    maps: torch.Tensor,
    region: tuple[float, float, float, float],
    size: tuple[int, int],
    area: tuple[float, float, float, float] | None = None,
) -> tuple[torch.Tensor, tuple[int, int]]:
    """The units of maps that lie over a part of the picture, at least one.

    Args:
        maps: (..., h, w).
        region: Left, top, right, bottom as shares of the picture.
        size: Width and height of the picture.
        area: Left, top, width, height in pixels of what the maps lie over; the whole picture by default.

    Returns:
        The maps (..., h', w'), and row and column of their first unit.
    """
    left, top, width, height = area or (0.0, 0.0, float(size[0]), float(size[1]))
    places = []
    for first, last, extent, begin, length, count in (
        (region[1], region[3], size[1], top, height, maps.shape[-2]),
        (region[0], region[2], size[0], left, width, maps.shape[-1]),
    ):
        start = min(max(math.floor((first * extent - begin) / length * count), 0), count - 1)
        end = min(max(math.ceil((last * extent - begin) / length * count), start + 1), count)
        places.append((start, end))
    (above, below), (west, east) = places
    return maps[..., above:below, west:east], (above, west)
