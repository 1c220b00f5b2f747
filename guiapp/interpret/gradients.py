"""The gradients probe: histograms of oriented gradients of a picture, and what a linear SVM makes of one window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.imaging import hog

if TYPE_CHECKING:
    import torch

    from guiapp.interpret.atlas import Atlas
    from guiapp.interpret.base import Look
    from guiapp.interpret.classic_options import GradientOptions

Numbers = npt.NDArray[np.float64]
Area = tuple[float, float, float, float]

_HIGH, _WIDE = hog.WINDOW
_STAR = 16  # pixels of a cell where it is drawn as a star
_AROUND = 2  # cells around the picture in which windows lie, too: mirrored, as in the detector of the zoo


@dataclass(frozen=True, eq=False)
class GradientView:
    """Gradients, cells and blocks of a picture, and the score of one window.

    Attributes:
        size: Width and height of the picture.
        shrunk: Width and height that it was given, so that the chosen window measures 64 x 128; where it was
            smaller than that, with its borders repeated.
        area: Left, top, width, height of that window in the picture.
        score: Its margin: the sum of what its blocks add, and the bias; positive for a person.
        bias: Of the SVM.
        best: The highest margin of a window of this size anywhere in the picture.
        best_area: Where that one lies.
        magnitude: Length of the gradient, a map of the shrunken picture.
        direction: Its angle in degrees, 0 to 180, from right towards below; a map.
        cells: The histogram of each cell as a star of strokes along its edges, a map.
        blocks: What each block of the window adds to the score, a map of 15 x 7, signed.
        scores: The margin of the window at every cell, by its upper left corner, from two cells beyond the picture's
            borders on; a map, signed.
    """

    size: tuple[int, int]
    shrunk: tuple[int, int]
    area: Area
    score: float
    bias: float
    best: float
    best_area: Area
    magnitude: Atlas
    direction: Atlas
    cells: Atlas
    blocks: Atlas
    scores: Atlas
    _parts: tuple[Numbers, Numbers, Numbers, Numbers, Numbers, tuple[int, int], tuple[float, float], Numbers]

    @property
    def histograms(self) -> Numbers:
        """(rows, columns, 9): votes of the cells of the shrunken picture."""
        return self._parts[0]

    @property
    def normalised(self) -> Numbers:
        """(rows - 1, columns - 1, 2, 2, 9): its normalised blocks."""
        return self._parts[1]

    @property
    def contributions(self) -> Numbers:
        """(15, 7): what each block of the window adds to its score."""
        return self._parts[2]

    @property
    def lengths(self) -> Numbers:
        """(h, w): length of the gradient of the shrunken picture."""
        return self._parts[3]

    @property
    def angles(self) -> Numbers:
        """(h, w): its direction, 0 to pi."""
        return self._parts[4]

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column of the window's first cell; -2 at least, as windows may reach beyond the picture."""
        return self._parts[5]

    @property
    def window_histograms(self) -> Numbers:
        """(16, 8, 9): votes of the cells of the window."""
        return self._parts[7]

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the picture to one of the shrunken one, across and down."""
        return self._parts[6]


def run(look: Look, options: GradientOptions) -> GradientView:
    """Answer for ``look.picture``; the network is asked only where no window is chosen and it finds people this way.

    Raises:
        UserError: If there is no picture, or it has fewer than 16 pixels a side.
    """
    if look.picture is None:
        raise UserError("gradients are those of a picture: show one")
    pixels = look.picture.pixels
    if min(pixels.shape[:2]) < hog.BLOCK * hog.CELL:
        raise UserError(f"the picture is {pixels.shape[1]} x {pixels.shape[0]}: gradients need 16 pixels a side")
    left, top, height = _wanted(look, options)
    small, scale = _shrunk(pixels, height, options.longest)
    edge = _AROUND * hog.CELL
    # one pixel more, whose own neighbours would be mirrored at the wrong place
    around = (edge + 1, edge + 1)
    framed = hog.gradients(np.pad(small, (around, around, (0, 0)), mode="reflect"))
    length, angle = (part[1:-1, 1:-1] for part in framed)
    said = hog.votes_of(length, angle)
    histograms, normalised = hog.cells_of(said), hog.blocks_of(said)
    coefficients = people_detector()
    scores = hog.window_scores(normalised, coefficients)
    row, column = (
        int(np.clip(round(place / along / hog.CELL), -_AROUND, most - 1 - _AROUND))
        for place, along, most in zip((top, left), scale[::-1], scores.shape, strict=True)
    )
    weights = hog.block_weights(coefficients)
    first = row + _AROUND, column + _AROUND
    window = normalised[first[0] : first[0] + weights.shape[0], first[1] : first[1] + weights.shape[1]]
    contributions = (window * weights).sum((2, 3, 4))
    best = np.unravel_index(int(scores.argmax()), scores.shape)

    def area(at: tuple[int, int]) -> Area:
        down, across = (place * hog.CELL for place in at)
        return across * scale[0], down * scale[1], _WIDE * scale[0], _HIGH * scale[1]

    length, angle = (part[edge:-edge, edge:-edge] for part in (length, angle))
    rows, columns = small.shape[0] // hog.CELL, small.shape[1] // hog.CELL
    own = histograms[_AROUND : _AROUND + rows, _AROUND : _AROUND + columns]
    return GradientView(
        look.picture.size, (small.shape[1], small.shape[0]), area((row, column)), float(scores[first]),
        float(coefficients[-1]), float(scores.max()), area((int(best[0]) - _AROUND, int(best[1]) - _AROUND)),
        _atlas(length), _atlas(np.degrees(angle)), _atlas(hog.histogram_picture(own, _STAR)),
        _atlas(contributions, True), _atlas(scores, True),
        (
            own, normalised[_AROUND : _AROUND + rows - 1, _AROUND : _AROUND + columns - 1], contributions,
            length, angle, (row, column), scale, histograms[first[0] : first[0] + 16, first[1] : first[1] + 8],
        ),
    )  # fmt: skip


@cache
def people_detector() -> Numbers:
    """(3781,): weights and bias of the detector of people that OpenCV ships."""
    import cv2

    # the type is not in OpenCV's stubs
    coefficients = cv2.HOGDescriptor.getDefaultPeopleDetector()  # type: ignore[attr-defined, unused-ignore]
    return np.asarray(coefficients, np.float64).ravel()


def _wanted(look: Look, options: GradientOptions) -> tuple[float, float, float]:
    """Left, top and height of the window that is asked for, in pixels of the picture."""
    assert look.picture is not None
    width, height = look.picture.size
    if options.height is not None:
        return options.left or 0.0, options.top or 0.0, options.height
    from guiapp.models.zoo.opencv import HogPeople

    detector = look.model if isinstance(look.model, HogPeople) else HogPeople()
    found = detector.candidates([_tensor(look.picture.pixels)], 1)
    if len(found) and found.anchors is not None:
        x1, y1, _, y2 = found.anchors[0].tolist()
        return x1, y1, y2 - y1
    tall = min(0.9 * height, 2.0 * width)
    return (width - tall / 2) / 2, (height - tall) / 2, tall


def _tensor(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    import torch

    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def _shrunk(
    pixels: npt.NDArray[np.uint8], height: float, longest: int
) -> tuple[npt.NDArray[np.uint8], tuple[float, float]]:
    """The picture in which the window is 128 high, but not enlarged nor above ``longest``; and pixels to one of it.

    Where less than a window is left, borders are repeated to the right and below.
    """
    import cv2

    across, down = pixels.shape[1], pixels.shape[0]
    first = min(1.0, longest / max(across, down))
    factor = min(first, _HIGH / height)
    searched, size = ((max(16, round(across * f)), max(16, round(down * f))) for f in (first, factor))
    small: Any = pixels
    if searched != (across, down):  # as the zoo brings the picture to the size that is searched
        small = cv2.resize(small, searched, interpolation=cv2.INTER_AREA)
    if size != searched:  # and as OpenCV shrinks that for people who are larger
        small = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR_EXACT)
    scale = across / size[0], down / size[1]
    below, beside = max(0, _HIGH - size[1]), max(0, _WIDE - size[0])
    if below or beside:
        small = np.pad(small, ((0, below), (0, beside), (0, 0)), mode="edge")
    return np.asarray(small, np.uint8), scale


def _atlas(values: npt.NDArray[np.generic], signed: bool = False) -> Atlas:
    import torch

    from guiapp.interpret.atlas import make_atlas

    return make_atlas(torch.from_numpy(values.astype(np.float32))[None], signed=signed)


def probability(score: float) -> float:
    """How often a window of that margin is a person, as the detector's score says it."""
    from guiapp.models.zoo.opencv import MIDDLE, SLOPE

    return 1 / (1 + math.exp(-SLOPE * (score - MIDDLE)))
