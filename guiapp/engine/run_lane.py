"""Advances the run of the open experiment, step by step between commands, and publishes how it goes."""

from __future__ import annotations

import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.core.memory import give_back
from guiapp.core.notices import NoticeBoard, UserError
from guiapp.engine.command_lane import CommandLane, explain
from guiapp.engine.look import LookLane, Subject
from guiapp.engine.session import Rate, Session
from guiapp.engine.slot import Slot
from guiapp.engine.state import EngineState

if TYPE_CHECKING:
    from guiapp.training.runner import Runner
    from guiapp.training.watched import WatchedRun

DISPLAY_SECONDS = 0.1
"""Between two times that the newest weights and figures are shown."""


class RunLane(CommandLane):
    """The run of a session: estimated, begun, advanced, paused, stopped and steered.

    Attributes:
        state: Slot of the newest state.
        newest: The newest state that was published.
        runs: Parent folder of new runs.
    """

    def __init__(self, notices: NoticeBoard, look: LookLane, runs: Path) -> None:
        super().__init__("learn")
        self.state: Slot[EngineState] = Slot()
        self.newest = EngineState()
        self.runs = runs
        self._notices = notices
        self._look = look
        self._session: Session | None = None
        self._until: str | int = ""  # "step", "epoch": pause after the next one; a number: after that step
        self._next_display = 0.0

    # ------------------------------------------------------------------ the lane's loop

    def _has_work(self) -> bool:
        session = self._session
        return (self.newest.phase == "running" and self._watching is None) or (
            session is not None and session.estimating is not None
        )

    def _work(self) -> None:
        if self.newest.phase == "running":
            self._guarded("training", self._advance)
        elif self._session is not None and self._session.estimating is not None:
            self._guarded("estimate", self._estimate)

    @property
    def _watching(self) -> WatchedRun | None:
        return None if self._session is None else self._session.watched

    def _failed(self, name: str, error: Exception) -> None:
        session = self._session
        if session is not None and session.runner is not None and name in ("training", "start"):
            session.events = None
            self._look.busy = False
            session.offer()
            self._look.weights_changed()
        if session is not None:
            session.estimating = None
        self._notices.post("error", explain(error, name), traceback.format_exc(), "learn")
        self._publish(phase="failed" if session is not None else "empty", activity="", share=None)

    def _advance(self) -> None:
        """Advance the run until a command arrives, it pauses itself, or it ends."""
        from guiapp.training.contention import Crowded
        from guiapp.training.data import Preparing
        from guiapp.training.events import EpochEnd, Evaluating, StepEnd

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
                self._notices.post("info" if event.more else "warning", event.text)
            now = clock()
            if now >= self._next_display:
                doing = {Evaluating: "evaluating", Preparing: "preparing"}.get(kind, "training")
                share = None if doing == "training" else event.done / max(event.total, 1)
                self._next_display = now + self._display(session, doing, share)

    def _display(self, session: Session, doing: str, share: float | None) -> float:
        """Show the newest weights and figures; return the seconds until the next time."""
        started = time.perf_counter()
        assert session.runner is not None
        if self._look.watching:
            session.offer()
            self._look.weights_changed()
        session.lend_newest()
        self._publish(activity=doing, share=share)
        # Showing takes at most a twentieth of the time, however large the network is.
        return max(DISPLAY_SECONDS, 20.0 * (time.perf_counter() - started))

    def _finished(self, session: Session) -> None:
        assert session.runner is not None
        session.runner.finish(test=False)
        session.events = None
        self._rest(session, "finished")

    def _pause(self) -> None:
        assert self._session is not None
        self._until = ""
        self._rest(self._session, "paused")

    def _rest(self, session: Session, phase: Any) -> None:
        """Stand still: write down what there is, show exactly these weights."""
        assert session.runner is not None
        self._look.busy = False
        session.runner.drain()
        session.offer()
        session.lend_newest(all_of_them=True)
        give_back()  # 2 ms; steps and validation leave 10 to 30 MB of holes
        self._publish(phase=phase, activity="", share=None, seconds_left=None)
        self._look.weights_changed()

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

    # ------------------------------------------------------------------ commands, on the lane's thread

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
        session.rate = Rate()
        self._publish(phase="running", activity="training")

    def _new_run(self, session: Session) -> None:
        from guiapp.training.run_folder import RunFolder
        from guiapp.training.runner import Runner

        session.estimating = None
        if session.runner is not None:
            session.runner.close()
        folder = RunFolder.create(self.runs, session.setup)
        session.runner = Runner(session.setup, folder)
        session.events = session.runner.events()
        # What was looked at before may be weights from a file, or those of the run before: this one starts afresh.
        session.offer()
        subject = Subject(session.opened, session.twin, session.setup.task, session.runner.snapshots)
        self._look.ask(subject=subject)

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

    def set_learning_rate(self, value: float) -> None:
        """Use another rate from the next step on."""
        if (runner := self._going_on()) is not None:
            runner.set_learning_rate(value)
            self._publish()

    def set_temperature(self, value: float) -> None:
        """Use another temperature of the teacher from the next step on."""
        if (runner := self._going_on()) is not None:
            runner.set_temperature(value)
            self._publish()

    def _going_on(self) -> Runner | None:
        """The run that can go on and is steered here, or None."""
        self._steered()
        return None if self._session is None else self._session.steerable

    def _steered(self) -> None:
        """Refuse to steer a run that another process writes."""
        if self._watching is not None:
            raise UserError("this run is watched: it is steered where it was started, not from here")

    # ------------------------------------------------------------------ telling

    def _publish(self, state: EngineState | None = None, **changes: Any) -> None:
        """Publish a state, or the newest one with changes and the figures of the run."""
        state = replace(state or self.newest, **changes)
        session = self._session
        if session is not None and state.opened is session.opened:
            state = session.figures(state)
        self.newest = state
        self.state.put(state)
