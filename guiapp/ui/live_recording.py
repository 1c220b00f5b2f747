"""Two recordings with what is painted over the frames: what is shown now, and a whole video file frame by frame."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import UserError
from guiapp.sources.record import Recorder
from guiapp.ui.painters.frames import FramePainter, Pixels
from guiapp.ui.painters.look import PaintOptions

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.job import Step
    from guiapp.models.zoo.open import OpenedModel
    from guiapp.tasks.live_options import LiveOptions
    from guiapp.tasks.predictions import Drawn
    from guiapp.ui.painters.pairs import Pair
    from guiapp.ui.theme import Theme

_WAITING = 3  # pictures that may wait for the writer; of more the oldest goes


@dataclass(frozen=True)
class Recorded:
    """How a recording ended.

    Attributes:
        path: The file that can be played, or None where there is none.
        frames: Frames in it.
        seconds: Its length.
        bytes: Its size.
        reason: Why it ended before its time, or ``""``.
    """

    path: Path | None
    frames: int
    seconds: float
    bytes: int
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Shown:
    """One picture as it was shown.

    Attributes:
        picture: The picture.
        drawn: What was painted over it, or None; a pair where two networks were compared.
        look: How that was painted.
        over: Further layers, such as a note.
        at: When it was shown, by ``time.monotonic``.
    """

    picture: Picture
    drawn: Drawn | Pair | None
    look: PaintOptions
    over: Sequence[Any]
    at: float


class LiveRecording:
    """Records what is shown, as long as it is shown, on a thread of its own; the window never waits for it.

    A source that is lost leaves its last picture in the recording, for ten seconds at most. Pictures of another size
    are fitted into the first one's.

    Attributes:
        path: Where the file will be.
        missed: Pictures that were not written because painting and writing took too long.
    """

    def __init__(self, path: Path, fps: float, theme: Theme, on_end: Callable[[Recorded], None]) -> None:
        """Begin; the file is made with the first picture.

        Args:
            path: Ends in ``.mp4``.
            fps: Frames a second of the file.
            theme: Gives the colours.
            on_end: Called once at the end, on the thread of the recording.
        """
        self.path = path
        self.missed = 0
        self._fps = fps
        self._paint = FramePainter(theme)
        self._on_end = on_end
        self._condition = threading.Condition()
        self._waiting: deque[Shown] = deque()
        self._stop = 0.0
        self._recorder: Recorder | None = None
        self._thread = threading.Thread(target=self._body, name="recording", daemon=True)
        self._thread.start()

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._recorder.frames if self._recorder is not None else 0

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self.frames / self._fps

    @property
    def bytes(self) -> int:
        """Bytes on disk so far."""
        return self._recorder.bytes if self._recorder is not None else 0

    def offer(self, shown: Shown) -> None:
        """Take what is shown now; returns at once."""
        with self._condition:
            if self._stop:
                return
            if len(self._waiting) >= _WAITING:
                self._waiting.popleft()
                self.missed += 1
            self._waiting.append(shown)
            self._condition.notify_all()

    def stop(self) -> None:
        """End the recording; ``on_end`` tells when the file is whole."""
        with self._condition:
            self._stop = self._stop or time.monotonic()
            self._condition.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until the file is whole, with a limit."""
        self._thread.join(seconds)

    def _body(self) -> None:
        reason, path = "", None
        try:
            self._recorder = Recorder(self.path, self._fps)
            self._write(self._recorder)
            if self._recorder.frames:
                path = self._recorder.finish()
        except UserError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - a thread has no one to raise to: the person is told
            reason = f"{self.path.name}: the recording stopped: {error}"
        recorder = self._recorder
        if recorder is not None:
            path = recorder.keep()
        self._on_end(Recorded(path, self.frames, self.seconds, path.stat().st_size if path else 0, reason))

    def _write(self, recorder: Recorder) -> None:
        last = None
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stop or self._waiting)
                if not self._waiting:
                    break
                shown = self._waiting.popleft()
            self._paint.look = shown.look
            last = self._paint(shown.picture.pixels, shown.drawn, shown.over)
            recorder.write(last, shown.at)
        if last is not None:
            recorder.write(last, self._stop)  # the last picture was shown until now


class VideoCopy:
    """A whole video through the open network, or both that are compared, frame by frame: a job for the work lane.

    Attributes:
        path: Where the copy will be.
        frames: Frames written so far.
        count: Frames of the video; 0 until it is open.
        bytes: Bytes on disk so far.
        fps: Frames a second.
    """

    def __init__(
        self,
        source: Path,
        path: Path,
        opener: Callable[[], OpenedModel],
        options: LiveOptions,
        painter: FramePainter,
        over: Sequence[Any] = (),
        second: tuple[Callable[[], OpenedModel], Pair] | None = None,
    ) -> None:
        """Prepare the copy.

        Args:
            source: The video.
            path: Ends in ``.mp4``.
            opener: Opens the network for this copy alone: the live lane goes on with its own.
            options: Thresholds.
            painter: Paints the answers.
            over: Further layers.
            second: Opens the network beside it, and how both are shown together; None without a comparison.
        """
        self.path = path
        self._second = second
        self.frames = self.count = self.bytes = 0
        self.fps = 25.0
        self._source, self._opener, self._options = source, opener, options
        self._painter, self._over = painter, over
        self._begun = 0.0

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self.frames / self.fps

    @property
    def left(self) -> float | None:
        """Seconds that it still takes, where that can be told."""
        taken = time.monotonic() - self._begun
        if not self._begun or self.frames < 2 or taken < 0.5:
            return None
        return taken / self.frames * max(0, self.count - self.frames)

    def work(self) -> Generator[Step, None, Recorded]:
        """The job; stopped or broken off, the file holds the frames so far."""
        from guiapp.engine.annotate import Asker, PairAsker, annotate
        from guiapp.sources.video_reader import VideoReader

        yield 0.0, "opening the network"
        opened = self._opener()
        ask: Callable[[Picture], Any]
        if self._second is None:
            ask = Asker(opened, self._options)
        else:
            yield 0.0, "opening the second network"
            ask = PairAsker(opened, self._second[0](), self._options)
        with contextlib.closing(VideoReader(self._source)) as reader:
            while not reader.scan(0.1):
                yield 0.0, "looking through the video"
            self.count, self.fps = reader.count, reader.fps
            self._begun = time.monotonic()
            frames = annotate(reader, ask, self._paint, self.path)
            with contextlib.closing(frames):
                for index, _, size in frames:
                    self.frames, self.bytes = index + 1, size
                    yield (index + 1) / max(1, self.count), f"frame {index + 1:,} of {self.count:,}"
            if not self.frames:
                raise UserError(f"{self._source.name} holds no picture that can be decoded")
            return self.ended(reader.cut_off())

    def _paint(self, pixels: Pixels, answer: Any) -> Pixels:
        """A frame with one answer, or with both as they are shown together."""
        if self._second is None:
            return self._painter(pixels, answer, self._over)
        first, second, found = answer
        pair = replace(self._second[1], first=first, second=second, difference=found)
        return self._painter(pixels, pair, self._over)

    def ended(self, reason: str = "") -> Recorded:
        """What there is now that the job has ended."""
        there = self.frames > 0 and self.path.is_file()
        size = self.path.stat().st_size if there else 0
        return Recorded(self.path if there else None, self.frames, self.seconds, size, reason)
