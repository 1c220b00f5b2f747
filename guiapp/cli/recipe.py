"""``guiapp recipe`` and ``guiapp script``: an experiment or a run as one file, to keep, to share, to run without us."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.exhibits import refuse_exhibit
from guiapp.core.notices import SettingError

if TYPE_CHECKING:
    from guiapp.training.script import Past
    from guiapp.training.setup import Setup


def run(options: argparse.Namespace) -> int:
    """Write the recipe, or print it where no file is named."""
    import json

    from guiapp.training.recipe_file import ENDING, content, write_recipe

    setup = setup_of(options.target, dict(options.set), output.Progress())
    if options.out is None:
        output.give(json.dumps(content(setup)) if options.json else json.dumps(content(setup), indent=1))
        return 0
    out = _checked(options.out, ENDING)
    write_recipe(out, setup)
    _told(options, {"experiment": setup.experiment.id, "out": str(out)}, f"train it with: guiapp train --recipe {out}")
    return 0


def run_script(options: argparse.Namespace) -> int:
    """Write the standalone script, and its data beside it where it needs a file."""
    from guiapp.training.script import write_script

    out = _checked(options.out, ".py")
    progress = output.Progress()
    setup = setup_of(options.target, dict(options.set), progress)
    written = write_script(out, setup, _past(options.target))
    progress.clear()
    beside = "" if written.data is None else f", with its data in {written.data}"
    found: dict[str, Any] = {"experiment": setup.experiment.id, "out": str(out), "lines": written.lines}
    found |= {"data": None if written.data is None else str(written.data)}
    _told(options, found, f"{written.lines} lines{beside}; run it with: python {out}")
    return 0


def setup_of(target: str, settings: dict[str, Any], progress: output.Progress) -> Setup:
    """The setup of an experiment, or of a run by its folder or name.

    Raises:
        SettingError: If there is neither.
    """
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.setup import from_run, prepare
    from guiapp.training.watched import always_watched

    folder = _folder(target)
    if folder is not None:
        if always_watched(RunFolder.open(folder).info):
            raise SettingError(f"{folder.name} is of a training loop of its own: its recipe is that script")
        return from_run(folder, progress.share, settings)
    if target not in EXPERIMENTS:
        raise SettingError(f"there is no experiment and no run {target}; see guiapp list experiments")
    refuse_exhibit(target, "trained", "it has no recipe")
    return prepare(EXPERIMENTS[target], settings, progress.share)


def _past(target: str) -> Past | None:
    """What a run did that its recipe does not say; None of an experiment."""
    from guiapp.training.run_folder import RunFolder
    from guiapp.training.script import past_of

    folder = _folder(target)
    return None if folder is None else past_of(RunFolder.open(folder))


def _folder(target: str) -> Path | None:
    from guiapp.core import paths

    for path in (Path(target).expanduser(), paths.runs() / target):
        if (path / "run.json").is_file():
            return path
    return None


def _checked(out: Path, ending: str) -> Path:
    out = out.expanduser()
    if not out.name.endswith(ending):
        raise SettingError(f"--out ends in {ending}, not {out.name!r}")
    if not out.parent.is_dir():
        raise SettingError(f"there is no folder {out.parent}")
    return out


def _told(options: argparse.Namespace, found: dict[str, Any], words: str) -> None:
    if options.json:
        output.give_json(found)
    else:
        output.give(words)
