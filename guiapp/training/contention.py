"""Notices when other programs take the processor cores on which the network trains.

An operation that is split over several threads waits for the slowest of them. Where other programs keep the cores
busy, two threads were measured ten times slower than one (LeNet-5, two cores, load 5).
"""

from __future__ import annotations

import time

import psutil

_SECONDS = 2.0
_PATIENCE = 2
"""Periods in a row before anything is done: a short burst of another program is nobody's trouble."""


class Contention:
    """Compares what the whole machine computes with what this process computes.

    Attributes:
        others: Cores that other programs used in the last period.
        cores: Cores of the machine.
    """

    def __init__(self, threads: int) -> None:
        self.others = 0.0
        self.cores = psutil.cpu_count() or 1
        self._threads = threads
        self._crowded = 0
        self.restart()

    def restart(self) -> None:
        """Begin a period now, as after a pause."""
        self._since = time.monotonic()
        self._own = time.process_time()
        self._all = _busy_seconds()

    def fewer(self) -> int | None:
        """How many threads would go faster, or None while those in use do. Cheap enough for ten times a second."""
        seconds = time.monotonic() - self._since
        if self._threads < 2 or seconds < _SECONDS:
            return None
        own, everything = time.process_time() - self._own, _busy_seconds() - self._all
        self.others = max(0.0, (everything - own) / seconds)
        self.restart()
        self._crowded = self._crowded + 1 if self.others > 0.3 + max(0, self.cores - self._threads) else 0
        if self._crowded < _PATIENCE:
            return None
        self._crowded = 0
        self._threads = max(1, min(self._threads - 1, int(self.cores - self.others)))
        return self._threads


def _busy_seconds() -> float:
    """Seconds of work of all cores since the machine started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return float(sum(times[: min(len(times), 8)]) - idle)
