"""Many small maps in one picture of palette indices: one image to draw, whatever the number of channels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import torch

from guiapp.interpret.atlas_large import colour_atlas, large_atlas
from guiapp.interpret.atlas_parts import UNIT_PIXELS, Atlas, Scale, grid, map_shape
from guiapp.interpret.atlas_small import small_atlases

__all__ = ["LARGE", "UNIT_PIXELS", "Atlas", "Scale", "colour_atlas", "grid", "make_atlas", "make_atlases"]

LARGE = 2**15  # numbers from which a layer is computed by itself, on its device; smaller ones go through one buffer


def make_atlas(
    maps: torch.Tensor,
    aspect: float = 1.0,
    signed: bool | None = None,
    scale: Scale | int = "layer",
    gap: int = 1,
    tile_scale: int = 1,
    columns: int | None = None,
) -> Atlas:
    """Put maps side by side as palette indices.

    Args:
        maps: (C, h, w) maps, or (C,) units, which become squares of ``UNIT_PIXELS`` times ``tile_scale``.
        aspect: Wanted width / height of the whole.
        signed: True puts zero at index 128 and the largest magnitude at 1 or 255; False puts the least value at 1
            (zero, where no value is negative) and the greatest at 255; None takes True where a value is negative.
        scale: One range for the whole layer, one for each map (units always share one), or one for that many
            consecutive maps.
        gap: Pixels between tiles.
        tile_scale: Pixels along each side of one number.
        columns: Tiles in a row, instead of ``aspect``.

    Returns:
        The atlas; numbers that are not finite have index 0.
    """
    if columns is not None:
        return large_atlas(maps, aspect, signed, scale, gap, tile_scale, columns)
    return make_atlases({"": maps[None]}, aspect, signed, scale, gap, tile_scale)[""]


def make_atlases(
    layers: Mapping[str, torch.Tensor],
    aspect: float = 1.0,
    signed: bool | None = None,
    scale: Scale | int = "layer",
    gap: int = 1,
    tile_scale: int = 1,
) -> Mapping[str, Atlas]:
    """Atlases of several layers at once: small layers share one buffer, so that many cost little more than one.

    Args:
        layers: Outputs of layers for a batch of one, all on one device: (1, C, h, w) maps, (1, C) units, (1, T, D)
            tokens (one map of T rows) or (1, C, T, h, w) clips (C T maps).
        aspect: As in ``make_atlas``, and so are the rest.
        signed: As in ``make_atlas``.
        scale: As in ``make_atlas``.
        gap: As in ``make_atlas``.
        tile_scale: As in ``make_atlas``.
    """
    if _all_small(tuple([output.shape for output in layers.values()])):
        return small_atlases(layers, aspect, signed, scale, gap, tile_scale)
    small = {name: output for name, output in layers.items() if 0 < output.numel() < LARGE}
    found = small_atlases(small, aspect, signed, scale, gap, tile_scale) if small else {}
    return {
        name: found[name]
        if name in found
        else large_atlas(output.reshape(map_shape(output.shape)), aspect, signed, scale, gap, tile_scale)
        for name, output in layers.items()
    }


@lru_cache(maxsize=64)
def _all_small(shapes: tuple[torch.Size, ...]) -> bool:
    return bool(shapes) and all(0 < math.prod(shape) < LARGE for shape in shapes)
