"""What an atlas is, and what all ways of making one share: where its tiles lie and how values become indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

Scale = Literal["layer", "map"]
Floats = npt.NDArray[np.float32]
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


def map_shape(shape: torch.Size) -> tuple[int, ...]:
    """Shape of a layer's output for one picture as maps (C, h, w) or units (C,)."""
    if len(shape) in (2, 4):
        return shape[1:]
    if len(shape) < 2:
        return tuple(shape)
    return (math.prod(shape[1:-2]), *shape[-2:])


def shape_of(shape: Sequence[int]) -> tuple[int, int, int]:
    """Count, height and width of maps (C, h, w) or units (C,).

    Raises:
        ValueError: If it is neither.
    """
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    if len(shape) == 1:
        return shape[0], 1, 1
    raise ValueError(f"an atlas is made of maps (C, h, w) or units (C,), not {tuple(shape)}")


def side_of(shape: Sequence[int], tile_scale: int) -> int:
    """Pixels along each side of one number; single units are enlarged to be seen."""
    return tile_scale * (UNIT_PIXELS if len(shape) == 1 else 1)


def ranges_of(shape: tuple[int, int, int], scale: Scale | int) -> int:
    """Number of ranges of a layer of ``shape`` (count, height, width).

    Raises:
        ValueError: If its maps do not part into groups of ``scale``.
    """
    count, height, width = shape
    if isinstance(scale, int):
        if scale < 1 or count % scale:
            raise ValueError(f"{count} maps do not part into groups of {scale}")
        return count // scale
    return count if scale == "map" and height * width > 1 else 1


def limits_of(
    low: Floats, high: Floats, signed: npt.NDArray[np.bool_], all_signed: bool
) -> tuple[Floats, Floats, Floats]:
    """The ends of each range, and the palette indices for one unit of value.

    Args:
        low: Shape (n,), the least value of each range.
        high: Shape (n,), the greatest.
        signed: Shape (n,), whether zero lies in the middle of the range's palette.
        all_signed: Whether that holds for every range; known to the caller, which saves the general case.
    """
    largest = np.maximum(-low, high)
    if all_signed:
        low, high = -largest, largest
    else:
        low = np.where(signed, -largest, np.minimum(low, 0))
        high = np.where(signed, largest, high)
    return low, high, np.float32(254) / np.maximum(high - low, SMALLEST)


def lay(
    tiles: torch.Tensor, columns: int, rows: int, side: int, gap: int, dtype: torch.dtype, empty: int
) -> torch.Tensor:
    """Copy (C, h, w) into one picture, each number ``side`` pixels wide and high, converting to ``dtype``.

    Gaps and cells without a tile are ``empty``.
    """
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
