"""Many small maps in one picture of palette indices: one image to draw, whatever the number of channels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

Scale = Literal["layer", "map"]
_Floats = npt.NDArray[np.float32]
LARGE = 2**15  # numbers from which a layer is computed by itself, on its device; smaller ones go through one buffer
SIGNED_OFFSET, UNSIGNED_OFFSET = np.float32(128.5), np.float32(1.5)  # the index of zero, and a half for rounding
SMALLEST = np.float32(1e-30)  # ranges below it are one value: index 128 where signed, else 1
UNIT_PIXELS = 4  # side of the square of one unit of a dense layer


@dataclass(eq=False)
class Atlas:
    """Maps side by side, row by row.

    Attributes:
        pixels: uint8 (H, W) palette indices: 0 is a gap or no number, 1 to 255 the values, 128 zero where ``signed``.
            Colour atlases are uint8 (H, W, 4) RGBA with transparent gaps.
        columns: Tiles in a row.
        rows: Rows of tiles.
        tile: Height and width of a tile in pixels.
        gap: Pixels between two tiles.
        low: float32, value at palette index 1 for each range: of the layer, or of equal groups of maps.
        high: The same for palette index 255.
        signed: Whether zero lies in the middle of the palette.
        count: Number of tiles.
        source: What ``values`` is made of.
    """

    pixels: npt.NDArray[np.uint8]
    columns: int
    rows: int
    tile: tuple[int, int]
    gap: int
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]
    signed: bool
    count: int
    source: Any

    @cached_property
    def values(self) -> npt.NDArray[np.float32]:
        """The numbers behind the pixels: float32 (count, h, w), or (count, 3, h, w) for a colour atlas."""
        if isinstance(self.source, torch.Tensor):
            array: npt.NDArray[np.float32] = self.source.detach().float().cpu().numpy()
            return array
        flat, start, shape = self.source
        found: npt.NDArray[np.float32] = flat[start : start + math.prod(shape)].reshape(shape)
        return found

    def tile_at(self, x: float, y: float) -> int | None:
        """The tile under pixel (x, y), or None in a gap or outside."""
        height, width = self.tile
        row, down = divmod(math.floor(y), height + self.gap)
        column, right = divmod(math.floor(x), width + self.gap)
        index = row * self.columns + column
        inside = down < height and right < width and 0 <= column < self.columns and 0 <= index < self.count
        return index if inside and row >= 0 else None

    def tile_rect(self, channel: int) -> tuple[int, int, int, int]:
        """Left, top, width, height of a tile in pixels."""
        row, column = divmod(channel, self.columns)
        height, width = self.tile
        return column * (width + self.gap), row * (height + self.gap), width, height

    def value_at(self, x: float, y: float) -> tuple[int, int, int, float] | None:
        """Channel, row, column and value of the number under pixel (x, y), or None; not for colour atlases."""
        channel = self.tile_at(x, y)
        if channel is None or self.pixels.ndim == 3:
            return None
        left, top, width, height = self.tile_rect(channel)
        rows, columns = self.values.shape[1:]
        row, column = (math.floor(y) - top) * rows // height, (math.floor(x) - left) * columns // width
        return channel, row, column, float(self.values[channel, row, column])

    def range_of(self, channel: int) -> tuple[float, float]:
        """Values at the ends of the palette for a tile."""
        index = channel * len(self.low) // self.count
        return float(self.low[index]), float(self.high[index])


@lru_cache(maxsize=1024)
def grid(count: int, height: int, width: int, aspect: float = 1.0) -> tuple[int, int]:
    """Columns and rows for ``count`` tiles of a size (gap included), near ``aspect`` (width / height), few cells empty.

    Full rectangles win where they are not much longer than wide: 120 units become 12 x 10, not 11 x 11.
    """

    def cost(columns: int) -> float:
        rows = -(-count // columns)
        stretch = abs(math.log(columns * width / (rows * height * aspect)))
        empty = rows * columns - count
        return stretch + 2 * empty / (rows * columns) + 0.25 * (empty > 0) - 1e-9 * columns

    columns = min(range(1, count + 1), key=cost)
    return columns, -(-count // columns)


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
        return _large(maps, aspect, signed, scale, gap, tile_scale, columns)
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
        return _small(layers, aspect, signed, scale, gap, tile_scale)
    small = {name: output for name, output in layers.items() if 0 < output.numel() < LARGE}
    found = _small(small, aspect, signed, scale, gap, tile_scale) if small else {}
    return {
        name: found[name]
        if name in found
        else _large(output.reshape(map_shape(output.shape)), aspect, signed, scale, gap, tile_scale)
        for name, output in layers.items()
    }


@lru_cache(maxsize=64)
def _all_small(shapes: tuple[torch.Size, ...]) -> bool:
    return bool(shapes) and all(0 < math.prod(shape) < LARGE for shape in shapes)


def map_shape(shape: torch.Size) -> tuple[int, ...]:
    """Shape of a layer's output for one picture as maps (C, h, w) or units (C,)."""
    if len(shape) in (2, 4):
        return shape[1:]
    if len(shape) < 2:
        return tuple(shape)
    return (math.prod(shape[1:-2]), *shape[-2:])


