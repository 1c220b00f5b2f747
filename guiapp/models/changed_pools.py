"""Fractional pooling in the place of a network's own (T4 8.7)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.changed_layers import FractionalAvgPool, FractionalMaxPool, FractionalPool
from guiapp.models.changed_places import ran, replace

_POOLS: dict[type[nn.Module], type[FractionalPool]] = {nn.MaxPool2d: FractionalMaxPool, nn.AvgPool2d: FractionalAvgPool}


def pool_fractions(model: nn.Module, size: tuple[int, ...], share: float) -> None:
    """Replace pooling that makes maps smaller by fractional pooling of the same kind.

    Raises:
        UserError: If it has no place.
    """
    pools = [
        one
        for one in ran(model, size)
        if type(one.module) in _POOLS and len(one.given) == 4 and one.gave[2] < one.given[2] and one.gave[2] > 1
    ]
    if not pools:
        raise UserError("fractional pooling has no place here: this network has no pooling to replace")
    for one in pools:
        assert isinstance(one.module, nn.MaxPool2d | nn.AvgPool2d)
        kernel = one.module.kernel_size
        side = kernel if isinstance(kernel, int) else kernel[0]
        replace(model, one.name, _POOLS[type(one.module)](max(side, 2), share))
    try:
        ran(model, size, _refit)
    except RuntimeError as error:
        raise UserError(f"fractional pooling has no place here: {str(error).splitlines()[0][:120]}") from None


def _refit(module: nn.Module, given: Any) -> None:
    """A dense layer that is given more numbers than before gets as many new weights, as large for their number."""
    if not isinstance(module, nn.Linear) or not given or given[0].shape[-1] == module.in_features:
        return
    count = given[0].shape[-1]
    old = module.weight
    weight = torch.empty(module.out_features, count, dtype=old.dtype, device=old.device)
    spread = float(old.detach().std()) if old.device.type != "meta" else 1.0
    nn.init.normal_(weight, std=spread * (module.in_features / count) ** 0.5)
    module.weight, module.in_features = nn.Parameter(weight), count
