"""``guiapp train``: the training of the window without it. Qt is never imported here."""

from __future__ import annotations

import argparse
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.exhibits import refuse_exhibit
from guiapp.cli.interrupt import PATIENCE, Interrupt
from guiapp.core import paths
from guiapp.core.notices import SettingError, UserError
from guiapp.training.ranks import Wish, place_of

if TYPE_CHECKING:
    from guiapp.catalogue.entry import Experiment
    from guiapp.training.ranks import Ranks
    from guiapp.training.recipe_file import RecipeFile
    from guiapp.training.runner import Runner

_CHANGEABLE = ("epochs", "device", "keep", "checkpoint_seconds", "loading.memory", "loading.ahead", "loading.workers")
"""Settings that may change when a run is resumed: the steps done so far would have been the same."""


def run(options: argparse.Namespace) -> int:
    """Train an experiment, or go on with a run; print the summary."""
    from guiapp.catalogue import EXPERIMENTS

    recipe = None if options.recipe is None else _read(options.recipe)
    if options.experiment is None and recipe is None:
        raise SettingError("name an experiment (see guiapp list experiments), or a file with --recipe")
    experiment = EXPERIMENTS[options.experiment or (recipe.experiment if recipe is not None else "")]
    refuse_exhibit(
        experiment.id, "trained", "ask it with guiapp predict {0} PICTURE, see it with guiapp screenshot {0} --out FILE"
    )
    settings: dict[str, Any] = {} if recipe is None else recipe.for_experiment(experiment)
    settings.update(options.set)
    for name in ("epochs", "device", "seed"):
        value = getattr(options, name)
        if value is not None:
            settings[name] = value
    place = place_of()
    if place is not None:
        from guiapp.cli.train_together import run_together

        return run_together(options, experiment, settings, place)
    return lead(options, experiment, settings)


def lead(
    options: argparse.Namespace, experiment: Experiment, settings: dict[str, Any], ranks: Ranks | None = None
) -> int:
    """Train in this process, alone or as the first of several, and write the run folder; print the summary."""
    progress = output.Progress()
    runner = (_resumed if options.resume else _started)(experiment, options.run_dir, settings, progress, ranks)
    progress.clear()
    for notice in runner.setup.notices:
        output.say(notice)
    output.say(f"run: {runner.folder.path}")
    with Interrupt(0.0 if ranks is None else PATIENCE) as interrupt:
        events = runner.events()
        try:
            finished = _follow(runner, events, progress, interrupt if ranks is None else ranks.follow_wish(interrupt))
            if finished:
                progress.show("test")
                summary = {**runner.finish(test=True), "dataset": runner.setup.dataset_name}
        finally:
            progress.clear()
            events.close()
            runner.close()
    if not finished:
        raise UserError(
            f"stopped at step {runner.trainer.step}; go on with: "
            f"guiapp train {experiment.id} --resume --run-dir {runner.folder.path}"
        )
    if options.json:
        output.give_json(summary)
    else:
        _tell(summary)
    return 0


