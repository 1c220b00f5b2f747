"""Atlases of many small layers through one buffer on the CPU, so that many cost little more than one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
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
    map_shape,
    ranges_of,
    shape_of,
    side_of,
)


@dataclass(frozen=True)
class _Layout:
    """Where one layer lies in the shared buffers of ``small_atlases``."""

    ranges: slice
    first: int
    shape: tuple[int, int, int]
    pixels: slice
    size: tuple[int, int]
    columns: int
    rows: int
    tile: tuple[int, int]


@dataclass(frozen=True)
class _Plan:
    """Where the numbers of layers of given shapes go, computed once for a set of shapes.

    Attributes:
        index: For every pixel of every atlas, the number it shows; one past the last for gaps.
        starts: First number of each range (a layer or a map).
        lengths: Numbers in each range.
        layer: For each range, its layer.
        layers: For each layer, its first range.
        layouts: One for each layer.
    """

    index: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    lengths: npt.NDArray[np.intp]
    layer: npt.NDArray[np.intp]
    layers: npt.NDArray[np.intp]
    layouts: tuple[_Layout, ...]


@lru_cache(maxsize=8)
def _plan(outputs: tuple[torch.Size, ...], aspect: float, scale: Scale | int, gap: int, tile_scale: int) -> _Plan:
    shapes = [map_shape(shape) for shape in outputs]
    total = sum(math.prod(shape) for shape in shapes)
    indices: list[npt.NDArray[np.intp]] = []
    starts: list[int] = []
    layer: list[int] = []
    layouts: list[_Layout] = []
    number = pixel = 0
    for shape in shapes:
        count, height, width = shape3 = shape_of(shape)
        side = side_of(shape, tile_scale)
        tile = height * side, width * side
        columns, rows = grid(count, tile[0] + gap, tile[1] + gap, aspect)
        numbers = np.arange(number, number + count * height * width, dtype=np.intp).reshape(shape3)
        picture = lay(torch.from_numpy(numbers), columns, rows, side, gap, torch.int64, total).numpy()
        ranges = ranges_of(shape3, scale)
        span, extent = slice(len(starts), len(starts) + ranges), slice(pixel, pixel + picture.size)
        layer += [len(layouts)] * ranges
        layouts.append(_Layout(span, number, shape3, extent, picture.shape, columns, rows, tile))
        starts += [number + i * (numbers.size // ranges) for i in range(ranges)]
        indices.append(picture.ravel())
        number, pixel = number + numbers.size, pixel + picture.size
    first = np.array(starts, np.intp)
    return _Plan(
        np.concatenate(indices),
        first,
        np.diff(first, append=total),
        np.array(layer, np.intp),
        np.array([layout.ranges.start for layout in layouts], np.intp),
        tuple(layouts),
    )


def small_atlases(
    layers: Mapping[str, torch.Tensor],
    aspect: float,
    signed: bool | None,
    scale: Scale | int,
    gap: int,
    tile_scale: int,
) -> Mapping[str, Atlas]:
    """All layers through one buffer on the CPU: one copy from the device and a fixed number of operations."""
    tensors = list(layers.values())
    plan = _plan(tuple([maps.shape for maps in tensors]), round(aspect, 2), scale, gap, tile_scale)
    if tensors[0].device.type == "cpu":
        arrays = [maps.detach().numpy() if maps.requires_grad else maps.numpy() for maps in tensors]
        flat = np.concatenate(arrays, axis=None, dtype=np.float32)
    else:
        flat = torch.cat([maps.detach().reshape(-1).float() for maps in tensors]).cpu().numpy()
    low, high = np.minimum.reduceat(flat, plan.starts), np.maximum.reduceat(flat, plan.starts)
    shown, holes = flat, None
    if not np.isfinite((high - low).sum()):
        holes = np.flatnonzero(~np.isfinite(flat))
        shown = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
        low, high = np.minimum.reduceat(shown, plan.starts), np.maximum.reduceat(shown, plan.starts)
    if signed is not None:
        sign = np.full(len(low), signed)
    elif len(plan.layers) == len(low):
        sign = low < 0
    else:  # maps of one layer share the kind of palette also where each has its own range
        sign = np.minimum.reduceat(low, plan.layers)[plan.layer] < 0
    all_signed = bool(sign.all())
    low, high, factor = limits_of(low, high, sign, all_signed)
    indices = np.empty(len(flat) + 1, np.uint8)
    if all_signed:
        scaled = shown * factor.repeat(plan.lengths)
        np.add(scaled, SIGNED_OFFSET, out=indices[:-1], casting="unsafe")
    else:
        if (low[~sign] != 0).any():
            shown = shown - np.where(sign, np.float32(0), low).repeat(plan.lengths)
        scaled = shown * factor.repeat(plan.lengths)
        offset = np.where(sign, SIGNED_OFFSET, UNSIGNED_OFFSET).repeat(plan.lengths)
        np.add(scaled, offset, out=indices[:-1], casting="unsafe")
    indices[-1] = 0
    if holes is not None:
        indices[holes] = 0
    pixels = indices.take(plan.index, mode="clip")  # every index fits: what is saved is the check
    return _Atlases(dict(zip(layers, plan.layouts, strict=True)), pixels, low, high, sign, gap, flat)


class _Atlases(Mapping[str, Atlas]):
    """Atlases of many layers in one buffer, each taken out of it when it is asked for."""

    def __init__(
        self,
        layouts: dict[str, _Layout],
        pixels: npt.NDArray[np.uint8],
        low: Floats,
        high: Floats,
        sign: npt.NDArray[np.bool_],
        gap: int,
        flat: Floats,
    ) -> None:
        self._layouts, self._pixels, self._gap, self._flat = layouts, pixels, gap, flat
        self._low, self._high, self._sign = low, high, sign
        self._made: dict[str, Atlas] = {}

    def __getitem__(self, name: str) -> Atlas:
        if name not in self._made:
            layout = self._layouts[name]
            self._made[name] = Atlas(
                self._pixels[layout.pixels].reshape(layout.size),
                layout.columns,
                layout.rows,
                layout.tile,
                self._gap,
                self._low[layout.ranges],
                self._high[layout.ranges],
                bool(self._sign[layout.ranges.start]),
                layout.shape[0],
                (self._flat, layout.first, layout.shape),
            )
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    def __len__(self) -> int:
        return len(self._layouts)
