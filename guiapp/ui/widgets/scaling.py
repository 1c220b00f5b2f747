"""Pictures of a video to the size they are shown at, several times a blink: by OpenCV where it is there already."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
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