@dataclass(frozen=True)
class _Layout:
    """Where one layer lies in the shared buffers of ``_small``."""

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
        count, height, width = shape3 = _shape(shape)
        side = _side(shape, tile_scale)
        tile = height * side, width * side
        columns, rows = grid(count, tile[0] + gap, tile[1] + gap, aspect)
        numbers = np.arange(number, number + count * height * width, dtype=np.intp).reshape(shape3)
        picture = _lay(torch.from_numpy(numbers), columns, rows, side, gap, torch.int64, total).numpy()
        ranges = _ranges(shape3, scale)
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


def _small(
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
    low, high, factor = _limits(low, high, sign, all_signed)
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
        low: _Floats,
        high: _Floats,
        sign: npt.NDArray[np.bool_],
        gap: int,
        flat: _Floats,
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


def _limits(
    low: _Floats, high: _Floats, signed: npt.NDArray[np.bool_], all_signed: bool
) -> tuple[_Floats, _Floats, _Floats]:
    """The ends of each range, and the palette indices for one unit of value."""
    largest = np.maximum(-low, high)
    if all_signed:
        low, high = -largest, largest
    else:
        low = np.where(signed, -largest, np.minimum(low, 0))
        high = np.where(signed, largest, high)
    return low, high, np.float32(254) / np.maximum(high - low, SMALLEST)


def _large(
    maps: torch.Tensor,
    aspect: float,
    signed: bool | None,
    scale: Scale | int,
    gap: int,
    tile_scale: int,
    columns: int | None = None,
) -> Atlas:
    """One layer by itself, on its device; only bytes leave it."""
    count, height, width = _shape(maps.shape)
    side = _side(maps.shape, tile_scale)
    if columns is None:
        columns, _ = grid(count, height * side + gap, width * side + gap, aspect)
    rows = -(-count // columns)
    source = values = maps.detach().float().reshape(count, height, width)
    ranges = _ranges((count, height, width), scale)
    lows, highs = _range(values, ranges)
    holes = None
    if not (np.isfinite(lows).all() and np.isfinite(highs).all()):
        holes = ~values.isfinite()
        values = values.masked_fill(holes, 0.0)
        lows, highs = _range(values, ranges)
    sign = np.full(len(lows), bool(lows.min() < 0) if signed is None else signed)
    low, high, factor = _limits(lows, highs, sign, bool(sign.all()))
    offset, shift = np.where(sign, SIGNED_OFFSET, UNSIGNED_OFFSET), np.where(sign, np.float32(0), low)
    tables = [np.repeat(table, count // ranges if ranges > 1 else 1) for table in (factor, offset, shift)]
    factors, offsets, shifts = (torch.from_numpy(table).to(maps.device)[:, None, None] for table in tables)
    indices = (values - shifts if shift.any() else values) * factors
    indices += offsets
    if holes is not None:
        indices.masked_fill_(holes, 0.0)
    pixels = _lay(indices, columns, rows, side, gap, torch.uint8, 0).cpu().numpy()
    return Atlas(pixels, columns, rows, (height * side, width * side), gap, low, high, bool(sign[0]), count, source)


def _ranges(shape: tuple[int, int, int], scale: Scale | int) -> int:
    """Number of ranges of a layer."""
    count, height, width = shape
    if isinstance(scale, int):
        if scale < 1 or count % scale:
            raise ValueError(f"{count} maps do not part into groups of {scale}")
        return count // scale
    return count if scale == "map" and height * width > 1 else 1


def _range(values: torch.Tensor, ranges: int) -> tuple[_Floats, _Floats]:
    rows = values.reshape(ranges, -1)  # on the CPU, aminmax along a dimension takes six times as long
    both: _Floats = torch.stack((rows.amin(1), rows.amax(1))).cpu().numpy()
    return both[0], both[1]


def colour_atlas(filters: torch.Tensor, aspect: float = 1.0, scale: Scale | int = "layer", gap: int = 1) -> Atlas:
    """Filters over three colours as colours: zero is middle grey, the largest magnitude black or full.

    Args:
        filters: (F, 3, h, w), signed.
        aspect: Wanted width / height of the whole.
        scale: One range for the layer, or one for each filter.
        gap: Pixels between tiles.

    Returns:
        An atlas with ``pixels`` uint8 (H, W, 4), RGBA, transparent in the gaps, and ``values`` (F, 3, h, w).
    """
    count, colours, height, width = filters.shape
    if colours != 3:
        raise ValueError(f"colours need three channels, not {colours}")
    values = filters.detach().float().nan_to_num(0.0, 0.0, 0.0)
    largest = values.abs().amax((1, 2, 3)) if scale == "map" else values.abs().amax().reshape(1)
    factor = torch.where(largest > 1e-30, 127 / largest.clamp_min(1e-30), 0.0)
    indices = values * factor[:, None, None, None] + 128.5
    columns, rows = grid(count, height + gap, width + gap, aspect)
    planes = [_lay(indices[:, c], columns, rows, 1, gap, torch.uint8, 0) for c in range(3)]
    planes.append(_lay(torch.full_like(indices[:, 0], 255.0), columns, rows, 1, gap, torch.uint8, 0))
    high = largest.cpu().numpy()
    pixels = torch.stack(planes, dim=-1).cpu().numpy()
    return Atlas(pixels, columns, rows, (height, width), gap, -high, high, True, count, filters)


def _shape(shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    if len(shape) == 1:
        return shape[0], 1, 1
    raise ValueError(f"an atlas is made of maps (C, h, w) or units (C,), not {tuple(shape)}")


def _side(shape: Sequence[int], tile_scale: int) -> int:
    return tile_scale * (UNIT_PIXELS if len(shape) == 1 else 1)


def _lay(
    tiles: torch.Tensor, columns: int, rows: int, side: int, gap: int, dtype: torch.dtype, empty: int
) -> torch.Tensor:
    """Copy (C, h, w) into one picture, each number ``side`` pixels wide and high, converting to ``dtype``."""
    count, height, width = tiles.shape
    down, right = height * side + gap, width * side + gap
    pitch = columns * right - gap
    canvas = torch.full((rows * down - gap, pitch), empty, dtype=dtype, device=tiles.device)

    def put(row: int, tiles: torch.Tensor, in_row: int) -> None:
        size = (len(tiles) // in_row, in_row, height, side, width, side)
        view = canvas.as_strided(size, (down * pitch, right, side * pitch, pitch, side, 1), row * down * pitch)
        view.copy_(tiles.reshape(-1, in_row, height, 1, width, 1).expand(size))

    full = count // columns
    if full:
        put(0, tiles[: full * columns], columns)
    if count % columns:
        put(full, tiles[full * columns :], count % columns)
    return canvas
