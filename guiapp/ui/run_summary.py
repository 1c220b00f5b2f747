"""What the list of runs says of each run, read from its folder without torch."""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from guiapp.core.files import folder_bytes


@dataclass(frozen=True)
class RunSummary:
    """One line of the list.

    Attributes:
        folder: The run folder.
        name: What the person calls it; the experiment's id where it was not given a name.
        experiment: Id of the catalogue entry; ``title`` is what a person reads.
        dataset: Name of the data set.
        state: ``running``, ``interrupted``, ``stopped``, ``done``, ``failed``, ``new``.
        epochs, planned: Epochs done, and of the recipe.
        train, validation, test: Accuracies (0 to 1), None where unknown.
        counts: Samples of each part, for the intervals.
        chance, majority: What guessing gives, and always saying the most frequent class; None where unknown.
        seconds: Time spent training.
        created: Local time, ISO 8601.
        bytes: Size on disk.
        stamp: Changes whenever the folder's figures do.
        search: The folder of the search that made it, or None.
    """

    folder: Path
    name: str
    experiment: str
    title: str
    dataset: str
    state: str
    epochs: int
    planned: int
    train: float | None
    validation: float | None
    test: float | None
    counts: dict[str, int]
    chance: float | None
    majority: float | None
    seconds: float
    created: str
    bytes: int
    stamp: tuple[float, float]
    search: Path | None = None

    @property
    def resumable(self) -> bool:
        """Whether it can go on by itself; with a run of a search the search goes on."""
        return (
            self.search is None
            and self.state in ("interrupted", "stopped", "new", "failed")
            and self.epochs < self.planned
        )

    def interval(self, part: str) -> tuple[float, float] | None:
        """95 % interval (Wilson) of an accuracy, or None where accuracy or number of samples is unknown."""
        share, count = getattr(self, part), self.counts.get(part, 0)
        if share is None or not count:
            return None
        return wilson(share, count)


