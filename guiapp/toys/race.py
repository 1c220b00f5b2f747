"""A race: rules of descent begin at one place of a loss surface and step by step go down."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from guiapp.toys.surfaces import Surface

_TOGETHER = 5  # steps between two points at which a race can be stopped
_FAR = 1e4


@dataclass(frozen=True)
class Racer:
    """One rule.

    Attributes:
        name: What it is called.
        make: Gives torch's optimiser for a parameter (2,). One that has ``backward`` is given the loss itself.
        rate: Learning rate of a step.
        exact: Whether it sees the gradient of the whole, not of a batch.
        before: Called with the optimiser before each step, with the number of the step; for a momentum that changes.
    """

    name: str
    make: Callable[[torch.Tensor], Any]
    rate: Callable[[int], float]
    exact: bool = False
    before: Callable[[Any, int], None] | None = None


class Race:
    """Where every racer was after each step. One thread runs it, others read what is done.

    Attributes:
        names: Of the racers.
        places: Weights, float64 (racers, steps + 1, 2); NaN where they are not yet, or beyond all bounds.
        losses: The loss there, above the smallest of the surface, float64 (racers, steps + 1).
        done: Steps that are complete.
        lost: The step at which each racer went beyond all bounds, or None.
    """

    def __init__(self, surface: Surface, racers: Sequence[Racer], start: tuple[float, float], steps: int) -> None:
        self.surface, self.start, self.steps = surface, start, steps
        self.names = tuple(racer.name for racer in racers)
        self.places: npt.NDArray[np.float64] = np.full((len(racers), steps + 1, 2), np.nan)
        self.losses: npt.NDArray[np.float64] = np.full((len(racers), steps + 1), np.nan)
        self.places[:, 0] = start
        self.losses[:, 0] = float(surface.values(*start)) - surface.lowest
        self.done = 0
        self.lost: list[int | None] = [None] * len(racers)
        self._racers = tuple(racers)

    def run(self, noise: float, seed: int) -> Generator[tuple[float, str], None, None]:
        """Race to the end.

        Args:
            noise: Deviation of a batch's gradient about the true one, for each weight; the same draws for all racers.
            seed: Of these draws.
        """
        import torch

        yield 0.0, "racing"
        drawn = noise * np.random.default_rng(seed).standard_normal((self.steps, 2))
        weights = [torch.tensor(self.start, dtype=torch.float64, requires_grad=True) for _ in self._racers]
        optimisers = [racer.make(weight) for racer, weight in zip(self._racers, weights, strict=True)]
        for step in range(self.steps):
            tilt = torch.from_numpy(drawn[step])
            for number, racer in enumerate(self._racers):
                if self.lost[number] is None:
                    self._step(number, racer, weights[number], optimisers[number], step, tilt)
            known = self.places[:, step + 1]
            self.losses[:, step + 1] = self.surface.values(known[:, 0], known[:, 1]) - self.surface.lowest
            self.done = step + 1
            if self.done % _TOGETHER == 0:
                yield self.done / self.steps, "racing"

    def _step(self, number: int, racer: Racer, weight: Any, optimiser: Any, step: int, tilt: Any) -> None:
        import torch

        for group in optimiser.param_groups:
            group["lr"] = racer.rate(step)
        if racer.before is not None:
            racer.before(optimiser, step)
        optimiser.zero_grad()
        with torch.enable_grad():
            loss = self.surface.function(weight[0], weight[1], torch)
            if not racer.exact:  # a batch's loss: the whole one, tilted by chance
                loss = loss + torch.dot(tilt, weight)
            if hasattr(optimiser, "backward"):
                optimiser.backward(loss)
            else:
                (weight.grad,) = torch.autograd.grad(loss, weight)
        with torch.no_grad():
            optimiser.step()
        x, y = (float(v) for v in weight.detach())
        if math.isfinite(x) and math.isfinite(y) and max(abs(x), abs(y)) < _FAR:
            self.places[number, step + 1] = x, y
        else:
            self.lost[number] = step + 1

    def steps_to(self, share: float) -> list[int | None]:
        """Steps after which each racer was first below a share of the loss at the start; None where it is not yet."""
        below = self.losses[:, : self.done + 1] <= share * self.losses[:, :1]
        return [int(row.argmax()) if row.any() else None for row in below]
