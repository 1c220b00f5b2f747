"""Recordings: RGB frames into an MP4 file that is there whole or not at all."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.sources.opencv import load

CODEC = "mp4v"
"""MPEG-4 part 2, the codec that every build of OpenCV's wheel can write; H.264 is in none of them."""

_RESERVE = 20_000_000  # bytes that stay free on the disk: the index of the file is written at its end
_LONGEST = 10.0  # seconds for which a frame may be repeated: a stream that was lost for an hour is not recorded so


class Recorder:
    """Writes one MP4 file. Not for several threads at a time.

    The first frame decides the size; others are fitted into it with black borders, and odd sizes get one more column or
    row, because the codec halves the colours. As a context manager it finishes, or discards after an exception. Before
    the disk is full it finishes by itself: what was recorded so far is there and can be played.

    Attributes:
        path: Where the file will be.
        fps: Frames a second of the file.
        frames: Frames written so far.
    """

    def __init__(self, path: str | Path, fps: float = 25.0, codec: str = CODEC) -> None:
        """Prepare to write; the file is opened with the first frame.

        Raises:
            UserError: If the folder cannot be written to, or the name does not end in ``.mp4``.
            ValueError: If the rate is not between 0.1 and 240.
        """
        if not 0.1 <= fps <= 240:
            raise ValueError(f"fps must be within 0.1 and 240, not {fps}")
        self.path = Path(path).expanduser()
        self.fps = fps
        self.frames = 0
        if self.path.suffix.lower() != ".mp4":
            raise UserError(f"{self.path.name}: recordings are MP4 files, so the name must end in .mp4")
        self._codec = codec
        self._writer: Any = None
        self._size = 0, 0
        self._held: tuple[float, npt.NDArray[np.uint8]] | None = None
        self._begun = 0.0
        self._finished = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._part = self.path.with_name(f".{self.path.stem[:40]}-{secrets.token_hex(4)}.mp4")
            self._part.open("xb").close()
        except OSError as error:
            raise UserError(f"{self.path.parent} cannot be written to: {error.strerror or error}") from error

    @property
    def seconds(self) -> float:
        """Length of what was written so far."""
        return self.frames / self.fps

    @property
    def bytes(self) -> int:
        """Bytes on disk so far."""
        try:
            return self._part.stat().st_size
        except OSError:
            return 0

    def write(self, pixels: npt.NDArray[np.uint8], seconds: float | None = None) -> None:
        """Append a frame.

        Args:
            pixels: RGB uint8 (H, W, 3); read only.
            seconds: When it was shown, on any clock that goes forward. Given for every frame, each is repeated or left
                out so that the recording lasts as long as what it shows. Without it every frame is written once.

        Raises:
            UserError: If the codec is missing: nothing is left then. If the disk is full: the file then holds what was
                recorded so far, and the message says how much.
        """
        if seconds is None:
            self._append(pixels)
            return
        if self._held is None:
            self._begun = seconds
        else:
            self._repeat(seconds)
        self._held = seconds, pixels

    def finish(self) -> Path:
        """Complete the file and put it in its place; one that is there already is replaced.

        Raises:
            UserError: If there is no frame, or the file is not whole because the disk was full.
        """
        try:
            if self._held is not None:
                self._append(self._held[1])
                self._held = None
            if self._writer is None:
                raise UserError(f"{self.path.name}: there was nothing to record")
            self._writer.release()
            self._writer = None
            self._check_whole()
            with self._part.open("rb+") as stream:
                os.fsync(stream.fileno())
            self._part.replace(self.path)
            self._finished = True
        except OSError as error:
            raise UserError(f"{self.path.name} could not be written: {error.strerror or error}") from error
        finally:
            self.discard()
        return self.path

    def keep(self) -> Path | None:
        """End with what is there, whatever happened: the finished file, or None where there is none."""
        if self._writer is None and self._held is None:
            self.discard()
            return self.path if self._finished else None
        with contextlib.suppress(UserError):
            return self.finish()
        return None

    def discard(self) -> None:
        """Leave nothing behind. May be called again, and after ``finish`` without effect."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._held = None
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.discard()

    def _repeat(self, seconds: float) -> None:
        """Write the frame that was held as often as its time asks for."""
        assert self._held is not None
        since, pixels = self._held
        gap = seconds - since
        if not 0 <= gap <= _LONGEST:  # a clock that went back, or a source that was lost
            self._begun += gap - min(max(gap, 0.0), _LONGEST)
        while self.frames / self.fps < seconds - self._begun - 1e-6:
            self._append(pixels)

    def _append(self, pixels: npt.NDArray[np.uint8]) -> None:
        cv2 = load()
        if self._finished:
            raise UserError(f"{self.path.name} is finished: nothing can be added")
        try:
            self._check_space()
            if self._writer is None:
                self._open(cv2, pixels)
            self._writer.write(cv2.cvtColor(self._fitted(cv2, pixels), cv2.COLOR_RGB2BGR))
        except UserError:
            self.discard()
            raise
        self.frames += 1

    def _open(self, cv2: Any, pixels: npt.NDArray[np.uint8]) -> None:
        height, width = pixels.shape[:2]
        self._size = width + width % 2, height + height % 2
        code = cv2.VideoWriter.fourcc(*self._codec)
        self._writer = cv2.VideoWriter(str(self._part.absolute()), cv2.CAP_FFMPEG, code, self.fps, self._size)
        if not self._writer.isOpened():
            raise UserError(
                f"{self.path.name} cannot be recorded: this OpenCV has no {self._codec} codec for {width} x {height} "
                "pixels; install opencv-python-headless from PyPI"
            )

    def _fitted(self, cv2: Any, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The frame in the size of the recording."""
        height, width = pixels.shape[:2]
        across, down = self._size
        if (width, height) == (across, down):
            return pixels
        if 0 <= across - width <= 1 and 0 <= down - height <= 1:
            padded: npt.NDArray[np.uint8] = np.pad(pixels, ((0, down - height), (0, across - width), (0, 0)), "edge")
            return padded
        factor = min(across / width, down / height)
        inner = max(1, min(across, round(width * factor))), max(1, min(down, round(height * factor)))
        fitted = np.zeros((down, across, 3), np.uint8)
        left, top = (across - inner[0]) // 2, (down - inner[1]) // 2
        fitted[top : top + inner[1], left : left + inner[0]] = cv2.resize(
            pixels, inner, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        )
        return fitted

    def _check_space(self) -> None:
        """End while there is room for the index; asking the system takes some microseconds."""
        free = shutil.disk_usage(self.path.parent).free
        if free >= _RESERVE:
            return
        self._held = None
        room = f"{self.path.parent} has {free / 1e6:.0f} MB free, make room"
        if self.frames and self.keep() is not None:
            raise UserError(f"{self.path.name} holds the first {self.seconds:.1f} s and no more: {room}")
        raise UserError(f"{self.path.name} cannot be recorded: {room}")

    def _check_whole(self) -> None:
        """OpenCV says nothing of bytes that could not be written: the index at the end of the file is missing then."""
        cv2 = load()
        written = cv2.VideoCapture(str(self._part.absolute()), cv2.CAP_FFMPEG)
        frames = int(written.get(cv2.CAP_PROP_FRAME_COUNT)) if written.isOpened() else 0
        written.release()
        if frames != self.frames:
            raise UserError(f"{self.path.name} could not be written whole: is {self.path.parent} full?")


def record(
    path: str | Path, frames: Iterable[npt.NDArray[np.uint8]], fps: float = 25.0, total: int | None = None
) -> Generator[tuple[float, str], None, Path]:
    """A job that records frames: yields the share done and a line of text after each; returns the path.

    Stopped by closing the generator, it leaves nothing behind.

    Args:
        path: Ends in ``.mp4``.
        frames: RGB uint8 (H, W, 3), one after the other.
        fps: Frames a second of the file.
        total: How many there will be, where that is known.

    Raises:
        UserError: If it cannot be written: see ``Recorder``.
    """
    recorder = Recorder(path, fps)
    with recorder:
        for pixels in frames:
            recorder.write(pixels)
            of = f" of {total}" if total else ""
            share = min(1.0, recorder.frames / total) if total else 0.0
            yield share, f"{recorder.path.name}: {recorder.frames}{of} frames, {recorder.bytes / 1e6:.1f} MB"
    return recorder.path
