"""A slot that holds the newest value: what is not taken in time is overwritten, nothing queues."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """The newest value from one thread for another.

    Attributes:
        on_filled: Called on the writer's thread when the slot goes from empty to full, and only then.
        overwritten: How many values were replaced before anybody took them.
    """

    def __init__(self, on_filled: Callable[[], None] | None = None) -> None:
        self.on_filled = on_filled
        self.overwritten = 0
        self._lock = threading.Lock()
        self._value: T | None = None
        self._full = False

    def put(self, value: T) -> None:
        """Replace the value; signal if the slot was empty."""
        with self._lock:
            was_full, self._full = self._full, True
            self.overwritten += was_full
            self._value = value
        if not was_full and self.on_filled is not None:
            self.on_filled()

    def take(self) -> T | None:
        """Empty the slot and return its value, or None if it was empty."""
        with self._lock:
            value, self._value, self._full = self._value, None, False
        return value
