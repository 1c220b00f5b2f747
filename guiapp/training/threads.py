"""How many threads one operation of a network is split over."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from guiapp.training.recipe import Recipe

WORTH = 8_000_000
"""Forward operations (multiplications and additions) of a step that one more thread must get to be faster.

Measured on two cores: at batch 64 a linear classifier (1 M) is 2.2 times slower with two threads than with one, the
MLP (6.5 M) equal, a nine-filter network (18 M) and LeNet-5 (53 M) 1.5 times faster.
"""


def physical_cores() -> int:
    """Cores that this process may use, two threads of one core counted once."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(psutil.cpu_count(logical=False) or allowed, allowed), 1)


def forward_operations(model: torch.nn.Module, size: tuple[int, ...]) -> int:
    """Multiplications and additions of one sample's forward pass, counted in convolutions and dense layers.

    Args:
        model: The network; it is run once on zeros in evaluation mode and left as it was.
        size: Shape of its input without the batch.
    """
    import torch

    total = 0

    def count(module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        weight = module.weight
        assert isinstance(weight, torch.Tensor)
        total += 2 * weight.numel() * math.prod(output.shape[2:])

    kinds = (torch.nn.Linear, torch.nn.modules.conv._ConvNd)
    handles = [module.register_forward_hook(count) for module in model.modules() if isinstance(module, kinds)]
    modes = [(module, module.training) for module in model.modules()]
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *size, device=device))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    return total


def recommended_threads(operations: int, batch: int, cores: int | None = None) -> int:
    """The number of threads for training, from the size of the work alone.

    It is computed, not timed, because results must not depend on what else the machine does: with other threads, sums
    are taken in another order.

    Args:
        operations: Forward operations of one sample (see ``forward_operations``).
        batch: Samples a step.
        cores: Physical cores; those of this machine by default.
    """
    return max(1, min(cores or physical_cores(), operations * batch // WORTH))


def threads_of(recipe: Recipe, model: torch.nn.Module, size: tuple[int, ...]) -> int:
    """The threads that the recipe asks for, or the recommended number where it leaves the choice."""
    return recipe.threads or recommended_threads(forward_operations(model, size), recipe.batch)
