"""A patch put onto a picture for the eye, while the network is still being asked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def pasted(picture: Bytes, patch: Bytes, x: float, y: float) -> tuple[Bytes, tuple[int, int, int, int]]:
    """A copy with the patch, and the patch's left, top, width and height; as ``interpret.attack.patch`` places it.

    Args:
        picture: uint8 (H, W, C).
        patch: uint8 (h, w, C).
        x: Its middle as a share of the width.
        y: Its middle as a share of the height.
    """
    height, width = picture.shape[:2]
    rows, columns = patch.shape[:2]
    top = max(0, min(round(y * height - rows / 2), height - rows))
    left = max(0, min(round(x * width - columns / 2), width - columns))
    found = picture.copy()
    found[top : top + rows, left : left + columns] = patch
    return found, (left, top, columns, rows)
