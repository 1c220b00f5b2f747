"""Where labels go: beside their boxes, inside the picture, and never one over another. Numbers alone, no painting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_SIGNS = np.array([1, 1, -1, -1])


def place_labels(
    boxes: npt.NDArray[np.integer],
    sizes: npt.NDArray[np.integer],
    area: tuple[int, int, int, int],
    taken: Sequence[tuple[int, int, int, int]] = (),
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Places for labels, the first box first: above it, else inside, below, beside; else the nearest free place.

    Args:
        boxes: int (N, 4): left, top, right, bottom of the boxes.
        sizes: int (N, 2): width and height of the labels.
        area: Left, top, right, bottom that labels stay within.
        taken: Rectangles (left, top, right, bottom) where no label may go, such as a legend.

    Returns:
        int64 (N, 4) left, top, right, bottom of the labels, all zero where there is no room; and bool (N,), whether
        the label does not touch its box, so that a line should join them.
    """
    count = len(boxes)
    placed = np.zeros((count, 4), np.int64)
    apart = np.zeros(count, np.bool_)
    left, top, right, bottom = area
    used = np.zeros((4, count + len(taken)), np.int64)  # left, top, -right, -bottom
    used[:, : len(taken)] = (np.asarray(taken, np.int64).reshape(-1, 4) * _SIGNS).T
    filled = len(taken)
    free: _FreeRoom | None = None
    near = _beside(boxes, sizes, area)
    ends = (near[..., [2, 3, 0, 1]] * _SIGNS).transpose(0, 2, 1)[..., None].copy()  # right, bottom, -left, -top
    seen = (boxes[:, 2] > left) & (boxes[:, 0] < right) & (boxes[:, 3] > top) & (boxes[:, 1] < bottom)
    fits = (sizes[:, 0] <= right - left) & (sizes[:, 1] <= bottom - top)
    for number in np.flatnonzero(seen & fits).tolist():
        first = _first_free(ends[number], used[:, None, :filled])
        if first is not None:
            found = near[number, first]
        else:
            if free is None:
                free = _FreeRoom(area, max(4, int(sizes[:, 1].min()) // 2))
                for other in used[:, :filled].T * _SIGNS:
                    free.take(other)
            hole = free.nearest(*near[number, 0, :2].tolist(), *sizes[number].tolist())
            if hole is None:
                continue
            found = hole
            apart[number] = _gap(found, boxes[number]) > 1
        placed[number] = found
        used[:, filled] = found * _SIGNS
        filled += 1
        if free is not None:
            free.take(found)
    return placed, apart


def _beside(
    boxes: npt.NDArray[np.integer], sizes: npt.NDArray[np.integer], area: tuple[int, int, int, int]
) -> npt.NDArray[np.int64]:
    """The places that touch the visible part of each box, best first, moved into the area: (N, 8, 4)."""
    left, top, right, bottom = area
    x1, y1 = np.clip(boxes[:, 0], left, right), np.clip(boxes[:, 1], top, bottom)
    x2, y2 = np.clip(boxes[:, 2], left, right), np.clip(boxes[:, 3], top, bottom)
    width, height = sizes[:, 0], sizes[:, 1]
    x = np.stack([x1, x1, x1, x2 - width, x2 - width, x2 - width, x2, x1 - width], 1)
    y = np.stack([y1 - height, y1, y2, y1 - height, y1, y2, y1, y1], 1)
    x = np.clip(x, left, np.maximum(left, right - width)[:, None])
    y = np.clip(y, top, np.maximum(top, bottom - height)[:, None])
    return np.stack([x, y, x + width[:, None], y + height[:, None]], 2).astype(np.int64)


def _first_free(ends: npt.NDArray[np.int64], used: npt.NDArray[np.int64]) -> int | None:
    """Index of the first place, ``ends`` (4, P, 1), that covers none of the ``used`` (4, 1, N); or None."""
    # a.left < b.right and a.top < b.bottom and -a.right < -b.left and -a.bottom < -b.top: all in one comparison
    blocked = np.logical_and.reduce(used < ends).any(1)
    first = int(blocked.argmin())
    return None if blocked[first] else first


def _gap(label: npt.NDArray[np.int64], box: npt.NDArray[np.integer]) -> int:
    """Pixels between a label and its box along the axis on which they are farther apart; 0 where they touch."""
    across = max(int(label[0] - box[2]), int(box[0] - label[2]), 0)
    down = max(int(label[1] - box[3]), int(box[1] - label[3]), 0)
    return max(across, down)


class _FreeRoom:
    """What is free of the area, in cells of half a label's height: the nearest hole is found by sums over windows."""

    def __init__(self, area: tuple[int, int, int, int], cell: int) -> None:
        self.area, self.cell = area, cell
        self._full = np.zeros(((area[3] - area[1]) // cell, (area[2] - area[0]) // cell), np.int32)

    def take(self, rect: npt.NDArray[np.int64]) -> None:
        """Every cell that the rectangle touches is full."""
        x0, y0 = (max(0, int(rect[k] - self.area[k]) // self.cell) for k in (0, 1))
        x1, y1 = (max(0, -(-int(rect[k + 2] - self.area[k]) // self.cell)) for k in (0, 1))
        self._full[y0:y1, x0:x1] = 1

    def nearest(self, x: int, y: int, width: int, height: int) -> npt.NDArray[np.int64] | None:
        """The free place for a label of this size that is nearest to (x, y), or None."""
        rows, columns = self._full.shape
        high, wide = -(-height // self.cell), -(-width // self.cell)
        if high > rows or wide > columns:
            return None
        sums = np.zeros((rows + 1, columns + 1), np.int32)
        np.cumsum(np.cumsum(self._full, 0, out=sums[1:, 1:]), 1, out=sums[1:, 1:])
        window = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
        down = np.arange(window.shape[0]) * self.cell + self.area[1] - y
        across = np.arange(window.shape[1]) * self.cell + self.area[0] - x
        # a line of labels below each other reads better than one that runs across the picture
        far = (down.astype(np.float64) ** 2)[:, None] + (across.astype(np.float64) ** 2)[None] * 1.5
        far[window > 0] = np.inf
        best = int(far.argmin())
        row, column = divmod(best, window.shape[1])
        if not np.isfinite(far[row, column]):
            return None
        x, y = self.area[0] + column * self.cell, self.area[1] + row * self.cell
        return np.array([x, y, x + width, y + height], np.int64)
