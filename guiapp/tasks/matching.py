"""Objects of two detectors brought together: boxes by class and overlap, and how far their masks and points agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from guiapp.tasks.predictions import Detections, Masks

SAME = 0.5
"""Intersection over union from which two boxes of one class are the same object, as in PASCAL VOC."""

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


def match(first: Detections, second: Detections, classes: Indices) -> tuple[Indices, Floats]:
    """Pairs of the same object: the best score of the first chooses first, the box that it overlaps most.

    Args:
        first: Objects.
        second: Other objects in the same picture.
        classes: int64 (M,), classes of the second as the first counts them.

    Returns:
        int64 (P, 2) index in the first, index in the second; float32 (P,) intersection over union of their boxes.
    """
    overlap = box_overlaps(first.boxes, second.boxes)
    able = np.where(first.classes[:, None] == classes[None], overlap, np.float32(0))
    pairs = []
    for row in np.argsort(-first.scores, kind="stable").tolist() if able.size else []:
        column = int(able[row].argmax())
        if able[row, column] >= SAME:
            pairs.append((row, column))
            able[:, column] = 0
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found, overlap[found[:, 0], found[:, 1]]


def box_overlaps(first: Floats, second: Floats) -> Floats:
    """Intersection over union of boxes x1, y1, x2, y2: (N, 4) and (M, 4) give float32 (N, M); 0 for empty ones."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    sides = np.clip(np.minimum(first[:, None, 2:], second[None, :, 2:]) - corner, 0, None)
    common = sides[..., 0] * sides[..., 1]
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None] - common
    result: Floats = np.divide(common, union, out=np.zeros(common.shape, np.float32), where=union > 0)
    return result


def mask_overlaps(first: Masks | None, second: Masks | None, pairs: Indices) -> Floats | None:
    """Intersection over union of the masks of each pair; None where one side has no masks."""
    if first is None or second is None:
        return None
    values = [
        mask_overlap(first.bits[i], first.corners[i].tolist(), second.bits[k], second.corners[k].tolist())
        for i, k in pairs.tolist()
    ]
    return np.array(values, np.float32)


def mask_overlap(
    first: npt.NDArray[np.bool_], at: Sequence[int], second: npt.NDArray[np.bool_], other: Sequence[int]
) -> float:
    """Intersection over union of two masks, bool (h, w), that begin at (column, row) of the picture; NaN if empty."""
    if not first.size or not second.size:
        return float("nan")
    left, top = max(at[0], other[0]), max(at[1], other[1])
    right = min(at[0] + first.shape[1], other[0] + second.shape[1])
    bottom = min(at[1] + first.shape[0], other[1] + second.shape[0])
    common = 0
    if left < right and top < bottom:
        one = first[top - at[1] : bottom - at[1], left - at[0] : right - at[0]]
        two = second[top - other[1] : bottom - other[1], left - other[0] : right - other[0]]
        common = int(np.count_nonzero(one & two))
    union = int(np.count_nonzero(first)) + int(np.count_nonzero(second)) - common
    return common / union if union else float("nan")


def key_point_distances(first: Floats | None, second: Floats | None, pairs: Indices) -> Floats | None:
    """Mean distance in pixels of the key points that both have, for each pair; None where they have others."""
    if first is None or second is None or first.shape[1] != second.shape[1]:
        return None
    one, two = first[pairs[:, 0]], second[pairs[:, 1]]
    there = np.isfinite(one[..., 2]) & np.isfinite(two[..., 2])
    far = np.where(there, np.linalg.norm(one[..., :2] - two[..., :2], axis=-1), 0).sum(1)
    count = there.sum(1)
    result: Floats = np.divide(far, count, out=np.full(len(pairs), np.nan, np.float32), where=count > 0)
    return result
