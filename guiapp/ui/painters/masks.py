"""Masks over a picture: one small image for each object, as fine as the screen shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage

from guiapp.ui.painters.pixels import coloured

if TYPE_CHECKING:
    from guiapp.tasks.predictions import Masks
    from guiapp.ui.painters.canvas import Canvas

Bits = npt.NDArray[np.bool_]


class MaskImages:
    """The masks of one prediction.

    The fill is translucent, the outline solid and about one of the window's pixels wide. A mask that is shown smaller
    is thinned out, one that is enlarged is cut to what can be seen and enlarged itself, so that its outline stays thin
    around pixels that are seen as blocks. What was made for one zoom is kept until the next.

    Args:
        masks: The masks, cut to their boxes.
        colours: One for each.
        opacity: Of the fill, 0 to 1.
        scale: Device pixels for one pixel of the picture that images are made for at once.
        ratio: Device pixels for one of the window's pixels.
    """

    def __init__(
        self, masks: Masks, colours: Sequence[QColor], opacity: float, scale: float = 1.0, ratio: float = 1.0
    ) -> None:
        self._masks = masks
        self._tables = [mask_table(colour, opacity) for colour in colours]
        self._made: list[tuple[QRectF, QImage]] = []
        self._key: tuple[int, ...] = ()
        if fineness(scale, ratio)[1] == 1:  # what is enlarged waits until it is known which part is seen
            self._make(*fineness(scale, ratio), None)

    def paint(self, canvas: Canvas) -> None:
        """Paint them in their order."""
        step, factor, thick = fineness(canvas.scale, canvas.ratio)
        crop = None if factor == 1 else _seen(canvas)
        key = (step, factor, thick, *(crop or ()))
        if key != self._key:
            self._make(step, factor, thick, crop)
        for area, image in self._made:
            place = canvas.rect(area.x(), area.y(), area.width(), area.height())
            if canvas.scale == 1 and step == factor == 1:  # the blend that copies pixel by pixel
                canvas.painter.drawImage(round(place.x()), round(place.y()), image)
            else:
                canvas.painter.drawImage(place, image)

    def _make(self, step: int, factor: int, thick: int, crop: tuple[int, int, int, int] | None) -> None:
        self._made = []
        for whole, (left, top), table in zip(self._masks.bits, self._masks.corners.tolist(), self._tables, strict=True):
            bits, x, y = (whole, left, top) if crop is None else _cut(whole, left, top, crop)
            fine = bits[step // 2 :: step, step // 2 :: step]  # the middle one stands for its neighbours
            if not fine.size:
                continue
            if factor > 1:
                fine = fine.repeat(factor, 0).repeat(factor, 1)
            height, width = fine.shape
            area = QRectF(x, y, width * step / factor, height * step / factor)
            self._made.append((area, coloured(mask_index(fine, thick), table)))
        self._key = (step, factor, thick, *(crop or ()))


def fineness(scale: float, ratio: float) -> tuple[int, int, int]:
    """How masks are sampled for a zoom: every which pixel, how often each is repeated, width of the outline."""
    if scale >= 2.5 * ratio:
        return 1, max(1, math.floor(scale / ratio)), 1
    step = max(1, round(1 / scale + 0.2))
    return step, 1, 1 if scale * step >= 1 else 2


def _cut(bits: Bits, x: int, y: int, crop: tuple[int, int, int, int]) -> tuple[Bits, int, int]:
    """The part of a mask within left, top, right, bottom, and where it begins."""
    x0, y0 = max(crop[0] - x, 0), max(crop[1] - y, 0)
    return bits[y0 : max(crop[3] - y, 0), x0 : max(crop[2] - x, 0)], x + x0, y + y0


def _seen(canvas: Canvas) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the pixels of the picture that can be seen, and one more on each side."""
    left, top, right, bottom = canvas.area
    x, y, scale = canvas.left, canvas.top, canvas.scale
    return (
        math.floor((left - x) / scale) - 1, math.floor((top - y) / scale) - 1,
        math.ceil((right - x) / scale) + 1, math.ceil((bottom - y) / scale) + 1,
    )  # fmt: skip


def mask_table(colour: QColor, opacity: float) -> list[int]:
    """Colours of outside, inside and outline, 0xAARRGGBB."""
    fill = QColor(colour)
    fill.setAlphaF(min(1.0, max(0.0, opacity)))
    return [0, fill.rgba(), QColor(colour).rgba()]


def mask_index(bits: Bits, thick: int = 1) -> npt.NDArray[np.uint8]:
    """0 outside of a mask (h, w), 1 inside, 2 on its outline, which lies inside of the mask.

    Args:
        bits: The mask; outside of the array there is nothing.
        thick: Width of the outline in pixels of the mask.
    """
    inner = bits = np.ascontiguousarray(bits)
    for _ in range(thick):
        shrunk = np.zeros(bits.shape, np.bool_)
        middle = shrunk[1:-1, 1:-1]
        if middle.size:
            np.logical_and(inner[:-2, 1:-1], inner[2:, 1:-1], out=middle)
            np.logical_and(middle, inner[1:-1, :-2], out=middle)
            np.logical_and(middle, inner[1:-1, 2:], out=middle)
            np.logical_and(middle, inner[1:-1, 1:-1], out=middle)
        inner = shrunk
    index = bits.view(np.uint8) * np.uint8(2)
    np.subtract(index, inner.view(np.uint8), out=index)
    return index
