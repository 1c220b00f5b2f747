"""The experiment that is open on the learn lane: its record, its twin, its run and what is told of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from guiapp.core.notices import UserError
from guiapp.engine.state import EngineState, Opened
from guiapp.engine.twin import Tensors, Twin, tensors_of

if TYPE_CHECKING:
    import torch

    from guiapp.training.runner import Runner
    from guiapp.training.setup import Setup
    from guiapp.training.watched import WatchedRun

T = TypeVar("T")
Copied = tuple["Setup", Opened, Twin, int, Tensors | None]


class Rate:
    """Steps a second over about the last second."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def update(self, step: int) -> float:
        """Take that ``step`` is reached now and return the rate; 0 before the second call."""
        now = time.perf_counter()
        self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[0][0] > 1.0:
            self._marks.popleft()
        (first, begin), (last, end) = self._marks[0], self._marks[-1]
        return (end - begin) / (last - first) if last > first else 0.0


@dataclass
class Session:
    """The open experiment; used on the learn lane's thread alone.

    Attributes:
        setup: What is trained.
        opened: What the rest is told of it.
        twin: Its inspection twin.
        runner: The run, once started or opened from a folder.
        events: The run's generator, while it can go on.
        estimating: The estimate of a run, while it is made.
        lent: A second twin that the live lane looks at.
        watched: The run, in the place of ``runner`` too, where another process writes it.
        rate: How fast the run goes.
    """

    setup: Setup
    opened: Opened
    twin: Twin
    runner: Runner | None = None
    events: Generator[Any, None, None] | None = None
    estimating: Generator[Any, None, Any] | None = field(default=None)
    lent: Twin | None = None
    watched: WatchedRun | None = None
    rate: Rate = field(default_factory=Rate)

    @property
    def steerable(self) -> Runner | None:
        """The run while it can go on, or None."""
        return None if self.events is None else self.runner

    def offer(self) -> None:
        """Give the twin the newest weights of the run."""
        assert self.runner is not None
        self.twin.offer(self.runner.model, self.runner.trainer.step)

    def lend(self) -> tuple[Setup, Twin]:
        """A twin for another lane, which newer weights go on coming to."""
        self.lent = self.twin.copied()
        self.lend_newest(all_of_them=True)
        return self.setup, self.lent

    def lend_newest(self, all_of_them: bool = False) -> None:
        """Give the live lane newer weights if it has taken the last ones, or in any case."""
        if self.lent is not None and self.runner is not None and (all_of_them or not self.lent.pending):
            self.lent.offer(self.runner.model, self.runner.trainer.step)

    def copied(self) -> Copied:
        """Setup, record, a copy of the network with the newest weights, their step, and the average in their place."""
        twin, average = self.twin.copied(), None
        if self.runner is not None:
            trainer = self.runner.trainer
            twin.offer(self.runner.model, trainer.step)
            evaluated = getattr(trainer, "evaluated", self.runner.model)  # a run that is watched has no trainer
            if evaluated is not self.runner.model:
                average = {name: one.detach().clone() for name, one in tensors_of(evaluated).items()}
        return self.setup, self.opened, twin, twin.live(), average

    def kept(self) -> Path | None:
        """Write a checkpoint of the run as it stands now; its folder, or None where there is no run."""
        if self.runner is None:
            return None
        self.runner.keep()
        return self.runner.folder.path

    def handed_over(self, runs: Path) -> Path:
        """Folder of the run for another process to go on with; a new one below ``runs`` where none can go on."""
        from guiapp.training.run_folder import RunFolder

        if self.steerable is not None:
            return self.steerable.folder.path
        made = RunFolder.create(runs, self.setup)
        made.release()
        return made.path

    def read_on(self) -> tuple[bool, bool]:
        """Read what the writer of a watched run has added.

        Returns:
            Whether there is anything new, and whether there are newer weights, which the twins then have.

        Raises:
            OSError, UserError: If the folder cannot be read now.
        """
        watched = self.watched
        assert watched is not None
        news = watched.refresh()
        newer = watched.newest_weights()
        if newer:
            assert watched.model is not None
            self.twin.offer(watched.model, watched.shown)
            self.lend_newest(all_of_them=True)
        return news, newer

    def figures(self, state: EngineState) -> EngineState:
        """``state`` with the figures of the run, where there is one."""
        from guiapp.models import MODELS

        runner = self.runner
        if runner is None:
            return state
        recipe, trainer = self.setup.recipe, runner.trainer
        state = replace(
            state,
            step=trainer.step,
            total_steps=trainer.total_steps,
            epoch=min(trainer.step // max(trainer.steps_per_epoch, 1), recipe.epochs),
            epochs=recipe.epochs,
            learning_rate=trainer.learning_rate,
            columns=runner.columns,
            epoch_rows=tuple(runner.epochs),
            events=tuple(runner.hand_changes),
            snapshot_steps=tuple(runner.snapshots.steps()),
            run=runner.folder.path,
            initial_loss=runner.initial_loss,
            threads=runner.threads,
        )
        if self.watched is not None:
            ours = self.opened.model.name in MODELS
            state = replace(state, epoch=trainer.epoch, epochs=state.epochs if ours else 0)
        if state.phase == "running":
            rate = self.rate.update(state.step)
            known = state.total_steps >= state.step  # of a script of a person's own it may not be
            left = (state.total_steps - state.step) / rate if rate > 0 and known else None
            state = replace(state, steps_per_second=rate, seconds_left=left)
        return state


def opened_session(
    setup: Setup, model: torch.nn.Module, pretrained: bool, runner: Runner | WatchedRun | None
) -> Session:
    """The session of an experiment whose network is moved to its device.

    Args:
        setup: What is trained.
        model: The network, of ``runner`` where there is one.
        pretrained: Whether its first weights come from a file.
        runner: The run that is opened with it; without one a run is estimated.
    """
    from guiapp.engine.watching import layers_of, runs
    from guiapp.training.devices import choose
    from guiapp.training.estimate import estimate
    from guiapp.training.watched import WatchedRun

    device = choose(setup.recipe.device)
    model.to(device)
    opened = Opened(
        setup.entry,
        setup.model_options,
        setup.preprocessing,
        setup.task.labels,
        layers_of(setup, model),
        sum(p.numel() for p in model.parameters() if p.requires_grad),
        str(device.type),
        setup.experiment,
        setup.recipe,
        setup.dataset,
        pretrained,
        setup.settings,
        runs(setup),
    )
    session = Session(
        setup, opened, Twin(model, runner.trainer.step if runner is not None else 0), cast("Runner | None", runner)
    )
    if runner is None:
        session.estimating = estimate(setup, device)
    elif isinstance(runner, WatchedRun):
        session.watched = runner
    elif not runner.at_end:
        session.events = runner.events()
    return session


def there(given: T | None) -> T:
    """What belongs to the open experiment.

    Raises:
        UserError: If it is None, since none is open.
    """
    if given is None:
        raise UserError("no experiment is open: choose one in the catalogue")
    return given
