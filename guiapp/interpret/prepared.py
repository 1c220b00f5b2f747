"""The training part before and after each way of preparing the input: pictures, two pixels, the principal axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Stage:
    """Samples at one stage.

    Attributes:
        name: Of the stage.
        pictures: uint8 (P, H, W, C), scaled for looking: one grey for zero where values have a sign.
        pair: Two numbers that lie beside each other in the picture, (N, 2).
        correlation: Of these two.
        mean, deviation: Of all numbers.
        variances: Along the principal axes of these samples, largest first, (K,).
    """

    name: str
    pictures: npt.NDArray[np.uint8]
    pair: Floats
    correlation: float
    mean: float
    deviation: float
    variances: Floats


def stage(name: str, values: torch.Tensor, pictures: int, pixel: int) -> Stage:
    """Describe samples (N, C, H, W).

    Args:
        name: Of the stage.
        values: The samples.
        pictures: How many of them are shown.
        pixel: Place in the flattened picture of the first of the two numbers; the other one is next to it.
    """
    flat = values.flatten(1).double()
    centred = flat - flat.mean(0)
    # The smaller of the two matrices has the same eigenvalues that are not zero.
    square = centred @ centred.T if flat.shape[0] < flat.shape[1] else centred.T @ centred
    variances = torch.linalg.eigvalsh(square / len(flat)).flip(0).clamp_min(0)
    pair = flat[:, [pixel, pixel + 1]]
    spread = pair.std(0)
    correlation = float(torch.corrcoef(pair.T)[0, 1]) if bool((spread > 1e-9).all()) else 0.0
    return Stage(
        name, looked_at(values[:pictures]), pair.float().numpy(), correlation, float(flat.mean()), float(flat.std()),
        variances.float().numpy(),
    )  # fmt: skip


def liveliest_pair(values: torch.Tensor) -> int:
    """Place of the number that varies most together with the one to its right, in the flattened picture."""
    centred = values - values.mean(0)
    together = (centred[..., :-1] * centred[..., 1:]).mean(0)
    at = int(together.flatten().argmax())
    width = values.shape[-1]
    return at // (width - 1) * width + at % (width - 1)


def looked_at(values: torch.Tensor) -> npt.NDArray[np.uint8]:
    """Numbers as pictures uint8 (P, H, W, C): from 0 to the largest, or with grey for 0 where some are negative."""
    high = float(values.abs().quantile(0.998)) or 1.0
    scaled = values / high if float(values.min()) >= 0 else values / (2 * high) + 0.5
    return (scaled.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()


def stages(
    plain: torch.Tensor, preparations: dict[str, Callable[[torch.Tensor], torch.Tensor]], pictures: int
) -> list[Stage]:
    """The samples as they are, then prepared in each way.

    Args:
        plain: Samples (N, C, H, W) on the scale 0 to 1.
        preparations: Name to what makes the input of the plain samples.
        pictures: How many are shown.
    """
    pixel = liveliest_pair(plain)
    found = [stage("pixels", plain, pictures, pixel)]
    return found + [stage(name, prepare(plain), pictures, pixel) for name, prepare in preparations.items()]
