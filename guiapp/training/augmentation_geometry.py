"""Flips, shifts, crops, scales, rotations and shears of a whole batch, each sample by its own draw, on the device.

torchvision's ``v2`` changes a batch by one draw. Its formulas are used here with a draw for each sample; tests compare
the two. torchvision itself, whose first import takes seconds, is not loaded.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from guiapp.training.recipe import Augmentation

RATIO = (3 / 4, 4 / 3)
"""Least and largest width over height of a crop, before it is enlarged (Szegedy et al. 2015)."""


def flip(inputs: torch.Tensor, chosen: torch.Tensor, vertical: bool = False) -> torch.Tensor:
    """Mirror the chosen samples, as ``v2.functional.horizontal_flip`` and ``vertical_flip`` do.

    Args:
        inputs: (N, C, H, W).
        chosen: Which, bool (N,).
        vertical: Top to bottom instead of left to right.
    """
    return torch.where(chosen[:, None, None, None], inputs.flip(2 if vertical else 3), inputs)


def shift(inputs: torch.Tensor, right: torch.Tensor, down: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
    """Move each sample by whole pixels, exactly: a crop of the sample padded with ``fill``, as ``v2.RandomCrop``.

    Args:
        inputs: (N, C, H, W).
        right: Pixels, int64 (N,).
        down: Pixels, int64 (N,).
        fill: What comes in at the border, (1, C, 1, 1).
    """
    _, _, height, width = inputs.shape
    rows = torch.arange(height, device=inputs.device) - down[:, None]
    columns = torch.arange(width, device=inputs.device) - right[:, None]
    there = ((rows >= 0) & (rows < height))[:, None, :, None] & ((columns >= 0) & (columns < width))[:, None, None, :]
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    sample = torch.arange(len(inputs), device=inputs.device)[:, None, None]
    moved = inputs.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return torch.where(there, moved, fill).contiguous()


def affine_matrices(
    angle: torch.Tensor, shear: torch.Tensor, scale: torch.Tensor, right: torch.Tensor, down: torch.Tensor
) -> torch.Tensor:
    """Where each pixel of the result comes from: the inverse of scaling, shearing, turning and moving about the centre.

    The composition is that of ``torchvision.transforms.v2.functional.affine`` with a horizontal shear.

    Args:
        angle: Degrees, (N,); positive ones turn clockwise.
        shear: Degrees, (N,).
        scale: Factor of the size, (N,).
        right: Shift in pixels, (N,).
        down: Shift in pixels, (N,).

    Returns:
        (N, 2, 3): maps (x, y, 1), in pixels from the centre, of the result to that of the sample.
    """
    turn, slant = torch.deg2rad(angle), torch.tan(torch.deg2rad(shear))
    cos, sin = torch.cos(turn), torch.sin(turn)
    # R(angle) * scale * SHx, with SHx = [1, -tan; 0, 1]; its determinant is scale^2.
    a, b = cos, -cos * slant - sin
    c, d = sin, cos - sin * slant
    inverse = torch.stack((torch.stack((d, -b), 1), torch.stack((-c, a), 1)), 1) / scale[:, None, None]
    moved = torch.stack((right, down), 1)[:, :, None]
    return torch.cat((inverse, -inverse @ moved), 2)


def crop_windows(
    area: torch.Tensor, ratio: torch.Tensor, x: torch.Tensor, y: torch.Tensor, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Windows of a share of the area and of a form, each inside the picture.

    Where ``v2.RandomResizedCrop`` draws again because a window does not fit, the side that is too long is cut to the
    picture's: the same number of draws for every sample.

    Args:
        area: Share of the picture's area, (N,).
        ratio: Width over height, (N,).
        x: Where, 0 (at the left) to 1, (N,).
        y: Where, 0 (at the top) to 1, (N,).
        height: Of the picture, pixels.
        width: Of the picture, pixels.

    Returns:
        Width and height in pixels, and the centre's offset to the right and down from the picture's centre.
    """
    pixels = area * (height * width)
    wide = torch.sqrt(pixels * ratio).clamp_max(width)
    high = torch.sqrt(pixels / ratio).clamp_max(height)
    return wide, high, (x - 0.5) * (width - wide), (y - 0.5) * (height - high)


def sample(inputs: torch.Tensor, matrices: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
    """Bilinear samples of (N, C, H, W) at the places that matrices (N, 2, 3) name, in pixels from the centre.

    Beyond the border lies ``fill``, (1, C, 1, 1).
    """
    height, width = inputs.shape[2:]
    size = torch.tensor((width, height), device=inputs.device, dtype=inputs.dtype)
    # From pixels to torch's -1 to 1: x = u * width / 2, on both sides of the map.
    linear = matrices[:, :, :2] * (size[None, None, :] / size[None, :, None])
    moved = matrices[:, :, 2:] * (2.0 / size[None, :, None])
    grid = functional.affine_grid(torch.cat((linear, moved), 2), list(inputs.shape), align_corners=False)
    return functional.grid_sample(inputs - fill, grid, mode="bilinear", align_corners=False) + fill


def geometry(inputs: torch.Tensor, drawn: torch.Tensor, options: Augmentation, fill: torch.Tensor) -> torch.Tensor:
    """Flips, then the shift, crop, scale, rotation and shear of the options, as one sampling.

    Args:
        inputs: (N, C, H, W).
        drawn: Uniform numbers of 0 to 1, (11, N); each operation has its own rows, so that switching one on leaves
            the draws of the others as they were.
        options: Strengths.
        fill: What lies beyond the border, (1, C, 1, 1).
    """
    _, _, height, width = inputs.shape
    if options.flip:
        inputs = flip(inputs, drawn[0] < options.flip)
    if options.flip_vertical:
        inputs = flip(inputs, drawn[1] < options.flip_vertical, vertical=True)
    right, down = (
        ((2 * reach + 1) * row).floor().clamp_max(2 * reach) - reach
        for reach, row in ((round(options.shift * width), drawn[2]), (round(options.shift * height), drawn[3]))
    )
    if not (options.crop or options.rotation or options.scale or options.shear):
        return shift(inputs, right.long(), down.long(), fill) if options.shift else inputs
    signed = drawn[4:7] * 2.0 - 1.0
    matrices = affine_matrices(
        signed[0] * options.rotation, signed[1] * options.shear, 1.0 + signed[2] * options.scale, right, down
    )
    if options.crop:
        low, high = (math.log(bound) for bound in RATIO)
        windows = crop_windows(
            1.0 - drawn[7] * options.crop,
            torch.exp(low + drawn[8] * (high - low)),
            drawn[9],
            drawn[10],
            height,
            width,
        )
        wide, tall, across, along = windows
        matrices = matrices * torch.stack((wide / width, tall / height), 1)[:, :, None]
        matrices[:, :, 2] += torch.stack((across, along), 1)
    return sample(inputs, matrices, fill)
