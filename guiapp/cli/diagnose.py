"""``guiapp diagnose``: checks before a run of an experiment, or what is wrong with a run."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.exhibits import refuse_exhibit
from guiapp.core import paths
from guiapp.core.notices import SettingError

if TYPE_CHECKING:
    from guiapp.training.diagnosis.before import Checks

_CHECKS = {
    "labels": "labels", "first_loss": "first loss", "handful": "a handful", "range_test": "rate",
}  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Check the experiment, or read the run, and print what was found."""
    from guiapp.catalogue import EXPERIMENTS

    folder = _folder(options.target)
    if folder is not None:
        if options.set:
            raise SettingError("--set is for checks of an experiment; a run has its settings")
        return _of_run(folder, options.json)
    if options.target in EXPERIMENTS:
        return _of_experiment(options.target, dict(options.set), options.json)
    raise SettingError(f"{options.target} is neither an experiment (see `guiapp list experiments`) nor a run folder")


def _folder(target: str) -> Path | None:
    for path in (Path(target).expanduser(), paths.runs() / target):
        if (path / "run.json").is_file():
            return path
    return None


def _of_experiment(name: str, settings: dict[str, Any], as_json: bool) -> int:
    from guiapp.catalogue import EXPERIMENTS

    refuse_exhibit(name, "trained", "look into it with guiapp screenshot {0} --out FILE")
    from guiapp.training.devices import choose
    from guiapp.training.diagnosis.before import checks
    from guiapp.training.evaluation import finish
    from guiapp.training.setup import prepare

    progress = output.Progress()
    setup = prepare(EXPERIMENTS[name], settings, progress.share)
    found = finish(checks(setup, choose(setup.recipe.device)), lambda step: progress.share(step[0], step[1]))
    progress.clear()
    if as_json:
        output.give_json({"experiment": name, "dataset": setup.dataset_name, **found.as_dict()})
    else:
        _tell_checks(found)
    return 0


def _tell_checks(found: Checks) -> None:
    for field, words in _CHECKS.items():
        check = getattr(found, field)
        output.give(f"{words:<11}{check.verdict:<9} {check.text} {check.advice}".rstrip())


def _of_run(folder: Path, as_json: bool) -> int:
    from guiapp.training.diagnosis.figures import figures_of
    from guiapp.training.diagnosis.findings import findings
    from guiapp.training.diagnosis.summary import summary
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.watched import always_watched

    figures = figures_of(folder)
    found = findings(figures)
    seen = summary(figures.observation) if figures.observation is not None else None
    if as_json:
        result = {"run": str(folder), "state": figures.state, "steps": figures.steps}
        output.give_json({**result, "findings": [one.as_dict() for one in found], "observation": seen})
        return 0
    output.give(f"{folder.name}: {figures.state}, {figures.steps} steps, {len(figures.epochs)} epochs")
    for one in found:
        output.give()
        output.give(f"{one.severity}: {one.title}")
        output.give(f"  {one.text}")
        for piece in one.evidence:
            output.give(f"  {piece.plot}, step {piece.first} to {piece.last}: {piece.text}")
        output.give(f"  {one.advice}")
    if not found:
        output.give("nothing found" if figures.steps else "no step was made yet")
    output.give()
    if seen is None and always_watched(RunFolder.open(folder).info):
        output.give("not observed within: a training loop of its own notes curves and weights alone")
        return 0
    if seen is None:
        output.give("not observed within: train with --set observe=on to see layers, units and times")
        return 0
    output.give_table(
        [_row(layer) for layer in seen["layers"]], ("layer", "update/weight", "gradient", "dead", "saturated")
    )
    if seen["time"]:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in seen["time"].items())
        output.give(f"time of a step: {shares}; {seen['samples_per_second']:,.0f} samples/s")
    return 0


def _row(layer: dict[str, Any]) -> dict[str, Any]:
    def shown(name: str, form: str) -> str:
        return format(layer[name], form) if math.isfinite(layer[name]) else ""

    return {
        "layer": layer["name"],
        "update/weight": shown("ratio", ".1e"),
        "gradient": shown("gradient", ".1e"),
        "dead": shown("dead", ".0%"),
        "saturated": shown("saturated", ".0%"),
    }
