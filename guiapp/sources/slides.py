"""A folder of pictures as a live source: a picture a second, with play, step, seek and speed as of a video."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.sources.folder import FolderSource
from guiapp.sources.video import VideoSource

RATE = 1.0  # pictures a second at the speed of one


class SlideReader:
    """The pictures of a folder by their index, as ``VideoReader`` gives frames. Not for several threads at a time.

    Attributes:
        path: The folder.
        fps: Pictures a second.
        index: Index of the picture that was reached last, -1 before the first.
        seconds: Its time.
    """

    fps = RATE

    def __init__(self, path: Path) -> None:
        """List the folder.

        Raises:
            UserError: If there is no such folder, or it holds no picture.
        """
        self.path = path
        self.index, self.seconds = -1, 0.0
        self._folder = FolderSource(path)
        self._unread: list[str] = []

    @property
    def complete(self) -> bool:
        """Whether all files are listed."""
        return self._folder.complete

    @property
    def count(self) -> int:
        """Pictures that are listed so far."""
        return len(self._folder)

    @property
    def duration(self) -> float:
        """How long all of them last."""
        return self.count / RATE

    def scan(self, seconds: float) -> bool:
        """List further files for at most this long; return whether all are listed."""
        end = time.monotonic() + seconds
        while not self._folder.more(min(seconds, 0.05)) and time.monotonic() < end:
            pass
        return self.complete

    def go(self, index: int) -> bool:
        """Reach the picture with this index; False behind the last."""
        while index >= self.count and not self.complete:
            self._folder.more()
        if not 0 <= index < self.count:
            return False
        self.index, self.seconds = index, self.time_of(index)
        return True

    def pixels(self) -> npt.NDArray[np.uint8] | None:
        """The picture that was reached; None where its file cannot be read."""
        try:
            return self._folder.picture(self.index).pixels
        except UserError as error:
            if str(error) not in self._unread:
                self._unread.append(str(error))
            return None

    def frame(self, index: int, backward: bool = False) -> npt.NDArray[np.uint8] | None:
        """The picture with this index, or the next one (going backward: the one before) that can be read."""
        while self.go(index):
            pixels = self.pixels()
            if pixels is not None:
                return pixels
            index += -1 if backward else 1
        return None

    def time_of(self, index: int) -> float:
        """Time of a picture."""
        return index / RATE

    def find(self, seconds: float) -> int:
        """The picture of a time."""
        return max(0, min(self.count - 1, int(seconds * RATE)))

    def forget(self) -> None:
        """Nothing is kept."""

    def cut_off(self) -> str:
        """One line on files that could not be read, or ``""``."""
        if not self._unread:
            return ""
        more = f" and {len(self._unread) - 1} more" if len(self._unread) > 1 else ""
        return f"{self._unread[0]}{more}: passed over"

    def close(self) -> None:
        """Let go of the folder."""
        self._folder.close()


class SlideSource(VideoSource):
    """Shows the pictures of a folder and of those in it, in natural order, one a second.

    Attributes:
        path: The folder.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        mirror: bool = False,
        on_frame: Callable[[], None] | None = None,
        on_state: Callable[[], None] | None = None,
    ) -> None:
        """Prepare to show; pictures are read on the reader's thread.

        Raises:
            UserError: If there is no such folder, or it holds no picture.
        """
        SlideReader(Path(path).expanduser()).close()  # so that what is wrong is told at once
        super().__init__(path, mirror=mirror, on_frame=on_frame, on_state=on_state)

    def _check(self) -> None:
        """The folder was looked at already."""

    def _reader(self) -> SlideReader:  # type: ignore[override]
        return SlideReader(self.path)

    def _reached(self, reader: Any, target: int) -> int:
        """Files that cannot be read are passed over."""
        return max(0, int(reader.index))
