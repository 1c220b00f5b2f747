"""What the heads of torchvision's detectors said about every anchor, read from their calls; steps of the proposals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.ops import clip_boxes_to_image, nms, remove_small_boxes

from guiapp.interpret.base import Look

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Heads:
    """The tensors of one run on one picture, on the network's device.

    Attributes:
        features: The levels, (1, C, h, w), fine to coarse.
        laterals: Outputs of the 1x1 convolutions of a feature pyramid; empty where there is none.
        merges: Whether the network has a feature pyramid; its laterals are kept where they are looked at.
        anchors: float (n, 4) of all levels, cell by cell; ``counts`` says how many are of each level.
        logits: float (n, 1) objectness, or (n, K) classes.
        codes: float (n, 4): how each anchor is to be moved.
        centre: float (n, 1), logit of FCOS's centre-ness; else None.
        scoring: ``"objectness"``, ``"sigmoid"``, ``"centred"`` or ``"softmax"``.
        extent: Height and width of the picture in the input; ``padded`` of the whole input.
        positive: Overlap from which an anchor is positive in training; None for FCOS.
        regions: float (P, 4), what the second stage looked at; None for one stage. Then ``pooled`` (P, C, 7, 7),
            ``class_logits`` (P, K), ``class_codes`` (P, K, 4) and ``mapper`` belong to it.
    """

    features: Sequence[torch.Tensor]
    laterals: Sequence[torch.Tensor]
    merges: bool
    anchors: torch.Tensor
    counts: Sequence[int]
    logits: torch.Tensor
    codes: torch.Tensor
    centre: torch.Tensor | None
    scoring: str
    extent: tuple[int, int]
    padded: tuple[int, int]
    positive: float | None
    regions: torch.Tensor | None = None
    pooled: torch.Tensor | None = None
    class_logits: torch.Tensor | None = None
    class_codes: torch.Tensor | None = None
    mapper: Any = None
    maps: Any = None
    sizes: Any = None

    def scores(self) -> torch.Tensor:
        """For every anchor (n,) the objectness, or the score of the best class that is not the background."""
        if self.scoring == "softmax":
            return self.logits.softmax(-1)[:, 1:].amax(-1)
        best = self.logits.amax(-1).sigmoid()
        return best if self.centre is None else torch.sqrt(best * self.centre[:, 0].sigmoid())


def heads_of(look: Look) -> Heads:
    """Read the calls of a run."""
    calls = look.calls
    module: Any = look.model
    names = sorted(
        (n for n in calls if n.startswith("backbone.fpn.inner_blocks.")), key=lambda n: int(n.split(".")[-1])
    )
    laterals = [calls[name][-1].output for name in names]
    if "rpn.head" in calls:
        return _two_stage(calls, module, laterals)
    (images, features), anchors = calls["anchor_generator"][-1][:2]
    outputs = calls["head"][-1].output
    logits, centre = outputs["cls_logits"][0], outputs.get("bbox_ctrness")
    scoring = "centred" if isinstance(module, FCOS) else "sigmoid" if isinstance(module, RetinaNet) else "softmax"
    each = module.anchor_generator.num_anchors_per_location()
    positive = None if isinstance(module, FCOS) else float(module.proposal_matcher.high_threshold)
    return Heads(
        features, laterals, hasattr(module.backbone, "fpn"), anchors[0], _counts(features, each), logits,
        outputs["bbox_regression"][0],
        None if centre is None else centre[0], scoring, tuple(images.image_sizes[0]), tuple(images.tensors.shape[-2:]),
        positive,
    )  # fmt: skip


def _two_stage(calls: Any, module: Any, laterals: list[torch.Tensor]) -> Heads:
    (images, features), anchors = calls["rpn.anchor_generator"][-1][:2]
    objectness, codes = calls["rpn.head"][-1].output
    (maps, (regions,), sizes), pooled = calls["roi_heads.box_roi_pool"][-1][:2]
    logits, moves = calls["roi_heads.box_predictor"][-1].output
    each = module.rpn.anchor_generator.num_anchors_per_location()
    return Heads(
        features, laterals, hasattr(module.backbone, "fpn"), anchors[0], _counts(features, each),
        _by_cell(objectness, 1), _by_cell(codes, 4), None,
        "objectness", tuple(images.image_sizes[0]), tuple(images.tensors.shape[-2:]),
        float(module.rpn.proposal_matcher.high_threshold), regions, pooled, logits,
        moves.reshape(len(regions), -1, 4), module.roi_heads.box_roi_pool.map_levels, maps, sizes,
    )  # fmt: skip


def _counts(features: Sequence[torch.Tensor], each: Sequence[int]) -> list[int]:
    return [f.shape[-2] * f.shape[-1] * n for f, n in zip(features, each, strict=True)]


def _by_cell(levels: Sequence[torch.Tensor], numbers: int) -> torch.Tensor:
    """From (1, A n, h, w) for each level to (all anchors, n), cell by cell, as the anchors stand."""
    found = []
    for level in levels:
        rows, columns = level.shape[-2:]
        found.append(level[0].reshape(-1, numbers, rows, columns).permute(2, 3, 0, 1).reshape(-1, numbers))
    return torch.cat(found)


@dataclass(frozen=True, eq=False)
class Proposals:
    """The best anchors of each level, moved as the first stage says, level by level and best first.

    Attributes:
        boxes: float (M, 4) in pixels of the input, cut to the picture.
        scores: float (M,), objectness; ``levels`` int64 (M,).
        passed: bool (M,), whether suppression within the level left it.
    """

    boxes: torch.Tensor
    scores: torch.Tensor
    levels: torch.Tensor
    passed: torch.Tensor

    def best(self, count: int, scale: Floats) -> tuple[Floats, Floats]:
        """The best before suppression and after: float32 (n, 6), boxes in pixels of the picture, score, level."""
        rows = torch.cat([self.boxes, self.scores[:, None], self.levels[:, None].to(self.boxes)], 1).float()
        factors = np.array([*scale, *scale, 1, 1], np.float32)
        order = self.scores.argsort(descending=True, stable=True)
        return tuple(rows[kept[:count]].cpu().numpy() * factors for kept in (order, order[self.passed[order]]))  # type: ignore[return-value]


def proposals(rpn: Any, heads: Heads) -> Proposals:
    """The steps of torchvision's ``filter_proposals`` one by one: best of each level, cut, suppression by level.

    Args:
        rpn: torchvision's ``RegionProposalNetwork`` in evaluation mode.
        heads: What its head said.
    """
    boxes, scores, levels, passed = [], [], [], []
    start = 0
    for level, count in enumerate(heads.counts):
        values, place = heads.logits[start : start + count, 0].topk(min(count, rpn.pre_nms_top_n()))
        place = place + start
        moved = rpn.box_coder.decode_single(heads.codes[place], heads.anchors[place])
        moved = clip_boxes_to_image(moved.reshape(-1, 4), heads.extent)
        value = values.sigmoid()
        good = remove_small_boxes(moved, rpn.min_size)
        good = good[value[good] >= rpn.score_thresh]
        moved, value = moved[good], value[good]
        survives = torch.zeros(len(moved), dtype=torch.bool, device=moved.device)
        survives[nms(moved.float(), value.float(), rpn.nms_thresh)] = True
        boxes.append(moved)
        scores.append(value)
        levels.append(torch.full((len(moved),), level, device=moved.device))
        passed.append(survives)
        start += count
    return Proposals(torch.cat(boxes), torch.cat(scores), torch.cat(levels), torch.cat(passed))
