"""Ctrl-C during long work: the first one is a wish, the second an order."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

PATIENCE = 20.0
"""Seconds for which torchrun's own signals, which follow on Ctrl-C, say nothing new; it kills after 30."""


class Interrupt:
    """Turns the first Ctrl-C (or a request to terminate) into a flag, so that a step is finished; the second kills.

    Attributes:
        asked: Whether somebody asked to stop.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, patience: float = 0.0) -> None:
        """Listen from ``with`` on; a second signal within ``patience`` seconds counts as the first one."""
        self.asked = False
        self._patience, self._since = patience, 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in self._SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.asked:
            self.asked, self._since = True, now
            if not self._patience:
                self.__exit__()
        elif now - self._since > self._patience:
            self.__exit__()
            raise KeyboardInterrupt
