"""Races of the update rules that train networks, on loss surfaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from guiapp.toys.race import Race, Racer
from guiapp.training.recipe_parts import Optimiser, Schedule, option

if TYPE_CHECKING:
    from guiapp.toys.surfaces import Surface

_EPOCHS = 10


@dataclass(frozen=True)
class RaceOptions:
    """What all racers share."""

    steps: int = option(300, "steps of the race", unit="steps", low=1, high=20_000)
    noise: float = option(
        0.0, "noise of a batch's gradient, 1: as suits the surface; gd sees the whole and has none", low=0.0, high=100.0
    )
    schedule: Literal[
        "constant", "step", "exponential", "polynomial", "inverse", "inverse-sqrt", "linear", "cosine", "one-cycle"
    ] = option("constant", "how the rates change over the race, which counts as ten epochs")
    momentum: float = option(0.9, "of momentum and Nesterov", low=0.0, high=0.9999)
    beta1: float = option(0.9, "of Adam and AdamW", low=0.0, high=0.99999)
    beta2: float = option(0.999, "of RMSProp, Adam and AdamW", low=0.0, high=0.999999)
    damping: float = option(0.1, "of Newton: added to the curvature in every direction", low=1e-8, high=1e4)
    seed: int = option(0, "of the noise", low=0, high=2**31 - 1)


def make_race(
    surface: Surface, rates: Mapping[str, float], options: RaceOptions, start: tuple[float, float] | None = None
) -> Race:
    """A race between rules, each the optimiser that trains a network under its name.

    Args:
        surface: Where.
        rates: Learning rate by rule (``surfaces.RULES``); these take part, in their order.
        options: What they share.
        start: Where they begin; the surface's own by default.
    """
    racers = [_racer(name, rate, options) for name, rate in rates.items()]
    return Race(surface, racers, start or surface.start, options.steps)


def _racer(name: str, rate: float, options: RaceOptions) -> Racer:
    from guiapp.training import schedules
    from guiapp.training.recipe import Recipe, change

    momentum = 0.0 if name == "rmsprop" else options.momentum
    wanted = {"name": name, "lr": rate, "momentum": momentum, "damping": options.damping}
    optimiser: Optimiser = change(Optimiser(), {**wanted, "beta1": options.beta1, "beta2": options.beta2})
    schedule = Schedule(name=options.schedule, every=5)
    recipe = Recipe(optimiser=optimiser, schedule=schedule)
    total, per_epoch = options.steps, max(options.steps // _EPOCHS, 1)

    def make(weight: Any) -> Any:
        from guiapp.training.optimisers import build

        return build(optimiser, [weight], weight.device)

    def before(made: Any, step: int) -> None:
        from guiapp.training.optimisers import set_rates

        set_rates(made, made.param_groups[0]["lr"], schedules.momentum(recipe, step, total))

    def rate_of(step: int) -> float:
        return schedules.rate(schedule, rate, step, total, per_epoch)

    return Racer(name, make, rate_of, exact=name == "gd", before=before if schedules.has_momentum(recipe) else None)
