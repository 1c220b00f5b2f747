"""The atlas of one large layer, or one of colours, made on the layer's own device: only bytes leave it."""

from __future__ import annotations

import numpy as np
import torch

from guiapp.interpret.atlas_parts import (
    SIGNED_OFFSET,
    UNSIGNED_OFFSET,
    Atlas,
    Floats,
    Scale,
    grid,
    lay,
    limits_of,
    ranges_of,
    shape_of,
    side_of,
)

_CACHED = 2**18  # numbers worked on at a time: a megabyte stays in the cache of one core


def large_atlas(
    maps: torch.Tensor,
    aspect: float,
    signed: bool | None,
    scale: Scale | int,
    gap: int,
    tile_scale: int,
    columns: int | None = None,
) -> Atlas:
    """One layer by itself, on its device; only bytes leave it."""
    count, height, width = shape_of(maps.shape)
    side = side_of(maps.shape, tile_scale)
    if columns is None:
        columns, _ = grid(count, height * side + gap, width * side + gap, aspect)
    rows = -(-count // columns)
    source = values = maps.detach().float().reshape(count, height, width)
    ranges = ranges_of((count, height, width), scale)
    lows, highs = _range(values, ranges)
    holes = None
    if not (np.isfinite(lows).all() and np.isfinite(highs).all()):
        holes = ~values.isfinite()
        values = values.masked_fill(holes, 0.0)
        lows, highs = _range(values, ranges)
    sign = np.full(len(lows), bool(lows.min() < 0) if signed is None else signed)
    low, high, factor = limits_of(lows, highs, sign, bool(sign.all()))
    offset, shift = np.where(sign, SIGNED_OFFSET, UNSIGNED_OFFSET), np.where(sign, np.float32(0), low)
    tables = [np.repeat(table, count // ranges if ranges > 1 else 1) for table in (factor, offset, shift)]
    factors, offsets, shifts = (torch.from_numpy(table).to(maps.device)[:, None, None] for table in tables)
    indices = _indices(values, factors, offsets, shifts if shift.any() else None)
    if holes is not None:
        indices.masked_fill_(holes, 0)
    pixels = lay(indices, columns, rows, side, gap, torch.uint8, 0).cpu().numpy()
    return Atlas(pixels, columns, rows, (height * side, width * side), gap, low, high, bool(sign[0]), count, source)


def _indices(
    values: torch.Tensor, factors: torch.Tensor, offsets: torch.Tensor, shifts: torch.Tensor | None
) -> torch.Tensor:
    """Palette indices of maps, uint8 (C, h, w); on the CPU a few maps at a time, which stay in its cache."""
    count, height, width = values.shape
    most = max(1, _CACHED // (height * width)) if values.device.type == "cpu" else count
    indices = torch.empty(values.shape, dtype=torch.uint8, device=values.device)
    scratch = torch.empty((min(most, count), height, width), device=values.device)
    plain = shifts is None and len(factors) == len(offsets) == 1
    if plain:  # half the time of the general case
        factor = float(factors)
    for start in range(0, count, most):
        place = slice(start, start + most)
        part, out = values[place], scratch[: min(most, count - start)]

        def of(table: torch.Tensor, place: slice = place) -> torch.Tensor:
            return table if len(table) == 1 else table[place]

        if plain:
            indices[place] = torch.add(offsets, part, alpha=factor, out=out)
            continue
        if shifts is not None:
            part = torch.sub(part, of(shifts), out=out)
        torch.mul(part, of(factors), out=out)
        indices[place] = out.add_(of(offsets))
    return indices


def _range(values: torch.Tensor, ranges: int) -> tuple[Floats, Floats]:
    rows = values.reshape(ranges, -1)  # on the CPU, aminmax along a dimension takes six times as long
    both: Floats = torch.stack((rows.amin(1), rows.amax(1))).cpu().numpy()
    return both[0], both[1]


def colour_atlas(filters: torch.Tensor, aspect: float = 1.0, scale: Scale | int = "layer", gap: int = 1) -> Atlas:
    """Filters over three colours as colours: zero is middle grey, the largest magnitude black or full.

    Args:
        filters: (F, 3, h, w), signed.
        aspect: Wanted width / height of the whole.
        scale: One range for the layer, or one for each filter.
        gap: Pixels between tiles.

    Returns:
        An atlas with ``pixels`` uint8 (H, W, 4), RGBA, transparent in the gaps and where there is no number, and
        ``values`` (F, 3, h, w).
    """
    count, colours, height, width = filters.shape
    if colours != 3:
        raise ValueError(f"colours need three channels, not {colours}")
    numbers = filters.detach().float()
    values = numbers.nan_to_num(0.0, 0.0, 0.0)
    largest = values.abs().amax((1, 2, 3)) if scale == "map" else values.abs().amax().reshape(1)
    factor = torch.where(largest > 1e-30, 127 / largest.clamp_min(1e-30), 0.0)
    indices = values * factor[:, None, None, None] + 128.5
    columns, rows = grid(count, height + gap, width + gap, aspect)
    planes = [lay(indices[:, c], columns, rows, 1, gap, torch.uint8, 0) for c in range(3)]
    planes.append(lay(numbers[:, 0].isfinite() * 255.0, columns, rows, 1, gap, torch.uint8, 0))
    high = largest.cpu().numpy()
    pixels = torch.stack(planes, dim=-1).cpu().numpy()
    return Atlas(pixels, columns, rows, (height, width), gap, -high, high, True, count, filters)
