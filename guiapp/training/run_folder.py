"""The folder of a run: everything that is left of a training, readable without this program.

    run.json            format version, experiment, recipe, versions, seed, state
    steps/              figures of every step, see ``columns``
    epochs.jsonl        a line for each epoch, and one for each change made by hand
    events.out.tfevents TensorBoard's view of the same
    checkpoints/STEP/   what is needed to go on, see ``checkpoints``
    snapshots/          weights for the time machine, see ``snapshots``
    members/            weights at the ends of cycles, where the recipe keeps them, see ``averages``

One process writes at a time: it holds the lock file, which the system releases when the process dies.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import guiapp
from guiapp.core import paths
from guiapp.core.files import write_atomic
from guiapp.core.notices import SettingError, UserError
from guiapp.training.looks import counting, merge_looks
from guiapp.training.writer_lock import WriterLock

if TYPE_CHECKING:
    from guiapp.training.setup import Setup

FORMAT = 1
_QUIET_SECONDS = 600.0  # without a sign of a process on another machine


class RunFolder:
    """A run folder, opened for reading; ``lock`` makes this process its one writer.

    Attributes:
        path: The folder.
        info: What ``run.json`` holds.
    """

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path = path
        self.info = info
        self._lock = WriterLock(path)

    @classmethod
    def create(cls, path: Path | str | None, setup: Setup, *, exact: bool = False) -> RunFolder:
        """Make the folder of a new run and lock it.

        Args:
            path: Parent of the new folder, None for the default one; with ``exact`` the folder itself, which must be
                new or empty.
            setup: The run.
            exact: See ``path``.

        Raises:
            SettingError: If the exact folder holds something.
            UserError: If it cannot be made.
        """
        where = Path(path).expanduser() if path is not None else paths.runs()
        try:
            if not exact:
                where.mkdir(parents=True, exist_ok=True)
                where = _new_child(where, setup)
            elif where.exists() and (not where.is_dir() or any(where.iterdir())):
                raise SettingError(f"{where} is not empty: give a new folder, or --resume to go on with the run in it")
            where.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"the run folder {where} cannot be made: {error.strerror or error}") from None
        info = {"format": FORMAT, "name": where.name, "state": "new", "created": now(), **setup.as_dict()}
        folder = cls(where, info)
        folder.lock()
        folder.update(versions=versions())
        return folder

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """Open a run folder for reading.

        Raises:
            UserError: If there is none, or it was written by a newer version.
        """
        path = Path(path).expanduser()
        try:
            info = json.loads((path / "run.json").read_text())
        except FileNotFoundError:
            raise UserError(f"{path} is not a run folder: it has no run.json") from None
        except (OSError, ValueError) as error:
            raise UserError(f"run.json in {path} cannot be read: {error}") from None
        if not isinstance(info, dict) or info.get("format", FORMAT + 1) > FORMAT:
            raise UserError(f"the run in {path} was written by a newer version of this program; update it to open it")
        return cls(path, info)

    @property
    def state(self) -> str:
        """``new``, ``running``, ``stopped``, ``done``, ``failed``; ``interrupted`` where its process died."""
        state = str(self.info.get("state", "new"))
        if state == "running" and self.info.get("host", platform.node()) != platform.node():
            # Locks of another machine cannot be seen, and asking for them might keep its process from going on.
            return "running" if time.time() - _changed(self.path) < _QUIET_SECONDS else "interrupted"
        return "interrupted" if state == "running" and not self.is_being_written() else state

    def update(self, **fields: Any) -> None:
        """Change fields of ``run.json``, atomically; looks at the test part that others have counted stay."""
        self.info.update(fields)
        with counting(self.path):
            merge_looks(self.path, self.info)
            write_atomic(self.path / "run.json", json.dumps(self.info, indent=1) + "\n")

    def lock(self) -> None:
        """Become the writer.

        Raises:
            UserError: If another process, or another run of this one, writes here.
        """
        self._lock.acquire(f"another process is writing the run in {self.path}: stop it there first")

    def release(self) -> None:
        """Let others write."""
        self._lock.release()

    def is_being_written(self) -> bool:
        """Whether this or another process is the writer now."""
        return self._lock.is_held()

    def add_line(self, line: Mapping[str, Any]) -> None:
        """Append to ``epochs.jsonl``."""
        with (self.path / "epochs.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """All whole lines of ``epochs.jsonl``; a torn last one is left out."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for text in (self.path / "epochs.jsonl").read_text().splitlines():
                with contextlib.suppress(ValueError):
                    found.append(json.loads(text))
        return found

    def epochs(self) -> list[dict[str, Any]]:
        """The lines of epochs."""
        return [line for line in self.lines() if "epoch" in line]

    def changes(self) -> list[dict[str, Any]]:
        """The lines of changes made by hand."""
        return [line for line in self.lines() if "what" in line]

    def cut(self, epoch: int) -> None:
        """Take back the epochs after ``epoch``; changes made by hand stay, to be replayed."""
        kept = [line for line in self.lines() if "what" in line or line["epoch"] <= epoch]
        write_atomic(self.path / "epochs.jsonl", "".join(json.dumps(line) + "\n" for line in kept))


def list_runs(parent: Path | None = None) -> Iterator[RunFolder]:
    """The runs below a folder, newest first; what cannot be read is left out."""
    where = parent or paths.runs()
    folders = sorted(where.glob("*/run.json"), key=lambda p: p.stat().st_mtime, reverse=True) if where.is_dir() else []
    for path in folders:
        with contextlib.suppress(UserError):
            yield RunFolder.open(path.parent)


def now() -> str:
    """The time as ISO 8601 with seconds and zone."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def writer() -> dict[str, Any]:
    """Which process writes a run, so that one who reads it elsewhere need not ask for the lock."""
    return {"host": platform.node(), "pid": os.getpid()}


def versions() -> dict[str, str]:
    """Versions of what decides the numbers of a run."""
    import numpy as np
    import torch

    return {
        "guiapp": guiapp.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def _changed(folder: Path) -> float:
    """When a run was last written to, in seconds as ``time.time`` counts them; 0 where nothing is there."""
    times = [0.0]
    for name in ("run.json", "epochs.jsonl", "steps/loss.f32"):
        with contextlib.suppress(OSError):
            times.append((folder / name).stat().st_mtime)
    return max(times)


def _new_child(parent: Path, setup: Setup) -> Path:
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    dataset = Path(setup.dataset_name).name
    name = re.sub(r"[^\w.-]+", "-", f"{stamp}-{setup.experiment.id}-{dataset}")
    for number in range(1, 10_000):
        path = parent / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise UserError(f"{parent} holds too many runs named {name}: delete some")
