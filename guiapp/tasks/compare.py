"""How two predictions for one picture differ: what only one found, pixels, scores, motion. Plain arrays, no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.tasks.plain import has_answer
from guiapp.tasks.predictions import ClassScores, ClipScores, Detections, Drawn, Flow, LabelMap, Masks

SAME = 0.5
"""Intersection over union from which two boxes of one class are the same object, as in PASCAL VOC."""
TOP = 5
"""So many of each network's best classes are compared."""

# Two label sets of torchvision's weights name the same things differently: PASCAL VOC's word, COCO's word.
_COCO_WORDS = {
    "aeroplane": "airplane", "diningtable": "dining table", "motorbike": "motorcycle", "pottedplant": "potted plant",
    "sofa": "couch", "tvmonitor": "tv",
}  # fmt: skip

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
_Name = tuple[str, int]


@dataclass(frozen=True, eq=False)
class ObjectDifference:
    """Objects of two detectors, matched.

    Attributes:
        first, second: What they found.
        pairs: int64 (M, 2): index in ``first``, index in ``second`` of the same object.
        overlaps: float32 (M,), intersection over union of the boxes of each pair.
        changes: float32 (M,), score of the second less score of the first.
        only_first, only_second: int64 (A,), (B,): indices of what the other did not find, best first.
        unknown_first, unknown_second: How many of them are of classes that the other has no name for.
        mask_overlaps: float32 (M,), intersection over union of the masks, NaN where one is not computed yet; None where
            one detector gives none.
        distances: float32 (M,), mean distance of the key points in pixels, NaN where one has none yet; or None.
    """

    first: Detections
    second: Detections
    pairs: Indices
    overlaps: Floats
    changes: Floats
    only_first: Indices
    only_second: Indices
    unknown_first: int = 0
    unknown_second: int = 0
    mask_overlaps: Floats | None = None
    distances: Floats | None = None


@dataclass(frozen=True, eq=False)
class PixelDifference:
    """Label maps, pixel by pixel.

    Attributes:
        first, second: The label maps.
        differs: bool (h, w): where they name different classes; laid over the whole picture, as fine as the finer map.
        share: Share of the pixels that differ, 0 to 1.
        overlaps: By class name, intersection over union of what the two maps give that class; classes that neither
            shows are left out; the largest first.
    """

    first: LabelMap
    second: LabelMap
    differs: npt.NDArray[np.bool_]
    share: float
    overlaps: dict[str, float]


@dataclass(frozen=True, eq=False)
class ScoreDifference:
    """Class scores side by side.

    Attributes:
        first, second: The scores.
        rows: Name of the class, probability by the first and by the second, for the ``TOP`` of both; NaN where a
            network has no such class; the highest first.
    """

    first: ClassScores
    second: ClassScores
    rows: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, eq=False)
class FlowDifference:
    """Motion, vector by vector.

    Attributes:
        first, second: The motion.
        lengths: float32 (h, w): length of the difference of the vectors (end-point error, Baker et al. 2011) in pixels
            of the picture, as fine as the finer of the two.
        mean: Their mean.
    """

    first: Flow
    second: Flow
    lengths: Floats
    mean: float


Difference = ObjectDifference | PixelDifference | ScoreDifference | FlowDifference
"""What two predictions of one type differ by."""


def difference(first: Drawn, second: Drawn) -> Difference | None:
    """What two predictions for one picture differ by.

    Classes are matched by name, so that networks trained on different label sets can be compared.

    Args:
        first: A prediction.
        second: Another one for the same picture.

    Returns:
        None where there is nothing to compare: predictions of different types, or one that has no answer yet.
    """
    if not has_answer(first) or not has_answer(second):
        return None
    if isinstance(first, ClipScores) and isinstance(second, ClipScores):
        first, second = first.scores, second.scores  # type: ignore[assignment]
    if isinstance(first, Detections) and isinstance(second, Detections):
        return _objects(first, second)
    if isinstance(first, LabelMap) and isinstance(second, LabelMap):
        return _pixels(first, second)
    if isinstance(first, ClassScores) and isinstance(second, ClassScores):
        return _scores(first, second)
    if isinstance(first, Flow) and isinstance(second, Flow):
        return _flow(first, second)
    return None


