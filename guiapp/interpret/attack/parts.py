"""Part of a picture as a classifier of its own: a box of a detector, the pixels of a segmentation network.

What is attacked is held fast: the anchor or region that a box came from, the pixels that a class wins. So the scores of
all classes there are a smooth function of the picture, and every attack on classifiers is one on these networks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.score import make_score, outputs_of
from guiapp.interpret.targets import BoxTarget, PixelsTarget

if TYPE_CHECKING:
    from guiapp.interpret.attack.options import AttackOptions
    from guiapp.interpret.case import Case


class PixelClasses(nn.Module):
    """Logarithm of the mean probability of each class over pixels that are held fast.

    The soft-max of these is the mean over the pixels again, so that the attack's loss is the logarithm of the chance
    that a pixel drawn among them is said to be of the class.

    Args:
        case: A segmentation network on a picture.
        target: Whose pixels; the largest class that is no background where none is named.
    """

    exclusive = True

    def __init__(self, case: Case, target: PixelsTarget) -> None:
        super().__init__()
        found = make_score(case, target)
        self._case, self.words, self.away = case, _place(found.words), found.class_index
        self.network, self.pixels = case.module, found.pixels

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """float32 (N, K) of prepared pictures (N, C, H, W)."""
        pixels: Any = self.pixels
        logarithms = torch.log_softmax(outputs_of(self._case, batch).float(), 1)[:, :, pixels]
        return torch.logsumexp(logarithms, 2) - math.log(logarithms.shape[2])


class BoxClasses(nn.Module):
    """Logits of every class for one box of a detector.

    Attributes:
        exclusive: Whether they pass through a soft-max with the background among them; else each class through the
            logistic function, as in RetinaNet and FCOS (of which the centre-ness is left out).

    Args:
        case: A detector on a picture.
        target: Which box; the best where none is named.
    """

    def __init__(self, case: Case, target: BoxTarget) -> None:
        super().__init__()
        found: Any = make_score(case, target)
        if not found.differentiable:
            raise UserError("attacks follow gradients, and this file of a detector passes none back to the picture")
        self.score, self.words, self.exclusive = found, _place(found.words), bool(found.exclusive)
        self.away: int | None = found.class_index

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """float32 (N, K) of pictures (N, 3, H, W)."""
        found: torch.Tensor = self.score.classes(batch)
        return found.float()


def part_of(case: Case, options: AttackOptions) -> PixelClasses | BoxClasses:
    """What of a picture is attacked, as a network that tells classes.

    Where a class is wanted and the detector finds nothing, it is the anchor or region that comes nearest to it.

    Raises:
        UserError: If there is no such box or class, or the network passes no gradients back.
    """
    place = options.part
    if case.task == "segmentation":
        return PixelClasses(case, PixelsTarget(options.about, place))
    try:
        return BoxClasses(case, BoxTarget(place, options.about))
    except UserError:
        if options.class_index is None or options.about is not None:
            raise
        found = BoxClasses(case, BoxTarget(None, options.class_index))
        found.away = None
        return found


def _place(words: str) -> str:
    """What a score is of, without how it is measured."""
    return words.rpartition(", ")[0] or words
