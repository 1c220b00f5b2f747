"""A live source that is lost now and then: the last frame stays, and it comes back by itself."""

from collections.abc import Callable, Sequence
from pathlib import Path

from guiapp.sources.live import LiveSource

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between two tries, the last one again and again; from the start once a frame has come."""


class Lost(Exception):
    """Why a source gives nothing: one line without its name and without a full stop."""


class ReconnectingSource(LiveSource):
    """Runs sessions one after the other until it is closed; sub-classes write ``_session``."""

    def __init__(
        self,
        name: str,
        *,
        pauses: Sequence[float] = PAUSES,
        path: Path | None = None,
        mirror: bool = False,
        on_frame: Callable[[], None] | None = None,
        on_state: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name, path=path, mirror=mirror, on_frame=on_frame, on_state=on_state)
        self._pauses = tuple(pauses)
        self._again = False  # whether a person wants the next try at once

    def retry(self) -> None:
        """Try again at once instead of waiting for the end of the pause."""
        with self._condition:
            self._again = True
            self._condition.notify_all()

    def _session(self) -> None:
        """Connect and publish frames until the source is lost or ``_stop`` is set.

        Raises:
            Lost: With the reason. OSError does as well.
        """
        raise NotImplementedError

    def _read(self) -> None:
        fruitless = 0
        while not self._stopped():
            before = self.frames
            try:
                self._session()
                reason = "it ended"
            except Lost as lost:
                reason = str(lost)
            except OSError as error:
                reason = error.strerror or str(error) or type(error).__name__
            if self._stopped():
                return
            fruitless = 0 if self.frames > before else fruitless + 1
            pause = self._pauses[min(fruitless, len(self._pauses) - 1)]
            tries = f", {fruitless} tries so far" if fruitless > 1 else ""
            self._say("waiting", f"{self.name}: {reason}; next try in {pause:g} s{tries}")
            with self._condition:
                self._condition.wait_for(lambda: self._stop or self._again, pause)
                self._again = False

    def _came(self) -> None:
        """A frame is there: all is well."""
        self._say("playing")
