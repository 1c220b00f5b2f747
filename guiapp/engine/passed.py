"""Pictures that came while the network was busy: networks that take several in a row must miss none."""

from __future__ import annotations

import threading
from collections import deque

from guiapp.core.picture import Picture
from guiapp.tasks.live_options import slot_of

_LEAP = 1.0  # seconds of a video between two pictures that are no neighbours: somebody went to another place


def seconds_of(picture: Picture) -> float:
    """When a picture was made: its time in the video, or on the clock of this computer."""
    return picture.time if picture.origin.seconds is None else picture.origin.seconds


def jumped(before: Picture | None, now: Picture) -> bool:
    """Whether a video was wound back, began again, or was wound forward between two pictures."""
    if before is None or before.origin.index is None or now.origin.index is None:
        return False
    ahead = now.origin.index - before.origin.index
    return ahead < 0 or (ahead > 1 and seconds_of(now) - seconds_of(before) > _LEAP)


class PassedPictures:
    """Keeps as many pictures as a network takes, and of those only the ones that it would take."""

    def __init__(self, frames: int, rate: float) -> None:
        """Keep somewhat more than ``frames`` pictures, one for each slot of ``rate``; of rate 0 every one."""
        self._rate = rate
        self._kept: deque[Picture] = deque(maxlen=frames + 2)  # some may come while the others are taken out
        self._lock = threading.Lock()

    def offer(self, picture: Picture | None) -> None:
        """A picture has come; called on the source's thread."""
        if picture is None:
            return
        with self._lock:
            last = self._kept[-1] if self._kept else None
            if last is picture:
                return
            same = last is not None and not jumped(last, picture)
            if last is not None and same and self._rate and self._slot(picture) == self._slot(last):
                return
            self._kept.append(picture)

    def _slot(self, picture: Picture) -> int:
        return slot_of(seconds_of(picture), self._rate)

    def between(self, last: Picture, picture: Picture) -> list[Picture]:
        """Take out what came up to ``picture``; return those after ``last`` and before ``picture``, oldest first."""
        taken = []
        with self._lock:
            while self._kept and self._kept[0].time <= picture.time:
                earlier = self._kept.popleft()
                if earlier is not picture and earlier.time > last.time:
                    taken.append(earlier)
        return taken
