"""Histograms of oriented gradients, step by step: gradients, cells, normalised blocks, and a picture of them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

BINS = 9  # of 20 degrees: light to dark counts as dark to light
CELL = 8  # pixels a side
BLOCK = 2  # cells a side that are normalised together; blocks overlap by one cell
WINDOW = (128, 64)  # height and width of the window of a person
_HIGHEST = 0.2  # of a normalised block's elements, so that one strong edge does not silence the others
_SIGMA = 4.0  # pixels: middles of blocks count more than their corners


def gradients(picture: npt.NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
    """Centred differences of the square root of the values; of the colours the one that changes most.

    Dalal, Triggs 2005, sections 6.1 and 6.2. At the borders the picture is mirrored.

    Args:
        picture: uint8 (H, W, 3) or (H, W), at least 2 pixels a side.

    Returns:
        Magnitude (H, W) and direction (H, W), the angle from right towards below, 0 to pi.
    """
    values = np.sqrt(
        picture.reshape(*picture.shape[:2], -1).astype(np.float32)
    )  # as exact as OpenCV's: ties are common
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    across, down = padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
    # of equal changes that of the last colour, as OpenCV takes it
    most = values.shape[2] - 1 - (across**2 + down**2)[..., ::-1].argmax(2)[..., None]
    across, down = (np.take_along_axis(part, most, 2)[..., 0].astype(np.float64) for part in (across, down))
    return np.hypot(across, down), np.arctan2(down, across) % math.pi


def votes(picture: npt.NDArray[np.uint8]) -> Numbers:
    """What each pixel says: its magnitude, shared between the two bins whose middles are nearest its direction.

    Args:
        picture: As for ``gradients``.

    Returns:
        (H, W, 9); bin b is about the direction (b + 0.5) * 20 degrees.
    """
    return votes_of(*gradients(picture))


def votes_of(length: Numbers, angle: Numbers) -> Numbers:
    """``votes`` of what ``gradients`` gave."""
    place = angle * (BINS / math.pi) - 0.5
    said = np.empty((BINS, *length.shape))
    for index in range(BINS):
        away = np.abs(place - index)
        np.minimum(away, BINS - away, out=away)  # the last bin is the first one's neighbour
        np.maximum(1 - away, 0, out=away)
        np.multiply(length, away, out=said[index])
    return np.moveaxis(said, 0, -1)


def cells(picture: npt.NDArray[np.uint8], side: int = CELL) -> Numbers:
    """The histogram of each cell: the votes of its pixels, added up. What is over at the right and below is left out.

    Args:
        picture: As for ``gradients``.
        side: Of a cell in pixels.

    Returns:
        (rows, columns, 9).
    """
    return cells_of(votes(picture), side)


def cells_of(said: Numbers, side: int = CELL) -> Numbers:
    """``cells`` of what ``votes`` gave."""
    rows, columns = said.shape[0] // side, said.shape[1] // side
    whole = said[: rows * side, : columns * side]
    bands = np.add.reduceat(whole, np.arange(0, rows * side, side), 0) if rows else whole[:0]
    return np.add.reduceat(bands, np.arange(0, columns * side, side), 1) if columns else bands[:, :0]


def blocks(picture: npt.NDArray[np.uint8]) -> Numbers:
    """Normalised blocks at every cell, as OpenCV's descriptor has them.

    Pixels count less towards the border of a block, and are shared between the cells whose middles are nearest (Dalal,
    Triggs 2005, section 6.3). A block is brought to length 1, cut at 0.2 and brought to length 1 again (section 6.4).

    Args:
        picture: As for ``gradients``, at least 16 pixels a side.

    Returns:
        (rows, columns, 2, 2, 9): row and column of the block, of the cell in it, bin.
    """
    return blocks_of(votes(picture))


def blocks_of(said: Numbers) -> Numbers:
    """``blocks`` of what ``votes`` gave."""
    side = BLOCK * CELL
    offset = np.arange(side)
    bell = np.exp(-((offset - side / 2) ** 2) / (2 * _SIGMA**2))
    nearness = np.clip(1 - np.abs((offset + 0.5) / CELL - 0.5 - np.arange(BLOCK)[:, None]), 0, 1)  # (2, 16)
    share = nearness * bell
    rows, columns = (length // CELL - BLOCK + 1 for length in said.shape[:2])
    # a weighted sum of 16 rows at every eighth row, then the same along the columns
    tall = np.lib.stride_tricks.sliding_window_view(said, side, 0)[::CELL][:rows]  # (rows, W, 9, 16)
    bands = np.einsum("rxby,iy->rixb", tall, share, optimize=True)
    wide = np.lib.stride_tricks.sliding_window_view(bands, side, 2)[:, :, ::CELL][:, :, :columns]
    found: Numbers = np.einsum("ricbx,jx->rcijb", wide, share, optimize=True)
    found /= _length(found) + 0.1 * BLOCK**2 * BINS
    found = np.minimum(found, _HIGHEST)
    result: Numbers = found / (_length(found) + 1e-3)
    return result


def _length(found: Numbers) -> Numbers:
    length: Numbers = np.sqrt((found**2).sum((2, 3, 4), keepdims=True))
    return length


def descriptor(window: npt.NDArray[np.uint8]) -> Numbers:
    """The 3780 numbers of a window in OpenCV's order: columns of blocks, columns of their cells, bins.

    Args:
        window: uint8 (128, 64, 3) or (128, 64).

    Raises:
        ValueError: If the window has another size.
    """
    if window.shape[:2] != WINDOW:
        raise ValueError(f"the window is {window.shape[:2]}, not {WINDOW}")
    return blocks(window).transpose(1, 0, 3, 2, 4).ravel()


def margins(window: npt.NDArray[np.uint8], coefficients: npt.NDArray[np.floating]) -> tuple[Numbers, float]:
    """What each block of a window adds to the decision of a linear SVM.

    Args:
        window: As for ``descriptor``.
        coefficients: (3781,): weights in OpenCV's order and the bias, such as those of
            ``cv2.HOGDescriptor.getDefaultPeopleDetector()``.

    Returns:
        (15, 7), what each block adds, and the bias: all together they are the margin, positive for a person.
    """
    rows, columns = (length // CELL - BLOCK + 1 for length in WINDOW)
    weighted = descriptor(window) * np.asarray(coefficients, np.float64)[:-1]
    return weighted.reshape(columns, rows, -1).sum(2).T, float(coefficients[-1])


def block_weights(coefficients: npt.NDArray[np.floating]) -> Numbers:
    """The weights of a linear SVM as they lie over the window.

    Args:
        coefficients: As for ``margins``.

    Returns:
        (15, 7, 2, 2, 9): row and column of the block, of the cell in it, bin.
    """
    rows, columns = (length // CELL - BLOCK + 1 for length in WINDOW)
    flat = np.asarray(coefficients, np.float64)[:-1]
    return flat.reshape(columns, rows, BLOCK, BLOCK, BINS).transpose(1, 0, 3, 2, 4)


def window_scores(found: Numbers, coefficients: npt.NDArray[np.floating]) -> Numbers:
    """The margin of a window at every cell of a picture: the sum of what its 15 x 7 blocks add, and the bias.

    Args:
        found: From ``blocks`` of the whole picture.
        coefficients: As for ``margins``.

    Returns:
        (rows - 14, columns - 6); empty where the picture is smaller than a window.
    """
    weights = block_weights(coefficients)
    down, across = (max(0, have - need + 1) for have, need in zip(found.shape, weights.shape[:2], strict=False))
    scores = np.full((down, across), float(coefficients[-1]))
    if scores.size:
        # of every block what each place of the window makes of it, then those that belong together
        said = np.tensordot(found.reshape(*found.shape[:2], -1), weights.reshape(*weights.shape[:2], -1), (2, 2))
        for row, column in np.ndindex(*weights.shape[:2]):
            scores += said[row : row + down, column : column + across, row, column]
    return scores


def cell_weights(coefficients: npt.NDArray[np.floating]) -> Numbers:
    """The weights of each cell of the window, added up over the blocks that it is part of.

    Args:
        coefficients: As for ``margins``.

    Returns:
        (16, 8, 9); positive speaks for a person.
    """
    weights = block_weights(coefficients)
    rows, columns = weights.shape[:2]
    summed = np.zeros((rows + 1, columns + 1, BINS))
    for row, column in np.ndindex(BLOCK, BLOCK):
        summed[row : row + rows, column : column + columns] += weights[:, :, row, column]
    return summed


def histogram_picture(histograms: Numbers, side: int = 16) -> npt.NDArray[np.uint8]:
    """Each cell as a star of strokes along its edges: across the direction of the gradient, as bright as its share.

    Args:
        histograms: (rows, columns, 9), from ``cells``.
        side: Of a cell in the result, in pixels.

    Returns:
        uint8 (rows * side, columns * side); the strongest bin of the picture is 255.
    """
    strokes = np.stack([_stroke((index + 0.5) * math.pi / BINS + math.pi / 2, side) for index in range(BINS)])
    strongest = histograms.max(initial=0)
    shares = histograms / strongest if strongest > 0 else histograms
    # where strokes cross, the brighter one is seen
    rows, columns = histograms.shape[:2]
    stars = np.zeros((rows, side, columns, side), np.float32)
    for index, stroke in enumerate(strokes.astype(np.float32)):
        part = shares[:, None, :, None, index].astype(np.float32)
        np.maximum(stars, part * stroke[None, :, None, :], out=stars)
    picture: npt.NDArray[np.uint8] = np.rint(stars * 255).astype(np.uint8).reshape(rows * side, columns * side)
    return picture


def _stroke(angle: float, side: int) -> Numbers:
    """A line of one pixel's width through the middle, with soft edges: 0 to 1, (side, side)."""
    down, across = np.mgrid[:side, :side] - (side - 1) / 2
    aside = np.abs(down * math.cos(angle) - across * math.sin(angle))
    along = np.hypot(across, down)
    stroke: Numbers = np.clip(1 - aside, 0, 1) * np.clip(side / 2 - along, 0, 1)
    return stroke
