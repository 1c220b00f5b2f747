"""Where the layers of a network stand in the order in which they run, and how another comes to its place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

WEIGHTS = (nn.Linear, nn.modules.conv._ConvNd)
"""Layers that have weights of their own: dense layers and convolutions."""


@dataclass(frozen=True)
class Ran:
    """A module that ran: its name, and the shapes of what it was given and gave, batch included."""

    name: str
    module: nn.Module
    given: tuple[int, ...]
    gave: tuple[int, ...]


def ran(model: nn.Module, size: tuple[int, ...], before: Callable[[nn.Module, Any], None] | None = None) -> list[Ran]:
    """The modules of a network that run, in the order in which they end; nothing of it changes, nothing is drawn."""
    found: list[Ran] = []
    handles: list[Any] = []
    modes = {module: module.training for module in model.modules()}
    first = next(model.parameters(), torch.zeros(0))

    def heard(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hear(module: nn.Module, given: Any, gave: Any) -> None:
            shape = tuple(given[0].shape) if given and isinstance(given[0], torch.Tensor) else ()
            found.append(Ran(name, module, shape, tuple(gave.shape) if isinstance(gave, torch.Tensor) else ()))

        return hear

    try:
        for name, module in model.named_modules():
            if name:
                handles.append(module.register_forward_hook(heard(name)))
                if before is not None:
                    handles.append(module.register_forward_pre_hook(before))
        model.eval()
        with torch.no_grad():
            model(torch.zeros(2, *size, device=first.device))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    seen: set[str] = set()
    return [one for one in found if not (one.name in seen or seen.add(one.name))]  # type: ignore[func-returns-value]


def weight_layers(model: nn.Module, size: tuple[int, ...]) -> list[tuple[str, nn.Module]]:
    """Dense layers and convolutions with their names, in the order in which they run; the last gives the scores."""
    return [(one.name, one.module) for one in ran(model, size) if isinstance(one.module, WEIGHTS)]


def _parent(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    above, _, own = name.rpartition(".")
    return (model.get_submodule(above) if above else model), own


def replace(model: nn.Module, name: str, new: nn.Module) -> None:
    """Put a layer in the place of another one."""
    parent, own = _parent(model, name)
    parent._modules[own] = new


def beside(model: nn.Module, name: str, called: str, new: nn.Module, after: bool) -> None:
    """Put a layer before or after another one."""
    parent, own = _parent(model, name)
    old = parent._modules[own]
    assert old is not None
    if type(parent).forward is nn.Sequential.forward:
        pairs: list[tuple[str, nn.Module | None]] = []
        for key, module in parent._modules.items():
            extra = (f"{key}_{called}", new)
            pairs += [(key, module), extra] if after else [extra, (key, module)]
            if key != own:
                pairs.remove(extra)
        parent._modules.clear()
        parent._modules.update(pairs)
        return
    both = [(own.rpartition(".")[2], old), (called, new)]
    parent._modules[own] = nn.Sequential(OrderedDict(both if after else both[::-1]))
