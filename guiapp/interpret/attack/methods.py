"""How each attack goes: generators that ask for gradients and give the pixels after every step.

Each is called with ``gradient(pixels)``, which gives the gradient of the loss that is to become small, and yields
pixels (N, C, H, W) from 0 to 1 after each step; the caller may stop it at any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from guiapp.interpret.attack.options import AttackOptions
from guiapp.interpret.attack.space import noise, project, random_start, steepest

Gradient = Callable[[torch.Tensor], torch.Tensor]
Steps = Iterator[torch.Tensor]


def steps_of(
    start: torch.Tensor, gradient: Gradient, options: AttackOptions, mask: torch.Tensor | None, seed: int | None = None
) -> Steps:
    """The steps of the chosen method on pictures (N, C, H, W), each on its own; all but patches."""
    generator = torch.Generator().manual_seed(options.seed if seed is None else seed)
    if options.method == "noise":
        return iter((noise(start, options.norm, options.bound, generator, mask),))
    if options.method == "fgsm":
        return fgsm(start, gradient, options)
    if options.method == "distance":
        return penalised(start, gradient, options)
    first = start
    if options.method == "pgd":
        first = random_start(start, options.norm, options.bound, generator, mask)
    return iterated(start, first, gradient, options)


def fgsm(start: torch.Tensor, gradient: Gradient, options: AttackOptions) -> Steps:
    """One step of the whole size along the signs of the gradient (Goodfellow et al. 2015); in L2 along the gradient."""
    step = options.bound * steepest(gradient(start), options.norm)
    yield (start - step).clamp_(0.0, 1.0)


def iterated(start: torch.Tensor, first: torch.Tensor, gradient: Gradient, options: AttackOptions) -> Steps:
    """Small steps, each brought back into the ball around ``start``.

    From ``start`` itself it is the basic iterative method (Kurakin et al. 2017), from a random point of the ball
    projected gradient descent (Madry et al. 2018).
    """
    pixels = first
    for _ in range(count_of(options)):
        pixels = pixels - options.one_step * steepest(gradient(pixels), options.norm)
        pixels = project(pixels, start, options.norm, options.bound)
        yield pixels


def penalised(start: torch.Tensor, gradient: Gradient, options: AttackOptions) -> Steps:
    """Adam on L + λ ‖x - x'‖², pixels kept within 0 to 1 (course text T2, attacking an MLP model).

    The gradient of the penalty is added here; no ball bounds the change.
    """
    assert options.rate is not None
    walk = Adam(options.rate)
    pixels = start
    for _ in range(count_of(options)):
        slope = gradient(pixels) + 2 * options.weight * (pixels - start)
        pixels = (pixels - walk.step(slope)).clamp_(0.0, 1.0)
        yield pixels


def count_of(options: AttackOptions) -> int:
    """How many steps of gradient an attack with sizes takes at most."""
    if options.method in ("fgsm", "noise"):
        return 1
    assert options.steps is not None
    return options.steps


class Adam:
    """Adam (Kingma and Ba 2015) on one tensor, with its usual constants.

    Args:
        rate: Learning rate.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._count = 0
        self._mean: torch.Tensor | None = None
        self._square: torch.Tensor | None = None

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        """What is to be taken away from the values."""
        if self._mean is None or self._square is None:
            self._mean, self._square = torch.zeros_like(gradient), torch.zeros_like(gradient)
        self._count += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.999 * self._square + 0.001 * gradient * gradient
        mean = self._mean / (1 - 0.9**self._count)
        square = self._square / (1 - 0.999**self._count)
        return self.rate * mean / (square.sqrt() + 1e-8)
