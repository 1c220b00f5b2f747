"""The commands of a run, and when each can be given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QAction

from guiapp.engine.state import EngineState
from guiapp.ui.commands import Command
from guiapp.ui.widgets.buttons import declare

if TYPE_CHECKING:
    from guiapp.ui.commands import Commands


def add(
    commands: Commands,
    verb: str,
    title: str,
    call: Callable[..., Any],
    tip: str,
    shortcut: str = "",
    symbol: str = "",
    **more: Any,
) -> QAction:
    """Declare ``training.<verb>`` in the menu of runs."""
    return declare(commands, Command(f"training.{verb}", title, call, tip, shortcut, symbol, menu="Run", **more))


class RunCommands:
    """Start, pause, resume, step, epoch, stop, reset, and going on without the window.

    Attributes:
        start, pause, resume, step, epoch, stop, reset, apart: The commands.
    """

    def __init__(
        self,
        commands: Commands,
        start: Callable[[], Any],
        pause: Callable[[], Any],
        step: Callable[[], Any],
        epoch: Callable[[], Any],
        stop: Callable[[], Any],
        reset: Callable[[], Any],
        apart: Callable[[], Any],
    ) -> None:
        self.start = add(
            commands, "start", "Start", start, "Train the network, or go on with a paused run", "F5", "play"
        )
        self.pause = add(commands, "pause", "Pause", pause, "Stand still after the current step", "F6", "pause")
        self.resume = add(commands, "resume", "Resume", start, "Go on with the paused run", "", "resume")
        self.step = add(commands, "step", "Step", step, "Train one step, then stand still", "F7", "step")
        self.epoch = add(
            commands, "epoch", "Epoch", epoch, "Train to the end of the epoch, then stand still", "F8", "epoch"
        )
        self.stop = add(commands, "stop", "Stop", stop, "End the run here and keep it", "Shift+F5", "stop")
        self.reset = add(
            commands, "reset", "Reset", reset, "Back to the first weights; the next start is a new run", "", "reset"
        )
        self.apart = add(
            commands, "apart", "Go on without the window", apart,
            "Train in a process of its own, which goes on when the window is closed; the window looks on", "", "float",
        )  # fmt: skip

    def follow(self, state: EngineState) -> None:
        """Enable what can be done where the engine is."""
        phase, refused = state.phase, bool(state.refused)
        if state.watched:  # it is steered where it was started
            for action in (self.start, self.pause, self.resume, self.step, self.epoch, self.stop, self.reset):
                action.setEnabled(False)
            self.stop.setEnabled(state.may_stop)
            self.apart.setEnabled(False)
            return
        self.apart.setEnabled(phase in ("ready", "running", "paused") and not refused and state.opened is not None)
        still = phase in ("ready", "paused", "finished", "failed") and state.opened is not None
        self.start.setEnabled(still and not (refused and phase == "ready"))
        self.pause.setEnabled(phase == "running")
        self.resume.setEnabled(phase == "paused")
        self.step.setEnabled(phase in ("ready", "paused") and not (refused and phase == "ready"))
        self.epoch.setEnabled(self.step.isEnabled())
        self.stop.setEnabled(phase in ("running", "paused"))
        self.reset.setEnabled(still or phase == "running")

    def next_of(self, phase: str) -> tuple[QAction, str]:
        """What the one large button does in a phase, and its word."""
        if phase == "running":
            return self.pause, "Pause"
        return self.start, "Resume" if phase == "paused" else "Start"
