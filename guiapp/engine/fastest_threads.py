"""How many threads go fastest now, found by timing: for work that may be summed in any order."""

from __future__ import annotations

_AGAIN, _MOST = 4, 64
"""Turns until the other number is tried after a change, and the most that lost trials make of them."""
_SLOWER = 1.7
"""Times as long as before: something else uses the cores now, or no longer does."""


class FastestThreads:
    """All cores or one, whichever gave more samples a second the last time it was tried.

    An operation that is split waits for the slowest of its threads: where other programs keep the cores busy, MobileNet
    v2 was measured ten times slower with two threads than with one. What others do changes, so the other number is
    tried again from time to time, less often the more often it lost.

    Args:
        most: Threads where the machine is free.

    Attributes:
        trial: Whether the next turn is one: it should be short.
    """

    def __init__(self, most: int) -> None:
        self._most, self._best = max(most, 1), max(most, 1)
        self._seconds: dict[int, float] = {}
        self._turns, self._until_trial = 0, 1  # the first turn of all tells nothing alone
        self.trial = False

    @property
    def threads(self) -> int:
        """For the next turn."""
        return self._other if self.trial else self._best

    @property
    def _other(self) -> int:
        return 1 if self._best > 1 else self._most

    def took(self, seconds: float) -> None:
        """Say how long a sample of this turn took."""
        if self._most == 1:
            return
        before = self._seconds.get(self.threads, seconds)
        self._seconds[self.threads] = seconds
        self._turns += 1
        if self.trial:
            won = seconds < self._seconds[self._best]
            self._best = self._other if won else self._best
            self._until_trial = _AGAIN if won else min(2 * self._until_trial, _MOST)
            self._turns, self.trial = 0, False
        else:
            self.trial = self._turns >= self._until_trial or seconds > _SLOWER * before
