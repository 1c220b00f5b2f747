"""``guiapp search``: many runs of one experiment that differ in chosen settings; stoppable, resumable, comparable."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.exhibits import refuse_exhibit
from guiapp.cli.interrupt import Interrupt
from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    from guiapp.training.search_record import SearchFolder
    from guiapp.training.search_space import Axis


def run(options: argparse.Namespace) -> int:
    """Begin a search or go on with one; print its configurations, best first."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.training.search import Search
    from guiapp.training.search_plan import words

    folder = _resumed(options) if options.resume is not None else _begun(options)
    experiment = EXPERIMENTS[folder.plan.experiment]
    output.say(f"{experiment.id}: {words(folder.plan)}")
    output.say(f"search: {folder.path}")
    search, progress = Search(experiment, folder), output.Progress()
    with Interrupt() as interrupt:
        events = search.events()
        state = _follow(search, events, progress, interrupt)
    progress.clear()
    result = summary(folder, state)
    if options.json:
        output.give_json(result)
    else:
        _tell(folder, result)
    if state == "stopped":
        raise UserError(f"stopped; go on with: guiapp search --resume {folder.path}")
    return 0


def _begun(options: argparse.Namespace) -> SearchFolder:
    """A new search."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.training.search_plan import make_plan
    from guiapp.training.search_record import SearchFolder
    from guiapp.training.search_space import parse_axis

    settings: dict[str, Any] = dict(options.set)
    if options.epochs is not None:
        settings["epochs"] = options.epochs
    fixed: list[Axis] = [parse_axis(name, text) for name, text in options.grid]
    varied: list[Axis] = [parse_axis(name, text) for name, text in options.random]
    name, origin = options.experiment, ""
    if options.around is not None:
        coarse = SearchFolder.open(options.around)
        finer, drawn, held = coarse.finer()
        named = {axis.name for axis in (*fixed, *varied)} | set(settings)
        fixed = [*fixed, *(axis for axis in finer if axis.name not in named)]
        varied = [*varied, *(axis for axis in drawn if axis.name not in named)]
        settings = {**coarse.plan.settings, **{k: v for k, v in held.items() if k not in named}, **settings}
        if "data.fold" in coarse.plan.repeats[0]:  # its folds are asked for anew with --folds
            settings.pop("data.folds", None)
        name, origin = name or coarse.plan.experiment, str(coarse.path)
    if name is None:
        raise SettingError("name an experiment (see `guiapp list experiments`), or a search with --resume or --around")
    experiment = EXPERIMENTS[name]
    refuse_exhibit(experiment.id, "trained", "there is nothing to search: it is a published network")
    plan = make_plan(
        experiment, settings, fixed, varied, trials=options.trials, folds=options.folds, seeds=options.seeds,
        draws=options.draws, halving=options.halving, least=options.least_epochs, chance=options.chance,
        budget=options.budget or "", around=origin,
    )  # fmt: skip
    return SearchFolder.create(options.search_dir, plan)


def _resumed(options: argparse.Namespace) -> SearchFolder:
    """The search to go on with; its budget alone may change."""
    from guiapp.training.budget import parse_budget
    from guiapp.training.search_record import SearchFolder

    given = [name for name in ("grid", "random", "set", "trials", "folds", "seeds", "draws", "halving", "epochs")
             if getattr(options, name)]  # fmt: skip
    if given:
        raise SettingError(
            f"--{given[0]} cannot change when a search is resumed: leave it out, or begin another search"
        )
    folder = SearchFolder.open(options.resume)
    if options.experiment is not None and options.experiment != folder.plan.experiment:
        raise SettingError(f"{folder.path} is a search of {folder.plan.experiment}, not of {options.experiment}")
    if not folder.resumable:
        raise UserError(f"the search in {folder.path} is {folder.state}: there is nothing to go on with")
    if options.budget is not None:
        parse_budget(options.budget)
        folder.set_budget(options.budget)
    return folder


def _follow(search: Any, events: Any, progress: output.Progress, interrupt: Interrupt) -> str:
    """Advance the search to its end; return how it ended."""
    folder: SearchFolder = search.folder
    shown = 0.0
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            return str(end.value)
        if interrupt.asked:
            search.stop()
        if event.ended:
            progress.line(_line(folder, event.trial))
        elif progress.terminal and (now := time.monotonic()) - shown > 0.1:
            shown = now
            done = sum(trial.state in ("done", "failed") for trial in folder.trials)
            left = folder.seconds / folder.share - folder.seconds if folder.share > 0.01 else 0.0
            progress.show(
                f"run {event.trial.number} of {folder.planned_runs}, {done} done · {folder.epochs} of "
                f"{folder.planned_epochs} epochs · {output.duration(left)} left"
            )


def _line(folder: SearchFolder, trial: Any) -> str:
    varied = {**folder.plan.configurations[trial.configuration], **folder.plan.repeats[trial.repeat]}
    words = ", ".join(f"{name}={value}" for name, value in varied.items())
    figures = trial.figures
    how = f"accuracy {figures[0]:.4f}, loss {figures[1]:.4f}" if figures else trial.error or "no figures yet"
    return f"run {trial.number}  {words}  {trial.epochs} epochs  {how}"


def summary(folder: SearchFolder, state: str) -> dict[str, Any]:
    """What ``guiapp search --json`` prints."""
    return {
        "search": str(folder.path),
        "experiment": folder.plan.experiment,
        "state": state,
        "seconds": folder.seconds,
        "epochs": folder.epochs,
        "runs": len(folder.trials),
        "configurations": [
            {
                "settings": dict(standing.settings), "epochs": standing.epochs, "runs": standing.count,
                "accuracy": standing.accuracy, "spread": standing.spread, "loss": standing.loss,
                "folders": [t.folder for t in folder.trials if t.configuration == standing.configuration],
            }
            for standing in folder.ranked()
        ],
        "failed": [{"run": t.folder, "error": t.error} for t in folder.trials if t.state == "failed"],
    }  # fmt: skip


def _tell(folder: SearchFolder, result: dict[str, Any]) -> None:
    rows = []
    for place, found in enumerate(result["configurations"], 1):
        spread = found["spread"]
        row = {"rank": place, **found["settings"], "epochs": found["epochs"], "runs": found["runs"]}
        row["accuracy"] = f"{found['accuracy']:.4f}"
        row["spread"] = "" if math.isnan(spread) else f"{spread:.4f}"
        rows.append({**row, "loss": f"{found['loss']:.4f}"})
    if rows:
        output.give_table(rows, list(rows[0]))
    for failed in result["failed"]:
        output.give(f"{failed['run']} failed: {failed['error']}")
    state = folder.reason or result["state"]
    output.give(f"{state}: {result['runs']} runs, {result['epochs']} epochs in {output.duration(result['seconds'])}")
    output.give(f"search: {Path(result['search'])}")
