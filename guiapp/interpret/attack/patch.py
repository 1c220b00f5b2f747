"""Patches: a square of the picture replaced by pixels that are learnt to make the network say something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.interpret.attack.methods import Adam, count_of
from guiapp.interpret.attack.options import AttackOptions, PatchOptions

if TYPE_CHECKING:
    from guiapp.interpret.base import Look

PLACES = 4
"""Random places beside the chosen one that a patch learns at in each step (expectation over transformations)."""

Corner = tuple[int, int]


def side_of(size: float, height: int, width: int) -> int:
    """Side of a patch in pixels of the input."""
    return max(1, min(round(size * min(height, width)), height, width))


def corner_of(x: float, y: float, side: int, height: int, width: int) -> Corner:
    """Row and column of the patch's first pixel, so that it lies within the input.

    Args:
        x: Its middle as a share of the width.
        y: Its middle as a share of the height.
        side: Its side in pixels.
        height: Of the input.
        width: Of the input.
    """
    row, column = round(y * height - side / 2), round(x * width - side / 2)
    return max(0, min(row, height - side)), max(0, min(column, width - side))


def paste(start: torch.Tensor, patch: torch.Tensor, corners: list[Corner]) -> torch.Tensor:
    """Pictures (n, C, H, W): ``start`` (1, C, H, W) with ``patch`` (C, s, s) at each of n corners."""
    found = start.repeat(len(corners), 1, 1, 1)
    rows, columns = patch.shape[1:]
    for picture, (row, column) in zip(found, corners, strict=True):
        picture[:, row : row + rows, column : column + columns] = patch
    return found


def learnt(
    start: torch.Tensor, gradient: Callable[[torch.Tensor], torch.Tensor], options: AttackOptions
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The picture with the patch, and the patch, after each step of Adam on its pixels (Brown et al. 2017).

    The patch begins grey. With ``everywhere`` each step sees it at the chosen place and at ``PLACES`` random ones.

    Args:
        start: Pixels (1, C, H, W) from 0 to 1.
        gradient: Gives gradients (n, C, H, W) of pictures (n, C, H, W).
        options: Of the attack.

    Yields:
        Pixels (1, C, H, W) with the patch at its place, and the patch (C, s, s).
    """
    height, width = start.shape[2:]
    side = side_of(options.size, height, width)
    here = corner_of(options.x, options.y, side, height, width)
    generator = torch.Generator().manual_seed(options.seed)
    patch = torch.full((start.shape[1], side, side), 0.5, device=start.device)
    assert options.rate is not None
    walk = Adam(options.rate)
    for _ in range(count_of(options)):
        corners = [here]
        if options.everywhere:
            rows = torch.randint(0, height - side + 1, (PLACES,), generator=generator).tolist()
            columns = torch.randint(0, width - side + 1, (PLACES,), generator=generator).tolist()
            corners += list(zip(rows, columns, strict=True))
        slopes = gradient(paste(start, patch, corners))
        slope = torch.zeros_like(patch)
        for one, (row, column) in zip(slopes, corners, strict=True):
            slope += one[:, row : row + side, column : column + side]
        patch = (patch - walk.step(slope / len(corners))).clamp_(0.0, 1.0)
        yield paste(start, patch, [here]), patch


@dataclass(frozen=True, eq=False)
class PatchView:
    """What the network says of the picture with a patch on it.

    Attributes:
        pixels: uint8 (H, W, C), the input with the patch.
        original: uint8 (H, W, C), the input without it.
        probabilities: float32 (K,).
        before: The same without the patch.
        box: Left, top, width, height of the patch in pixels of the input.
        place: What was asked: its middle as shares of the input.
    """

    pixels: npt.NDArray[np.uint8]
    original: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32]
    before: npt.NDArray[np.float32]
    box: tuple[int, int, int, int]
    place: tuple[float, float] = (0.5, 0.5)


def run(look: Look, options: PatchOptions) -> PatchView:
    """Answer for the input of ``look`` with the patch pasted; every picture of a camera may be asked about.

    Raises:
        UserError: If there is no patch, or none that fits the input.
    """
    from guiapp.interpret.attack.run import levels
    from guiapp.interpret.attack.victims import victim_of
    from guiapp.models.zoo.arrange import plainly

    victim, inputs = victim_of(look)
    start = victim.pixels(inputs)
    if options.patch is None:
        raise UserError("there is no patch yet: learn one with the patch attack")
    square = np.asarray(options.patch, np.uint8)
    rows, columns = square.shape[:2]
    height, width = start.shape[2:]
    if square.shape[2] != start.shape[1] or rows > height or columns > width:
        raise UserError("this patch was learnt for another network: learn one for this")
    row, column = corner_of(options.x, options.y, rows, height, width)
    patch = torch.from_numpy(square.copy()).permute(2, 0, 1).to(start.device).float() / 255
    both = torch.cat([start, paste(start, patch, [(row, column)])])
    with torch.no_grad(), plainly(look.model, True):
        probabilities = victim.probabilities(both).cpu().numpy()
    return PatchView(
        levels(both[1:]),
        levels(start),
        probabilities[1],
        probabilities[0],
        (column, row, columns, rows),
        (options.x, options.y),
    )
