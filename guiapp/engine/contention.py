"""Notices when other programs take the processor cores on which the network trains.

An operation that is split over several threads waits for the slowest of them. Where other programs keep the cores
busy, two threads were measured ten times slower than one (LeNet-5, two cores, load 5).
"""

from __future__ import annotations

import time

import psutil

_SECONDS = 3.0
_PATIENCE = 2
"""Periods in a row before anything is said: a short burst of another program is nobody's trouble."""


class Contention:
    """Compares what the whole machine computes with what this process computes.

    Attributes:
        others: Cores that other programs used in the last period.
    """

    def __init__(self, threads: int) -> None:
        self.others = 0.0
        self._threads = threads
        self._cores = psutil.cpu_count() or 1
        self._crowded = 0
        self._told = threads < 2
        self._restart()

    def _restart(self) -> None:
        self._since = time.monotonic()
        self._own = time.process_time()
        self._all = _busy_seconds()

    def advice(self) -> str | None:
        """What to tell the person, once; None while there is nothing to tell. Cheap enough for every display."""
        now = time.monotonic()
        if self._told or now - self._since < _SECONDS:
            return None
        seconds = now - self._since
        own, everything = time.process_time() - self._own, _busy_seconds() - self._all
        self.others = max(0.0, (everything - own) / seconds)
        self._restart()
        self._crowded = self._crowded + 1 if self.others > 0.3 + max(0, self._cores - self._threads) else 0
        if self._crowded < _PATIENCE:
            return None
        self._told = True
        fewer = max(1, min(self._threads - 1, int(self._cores - self.others)))
        return (
            f"Other programs use {self.others:.1f} of {self._cores} cores, which slows training with {self._threads} "
            f"threads down a lot: set threads to {fewer} in the recipe"
        )


def _busy_seconds() -> float:
    """Seconds of work of all cores since the machine started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return float(sum(times[: min(len(times), 8)]) - idle)
