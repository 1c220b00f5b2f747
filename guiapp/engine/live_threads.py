"""Over how many threads the live lane splits an operation: fewer while other programs use the cores."""

from __future__ import annotations

import time

from guiapp.core.notices import NoticeBoard

_SPARED = 0.6  # of a core: what shows the window's pictures on the display is among the others
_REST = 1.0  # seconds without a run after which what others did meanwhile says nothing


class LiveThreads:
    """Sets the threads of the lane that calls it, and goes on with fewer where others hold up the ones in use.

    A pass that is split waits for its slowest part after each layer: with one of two cores taken by another program,
    LR-ASPP was measured at 2.35 s on two threads and 0.21 s on one.

    Args:
        notices: Are told of each change.
    """

    def __init__(self, notices: NoticeBoard) -> None:
        self._notices = notices
        self._fixed = True  # until it is begun
        self._at = 0.0

    def begin(self, wanted: int | None = None) -> None:
        """Use so many threads from now on, whatever others do; None: all cores while they are free.

        Another network goes on with as many as the one before where others still hold them up.
        """
        import torch

        from guiapp.training.contention import Contention
        from guiapp.training.threads import physical_cores

        if wanted is not None or self._fixed:
            self._fixed = wanted is not None
            self._number = wanted or physical_cores()
            self._contention = Contention(self._number, spared=_SPARED)
        torch.set_num_threads(self._number)

    def follow(self) -> None:
        """Go on with fewer threads, or with more again; to be called after each run on the CPU. Takes microseconds."""
        import torch

        now = time.monotonic()
        rested, self._at = now - self._at > _REST, now
        if self._fixed:
            return
        if rested:
            self._contention.restart()
        elif (changed := self._contention.change()) is not None:
            text = self._contention.words(
                self._number, "the live network goes on", 'choose threads under "Run with" to fix their number'
            )
            self._number = changed
            torch.set_num_threads(changed)
            self._notices.post("info", text, topic="live threads")
