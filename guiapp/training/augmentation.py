"""Random changes of training samples, drawn for a whole batch at once on the device."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from guiapp.models.base import Preprocessing

Augmentation = Callable[[torch.Tensor, torch.Generator], torch.Tensor]
"""Maps prepared inputs (N, C, H, W) to changed ones of the same shape, drawing from the generator alone."""


def _uniform(count: int, reach: float, draw: torch.Generator, like: torch.Tensor) -> torch.Tensor:
    return (torch.rand(count, generator=draw, device=like.device) * 2.0 - 1.0) * reach


def _background(preprocessing: Preprocessing, like: torch.Tensor) -> torch.Tensor:
    mean = torch.tensor(preprocessing.mean, device=like.device)
    return (-mean / torch.tensor(preprocessing.std, device=like.device)).reshape(1, -1, 1, 1)


def handwriting(
    preprocessing: Preprocessing,
    *,
    rotation: float = 0.2,
    shear: float = 0.3,
    scale: float = 0.2,
    shift: float = 0.12,
    thickness: float = 0.6,
) -> Augmentation:
    """As if other people had written the digits: turned, slanted, scaled, moved, with a thinner or thicker pen.

    One affine sampling of the batch with black beyond the border, then a mix of each picture with its grey dilation
    (thicker) or erosion (thinner).

    Args:
        preprocessing: Gives the value of black.
        rotation: Largest angle, radians.
        shear: Largest slant, horizontal over vertical.
        scale: Largest change of width and of height, each as a share.
        shift: Largest shift as a share of half the picture.
        thickness: Largest share of the dilation or erosion in the mix.
    """

    def change(inputs: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        count = len(inputs)
        angle = _uniform(count, rotation, draw, inputs)
        slant = _uniform(count, shear, draw, inputs)
        width, height = (1.0 + _uniform(count, scale, draw, inputs) for _ in range(2))
        right, down = (_uniform(count, shift, draw, inputs) for _ in range(2))
        cos, sin = torch.cos(angle), torch.sin(angle)
        matrix = torch.stack(
            (cos * width, (slant * cos - sin) * height, right, sin * width, (slant * sin + cos) * height, down), 1
        ).reshape(count, 2, 3)
        black = _background(preprocessing, inputs)
        grid = functional.affine_grid(matrix, list(inputs.shape), align_corners=False)
        moved = functional.grid_sample(inputs - black, grid, mode="bilinear", align_corners=False)
        if thickness:
            amount = _uniform(count, thickness, draw, inputs).reshape(-1, 1, 1, 1)
            thick = functional.max_pool2d(moved, 3, 1, 1)
            thin = -functional.max_pool2d(-moved, 3, 1, 1)
            moved = torch.where(amount > 0, torch.lerp(moved, thick, amount), torch.lerp(moved, thin, -amount))
        return moved + black

    return change


def flip_crop(preprocessing: Preprocessing, *, padding: float = 0.125) -> Augmentation:
    """Mirrored left to right half of the time, and moved by whole pixels up to ``padding`` of the size.

    The usual augmentation of CIFAR (He et al. 2016, section 4.2): 4 pixels of 32, the border filled with the mean,
    which is zero after preparation.
    """

    def change(inputs: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        count, _, height, width = inputs.shape
        reach_y, reach_x = round(height * padding), round(width * padding)
        device = inputs.device
        mirrored = torch.rand(count, 1, generator=draw, device=device) < 0.5
        down = torch.randint(2 * reach_y + 1, (count, 1), generator=draw, device=device)
        right = torch.randint(2 * reach_x + 1, (count, 1), generator=draw, device=device)
        rows = torch.arange(height, device=device) + down
        columns = torch.arange(width, device=device)
        columns = torch.where(mirrored, width - 1 - columns, columns) + right
        padded = functional.pad(inputs, (reach_x, reach_x, reach_y, reach_y))
        sample = torch.arange(count, device=device)[:, None, None]
        return (
            padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()
        )

    return change


AUGMENTATIONS: dict[str, Callable[[Preprocessing], Augmentation] | None] = {
    "none": None,
    "handwriting": handwriting,
    "flip-crop": flip_crop,
}
"""Name to what makes the augmentation for a preprocessing; None for no change."""


def make_augmentation(name: str, preprocessing: Preprocessing) -> Augmentation | None:
    """The augmentation called ``name``, or None for no change.

    Raises:
        KeyError: If there is no such augmentation.
    """
    maker = AUGMENTATIONS[name]
    return None if maker is None else maker(preprocessing)