def _read(path: Path) -> RecipeFile:
    """The recipe in a file, of an experiment that is there."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.training.recipe_file import read_recipe

    found = read_recipe(path)
    if found.experiment not in EXPERIMENTS:
        raise SettingError(f"{path} is of the experiment {found.experiment}, which this version does not have")
    return found


def _started(
    experiment: Experiment,
    folder: Path | None,
    settings: dict[str, Any],
    progress: output.Progress,
    ranks: Ranks | None = None,
) -> Runner:
    """A new run; its folder is checked before anything long is begun."""
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        resumable = (folder / "run.json").is_file()
        hint = "add --resume to go on with the run in it" if resumable else "name a new or empty folder"
        raise SettingError(f"--run-dir {folder} is not empty: {hint}")
    _check_dataset(settings)
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.runner import Runner
    from guiapp.training.setup import prepare

    setup = prepare(experiment, settings, progress.share)
    made = RunFolder.create(folder, setup, exact=folder is not None)
    return Runner(setup, made, ranks.announce(setup) if ranks is not None else None, ranks=ranks)


def _check_dataset(settings: dict[str, Any]) -> None:
    """Refuse a data set that is neither known nor a path."""
    from guiapp.datasets import DATASETS, own_place

    name = settings.get("dataset")
    if name is not None and name not in DATASETS and not own_place(name)[0].exists():
        known = ", ".join(DATASETS)
        raise SettingError(f"dataset={name}: there is no such data set, folder or .zip; data sets are: {known}")


def _resumed(
    experiment: Experiment,
    folder: Path | None,
    settings: dict[str, Any],
    progress: output.Progress,
    ranks: Ranks | None = None,
) -> Runner:
    """The run to go on with; what decides its steps so far cannot change."""
    from guiapp.training.recipe import as_dict
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.runner import Runner
    from guiapp.training.setup import from_run

    found = folder if folder is not None else _newest(experiment.id)
    if not (found / "run.json").is_file():
        raise SettingError(f"there is no run to resume in {found}")
    opened = RunFolder.open(found)
    if opened.info["experiment"]["id"] != experiment.id:
        raise SettingError(f"{found} is a run of {opened.info['experiment']['id']}, not of {experiment.id}")
    kept = {"seed": opened.info["seed"], "dataset": opened.info["dataset"], **opened.info["settings"]}
    changed = {name: value for name, value in settings.items() if str(kept.get(name)) != str(value)}
    fixed = [name for name in changed if name not in _CHANGEABLE]
    if fixed:
        raise SettingError(f"{fixed[0]} cannot change when a run is resumed: leave it out, or start a new run")
    setup = from_run(found, progress.share, changed)
    opened.lock()
    runner = Runner(setup, opened, ranks.announce(setup) if ranks is not None else None, resume=True, ranks=ranks)
    if changed:
        opened.update(recipe=as_dict(setup.recipe), settings=dict(setup.settings))
    return runner


def _newest(experiment: str) -> Path:
    from guiapp.training.run_folder import list_runs

    for folder in list_runs():
        if folder.info["experiment"]["id"] == experiment:
            return folder.path
    raise SettingError(f"there is no run of {experiment} to resume in {paths.runs()}")


def _follow(runner: Runner, events: Generator[Any, None, None], progress: output.Progress, interrupt: Wish) -> bool:
    """Advance the run to its end; return whether it got there."""
    from guiapp.training.contention import Crowded
    from guiapp.training.events import EpochEnd, StepEnd

    trainer, began, first = runner.trainer, time.monotonic(), runner.trainer.step
    epochs = runner.setup.recipe.epochs
    shown = 0.0
    for event in events:
        if interrupt.asked:
            return False
        if isinstance(event, EpochEnd):
            progress.line(_epoch_line(event, epochs))
        elif isinstance(event, Crowded):
            progress.line(event.text)
        elif progress.terminal and (now := time.monotonic()) - shown > 0.1:
            shown = now
            rate = (trainer.step - first) / max(now - began, 1e-9)
            left = (trainer.total_steps - trainer.step) / rate if rate else 0.0
            doing = f"loss {float(event.loss):.4f}" if isinstance(event, StepEnd) else "preparing or evaluating"
            progress.show(
                f"step {trainer.step}/{trainer.total_steps} · {doing} · {rate:.0f} steps/s · "
                f"{output.duration(left)} left"
            )
    return True


def _epoch_line(event: Any, epochs: int) -> str:
    parts = [f"epoch {event.epoch}/{epochs}"]
    for part, figures in (("train", event.train), ("validation", event.validation)):
        words = " ".join(f"{name} {value:.4f}" for name, value in figures.items())
        parts.append(f"{part} {words}")
    return "  ".join([*parts, f"{event.seconds:.1f} s"])


def _tell(summary: dict[str, Any]) -> None:
    """The summary in words."""
    for part in ("train", "validation", "test"):
        figures = summary.get(part)
        if figures:
            words = [f"{name} {value:.4f}" for name, value in figures.items() if isinstance(value, float)]
            output.give(f"{part:<11}{', '.join(words)}")
    output.give(
        f"{summary['steps']} steps in {summary['seconds']:.1f} s on {summary['device']}, "
        f"{summary['parameters']:,} parameters"
    )
    output.give(f"run: {summary['run']}")
