"""Arrays to images of the format that is painted fastest: premultiplied ARGB."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage


def coloured(index: npt.NDArray[np.uint8], table: list[int]) -> QImage:
    """Indices (h, w) in the colours of the table, 0xAARRGGBB not premultiplied.

    Qt converts three times faster than an indexed look-up of arrays, and lets other threads run meanwhile.
    """
    index = np.ascontiguousarray(index)
    height, width = index.shape
    image = QImage(index.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def premultiplied(colour: QColor, opacity: float) -> int:
    """The colour, so opaque, as premultiplied 0xAARRGGBB."""
    alpha = round(255 * min(1.0, max(0.0, opacity)))
    red, green, blue = (round(v * alpha / 255) for v in (colour.red(), colour.green(), colour.blue()))
    return alpha << 24 | red << 16 | green << 8 | blue


def argb_image(pixels: npt.NDArray[np.uint32]) -> QImage:
    """A QImage over premultiplied 0xAARRGGBB (h, w). No copy is made of what is contiguous."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
    image.pixels = pixels  # the image reads this memory as long as it lives
    return image
