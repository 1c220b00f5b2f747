"""How a feature pyramid is merged: lateral map, what comes from above, their sum after 3x3, each as one map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch.nn import functional

from guiapp.interpret.atlas import Atlas, make_atlas

Part = Literal["lateral", "above", "result"]
Summary = tuple[Atlas, int]
"""A map and the channel that it is of; -1 for the mean over all."""


def magnitude(maps: torch.Tensor) -> torch.Tensor:
    """Mean magnitude over the channels of (1, C, h, w), as (h, w)."""
    mean: torch.Tensor = torch.linalg.vector_norm(maps[0].float(), ord=1, dim=0) / maps.shape[1]
    return mean


def strongest(maps: torch.Tensor) -> int:
    """The channel of (1, C, h, w) with the largest mean magnitude."""
    return int(torch.linalg.vector_norm(maps[0].float(), ord=1, dim=(1, 2)).argmax())


def pyramid_maps(
    laterals: Sequence[torch.Tensor], features: Sequence[torch.Tensor], channel: Literal["mean", "strongest"] = "mean"
) -> list[dict[Part, Summary]]:
    """One map for each part of each level (Lin et al. 2017, figure 3).

    The coarsest lateral map goes up as it is; every finer one is added to the coarser sum, enlarged to its size by
    repeating values. Levels beyond the laterals (subsampled, or by further convolutions) have the result alone.

    Args:
        laterals: Outputs of the 1x1 convolutions, (1, C, h, w), fine to coarse; empty where nothing is merged.
        features: The finished levels, fine to coarse.
        channel: The mean magnitude over the channels, or one channel with its sign: for lateral map and the one from
            above that in which their sum is strongest, for the result its own.
    """
    found: list[dict[Part, Summary]] = [{"result": _whole(feature, channel)} for feature in features]
    coarser: torch.Tensor | None = None
    for level in range(len(laterals) - 1, -1, -1):
        lateral, parts = laterals[level], found[level]
        size = lateral.shape[-2:]
        if coarser is None:
            parts["lateral"] = _whole(lateral, channel)
            coarser = lateral
            continue
        if channel == "mean":
            parts["lateral"] = _whole(lateral, channel)
            # the mean magnitude of repeated values is the repeated mean magnitude: 256 channels fewer to enlarge
            parts["above"] = _atlas(functional.interpolate(magnitude(coarser)[None, None], size=size)[0, 0]), -1
            coarser = lateral + functional.interpolate(coarser, size=size) if level else None
        else:
            above = functional.interpolate(coarser, size=size)
            coarser = lateral + above
            best = strongest(coarser)
            parts["lateral"], parts["above"] = (_atlas(lateral[0, best]), best), (_atlas(above[0, best]), best)
    return found


def _whole(maps: torch.Tensor, channel: str) -> Summary:
    if channel == "mean":
        return _atlas(magnitude(maps)), -1
    best = strongest(maps)
    return _atlas(maps[0, best]), best


def _atlas(values: torch.Tensor) -> Atlas:
    return make_atlas(values[None].float().contiguous())
