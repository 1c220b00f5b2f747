"""The learn lane: opens experiments, advances one training run, and offers its weights to the twin."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from guiapp.core.memory import give_back
from guiapp.core.notices import UserError
from guiapp.engine.command_lane import explain
from guiapp.engine.look import Subject
from guiapp.engine.run_lane import DISPLAY_SECONDS, RunLane
from guiapp.engine.session import Copied, Session, opened_session, there
from guiapp.engine.state import EngineState, Phase

if TYPE_CHECKING:
    import subprocess

    import torch

    from guiapp.engine.twin import Twin
    from guiapp.training.runner import Runner
    from guiapp.training.setup import Setup
    from guiapp.training.watched import WatchedRun

WATCH_SECONDS = 0.5
"""Between two looks into the folder of a run that another process writes."""
T = TypeVar("T")


class LearnLane(RunLane):
    """Opens and configures experiments by commands and, between them, advances the run.

    Publishes and advances as its base says; here a session begins and ends, and weights are handed out.
    """

    _tried = False  # whether the script of the watched run had its program, or none to give, when it was opened

    # ------------------------------------------------------------------ from any thread

    def lend(self, timeout: float = 20.0) -> tuple[Setup, Twin]:
        """Setup of the open experiment, and a twin of its own for another lane, which newer weights go on coming to.

        Waits for the lane, which hands it out between two steps: not to be called on the window's thread.

        Raises:
            UserError: If no experiment is open, or the lane is busy with something long.
        """
        return there(self._of_session("lending the network", Session.lend, timeout))

    def copy(self, timeout: float = 20.0) -> Copied:
        """Setup, record and a copy of the open experiment's network with its newest weights, and their step.

        Last the average of weights that the run validates in the place of its own, copied too, or None.
        Waits for the lane as ``lend`` does, and raises as it does; the copy stays as it is.
        """
        return there(self._of_session("copying the network", Session.copied, timeout))

    def keep(self, timeout: float = 20.0) -> Path | None:
        """Write a checkpoint of the open run as it stands now and return its folder; None where there is no run.

        Waits for the lane as ``lend`` does.

        Raises:
            UserError: If the lane is busy with something long.
        """
        return self._of_session("keeping the run", Session.kept, timeout)

    def _of_session(self, what: str, work: Callable[[Session], T | None], timeout: float) -> T | None:
        """What ``work`` makes of the open experiment between two steps; None where none is open."""
        return self.between_commands(what, lambda: None if self._session is None else work(self._session), timeout)

    # ------------------------------------------------------------------ the lane's loop

    def _serve(self) -> None:
        super()._serve()
        self._leave()

    def _work(self) -> None:
        if self._watching is not None:
            self._guarded("watching", self._look_again)
        else:
            super()._work()

    def _patience(self) -> float | None:
        return None if self._watching is None else WATCH_SECONDS

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
        from guiapp.training.run_folder import RunFolder

        self._tried = _told_of_program(RunFolder.open(folder).info)
        setup, watched = open_watched(folder, self._progress)
        for notice in setup.notices:
            self._notices.post("info", notice)
        assert watched.model is not None
        watched.child = child
        self._attach(setup, watched.model, None, watched)
        self._look_again()

    def _look_again(self) -> None:
        """Read what the writer of the run has added; show its newest figures and weights."""
        from guiapp.engine.watching import failure

        session = self._session
        assert session is not None and session.watched is not None
        watched = session.watched
        try:
            news, newer = session.read_on()
            if newer:
                self._look.weights_changed()
        except (OSError, UserError):  # a file system on a network may be away for a while
            return
        if not session.opened.runs and not self._tried and _told_of_program(watched.folder.info):
            self._watch(watched.folder.path)  # its program has come in the meantime, or why there is none
            return
        if (failed := failure(watched)) is not None:
            self._notices.post("error", failed)
        phase: Phase = "running" if watched.growing else "finished"
        if news or phase != self.newest.phase or watched.words != self.newest.watched:
            from guiapp.training.own_process import may_stop

            activity, words = "training" if watched.growing else "", watched.words
            self._publish(phase=phase, activity=activity, watched=words, may_stop=may_stop(watched.folder.info))

    def _progress(self, share: float, text: str) -> None:
        if self._closed:
            raise UserError("the window was closed")
        now = time.perf_counter()
        if now >= self._next_display:
            self._next_display = now + DISPLAY_SECONDS
            self._publish(activity=text, share=share)

    def _attach(
        self, setup: Setup, model: torch.nn.Module, weights: Any, runner: Runner | WatchedRun | None = None
    ) -> None:
        from guiapp.training.threads import threads_of

        session = self._session = opened_session(setup, model, weights is not None, runner)
        snapshots = runner.snapshots if runner is not None else None
        # What panels asked of the network before is not asked of this one: they ask anew when they have seen it.
        subject = Subject(session.opened, session.twin, setup.task, snapshots)
        self._look.ask(subject=subject, requests={}, switched_off={}, step=None)
        phase: Phase = "ready"
        if runner is not None:
            phase = "paused" if session.events is not None else "finished"
        alone = setup.entry.trained_by == "memory" or session.watched is not None
        threads = 1 if alone else threads_of(setup.recipe, model, setup.preprocessing.size)
        give_back()
        self._publish(EngineState(phase=phase, opened=session.opened, threads=threads))

    def go_on_apart(self) -> None:
        """Hand the run to a process of its own, or begin a new one in it, and look on from now on.

        Raises:
            UserError: If nothing is open that could go on.
        """
        from guiapp.training.own_process import go_on

        self._steered()
        session = self._session
        if session is None or self.newest.phase in ("finished", "opening"):
            raise UserError("open an experiment, or a run that has not ended, first")
        if self.newest.refused:
            raise UserError(self.newest.refused)
        folder = session.handed_over(self.runs)
        experiment = session.setup.experiment.id
        self._leave()
        child = go_on(folder, experiment)
        self._publish(EngineState(phase="opening", activity=f"handing over {folder.name}", opened=self.newest.opened))
        self._watch(folder, child)

    def reset(self) -> None:
        """Fresh weights; the next start makes a new run."""
        self._steered()
        session = self._session
        if session is not None:
            self.open_experiment(session.opened.experiment.id, session.opened.settings)

    def configure(self, changes: Mapping[str, Any], of: str | None = None) -> None:
        """Change dotted settings of the open experiment, with fresh weights where they matter.

        Nothing is changed where another experiment than ``of`` is open by then.
        Settings that cannot be opened, such as a kernel larger than the picture, are told and those before hold.
        """
        self._steered()
        session = self._session
        if session is None:
            raise UserError("open an experiment first")
        if of not in (None, session.opened.experiment.id):
            return
        name, settings = session.opened.experiment.id, session.opened.settings
        try:
            self.open_experiment(name, {**settings, **changes})
        except UserError as error:
            self._notices.post("error", explain(error, "settings"))
            self.open_experiment(name, settings)


def _told_of_program(info: Mapping[str, Any]) -> bool:
    """Whether the script that writes a run has kept its network as a program, or said why it cannot."""
    said = info.get("watch") or {}
    return bool(said.get("program") or said.get("reason"))
