"""Brings texts up to date at a rate that can be read, and always once more after the last change."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Readable(QObject):
    """Calls ``show`` at most once in a while; what is asked in between is caught up by a single-shot timer.

    Without the timer the last of many changes would never be seen: nothing follows that would show it.

    Attributes:
        seconds: Least time between two calls.
    """

    def __init__(self, seconds: float, show: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self.seconds = seconds
        self._show = show
        self._shown_at = -float("inf")
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(self.now)

    @property
    def waiting(self) -> bool:
        """Whether a change has not been shown yet."""
        return self._late.isActive()

    def now(self) -> None:
        """Show at once."""
        self._late.stop()
        self._shown_at = time.monotonic()
        self._show()

    def soon(self) -> None:
        """Show now where the last time is long enough ago, else as soon as it is."""
        left = self.seconds - (time.monotonic() - self._shown_at)
        if left <= 0:
            self.now()
        elif not self._late.isActive():
            self._late.start(max(1, round(left * 1000)))

    def drop(self) -> None:
        """There is nothing to show any more."""
        self._late.stop()
