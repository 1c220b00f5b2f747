"""A run folder that another process writes, read as it grows: figures, epochs, snapshots. No lock is taken.

Only sizes and times of files are asked, a few times a second, so that it works over a network file system as well.
"""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import UserError
from guiapp.training.columns import Columns
from guiapp.training.run_folder import RunFolder, writer
from guiapp.training.snapshots import SnapshotStore
from guiapp.training.step_figures import COLUMNS

if TYPE_CHECKING:
    import torch

_QUIET = 120.0  # seconds without news after which a writer on another machine is no longer taken for granted


@dataclass
class Place:
    """Where a run stands, as a trainer says it.

    Attributes:
        step: Steps done.
        total_steps: Steps of the whole run, 0 where unknown.
        epoch: Epochs done.
        steps_per_epoch: Steps of one pass, as far as known.
        learning_rate: Of the last step.
    """

    step: int = 0
    total_steps: int = 0
    epoch: int = 0
    steps_per_epoch: int = 0
    learning_rate: float = 0.0


def written_elsewhere(info: Mapping[str, Any]) -> bool:
    """Whether another process may be writing the run with this ``run.json``, found without asking for the lock.

    On another machine that cannot be known: such a run is watched until its writer says that it has ended.
    """
    if info.get("state") != "running":
        return False
    here = writer()
    if "host" not in info or info["host"] != here["host"]:
        return "host" in info
    import psutil

    return int(info["pid"]) != here["pid"] and bool(psutil.pid_exists(int(info["pid"])))


def always_watched(info: Mapping[str, Any]) -> bool:
    """Whether a run is of a loop that is not this program's: nothing here can go on with it."""
    return "watch" in info


def is_watched(info: Mapping[str, Any]) -> bool:
    """Whether the run is opened to look on, not to go on with."""
    return always_watched(info) or written_elsewhere(info)


@dataclass
class WatchedRun:
    """A run folder as its reader sees it; ``refresh`` reads what is new.

    Attributes:
        folder: The folder.
        model: A network that takes the weights of the newest snapshot, or None where there is none.
        columns, epochs, hand_changes, snapshots, initial_loss, threads: As of a ``Runner``.
        trainer: Where it stands.
        shown: Step of the weights in ``model``; -1 before any.
        child: The process that was begun here to go on with it, or None.
        at_end: True: a run that is watched is never gone on with from here.
    """

    folder: RunFolder
    model: torch.nn.Module | None
    trainer: Place = field(default_factory=Place)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    hand_changes: list[dict[str, Any]] = field(default_factory=list)
    initial_loss: float | None = None
    threads: int = 1
    shown: int = -1
    at_end: bool = True
    child: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.columns = Columns(COLUMNS, self.folder.path / "steps", read_only=True)
        self.snapshots = SnapshotStore(self.folder.path / "snapshots")
        self._stamps: dict[str, tuple[int, int]] = {}
        self._news_at = time.monotonic()
        self.refresh()

    @property
    def growing(self) -> bool:
        """Whether its writer has not said that it has ended."""
        return written_elsewhere(self.folder.info)

    @property
    def begins(self) -> bool:
        """Whether the process that was begun here is still on its way."""
        return self.child is not None and self.child.poll() is None and not self.growing

    @property
    def words(self) -> str:
        """Who writes it, for a person."""
        info = self.folder.info
        if not self.growing:
            if self.begins:
                return "watched: a process of its own begins"
            state = info.get("state")
            ended = "has been killed" if state == "running" else "has ended" if state == "done" else str(state)
            return f"watched: {ended}" + ("" if always_watched(info) or state == "done" else ", open it to go on")
        where = "another process" if info.get("host") == writer()["host"] else str(info.get("host"))
        quiet = time.monotonic() - self._news_at
        return f"watched: {where} writes it" + (f", no news for {quiet / 60:.0f} min" if quiet > _QUIET else "")

    def refresh(self) -> bool:
        """Read what has been added; whether anything was."""
        before = len(self.columns)
        self.columns.refresh()
        news = len(self.columns) != before
        path = self.folder.path
        if self._changed(path / "run.json"):
            try:
                self.folder = RunFolder.open(path)
                news = True
            except UserError:  # seen in the middle of being replaced, as some network file systems allow
                self._stamps.pop("run.json", None)
        if self._changed(path / "epochs.jsonl"):
            self.epochs, self.hand_changes = self.folder.epochs(), self.folder.changes()
            news = True
        if self._changed(path / "snapshots"):
            self.snapshots.refresh()
            news = True
        if news:
            self._news_at = time.monotonic()
            self._stand()
        return news

    def newest_weights(self) -> bool:
        """Load the newest snapshot into ``model``; whether there was a newer one."""
        steps = self.snapshots.steps()
        if self.model is None or not steps or steps[-1] == self.shown:
            return False
        self.model.load_state_dict(self.snapshots.load(steps[-1]))
        self.shown = steps[-1]
        return True

    def _stand(self) -> None:
        info, place = self.folder.info, self.trainer
        place.step = len(self.columns)
        place.epoch = len(self.epochs)
        last = self.columns.view("lr")
        place.learning_rate = float(last[-1]) if len(last) and math.isfinite(last[-1]) else 0.0
        self.initial_loss = info.get("initial_loss")
        if self.epochs:
            place.steps_per_epoch = max(self.epochs[0]["step"] // max(self.epochs[0]["epoch"], 1), 1)
        planned = (info.get("recipe") or {}).get("epochs", 0)
        said = (info.get("watch") or {}).get("total_steps", 0)
        place.total_steps = said or planned * place.steps_per_epoch
        if always_watched(info) and not self.growing:
            place.total_steps = place.step

    def _changed(self, path: Path) -> bool:
        """Whether size or time of a file or folder differ from when this was last asked."""
        try:
            about = path.stat()
        except OSError:
            return False
        stamp = about.st_mtime_ns, about.st_size
        known = self._stamps.get(path.name)
        self._stamps[path.name] = stamp
        return known != stamp

    # What a lane asks of a run that it trains; there is nothing to do for one that another process trains.

    def drain(self) -> None:
        """Nothing."""

    def keep(self) -> None:
        """Nothing: its writer keeps it."""

    def close(self) -> None:
        """Let go of the files."""
        self.columns.close()
