"""All windows of a picture through the face cascade, walked as OpenCV does, and how many each stage lets past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.imaging.haar import FLATTEST, SLACK, Cascade

Grey = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]

STEP = 1.1  # from one size of windows to the next
_FINE = 2.0  # factor from which windows lie one pixel apart in the shrunken picture; below it two
_MANY = 1500  # windows above which stumps are taken one by one, below it all of a stage at once
_MAP = 4  # pixels of the picture to one of the map of what windows reach


@dataclass(frozen=True, eq=False)
class Layer:
    """The picture shrunk so that faces of one size measure the cascade's window.

    Attributes:
        factor: How much it is shrunk.
        side: Width of the windows in pixels of the picture.
        grey: uint8 (h, w).
        step: Pixels from one window to the next.
    """

    factor: float
    side: int
    grey: Grey
    step: int

    def area(self, left: int, top: int) -> tuple[int, int, int, int]:
        """Left, top, width, height in the picture of the window at a place of this layer."""
        across, down = (int(np.rint(np.float32(place) * np.float32(self.factor))) for place in (left, top))
        return across, down, self.side, self.side


@dataclass(frozen=True, eq=False)
class Scan:
    """What became of every window.

    Attributes:
        windows: How many the picture has.
        looked: How many were looked at: beside one that the first stage refuses the next is left out.
        flat: Of these those without contrast, refused unseen.
        survivors: int64 (T + 1,): how many of those looked at are left before each of T stages, and at the end.
        stumps: How many features were worked out for all windows together.
        layer, left, top: int64 (N,): of the windows that passed every stage, and where they lie in their layer.
        margins: float64 (N,): by how much they passed the last stage.
        areas: int64 (N, 4): left, top, width, height in the picture.
        reached: uint8 (h, w): a map of the picture, 4 pixels to one: the most stages that a window about this place
            passed.
        nearest: Layer, left and top of the window that came farthest, also where none passed all; None without windows.
    """

    windows: int
    looked: int
    flat: int
    survivors: npt.NDArray[np.int64]
    stumps: int
    layer: Places
    left: Places
    top: Places
    margins: npt.NDArray[np.float64]
    areas: npt.NDArray[np.int64]
    reached: npt.NDArray[np.uint8]
    nearest: tuple[int, int, int] | None

    @property
    def features(self) -> float:
        """Features worked out for a window in the mean; the point of the cascade."""
        return self.stumps / max(1, self.looked)


def layers(grey: Grey, window: int = 20, smallest: int = 24, largest: int | None = None) -> list[Layer]:
    """The picture at every size in which windows are looked for, as OpenCV makes them.

    Args:
        grey: uint8 (H, W).
        window: Side of the cascade's window.
        smallest: Side of the least windows in pixels of the picture.
        largest: Side of the greatest; that of the picture by default.
    """
    import cv2

    height, width = grey.shape
    found: list[Layer] = []
    factor = 1.0
    most = min(height, width) if largest is None else min(height, width, largest)
    while (side := round(window * factor)) <= most:
        exact = np.float32(factor)
        size = round(float(width / exact)), round(float(height / exact))
        if side >= smallest and min(size) >= window:
            # Viola and Jones enlarge the features instead, which comes to the same but for rounding
            small: Any = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR_EXACT)
            found.append(Layer(factor, side, small, 1 if factor >= _FINE else 2))
        factor *= STEP
    return found


def scan(cascade: Cascade, pictures: list[Layer], size: tuple[int, int]) -> Scan:
    """Put every window of every layer through the cascade.

    What is decided of each is what OpenCV decides, in its own precision. Work goes on only with what a stage lets past,
    for all layers together.

    Args:
        cascade: The stages.
        pictures: From ``layers``.
        size: Height and width of the picture that they are made of.
    """
    room = _places(cascade, pictures)
    reached = np.zeros((-(-size[0] // _MAP), -(-size[1] // _MAP)), np.uint8)
    if not sum(rows * columns for rows, columns in room):
        none = np.zeros(0, np.intp)
        counts = np.zeros(cascade.stages + 1, np.int64)
        return Scan(0, 0, 0, counts, 0, none, none, none, np.zeros(0), np.zeros((0, 4), np.int64), reached, None)
    sums, squares, stride, starts = _stacked(pictures)
    layer = np.concatenate([np.full(r * c, i, np.int32) for i, (r, c) in enumerate(room)])
    top, left = (
        np.concatenate(
            [np.indices((r, c), np.int32)[axis].ravel() * p.step for (r, c), p in zip(room, pictures, strict=True)]
        )
        for axis in (0, 1)
    )
    base = (starts[layer] + top * stride + left).astype(np.intp)  # what take needs
    norm, flat = _norms(cascade, sums, squares, stride, base)
    passed = np.zeros(len(base), np.uint8)
    totals = np.zeros(len(base))
    alive = np.flatnonzero(~flat)
    first = _sums(cascade, 0, sums, stride, base[alive], norm[alive])
    through = first >= cascade.wanted[0] - SLACK
    refused = np.zeros(len(base), bool)
    refused[alive[~through]] = True
    looked = _visited(refused, room)
    survivors = np.zeros(cascade.stages + 1, np.int64)
    survivors[0] = int(looked.sum())
    stumps = int(np.count_nonzero(looked & ~flat)) * int(cascade.begins[1])
    keeps = through & looked[alive]
    alive, totals_of = alive[keeps], first[keeps]
    for stage in range(cascade.stages):
        if stage:
            stumps += len(alive) * int(cascade.begins[stage + 1] - cascade.begins[stage])
            totals_of = _sums(cascade, stage, sums, stride, base[alive], norm[alive])
            through = totals_of >= cascade.wanted[stage] - SLACK
            totals[alive] = totals_of - cascade.wanted[stage]
            alive, totals_of = alive[through], totals_of[through]
        passed[alive] = stage + 1
        survivors[stage + 1] = len(alive)
        if not len(alive):
            break
    factors = np.array([picture.factor for picture in pictures], np.float32)
    half = cascade.size[0] / 2
    far = np.flatnonzero(passed)  # the map is of nothing elsewhere
    middle_x, middle_y = ((place[far] + half) * factors[layer[far]] / _MAP for place in (left, top))
    rows = np.minimum(middle_y.astype(np.intp), reached.shape[0] - 1)
    columns = np.minimum(middle_x.astype(np.intp), reached.shape[1] - 1)
    np.maximum.at(reached, (rows, columns), passed[far])
    best = int(np.lexsort((totals, passed))[-1])
    areas = np.array([pictures[layer[i]].area(int(left[i]), int(top[i])) for i in alive.tolist()], np.int64)
    areas = areas.reshape(-1, 4)
    areas[:, 2:] = np.minimum(areas[:, 2:], [size[1], size[0]] - areas[:, :2])  # rounding may lead beyond the edge
    return Scan(
        len(base), int(survivors[0]), int(np.count_nonzero(looked & flat)), survivors, stumps,
        layer[alive].astype(np.intp), left[alive].astype(np.intp), top[alive].astype(np.intp), totals[alive], areas,
        reached, (int(layer[best]), int(left[best]), int(top[best])),
    )  # fmt: skip


def _places(cascade: Cascade, pictures: list[Layer]) -> list[tuple[int, int]]:
    """Rows and columns of windows of each layer.

    OpenCV shares the rows between threads in strips, whose number follows from the first layer: where windows lie two
    pixels apart and the strips come out even, the last row of an odd number is left out.
    """
    if not pictures:
        return []
    strips = -(-(pictures[0].grey.shape[1] - cascade.size[0] + 1) // 32)
    found = []
    for picture in pictures:
        down, across = (have - need + 1 for have, need in zip(picture.grey.shape, cascade.size[::-1], strict=True))
        covered = max(1, -(-(down // picture.step) // strips)) * picture.step * strips
        found.append((-(-min(down, covered) // picture.step), -(-across // picture.step)))
    return found


def _stacked(pictures: list[Layer]) -> tuple[Any, Any, int, npt.NDArray[np.int32]]:
    """Integral images below one another in one memory, so that one offset means the same in all: sums, squares."""
    import cv2

    stride = max(picture.grey.shape[1] for picture in pictures) + 1
    rows = [picture.grey.shape[0] + 1 for picture in pictures]
    starts = np.concatenate([[0], np.cumsum(rows)])
    sums, squares = np.zeros((2, int(starts[-1]), stride), np.int32)
    for picture, start in zip(pictures, starts, strict=False):
        height, width = picture.grey.shape
        # squares may run over: differences of what ran over alike are still right
        both = cv2.integral2(picture.grey, sdepth=cv2.CV_32S, sqdepth=cv2.CV_32S)
        sums[start : start + height + 1, : width + 1] = both[0]
        squares[start : start + height + 1, : width + 1] = both[1]
    return sums.ravel(), squares.ravel(), stride, (starts[:-1] * stride).astype(np.int32)


def _corners(rectangles: Any, stride: int) -> npt.NDArray[np.int32]:
    """Offsets of the four corners, (..., 4): those that are added, then those that are taken away."""
    left, top, width, height = np.moveaxis(np.asarray(rectangles, np.int32), -1, 0)
    here, below = top * stride + left, (top + height) * stride + left
    return np.stack([here, below + width, here + width, below], -1)


def _norms(cascade: Cascade, sums: Any, squares: Any, stride: int, base: Any) -> tuple[Any, npt.NDArray[np.bool_]]:
    """One by area times deviation of each window, float32, and which windows have too little contrast."""
    width, height = cascade.size
    area = (width - 2) * (height - 2)
    added, other, less, least = _corners((1, 1, width - 2, height - 2), stride).tolist()
    total, square = (
        table[added:].take(base) + table[other:].take(base) - table[less:].take(base) - table[least:].take(base)
        for table in (sums, squares)
    )
    spread = area * square.astype(np.float64) - total.astype(np.float64) ** 2
    deviation = np.sqrt(np.maximum(spread, 0))
    flat = deviation <= FLATTEST * area
    return (1 / np.where(deviation > 0, deviation, 1)).astype(np.float32), flat


def _sums(cascade: Cascade, stage: int, sums: Any, stride: int, base: Any, norm: Any) -> npt.NDArray[np.float64]:
    """The sum of the votes of one stage for each window, (n,)."""
    begin, end = int(cascade.begins[stage]), int(cascade.begins[stage + 1])
    rectangles = cascade.rectangles[cascade.feature[begin:end]]
    offsets = _corners(rectangles[..., :4], stride)
    weights = rectangles[..., 4].astype(np.float32)
    threshold = cascade.threshold[begin:end].astype(np.float32)
    votes = cascade.votes[begin:end]
    result = np.zeros(len(base))
    if len(base) > _MANY:
        for at in range(end - begin):
            value = np.zeros(len(base), np.float32)
            for (added, other, less, least), weight in zip(offsets[at].tolist(), weights[at], strict=True):
                if weight:
                    inside = sums[added:].take(base)  # views from the corner on: no index is computed
                    inside += sums[other:].take(base)
                    inside -= sums[less:].take(base)
                    inside -= sums[least:].take(base)
                    value += inside.astype(np.float32) * weight
            value *= norm
            result += votes[at].take(value >= threshold[at])
        return result
    chunk = max(1, 400_000 // (12 * (end - begin)))
    for start in range(0, len(base), chunk):
        part = slice(start, start + chunk)
        found = sums.take(base[part, None, None, None] + offsets)  # (n, stumps, rectangles, corners)
        inside = (found[..., 0] + found[..., 1] - found[..., 2] - found[..., 3]).astype(np.float32) * weights
        value = (inside[..., 0] + inside[..., 1]) + inside[..., 2]
        result[part] = np.where(value * norm[part, None] < threshold, votes[:, 0], votes[:, 1]).sum(1)
    return result


def _visited(refused: npt.NDArray[np.bool_], room: list[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Which windows OpenCV looks at: the next in the row is left out where the first stage refuses one it looked at."""
    longest = max(columns for _, columns in room)
    table = np.zeros((longest, sum(rows for rows, _ in room)), bool)  # columns of windows first: they follow in memory
    start = row = 0
    for rows, columns in room:
        table[:columns, row : row + rows] = refused[start : start + rows * columns].reshape(rows, columns).T
        start, row = start + rows * columns, row + rows
    seen = np.ones_like(table)
    for column in range(1, longest):
        seen[column] = ~(seen[column - 1] & table[column - 1])
    row, parts = 0, []
    for rows, columns in room:
        parts.append(seen[:columns, row : row + rows].T.ravel())
        row += rows
    return np.concatenate(parts)
