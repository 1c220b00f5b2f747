"""A layer before all others of a network, which prepares its input (T4 8.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.changed_layers import MeanImage, PrincipalAxes
from guiapp.models.changed_places import weight_layers

INPUT = "prepare"
"""Name of that layer."""
MOST_NUMBERS = 4096
"""Numbers of a picture whose principal axes are found: 64x64 grey, 36x36 in colour."""


def prepare_input(model: nn.Module, size: tuple[int, int, int], name: str, components: int, back: bool) -> None:
    """Let a network begin with a layer of zeros, which ``training.preparation`` fits to the training part.

    Args:
        model: Changed in place.
        size: Channels, height, width of its input.
        name: ``"mean-image"``, ``"pca"``, ``"whitening"``.
        components: Principal axes that are kept, at most all.
        back: Whether coordinates along them are turned back into a picture.

    Raises:
        UserError: If the network cannot be fed so.
    """
    layer: nn.Module
    if name == "mean-image":
        layer = MeanImage(size)
    else:
        numbers = size[0] * size[1] * size[2]
        if numbers > MOST_NUMBERS:
            raise UserError(
                f"principal axes are found for up to {MOST_NUMBERS} numbers a picture; this network takes {numbers}: "
                "subtract the mean image or the mean of the channels"
            )
        if not back and not isinstance(next(iter(weight_layers(model, size)))[1], nn.Linear):
            raise UserError(
                "coordinates along principal axes are no picture that a convolution could read: "
                "set preprocessing.back=true"
            )
        layer = PrincipalAxes(size, min(components, numbers), back)
    others = dict(model._modules)
    model._modules.clear()
    model._modules.update({INPUT: layer, **others})
    if type(model).forward is not nn.Sequential.forward:
        _feed_through(model)


def _feed_through(model: nn.Module) -> None:
    """Let a network with a forward pass of its own begin with its layer ``INPUT``, under its own class name."""
    kind = type(model)

    def forward(self: Any, inputs: torch.Tensor, *more: Any) -> Any:
        return kind.forward(self, self.get_submodule(INPUT)(inputs), *more)

    members: Mapping[str, Any] = {"forward": forward, "__module__": kind.__module__, "__doc__": kind.__doc__}
    model.__class__ = type(kind.__name__, (kind,), dict(members))
