"""A scan, a photograph or a screen picture of something drawn, as the drawing that a data set takes.

Window and command line feed a network pictures through ``sample_of``, so that both read them alike.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Pixels = npt.NDArray[np.uint8]
FromDrawing = Callable[[Pixels], Pixels]
Reading = Literal["picture", "drawing", "negative"]
"""How a picture is fed: as it is; as the sample made of the drawing on it; as a sample with its tones turned round."""

PAPER_SHARE = 0.3
"""Ink fainter than this share of the strongest is paper: shadows, grain and compression."""
PLAIN_EDGE = 25.0
"""Largest deviation of the tones along the edge of a drawing, of 255."""
LEAST_PAPER = 0.6
"""Share of a drawing that is paper, at least; ink covers at most the rest."""
MOST_BEYOND = 0.05
"""Share of a drawing that may lie beyond the paper, away from the ink: light from the side, grain."""
MOST_BETWEEN = 0.65
"""Share of all that is not paper which may be neither paper nor ink: the soft edges of strokes."""
MOST_INSIDE = 0.3
"""Share of what lies deep inside the ink that may be fainter than ink: ink is flat, things are shaded."""
FAINT = 8.0
"""Strongest ink, of 255, below which there is none."""
_FULL = 0.7  # of the ink's strength, from which a pixel is ink and no edge of it
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_ENOUGH = 1000  # pixels on a side; a sample is far smaller, and a photograph in floating point takes gigabytes


def sample_of(pixels: Pixels, from_drawing: FromDrawing | None, drawing: bool | None = None) -> tuple[Pixels, Reading]:
    """What a network is fed for a picture from a file, the clipboard or a folder.

    Args:
        pixels: The picture, uint8 (H, W, 3).
        from_drawing: What makes a sample of a drawing (``Dataset.from_picture``), or None where the network is fed
            pictures as they are.
        drawing: Whether it is a drawing; None decides by its look (``looks_drawn``), and not of a sample's size.
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
    ink = np.clip(_towards_ink(_small_grey(pixels)), 0, None)
    strongest = float(ink.max())
    if strongest < FAINT:
        return np.zeros(ink.shape, np.uint8)
    ink /= strongest
    ink[ink < PAPER_SHARE] = 0
    drawing: Pixels = np.rint(ink * 255).astype(np.uint8)
    return drawing


def looks_drawn(pixels: Pixels) -> bool:
    """Whether a picture, uint8 (H, W, 3), looks like ink on paper or on a screen.

    Its edge is plain, most of it is paper, ink lies on one side of the paper's tone, and few tones lie between the
    two: those of the strokes' edges. A photograph before a plain wall has objects lighter and darker than the wall, or
    shading in all tones. An object with hard outlines before a blank sky cannot be told from a drawing so.

    Measured on 400 faces, 200 pictures of ImageNet and 1,750 of CIFAR-10, of which 58, 31 and 333 have a plain edge:
    0, 5 and 81 look drawn; and so do all of 582 enlarged, inverted and photographed digits and characters,
    and 84 of 100 faint pencil digits in heavy grain (a deviation of 10 where the stroke is 70 darker than the paper).
    """
    if float((_edge(pixels) @ _LUMA).std()) >= PLAIN_EDGE:
        return False
    ink = _towards_ink(_small_grey(pixels))
    strongest = float(ink.max())
    if strongest < FAINT:
        return True  # an empty sheet
    # Grain makes single pixels darker than the ink: nine tenths of what is not paper are lighter than its tone.
    ink /= float(np.percentile(ink[ink > PAPER_SHARE * strongest], 90))
    beyond = float((ink < -PAPER_SHARE).mean())
    between, full = float(((ink >= PAPER_SHARE) & (ink <= _FULL)).mean()), float((ink > _FULL).mean())
    if beyond > MOST_BEYOND or between + full + beyond > 1 - LEAST_PAPER or between > MOST_BETWEEN * (between + full):
        return False
    deep = _deep(np.abs(ink) >= PAPER_SHARE)
    return float(deep.mean()) < 0.05 or float((ink[deep] <= _FULL).mean()) <= MOST_INSIDE


def is_on_light(pixels: Pixels) -> bool:
    """Whether the paper of a drawing, uint8 (H, W, 3), is lighter than its ink."""
    return float(np.median(_edge(pixels) @ _LUMA)) >= 128


def _towards_ink(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far each tone lies from the paper's towards the ink's; below zero on the other side. New memory."""
    paper = np.float32(np.median(_edge(grey)))
    return grey - paper if paper < 128 else paper - grey


def _deep(thing: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Where a mask holds in a window of a sixteenth of the longer side around; strokes are thinner than that."""
    reach = max(1, round(max(thing.shape) / 32))
    around = Image.fromarray(np.where(thing, np.uint8(255), np.uint8(0))).filter(ImageFilter.BoxBlur(reach))
    return np.asarray(around) >= 254


def _small_grey(pixels: Pixels) -> npt.NDArray[np.float32]:
    image = Image.fromarray(pixels).convert("L")
    factor = -(-max(image.size) // _ENOUGH)
    return np.asarray(image.reduce(factor) if factor > 1 else image, np.float32)


def _edge(tones: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The pixels along the four sides, (N,) or (N, 3)."""
    return np.concatenate([tones[0], tones[-1], tones[:, 0], tones[:, -1]])
