"""What a network leaves out at random at a step of training: the very draws of that step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from guiapp.models.changed_layers import DropConnectLinear, FractionalPool, StochasticDepth

_UNITS = nn.modules.dropout._DropoutNd
MOST = 256
"""Rows and columns that are kept of a draw."""


@dataclass(frozen=True, eq=False)
class Draw:
    """What one layer leaves out.

    Attributes:
        layer, type: Name and class of the layer.
        kept: float32 (rows, columns), 1 where something is used and 0 where it is left out; for pooling, how many
            windows read a row of the picture.
        rows, columns: What these are, such as ``"sample"`` and ``"unit"``.
        share: Share that is left out of the whole draw; 0 for pooling.
    """

    layer: str
    type: str
    kept: npt.NDArray[np.float32]
    rows: str
    columns: str
    share: float


def drawing_layers(model: nn.Module) -> list[str]:
    """Names of the layers that draw."""
    return [
        name
        for name, module in model.named_modules()
        if (isinstance(module, _UNITS) and module.p > 0) or hasattr(module, "draws")
    ]


def draws(model: nn.Module, shape: tuple[int, ...], seed: Callable[[], None]) -> tuple[Draw, ...]:
    """Let a copy of the network draw as in one step.

    Draws depend on the generator and on shapes alone, so ones are sent through the layers that draw: what comes out
    is what is kept. Torch's generator is put back.

    Args:
        model: Any network.
        shape: Of the batch of that step, (N, C, H, W).
        seed: Seeds torch's generator as the trainer does before the step.
    """
    made = copy.deepcopy(model).requires_grad_(False).eval()
    found: dict[str, Draw] = {}
    for name in drawing_layers(made):
        module = made.get_submodule(name)
        module.train()
        _listen(name, module, found)
    first = next(made.parameters(), torch.zeros(0))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        seed()
        made(torch.zeros(shape, device=first.device))
    return tuple(found.values())


def _listen(name: str, module: nn.Module, found: dict[str, Draw]) -> None:
    kind = type(module).__name__
    if isinstance(module, DropConnectLinear):
        own = module.drawn

        def drawn(weight: torch.Tensor) -> torch.Tensor:
            kept = own(torch.ones_like(weight)) > 0
            found[name] = _draw(name, kind, kept, "unit", "weight")
            return weight * kept

        module.drawn = drawn  # type: ignore[method-assign]
    elif isinstance(module, FractionalPool):
        starts = module.starts

        def placed(size: int, places: torch.Tensor) -> torch.Tensor:
            at = starts(size, places)
            read = torch.zeros(len(at), size)
            for offset in range(min(module.kernel, size)):
                read.scatter_add_(1, (at + offset).cpu(), torch.ones(at.shape))
            found.setdefault(name, Draw(name, kind, read[:MOST, :MOST].numpy(), "sample", "row of the map", 0.0))
            return at

        module.starts = placed  # type: ignore[method-assign]
    else:
        per_sample = isinstance(module, StochasticDepth) or kind == "StochasticDepth"

        def ones(_module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
            return (torch.ones_like(given[0]), *given[1:])

        def heard(_module: nn.Module, _given: object, gave: torch.Tensor) -> None:
            kept = gave.flatten(1) > 0
            if per_sample:
                found[name] = _draw(name, kind, kept[:, :1].T, "branch", "sample")
            else:
                found[name] = _draw(name, kind, kept, "sample", "unit")

        module.register_forward_pre_hook(ones)
        module.register_forward_hook(heard)


def _draw(name: str, kind: str, kept: torch.Tensor, rows: str, columns: str) -> Draw:
    share = 1 - float(kept.float().mean())
    return Draw(name, kind, kept[:MOST, :MOST].float().cpu().numpy(), rows, columns, share)
