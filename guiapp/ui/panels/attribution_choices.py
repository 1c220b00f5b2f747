"""What of a network's answer can be explained: its classes, boxes or regions, best first, as rows to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from guiapp.interpret.targets import BoxTarget, ClassTarget, PixelsTarget, Share
from guiapp.tasks.predictions import ClassScores, ClipScores, Detections, LabelMap
from guiapp.ui.widgets.choice_list import Choice

if TYPE_CHECKING:
    from guiapp.interpret.targets import Target
    from guiapp.ui.theme import Theme

_SAME = 0.3
"""Intersection over union by which a chosen box is found again in the next answer."""

Colour = Callable[[int, int], Any]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network said of a picture, as rows.

    Attributes:
        choices: Rows, best first; their subjects are targets.
        labels: Class names.
        noun: What a row is: ``"class"``, ``"box"``, ``"region"``; empty where there is nothing to choose.
    """

    choices: tuple[Choice, ...] = ()
    labels: tuple[str, ...] = ()
    noun: str = ""


def answer_of(prediction: object, theme: Theme, most: int, also: Sequence[int] = ()) -> Answer:
    """The rows of an answer.

    Args:
        prediction: Any typed prediction.
        theme: Colours of the classes.
        most: Rows at most.
        also: Classes that have a row although they are not among the best.
    """
    scores = prediction.scores if isinstance(prediction, ClipScores) else prediction
    if isinstance(scores, ClassScores):
        return Answer(_classes(scores, theme, most, also), scores.labels, "class")
    if isinstance(prediction, Detections):
        return Answer(_boxes(prediction, theme, most), prediction.labels, "box")
    if isinstance(prediction, LabelMap):
        return Answer(_regions(prediction, theme, most, also), prediction.labels, "region")
    return Answer()


def _classes(scores: ClassScores, theme: Theme, most: int, also: Sequence[int]) -> tuple[Choice, ...]:
    count = len(scores.labels)
    order = np.argsort(-scores.probabilities, kind="stable")
    outside = [index for index in also if 0 <= index < count and index not in order[:most]]
    shown = [*order[: max(1, most - len(outside))].tolist(), *outside]
    rows = []
    for index in shown:
        share, name = float(scores.probabilities[index]), scores.labels[index]
        tip = f"{name}: {share:.6g}"
        if scores.logits is not None:
            tip += f", logit {float(scores.logits[index]):.4g}".replace("-", "−")
        rows.append(Choice(name, _percent(share), share, theme.class_colour(index, count), ClassTarget(index), tip))
    return tuple(rows)


def _boxes(found: Detections, theme: Theme, most: int) -> tuple[Choice, ...]:
    rows, seen = [], {}
    for place in range(min(len(found), most)):
        kind, share = int(found.classes[place]), float(found.scores[place])
        seen[kind] = seen.get(kind, 0) + 1
        several = int((found.classes == kind).sum()) > 1
        name = found.labels[kind] + (f" {seen[kind]}" if several else "")
        target = BoxTarget(box_share(found, place), kind)
        rows.append(Choice(name, f"{share:.2f}", share, theme.class_colour(kind, len(found.labels)), target))
    return tuple(rows)


def box_share(found: Detections, place: int) -> Share:
    """A box as shares of the picture."""
    width, height = found.size
    left, top, right, bottom = (float(v) for v in found.boxes[place])
    return left / width, top / height, right / width, bottom / height


def _regions(found: LabelMap, theme: Theme, most: int, also: Sequence[int]) -> tuple[Choice, ...]:
    counts = np.bincount(found.classes.ravel(), minlength=len(found.labels))
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
    order.sort(key=lambda index: index == 0 and found.labels[0].strip("_").lower() == "background")
    outside = [i for i in also if 0 <= i < len(found.labels) and i not in order[:most]]
    rows = []
    for index in [*order[: max(1, most - len(outside))], *outside]:
        share = float(counts[index]) / found.classes.size
        colour = theme.class_colour(index, len(found.labels))
        tip = f"{found.labels[index]} wins {_percent(share)} of the pixels"
        rows.append(Choice(found.labels[index], _percent(share), share, colour, PixelsTarget(index), tip))
    return tuple(rows)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def class_of(target: Target | None) -> int | None:
    """The class that a target is about, or None."""
    return getattr(target, "class_index", None)


def row_of(choices: Sequence[Choice], target: Target | None) -> int | None:
    """The row that stands for a target: of a box the one that overlaps it most, of other things that of the class."""
    if target is None:
        return None
    if isinstance(target, BoxTarget) and target.box is not None:
        overlaps = [overlap(c.subject.box, target.box) if _same_class(c.subject, target) else 0.0 for c in choices]
        best = int(np.argmax(overlaps)) if overlaps else -1
        return best if best >= 0 and overlaps[best] >= _SAME else None
    wanted = class_of(target)
    return next((i for i, c in enumerate(choices) if class_of(c.subject) == wanted), None)


def _same_class(subject: Any, target: BoxTarget) -> bool:
    return target.class_index is None or class_of(subject) == target.class_index


def followed(choices: Sequence[Choice], target: Target) -> Target:
    """A box in a newer answer: where it is now; everything else as it is."""
    row = row_of(choices, target) if isinstance(target, BoxTarget) and target.box is not None else None
    return target if row is None else replace(target, box=choices[row].subject.box)


def overlap(a: Share, b: Share) -> float:
    """Intersection over union of two boxes."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(0.0, across) * max(0.0, down)
    total = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / total if total > 0 else 0.0


def boxed(region: Share, choices: Sequence[Choice]) -> BoxTarget | None:
    """The box that lies best in a region which was chosen in the live picture, or None."""
    boxes = [(overlap(c.subject.box, region), c.subject) for c in choices if isinstance(c.subject, BoxTarget)]
    best = max(boxes, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] >= _SAME else None
