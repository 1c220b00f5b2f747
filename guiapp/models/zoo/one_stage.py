"""One-stage detectors of torchvision up to their boxes before suppression, with the anchors that fired.

RetinaNet (Lin et al. 2017), FCOS (Tian et al. 2019), SSD (Liu et al. 2016) and SSDlite (Sandler et al. 2018). What
torchvision does class by class or level by level is done at once, for those scores alone that can matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.ops import clip_boxes_to_image

from guiapp.models.zoo.candidates import KEEP, Candidates, best, rank_in_group

FLOOR = 0.01  # lower scores are noise; a network whose own threshold is lower keeps that


def one_stage(module: Any, inputs: Sequence[torch.Tensor], keep: int = KEEP) -> Candidates:
    """Run backbone and head, and keep the best boxes.

    Args:
        module: torchvision's ``RetinaNet``, ``FCOS`` or ``SSD`` in evaluation mode.
        inputs: One picture, float (3, h, w), values 0 to 1.
        keep: How many boxes are kept. As in torchvision no level (RetinaNet, FCOS) or class (SSD) gives more
            than the network's ``topk_candidates``.
    """
    images, _ = module.transform(list(inputs))
    features = module.backbone(images.tensors)
    levels = [features] if isinstance(features, torch.Tensor) else list(features.values())
    outputs = module.head(levels)
    anchors = module.anchor_generator(images, levels)[0]
    floor = min(FLOOR, module.score_thresh)
    logits = outputs["cls_logits"][0]
    if isinstance(module, FCOS):
        scores, index, kinds = _centred(logits, outputs["bbox_ctrness"][0], floor)
    elif isinstance(module, RetinaNet):
        scores, index, kinds = _independent(logits, floor)
    else:
        scores, index, kinds = _exclusive(logits, floor)
    values, order = best(scores, keep)
    index = index[order]
    anchor, label = torch.div(index, kinds, rounding_mode="floor"), index % kinds
    if not isinstance(module, (FCOS, RetinaNet)):
        label = label + 1  # the background was left out
        groups = label
    else:
        groups = _level(anchor, levels, len(anchors))
    if len(values) > module.topk_candidates:
        allowed = rank_in_group(groups) < module.topk_candidates
        values, anchor, label = values[allowed], anchor[allowed], label[allowed]
    codes, start = outputs["bbox_regression"][0][anchor], anchors[anchor]
    decode = module.box_coder.decode if isinstance(module, FCOS) else module.box_coder.decode_single
    boxes = clip_boxes_to_image(decode(codes, start), images.image_sizes[0])
    return Candidates(
        boxes.float().cpu(),
        values.float().cpu(),
        label.cpu(),
        tuple(images.image_sizes[0]),
        anchors=start.float().cpu(),
        origins=anchor.cpu(),
    )


def _exclusive(logits: torch.Tensor, floor: float) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Scores (n,) above the floor of a soft-max over (anchors, classes), their places, classes without background."""
    scores = torch.softmax(logits, -1)[:, 1:].flatten()
    index = torch.where(scores > floor)[0]
    return scores[index], index, logits.shape[1] - 1


def _independent(logits: torch.Tensor, floor: float) -> tuple[torch.Tensor, torch.Tensor, int]:
    """As ``_exclusive`` for a logistic function for each class, taken only where it can matter (of 17 million)."""
    flat = logits.flatten()
    index = torch.where(flat > math.log(floor / (1 - floor)))[0]
    return flat[index].sigmoid(), index, logits.shape[1]


def _centred(logits: torch.Tensor, centre: torch.Tensor, floor: float) -> tuple[torch.Tensor, torch.Tensor, int]:
    """As ``_independent`` where the score is the root of the product with a cell's centre-ness (cells, 1)."""
    near = centre.sigmoid()
    # root(p near) > floor is p > floor² / near; where that is above one, the limit is no number and nothing passes
    index = torch.where((logits > torch.logit(floor**2 / near)).flatten())[0]
    kinds = logits.shape[1]
    cell = torch.div(index, kinds, rounding_mode="floor")
    return torch.sqrt(logits.flatten()[index].sigmoid() * near[cell, 0]), index, kinds


def _level(anchor: torch.Tensor, levels: Sequence[torch.Tensor], anchors: int) -> torch.Tensor:
    """Which level of the pyramid each anchor belongs to."""
    cells = torch.tensor([level.shape[-2] * level.shape[-1] for level in levels], device=anchor.device)
    ends = cells.cumsum(0) * (anchors // int(cells.sum()))
    return torch.bucketize(anchor, ends, right=True)
