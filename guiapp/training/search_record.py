"""What is known of a search, as its folder holds it: plan, runs so far, what was spent. Readable without torch.

search.json     the plan and every run with its figures, written anew after each change
runs/0001/      an ordinary run folder for each run
log.txt         what the process of the search said, where the window began it
stop            while it is there, the search is asked to stop; the process takes it away
"""

from __future__ import annotations

import datetime
import json
import math
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from guiapp.core import paths
from guiapp.core.files import write_atomic
from guiapp.core.notices import SettingError, UserError
from guiapp.training.search_space import Axis, Value, around
from guiapp.training.writer_lock import WriterLock

FORMAT = 1
REPEATS = ("seed", "data.fold", "data.draw")
"""Settings in which repetitions of one configuration differ."""


@dataclass(frozen=True)
class Plan:
    """What a search is to do; fixed when it begins.

    Attributes:
        experiment: Id of the catalogue entry.
        settings: Settings of every run.
        fixed: Axes of a grid.
        varied: Axes that are drawn at random.
        draws: Random draws for each point of the grid.
        chance: Seed of the draws.
        configurations: What is tried, in order: settings by name.
        repeats: Settings of each repetition of a configuration: folds, seeds, draws; one empty mapping for none.
        rungs: Epochs at which configurations are compared, ascending; the last is the full length of a run.
        keep: Of how many configurations one goes on to the next rung; 1 where there is one rung.
        budget: As typed, see ``budget.parse_budget``.
        around: Folder of the search that this one refines, or empty.
    """

    experiment: str
    settings: Mapping[str, Any]
    configurations: Sequence[Mapping[str, Value]]
    rungs: Sequence[int]
    fixed: Sequence[Axis] = ()
    varied: Sequence[Axis] = ()
    draws: int = 0
    chance: int = 0
    repeats: Sequence[Mapping[str, Value]] = ({},)
    keep: int = 1
    budget: str = ""
    around: str = ""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Everything that is varied, repetitions left out."""
        return (*self.fixed, *self.varied)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            **asdict(self),
            "fixed": [axis.as_dict() for axis in self.fixed],
            "varied": [axis.as_dict() for axis in self.varied],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The inverse of ``as_dict``."""
        axes = {name: tuple(Axis.from_dict(axis) for axis in data[name]) for name in ("fixed", "varied")}
        return cls(**{**data, **axes})


@dataclass
class Trial:
    """One run of a search.

    Attributes:
        number: From 1 on, in the order in which they were begun; names its folder.
        configuration: Index into the plan's configurations.
        repeat: Index into the plan's repeats.
        state: ``"running"``, ``"stopped"`` (it can go on), ``"done"``, ``"failed"``.
        epochs: Epochs done.
        rungs: Accuracy and loss on the validation part at each rung that it has reached, by its epochs.
        seconds: Time spent training.
        error: Why it failed, or empty.
    """

    number: int
    configuration: int
    repeat: int
    state: str = "running"
    epochs: int = 0
    rungs: dict[str, tuple[float, float]] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    @property
    def folder(self) -> str:
        """Its run folder, below that of the search."""
        return f"runs/{self.number:04d}"

    @property
    def figures(self) -> tuple[float, float] | None:
        """Accuracy and loss at the last rung that it has reached."""
        return self.rungs[max(self.rungs, key=int)] if self.rungs else None


@dataclass(frozen=True)
class Standing:
    """How one configuration does, over its repetitions.

    Attributes:
        configuration: Index into the plan's configurations.
        settings: What it sets.
        epochs: The last rung that all of its repetitions have reached; 0 for none.
        count: Repetitions that have reached it.
        accuracy, loss: Means over them; NaN where ``count`` is 0.
        spread: Standard deviation of the accuracies (n - 1); NaN for fewer than two.
        failed: Repetitions that failed.
    """

    configuration: int
    settings: Mapping[str, Value]
    epochs: int
    count: int
    accuracy: float
    loss: float
    spread: float
    failed: int


