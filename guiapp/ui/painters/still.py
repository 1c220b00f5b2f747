"""A picture with what was found in it, as an array: for files, snapshots and recorded videos. Needs no window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from guiapp.ui.widgets.painting import image_of

if TYPE_CHECKING:
    from guiapp.ui.painters.layer import DrawnLayer


class Still:
    """An image as a view: every pixel of the picture is one of the image.

    Args:
        size: Width and height of the picture.
        ratio: Lines and text are so many times as large as on a window.
    """

    def __init__(self, size: tuple[int, int], ratio: float) -> None:
        self.image_size = size
        self._ratio = ratio

    def to_widget(self, area: QRectF) -> QRectF:
        """A rectangle of the picture in the painter's coordinates."""
        r = self._ratio
        return QRectF(area.x() / r, area.y() / r, area.width() / r, area.height() / r)


def line_ratio(size: tuple[int, int]) -> float:
    """How much larger lines and text are in a picture of this width and height, so that they are seen at full view."""
    return max(1.0, max(size) / 1600)


def painted(pixels: npt.NDArray[np.uint8], layers: Sequence[DrawnLayer], ratio: float = 0.0) -> npt.NDArray[np.uint8]:
    """The picture with its layers.

    Needs a ``QGuiApplication`` (fonts); one on the platform ``offscreen`` is enough. May be called on any thread.

    Args:
        pixels: uint8 (H, W, 3), RGB.
        layers: First at the bottom, as ``prepare`` gives them.
        ratio: Size of lines and text; 0 takes ``line_ratio``.

    Returns:
        uint8 (H, W, 3), RGB, a new array.
    """
    height, width = pixels.shape[:2]
    ratio = ratio or line_ratio((width, height))
    image = image_of(pixels).convertToFormat(QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    view = Still((width, height), ratio)
    painter = QPainter(image)
    try:
        for layer in layers:
            layer.paint(painter, view)
    finally:
        painter.end()
    result = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(result.constBits(), np.uint8).reshape(height, result.bytesPerLine())
    return lines[:, : 3 * width].reshape(height, width, 3).copy()
