"""The learn lane: opens experiments, advances one training run, and offers its weights to the twin."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from guiapp.core.memory import give_back
from guiapp.core.notices import NoticeBoard, UserError
from guiapp.core.openmp import dismiss_helpers
from guiapp.engine.look import LookLane, Subject
from guiapp.engine.preload import preload_torch
from guiapp.engine.slot import Slot
from guiapp.engine.state import EngineState, Opened, Phase
from guiapp.engine.twin import Tensors, Twin, tensors_of

if TYPE_CHECKING:
    import subprocess

    import torch

    from guiapp.training.runner import Runner
    from guiapp.training.setup import Setup
    from guiapp.training.watched import WatchedRun

log = logging.getLogger(__name__)
_DISPLAY_SECONDS = 0.1
WATCH_SECONDS = 0.5
"""Between two looks into the folder of a run that another process writes."""


T = TypeVar("T")


@dataclass
class _Session:
    """The open experiment on the learn lane.

    Attributes:
        setup: What is trained.
        opened: What the rest is told of it.
        twin: Its inspection twin.
        runner: The run, once started or opened from a folder.
        events: The run's generator, while it can go on.
        estimating: The estimate of a run, while it is made.
        lent: A second twin that the live lane looks at.
        watched: The run, in the place of ``runner`` too, where another process writes it.
    """

    setup: Setup
    opened: Opened
    twin: Twin
    runner: Runner | None = None
    events: Generator[Any, None, None] | None = None
    estimating: Generator[Any, None, Any] | None = field(default=None)
    lent: Twin | None = None
    watched: WatchedRun | None = None

    def lend_newest(self, all_of_them: bool = False) -> None:
        """Give the live lane newer weights if it has taken the last ones, or in any case."""
        if self.lent is not None and self.runner is not None and (all_of_them or not self.lent.pending):
            self.lent.offer(self.runner.model, self.runner.trainer.step)


class LearnLane:
    """One thread that carries out commands in their order and, between them, advances the run.

    Attributes:
        state: Slot of the newest state.
        newest: The newest state that was published.
        runs: Parent folder of new runs.
    """

    def __init__(self, notices: NoticeBoard, look: LookLane, runs: Path) -> None:
        self.state: Slot[EngineState] = Slot()
        self.newest = EngineState()
        self.runs = runs
        self._notices = notices
        self._look = look
        self._commands: deque[tuple[str, Callable[[], None]]] = deque()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._session: _Session | None = None
        self._until: str | int = ""  # "step", "epoch": pause after the next one; a number: after that step
        self._next_display = 0.0
        self._rate = _Rate()

    # ------------------------------------------------------------------ from any thread

    def command(self, name: str, work: Callable[[], None]) -> None:
        """Queue a command; commands run in their order, between two steps of a run."""
        with self._condition:
            if self._closed:
                return
            self._commands.append((name, work))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="learn", daemon=True)
                self._thread.start()
            self._condition.notify()

    def lend(self, timeout: float = 20.0) -> tuple[Setup, Twin]:
        """Setup of the open experiment, and a twin of its own for another lane, which newer weights go on coming to.

        Waits for the lane, which hands it out between two steps: not to be called on the window's thread.

        Raises:
            UserError: If no experiment is open, or the lane is busy with something long.
        """

        def work() -> tuple[Setup, Twin] | None:
            session = self._session
            if session is None:
                return None
            session.lent = session.twin.copied()
            session.lend_newest(all_of_them=True)
            return session.setup, session.lent

        return _there(self._between_steps("lending the network", work, timeout))

    def copy(self, timeout: float = 20.0) -> tuple[Setup, Opened, Twin, int, Tensors | None]:
        """Setup, record and a copy of the open experiment's network with its newest weights, and their step.

        Last the average of weights that the run validates in the place of its own, copied too, or None.
        Waits for the lane as ``lend`` does, and raises as it does; the copy stays as it is.
        """

        def work() -> tuple[Setup, Opened, Twin, int, Tensors | None] | None:
            session = self._session
            if session is None:
                return None
            twin, average = session.twin.copied(), None
            if session.runner is not None:
                trainer = session.runner.trainer
                twin.offer(session.runner.model, trainer.step)
                if trainer.evaluated is not trainer.model:
                    average = {name: one.detach().clone() for name, one in tensors_of(trainer.evaluated).items()}
            return session.setup, session.opened, twin, twin.live(), average

        return _there(self._between_steps("copying the network", work, timeout))

    def keep(self, timeout: float = 20.0) -> Path | None:
        """Write a checkpoint of the open run as it stands now and return its folder; None where there is no run.

        Waits for the lane as ``lend`` does.

        Raises:
            UserError: If the lane is busy with something long.
        """

        def work() -> Path | None:
            session = self._session
            if session is None or session.runner is None:
                return None
            session.runner.keep()
            return session.runner.folder.path

        return self._between_steps("keeping the run", work, timeout)

    def _between_steps(self, what: str, work: Callable[[], T], timeout: float) -> T:
        """What ``work`` gives on the lane's thread.

        Raises:
            UserError: If it does not come to it in time, or ``work`` fails, which the lane tells.
        """
        given: list[T] = []
        over = threading.Event()

        def done() -> None:
            try:
                given.append(work())
            finally:
                over.set()

        self.command(what, done)
        if not over.wait(timeout):
            raise UserError("the experiment is busy or still being opened: try again in a moment")
        if not given:
            raise UserError(f"{what} failed")
        return given[0]

    def close(self, timeout: float) -> None:
        """Stop at the next step, keep the run resumable, end the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    # ------------------------------------------------------------------ the lane's loop

    def _serve(self) -> None:
        preload_torch()
        while True:
            if not self._something_to_do():
                dismiss_helpers()
            with self._condition:
                self._condition.wait_for(self._something_to_do, None if self._watching is None else WATCH_SECONDS)
                if self._closed:
                    break
            while self._commands:
                name, work = self._commands.popleft()
                self._guarded(name, work)
            if self._watching is not None:
                self._guarded("watching", self._look_again)
            elif self.newest.phase == "running":
                self._guarded("training", self._advance)
            elif self._session is not None and self._session.estimating is not None:
                self._guarded("estimate", self._estimate)
        self._leave()

    def _something_to_do(self) -> bool:
        session = self._session
        return bool(
            self._closed
            or self._commands
            or (self.newest.phase == "running" and self._watching is None)
            or (session is not None and session.estimating is not None)
        )

    @property
    def _watching(self) -> WatchedRun | None:
        return None if self._session is None else self._session.watched

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work``; whatever it raises reaches the person as one notice and leaves the lane alive."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the lane must live on; the person is told
            text = explain(error, name)
            session = self._session
            if session is not None and session.runner is not None and name in ("training", "start"):
                session.events = None
                self._look.busy = False
                session.twin.offer(session.runner.model, session.runner.trainer.step)
                self._look.weights_changed()
            if session is not None:
                session.estimating = None
            self._publish(phase="failed" if session is not None else "empty", activity="", share=None)
            self._notices.post("error", text, traceback.format_exc(), "learn")

    def _advance(self) -> None:
        """Advance the run until a command arrives, it pauses itself, or it ends."""
        from guiapp.training.data import Preparing
        from guiapp.training.events import EpochEnd, Evaluating, StepEnd
        from guiapp.training.runner import Crowded

        session = self._session
        assert session is not None and session.runner is not None and session.events is not None
        events, commands, clock = session.events, self._commands, time.perf_counter
        while not commands and not self._closed:
            event = next(events, None)
            if event is None:
                self._finished(session)
                return
            kind = type(event)
            if kind is StepEnd and self._until in ("step", event.step):
                self._pause()
                return
            if kind is EpochEnd and self._until == "epoch":
                self._pause()
                return
            if kind is Crowded:
                self._notices.post("warning", event.text)
            now = clock()
            if now >= self._next_display:
                doing = {Evaluating: "evaluating", Preparing: "preparing"}.get(kind, "training")
                share = None if doing == "training" else event.done / max(event.total, 1)
                self._next_display = now + self._display(session, doing, share)

    def _display(self, session: _Session, doing: str, share: float | None) -> float:
        """Show the newest weights and figures; return the seconds until the next time."""
        started = time.perf_counter()
        assert session.runner is not None
        if self._look.watching:
            session.twin.offer(session.runner.model, session.runner.trainer.step)
            self._look.weights_changed()
        session.lend_newest()
        self._publish(activity=doing, share=share)
        # Showing takes at most a twentieth of the time, however large the network is.
        return max(_DISPLAY_SECONDS, 20.0 * (time.perf_counter() - started))

    def _finished(self, session: _Session) -> None:
        assert session.runner is not None
        session.runner.finish(test=False)
        session.events = None
        self._rest(session, "finished")

    def _pause(self) -> None:
        assert self._session is not None
        self._until = ""
        self._rest(self._session, "paused")

    def _rest(self, session: _Session, phase: Any) -> None:
        """Stand still: write down what there is, show exactly these weights."""
        assert session.runner is not None
        self._look.busy = False
        session.runner.drain()
        session.twin.offer(session.runner.model, session.runner.trainer.step)
        session.lend_newest(all_of_them=True)
        give_back()  # 2 ms; steps and validation leave 10 to 30 MB of holes
        self._publish(phase=phase, activity="", share=None, seconds_left=None)
        self._look.weights_changed()

    def _leave(self) -> None:
        """Let go of the open run so that it can be resumed."""
        session, self._session = self._session, None
        if session is not None and session.runner is not None:
            try:
                session.runner.close()
            except (OSError, UserError) as error:
                self._notices.post("error", explain(error, "closing the run"), traceback.format_exc())
        self._look.busy = False

    # ------------------------------------------------------------------ commands, on the lane's thread

    def open_experiment(self, name: str, settings: Mapping[str, Any]) -> None:
        """Open a catalogue entry with a fresh network, or the weights that it names."""
        from guiapp.catalogue import EXPERIMENTS
        from guiapp.training.setup import prepare

        experiment = EXPERIMENTS[name]
        self._leave()
        self._publish(EngineState(phase="opening", activity=f"opening {experiment.title}", opened=self.newest.opened))
        setup = prepare(experiment, dict(settings), self._progress)
        for notice in setup.notices:
            self._notices.post("info", notice)
        weights = setup.initial_weights()
        model = setup.build_model()
        if weights is not None:
            model.load_state_dict(dict(weights))
        self._attach(setup, model, weights)

    def open_run(self, folder: Path) -> None:
        """Open a run folder with its curves; a run that was not at its end can go on."""
        from guiapp.training.run_folder import RunFolder
        from guiapp.training.runner import Runner
        from guiapp.training.setup import from_run
        from guiapp.training.watched import is_watched

        self._leave()
        self._publish(EngineState(phase="opening", activity=f"opening {folder.name}", opened=self.newest.opened))
        if is_watched(RunFolder.open(folder).info):
            self._watch(folder)
            return
        setup = from_run(folder, self._progress)
        runner = Runner(setup, RunFolder.open(folder), resume=True)
        self._attach(setup, runner.model, None, runner)

    def _watch(self, folder: Path, child: subprocess.Popen[bytes] | None = None) -> None:
        """Look on while another process writes a run; nothing in its folder is touched."""
        from guiapp.engine.watching import open_watched

        setup, watched = open_watched(folder, self._progress)
        for notice in setup.notices:
            self._notices.post("info", notice)
        assert watched.model is not None
        watched.child = child
        self._attach(setup, watched.model, None, cast("Runner", watched))
        self._look_again()

    def _look_again(self) -> None:
        """Read what the writer of the run has added; show its newest figures and weights."""
        session = self._session
        assert session is not None and session.watched is not None
        watched = session.watched
        try:
            news = watched.refresh()
            if watched.model is not None and watched.newest_weights():
                session.twin.offer(watched.model, watched.shown)
                session.lend_newest(all_of_them=True)
                self._look.weights_changed()
        except (OSError, UserError):  # a file system on a network may be away for a while
            return
        if not session.opened.runs and (watched.folder.info.get("watch") or {}).get("program"):
            self._watch(watched.folder.path)  # its program has come in the meantime
            return
        self._mourn(watched)
        phase: Phase = "running" if watched.growing else "finished"
        if news or phase != self.newest.phase or watched.words != self.newest.watched:
            from guiapp.training.own_process import may_stop

            activity, words = "training" if watched.growing else "", watched.words
            self._publish(phase=phase, activity=activity, watched=words, may_stop=may_stop(watched.folder.info))

    def _mourn(self, watched: WatchedRun) -> None:
        """Say why the process that was begun here has failed, once."""
        from guiapp.training.own_process import LOG, last_line

        if watched.child is not None and watched.child.poll() is not None:
            code, watched.child = watched.child.returncode, None
            if code and watched.folder.info.get("state") != "stopped":
                said = last_line(watched.folder.path / LOG)
                self._notices.post("error", f"the process of {watched.folder.path.name} has ended: {said or code}")

    def _progress(self, share: float, text: str) -> None:
        if self._closed:
            raise UserError("the window was closed")
        now = time.perf_counter()
        if now >= self._next_display:
            self._next_display = now + _DISPLAY_SECONDS
            self._publish(activity=text, share=share)

    def _attach(self, setup: Setup, model: torch.nn.Module, weights: Any, runner: Runner | None = None) -> None:
        from guiapp.engine.watching import layers_of, runs
        from guiapp.training.devices import choose
        from guiapp.training.estimate import estimate
        from guiapp.training.threads import threads_of
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
            weights is not None,
            setup.settings,
            runs(setup),
        )
        step = runner.trainer.step if runner is not None else 0
        session = _Session(setup, opened, Twin(model, step), runner)
        session.watched = runner if isinstance(runner, WatchedRun) else None
        self._session = session
        snapshots = runner.snapshots if runner is not None else None
        # What panels asked of the network before is not asked of this one: they ask anew when they have seen it.
        subject = Subject(opened, session.twin, setup.task, snapshots)
        self._look.ask(subject=subject, requests={}, switched_off={}, step=None)
        phase: Phase = "ready"
        if runner is not None:
            session.events = runner.events() if not runner.at_end else None
            phase = "paused" if session.events is not None else "finished"
        else:
            session.estimating = estimate(setup, device)
        self._rate = _Rate()
        alone = setup.entry.trained_by == "memory" or session.watched is not None
        threads = 1 if alone else threads_of(setup.recipe, model, setup.preprocessing.size)
        give_back()
        self._publish(EngineState(phase=phase, opened=opened, threads=threads))

    def _estimate(self) -> None:
        session = self._session
        assert session is not None and session.estimating is not None
        while not self._commands and not self._closed:
            try:
                next(session.estimating)
            except StopIteration as end:
                session.estimating = None
                self._publish(estimate=end.value.text, refused=end.value.refused or "")
                return

    def start(self, until: str | int = "") -> None:
        """Start or go on; ``until`` is ``"step"`` or ``"epoch"`` to pause after the next one, or a step's number."""
        session = self._session
        self._steered()
        if session is None or self.newest.phase == "running":
            return
        if session.events is None:
            if self.newest.refused:
                raise UserError(self.newest.refused)
            self._new_run(session)
        assert session.runner is not None
        self._until = until
        self._look.busy = True
        self._look.ask(step=None)
        session.runner.resumed()
        self._rate = _Rate()
        self._publish(phase="running", activity="training")

    def _new_run(self, session: _Session) -> None:
        from guiapp.training.run_folder import RunFolder
        from guiapp.training.runner import Runner

        session.estimating = None
        if session.runner is not None:
            session.runner.close()
        folder = RunFolder.create(self.runs, session.setup)
        session.runner = Runner(session.setup, folder)
        session.events = session.runner.events()
        # What was looked at before may be weights from a file, or those of the run before: this one starts afresh.
        session.twin.offer(session.runner.model, session.runner.trainer.step)
        subject = Subject(session.opened, session.twin, session.setup.task, session.runner.snapshots)
        self._look.ask(subject=subject)

    def go_on_apart(self) -> None:
        """Hand the run to a process of its own, or begin a new one in it, and look on from now on.

        Raises:
            UserError: If nothing is open that could go on.
        """
        from guiapp.training.own_process import go_on
        from guiapp.training.run_folder import RunFolder

        self._steered()
        session = self._session
        if session is None or self.newest.phase in ("finished", "opening"):
            raise UserError("open an experiment, or a run that has not ended, first")
        if self.newest.refused:
            raise UserError(self.newest.refused)
        if session.runner is not None and session.events is not None:
            folder = session.runner.folder.path
        else:
            made = RunFolder.create(self.runs, session.setup)
            made.release()
            folder = made.path
        experiment = session.setup.experiment.id
        self._leave()
        child = go_on(folder, experiment)
        self._publish(EngineState(phase="opening", activity=f"handing over {folder.name}", opened=self.newest.opened))
        self._watch(folder, child)

    def pause(self) -> None:
        """Stand still after the current step."""
        self._steered()
        if self.newest.phase == "running":
            self._pause()

    def stop(self) -> None:
        """End the run here and keep it; one that another process of this machine trains is asked to end."""
        if self._watching is not None:
            from guiapp.training.own_process import ask_to_stop

            ask_to_stop(self._watching.folder.info)
            return
        session = self._session
        if session is None or session.runner is None or session.events is None:
            return
        session.runner.stop()
        session.events = None
        session.runner.finish(test=False)
        self._rest(session, "finished")

    def reset(self) -> None:
        """Fresh weights; the next start makes a new run."""
        self._steered()
        session = self._session
        if session is not None:
            self.open_experiment(session.opened.experiment.id, session.opened.settings)

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change dotted settings of the open experiment, with fresh weights where they matter.

        Settings that cannot be opened, such as a kernel larger than the picture, are told and those before hold.
        """
        self._steered()
        session = self._session
        if session is None:
            raise UserError("open an experiment first")
        name, settings = session.opened.experiment.id, session.opened.settings
        try:
            self.open_experiment(name, {**settings, **changes})
        except UserError as error:
            self._notices.post("error", explain(error, "settings"))
            self.open_experiment(name, settings)

    def set_learning_rate(self, value: float) -> None:
        """Use another rate from the next step on."""
        self._steered()
        session = self._session
        if session is not None and session.runner is not None and session.events is not None:
            session.runner.set_learning_rate(value)
            self._publish()

    def set_temperature(self, value: float) -> None:
        """Use another temperature of the teacher from the next step on."""
        self._steered()
        session = self._session
        if session is not None and session.runner is not None and session.events is not None:
            session.runner.set_temperature(value)
            self._publish()

    def _steered(self) -> None:
        """Refuse to steer a run that another process writes."""
        if self._watching is not None:
            raise UserError("this run is watched: it is steered where it was started, not from here")

    # ------------------------------------------------------------------ telling

    def _publish(self, state: EngineState | None = None, **changes: Any) -> None:
        """Publish a state, or the newest one with changes and the figures of the run."""
        state = replace(state or self.newest, **changes)
        session = self._session
        if session is not None and session.runner is not None and state.opened is session.opened:
            from guiapp.models import MODELS

            runner = session.runner
            state = replace(
                state,
                step=runner.trainer.step,
                total_steps=runner.trainer.total_steps,
                epoch=min(runner.trainer.step // max(runner.trainer.steps_per_epoch, 1), session.setup.recipe.epochs),
                epochs=session.setup.recipe.epochs,
                learning_rate=runner.trainer.learning_rate,
                columns=runner.columns,
                epoch_rows=tuple(runner.epochs),
                events=tuple(runner.hand_changes),
                snapshot_steps=tuple(runner.snapshots.steps()),
                run=runner.folder.path,
                initial_loss=runner.initial_loss,
                threads=runner.threads,
            )
            if session.watched is not None:
                ours = session.opened.model.name in MODELS
                state = replace(state, epoch=runner.trainer.epoch, epochs=state.epochs if ours else 0)
            if state.phase == "running":
                rate = self._rate.update(state.step)
                left = (state.total_steps - state.step) / rate if rate > 0 else None
                state = replace(state, steps_per_second=rate, seconds_left=left)
        self.newest = state
        self.state.put(state)


class _Rate:
    """Steps a second over about the last second."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def update(self, step: int) -> float:
        now = time.perf_counter()
        self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[0][0] > 1.0:
            self._marks.popleft()
        (first, begin), (last, end) = self._marks[0], self._marks[-1]
        return (end - begin) / (last - first) if last > first else 0.0


def explain(error: BaseException, doing: str) -> str:
    """One line for the person on what went wrong while ``doing`` something."""
    if isinstance(error, (UserError, LookupError)) and str(error):
        return str(error)
    if type(error).__name__ == "OutOfMemoryError":
        return "The graphics card ran out of memory: choose a smaller batch, or the device 'cpu' in the recipe"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "Memory ran out: choose a smaller batch or a smaller network"
    return f"{doing} failed: {error}"


def _there(given: T | None) -> T:
    if given is None:
        raise UserError("no experiment is open: choose one in the catalogue")
    return given