class SearchFolder:
    """The folder of a search, opened for reading; ``lock`` makes this process its one writer.

    Attributes:
        path: The folder.
        plan: What it is to do.
        trials: Its runs so far.
        seconds, epochs: Spent so far, all sessions together.
        created: Local time, ISO 8601.
        reason: Why it ended before its plan was done, in one line, or empty.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path, self.plan = path, plan
        self.trials: list[Trial] = []
        self.seconds, self.epochs = 0.0, 0
        self.created = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        self.reason = ""
        self._state = "new"
        self._lock = WriterLock(path)

    @classmethod
    def create(cls, path: Path | None, plan: Plan) -> SearchFolder:
        """Make the folder of a new search: ``path`` itself, which must be new or empty, or one in the default place.

        Raises:
            SettingError: If the folder holds something.
            UserError: If it cannot be made.
        """
        where = path.expanduser().absolute() if path is not None else default_folder(plan.experiment)
        try:
            if where.exists() and (not where.is_dir() or any(f.name != "log.txt" for f in where.iterdir())):
                raise SettingError(f"{where} is not empty: give a new folder, or --resume to go on with a search")
            (where / "runs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"the search folder {where} cannot be made: {error.strerror or error}") from None
        made = cls(where, plan)
        made.lock()
        made.save()
        return made

    @classmethod
    def open(cls, path: Path | str) -> SearchFolder:
        """Open a search for reading.

        Raises:
            UserError: If there is none, or it was written by a newer version.
        """
        path = Path(path).expanduser().absolute()
        try:
            data = json.loads((path / "search.json").read_text())
        except FileNotFoundError:
            raise UserError(f"{path} is not a search: it has no search.json") from None
        except (OSError, ValueError) as error:
            raise UserError(f"search.json in {path} cannot be read: {error}") from None
        if not isinstance(data, dict) or data.get("format", FORMAT + 1) > FORMAT:
            raise UserError(
                f"the search in {path} was written by a newer version of this program; update it to open it"
            )
        made = cls(path, Plan.from_dict(data["plan"]))
        made.trials = [Trial(**{**t, "rungs": {k: tuple(v) for k, v in t["rungs"].items()}}) for t in data["trials"]]
        made.seconds, made.epochs = data["seconds"], data["epochs"]
        made.created, made.reason, made._state = data["created"], data["reason"], data["state"]
        return made

    @property
    def state(self) -> str:
        """``new``, ``running``, ``stopped``, ``spent`` (budget), ``done``; ``interrupted`` where its process died."""
        return "interrupted" if self._state == "running" and not self._lock.is_held() else self._state

    @property
    def resumable(self) -> bool:
        """Whether it can go on."""
        return self.state in ("new", "stopped", "spent", "interrupted")

    def lock(self) -> None:
        """Become the writer.

        Raises:
            UserError: If another process searches here.
        """
        self._lock.acquire(f"another process goes on with the search in {self.path}: stop it there first")

    def release(self) -> None:
        """Let others write."""
        self._lock.release()

    def save(self, state: str | None = None, reason: str = "") -> None:
        """Write what is known, atomically."""
        if state is not None:
            self._state, self.reason = state, reason
        data = {
            "format": FORMAT, "state": self._state, "reason": self.reason, "created": self.created,
            "seconds": self.seconds, "epochs": self.epochs,
            "plan": self.plan.as_dict(), "trials": [asdict(trial) for trial in self.trials],
        }  # fmt: skip
        write_atomic(self.path / "search.json", json.dumps(data, indent=1) + "\n")

    def set_budget(self, text: str) -> None:
        """Go on with another budget."""
        self.plan = replace(self.plan, budget=text)

    def ask_to_stop(self) -> None:
        """Ask the process that searches to stop after its step, from any process that sees the folder."""
        (self.path / "stop").touch()

    def trial(self, configuration: int, repeat: int) -> Trial | None:
        """The run of a configuration and repetition, or None before it was begun."""
        for trial in self.trials:
            if (trial.configuration, trial.repeat) == (configuration, repeat):
                return trial
        return None

    # ------------------------------------------------------------------ figures

    def standing(self, configuration: int, epochs: int | None = None) -> Standing:
        """How a configuration does, at one rung or at the last that its repetitions have reached."""
        mine = [trial for trial in self.trials if trial.configuration == configuration]
        failed = sum(trial.state == "failed" for trial in mine)
        sound = [trial for trial in mine if trial.state != "failed"]
        if epochs is None:
            reached = [max(map(int, trial.rungs)) for trial in sound if trial.rungs]
            epochs = min(reached, default=0)
        found = [trial.rungs[str(epochs)] for trial in sound if str(epochs) in trial.rungs]
        accuracies = [accuracy for accuracy, _ in found]
        return Standing(
            configuration, self.plan.configurations[configuration], epochs if found else 0, len(found),
            statistics.fmean(accuracies) if found else math.nan,
            statistics.fmean(loss for _, loss in found) if found else math.nan,
            statistics.stdev(accuracies) if len(found) > 1 else math.nan, failed,
        )  # fmt: skip

    def ranked(self) -> list[Standing]:
        """Configurations that have figures, best first: those that came furthest, then accuracy, then loss."""
        found = [self.standing(number) for number in range(len(self.plan.configurations))]
        return sorted((s for s in found if s.count), key=lambda s: (-s.epochs, -s.accuracy, s.loss))

    def alive(self, rung: int) -> list[int]:
        """Configurations that take part in a rung: all in the first, then the best of the one before.

        A configuration of which a repetition failed goes no further; neither does one without figures.
        """
        going = list(range(len(self.plan.configurations)))
        for place in range(rung):
            at = [self.standing(number, self.plan.rungs[place]) for number in going]
            whole = [s for s in at if s.count and not s.failed]
            whole.sort(key=lambda s: (-s.accuracy, s.loss, s.configuration))
            going = sorted(s.configuration for s in whole[: max(1, -(-len(going) // self.plan.keep))])
        return going

    @property
    def planned_runs(self) -> int:
        """Runs of the whole plan."""
        return len(self.plan.configurations) * len(self.plan.repeats)

    @property
    def planned_epochs(self) -> int:
        """Epochs of the whole plan, halving considered."""
        total, before, going = 0, 0, len(self.plan.configurations)
        for rung in self.plan.rungs:
            total += going * len(self.plan.repeats) * (rung - before)
            before, going = rung, max(1, -(-going // self.plan.keep))
        return total

    @property
    def share(self) -> float:
        """Share of the planned epochs that is done, 0 to 1."""
        return 1.0 if self._state == "done" else min(self.epochs / max(self.planned_epochs, 1), 1.0)

    def finer(self) -> tuple[list[Axis], list[Axis], dict[str, Value]]:
        """A space about the best configuration: axes of a grid, random axes, and settings that stay at their best.

        Raises:
            UserError: If no configuration has figures yet.
        """
        ranked = self.ranked()
        if not ranked:
            raise UserError(f"no run of the search in {self.path} has figures yet: there is no best to search around")
        best = ranked[0].settings
        made = {axis.name: around(axis, best[axis.name]) for axis in self.plan.axes}
        held = {name: axis.values[0] for name, axis in made.items() if len(axis.values) == 1}
        fixed, varied = (
            [made[a.name] for a in axes if a.name not in held] for axes in (self.plan.fixed, self.plan.varied)
        )
        return fixed, varied, held


def searches() -> Path:
    """Default parent of search folders."""
    return paths.user_data() / "searches"


def default_folder(experiment: str) -> Path:
    """A new folder for a search, not made yet."""
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    name = re.sub(r"[^\w.-]+", "-", f"{stamp}-{experiment}")
    for number in range(1, 10_000):
        path = searches() / (name if number == 1 else f"{name}-{number}")
        if not path.exists():
            return path
    raise UserError(f"{searches()} holds too many searches named {name}: delete some")


def list_searches(parent: Path | None = None) -> Iterator[SearchFolder]:
    """The searches below a folder, newest first; what cannot be read is left out."""
    where = parent or searches()
    found = sorted(where.glob("*/search.json"), key=lambda p: p.parent.name, reverse=True) if where.is_dir() else []
    for file in found:
        try:
            yield SearchFolder.open(file.parent)
        except UserError:
            continue


def rungs_of(epochs: int, keep: int, least: int) -> list[int]:
    """Epochs at which successive halving compares: ``epochs``, and back from there divided by ``keep``, to ``least``.

    The whole length of a run is reached by the best alone (Jamieson and Talwalkar 2016).
    """
    found = [epochs]
    while keep > 1 and found[0] // keep >= max(least, 1):
        found.insert(0, found[0] // keep)
    return found