def wilson(share: float, count: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's score interval (Wilson 1927) of a share of ``count`` samples."""
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def stamp(folder: Path) -> tuple[float, float]:
    """Times of the files that the summary is read from; 0 where one is missing."""
    times = []
    for name in ("run.json", "epochs.jsonl"):
        try:
            times.append((folder / name).stat().st_mtime)
        except OSError:
            times.append(0.0)
    return times[0], times[1]


def read(folder: Path) -> RunSummary:
    """Read one run folder.

    Raises:
        UserError: If it is none.
    """
    from guiapp.training.run_folder import RunFolder

    at = stamp(folder)
    run = RunFolder.open(folder)
    info = run.info
    rows = run.epochs()
    experiment: dict[str, Any] = info.get("experiment") or {}
    summary: dict[str, Any] = info.get("summary") or {}
    last = rows[-1] if rows else {}
    best = max(rows, key=lambda row: _accuracy(row.get("validation")) or 0.0) if rows else {}
    chosen = best if (info.get("recipe") or {}).get("keep") == "best" else last
    name = info.get("name")
    classes = len(info.get("classes") or ())
    return RunSummary(
        folder=folder,
        name=str(name if name and name != folder.name else experiment.get("id") or folder.name),
        experiment=str(experiment.get("id", "")),
        title=str(experiment.get("title", experiment.get("id", ""))),
        dataset=Path(str(info.get("dataset", ""))).name,
        state=run.state,
        epochs=int(last.get("epoch", 0)),
        planned=int((info.get("recipe") or {}).get("epochs", 0)),
        train=_accuracy(last.get("train")),
        validation=_accuracy(summary.get("validation")) or _accuracy(chosen.get("validation")),
        test=_accuracy(summary.get("test")),
        counts={part: int(count) for part, count in (info.get("samples") or {}).items()},
        chance=1 / classes if classes else None,
        majority=info.get("majority"),
        seconds=float(info.get("seconds") or sum(row.get("seconds", 0.0) for row in rows)),
        created=str(info.get("created", "")),
        bytes=folder_bytes(folder),
        stamp=at,
    )


@dataclass(frozen=True)
class SearchLine:
    """A search whose runs can be listed.

    Attributes:
        folder: Its folder.
        title: When it was begun, month and day first, and the title of what was trained.
        count: Runs that it has made.
    """

    folder: Path
    title: str
    count: int


@dataclass(frozen=True)
class Listed:
    """What was found.

    Attributes:
        runs: The runs that were asked for, by folder.
        searches: Every search, newest first.
    """

    runs: dict[Path, RunSummary]
    searches: tuple[SearchLine, ...]


def read_listed(
    scope: str | Path, known: dict[Path, RunSummary], before: tuple[SearchLine, ...] = ()
) -> Generator[None, None, Listed]:
    """Read the runs of a scope, and which searches there are.

    Args:
        scope: ``"own"`` for runs that are in no search, ``"all"``, or the folder of one search.
        known: Earlier summaries; what has not changed is taken from there.
        before: The searches found last time: one with as many runs as then is not read again.
    """
    from guiapp.core import paths
    from guiapp.training.search_record import searches

    lines = []
    parent, kept = searches(), {line.folder: line for line in before}
    for folder in sorted(parent.iterdir(), reverse=True) if parent.is_dir() else []:
        count = sum(1 for _ in (folder / "runs").glob("*/run.json"))
        old = kept.get(folder)
        line = old if old is not None and old.count == count else _search_line(folder, count)
        lines += [line] if line is not None else []
        yield
    found: dict[Path, RunSummary] = {}
    if scope in ("own", "all"):
        found |= yield from read_all(paths.runs(), known)
    for line in lines:
        if scope in ("all", line.folder):
            found |= yield from _of_search(line.folder, known)
    return Listed(found, tuple(lines))


def _search_line(folder: Path, count: int) -> SearchLine | None:
    """None for a search without runs, or one that cannot be read."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.core.notices import UserError
    from guiapp.training.search_record import SearchFolder

    try:
        found = SearchFolder.open(folder) if count else None
    except UserError:
        return None
    if found is None:
        return None
    experiment = EXPERIMENTS.get(found.plan.experiment)
    title = found.plan.experiment if experiment is None else experiment.title
    return SearchLine(folder, f"of {found.created[5:16].replace('T', ' ')}, {title}", count)


def _of_search(folder: Path, known: dict[Path, RunSummary]) -> Generator[None, None, dict[Path, RunSummary]]:
    """The runs of a search, named by what it tried."""
    from guiapp.core.notices import UserError
    from guiapp.training.run_records import short_name
    from guiapp.training.search_record import SearchFolder

    found = yield from read_all(folder / "runs", known)
    new = {path: run for path, run in found.items() if run.search is None}
    if not new:
        return found
    try:
        search = SearchFolder.open(folder)
    except UserError:
        return found
    for trial in search.trials:
        path = folder / trial.folder
        if path in new:
            repeats = search.plan.repeats if len(search.plan.repeats) > 1 else ({},)
            tried = {**search.plan.configurations[trial.configuration], **repeats[trial.repeat]}
            words = ", ".join(f"{short_name(name)} {_short(value)}" for name, value in tried.items())
            given = (found[path].experiment, f"{found[path].experiment} {trial.number}")
            named = found[path].name not in given  # by the person
            name = found[path].name if named else f"{trial.number}: {words}" if words else str(trial.number)
            found[path] = replace(found[path], name=name, search=folder)
    return found


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def read_all(parent: Path, known: dict[Path, RunSummary]) -> Generator[None, None, dict[Path, RunSummary]]:
    """Read every run below ``parent``; what has not changed since ``known`` is taken from there."""
    from guiapp.core.notices import UserError

    found: dict[Path, RunSummary] = {}
    if not parent.is_dir():
        return found
    for folder in sorted(parent.iterdir(), reverse=True):
        if folder.name.startswith(".") or not (folder / "run.json").is_file():
            continue
        old = known.get(folder)
        if old is not None and old.stamp == stamp(folder) and old.state != "running":
            found[folder] = old
        else:
            try:
                found[folder] = read(folder)
            except UserError:
                continue  # half-written or from a newer version: it stays out of the list
        yield
    return found


def rename(folder: Path, name: str) -> None:
    """Give a run another name; the folder keeps its own."""
    from guiapp.core.files import write_atomic

    path = folder / "run.json"
    info = json.loads(path.read_text())
    info["name"] = name
    write_atomic(path, json.dumps(info, indent=1) + "\n")


def _accuracy(figures: Any) -> float | None:
    value = figures.get("accuracy") if isinstance(figures, dict) else None
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
