"""OpenCV, loaded when it is first needed: quiet, and with waits that end."""

import os
from types import ModuleType

import numpy as np
import numpy.typing as npt

_SETTINGS = {
    # Decoders write a line for each damaged block to standard error, where no one looks: what matters becomes a notice.
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_LOG_LEVEL": "SILENT",
    # Seconds after which a camera that sends nothing gives up a read; OpenCV's ten would hold up closing.
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "1",
}


def load() -> ModuleType:
    """The module ``cv2``. It takes a quarter of a second the first time, so nothing imports it with a module."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    import cv2

    return cv2


def to_rgb(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Colours of a frame as OpenCV gives it, grey (H, W), BGR or BGRA, in the order that networks expect."""
    cv2 = load()
    channels = 1 if frame.ndim == 2 else frame.shape[2]
    code = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}[channels]
    converted: npt.NDArray[np.uint8] = cv2.cvtColor(frame, code)
    return converted


def flipped(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The picture as in a mirror: left and right exchanged."""
    mirrored: npt.NDArray[np.uint8] = load().flip(pixels, 1)
    return mirrored
