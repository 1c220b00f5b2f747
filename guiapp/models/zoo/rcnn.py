"""Two-stage detectors of torchvision in two steps: boxes before suppression, then masks or key points of some of them.

Faster R-CNN (Ren et al. 2015), Mask R-CNN and Keypoint R-CNN (He et al. 2017) as torchvision builds them: the forward
pass of ``GeneralizedRCNN`` without its last steps, which throw away what a person may want to see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import clip_boxes_to_image, remove_small_boxes

from guiapp.models.zoo.candidates import KEEP, Candidates, best

SMALLEST = 1e-2  # pixels: torchvision's second stage drops boxes that are narrower or lower


def two_stage(module: Any, inputs: Sequence[torch.Tensor], keep: int = KEEP) -> Candidates:
    """Run backbone, proposals and box heads.

    Args:
        module: torchvision's ``GeneralizedRCNN`` in evaluation mode.
        inputs: One picture, float (3, h, w), values 0 to 1.
        keep: How many boxes are kept.

    Returns:
        Its ``masks`` and ``keypoints`` hold on to the features of the backbone.
    """
    images, _ = module.transform(list(inputs))
    features = module.backbone(images.tensors)
    if isinstance(features, torch.Tensor):
        features = {"0": features}
    regions, objectness = _regions(module.rpn, images, features)
    heads = module.roi_heads
    pooled = heads.box_roi_pool(features, [regions], images.image_sizes)
    logits, codes = heads.box_predictor(heads.box_head(pooled))
    scores = torch.softmax(logits, -1)[:, 1:]  # the first is the background
    kinds = scores.shape[1]
    values, index = best(scores.flatten(), keep)
    row, label = torch.div(index, kinds, rounding_mode="floor"), index % kinds + 1
    codes = codes.reshape(len(regions), kinds + 1, 4)[row, label]
    boxes = clip_boxes_to_image(heads.box_coder.decode_single(codes, regions[row]), images.image_sizes[0])
    large = remove_small_boxes(boxes, SMALLEST)
    return Candidates(
        boxes[large].float().cpu(),
        values[large].float().cpu(),
        label[large].cpu(),
        tuple(images.image_sizes[0]),
        proposals=torch.cat([regions, objectness[:, None]], 1).float().cpu(),
        origins=row[large].cpu(),
        masks=_Masks(heads, features, images.image_sizes) if heads.has_mask() else None,
        keypoints=_Keypoints(heads, features, images.image_sizes) if heads.has_keypoint() else None,
    )


def _regions(rpn: Any, images: Any, features: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """As the proposal network's forward pass, which does not give the objectness (P,) beside the regions (P, 4)."""
    levels = list(features.values())
    objectness, codes = rpn.head(levels)
    anchors = rpn.anchor_generator(images, levels)
    counts = [level[0].numel() for level in objectness]
    flat, codes = concat_box_prediction_layers(objectness, codes)
    regions = rpn.box_coder.decode(codes, anchors).view(1, -1, 4)
    boxes, scores = rpn.filter_proposals(regions, flat, images.image_sizes, counts)
    return boxes[0], scores[0]


class _Masks:
    """The mask branch for some boxes of a picture."""

    def __init__(self, heads: Any, features: dict[str, torch.Tensor], sizes: list[tuple[int, int]]) -> None:
        self._heads, self._features, self._sizes = heads, features, sizes

    def __call__(self, boxes: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        heads, like = self._heads, next(iter(self._features.values()))
        pooled = heads.mask_roi_pool(self._features, [boxes.to(like)], self._sizes)
        logits = heads.mask_predictor(heads.mask_head(pooled))
        rows = torch.arange(len(boxes), device=like.device)
        probabilities: torch.Tensor = logits[rows, classes.to(like.device)].sigmoid().float().cpu()
        return probabilities


class _Keypoints:
    """The key point branch for some boxes of a picture."""

    def __init__(self, heads: Any, features: dict[str, torch.Tensor], sizes: list[tuple[int, int]]) -> None:
        self._heads, self._features, self._sizes = heads, features, sizes

    def __call__(self, boxes: torch.Tensor) -> torch.Tensor:
        heads, like = self._heads, next(iter(self._features.values()))
        boxes = boxes.to(like)
        pooled = heads.keypoint_roi_pool(self._features, [boxes], self._sizes)
        maps = heads.keypoint_predictor(heads.keypoint_head(pooled))
        points, scores = heatmaps_to_keypoints(maps, boxes)
        return torch.cat([points[..., :2], scores[..., None]], -1).float().cpu()
