"""Messages to the person: one line that says what to do, details on demand."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Notice:
    """One message.

    Attributes:
        level: How serious it is.
        text: One line in plain words: what happened and what to do.
        details: A traceback or a longer text, shown on demand.
        topic: What was tried, such as ``"open"``; empty where no later success makes the notice moot.
    """

    level: Level
    text: str
    details: str = ""
    topic: str = ""


class NoticeBoard:
    """Collects notices from any thread and passes each to the listeners once.

    Attributes:
        notices: All notices so far, oldest first, at most 200.
    """

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self._listeners: list[Callable[[Notice], None]] = []
        self._settled: list[Callable[[str], None]] = []
        self._lock = threading.Lock()

    def subscribe(
        self, listener: Callable[[Notice], None], settled: Callable[[str], None] | None = None
    ) -> Callable[[], None]:
        """Call ``listener`` for each notice, on the thread that posts it; return what unsubscribes it.

        Args:
            listener: Called with each notice.
            settled: Called with a topic when what it is about has succeeded.
        """
        with self._lock:
            self._listeners.append(listener)
            if settled is not None:
                self._settled.append(settled)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)
                if settled in self._settled:
                    self._settled.remove(settled)

        return unsubscribe

    def settle(self, topic: str) -> None:
        """Say that what a topic is about has succeeded: older notices of it are moot. They stay in ``notices``."""
        with self._lock:
            listeners = list(self._settled)
        for listener in listeners:
            listener(topic)

    def post(self, level: Level, text: str, details: str = "", topic: str = "") -> Notice:
        """Add a notice and tell the listeners."""
        notice = Notice(level, text, details, topic)
        with self._lock:
            self.notices = [*self.notices[-199:], notice]
            listeners = list(self._listeners)
        for listener in listeners:
            listener(notice)
        return notice


class UserError(Exception):
    """A failure whose text is meant for the person: what is wrong and what to do about it, in one line."""


class SettingError(UserError):
    """A name or value given by the person that does not exist or fit: bad arguments rather than failed work."""
