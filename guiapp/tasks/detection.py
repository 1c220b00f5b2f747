"""Detection: objects with boxes, masks or key points; thresholds act on the boxes that one run of the network gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
from torch.nn import functional
from torchvision.ops import batched_nms

from guiapp.models.zoo.candidates import KEEP, Candidates
from guiapp.models.zoo.one_stage import one_stage
from guiapp.models.zoo.rcnn import two_stage
from guiapp.tasks.live_options import LiveOptions
from guiapp.tasks.predictions import Detections, Masks

COCO_KEYPOINTS = (
    *("nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow"),
    *("right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee"),
    *("left ankle", "right ankle"),
)
COCO_SKELETON = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10)),
    *((1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
"""Pairs of ``COCO_KEYPOINTS`` that are joined (Lin et al. 2014, annotation of persons)."""

PAD = 1  # cells of nothing around a mask before it is enlarged, so that it ends softly at its box
INSIDE = 0.5  # probability from which a pixel belongs to an object

_Mask = tuple[npt.NDArray[np.bool_], tuple[int, int]]


@dataclass(frozen=True, eq=False)
class DetectionRun:
    """What one run of a detector gave; masks and key points are added when they are first shown.

    Attributes:
        candidates: Boxes before suppression.
        size: Width and height of the picture.
        masks: By index of the candidate: pixels and upper left corner.
        keypoints: By index of the candidate: float32 (K, 3) in pixels of the picture.
    """

    candidates: Candidates
    size: tuple[int, int]
    masks: dict[int, _Mask] = field(default_factory=dict)
    keypoints: dict[int, npt.NDArray[np.float32]] = field(default_factory=dict)

    @property
    def scale(self) -> npt.NDArray[np.float32]:
        """float32 (2,): pixels of the picture for one of the network, across and down."""
        height, width = self.candidates.extent
        return np.array([self.size[0] / width, self.size[1] / height], np.float32)


class DetectionTask:
    """Boxes above a threshold, without those that a better one of the same class covers.

    Takes torchvision's two- and one-stage detectors, and any module that has a method
    ``candidates(inputs, keep) -> Candidates``.

    Attributes:
        labels: Class names by index, as the network counts them.
        keep: How many boxes of a run are kept before suppression.
    """

    frames = 1

    def __init__(self, labels: tuple[str, ...], entry: Any = None, keep: int = KEEP) -> None:
        self.labels = tuple(labels)
        self.keep = keep

    def reset(self) -> None:
        """Nothing: each picture stands for itself."""

    @torch.inference_mode()
    def run(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> DetectionRun:
        """Run the network up to its boxes before suppression; see ``LiveTask.run``."""
        if hasattr(module, "candidates"):
            found = module.candidates(inputs, self.keep)
        elif hasattr(module, "roi_heads"):
            found = two_stage(module, list(inputs), self.keep)
        else:
            found = one_stage(module, list(inputs), self.keep)
        return DetectionRun(found, size)

    again = run

    @torch.inference_mode()
    def drawn(self, raw: DetectionRun, options: LiveOptions, previous: Any = None) -> Detections:
        """Threshold, suppression within each class, class filter, the best; see ``LiveTask.drawn``."""
        found = raw.candidates
        above = found.scores > options.score
        if options.classes is not None:
            above &= torch.isin(found.classes, torch.tensor(sorted(options.classes), dtype=torch.int64))
        index = torch.where(above)[0]
        boxes = found.boxes[index]
        left = batched_nms(boxes, found.scores[index], found.classes[index], options.iou)
        taken = torch.ones(len(index), dtype=torch.bool)
        taken[left] = False
        shown = index[left[: options.top]]
        if previous is None:
            self._complete(raw, shown)
        return Detections(
            _scaled(found.boxes[shown], raw.scale),
            found.scores[shown].numpy(),
            found.classes[shown].numpy(),
            self.labels,
            raw.size,
            masks=_masks(raw, shown) if found.masks is not None else None,
            keypoints=_keypoints(raw, shown) if found.keypoints is not None else None,
            skeleton=COCO_SKELETON if found.keypoints is not None else (),
            suppressed=_scored(boxes[taken], found.scores[index][taken], raw.scale),
            proposals=self._looked_at(raw, index) if options.proposals else None,
        )

    @staticmethod
    def _looked_at(raw: DetectionRun, index: torch.Tensor) -> npt.NDArray[np.float32] | None:
        found = raw.candidates
        if found.proposals is not None:
            return _scored(found.proposals[:, :4], found.proposals[:, 4], raw.scale)
        if found.anchors is None:
            return None
        # an anchor may have fired for several classes: it is given once, with its best score
        anchors, scores = found.anchors[index].numpy(), found.scores[index]
        _, first = np.unique(anchors, axis=0, return_index=True)
        once = torch.from_numpy(np.sort(first))
        return _scored(found.anchors[index][once], scores[once], raw.scale)

    @staticmethod
    def _complete(raw: DetectionRun, shown: torch.Tensor) -> None:
        """Run the branches for those that have no mask or key points yet."""
        found = raw.candidates
        if found.masks is not None:
            new = [i for i in shown.tolist() if i not in raw.masks]
            if new:
                boxes = found.boxes[new]
                for i, mask, box in zip(
                    new, found.masks(boxes, found.classes[new]), _scaled(boxes, raw.scale), strict=True
                ):
                    raw.masks[i] = cut_mask(mask, box, raw.size)
        if found.keypoints is not None:
            new = [i for i in shown.tolist() if i not in raw.keypoints]
            if new:
                points = found.keypoints(found.boxes[new]).numpy()
                points[..., :2] *= raw.scale
                raw.keypoints.update(zip(new, points, strict=True))


def own_options(module: Any) -> LiveOptions:
    """The thresholds that a detector of torchvision uses itself."""
    owner = getattr(module, "roi_heads", module)
    return LiveOptions(owner.score_thresh, owner.nms_thresh, owner.detections_per_img)


def cut_mask(mask: torch.Tensor, box: npt.NDArray[np.float32], size: tuple[int, int]) -> _Mask:
    """Enlarge a mask to its box and cut it to the picture.

    As in Mask R-CNN (He et al. 2017): a border of nothing around the mask, the box widened by as much, corners cut to
    whole pixels, bilinear. So it is equal to the pasted picture of torchvision wherever that is not zero.

    Args:
        mask: Probabilities, float32 (m, m).
        box: x1, y1, x2, y2 in pixels of the picture.
        size: Width and height of the picture.

    Returns:
        Pixels, bool (h, w), and column and row of the first; (0, 0) pixels for a box outside.
    """
    side = mask.shape[-1]
    factor = np.float32((side + 2 * PAD) / side)
    middle, half = (box[2:] + box[:2]) * np.float32(0.5), (box[2:] - box[:2]) * np.float32(0.5) * factor
    left, top = (int(v) for v in middle - half)  # towards zero, as torchvision
    right, bottom = (int(v) for v in middle + half)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(right + 1, size[0]), min(bottom + 1, size[1])
    if x1 <= x0 or y1 <= y0:
        return np.zeros((0, 0), np.bool_), (x0, y0)
    padded = functional.pad(mask, (PAD,) * 4)[None, None]
    large = functional.interpolate(
        padded, (max(bottom - top + 1, 1), max(right - left + 1, 1)), mode="bilinear", align_corners=False
    )[0, 0]
    return (large[y0 - top : y1 - top, x0 - left : x1 - left] > INSIDE).numpy(), (x0, y0)


def _scaled(boxes: torch.Tensor, scale: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return boxes.numpy() * np.tile(scale, 2)


def _scored(boxes: torch.Tensor, scores: torch.Tensor, scale: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.concatenate([_scaled(boxes, scale), scores.numpy()[:, None]], 1)


def _masks(raw: DetectionRun, shown: torch.Tensor) -> Masks:
    empty = np.zeros((0, 0), np.bool_)
    corners = _scaled(raw.candidates.boxes[shown], raw.scale)[:, :2].astype(np.int32)
    bits = []
    for row, i in enumerate(shown.tolist()):
        pixels, corner = raw.masks.get(i, (empty, tuple(corners[row])))
        bits.append(pixels)
        corners[row] = corner
    return Masks(tuple(bits), corners)


def _keypoints(raw: DetectionRun, shown: torch.Tensor) -> npt.NDArray[np.float32]:
    boxes = _scaled(raw.candidates.boxes[shown], raw.scale)
    points = np.empty((len(boxes), len(COCO_KEYPOINTS), 3), np.float32)
    for row, i in enumerate(shown.tolist()):
        known = raw.keypoints.get(i)
        if known is None:
            points[row, :, :2] = (boxes[row, :2] + boxes[row, 2:]) / 2
            points[row, :, 2] = -np.inf
        else:
            points[row] = known
    return points
