"""The engine: four lanes behind calls that return at once. No Qt."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from guiapp.core import paths
from guiapp.core.notices import NoticeBoard
from guiapp.core.picture import Picture
from guiapp.engine.job import Job, Step, WorkLane
from guiapp.engine.learn import LearnLane
from guiapp.engine.live import LiveLane
from guiapp.engine.look import LookLane
from guiapp.engine.slot import Slot
from guiapp.engine.state import EngineState, LookResult, Opened, Request
from guiapp.engine.study import Study

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from guiapp.models.zoo.open import OpenedModel

R = TypeVar("R")


class Engine:
    """Learn, look, live and work lanes. Every method may be called from any thread and returns at once.

    No thread starts and torch is not imported before there is something to do.

    Attributes:
        notices: Where failures are told.
        state: Slot of the newest ``EngineState``.
        looked: Slot of the newest ``LookResult``.
        live: The lane for published networks on cameras, videos and pictures.
    """

    def __init__(self, notices: NoticeBoard | None = None, runs: Path | None = None, look_rate: float = 10.0) -> None:
        # The default of 5 ms lets the painting window hold up the trainer for that long at each of its calls.
        sys.setswitchinterval(5e-4)
        self.notices = notices or NoticeBoard()
        self._look = LookLane(self.notices, look_rate)
        self._learn = LearnLane(self.notices, self._look, runs or paths.runs())
        self._work = WorkLane()
        self.live = LiveLane(self.notices, functools.partial(_open_any, self._learn))
        self.state: Slot[EngineState] = self._learn.state
        self.looked: Slot[LookResult] = self._look.results

    @property
    def newest_state(self) -> EngineState:
        """The state that was published last."""
        return self._learn.newest

    @property
    def look_rate(self) -> float:
        """Most looks a second while a network trains."""
        return self._look.rate

    # ------------------------------------------------------------------ opening and training

    def open_experiment(self, name: str, settings: Mapping[str, Any] | None = None) -> None:
        """Open a catalogue entry; ``settings`` are dotted fields as for ``--set``."""
        self._learn.command("opening", lambda: self._learn.open_experiment(name, settings or {}))

    def open_run(self, folder: Path) -> None:
        """Open a run folder, to look at it or to go on."""
        self._learn.command("opening the run", lambda: self._learn.open_run(folder))

    def configure(self, changes: Mapping[str, Any], of: str | None = None) -> None:
        """Change dotted settings of the open experiment, if that has the id ``of``; the network starts afresh."""
        self._learn.command("settings", lambda: self._learn.configure(changes, of))

    def start(self, until: int | None = None) -> None:
        """Start a run, or go on with a paused one; stand still again when ``until`` steps are done."""
        self._learn.command("start", lambda: self._learn.start("" if until is None else until))

    resume = start

    def pause(self) -> None:
        """Stand still after the current step."""
        self._learn.command("pause", self._learn.pause)

    def step(self) -> None:
        """Train one step, then stand still."""
        self._learn.command("start", lambda: self._learn.start("step"))

    def epoch(self) -> None:
        """Train to the end of the epoch, then stand still."""
        self._learn.command("start", lambda: self._learn.start("epoch"))

    def stop(self) -> None:
        """End the run and keep it."""
        self._learn.command("stop", self._learn.stop)

    def go_on_apart(self) -> None:
        """Let a process of its own go on with the run, or begin it; it goes on when the window is closed."""
        self._learn.command("start", self._learn.go_on_apart)

    def reset(self) -> None:
        """Fresh weights; the next start is a new run."""
        self._learn.command("reset", self._learn.reset)

    def set_learning_rate(self, value: float) -> None:
        """Use another learning rate from the next step on."""
        self._learn.command("learning rate", lambda: self._learn.set_learning_rate(value))

    def set_temperature(self, value: float) -> None:
        """Use another temperature of the teacher from the next step on."""
        self._learn.command("temperature", lambda: self._learn.set_temperature(value))

    # ------------------------------------------------------------------ looking

    def set_picture(self, picture: Picture | None) -> None:
        """Look at another picture."""
        self._look.ask(picture=picture)

    def set_requests(
        self, requests: Mapping[str, Request], watching: bool | None = None, asked_of: Opened | None = None
    ) -> None:
        """Say what the visible panels want to know.

        Args:
            requests: By panel.
            watching: Whether anything shows the network at all; by default, whether there are requests.
            asked_of: The experiment that the panels knew when they asked; requests to another one are dropped.
        """
        watching = bool(requests) if watching is None else watching
        self._look.ask(requests=dict(requests), watching=watching, asked_of=asked_of)

    def set_switched_off(self, channels: Mapping[str, Collection[int]]) -> None:
        """Set channels to zero, or multiply them by what they map to, in the network that is looked at alone."""
        self._look.ask(switched_off=dict(channels))

    def set_step(self, step: int | None) -> None:
        """Look at the weights of an earlier step; None follows the newest."""
        self._look.ask(step=step)

    def predict_many(
        self, images: npt.NDArray[np.uint8], title: str = "predictions", asked_of: Opened | None = None
    ) -> Job[npt.NDArray[np.float32]]:
        """Class probabilities (N, C) of uint8 pictures (N, H, W, C) with the weights that are looked at.

        None, (0, 0), where another network than ``asked_of`` is open by then.
        """
        return self._look.predict_many(images, title, asked_of)

    # ------------------------------------------------------------------ other work

    def submit(
        self,
        work: Callable[[], Generator[Step, None, R]],
        on_done: Callable[[R], None] | None = None,
        on_error: Callable[[BaseException], None] | None = None,
        title: str = "",
    ) -> Job[R]:
        """Run a generator function on the work lane; the callbacks are called on its thread."""
        job = Job(work(), title)

        def ended(done: Job[R]) -> None:
            if done.state == "done" and on_done is not None:
                on_done(done.result)  # type: ignore[arg-type]
            elif done.error is not None:
                done.told = True
                if on_error is not None:
                    on_error(done.error)
                else:
                    self.notices.post("error", f"{title or 'background work'} failed: {done.error}")

        job.on_end(ended)
        self._work.submit(job)
        return job

    def study(
        self,
        work: Callable[[Study], Generator[Step, None, R]],
        of: Literal["experiment", "live"] = "experiment",
        title: str = "",
    ) -> Job[R]:
        """Run ``work(study)`` on the work lane, with a network of its own.

        Args:
            work: Generator function of one ``Study``; it may set hooks and flags, never change weights in place.
            of: The open experiment's network, newest weights or those of the moment gone back to; or that of the
                live room.
            title: What a person reads.

        Returns:
            The job. It fails with a ``UserError`` where no network is open.
        """

        def lent() -> Generator[Step, None, R]:
            yield 0.0, "copying the network"
            study = (yield from self.live.study()) if of == "live" else self._study()
            return (yield from work(study))

        job = Job(lent(), title)
        self._work.submit(job)
        return job

    def _study(self) -> Study:
        from guiapp.engine.open_trained import open_open

        setup, opened, twin, step, average = self._learn.copy()
        earlier = self._look.earlier(opened)
        if earlier is not None:
            (step, weights), average = earlier, None
            twin.at(weights)
        model = replace(open_open(setup, twin), twin=None)
        return Study(opened, model, step, self._look.picture, opened.dataset, average)

    def keep_run(self) -> Path | None:
        """Write a checkpoint of the open run as it stands now; its folder, or None. Waits: for the work lane."""
        return self._learn.keep()

    @property
    def jobs(self) -> list[Job[Any]]:
        """What the work lane does and what waits there."""
        return self._work.jobs

    def shutdown(self, timeout: float = 5.0) -> None:
        """Ask every lane to stop and wait for it; an unfinished run can be resumed."""
        self._work.close(timeout)
        self.live.close(timeout)
        self._look.close(timeout)
        self._learn.close(timeout)


def _open_any(learn: LearnLane, name: str, weights: str | Path, device: str, progress: Any) -> OpenedModel:
    """What opens networks for the live lane; the open experiment's is lent by the learn lane."""
    from guiapp.engine.open_any import open_any

    return open_any(name, weights, device, progress, learn.lend)
