"""What a detector found before suppression: its best boxes, and what gives them masks and key points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

KEEP = 1000  # boxes before suppression: what torchvision's detectors look at closer, and suppressed in under 2 ms


@dataclass(frozen=True, eq=False)
class Candidates:
    """Boxes before suppression, best first, on the CPU, in pixels of what the network saw.

    Attributes:
        boxes: float32 (N, 4): x1, y1, x2, y2, cut to the picture.
        scores: float32 (N,), descending.
        classes: int64 (N,).
        extent: Height and width of the picture as the network saw it, without padding.
        anchors: float32 (N, 4): the anchor or cell that each box started from; for one-stage detectors.
        proposals: float32 (P, 5): regions of the first stage with their objectness, best first; for two-stage ones.
        origins: int64 (N,): place of each box's anchor among all anchors, or of its region among the first stage's.
        masks: From boxes (n, 4) and classes (n,) to probabilities (n, m, m) on the CPU; None without masks.
        keypoints: From boxes (n, 4) to (n, K, 3) on the CPU: x, y, score; None without key points.
    """

    boxes: torch.Tensor
    scores: torch.Tensor
    classes: torch.Tensor
    extent: tuple[int, int]
    anchors: torch.Tensor | None = None
    proposals: torch.Tensor | None = None
    origins: torch.Tensor | None = None
    masks: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None
    keypoints: Callable[[torch.Tensor], torch.Tensor] | None = None

    def __len__(self) -> int:
        return len(self.boxes)


def best(scores: torch.Tensor, keep: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The highest scores, descending, and their places; equal ones in the order given, as torchvision leaves them.

    Args:
        scores: float (N,).
        keep: How many, at most.
    """
    if keep >= len(scores):
        return scores.sort(descending=True, stable=True)
    places = scores.topk(keep).indices.sort().values
    values, order = scores[places].sort(descending=True, stable=True)
    return values, places[order]


def rank_in_group(groups: torch.Tensor) -> torch.Tensor:
    """Place of each element among those of its group, 0 for the first, in the order given.

    Args:
        groups: int64 (N,).

    Returns:
        int64 (N,).
    """
    order = torch.argsort(groups, stable=True)
    ordered = groups[order]
    ranks = torch.empty_like(groups)
    ranks[order] = torch.arange(len(groups), device=groups.device) - torch.searchsorted(ordered, ordered)
    return ranks
