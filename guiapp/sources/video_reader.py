"""Frames of a video file by their exact index, forward, backward and at random."""

from __future__ import annotations

import bisect
import itertools
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.sources.opencv import load, to_rgb

_BLOCK = 64  # packets between two looks at the clock
_BUDGET = 48_000_000  # bytes of frames kept for steps backward
_DAMAGED = 100  # frames in a row that cannot be decoded, after which a file counts as ended
_NEAR = 50  # frames that are decoded rather than jumped over while the table is not there


def check_file(path: Path) -> None:
    """See that there is a file with something in it.

    Raises:
        UserError: If it is missing, a folder, empty, or may not be read.
    """
    if path.is_dir():
        raise UserError(f"{path.name or path} is a folder, not a video")
    try:
        with path.open("rb") as stream:
            if not stream.read(1):
                raise UserError(f"{path.name} is empty")
    except FileNotFoundError as error:
        raise UserError(f"{path} is not there") from error
    except OSError as error:
        raise UserError(f"{path.name} cannot be opened: {error.strerror or error}") from error


class VideoReader:
    """One open video file. Not for several threads at a time.

    A container names a rate and a number of frames, and either may be wrong; players that compute an index from a time
    are off by some frames in a video of varying rate. Here a table of every packet's time stamp is read without
    decoding (a thousand take about 10 ms), so the index of a decoded frame is looked up, not computed.

    Attributes:
        path: The file.
        fps: Frames a second as the container says; 25 where it does not.
        index: Index of the frame that was reached last, -1 before the first.
        seconds: Its time, from the first frame.
        declared: Number of frames that the container names, 0 where it names none.
        damaged: Frames that were passed over because they cannot be decoded.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file.

        Raises:
            UserError: If it is missing, empty, a folder, damaged or no video.
        """
        self.path = Path(path).expanduser()
        check_file(self.path)
        self._cv2: Any = load()
        self._capture = self._open()
        fps = float(self._capture.get(self._cv2.CAP_PROP_FPS))
        self.fps = fps if 0.01 < fps < 10_000 else 25.0
        self.declared = max(0, int(self._capture.get(self._cv2.CAP_PROP_FRAME_COUNT)))
        self.index = -1
        self.seconds = 0.0
        self.damaged = 0
        self._first: int | None = None  # time stamp of the first frame in microseconds
        self._kept: dict[int, npt.NDArray[np.uint8]] = {}
        self._scan: Any = self._open(packets=True)
        self._found: list[tuple[int, bool]] = []
        self._ticks: list[int] = []
        self._times: list[float] = []
        self._keys: list[int] = []
        self._decodable: int | None = None

    @property
    def complete(self) -> bool:
        """Whether every time stamp is known."""
        return self._scan is None

    @property
    def count(self) -> int:
        """Number of frames: of packets once all are seen, before that as the container says."""
        if self._decodable is not None:
            return self._decodable
        return len(self._found) if self.complete and self._found else max(self.declared, self.index + 1)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return self._times[-1] + 1 / self.fps if self._times else self.count / self.fps

    def scan(self, seconds: float) -> bool:
        """Read further time stamps for at most this long; return whether all are known."""
        end = time.monotonic() + seconds
        cv2, scan = self._cv2, self._scan
        while scan is not None:
            for _ in range(_BLOCK):
                if not scan.grab():
                    self._finish_scan()
                    return True
                key = bool(scan.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME))
                self._found.append((_tick(scan.get(cv2.CAP_PROP_POS_MSEC)), key))
            if time.monotonic() > end:
                return False
        return True

    def grab(self) -> bool:
        """Decode the next frame without making pixels of it; False at the end. Damaged frames are passed over."""
        whole = self._capture.grab()
        there = whole or self._pass_over()
        if not there:
            if self._first is not None:
                self._decodable = self.index + 1
            return False
        tick = _tick(self._capture.get(self._cv2.CAP_PROP_POS_MSEC))
        if self._first is None:
            self._first = tick
        reached = self.index + 1
        if not whole:
            self.scan(float("inf"))
            place = bisect.bisect_left(self._ticks, tick)
            if reached < place < len(self._ticks) and self._ticks[place] == tick:
                self.damaged += place - reached
                reached = place
        self.index = reached
        self.seconds = (tick - self._first) / 1e6
        return True

    def _pass_over(self) -> bool:
        """Go on behind frames that cannot be decoded; False where there are none behind them."""
        for _ in range(_DAMAGED):
            if self.complete and self.index + 1 >= len(self._found):
                return False
            if self._capture.grab():
                return True
        return False

    def pixels(self) -> npt.NDArray[np.uint8] | None:
        """The frame that was reached, upright, RGB uint8 (H, W, 3); None where it cannot be decoded."""
        done, frame = self._capture.retrieve()
        return to_rgb(frame) if done else None

    def go(self, index: int) -> bool:
        """Reach the frame with this index; False where the video ends before it, with the last frame reached."""
        if index < 0:
            raise IndexError(f"there is no frame {index}")
        if index != self.index and not self._forward(index):
            self._jump(index)
        while self.index < index:
            if not self.grab():
                return False
        return True

    def frame(self, index: int, backward: bool = False) -> npt.NDArray[np.uint8] | None:
        """Pixels of one frame, RGB uint8 (H, W, 3); None where the video ends before it or it cannot be decoded.

        Args:
            index: Which one.
            backward: Whether the one before will be asked for next. The frames on the way from the last key frame are
                then kept, within 48 MB: each step back would cost decoding them all.
        """
        if index in self._kept:
            return self._kept[index]
        self._kept.clear()
        if backward and self.scan(float("inf")) and self._keys:
            key = self._keys[max(0, bisect.bisect_right(self._keys, index) - 1)]
            room = min(64, _BUDGET // max(1, 3 * math.prod(self.size)))
            for earlier in range(max(0, min(key, index - 1), index - room + 1), index):
                kept = self.pixels() if self.go(earlier) else None
                if kept is not None:
                    self._kept[earlier] = kept
        pixels = self.pixels() if self.go(index) else None
        if backward and pixels is not None:
            self._kept[index] = pixels
        return pixels

    def time_of(self, index: int) -> float:
        """Seconds from the first frame to this one; by the rate where its time stamp is not known."""
        if index == self.index:
            return self.seconds
        return self._times[index] if index < len(self._times) else index / self.fps

    def forget(self) -> None:
        """Let go of the frames kept for steps backward."""
        self._kept.clear()

    def find(self, seconds: float) -> int:
        """Index of the frame that is shown at this time, counted from the first frame; the nearest within the video."""
        self.scan(float("inf"))
        if self._times:
            return max(0, bisect.bisect_right(self._times, seconds + 1e-6) - 1)
        return max(0, min(self.count - 1, int(seconds * self.fps + 1e-6)))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in the file; a turned video is shown with the two exchanged."""
        cv2 = self._cv2
        return int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))

    def frames(self) -> Iterator[tuple[int, float, npt.NDArray[np.uint8]]]:
        """Index, time in seconds and pixels of every frame from here to the end, none left out."""
        while self.grab():
            pixels = self.pixels()
            if pixels is not None:
                yield self.index, self.seconds, pixels

    def rewind(self) -> None:
        """Go before the first frame."""
        self._kept.clear()
        self._capture.release()
        self._capture = self._open()
        self.index, self.seconds = -1, 0.0

    def close(self) -> None:
        """Close the file. May be called again."""
        self._kept.clear()
        self._capture.release()
        if self._scan is not None:
            self._scan.release()

    def cut_off(self) -> str:
        """What to tell of a file that ended before its time, or ``""``. Asked at its end."""
        read, missing = self.index + 1, self.declared - (self.index + 1)
        # Containers without an exact number estimate it from the length: some frames are no sign of damage.
        if missing > 2 + 0.05 * self.declared:
            return f"{self.path.name} is cut off or damaged: it ends after {read} of {self.declared} frames"
        if self.damaged:
            frames = "1 frame" if self.damaged == 1 else f"{self.damaged} frames"
            return f"{self.path.name} is damaged: {frames} could not be decoded"
        return ""

    def _open(self, packets: bool = False) -> Any:
        cv2 = load()
        # Limits on a file would fail it after the machine slept; decoding on more threads than four only costs memory.
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 0, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 0]
        options += [cv2.CAP_PROP_FORMAT, -1] if packets else [cv2.CAP_PROP_N_THREADS, min(4, os.cpu_count() or 1)]
        # A path from the root: in "a:b.mp4" the decoder would take "a" for a protocol.
        capture = cv2.VideoCapture(str(self.path.absolute()), cv2.CAP_FFMPEG, options)
        if not capture.isOpened():
            capture.release()
            if _lacks_index(self.path):
                raise UserError(f"{self.path.name} is cut off: the index at its end is missing, so nothing can be read")
            raise UserError(f"{self.path.name} is damaged or no video that can be read (MP4, MOV, AVI, MKV, WebM ...)")
        return capture

    def _finish_scan(self) -> None:
        self._scan.release()
        self._scan = None
        found = sorted(self._found)
        ticks = [tick for tick, _ in found]
        # Without a stamp of its own for each packet the table is no use: frames are then counted from the start.
        if found and all(a < b for a, b in itertools.pairwise(ticks)):
            self._ticks = ticks
            self._times = [(tick - ticks[0]) / 1e6 for tick in ticks]
            self._keys = [i for i, (_, key) in enumerate(found) if key]

    def _forward(self, index: int) -> bool:
        """Whether decoding on is the shortest way."""
        if index < self.index:
            return False
        if not self.complete and index - self.index <= _NEAR:
            return True
        self.scan(float("inf"))
        after = bisect.bisect_right(self._keys, index) - 1
        return not self._ticks or after < 0 or self._keys[after] <= self.index + 1

    def _jump(self, index: int) -> None:
        """Come to a frame at or before ``index``, and know which."""
        self.scan(float("inf"))
        if self._decodable is not None and index >= self._decodable:
            index = self._decodable - 1
        back = 0
        while self._ticks and index - back > 0 and index - back < len(self._ticks):
            self._capture.set(self._cv2.CAP_PROP_POS_FRAMES, round(self._ticks[index - back] * self.fps / 1e6))
            if self._capture.grab():
                tick = _tick(self._capture.get(self._cv2.CAP_PROP_POS_MSEC))
                found = bisect.bisect_left(self._ticks, tick)
                if found <= index and found < len(self._ticks) and self._ticks[found] == tick:
                    self.index, self.seconds = found, self._times[found]
                    return
            back = max(4, 4 * back)
        self.rewind()


def _lacks_index(path: Path) -> bool:
    """Whether this is an MP4 or QuickTime file whose recording or download broke off before the index was written."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            at = 0
            kinds: list[bytes] = []
            while at + 8 <= size and len(kinds) < 64:
                stream.seek(at)
                head = stream.read(16)
                kinds.append(head[4:8])
                length = int.from_bytes(head[:4], "big")
                length = int.from_bytes(head[8:16], "big") if length == 1 else length or size
                at += max(8, length)
    except OSError:
        return False
    return kinds[:1] == [b"ftyp"] and b"moov" not in kinds


def _tick(milliseconds: float) -> int:
    """A time stamp as a whole number of microseconds. OpenCV's own PTS is none: it is rounded to the mean rate."""
    return round(milliseconds * 1000)
