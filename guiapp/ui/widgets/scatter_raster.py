"""Points to pixels without a loop: how many lie on each, and in which colour the last one is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage

from guiapp.ui.widgets.painting import blend, image_of

if TYPE_CHECKING:
    from guiapp.interpret.embedding.cloud import Cloud

_MOST_LEVELS = 16
_BLOCK = 32768
"""Points that are placed at a time: so many stay in the cache."""
_FULL = 0.62
"""How much of its colour a pixel with one point has; the rest comes with the logarithm of their number."""


@dataclass(frozen=True)
class Window:
    """What of the plane is seen, and how large.

    Attributes:
        left, top: The place at the left upper corner.
        scale_x, scale_y: Pixels for one unit; y grows upwards.
        width, height: Pixels.
    """

    left: float
    top: float
    scale_x: float
    scale_y: float
    width: int
    height: int

    @property
    def area(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top in the units of the points."""
        right, bottom = self.left + self.width / self.scale_x, self.top - self.height / self.scale_y
        return self.left, bottom, right, self.top


def seen(cloud: Cloud, window: Window) -> slice | npt.NDArray[np.int64]:
    """The points in sight, and few others: a run of the cloud's order where they are one, else positions in it."""
    runs = cloud.runs(*window.area)
    if len(runs) == 1:
        return runs[0]
    if not runs:
        return slice(0, 0)
    lengths = np.array([run.stop - run.start for run in runs])
    shifts = np.array([run.start for run in runs]) - np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return np.arange(int(lengths.sum())) + np.repeat(shifts, lengths)


def count_of(chosen: slice | npt.NDArray[np.int64]) -> int:
    """How many points ``seen`` gave."""
    return chosen.stop - chosen.start if isinstance(chosen, slice) else len(chosen)


def pixels(cloud: Cloud, window: Window, chosen: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Index of the pixel of each chosen point in the view with a rim of one pixel, where those beside the view are."""
    left, bottom, right, top = window.area
    inside = left < cloud.low[0] and cloud.high[0] < right and bottom < cloud.low[1] and cloud.high[1] < top
    across_all, down_all = cloud.x[chosen], cloud.y[chosen]
    found = np.empty(len(across_all), np.intp)
    for start in range(0, len(found), _BLOCK):
        block = slice(start, start + _BLOCK)
        across = across_all[block] * np.float32(window.scale_x)
        across -= np.float32(window.left * window.scale_x - 1)
        down = down_all[block] * np.float32(-window.scale_y)
        down += np.float32(window.top * window.scale_y + 1)
        if not inside:
            np.clip(across, 0, window.width + 1, out=across)
            np.clip(down, 0, window.height + 1, out=down)
        index = down.astype(np.int32)
        index *= window.width + 2
        index += across.astype(np.int32)
        found[block] = index
    return found


def codes(
    cloud: Cloud, window: Window, chosen: slice | npt.NDArray[np.int64], groups: npt.NDArray[np.integer], levels: int
) -> npt.NDArray[np.unsignedinteger]:
    """What each pixel shows: 0 for nothing, else 1 + levels * group + level.

    The group is that of the last point on the pixel, the level grows with the logarithm of how many there are.

    Args:
        cloud: The points.
        window: What is seen of them.
        chosen: Which of them may be in sight, as ``seen`` gives them.
        groups: Group of each point in the cloud's order.
        levels: Steps of density.

    Returns:
        uint8 or uint16 (height, width).
    """
    kind = groups.dtype
    rows, columns = window.height + 2, window.width + 2
    found = np.zeros(rows * columns, kind)
    index = pixels(cloud, window, chosen)
    if len(index):
        marks = groups[chosen] * kind.type(levels)
        marks += kind.type(1)
        found[index] = marks
        if levels > 1:
            counts = np.bincount(index, minlength=len(found))
            inner = counts.reshape(rows, columns)[1:-1, 1:-1]  # the rim may hold any number
            most = min(255, max(2, int(inner.max())))
            table = np.zeros(most + 1, kind)
            table[1:] = np.rint((levels - 1) * np.log(np.arange(1, most + 1)) / np.log(most))
            found += table.take(counts, mode="clip")
    return np.ascontiguousarray(found.reshape(rows, columns)[1:-1, 1:-1])


def grown(image: npt.NDArray[np.unsignedinteger], side: int) -> npt.NDArray[np.unsignedinteger]:
    """Every pixel that shows something as a square of ``side`` pixels; nothing that shows something is covered."""
    for _ in range(side - 1):
        for axis in (0, 1):
            image = image.copy()
            target = image[1:] if axis == 0 else image[:, 1:]
            source = image[:-1].copy() if axis == 0 else image[:, :-1].copy()
            np.copyto(target, source, where=target == 0)
    return image


def levels_for(groups: int) -> int:
    """Steps of density with which as many colours fit into a palette of 256; 4 where they need a larger one."""
    return min(_MOST_LEVELS, 255 // groups) if groups <= 127 else 4


def palette(colours: Sequence[QColor], ground: QColor, levels: int) -> npt.NDArray[np.uint32]:
    """The colour of every code, 0xAARRGGBB."""
    table = [ground.rgb()]
    for colour in colours:
        for level in range(levels):
            share = 1.0 if levels == 1 else _FULL + (1 - _FULL) * level / (levels - 1)
            table.append(blend(ground, colour, share).rgb())
    return np.array(table, np.uint32)


def picture(image: npt.NDArray[np.unsignedinteger], table: npt.NDArray[np.uint32]) -> QImage:
    """Codes in their colours."""
    if image.dtype == np.uint8:
        # Drawing a palette image takes twice as long as this.
        return image_of(image, table.tolist()).convertToFormat(QImage.Format.Format_RGB32)
    coloured = table[image]
    height, width = coloured.shape
    made = QImage(coloured.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    made.array = coloured  # the image reads this memory as long as it lives
    return made
