"""A lane: one thread that carries out commands in their order and goes on with its own work between them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from guiapp.core.notices import UserError
from guiapp.core.openmp import dismiss_helpers
from guiapp.engine.preload import preload_torch

T = TypeVar("T")


class CommandLane(ABC):
    """The thread, which starts with the first command, and its commands.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._condition = threading.Condition()
        self._commands: deque[tuple[str, Callable[[], None]]] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False

    def command(self, name: str, work: Callable[[], None]) -> None:
        """Queue a command from any thread; ``name`` says in a notice what failed."""
        with self._condition:
            if self._closed:
                return
            self._commands.append((name, work))
        self.wake()

    def wake(self) -> None:
        """Let the lane look whether there is something to do."""
        with self._condition:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()
            self._condition.notify()

    def between_commands(self, what: str, work: Callable[[], T], timeout: float) -> T:
        """What ``work`` gives on the lane's thread.

        Waits for the lane: not to be called on it, nor on the window's thread.

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
        """End the thread after what it does now, and wait for that; commands that come later do nothing.

        Args:
            timeout: Seconds to wait at the most.
        """
        with self._condition:
            self._closed = True
            self._condition.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _serve(self) -> None:
        """The thread's loop, until ``close``."""
        preload_torch()
        while True:
            if not (self._commands or self._has_work()):
                dismiss_helpers()
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._commands or self._has_work(), self._patience())
                if self._closed:
                    break
            while self._commands:
                self._guarded(*self._commands.popleft())
            self._work()

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work``; whatever it raises is told and leaves the lane alive."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the lane must live on; the person is told
            self._failed(name, error)

    @abstractmethod
    def _has_work(self) -> bool:
        """Whether there is something to do besides commands."""

    @abstractmethod
    def _patience(self) -> float | None:
        """Seconds after which ``_work`` has its turn even where there is nothing to do; None for never."""

    @abstractmethod
    def _work(self) -> None:
        """One turn of the lane's own work, on its thread, which ends early when a command comes."""

    @abstractmethod
    def _failed(self, name: str, error: Exception) -> None:
        """Tell what went wrong while ``name`` was carried out."""


def explain(error: BaseException, doing: str) -> str:
    """One line for the person on what went wrong while ``doing`` something."""
    if isinstance(error, (UserError, LookupError)) and str(error):
        return str(error)
    if type(error).__name__ == "OutOfMemoryError":
        return "The graphics card ran out of memory: choose a smaller batch, or the device 'cpu' in the recipe"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "Memory ran out: choose a smaller batch or a smaller network"
    return f"{doing} failed: {error}"
