"""Carries a search out: one run after another, each an ordinary one, stoppable at any step and resumable after a kill.

Nothing is kept but what stands in the folder: what is to be done next follows from the plan and from the figures of the
runs so far, so a search that was killed goes on with the run in which it was, at that run's last checkpoint.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from guiapp.catalogue.entry import Experiment
from guiapp.core.notices import UserError
from guiapp.training.budget import parse_budget
from guiapp.training.evaluation import finish
from guiapp.training.events import EpochEnd
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Diverged, Runner
from guiapp.training.search_plan import settings_of
from guiapp.training.search_record import SearchFolder, Trial
from guiapp.training.setup import from_run, prepare

_TRIAL_ERRORS = (UserError, RuntimeError, ValueError)
"""What settings that do not go together raise; that run failed, and the search goes on with the next one."""
_LOOK_SECONDS = 0.25
"""How often the folder is looked at for the wish to stop."""
_SAVE_SECONDS = 5.0
"""How often what was spent is written down within an epoch."""


@dataclass(frozen=True)
class Progress:
    """Where the search is, yielded after every step of a run.

    Attributes:
        trial: The run.
        epoch: Whether an epoch of it has just ended.
        ended: Whether it has just ended, or reached its rung.
    """

    trial: Trial
    epoch: bool = False
    ended: bool = False


class Search:
    """A search on the thread that asks for its events.

    Attributes:
        folder: Its folder, locked by this search from ``events`` on.
    """

    def __init__(self, experiment: Experiment, folder: SearchFolder) -> None:
        self.folder = folder
        self._experiment = experiment
        self._budget = parse_budget(folder.plan.budget)
        self._since = self._looked = self._saved = time.monotonic()
        self._before = folder.seconds
        self._stop = False

    def stop(self) -> None:
        """End after the current step; the search can be resumed."""
        self._stop = True

    def events(self) -> Generator[Progress, None, str]:
        """Search to the end, yielding after every step.

        Closing the generator leaves a folder from which the search can go on.

        Returns:
            How it ended: ``"done"``, ``"stopped"`` or ``"spent"``.

        Raises:
            UserError: If another process goes on with this search, or the disk is full.
        """
        folder = self.folder
        folder.lock()
        (folder.path / "stop").unlink(missing_ok=True)
        self._since = self._saved = time.monotonic()
        self._before = folder.seconds
        state, reason = "stopped", ""
        try:
            folder.save("running")
            state = yield from self._search()
            reason = f"the budget of {folder.plan.budget} is spent" if state == "spent" else ""
        except UserError as error:
            reason = str(error)
            raise
        finally:
            self._count()
            with contextlib.suppress(OSError):  # a full disk: the last whole file stays
                folder.save(state, reason)
            (folder.path / "stop").unlink(missing_ok=True)
            folder.release()
        return state

    def _search(self) -> Generator[Progress, None, str]:
        plan = self.folder.plan
        for place, epochs in enumerate(plan.rungs):
            last = place == len(plan.rungs) - 1
            for configuration in self.folder.alive(place):
                for repeat in range(len(plan.repeats)):
                    ended = yield from self._advance(configuration, repeat, None if last else epochs)
                    if ended:
                        return ended
        return "done"

    def _advance(self, configuration: int, repeat: int, until: int | None) -> Generator[Progress, None, str]:
        """Train one run up to a rung, or to its end; returns why the search ends here, or nothing."""
        folder = self.folder
        trial = folder.trial(configuration, repeat)
        rung = str(until if until is not None else folder.plan.rungs[-1])
        if trial is not None and trial.state == "done" and trial.figures is not None:
            trial.rungs.setdefault(rung, trial.figures)  # it ended by itself before this rung
        if trial is not None and (trial.state == "failed" or rung in trial.rungs):
            return ""
        if self._wants_end() or (trial is None and not self._budget.allows(len(folder.trials))):
            return "stopped" if self._stop else "spent"
        if trial is None:
            trial = Trial(len(folder.trials) + 1, configuration, repeat)
            folder.trials.append(trial)
        trial.state = "running"
        folder.save()
        try:
            runner = self._runner(trial)
        except _TRIAL_ERRORS as error:
            return self._give_up(trial, error)
        return (yield from self._train(trial, runner, until, rung))

    def _train(self, trial: Trial, runner: Runner, until: int | None, rung: str) -> Generator[Progress, None, str]:
        ended = ""
        events = runner.events()
        try:
            for event in events:
                if isinstance(event, EpochEnd):
                    self.folder.epochs += max(event.epoch - trial.epochs, 0)  # not again what a kill has undone
                    trial.epochs = event.epoch
                    trial.seconds = runner.seconds
                    self._note(trial, runner)
                    if until is not None and event.epoch >= until:
                        runner.stop()
                    self._count()
                    self.folder.save()
                yield Progress(trial, epoch=isinstance(event, EpochEnd))
                if not ended and self._wants_end() and not (until is None and runner.at_end):
                    ended = "stopped" if self._stop else "spent"
                    runner.stop()
        except (Diverged, RuntimeError, ValueError) as error:
            return self._give_up(trial, error)
        finally:
            events.close()
            if runner.at_end:
                runner.finish(test=False)
            runner.close()
        trial.epochs, trial.seconds = runner.trainer.epoch, runner.seconds
        trial.state = "done" if runner.at_end else "stopped"
        if runner.at_end or (until is not None and runner.trainer.epoch >= until):
            self._note(trial, runner, rung)
        self._count()
        self.folder.save()
        yield Progress(trial, ended=True)
        return ended

    def _runner(self, trial: Trial) -> Runner:
        """The run of a trial, begun anew or where its last checkpoint is."""
        path = self.folder.path / trial.folder
        settings = settings_of(self.folder.plan, trial.configuration, trial.repeat)
        if (path / "run.json").is_file():
            return Runner(from_run(path), RunFolder.open(path), resume=True)
        with contextlib.suppress(OSError):  # an empty folder of a process that was killed
            path.rmdir()
        setup = prepare(self._experiment, settings)
        made = RunFolder.create(path, setup, exact=True)
        made.update(
            name=f"{self._experiment.id} {trial.number}",
            search={"folder": str(self.folder.path), "configuration": trial.configuration, "repeat": trial.repeat},
        )
        return Runner(setup, made)

    def _note(self, trial: Trial, runner: Runner, rung: str | None = None) -> None:
        """Write down the figures at a rung: those of the weights that the run would keep."""
        at = rung or str(runner.trainer.epoch)
        if rung is None and int(at) not in self.folder.plan.rungs[:-1]:
            return
        keep_best = runner.setup.recipe.keep == "best" and runner.best is not None
        last: dict[str, Any] = runner.epochs[-1]["validation"]
        best = runner.best
        trial.rungs[at] = (best.accuracy, best.loss) if keep_best and best else (last["accuracy"], last["loss"])

    def _give_up(self, trial: Trial, error: Exception) -> str:
        """A run that cannot be is noted; the search goes on without it."""
        trial.state, trial.error = "failed", " ".join(str(error).split()) or type(error).__name__
        self._count()
        self.folder.save()
        return ""

    def _wants_end(self) -> bool:
        """Whether somebody asked to stop, or the budget is spent."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._stop = self._stop or (self.folder.path / "stop").exists()
            self._count()
        if now - self._saved >= _SAVE_SECONDS:
            self._saved = now
            self.folder.save()
        return self._stop or self._budget.spent(self.folder.seconds, self.folder.epochs)

    def _count(self) -> None:
        self.folder.seconds = self._before + time.monotonic() - self._since


def carry_out(experiment: Experiment, folder: SearchFolder) -> str:
    """Search to the end in one call; see ``Search.events``."""
    return finish(Search(experiment, folder).events())
