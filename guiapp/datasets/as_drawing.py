"""A scan, a photograph or a screen picture of something drawn, as the drawing that a data set takes.

Window and command line feed a network pictures through ``sample_of``, so that both read them alike.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
FromDrawing = Callable[[Pixels], Pixels]
Reading = Literal["picture", "drawing", "negative"]
"""How a picture is fed: as it is; as the sample made of the drawing on it; as a sample with its tones turned round."""

PAPER_SHARE = 0.3
"""Ink fainter than this share of the strongest is paper: shadows, grain and compression."""
PLAIN_EDGE = 25.0
"""Largest deviation of the tones along the edge of a drawing, of 255."""
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_ENOUGH = 1000  # pixels on a side; a sample is far smaller, and a photograph in floating point takes gigabytes


def sample_of(pixels: Pixels, from_drawing: FromDrawing | None, drawing: bool | None = None) -> tuple[Pixels, Reading]:
    """What a network is fed for a picture from a file, the clipboard or a folder.

    Args:
        pixels: The picture, uint8 (H, W, 3).
        from_drawing: What makes a sample of a drawing (``Dataset.from_picture``), or None where the network is fed
            pictures as they are.
        drawing: Whether it is a drawing; None decides by its look: ink on a plain edge, and not of a sample's size.
            A picture of a sample's size is a sample; where its paper is of the other tone, it is turned round.

    Returns:
        uint8 (H, W, C), and how the picture was read.
    """
    if from_drawing is None or drawing is False:
        return pixels, "picture"
    blank = from_drawing(np.zeros((8, 8), np.uint8))
    is_sample = pixels.shape[:2] == blank.shape[:2]
    if drawing or (not is_sample and looks_drawn(pixels)):
        ink = ink_of(pixels)
        if drawing or ink.any():
            return from_drawing(ink), "drawing"
    elif is_sample and is_on_light(pixels) != (blank.mean() >= 128):
        return 255 - pixels, "negative"
    return pixels, "picture"


def ink_of(pixels: Pixels) -> Pixels:
    """The ink of a picture, whether it is dark on light or light on dark.

    Paper is the median of the picture's edge; what differs from it to the other side is ink.

    Args:
        pixels: uint8 (H, W, 3).

    Returns:
        uint8 (H, W), 255 for the strongest ink, 0 for paper; zeros for a picture of one tone. A picture of more than
        1000 pixels on a side comes smaller, by a whole factor.
    """
    grey = _small_grey(pixels)
    paper = float(np.median(_edge(grey)))
    ink = np.clip(grey - paper if paper < 128 else paper - grey, 0, None)
    strongest = float(ink.max())
    if strongest < 8:
        return np.zeros(grey.shape, np.uint8)
    ink /= strongest
    ink[ink < PAPER_SHARE] = 0
    drawing: Pixels = np.rint(ink * 255).astype(np.uint8)
    return drawing


def looks_drawn(pixels: Pixels) -> bool:
    """Whether the edge of a picture, uint8 (H, W, 3), is as plain as that of a drawing on paper or on a screen."""
    return float((_edge(pixels) @ _LUMA).std()) < PLAIN_EDGE


def is_on_light(pixels: Pixels) -> bool:
    """Whether the paper of a drawing, uint8 (H, W, 3), is lighter than its ink."""
    return float(np.median(_edge(pixels) @ _LUMA)) >= 128


def _small_grey(pixels: Pixels) -> npt.NDArray[np.float32]:
    image = Image.fromarray(pixels).convert("L")
    factor = -(-max(image.size) // _ENOUGH)
    return np.asarray(image.reduce(factor) if factor > 1 else image, np.float32)


def _edge(tones: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The pixels along the four sides, (N,) or (N, 3)."""
    return np.concatenate([tones[0], tones[-1], tones[:, 0], tones[:, -1]])
