"""How two predictions for one picture differ: what only one found, pixels, scores, motion. Plain arrays, no torch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.tasks.matching import key_point_distances, mask_overlaps, match
from guiapp.tasks.plain import has_answer
from guiapp.tasks.predictions import ClassScores, ClipScores, Depth, Detections, Drawn, Flow, LabelMap

MOST_VECTORS = 600_000
"""Motion is smooth: more vectors are not compared, because that is done for every picture."""
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
            of the picture, as fine as the finer of the two, but of more than ``MOST_VECTORS`` every second or third
            row and column.
        mean: Their mean.
    """

    first: Flow
    second: Flow
    lengths: Floats
    mean: float


@dataclass(frozen=True, eq=False)
class DepthDifference:
    """Depth, pixel by pixel.

    Relative depth is known up to scale and shift: those that bring the second nearest to the first are taken out (least
    squares, as in Ranftl et al. 2020).

    Attributes:
        first, second: The depths.
        lengths: float32 (h, w): how far apart they are, as fine as the finer of the two; NaN where one is unknown.
        mean: Their mean.
        unit: ``"m"`` for metres, ``"%"`` of the first's range for relative depth.
    """

    first: Depth
    second: Depth
    lengths: Floats
    mean: float
    unit: str


Difference = ObjectDifference | PixelDifference | ScoreDifference | FlowDifference | DepthDifference
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
    if type(first) is not type(second) or not has_answer(first) or not has_answer(second):
        return None
    if isinstance(first, ClipScores) and isinstance(second, ClipScores):
        first, second = first.scores, second.scores  # type: ignore[assignment]
    return _COMPARED[type(first)](first, second)


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
    if isinstance(difference, DepthDifference):
        of = " of its range" if difference.unit == "%" else ""
        return f"depth differs by {difference.mean:.2f} {difference.unit}{of} on average"
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
    matched, overlaps = match(first, second, classes)
    one, two = matched[:, 0], matched[:, 1]
    only_first = np.setdiff1d(np.arange(len(first)), one)
    only_second = np.setdiff1d(np.arange(len(second)), two)
    known = set(table.tolist())
    return ObjectDifference(
        first, second, matched, overlaps, second.scores[two] - first.scores[one],
        only_first[np.argsort(-first.scores[only_first], kind="stable")],
        only_second[np.argsort(-second.scores[only_second], kind="stable")],
        unknown_first=sum(int(c) not in known for c in first.classes[only_first]),
        unknown_second=int((classes[only_second] >= len(first.labels)).sum()),
        mask_overlaps=mask_overlaps(first.masks, second.masks, matched),
        distances=key_point_distances(first.keypoints, second.keypoints, matched),
    )  # fmt: skip


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
    """The nearest entry for every pixel of another grid over the same picture."""
    rows, columns = array.shape[:2]
    if (rows, columns) == shape:
        return array
    if rows % shape[0] == 0 and columns % shape[1] == 0:  # the same entries, without a copy
        down, across = rows // shape[0], columns // shape[1]
        thinned: npt.NDArray[Any] = array[down // 2 :: down, across // 2 :: across]
        return thinned
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
    step = max(1, math.ceil((shape[0] * shape[1] / MOST_VECTORS) ** 0.5))
    shape = -(-shape[0] // step), -(-shape[1] // step)
    apart = _resampled(first.vectors, shape) - _resampled(second.vectors, shape)
    lengths = np.sqrt(apart[..., 0] ** 2 + apart[..., 1] ** 2)
    known = lengths[np.isfinite(lengths)]
    return FlowDifference(first, second, lengths, float(known.mean()) if known.size else 0.0)


def _depth(first: Depth, second: Depth) -> DepthDifference | None:
    """None where one is nearer and the other farther with larger values, or only one is in metres."""
    if (first.unit, first.near) != (second.unit, second.near):
        return None
    shape = _finer(first.values, second.values)
    one, two = (_resampled(depth.values, shape).astype(np.float64) for depth in (first, second))
    known = np.isfinite(one) & np.isfinite(two)
    scale, unit = 1.0, first.unit
    if not unit:
        unit = "%"
        if known.any():
            few = max(1, int(known.sum()) // 50_000)
            a, b = one[known][::few], two[known][::few]
            spread = float(((b - b.mean()) ** 2).sum())
            slope = float(((a - a.mean()) * (b - b.mean())).sum()) / spread if spread else 0.0
            two = a.mean() + slope * (two - b.mean())
            low, high = first.range()
            scale = 100.0 / (high - low) if high > low else 0.0
    lengths = np.where(known, np.abs(np.where(known, one - two, 0.0)) * scale, np.nan).astype(np.float32)
    return DepthDifference(first, second, lengths, float(lengths[known].mean()) if known.any() else 0.0, unit)


def _signed(value: float) -> str:
    """Two decimals with a sign that is as wide as a plus."""
    return f"{value:+.2f}".replace("-", "−")


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}es"


_COMPARED: dict[type, Callable[[Any, Any], Difference | None]] = {
    Detections: _objects, LabelMap: _pixels, ClassScores: _scores, Flow: _flow, Depth: _depth,
}  # fmt: skip