def in_words(difference: Difference, first: str = "A", second: str = "B") -> str:
    """One line on a difference, such as ``"5 boxes in both, 3 only A, 1 only B, mean change of score −0.08"``."""
    if isinstance(difference, ObjectDifference):
        return _objects_in_words(difference, first, second)
    if isinstance(difference, PixelDifference):
        overlaps = list(difference.overlaps.values())
        mean = f", mean IoU {np.mean(overlaps):.2f} of {_count(len(overlaps), 'class')}" if overlaps else ""
        return f"{difference.share:.1%} of the pixels differ{mean}"
    if isinstance(difference, FlowDifference):
        return f"motion differs by {difference.mean:.2f} px on average"
    one, two = difference.first, difference.second
    (a, p), (b, q) = ((s.labels[s.best], float(s.probabilities[s.best])) for s in (one, two))
    if _keys(one.labels)[one.best] == _keys(two.labels)[two.best]:
        return f"both say {a}: {first} {p:.1%}, {second} {q:.1%}"
    return f"{first} says {a} ({p:.1%}), {second} says {b} ({q:.1%})"


def translated(classes: Iterable[int], labels: Sequence[str], others: Sequence[str]) -> frozenset[int]:
    """Indices into ``labels`` as indices into ``others``, by name; what has no name there is left out."""
    if tuple(labels) == tuple(others):
        return frozenset(classes)
    place = {key: index for index, key in enumerate(_keys(others))}
    keys = _keys(labels)
    return frozenset(place[keys[i]] for i in classes if i < len(keys) and keys[i] in place)


def in_common(first: Drawn, second: Drawn) -> tuple[Drawn, Drawn]:
    """Both with the same class names and numbers, so that a class has one colour in both; else as they are."""
    if isinstance(first, Detections) and isinstance(second, Detections) and first.labels != second.labels:
        table, labels = _common(first.labels, second.labels)
        return replace(first, labels=tuple(labels)), replace(
            second, labels=tuple(labels), classes=table[second.classes]
        )
    if isinstance(first, LabelMap) and isinstance(second, LabelMap) and first.labels != second.labels:
        table, labels = _common(first.labels, second.labels)
        classes = table.astype(np.uint8 if len(labels) <= 256 else np.int16)[second.classes]
        return replace(first, labels=tuple(labels)), replace(second, labels=tuple(labels), classes=classes)
    return first, second


# ---------------------------------------------------------------------- names


def _plain(label: str) -> str:
    name = label.strip().strip("_").replace("_", " ").lower()
    return _COCO_WORDS.get(name, name)


def _keys(labels: Sequence[str]) -> list[_Name]:
    """Names that can be compared; of a name that is there twice (ImageNet's two cranes) each is numbered."""
    seen: Counter[str] = Counter()
    keys = []
    for label in labels:
        name = _plain(label)
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys


def _common(first: Sequence[str], second: Sequence[str]) -> tuple[Indices, list[str]]:
    """Numbers of the second's classes as the first counts them; names that it lacks are numbered after its own."""
    keys = _keys(first)
    place = {key: index for index, key in enumerate(keys)}
    names, table = list(first), []
    for label, key in zip(second, _keys(second), strict=True):
        if key not in place:
            place[key] = len(names)
            names.append(label)
        table.append(place[key])
    return np.array(table, np.int64), names


# ---------------------------------------------------------------------- objects


def _objects(first: Detections, second: Detections) -> ObjectDifference:
    table, _ = _common(first.labels, second.labels)
    classes = table[second.classes] if len(second) else second.classes
    overlap = box_overlaps(first.boxes, second.boxes)
    able = np.where(first.classes[:, None] == classes[None], overlap, np.float32(0))
    pairs = []
    for row in np.argsort(-first.scores, kind="stable").tolist() if able.size else []:
        column = int(able[row].argmax())
        if able[row, column] >= SAME:
            pairs.append((row, column))
            able[:, column] = 0
    matched = np.array(pairs, np.int64).reshape(-1, 2)
    one, two = matched[:, 0], matched[:, 1]
    only_first = np.setdiff1d(np.arange(len(first)), one)
    only_second = np.setdiff1d(np.arange(len(second)), two)
    known = set(table.tolist())
    return ObjectDifference(
        first, second, matched, overlap[one, two], second.scores[two] - first.scores[one],
        only_first[np.argsort(-first.scores[only_first], kind="stable")],
        only_second[np.argsort(-second.scores[only_second], kind="stable")],
        unknown_first=sum(int(c) not in known for c in first.classes[only_first]),
        unknown_second=int((classes[only_second] >= len(first.labels)).sum()),
        mask_overlaps=_mask_overlaps(first.masks, second.masks, pairs),
        distances=_distances(first.keypoints, second.keypoints, matched),
    )  # fmt: skip


