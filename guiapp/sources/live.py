"""What every live source shares: a reader thread, the newest frame, and what it has to say about itself."""

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, OriginKind, Picture
from guiapp.sources.opencv import flipped

State = Literal["opening", "playing", "paused", "waiting", "ended", "failed"]
"""``opening`` until the first frame, ``waiting`` while a stream or a device is lost, ``ended`` at the end of a file,
``failed`` where nothing will come."""

_JOIN = 1.0  # seconds that closing waits for the thread
_SPAN = 2.0  # seconds over which the rate is measured


class LiveSource:
    """Gives pictures by itself: one thread reads, the newest frame wins, nothing queues.

    The thread starts with ``start``, or with the first ``latest`` or ``next``. Both callbacks are called on it and may
    only set flags. Sub-classes write ``_read``, the body of the thread.

    Attributes:
        live: True.
        kind: What the origin of its pictures says.
        name: What a person calls it; never with a password.
        on_frame: Called after each new picture.
        on_state: Called after each change of ``state`` or ``trouble``.
        dropped: Frames that were read and overtaken before anyone took them, or passed over to keep time.
        frames: Frames that were read.
    """

    live = True
    kind: ClassVar[OriginKind] = "stream"

    def __init__(
        self,
        name: str,
        *,
        path: Path | None = None,
        mirror: bool = False,
        on_frame: Callable[[], None] | None = None,
        on_state: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.on_frame = on_frame
        self.on_state = on_state
        self.dropped = 0
        self.frames = 0
        self._path = path
        self._mirror = mirror
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stop = False
        self._frozen = False
        self._state: State = "opening"
        self._trouble = ""
        self._newest: Picture | None = None
        self._taken = True
        self._serial = 0
        self._given = 0
        self._arrivals: deque[float] = deque(maxlen=120)

    def start(self) -> None:
        """Begin to read. May be called again."""
        with self._condition:
            if self._thread is not None or self._stop:
                return
            self._thread = threading.Thread(target=self._body, name=f"source {self.name}", daemon=True)
            self._thread.start()

    def latest(self) -> Picture | None:
        """The newest picture, at once: the same object until there is a newer one; None before the first.

        Raises:
            UserError: If the source failed before it gave a picture.
        """
        self.start()
        with self._condition:
            self._taken = True
            self._given = self._serial
            self._condition.notify_all()
            return self._result()

    def peek(self) -> Picture | None:
        """The newest picture without taking it: whoever takes pictures one by one still gets it."""
        with self._condition:
            return self._newest

    def next(self) -> Picture | None:
        """Wait for a picture that was not yet handed out; None when the source has ended or was closed.

        Raises:
            UserError: If the source failed before it gave a picture.
        """
        self.start()
        with self._condition:
            self._condition.wait_for(lambda: self._serial > self._given or self._over)
            if self._serial > self._given and not self._stop:
                self._given, self._taken = self._serial, True
                self._condition.notify_all()
                return self._newest
            if self._state == "failed":
                self._result()
            return None

    def close(self) -> None:
        """Stop reading and let go of the picture. Returns within a second or so; may be called again.

        A system call that cannot be broken off is left to its own limit of a few seconds: its thread ends behind it.
        """
        with self._condition:
            self._stop = True
            self._newest = None
            self._condition.notify_all()
            thread = self._thread
        self._interrupt()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN)

    @property
    def state(self) -> State:
        """Where it stands; a source that is frozen says ``paused``."""
        with self._condition:
            return "paused" if self._frozen and self._state == "playing" else self._state

    @property
    def trouble(self) -> str:
        """One line saying what is wrong, or ``""``."""
        with self._condition:
            return self._trouble

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the newest picture in pixels; None before the first."""
        with self._condition:
            return None if self._newest is None else self._newest.size

    @property
    def rate(self) -> float:
        """Frames a second that came in over the last two seconds; 0 where none did."""
        since = time.monotonic() - _SPAN
        with self._condition:
            recent = [moment for moment in self._arrivals if moment > since]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0

    @property
    def mirror(self) -> bool:
        """Whether left and right are exchanged; acts on the picture that stands too."""
        return self._mirror

    @mirror.setter
    def mirror(self, on: bool) -> None:
        with self._condition:
            if on == self._mirror:
                return
            self._mirror = on
            if self._newest is not None:
                self._replace(Picture(flipped(self._newest.pixels), self._newest.origin))
        self._call(self.on_frame)

    @property
    def frozen(self) -> bool:
        """Whether the picture stands though the source goes on; what comes meanwhile is thrown away."""
        return self._frozen

    @frozen.setter
    def frozen(self, on: bool) -> None:
        with self._condition:
            if on == self._frozen:
                return
            self._frozen = on
            self._condition.notify_all()
        self._call(self.on_state)

    def pause(self) -> None:
        """Hold the picture that is shown."""
        self.frozen = True

    def play(self) -> None:
        """Go on after ``pause``."""
        self.frozen = False

    # For sub-classes, on the reader's thread ------------------------------------------------------------------------

    def _read(self) -> None:
        """Read until there is no more or ``_stop`` is set; a UserError that it raises makes the source fail."""
        raise NotImplementedError

    def _interrupt(self) -> None:
        """Break off what the reader waits for, called by ``close`` from another thread."""

    def _publish(self, pixels: npt.NDArray[np.uint8], index: int | None = None, seconds: float | None = None) -> None:
        """Make RGB uint8 (H, W, 3) the newest picture. The array must not be changed afterwards."""
        mirror = self._mirror
        if mirror:
            pixels = flipped(pixels)
        with self._condition:
            self.frames += 1
            self._arrivals.append(time.monotonic())
            if self._stop or (self._frozen and self._newest is not None):
                return
            if mirror != self._mirror:  # it was changed while this frame was turned
                pixels = flipped(pixels)
            if not self._taken:
                self.dropped += 1
            self._replace(Picture(pixels, Origin(self.kind, self.name, self._path, index, seconds=seconds)))
        self._call(self.on_frame)

    def _say(self, state: State, trouble: str = "") -> None:
        """Change what the source says about itself."""
        with self._condition:
            if (state, trouble) == (self._state, self._trouble):
                return
            self._state, self._trouble = state, trouble
            self._condition.notify_all()
        self._call(self.on_state)

    def _stopped(self) -> bool:
        """Whether ``close`` was called."""
        return self._stop

    def _rest(self, seconds: float) -> None:
        """Wait, but not beyond ``close``."""
        with self._condition:
            self._condition.wait_for(lambda: self._stop, max(0.0, seconds))

    # Inside ---------------------------------------------------------------------------------------------------------

    @property
    def _over(self) -> bool:
        return self._stop or self._state in ("ended", "failed")

    def _result(self) -> Picture | None:
        if self._newest is None and self._state == "failed" and not self._stop:
            raise UserError(self._trouble)
        return self._newest

    def _replace(self, picture: Picture) -> None:
        self._newest = picture
        self._taken = False
        self._serial += 1
        self._condition.notify_all()

    def _call(self, callback: Callable[[], None] | None) -> None:
        if callback is not None and not self._stop:
            callback()

    def _body(self) -> None:
        try:
            self._read()
        except UserError as error:
            self._say("failed", str(error))
        except Exception as error:  # noqa: BLE001 - a thread has no one to raise to: the person reads the line
            if not self._stop:  # what breaks off because it was closed is no trouble
                self._say("failed", f"{self.name} stopped: {' '.join(str(error).split()) or type(error).__name__}")
