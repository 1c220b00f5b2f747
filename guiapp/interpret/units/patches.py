"""What a unit saw where it responded most: pieces of pictures, each with what of it the response came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from guiapp.interpret.units.field import area_of
from guiapp.interpret.units.options import Rule
from guiapp.interpret.units.passes import Inputs, LayerPass
from guiapp.interpret.units.project import as_picture, project

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, eq=False)
class Patch:
    """One of the best places of a unit.

    Attributes:
        sample: Index of the picture in the set.
        value: The response.
        row, column: Where in its map.
        pixels: uint8 (h, w, 3): what the unit saw of the picture as the network was fed it; cut at its edges.
        projection: uint8 (h, w, 3): the response followed back to these pixels, zero grey; None where not asked for.
    """

    sample: int
    value: float
    row: int
    column: int
    pixels: npt.NDArray[np.uint8]
    projection: npt.NDArray[np.uint8] | None = None


def shown(seen: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> npt.NDArray[np.uint8]:
    """A network's input (C, H, W) as a picture again, uint8 (H, W, 3)."""
    channels = seen.shape[0]
    means, stds = (
        torch.tensor([float(x) for x in (values if len(values) == channels else [values[0]] * channels)])
        for values in (mean, std)
    )
    pixels = seen.detach().float().cpu() * stds[:, None, None] + means[:, None, None]
    array = (pixels * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    return np.ascontiguousarray(np.repeat(array, 3, axis=2) if channels == 1 else array[..., :3])


def patch(
    passed: LayerPass,
    inputs: Inputs,
    found: tuple[int, float, int, int],
    unit: int,
    scale: tuple[Sequence[float], Sequence[float]],
    rule: Rule | None = None,
) -> Patch:
    """Cut out what a unit saw.

    Args:
        passed: The layer, entered.
        inputs: The prepared picture.
        found: Index of the picture, response, row and column.
        unit: The unit.
        scale: Mean and deviation of the preprocessing, per channel on the scale 0 to 1.
        rule: How the response is followed back; not at all by default.
    """
    sample, value, row, column = found
    projected = project(passed, inputs, unit, (row, column), rule) if rule is not None else None
    if isinstance(inputs, torch.Tensor):
        seen = inputs
    else:
        with torch.no_grad():
            seen = passed(inputs)[1]
    left, top, width, height = area_of(passed, row, column, (seen.shape[-2], seen.shape[-1]))
    pixels = shown(seen[0], *scale)[top : top + height, left : left + width]
    traced = as_picture(projected.values, projected.area) if projected is not None else None
    return Patch(sample, value, row, column, np.ascontiguousarray(pixels), traced)