def box_overlaps(first: Floats, second: Floats) -> Floats:
    """Intersection over union of boxes x1, y1, x2, y2: (N, 4) and (M, 4) give float32 (N, M); 0 for empty ones."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    sides = np.clip(np.minimum(first[:, None, 2:], second[None, :, 2:]) - corner, 0, None)
    common = sides[..., 0] * sides[..., 1]
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None] - common
    result: Floats = np.divide(common, union, out=np.zeros(common.shape, np.float32), where=union > 0)
    return result


def _mask_overlaps(first: Masks | None, second: Masks | None, pairs: Sequence[tuple[int, int]]) -> Floats | None:
    if first is None or second is None:
        return None
    values = [
        mask_overlap(first.bits[i], first.corners[i].tolist(), second.bits[k], second.corners[k].tolist())
        for i, k in pairs
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


def _distances(first: Floats | None, second: Floats | None, pairs: Indices) -> Floats | None:
    """Mean distance of the key points that both have, for each pair."""
    if first is None or second is None or first.shape[1] != second.shape[1]:
        return None
    one, two = first[pairs[:, 0]], second[pairs[:, 1]]
    there = np.isfinite(one[..., 2]) & np.isfinite(two[..., 2])
    far = np.where(there, np.linalg.norm(one[..., :2] - two[..., :2], axis=-1), 0).sum(1)
    count = there.sum(1)
    result: Floats = np.divide(far, count, out=np.full(len(pairs), np.nan, np.float32), where=count > 0)
    return result


def _objects_in_words(found: ObjectDifference, first: str, second: str) -> str:
    if not len(found.first) and not len(found.second):
        return "neither finds anything"
    parts = [f"{_count(len(found.pairs), 'box')} in both"]
    for count, unknown, name, other in (
        (len(found.only_first), found.unknown_first, first, second),
        (len(found.only_second), found.unknown_second, second, first),
    ):
        beyond = f" ({unknown} of classes that {other} does not know)" if unknown else ""
        parts.append(f"{count} only {name}{beyond}")
    if len(found.changes):
        parts.append(f"mean change of score {_signed(float(found.changes.mean()))}")
    for values, text in ((found.mask_overlaps, "mask IoU {:.2f}"), (found.distances, "key points {:.1f} px apart")):
        if values is not None and np.isfinite(values).any():
            parts.append(text.format(float(np.nanmean(values))))
    return ", ".join(parts)


# ---------------------------------------------------------------------- pixels, scores, motion


def _resampled(array: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """The nearest entry for every pixel of a finer grid over the same picture."""
    rows, columns = array.shape[:2]
    if (rows, columns) == shape:
        return array
    row = ((np.arange(shape[0]) + 0.5) * rows / shape[0]).astype(np.int64)
    column = ((np.arange(shape[1]) + 0.5) * columns / shape[1]).astype(np.int64)
    finer: npt.NDArray[Any] = array[row][:, column]
    return finer


def _finer(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> tuple[int, int]:
    (a, b), (c, d) = first.shape[:2], second.shape[:2]
    return max(a, c), max(b, d)


def _pixels(first: LabelMap, second: LabelMap) -> PixelDifference:
    table, names = _common(first.labels, second.labels)
    shape = _finer(first.classes, second.classes)
    one = _resampled(first.classes, shape)
    narrow = table.astype(np.uint8 if len(names) <= 256 else np.int32)
    two = _resampled(narrow[second.classes], shape)
    differs = one != two
    agreed = np.bincount(one[~differs], minlength=len(names))
    union = np.bincount(one.ravel(), minlength=len(names)) + np.bincount(two.ravel(), minlength=len(names)) - agreed
    there = [i for i in np.argsort(-union, kind="stable").tolist() if union[i]]
    overlaps = {names[i]: float(agreed[i] / union[i]) for i in there}
    return PixelDifference(first, second, differs, float(differs.mean()) if differs.size else 0.0, overlaps)


def _scores(first: ClassScores, second: ClassScores) -> ScoreDifference:
    names: dict[_Name, str] = {}
    by_name: list[dict[_Name, float]] = []
    for scores in (second, first):  # the first's spelling of a name is shown
        keys = _keys(scores.labels)
        names.update({keys[i]: scores.labels[i] for i in np.argsort(-scores.probabilities, kind="stable")[:TOP]})
        by_name.insert(0, dict(zip(keys, scores.probabilities.tolist(), strict=True)))
    one, two = by_name
    rows = [(name, one.get(key, float("nan")), two.get(key, float("nan"))) for key, name in names.items()]
    return ScoreDifference(first, second, tuple(sorted(rows, key=lambda row: -np.nanmax(row[1:]))))


def _flow(first: Flow, second: Flow) -> FlowDifference:
    shape = _finer(first.vectors, second.vectors)
    apart = _resampled(first.vectors, shape) - _resampled(second.vectors, shape)
    lengths = np.hypot(apart[..., 0], apart[..., 1])
    known = lengths[np.isfinite(lengths)]
    return FlowDifference(first, second, lengths, float(known.mean()) if known.size else 0.0)


def _signed(value: float) -> str:
    """Two decimals with a sign that is as wide as a plus."""
    return f"{value:+.2f}".replace("-", "−")


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}es"
