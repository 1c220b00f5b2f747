"""What the search panel has done on the work lane: searches planned and begun, read, gone on with, deleted."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

from guiapp.core.notices import UserError
from guiapp.engine.state import Opened
from guiapp.training.search_process import begin
from guiapp.training.search_record import SearchFolder, searches

Stamp = tuple[Path, float, str]
"""Which search was read, when its record was written, and its state."""


def settings_of(opened: Opened, fixed: Any, varied: Any, choices: Any) -> dict[str, Any]:
    """Settings of the open experiment that the search of these axes leaves as they are."""
    named = {axis.name for axis in (*fixed, *varied)}
    dropped = {*named, "epochs", *({"seed"} if choices.seeds else ()), *({"data.draw"} if choices.draws else ())}
    if choices.folds:
        dropped |= {"data.folds", "data.fold"}
    settings = {"dataset": opened.dataset.name, **opened.settings}
    settings = {name: value for name, value in settings.items() if name not in dropped}
    if "epochs" not in named:
        settings["epochs"] = choices.epochs
    return settings


def planned(
    opened: Opened, settings: dict[str, Any], fixed: Any, varied: Any, choices: Any, starts: bool
) -> Generator[None, None, Any]:
    """The plan in words, with the folder and its process where it begins; a reason as text where it cannot be."""
    from guiapp.training.search_plan import make_plan, words

    yield
    try:
        plan = make_plan(
            opened.experiment, settings, fixed, varied, trials=choices.trials, folds=choices.folds, seeds=choices.seeds,
            draws=choices.draws, halving=choices.halving, budget=choices.budget,
        )  # fmt: skip
        sketch = SearchFolder(Path(), plan)
        told = f"{words(plan)}: {sketch.planned_runs} runs, {sketch.planned_epochs} epochs"
        if not starts:
            return told, None, None
        folder = SearchFolder.create(None, plan)
        return told, folder, begin(folder)
    except (UserError, OSError) as error:
        return " ".join(str(error).split())


def read(
    wanted: Path | None, before: Stamp | None
) -> Generator[None, None, tuple[list[str], SearchFolder | None, Stamp | None]]:
    """Names of the searches, newest first; the wanted one or the newest, None where it is as it was; its stamp."""
    yield
    parent = searches()
    names = sorted((f.parent.name for f in parent.glob("*/search.json")), reverse=True) if parent.is_dir() else []
    path = wanted if wanted is not None and (wanted / "search.json").is_file() else None
    if path is None and names:
        path = parent / names[0]
    if path is None:
        return names, None, None
    try:
        time = (path / "search.json").stat().st_mtime
        if before is not None and before[:2] == (path, time) and before[2] != "running":
            return names, None, before
        search = SearchFolder.open(path)
    except (OSError, UserError):
        return names, None, None
    return names, search, (path, time, search.state)


def resumed(path: Path, spent: bool) -> Generator[None, None, Any]:
    """The process that goes on with a search; with ``spent`` its budget is lifted. A reason as text where it cannot."""
    yield
    try:
        folder = SearchFolder.open(path)
        folder.lock()
        if spent:
            folder.set_budget("")
            folder.save("stopped")
        return begin(folder)
    except (UserError, OSError) as error:
        return str(error)


def deleted(path: Path) -> Generator[None, None, None]:
    """Delete a search with all of its runs."""
    yield
    shutil.rmtree(path)
