"""Outputs of layers as maps, however a network lays them out: channels last, tokens, clips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo


@dataclass(frozen=True)
class Film:
    """Pictures of one channel over time in one tile, row by row from the earliest on, one number apart.

    Attributes:
        pictures: Moments in time.
        columns: Pictures in a row.
        height, width: Of one picture.
    """

    pictures: int
    columns: int
    height: int
    width: int

    def corner(self, time: int) -> tuple[int, int]:
        """Row and column of a picture's first number in the tile."""
        return time // self.columns * (self.height + 1), time % self.columns * (self.width + 1)

    def place(self, row: int, column: int) -> tuple[int, int, int] | None:
        """Moment, row and column of a number of the tile; None between the pictures."""
        down, row = divmod(row, self.height + 1)
        right, column = divmod(column, self.width + 1)
        return (down * self.columns + right, row, column) if row < self.height and column < self.width else None


def film_of(clips: torch.Tensor, columns: int | None = None) -> tuple[torch.Tensor, Film]:
    """Lay the moments of each channel beside each other.

    Args:
        clips: (C, T, h, w).
        columns: Pictures in a row; as near to a square as T can be parted by default.

    Returns:
        (C, rows (h + 1) - 1, columns (w + 1) - 1), not a number between the pictures, and where they lie.
    """
    channels, pictures, height, width = clips.shape
    if columns is None:
        columns = pictures // next(rows for rows in range(math.isqrt(pictures), 0, -1) if pictures % rows == 0)
    rows = -(-pictures // columns)
    laid = clips.new_full((channels, rows, columns, height + 1, width + 1), torch.nan)
    laid.flatten(1, 2)[:, :pictures, :height, :width] = clips
    whole = laid.permute(0, 1, 3, 2, 4).reshape(channels, rows * (height + 1), columns * (width + 1))
    return whole[:, :-1, :-1], Film(pictures, columns, height, width)


def is_channels_last(shape: Sequence[int], extent: Sequence[int] | None) -> bool:
    """Whether an output of ``shape`` is height, width, channels: it has the shape of the picture so, and only so.

    Args:
        shape: Three numbers, without the batch.
        extent: Height and width of the network's input; without it nothing is claimed.
    """
    if len(shape) != 3 or extent is None:
        return False

    def fits(height: int, width: int) -> bool:
        """Whether both are the input's, shrunk by the same stride and rounded up or down."""
        return any(
            abs(height - extent[0] / stride) < 1 and abs(width - extent[1] / stride) < 1
            for stride in {round(extent[0] / height), round(extent[1] / width)} - {0}
        )

    return fits(shape[0], shape[1]) and not fits(shape[1], shape[2]) and not shape[1] == shape[2] == 1


def as_maps(
    output: torch.Tensor, layer: LayerInfo | None, layers: Sequence[LayerInfo], extent: Sequence[int]
) -> tuple[torch.Tensor, str]:
    """An output for one picture with its channels before places, and what was changed, in words.

    Args:
        output: (1, C, h, w), (1, C), channels last (1, h, w, C), tokens (1, N, C) or clips (1, C, T, h, w).
        layer: Says whether its channels are last.
        layers: All layers, of which one tells over how many moments tokens of clips go.
        extent: Height and width of the network's input.

    Returns:
        (1, C, h, w), (1, C) or (1, C, T, h, w); tokens that are no grid of patches stay as they are.
    """
    if layer is not None and layer.channels_last and output.ndim == 4:
        return output.permute(0, 3, 1, 2), ""
    if output.ndim != 3:
        return output, ""
    times = next((found.output_shape[1] for found in layers if len(found.output_shape) == 4), 1)
    tokens, channels = output.shape[1:]
    for extra in (1, 0, 2, 5):  # class token, none, with a distilled one, with registers
        side = math.isqrt(max(tokens - extra, 0) // times)
        if side > 1 and times * side * side == tokens - extra and not (extent[0] % side or extent[1] % side):
            grid = output[:, extra:].reshape(len(output), times, side, side, channels).permute(0, 4, 1, 2, 3)
            words = f"tokens as maps of {side} × {side}" + (", the class token left out" if extra else "")
            return grid[:, :, 0] if times == 1 else grid, words
    return output, ""
