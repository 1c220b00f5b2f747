"""Notices when other programs take the processor cores on which the network trains, and when they give them back.

An operation that is split over several threads waits for the slowest of them. Where other programs keep the cores
busy, two threads were measured ten times slower than one (LeNet-5, two cores, load 5).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import psutil

_SECONDS = 2.0
_PATIENCE = 2
"""Periods in a row before threads are given up: a short burst of another program is nobody's trouble."""
_QUIET = 5
"""Periods in a row, 10 s, in which others left enough cores before threads come back."""
_MOST_QUIET = 80
"""The same after threads came back too early several times."""
_SPARED = 0.3
"""Share of a core that others always use, and that holds nobody up."""


class Crowded(NamedTuple):
    """Other programs use the cores, or use them no more; the run goes on with fewer threads, or with more."""

    threads: int
    text: str
    more: bool


class Contention:
    """Compares what the whole machine computes with what this process computes.

    Where threads are given up again soon after they came back, the wait for the next time doubles: a program that
    comes and goes does not make the run change all the time.

    Attributes:
        others: Cores that other programs used in the last period.
        cores: Cores of the machine.
    """

    def __init__(self, threads: int, most: int | None = None, spared: float = _SPARED) -> None:
        """Begin a period.

        Args:
            threads: In use now.
            most: With which the run goes where it has the machine for itself; ``threads`` by default.
            spared: Share of a core that others may use without holding anybody up.
        """
        self.others = 0.0
        self.cores = psutil.cpu_count() or 1
        self._threads, self._most = threads, max(threads, most or threads)
        self._spared = spared
        self._crowded = self._quiet = 0
        self._wanted = _QUIET
        self._since_back = _MOST_QUIET
        self.restart()

    def restart(self) -> None:
        """Begin a period now, as after a pause."""
        self._since = time.monotonic()
        self._own = time.process_time()
        self._all = _busy_seconds()

    def change(self) -> int | None:
        """How many threads would go faster than those in use, fewer or more; None while those in use do.

        Cheap enough for ten times a second.
        """
        seconds = time.monotonic() - self._since
        if self._most < 2 or seconds < _SECONDS:
            return None
        own, everything = time.process_time() - self._own, _busy_seconds() - self._all
        self.others = max(0.0, (everything - own) / seconds)
        self.restart()
        self._since_back += 1
        crowded = self._threads > 1 and self.others > self._spared + max(0, self.cores - self._threads)
        self._crowded = self._crowded + 1 if crowded else 0
        free = int(self.cores - max(0.0, self.others - self._spared) + 1e-9)
        self._quiet = self._quiet + 1 if min(self._most, free) > self._threads else 0
        if self._crowded >= _PATIENCE:
            return self._fewer()
        return self._more(free) if self._quiet >= self._wanted else None

    def crowded(self, before: int) -> Crowded | None:
        """As ``change`` from ``before`` threads, with what it is to a person."""
        threads = self.change()
        return None if threads is None else Crowded(threads, self.words(before), threads > before)

    def words(
        self, before: int, what: str = "training goes on", fix: str = "set threads in the recipe to fix their number"
    ) -> str:
        """What a change from ``before`` threads is to a person.

        Args:
            before: Threads until now.
            what: What goes on.
            fix: How to prevent it.
        """
        how = f"{what} with {self._threads} instead of {before} threads"
        if self._threads > before:
            return f"The cores are free again: {how}"
        return f"Other programs use {self.others:.1f} of {self.cores} cores: {how}; {fix}"

    def _fewer(self) -> int:
        early = self._since_back < _MOST_QUIET
        self._wanted = min(2 * self._wanted, _MOST_QUIET) if early else _QUIET
        self._threads = max(1, min(self._threads - 1, int(self.cores - self.others)))
        self._crowded = self._quiet = 0
        return self._threads

    def _more(self, free: int) -> int:
        self._threads = min(self._most, free)
        self._crowded = self._quiet = self._since_back = 0
        return self._threads


def threads_used(info: Mapping[str, Any], step: int, threads: int) -> dict[str, Any]:
    """What ``run.json`` is to say of the threads: those in use, and from which step on each number was.

    Args:
        info: What it says so far; what it says of steps that are done anew is forgotten.
        step: Steps done.
        threads: In use from the next one on.
    """
    lines = [line for line in info.get("threads_by_step", ()) if line[0] <= step]
    if not lines or lines[-1][1] != threads:
        lines = [*(line for line in lines if line[0] < step), [step, threads]]
    return {"threads": threads, "threads_by_step": lines}


def _busy_seconds() -> float:
    """Seconds of work of all cores since the machine started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return float(sum(times[: min(len(times), 8)]) - idle)
