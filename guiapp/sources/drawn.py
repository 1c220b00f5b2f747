"""A video that the program draws frame by frame: a live source with play, step, seek and loop without a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guiapp.sources.video import VideoSource

Draw = Callable[[int], npt.NDArray[np.uint8]]


class DrawnReader:
    """Draws frames by their index, as ``VideoReader`` decodes them. Not for several threads at a time.

    Attributes:
        fps: Pictures a second.
        count: Pictures.
        complete: True: their number is known.
        index: Index of the picture that was reached last, -1 before the first.
        seconds: Its time.
    """

    complete = True

    def __init__(self, draw: Draw, count: int, fps: float) -> None:
        self.fps, self.count = fps, count
        self.index, self.seconds = -1, 0.0
        self._draw = draw

    @property
    def duration(self) -> float:
        """How long all of them last."""
        return self.count / self.fps

    def scan(self, seconds: float) -> bool:
        """There is nothing to look through."""
        return True

    def go(self, index: int) -> bool:
        """Reach the picture with this index; False behind the last."""
        if not 0 <= index < self.count:
            return False
        self.index, self.seconds = index, self.time_of(index)
        return True

    def pixels(self) -> npt.NDArray[np.uint8]:
        """The picture that was reached."""
        return self._draw(self.index)

    def frame(self, index: int, backward: bool = False) -> npt.NDArray[np.uint8] | None:
        """The picture with this index."""
        return self.pixels() if self.go(index) else None

    def time_of(self, index: int) -> float:
        """Time of a picture."""
        return index / self.fps

    def find(self, seconds: float) -> int:
        """The picture of a time."""
        return max(0, min(self.count - 1, int(seconds * self.fps + 1e-6)))

    def forget(self) -> None:
        """Nothing is kept."""

    def cut_off(self) -> str:
        """Nothing is missing."""
        return ""

    def close(self) -> None:
        """Nothing is open."""


class DrawnSource(VideoSource):
    """Plays what is drawn, again and again.

    Args:
        name: What a person calls it.
        draw: Gives the pixels of a frame by its index, on the reader's thread.
        count: Frames.
        fps: Frames a second.
    """

    def __init__(self, name: str, draw: Draw, count: int, fps: float) -> None:
        self._drawn = draw, count, fps
        super().__init__(name, loop=True)
        self._path: Path | None = None  # no picture of it comes from a file

    def _check(self) -> None:
        """There is no file."""

    def _reader(self) -> DrawnReader:  # type: ignore[override]  # it has what a source asks of one, and opens no file
        return DrawnReader(*self._drawn)
