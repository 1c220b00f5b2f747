"""A scan, a photograph or a screen picture of something drawn, as the drawing that a data set takes."""

import numpy as np
import numpy.typing as npt

PAPER_SHARE = 0.3
"""Ink fainter than this share of the strongest is paper: shadows, grain and compression."""
PLAIN_EDGE = 25.0
"""Largest deviation of the tones along the edge of a drawing, of 255."""
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def ink_of(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The ink of a picture, whether it is dark on light or light on dark.

    Paper is the median of the picture's edge; what differs from it to the other side is ink.

    Args:
        pixels: uint8 (H, W, 3).

    Returns:
        uint8 (H, W), 255 for the strongest ink, 0 for paper; zeros for a picture of one tone.
    """
    grey = pixels @ _LUMA
    paper = float(np.median(_edge(grey)))
    ink = np.clip(grey - paper if paper < 128 else paper - grey, 0, None)
    strongest = float(ink.max())
    if strongest < 8:
        return np.zeros(grey.shape, np.uint8)
    ink /= strongest
    ink[ink < PAPER_SHARE] = 0
    drawing: npt.NDArray[np.uint8] = np.rint(ink * 255).astype(np.uint8)
    return drawing


def looks_drawn(pixels: npt.NDArray[np.uint8]) -> bool:
    """Whether the edge of a picture, uint8 (H, W, 3), is as plain as that of a drawing on paper or on a screen."""
    return float(_edge(pixels @ _LUMA).std()) < PLAIN_EDGE


def is_on_light(pixels: npt.NDArray[np.uint8]) -> bool:
    """Whether the paper of a drawing, uint8 (H, W, 3), is lighter than its ink."""
    return float(np.median(_edge(pixels @ _LUMA))) >= 128


def _edge(grey: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
