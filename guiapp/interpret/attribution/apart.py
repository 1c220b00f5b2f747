"""Gives each call of a module that is called several times a module of its own, for methods that count on that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


class _Each(nn.Module):
    """Stands in for a module without weights; its calls go to one copy after another."""

    def __init__(self, module: nn.Module, calls: int) -> None:
        super().__init__()
        self.copies = nn.ModuleList(_again(module) for _ in range(calls))
        self._next = 0
        self.training = module.training

    def forward(self, *arguments: Any) -> Any:
        chosen = self.copies[self._next % len(self.copies)]
        self._next += 1
        return chosen(*arguments)


def _again(module: nn.Module) -> nn.Module:
    copy = type(module).__new__(type(module))
    nn.Module.__init__(copy)
    for name, value in module.__dict__.items():
        if not name.startswith("_") or name not in copy.__dict__:
            copy.__dict__[name] = value
    copy.training = module.training
    return copy


@contextmanager
def each_apart(model: nn.Module, batch: torch.Tensor) -> Iterator[None]:
    """Replace modules without weights that ``model(batch)`` calls more than once, for as long as it is entered.

    torchvision's residual blocks, for one, have a single ReLU that they call twice. The network is as it was
    afterwards, whatever happens.

    Args:
        model: Holds the modules; nobody else may run it meanwhile.
        batch: What it is run on to count.
    """
    plain = [
        module
        for module in model.modules()
        if next(module.children(), None) is None
        and next(module.parameters(), None) is None
        and next(module.buffers(), None) is None
    ]
    calls: Counter[nn.Module] = Counter()
    handles = [module.register_forward_pre_hook(lambda m, _: calls.update([m])) for module in plain]
    try:
        with torch.no_grad():
            model(batch)
    finally:
        for handle in handles:
            handle.remove()
    several = {module: _Each(module, count) for module, count in calls.items() if count > 1}
    places = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent._modules.items()
        if child is not None and child in several
    ]
    try:
        for parent, name, child in places:
            parent._modules[name] = several[child]
        yield
    finally:
        for parent, name, child in places:
            parent._modules[name] = child
