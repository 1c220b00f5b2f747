"""How many threads one operation of a network is split over."""

import math
import os
from collections.abc import Iterable
from typing import Protocol

WORTH = 8_000_000
"""Forward operations (multiplications and additions) of a step that one more thread must get to be faster.

Measured on two cores: at batch 64 a linear classifier (1 M) is 2.2 times slower with two threads than with one, the
MLP (6.5 M) equal, a nine-filter network (18 M) and LeNet-5 (53 M) 1.5 times faster.
"""


class Sized(Protocol):
    """What is asked of a layer (see ``interpret.layers.LayerInfo``)."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Without the batch."""
        ...

    @property
    def parameters(self) -> int:
        """Weights and biases in it and below."""
        ...

    @property
    def has_weights(self) -> bool:
        """Whether it has a weight of its own."""
        ...


def physical_cores() -> int:
    """Cores that this process may use, two threads of one core counted once."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(psutil.cpu_count(logical=False) or allowed, allowed), 1)


def forward_operations(layers: Iterable[Sized]) -> int:
    """Multiplications and additions of one sample's forward pass, from dense and convolution layers."""
    return sum(2 * layer.parameters * math.prod(layer.output_shape[1:]) for layer in layers if layer.has_weights)


def recommended_threads(layers: Iterable[Sized], batch: int, cores: int | None = None) -> int:
    """The number of threads for training, from the size of the work alone.

    It is computed, not timed, because results must not depend on what else the machine does: with other threads, sums
    are taken in another order.

    Args:
        layers: Layers of the network; containers may be among them.
        batch: Samples a step.
        cores: Physical cores; those of this machine by default.
    """
    return max(1, min(cores or physical_cores(), forward_operations(layers) * batch // WORTH))
