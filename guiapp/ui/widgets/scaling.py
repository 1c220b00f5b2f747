"""Pictures of a video to the size they are shown at, several times a blink: by OpenCV where it is there already."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage


def scaled(array: npt.NDArray[np.uint8], width: int, height: int) -> QImage | None:
    """The picture in another size, in the format that is copied to the window as it is.

    Qt needs twice the time, and splits it over a pool of threads that it then waits for: beside a network that takes
    every core, that wait took up to nine milliseconds.

    Args:
        array: RGB, uint8 (H, W, 3).
        width: Wanted, in device pixels, at least 1.
        height: Likewise.

    Returns:
        A bilinear picture, averaged first where it becomes less than half as large; None where OpenCV was not
        imported, which would take a quarter of a second: who shows a video has it.
    """
    cv2 = sys.modules.get("cv2")
    if cv2 is None or array.ndim != 3 or array.shape[2] != 3 or not hasattr(cv2, "resize"):
        return None
    rows, columns = array.shape[:2]
    factor = min(rows // height, columns // width)
    if factor > 1 and rows % factor == columns % factor == 0:  # whole factors are averaged ten times as fast
        array = cv2.resize(array, (columns // factor, rows // factor), interpolation=cv2.INTER_AREA)
    elif factor > 1:
        array = cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA)
    if array.shape[:2] != (height, width):
        array = cv2.resize(array, (width, height), interpolation=cv2.INTER_LINEAR)
    pixels = cv2.cvtColor(array, cv2.COLOR_RGB2BGRA)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    image.pixels = pixels  # the image reads this memory as long as it lives
    return image


class ReadyPicture:
    """A picture in the device's pixels, kept until it or its scale changes."""

    def __init__(self) -> None:
        self._made: QImage | None = None

    def forget(self) -> None:
        """Another picture comes."""
        self._made = None

    def fast(self, array: npt.NDArray[np.uint8], scale: float) -> QImage | None:
        """As ``scaled`` gives it; None where it does not.

        Args:
            array: The picture.
            scale: Pixels of the device for one of the picture.
        """
        width, height = _size(array, scale)
        if self._made is None or self._made.size() != QSize(width, height):
            self._made = scaled(array, width, height)
        return self._made

    def smooth(self, image: QImage, array: npt.NDArray[np.uint8], scale: float) -> QImage:
        """As ``fast``, else averaged by Qt.

        Args:
            image: The same picture.
            array: Its pixels.
            scale: Pixels of the device for one of the picture.
        """
        made = self.fast(array, scale)
        if made is None:
            keep, way = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            made = self._made = image.scaled(*_size(array, scale), keep, way)
        return made


def _size(array: npt.NDArray[np.uint8], scale: float) -> tuple[int, int]:
    return max(1, round(array.shape[1] * scale)), max(1, round(array.shape[0] * scale))
