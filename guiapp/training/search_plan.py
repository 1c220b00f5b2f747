"""From what a person asks for to the plan of a search; what can be refused is refused before the first run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from guiapp.catalogue.entry import Experiment
from guiapp.core.notices import SettingError
from guiapp.training.budget import parse_budget
from guiapp.training.search_record import REPEATS, Plan, rungs_of
from guiapp.training.search_space import Axis, Value, configurations

TRIALS = 20
"""Random configurations where nothing else is asked for."""


def make_plan(
    experiment: Experiment,
    settings: Mapping[str, Any] | None = None,
    fixed: Sequence[Axis] = (),
    varied: Sequence[Axis] = (),
    *,
    trials: int | None = None,
    folds: int = 0,
    seeds: int = 0,
    draws: int = 0,
    halving: int = 0,
    least: int = 1,
    chance: int = 0,
    budget: str = "",
    around: str = "",
) -> Plan:
    """Put the plan of a search together and try each of its values on the recipe.

    Args:
        experiment: What is trained.
        settings: Settings of every run, as for a training.
        fixed: Axes of a grid.
        varied: Axes that are drawn at random.
        trials: Random draws for each point of the grid.
        folds: k of a cross-validation of every configuration; 0 for none.
        seeds: Every configuration is trained with this many seeds; 0 for the recipe's own.
        draws: Every configuration is trained on this many draws of the training part; 0 for the part itself.
        halving: Of how many configurations one goes on to the next rung; 0 trains all to the end.
        least: Epochs of the first rung, at least.
        chance: Seed of the draws.
        budget: See ``budget.parse_budget``.
        around: Folder of the search that this one refines.

    Raises:
        SettingError: For what cannot be.
    """
    base = dict(settings or {})
    names = [axis.name for axis in (*fixed, *varied)]
    repeats = _repeats(base, folds, seeds, draws)
    for name in names:
        if names.count(name) > 1:
            raise SettingError(f"{name} is varied twice: name it once")
        if name in base:
            raise SettingError(f"{name} is both set and varied: do one of them")
        if name in repeats[0]:
            raise SettingError(f"{name} is varied and repeated: do one of them")
    if not names and len(repeats) == 1:
        raise SettingError(
            "there is nothing to search: vary a setting (optimiser.lr=1e-4..1e-1), or ask for folds, seeds or draws"
        )
    if halving == 1 or halving < 0:
        raise SettingError(f"halving keeps one of 2 or more, not one of {halving}")
    parse_budget(budget)
    tried = configurations(fixed, varied, trials or TRIALS, chance)
    epochs = _check_all(experiment, base, tried, repeats, bool(halving))
    rungs = rungs_of(epochs, halving, least) if halving else [epochs]
    if halving and len(rungs) == 1:
        raise SettingError(
            f"halving needs runs of at least {halving * max(least, 1)} epochs, and these have {epochs}: set more epochs"
        )
    return Plan(
        experiment=experiment.id, settings=base, configurations=tried, rungs=rungs, fixed=tuple(fixed),
        varied=tuple(varied), draws=(trials or TRIALS) if varied else 0, chance=chance, repeats=repeats,
        keep=max(halving, 1), budget=budget, around=around,
    )  # fmt: skip


def _repeats(base: dict[str, Any], folds: int, seeds: int, draws: int) -> list[dict[str, Value]]:
    """Settings of each repetition; what all of them share goes into ``base``."""
    ways: dict[str, list[Value]] = {}
    if folds:
        if folds < 2:
            raise SettingError(f"a cross-validation has at least 2 folds, not {folds}")
        base["data.folds"] = folds
        ways["data.fold"] = list(range(1, folds + 1))
    if draws:
        ways["data.draw"] = list(range(1, draws + 1))
    if seeds:
        ways["seed"] = list(range(seeds))
    for name in ways:
        if name in base:
            raise SettingError(f"{name} is both set and repeated: do one of them")
    return [dict(zip(ways, values, strict=True)) for values in itertools.product(*ways.values())]


def _check_all(
    experiment: Experiment,
    base: Mapping[str, Any],
    tried: Sequence[Mapping[str, Value]],
    repeats: Sequence[Mapping[str, Value]],
    halving: bool,
) -> int:
    """Try every value on the recipe, without opening data; return the epochs of a run."""
    from guiapp.models.backbones import find_entry
    from guiapp.training.setup import recipe_of

    lengths = set()
    for settings in tried:
        chosen = {**base, **repeats[-1], **settings}
        recipe = recipe_of(experiment, chosen)
        by_memory = find_entry(str(chosen.get("model", experiment.model))).trained_by == "memory"
        lengths.add(1 if by_memory else recipe.epochs)
    if len(lengths) > 1 and halving:
        raise SettingError("halving compares runs of one length: do not vary epochs")
    return max(lengths)


def settings_of(plan: Plan, configuration: int, repeat: int) -> dict[str, Any]:
    """The settings of one run."""
    return {**plan.settings, **plan.configurations[configuration], **plan.repeats[repeat]}


def words(plan: Plan) -> str:
    """The plan in one line."""
    varied = ", ".join(f"{axis.name} {axis.text}" for axis in plan.axes) or "nothing varied"
    parts = [f"{len(plan.configurations)} configurations ({varied})" if plan.axes else "one configuration"]
    named = {"data.fold": "folds", "data.draw": "draws", "seed": "seeds"}
    for name in REPEATS:
        count = len({repeat[name] for repeat in plan.repeats if name in repeat})
        if count:
            parts.append(f"{count} {named[name]}")
    if len(plan.rungs) > 1:
        parts.append(f"halving by {plan.keep} at {', '.join(map(str, plan.rungs))} epochs")
    return " × ".join(parts[:1]) + "".join(f" · {part}" for part in parts[1:])
