"""A video file as a live source: played by its time stamps, stepped and sought by exact frames."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.core.picture import OriginKind
from guiapp.sources.live import LiveSource
from guiapp.sources.video_reader import VideoReader, check_file

SLOWEST, FASTEST = 0.25, 4.0
_BEHIND = 0.25  # seconds; who is later than that does not catch up but goes on from where it is
_SLICE = 0.02  # seconds that reading time stamps may take between two frames


class VideoSource(LiveSource):
    """Plays a video file.

    Frames that are late are decoded but not converted, and counted as dropped. With ``every`` nothing is dropped and
    nothing waits for the clock: the next frame is made while the last is being looked at, as exports and benchmarks
    need it.

    Attributes:
        path: The file.
    """

    kind: ClassVar[OriginKind] = "video"

    def __init__(
        self,
        path: str | Path,
        *,
        speed: float = 1.0,
        loop: bool = False,
        every: bool = False,
        paused: bool = False,
        mirror: bool = False,
        on_frame: Callable[[], None] | None = None,
        on_state: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to play; the file is decoded on the reader's thread.

        Raises:
            UserError: If it is missing, a folder, empty or may not be read.
            ValueError: If the speed is not within 0.25 and 4.
        """
        self.path = Path(path).expanduser()
        self._check()
        super().__init__(self.path.name, path=self.path, mirror=mirror, on_frame=on_frame, on_state=on_state)
        self.loop = loop
        self._every = every
        self._moving = not paused
        self._speed = _checked(speed)
        self._wanted: tuple[Literal["frame", "time"], float] | None = None
        self._steps = 0
        self._shown = -1
        self._next = 0  # the frame to be played next; the reader may have decoded it already
        self._seconds = 0.0
        self._about = (0, 0.0, 0.0)  # frames, seconds and frames a second of the file
        self._anchor: tuple[float, float, float] | None = None  # a clock, its time in the video, speed

    @property
    def index(self) -> int:
        """Index of the frame that is shown, -1 before the first."""
        return self._shown

    @property
    def seconds(self) -> float:
        """Time of the frame that is shown, from the first frame."""
        return self._seconds

    @property
    def count(self) -> int:
        """Number of frames; 0 until the file is open. The container's figure until the file was looked through."""
        return self._about[0]

    @property
    def duration(self) -> float:
        """Length in seconds; 0 until the file is open."""
        return self._about[1]

    @property
    def fps(self) -> float:
        """Frames a second that the file names; 0 until it is open."""
        return self._about[2]

    @property
    def speed(self) -> float:
        """How many seconds of the video pass in one second, 0.25 to 4."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        speed = _checked(speed)
        self._order(lambda: setattr(self, "_speed", speed))

    def play(self) -> None:
        """Play on; at the end, from the start."""

        def order() -> None:
            if self._state == "ended" and self._wanted is None:
                self._wanted = "frame", 0
            self._moving = True

        self.frozen = False
        self._order(order)

    def pause(self) -> None:
        """Stop at the frame that is shown."""
        self._order(lambda: setattr(self, "_moving", False))

    def step(self, frames: int = 1) -> None:
        """Pause and go this many frames on, or back where negative; stops at either end. Steps add up."""

        def order() -> None:
            self._moving = False
            self._steps += frames

        self._order(order)

    def seek(self, frame: int) -> None:
        """Show the frame with this index, the nearest within the video. The newest order wins: nothing queues."""
        self._order(lambda: self._want("frame", frame))

    def seek_time(self, seconds: float) -> None:
        """Show the frame of this time, counted from the first frame."""
        self._order(lambda: self._want("time", seconds))

    # On the reader's thread -----------------------------------------------------------------------------------------

    def _check(self) -> None:
        """See that there is something to open."""
        check_file(self.path)

    def _reader(self) -> VideoReader:
        return VideoReader(self.path)

    def _reached(self, reader: VideoReader, target: int) -> int:
        """Index of what was given for the frame ``target``."""
        return target

    def _read(self) -> None:
        reader = self._reader()
        try:
            self._describe(reader)
            while not self._stop:
                if self._obey(reader):
                    continue
                if self._moving or self._shown < 0:
                    self._advance(reader)
                else:
                    self._idle(reader)
        finally:
            reader.close()

    def _obey(self, reader: VideoReader) -> bool:
        """Carry out a seek or steps; return whether there were any."""
        with self._condition:
            wanted, steps = self._wanted, self._steps
            if wanted is None and not steps:
                return False
            self._wanted, self._steps = None, 0
        reader.scan(float("inf"))
        if wanted is None:
            target = self._shown + steps
        else:
            target = (int(wanted[1]) if wanted[0] == "frame" else reader.find(wanted[1])) + steps
        target = max(0, min(target, reader.count - 1))
        pixels = reader.frame(target, backward=wanted is None and steps < 0)
        if pixels is None:  # the video ends before the end that its container names
            target = max(0, reader.index)
            pixels = reader.frame(target)
        target = self._reached(reader, target)
        self._describe(reader)
        self._next, self._anchor = target + 1, None
        if pixels is not None:
            self._show(target, reader.time_of(target), pixels)
        self._say("playing" if self._moving else "paused", self._trouble)
        return True

    def _advance(self, reader: VideoReader) -> None:
        """Show the next frame when it is due."""
        reader.forget()
        if not reader.go(self._next):
            self._end(reader)
            return
        now = time.monotonic()
        first = self._shown < 0
        if self._anchor is None or self._anchor[2] != self._speed:
            self._anchor = now, reader.seconds if first else self._seconds, self._speed
        due = self._anchor[0] + (reader.seconds - self._anchor[1]) / self._anchor[2]
        if not self._every and not first:
            if now - due > _BEHIND:
                self._anchor, due = (now, reader.seconds, self._anchor[2]), now
            elif now - due > 1 / (reader.fps * self._anchor[2]):
                self.dropped += 1
                self.frames += 1
                self._next = reader.index + 1
                return
        pixels = reader.pixels()
        if pixels is None:  # a damaged frame: the last one stays a little longer
            self._next = reader.index + 1
        elif self._await_turn(reader, due):
            self._next = reader.index + 1
            self._show(reader.index, reader.seconds, pixels)
            self._say("playing" if self._moving else "paused", self._trouble)

    def _await_turn(self, reader: VideoReader, due: float) -> bool:
        """Wait until a frame is due or, with ``every``, until the last one was taken; False if an order came first."""
        while not self._every and not reader.complete and due - time.monotonic() > 2 * _SLICE and not self._ordered:
            reader.scan(_SLICE)
            self._describe(reader)
        with self._condition:
            if self._every:
                self._condition.wait_for(lambda: self._ordered or self._taken)
            else:
                self._condition.wait_for(lambda: self._ordered, max(0.0, due - time.monotonic()))
            return not self._ordered

    @property
    def _ordered(self) -> bool:
        """Whether something else is to be done than to play on."""
        paused = not self._moving and self._shown >= 0
        changed = self._anchor is not None and self._anchor[2] != self._speed
        return self._stop or paused or changed or self._wanted is not None or self._steps != 0

    def _end(self, reader: VideoReader) -> None:
        """Behind the last frame."""
        if reader.index < 0:
            raise UserError(f"{self.name} holds no picture that can be decoded")
        trouble = reader.cut_off()
        self._describe(reader)
        if self.loop and self._moving:
            self._next = 0
            if self._anchor is not None:  # the last frame has its time too
                clock, start, speed = self._anchor
                self._anchor = clock + (self._seconds + 1 / reader.fps - start) / speed, 0.0, speed
            self._say("playing", trouble)
            return
        with self._condition:
            if self._ordered:
                return
            self._moving = False
        self._say("ended", trouble)

    def _idle(self, reader: VideoReader) -> None:
        """Paused or ended: look through the file, then wait for an order."""
        self._anchor = None
        if self._state != "ended":
            self._say("paused", self._trouble)
        if not reader.complete:
            reader.scan(_SLICE)
            self._describe(reader)
            return
        with self._condition:
            self._condition.wait_for(lambda: self._stop or self._moving or self._wanted is not None or self._steps != 0)

    def _show(self, index: int, seconds: float, pixels: npt.NDArray[np.uint8]) -> None:
        self._shown, self._seconds = index, seconds
        self._publish(pixels, index, seconds)

    def _describe(self, reader: VideoReader) -> None:
        self._about = reader.count, reader.duration, reader.fps

    # From other threads ---------------------------------------------------------------------------------------------

    def _order(self, change: Callable[[], None]) -> None:
        with self._condition:
            change()
            self._condition.notify_all()

    def _want(self, kind: Literal["frame", "time"], value: float) -> None:
        self._wanted, self._steps = (kind, value), 0


def _checked(speed: float) -> float:
    if not SLOWEST <= speed <= FASTEST:
        raise ValueError(f"speed must be within {SLOWEST} and {FASTEST}, not {speed}")
    return float(speed)
