"""One object inside a detector: the anchor or region it came from, what was cut out for it, its mask or key points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guiapp.interpret.atlas import Atlas, make_atlas
from guiapp.interpret.detector_heads import Heads
from guiapp.interpret.detector_options import DetectorOptions
from guiapp.interpret.detector_pyramid import magnitude, strongest
from guiapp.tasks.detection import COCO_KEYPOINTS

Floats = npt.NDArray[np.float32]
TOP = 5
_MARGIN = 0.1  # by which the live picture widens the region about a chosen object on each side


@dataclass(frozen=True, eq=False)
class ObjectView:
    """How one object was found. Boxes are x1, y1, x2, y2 in pixels of the picture unless said otherwise.

    Attributes:
        label, score: Its class and score.
        chosen: Whether it is the one that a person chose; ``shown`` whether it is shown at all.
        box: float32 (4,); ``seen`` the same in pixels of the input.
        start: float32 (4,), the region or anchor that it started from.
        start_score: Objectness of the region; None for one stage.
        codes: float32 (4,): t_x, t_y, t_w, t_h that moved ``start`` to ``box``, before it was cut to the picture.
        level: Level that its features were taken from.
        exact_level: 4 + log2(sqrt(w h) / 224) of the region, before rounding; None for one stage.
        classes: Best classes with their probabilities, best first; the background among them where it is a class.
        centre: FCOS: how far in the middle of an object the cell lies, 0 to 1; else None.
        pooled: What RoIAlign cut out, as one map of 7x7; None for one stage. ``channel`` is that shown, -1 the mean.
        mask: Probabilities 28x28 of Mask R-CNN; else None.
        points: Heat maps 56x56 of Keypoint R-CNN, one for each point, as logits; else None.
        names: Of the key points.
        peaks: float32 (K,): for each point the soft-max probability of its best cell.
    """

    label: str
    score: float
    chosen: bool
    shown: bool
    box: Floats
    seen: Floats
    start: Floats
    start_score: float | None
    codes: Floats
    level: int
    exact_level: float | None
    classes: tuple[tuple[str, float], ...]
    centre: float | None = None
    pooled: Atlas | None = None
    channel: int = -1
    mask: Atlas | None = None
    points: Atlas | None = None
    names: tuple[str, ...] = ()
    peaks: Floats | None = None


def look_at(
    module: Any, heads: Heads, found: Any, shown: torch.Tensor, drawn: Any, options: DetectorOptions, scale: Floats
) -> ObjectView | None:
    """The chosen object, else the best that is shown, else the best box; None where there is no box at all.

    Args:
        module: The network.
        heads: What its heads said.
        found: Its ``Candidates``.
        shown: int64 (N,), places of the shown objects among them.
        drawn: The shown objects.
        options: ``region`` is about the chosen one.
        scale: float32 (2,), pixels of the picture for one of the input.
    """
    if not len(found):
        return None
    index, chosen = 0, False
    if len(shown):
        picked = chosen_one(drawn.boxes, drawn.size, options.region)
        chosen = picked is not None
        index = int(shown[picked or 0])
    label, origin = int(found.classes[index]), int(found.origins[index])
    factors = np.tile(scale, 2)
    seen = found.boxes[index].numpy()
    name = drawn.labels[label] if label < len(drawn.labels) else str(label)
    common = {
        "label": name, "score": float(found.scores[index]), "chosen": chosen, "shown": bool(len(shown)),
        "box": seen * factors, "seen": seen,
    }  # fmt: skip
    if heads.regions is None:
        return _of_anchor(heads, origin, drawn.labels, factors, common)
    return _of_region(module, heads, found, index, origin, label, drawn.labels, factors, common, options)


def chosen_one(boxes: Floats, size: tuple[int, int], region: tuple[float, float, float, float] | None) -> int | None:
    """Which of the boxes (N, 4) a region is about, which the live picture has made a little wider; None for none.

    Args:
        boxes: In pixels of the picture.
        size: Its width and height.
        region: Left, top, right, bottom as shares of it.
    """
    if region is None or not len(boxes):
        return None
    across, down = (boxes[:, 2] - boxes[:, 0]) * _MARGIN, (boxes[:, 3] - boxes[:, 1]) * _MARGIN
    wide = boxes + np.stack([-across, -down, across, down], 1)
    wide = np.clip(wide / np.tile(np.array(size, np.float32), 2), 0, 1)
    apart = np.abs(wide - np.array(region, np.float32)).max(1)
    best = int(apart.argmin())
    return best if apart[best] < _MARGIN else None


def mapped_levels(mapper: Any, regions: torch.Tensor) -> npt.NDArray[np.int64]:
    """The level for each region (N, 4): floor(4 + log2(sqrt(w h) / 224)), within those there are (Lin et al. 2017)."""
    exact = exact_levels(mapper, regions)
    levels: npt.NDArray[np.int64] = (
        np.clip(np.floor(exact + mapper.eps), mapper.k_min, mapper.k_max) - mapper.k_min
    ).astype(np.int64)
    return levels


def exact_levels(mapper: Any, regions: torch.Tensor) -> Floats:
    """The same before rounding, counted as in P2, P3, …; float32 (N,)."""
    sides = (regions[:, 2:] - regions[:, :2]).float()
    exact: Floats = (mapper.lvl0 + torch.log2(sides.prod(1).sqrt() / mapper.s0)).cpu().numpy()
    return exact


def _of_anchor(
    heads: Heads, origin: int, labels: tuple[str, ...], factors: Floats, common: dict[str, Any]
) -> ObjectView:
    logits = heads.logits[origin].float()
    soft = heads.scoring == "softmax"
    ends = np.cumsum(heads.counts)
    return ObjectView(
        **common,
        start=heads.anchors[origin].float().cpu().numpy() * factors,
        start_score=None,
        codes=heads.codes[origin].float().cpu().numpy(),
        level=int(np.searchsorted(ends, origin, side="right")),
        exact_level=None,
        classes=_best(logits.softmax(-1) if soft else logits.sigmoid(), labels, soft),
        centre=None if heads.centre is None else float(heads.centre[origin, 0].sigmoid()),
    )


def _of_region(
    module: Any, heads: Heads, found: Any, index: int, origin: int, label: int, labels: tuple[str, ...],
    factors: Floats, common: dict[str, Any], options: DetectorOptions,
) -> ObjectView:  # fmt: skip
    assert heads.regions is not None and heads.class_logits is not None and heads.class_codes is not None
    region = heads.regions[origin : origin + 1]
    weights = torch.tensor(module.roi_heads.box_coder.weights)
    pooled = mask = points = peaks = None
    channel = -1
    if options.view == "object":
        assert heads.pooled is not None
        cut = heads.pooled[origin : origin + 1]
        channel = strongest(cut) if options.channel == "strongest" else -1
        pooled = make_atlas((magnitude(cut) if channel < 0 else cut[0, channel])[None].float())
        boxes = found.boxes[index : index + 1]
        if found.masks is not None:
            mask = make_atlas(found.masks(boxes, found.classes[index : index + 1]), signed=False)
        if found.keypoints is not None:
            maps = point_maps(module.roi_heads, heads, boxes)
            points = make_atlas(maps, scale="map", signed=False, aspect=1.6)
            peaks = maps.flatten(1).softmax(1).amax(1).numpy()
    return ObjectView(
        **common,
        start=region[0].float().cpu().numpy() * factors,
        start_score=float(found.proposals[origin, 4]),
        codes=heads.class_codes[origin, label].float().cpu().numpy() / weights.numpy(),
        level=int(mapped_levels(heads.mapper, region)[0]),
        exact_level=float(exact_levels(heads.mapper, region)[0]),
        classes=_best(heads.class_logits[origin].float().softmax(-1), labels, True),
        pooled=pooled,
        channel=channel,
        mask=mask,
        points=points,
        names=COCO_KEYPOINTS if points is not None else (),
        peaks=peaks,
    )


def point_maps(roi_heads: Any, heads: Heads, boxes: torch.Tensor) -> torch.Tensor:
    """Heat maps of the key points of the first of some boxes, float32 (K, 56, 56), logits, on the CPU."""
    cut = roi_heads.keypoint_roi_pool(heads.maps, [boxes.to(heads.anchors)], heads.sizes)
    maps: torch.Tensor = roi_heads.keypoint_predictor(roi_heads.keypoint_head(cut))[0].float().cpu()
    return maps


def _best(probabilities: torch.Tensor, labels: tuple[str, ...], background: bool) -> tuple[tuple[str, float], ...]:
    values, places = probabilities.topk(min(TOP, len(probabilities)))
    names = [labels[i] if i < len(labels) else str(i) for i in places.tolist()]
    if background:
        names = ["background" if i == 0 else name for i, name in zip(places.tolist(), names, strict=True)]
    pairs = tuple(zip(names, values.tolist(), strict=True))
    return tuple((name, value) for name, value in pairs if math.isfinite(value))
