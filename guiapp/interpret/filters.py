"""The filters probe: the weights of a layer as images, with their statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.atlas import Atlas, colour_atlas, grid, make_atlas
from guiapp.interpret.base import Look
from guiapp.interpret.layers import LayerInfo
from guiapp.interpret.maps import Film, film_of
from guiapp.interpret.options import FilterOptions
from guiapp.models.base import Preprocessing

MOST_TILES = 4096  # filters times inputs; beyond it a layer is shown by the mean over the inputs
MOST_WEIGHTS = 2**21  # beyond it only the first units of a dense layer are drawn

View = Literal["colour", "filters", "inputs", "mean"]


@dataclass(frozen=True, eq=False)
class FilterView:
    """Result of the filters probe.

    Attributes:
        layer: Name of the layer.
        view: What a tile is: ``"colour"`` a filter over three colours; ``"filters"`` a filter (one input);
            ``"inputs"`` one filter on one input channel; ``"mean"`` a filter averaged over its inputs.
        atlas: The images, signed around zero. Tile t is filter ``first + t // inputs_shown`` on input
            ``t % inputs_shown``.
        first: Filter of the first tile.
        inputs_shown: Tiles for each filter.
        filters: Number of filters (or units) of the layer.
        inputs: Number of input channels of a filter.
        size: Height and width of a tile in weights.
        tile: What a tile shows, in words.
        minimum, maximum, mean, deviation, norm: float32 (filters,), over all weights of each filter; ``norm`` is the
            root of the sum of squares.
        bias: float32 (filters,), or None.
        step: Training step of the weights, or None.
        film: For filters over time, where in a tile the moments lie, from the earliest on; else None.
    """

    layer: str
    view: View
    atlas: Atlas
    first: int
    inputs_shown: int
    filters: int
    inputs: int
    size: tuple[int, int]
    tile: str
    minimum: npt.NDArray[np.float32]
    maximum: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]
    norm: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32] | None
    step: int | None
    film: Film | None = None

    def filter_of(self, tile: int) -> tuple[int, int | None]:
        """Filter and input channel of a tile; None for the channel where a tile stands for all inputs."""
        single = self.view == "inputs"
        return self.first + tile // self.inputs_shown, tile % self.inputs_shown if single else None


def run(look: Look, options: FilterOptions | None = None) -> FilterView:
    """Show the weights of a layer.

    First-layer filters over three channels are shown in colour; other filters one input channel a tile, filter by
    filter. Filters over time are strips of their moments. Dense layers on pixels or on maps are shown as images of
    those (the templates of the classes, the pictures of the hidden units); on other units as a rectangle of them, 64
    units as 8x8.

    Raises:
        UserError: If the network has no such layer, or the layer no weights to show.
    """
    options = options or FilterOptions()
    info = _chosen(look.layers, options.layer)
    module = look.model.get_submodule(info.name)
    weight = _as_filters(module, info, look.layers, look.preprocessing)
    film = None
    filters, inputs, times, height, width = weight.shape
    flat = weight.reshape(filters, -1)
    deviation, mean = torch.std_mean(flat, dim=1, correction=0)
    low, high, means, deviations, norms = (
        torch.stack([flat.amin(1), flat.amax(1), mean, deviation, flat.norm(dim=1)]).cpu().numpy()
    )
    bias = getattr(module, "bias", None)

    first, shown = 0, weight
    if options.filter is not None:
        if options.filter >= filters:
            raise UserError(f"{info.name} has filters 0 to {filters - 1}, not {options.filter}")
        first, shown = options.filter, weight[options.filter : options.filter + 1]
    elif flat.numel() > MOST_WEIGHTS and inputs * filters <= MOST_TILES:
        shown = weight[: MOST_WEIGHTS // flat.shape[1]]
    if times > 1:
        strips, film = film_of(shown.flatten(0, 1), columns=times)
        shown = strips.reshape(*shown.shape[:2], *strips.shape[1:])
    else:
        shown = shown[:, :, 0]
    view, atlas, inputs_shown = _draw(
        shown, options, colour=inputs == 3 and _on_picture(info, look), gap=3 if film else 1
    )
    what = "unit" if info.kind == "dense" else "filter"
    words = {
        "colour": f"one {what} over red, green and blue",
        "filters": f"one {what}",
        "inputs": f"one {what} on one input channel",
        "mean": f"one {what}, mean over its {inputs} input channels",
    }
    return FilterView(
        info.name,
        view,
        atlas,
        first,
        inputs_shown,
        filters,
        inputs,
        (height, width),
        words[view]
        + (f", its {times} moments side by side" if times > 1 else "")
        + (f"; the first {len(shown)} of {filters}" if 1 < len(shown) < filters else ""),
        low,
        high,
        means,
        deviations,
        norms,
        bias.detach().float().cpu().numpy() if isinstance(bias, torch.Tensor) else None,
        look.step,
        film,
    )


def _draw(shown: torch.Tensor, options: FilterOptions, colour: bool, gap: int) -> tuple[View, Atlas, int]:
    count, inputs, height, width = shown.shape
    own_range = options.scale == "filter"
    if colour and options.filter is None:
        return "colour", colour_atlas(shown, options.aspect, "map" if own_range else "layer", gap), 1
    if inputs == 1 or (options.filter is None and count * inputs > MOST_TILES):
        maps = shown.mean(1)
        atlas = make_atlas(maps, options.aspect, signed=True, scale=1 if own_range else count, gap=gap)
        return "filters" if inputs == 1 else "mean", atlas, 1
    # The inputs of one filter stay side by side: one filter a row, or several where the rows are short.
    columns = None
    if count > 1:
        columns = inputs * grid(count, height + gap, inputs * (width + gap), options.aspect)[0]
    maps = shown.reshape(count * inputs, height, width)
    scale = inputs if own_range else count * inputs
    return "inputs", make_atlas(maps, options.aspect, True, scale, gap, columns=columns), inputs


def _chosen(layers: Sequence[LayerInfo], name: str) -> LayerInfo:
    with_weights = [layer for layer in layers if layer.has_weights]
    if not with_weights:
        raise UserError("this network has no weights to show")
    if not name:
        return with_weights[0]
    for layer in with_weights:
        if layer.name == name:
            return layer
    names = ", ".join(layer.name for layer in with_weights)
    raise UserError(f"{name!r} is no layer with weights; those are: {names}")


def _as_filters(
    module: nn.Module, info: LayerInfo, layers: Sequence[LayerInfo], preprocessing: Preprocessing
) -> torch.Tensor:
    """The weights as float32 (filters, inputs, moments, h, w); one moment where they do not reach over time."""
    weight = module.weight
    assert isinstance(weight, torch.Tensor)
    weight = weight.detach().float()
    if info.type.startswith("ConvTranspose"):
        weight = weight.transpose(0, 1)
    if weight.ndim == 3:
        weight = weight[:, :, None]
    if weight.ndim == 5 and weight.shape[2:] != (1, 1, 1):
        return weight
    if weight.ndim == 4 and weight.shape[2:] != (1, 1):
        return weight[:, :, None]
    rows = weight.flatten(1)  # dense layers and 1x1 convolutions
    if weight.ndim == 2:
        shape = _input_maps(info, layers, preprocessing, rows.shape[1])
        if shape is not None:
            return rows.reshape(-1, *shape)[:, :, None]
    return rows.reshape(len(rows), 1, 1, *rectangle(rows.shape[1]))


def _input_maps(
    info: LayerInfo, layers: Sequence[LayerInfo], preprocessing: Preprocessing, inputs: int
) -> tuple[int, int, int] | None:
    """Shape of the maps (or the picture) that a dense layer sees flattened, or None."""
    position = next(i for i, layer in enumerate(layers) if layer.name == info.name)
    for layer in reversed(layers[:position]):
        if layer.has_weights and layer.kind == "dense":
            return None
        if len(layer.output_shape) == 3:
            channels, height, width = layer.output_shape
            fits = channels * height * width == inputs and height * width > 1
            return (channels, height, width) if fits else None
    return preprocessing.size if math.prod(preprocessing.size) == inputs else None


def _on_picture(info: LayerInfo, look: Look) -> bool:
    """Whether a layer sees the picture itself: no layer with weights comes before it."""
    return next((layer.name for layer in look.layers if layer.has_weights), "") == info.name


def rectangle(count: int) -> tuple[int, int]:
    """Rows and columns, rows <= columns, whose product is ``count``, as near to a square as there are."""
    rows = next(r for r in range(math.isqrt(count), 0, -1) if count % r == 0)
    return rows, count // rows
