"""Predictions as plain data: what ``--json`` prints and what can be saved beside a picture. No torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.tasks.predictions import ClassScores, ClipScores, Depth, Detections, Drawn, Flow, LabelMap


def as_dict(drawn: Drawn, top: int | None = None) -> dict[str, Any]:
    """A prediction as numbers, texts, lists and dictionaries.

    Classes, best first: ``{"classes": [{"label", "index", "score"}]}``, of a clip with ``"frames"`` and ``"wanted"``
    beside them. Objects, best first: ``{"boxes": [{"box": [x1, y1, x2, y2], "label", "index", "score"}]}`` in pixels of
    the picture, with ``"mask"`` in COCO's run-length form in each, or with ``"keypoints": [{"score", "points":
    [[x, y, score]]}]`` in the same order. Label maps: ``{"labels": {name: share of the pixels}}``. Flow:
    ``{"flow": {"mean": [right, down], "length": {"mean", "longest"}}}`` in pixels. Depth: ``{"depth": {"low", "median",
    "high", "unit", "larger"}}`` with what larger values mean, ``"near"`` or ``"far"``.

    Args:
        drawn: The prediction.
        top: At most so many classes.
    """
    if isinstance(drawn, ClassScores):
        return {"classes": _classes(drawn, top)}
    if isinstance(drawn, ClipScores):
        found = [] if drawn.scores is None else _classes(drawn.scores, top)
        return {"classes": found, "frames": drawn.frames, "wanted": drawn.wanted}
    if isinstance(drawn, LabelMap):
        return {"labels": drawn.shares()}
    if isinstance(drawn, Flow):
        return {"flow": _flow(drawn)}
    if isinstance(drawn, Depth):
        return {"depth": _depth(drawn)}
    return _objects(drawn)


def has_answer(drawn: Drawn) -> bool:
    """Whether there is one: clips and flow need pictures before this one."""
    if isinstance(drawn, ClipScores):
        return drawn.scores is not None
    return not isinstance(drawn, Flow) or drawn.vectors.shape[:2] != (1, 1)


def run_length(
    bits: npt.NDArray[np.bool_], corner: tuple[int, int], size: tuple[int, int]
) -> dict[str, list[int] | str]:
    """A mask in COCO's compressed run-length form (Lin et al. 2014), as ``pycocotools`` reads it.

    Args:
        bits: bool (h, w), a part of the picture.
        corner: Column and row of its upper left pixel in the picture.
        size: Width and height of the picture.

    Returns:
        ``{"size": [height, width], "counts": text}``.
    """
    width, height = size
    return {"size": [height, width], "counts": _compressed(_counts(bits, corner, width, height))}


def _counts(bits: npt.NDArray[np.bool_], corner: tuple[int, int], width: int, height: int) -> list[int]:
    """Lengths of runs down the columns of the whole picture, the first of pixels that are not in the mask."""
    columns, rows = np.nonzero(bits.T)
    index = (columns + corner[0]) * height + rows + corner[1]
    breaks = np.flatnonzero(np.diff(index) != 1)
    first = index[np.concatenate([[0], breaks + 1])] if len(index) else index
    behind = index[np.concatenate([breaks, [-1]])] + 1 if len(index) else index
    edges = np.stack([first, behind], 1).ravel()
    counts: list[int] = np.diff(np.concatenate([[0], edges, [width * height]])).tolist()
    return counts[:-1] if counts[-1] == 0 else counts


def _compressed(counts: list[int]) -> str:
    """From the fourth on each as the difference to the one before the last; five bits a letter, the lowest first."""
    letters = []
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        while True:
            low, value = value & 0x1F, value >> 5
            done = value == (-1 if low & 0x10 else 0)  # the highest bit of the last letter is the sign
            letters.append(chr(48 + (low if done else low | 0x20)))
            if done:
                break
    return "".join(letters)


def _classes(scores: ClassScores, top: int | None) -> list[dict[str, Any]]:
    return [{"label": label, "index": index, "score": score} for index, label, score in scores.ranked()[:top]]


def _objects(found: Detections) -> dict[str, Any]:
    boxes: list[dict[str, Any]] = []
    for i in range(len(found)):
        index = int(found.classes[i])
        label = found.labels[index] if index < len(found.labels) else str(index)
        entry = {"box": _short(found.boxes[i]), "label": label, "index": index, "score": _short(found.scores[i])}
        if found.masks is not None:
            column, row = found.masks.corners[i].tolist()
            entry["mask"] = run_length(found.masks.bits[i], (column, row), found.size)
        boxes.append(entry)
    result: dict[str, Any] = {"boxes": boxes}
    if found.keypoints is not None:
        result["keypoints"] = [
            {"score": _short(score), "points": _short(points)}
            for score, points in zip(found.scores, found.keypoints, strict=True)
        ]
    return result


def _flow(flow: Flow) -> dict[str, Any]:
    lengths = np.hypot(flow.vectors[..., 0], flow.vectors[..., 1])
    mean = flow.vectors.mean((0, 1), dtype=np.float64)
    return {"mean": mean.tolist(), "length": {"mean": float(lengths.mean()), "longest": float(lengths.max())}}


def _depth(depth: Depth) -> dict[str, Any]:
    low, high = depth.range()
    finite = depth.values[np.isfinite(depth.values)]
    median = float(np.median(finite)) if finite.size else 0.0
    larger = "near" if depth.near else "far"
    return {"low": low, "median": median, "high": high, "unit": depth.unit or None, "larger": larger}


def _short(values: Any) -> Any:
    """float32 with the fewest digits that give it back, instead of all of its value as float64."""
    if np.ndim(values):
        return [_short(value) for value in values]
    return float(str(values))
