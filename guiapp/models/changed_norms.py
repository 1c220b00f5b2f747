"""Another normalisation in a network whose layers are built already."""

from __future__ import annotations

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.changed_layers import ChannelsLast, ScaleShift
from guiapp.models.changed_places import WEIGHTS, beside, ran, replace

_NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    ScaleShift,
)


def normalise(model: nn.Module, size: tuple[int, ...], kind: str, groups: int) -> None:
    """Replace a network's own normalisation, or put one behind every hidden layer where it has none.

    Args:
        model: Changed in place.
        size: Channels, height, width of its input.
        kind: ``"none"``, ``"batch"``, ``"layer"``, ``"instance"``, ``"group"``.
        groups: Of group normalisation, at most.

    Raises:
        UserError: If it has no place.
    """
    order = ran(model, size)
    own = [one for one in order if isinstance(one.module, _NORMS)]
    if own:
        for one in own:
            new = _norm_like(one.module, one.given, kind, groups)
            if new is not None:
                replace(model, one.name, new)
        return
    if kind == "none":
        raise UserError("this network has no normalisation to leave out")
    layers = [one for one in order if isinstance(one.module, WEIGHTS)][:-1]
    made = [(one, _norm(kind, one.gave, one.module, groups)) for one in layers]
    if not any(new is not None for _, new in made):
        why = "this network has no hidden layer" if not layers else "its hidden layers give single numbers, not maps"
        raise UserError(f"{kind} normalisation has no place here: {why}")
    for one, new in made:
        if new is not None:
            beside(model, one.name, "norm", new, after=True)


def _norm_like(module: nn.Module, given: tuple[int, ...], kind: str, groups: int) -> nn.Module | None:
    """Another normalisation in the place of one that is there, with its learned scale and shift; None to leave it."""
    same = {
        "none": ScaleShift,
        "batch": nn.modules.batchnorm._BatchNorm,
        "layer": nn.LayerNorm,
        "instance": nn.modules.instancenorm._InstanceNorm,
        "group": nn.GroupNorm,
    }[kind]
    if isinstance(module, same) and not (kind == "group" and isinstance(module, nn.GroupNorm)):
        return None
    last = type(module).forward is nn.LayerNorm.forward and len(getattr(module, "normalized_shape", ())) == 1
    channels = given[-1] if last else given[1]
    new: nn.Module | None
    if kind == "none" or (kind == "instance" and (len(given) < 3 or _single(given, last))):
        new = ScaleShift(channels, last)
    elif last:
        shape = (given[0], channels, *given[1:-1])
        inner = _made(kind, shape, groups)
        new = ChannelsLast(inner) if len(given) > 2 else inner
    else:
        new = _made(kind, given, groups)
    with torch.no_grad():
        for name in ("weight", "bias"):
            old, fresh = getattr(module, name, None), _inner(new, name)
            if old is not None and fresh is not None and old.shape == fresh.shape:
                fresh.copy_(old)
    return new


def _inner(norm: nn.Module, name: str) -> torch.Tensor | None:
    found = getattr(norm.norm if isinstance(norm, ChannelsLast) else norm, name, None)
    return found if isinstance(found, torch.Tensor) else None


def _single(shape: tuple[int, ...], last: bool) -> bool:
    """Whether there is one place only."""
    places = shape[1:-1] if last else shape[2:]
    return all(length == 1 for length in places)


def _norm(kind: str, gave: tuple[int, ...], layer: nn.Module, groups: int) -> nn.Module | None:
    """A normalisation behind a layer; None where it cannot be: over places, of single numbers."""
    last = isinstance(layer, nn.Linear) and len(gave) > 2
    if kind == "instance" and (len(gave) < 3 or _single(gave, last)):
        return None
    if not last:
        return _made(kind, gave, groups)
    if kind == "layer":
        return nn.LayerNorm(gave[-1])
    return ChannelsLast(_made(kind, (gave[0], gave[-1], *gave[1:-1]), groups))


def _made(kind: str, shape: tuple[int, ...], groups: int) -> nn.Module:
    """A normalisation of values (N, C, ...)."""
    channels, flat, maps = shape[1], len(shape) == 2, len(shape) == 4
    if kind == "batch":
        return nn.BatchNorm2d(channels) if maps else nn.BatchNorm1d(channels)
    if kind == "instance":
        return (nn.InstanceNorm2d if maps else nn.InstanceNorm1d)(channels, affine=True)
    if kind == "layer":  # over all channels and places of a sample, with a scale and shift for each channel
        return nn.LayerNorm(channels) if flat else nn.GroupNorm(1, channels)
    return nn.GroupNorm(max(g for g in range(1, min(groups, channels) + 1) if channels % g == 0), channels)
