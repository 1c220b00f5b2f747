"""Cutout, and samples mixed with one another: mixup and cutmix, with the shares of their classes as targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def cutout(inputs: torch.Tensor, chosen: torch.Tensor, x: torch.Tensor, y: torch.Tensor, side: int) -> torch.Tensor:
    """Set a square of the chosen samples to zero, the mean after preparation (DeVries and Taylor 2017; T1, section 8).

    Args:
        inputs: (N, C, H, W).
        chosen: Which samples, bool (N,).
        x: Centre of the square, 0 to 1, (N,); what sticks out is cut off.
        y: The same, down.
        side: Of the square, pixels.
    """
    height, width = inputs.shape[2:]
    left, top = (x * width).floor() - side // 2, (y * height).floor() - side // 2
    columns, rows = torch.arange(width, device=inputs.device), torch.arange(height, device=inputs.device)
    across = (columns >= left[:, None]) & (columns < left[:, None] + side)
    along = (rows >= top[:, None]) & (rows < top[:, None] + side)
    hole = chosen[:, None, None] & along[:, :, None] & across[:, None, :]
    return inputs.masked_fill(hole[:, None], 0.0)


def mix(
    inputs: torch.Tensor, targets: torch.Tensor, classes: int, mixup: float, cutmix: float, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix each sample with the one before it in the batch, by ``v2.MixUp`` or ``v2.CutMix``, half of the batches each.

    mixup (Zhang et al. 2018; T4, section 8.7): x = l x_i + (1 - l) x_j, y = l y_i + (1 - l) y_j, l ~ Beta(a, a).
    cutmix (Yun et al. 2019): a rectangle of the area 1 - l comes from x_j.

    Args:
        inputs: (N, C, H, W).
        targets: Class indices (N,), or shares (N, K).
        classes: Number of classes K.
        mixup: Its a; 0 for off.
        cutmix: Its a; 0 for off.
        seed: Decides everything that is drawn.

    Returns:
        Mixed inputs, and shares of the classes, float32 (N, K).
    """
    import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
    from torchvision.transforms import v2

    draw = np.random.default_rng(seed)
    first = bool(mixup) and (not cutmix or draw.random() < 0.5)
    alpha = mixup if first else cutmix
    share = float(draw.beta(alpha, alpha))
    across, along = draw.random(2).tolist()

    class MixUp(v2.MixUp):  # type: ignore[misc]
        """torchvision's, with a draw of our own."""

        def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
            return {"lam": share}

    class CutMix(v2.CutMix):  # type: ignore[misc]
        """torchvision's, with a draw of our own."""

        def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
            box, left = rectangle(share, across, along, *inputs.shape[2:])
            return {"box": box, "lam_adjusted": left}

    kind = MixUp if first else CutMix
    mixed, shares = kind(alpha=alpha, num_classes=classes)(inputs, targets)
    return mixed, shares


def rectangle(
    share: float, across: float, along: float, height: int, width: int
) -> tuple[tuple[int, int, int, int], float]:
    """The part that comes from the other sample: left, top, right, bottom; and the share of the area that stays.

    Args:
        share: l of the paper: 1 - l is the area that is wanted.
        across: Centre, 0 to 1.
        along: Centre, 0 to 1, down.
        height: Of the picture, pixels.
        width: Of the picture, pixels.
    """
    half = 0.5 * (1.0 - share) ** 0.5
    x, y, wide, high = int(across * width), int(along * height), int(half * width), int(half * height)
    box = max(x - wide, 0), max(y - high, 0), min(x + wide, width), min(y + high, height)
    return box, 1.0 - (box[2] - box[0]) * (box[3] - box[1]) / (width * height)
