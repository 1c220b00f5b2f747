"""Points of the plane, kept by their place: a million of them are cut to a view, pointed at and circled in time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_MOST_CELLS = 1024
_POINTS_A_CELL = 4
_MASK_SIDE = 1024


class Cloud:
    """Points sorted into the cells of a grid, so that what lies in a rectangle stands in a few runs of memory.

    Within a cell the order is that of the points, so of points that cover each other the last one is seen on top.

    Args:
        xy: float32 (N, 2), finite.

    Attributes:
        x, y: The places in the order of the cells, float32 (N,).
        order: Index of each of these in ``xy``.
        low, high: Smallest and largest x and y; 0 and 1 without points. Equal ones are taken 0.5 apart.
    """

    def __init__(self, xy: npt.ArrayLike) -> None:
        points = np.ascontiguousarray(xy, np.float32).reshape(-1, 2)
        self.xy = points
        count = len(points)
        low = points.min(0).astype(np.float64) if count else np.zeros(2)
        high = points.max(0).astype(np.float64) if count else np.ones(2)
        flat = high - low < 1e-12 * np.maximum(1.0, np.abs(high))
        self.low, self.high = np.where(flat, low - 0.5, low), np.where(flat, high + 0.5, high)
        self._cells = int(np.clip(np.sqrt(count / _POINTS_A_CELL), 1, _MOST_CELLS))
        column, row = self._cell(points[:, 0], 0), self._cell(points[:, 1], 1)
        key = row * self._cells + column
        self.order: Indices = np.argsort(key, kind="stable").astype(np.int64)
        self.x: Floats = points[self.order, 0]
        self.y: Floats = points[self.order, 1]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=self._cells**2))])

    def __len__(self) -> int:
        return len(self.order)

    def _cell(self, values: npt.ArrayLike, axis: int) -> npt.NDArray[np.int32]:
        scale = self._cells / (self.high[axis] - self.low[axis])
        found = (np.asarray(values, np.float64) - self.low[axis]) * scale
        cells: npt.NDArray[np.int32] = np.clip(found, 0, self._cells - 1).astype(np.int32)
        return cells

    def runs(self, left: float, bottom: float, right: float, top: float) -> list[slice]:
        """Runs of the sorted order that hold every point of a rectangle, and few outside of it."""
        if not len(self) or left > self.high[0] or right < self.low[0] or bottom > self.high[1] or top < self.low[1]:
            return []
        first, last = self._cell([left, right], 0).tolist()
        low, high = self._cell([bottom, top], 1).tolist()
        if first == 0 and last == self._cells - 1:  # whole rows stand one after the other
            return [slice(int(self._starts[low * self._cells]), int(self._starts[(high + 1) * self._cells]))]
        rows = np.arange(low, high + 1) * self._cells
        begins, ends = self._starts[rows + first].tolist(), self._starts[rows + last + 1].tolist()
        return [slice(begin, end) for begin, end in zip(begins, ends, strict=True) if end > begin]

    def within(self, left: float, bottom: float, right: float, top: float) -> Indices:
        """Positions in the sorted order of the points of a rectangle, edges included."""
        runs = self.runs(left, bottom, right, top)
        if not runs:
            return np.empty(0, np.int64)
        found = np.concatenate([np.arange(run.start, run.stop) for run in runs])
        x, y = self.x[found], self.y[found]
        chosen: Indices = found[(x >= left) & (x <= right) & (y >= bottom) & (y <= top)]
        return chosen

    def nearest(self, x: float, y: float, reach_x: float, reach_y: float) -> int | None:
        """Index of the point nearest to a place, none that is further than the ellipse of the two reaches."""
        found = self.within(x - reach_x, y - reach_y, x + reach_x, y + reach_y)
        if not len(found):
            return None
        away = ((self.x[found] - x) / reach_x) ** 2 + ((self.y[found] - y) / reach_y) ** 2
        best = int(away.argmin())
        return int(self.order[found[best]]) if away[best] <= 1 else None

    def inside(self, outline: npt.ArrayLike) -> Indices:
        """Indices of the points inside a closed line, ascending; where it crosses itself, by the even-odd rule.

        Points of squares that the line does not touch are decided by one look at a picture of it, the others exactly.

        Args:
            outline: (M, 2), in the units of the points.
        """
        corners = np.asarray(outline, np.float64).reshape(-1, 2)
        if len(corners) < 3 or not len(self):
            return np.empty(0, np.int64)
        (left, bottom), (right, top) = corners.min(0), corners.max(0)
        found = self.within(left, bottom, right, top)
        if right <= left or top <= bottom or not len(found):
            return np.empty(0, np.int64)
        if len(found) > 20_000:
            decided, is_in = self._by_picture(found, corners)
            near = found[~decided]
            chosen = np.concatenate([found[decided & is_in], near[self._exactly(near, corners)]])
        else:
            chosen = found[self._exactly(found, corners)]
        return np.sort(self.order[chosen])

    def _by_picture(self, found: Indices, corners: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.bool_], ...]:
        """Which points lie in squares that the line does not touch, and which in its inside."""
        import cv2

        low, high = corners.min(0), corners.max(0)
        scale = (_MASK_SIDE - 1) / (high - low)
        line = [np.rint((corners - low) * scale).astype(np.int32)]
        filled = np.zeros((_MASK_SIDE, _MASK_SIDE), np.uint8)
        edge = np.zeros_like(filled)
        cv2.fillPoly(filled, line, 1)
        cv2.polylines(edge, line, True, 1, 4)
        column = np.rint((self.x[found] - low[0]) * scale[0]).astype(np.int64)
        row = np.rint((self.y[found] - low[1]) * scale[1]).astype(np.int64)
        return edge[row, column] == 0, filled[row, column] == 1

    def _exactly(self, found: Indices, corners: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        x, y = self.x[found].astype(np.float64), self.y[found].astype(np.float64)
        crossings = np.zeros(len(found), np.bool_)
        for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if y1 == y2:
                continue
            spans = (y1 > y) != (y2 > y)
            crossings ^= spans & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
        return crossings
