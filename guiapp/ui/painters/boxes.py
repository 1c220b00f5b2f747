"""Borders of boxes: solid ones in their colour, dashed ones for what was looked at or taken away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage, QPainter

from guiapp.ui.painters.pixels import coloured

_HALO = QColor(0, 0, 0, 120)


def solid(painter: QPainter, corners: npt.NDArray[np.int64], colours: Sequence[QColor], width: int) -> None:
    """Rectangles with lines of ``width`` device pixels inside of their borders, and a thin dark line around.

    Lines down are copied from strips that hold both: each row of a picture lies on another page of memory, and what
    touches every row once takes a fifth of the time of a fill for each line, or of a pen of two pixels.

    Args:
        painter: Its unit is one device pixel.
        corners: int (N, 4), left, top, right, bottom.
        colours: One for each.
        width: Of the lines.
    """
    if not len(corners):
        return
    fill, copy = painter.fillRect, painter.drawImage
    longest = -(-int((corners[:, 3] - corners[:, 1]).max() + 1) // 512) * 512
    for (x1, y1, x2, y2), colour in zip(corners.tolist(), colours, strict=True):
        wide, high = max(1, x2 - x1), max(1, y2 - y1)
        thick = min(width, (wide + 1) // 2, (high + 1) // 2)
        left, right = _edges(colour.rgba(), thick, longest)
        fill(x1 - 1, y1 - 1, wide + 2, 1, _HALO)
        fill(x1 - 1, y1 + high, wide + 2, 1, _HALO)
        fill(x1, y1, wide, thick, colour)
        fill(x1, y1 + high - thick, wide, thick, colour)
        copy(x1 - 1, y1, left, 0, 0, thick + 1, high)
        copy(x1 + wide - thick, y1, right, 0, 0, thick + 1, high)


@lru_cache(maxsize=256)
def _edges(rgba: int, width: int, length: int) -> tuple[QImage, QImage]:
    """A left and a right border with the dark line beside it."""
    index = np.ones((length, width + 1), np.uint8)
    index[:, 0] = 0
    table = [_HALO.rgba(), rgba]
    return coloured(index, table), coloured(index[:, ::-1], table)


def dashed(painter: QPainter, corners: npt.NDArray[np.int64], colours: Sequence[QColor], width: int = 1) -> None:
    """Rectangles with thin dashed lines, light and dark in turn so that they are seen on any ground.

    Args:
        painter: Its unit is one device pixel.
        corners: int (N, 4), left, top, right, bottom.
        colours: One for each.
        width: Of the lines.
    """
    if not len(corners):
        return
    copy = painter.drawImage
    longest = int(max((corners[:, 2] - corners[:, 0]).max(), (corners[:, 3] - corners[:, 1]).max(), 1))
    longest = -(-longest // 512) * 512
    for (x1, y1, x2, y2), colour in zip(corners.tolist(), colours, strict=True):
        across, down = _strips(colour.rgba(), width, longest)
        wide, high = max(1, x2 - x1), max(1, y2 - y1)
        copy(x1, y1, across, 0, 0, wide, width)
        copy(x1, y2 - width, across, 0, 0, wide, width)
        copy(x1, y1, down, 0, 0, width, high)
        copy(x2 - width, y1, down, 0, 0, width, high)


@lru_cache(maxsize=64)
def _strips(rgba: int, width: int, length: int) -> tuple[QImage, QImage]:
    """A dashed line across and one down, ready to be copied: faster than a pen that dashes, and in two colours."""
    colour = QColor.fromRgba(rgba)
    dark = QColor(0, 0, 0, round(colour.alpha() * 0.45))
    index = (np.arange(length) // (4 * width) % 2).astype(np.uint8)
    across = np.repeat(index[None], width, 0)
    table = [colour.rgba(), dark.rgba()]
    return coloured(across, table), coloured(across.T, table)


def smallest_at(boxes: npt.NDArray[np.floating], x: float, y: float) -> int | None:
    """Index of the smallest of the boxes (N, 4) that hold the point, or None."""
    if not len(boxes):
        return None
    inside = (boxes[:, 0] <= x) & (x < boxes[:, 2]) & (boxes[:, 1] <= y) & (y < boxes[:, 3])
    if not inside.any():
        return None
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return int(np.where(inside, areas, np.inf).argmin())
