"""Where labels go: beside their boxes, inside the picture, and never one over another. Numbers alone, no painting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


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
    if not count:
        return placed, apart
    left, top, right, bottom = area
    used = _Rows(max(1, int(sizes[:, 1].max())), taken)
    free: _FreeRoom | None = None
    near = _beside(boxes, sizes, area).tolist()
    seen = (boxes[:, 2] > left) & (boxes[:, 0] < right) & (boxes[:, 3] > top) & (boxes[:, 1] < bottom)
    fits = (sizes[:, 0] <= right - left) & (sizes[:, 1] <= bottom - top)
    for number in np.flatnonzero(seen & fits).tolist():
        found = next((place for place in near[number] if used.free(*place)), None)
        if found is None:
            if free is None:
                free = _FreeRoom(area, max(4, int(sizes[:, 1].min()) // 2))
                for other in used.rects:
                    free.take(other)
            found = free.nearest(*near[number][0][:2], *sizes[number].tolist())
            if found is None:
                continue
            apart[number] = _gap(found, boxes[number].tolist()) > 1
        placed[number] = found
        used.add(found)
        if free is not None:
            free.take(found)
    return placed, apart


class _Rows:
    """What is taken, by rows as high as a label: a new one is compared with its few neighbours alone."""

    def __init__(self, high: int, taken: Sequence[Sequence[int]]) -> None:
        self._high = high
        self._rows: dict[int, list[Sequence[int]]] = {}
        self.rects: list[Sequence[int]] = []
        for rect in taken:
            self.add(rect)

    def add(self, rect: Sequence[int]) -> None:
        """Left, top, right, bottom are taken."""
        self.rects.append(rect)
        for row in range(rect[1] // self._high, (rect[3] - 1) // self._high + 1):
            self._rows.setdefault(row, []).append(rect)

    def free(self, left: int, top: int, right: int, bottom: int) -> bool:
        """Whether the rectangle covers nothing that is taken."""
        rows, high = self._rows, self._high
        for row in range(top // high, (bottom - 1) // high + 1):
            for other in rows.get(row, ()):
                if left < other[2] and other[0] < right and top < other[3] and other[1] < bottom:
                    return False
        return True


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


def _gap(label: Sequence[int], box: Sequence[int]) -> int:
    """Pixels between a label and its box along the axis on which they are farther apart; 0 where they touch."""
    across = max(label[0] - box[2], box[0] - label[2], 0)
    down = max(label[1] - box[3], box[1] - label[3], 0)
    return max(across, down)


class _FreeRoom:
    """What is free of the area, in cells of half a label's height: the nearest hole is found by sums over windows."""

    def __init__(self, area: tuple[int, int, int, int], cell: int) -> None:
        self.area, self.cell = area, cell
        self._full = np.zeros(((area[3] - area[1]) // cell, (area[2] - area[0]) // cell), np.int32)

    def take(self, rect: Sequence[int]) -> None:
        """Every cell that the rectangle touches is full."""
        x0, y0 = (max(0, int(rect[k] - self.area[k]) // self.cell) for k in (0, 1))
        x1, y1 = (max(0, -(-int(rect[k + 2] - self.area[k]) // self.cell)) for k in (0, 1))
        self._full[y0:y1, x0:x1] = 1

    def nearest(self, x: int, y: int, width: int, height: int) -> list[int] | None:
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
        return [x, y, x + width, y + height]
