"""A folder of pictures, with its sub-folders, of any size: the first picture is there at once."""

import os
import re
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guiapp.core.decode import SUFFIXES, decode, resized, within
from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture


def natural_key(path: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts ``"img2"`` before ``"img10"``, whatever the case."""
    parts = re.split(r"(\d+)", path.casefold())
    return tuple((0, int(p), p) if p.isdecimal() else (1, 0, p) for p in parts if p)


class FolderSource:
    """Pictures of a folder in natural order, found by their ending and decoded when they are asked for.

    Listing goes in slices: the constructor spends at most ``seconds`` on it, ``more`` goes on. Meanwhile indices may
    shift; the current picture stays the current one.

    Attributes:
        name: The folder's name.
        live: False.
        path: The folder.
        complete: Whether all files are listed.
        index: Position of the current picture.
    """

    live = False

    def __init__(self, path: str | Path, seconds: float = 0.1) -> None:
        """List the folder for at most ``seconds``, or until a first picture is found.

        Raises:
            UserError: If there is no such folder, it cannot be listed, or it holds no picture.
        """
        self.path = Path(path).expanduser()
        self.name = self.path.name or str(self.path)
        self.index = 0
        self.complete = False
        self._files: list[str] = []
        self._current: tuple[str, Picture] | None = None
        self._started = False
        self._closed = False
        if not self.path.is_dir():
            raise UserError(f"{self.path} is not a folder" if self.path.exists() else f"{self.path} is not there")
        self._walk = self._find()
        self.more(seconds)
        while not self._files and not self.complete:
            self.more(seconds)
        if not self._files:
            raise UserError(f"{self.path} holds no pictures (PNG, JPEG, WebP, TIFF, BMP, GIF ...)")

    def __len__(self) -> int:
        return len(self._files)

    def file(self, index: int) -> Path:
        """The file at a position."""
        return self.path / self._files[index]

    def more(self, seconds: float = 0.05) -> bool:
        """List further files for at most this long; return whether the listing is complete."""
        if self.complete or self._closed:
            return True
        end = time.monotonic() + seconds
        found = []
        for name in self._walk:
            found.append(name)
            if len(found) % 256 == 0 and time.monotonic() > end:
                break
        else:
            self.complete = True
        current = self._files[self.index] if self._files and self._started else None
        self._files.extend(found)
        self._files.sort(key=natural_key)
        self.index = self._files.index(current) if current is not None else 0
        return self.complete

    def picture(self, index: int) -> Picture:
        """Read the picture at a position, without making it the current one.

        Raises:
            UserError: If it cannot be read.
            IndexError: If there is no such position.
        """
        file = self.file(index)
        decoded = decode(file, self._files[index])
        return Picture(decoded.pixels, Origin("file", self._files[index], path=file, index=index), note=decoded.note)

    def thumbnail(self, index: int, size: int = 96) -> npt.NDArray[np.uint8]:
        """A small version, uint8 (h, w, 3), longer side at most ``size``.

        Raises:
            UserError: If it cannot be read.
        """
        decoded = decode(self.file(index), self._files[index], at_least=(size, size))
        return resized(decoded.pixels, *within((decoded.pixels.shape[1], decoded.pixels.shape[0]), size))

    def go(self, index: int) -> Picture | None:
        """Make the picture at a position the current one and read it.

        Raises:
            UserError: If it cannot be read; it is the current one all the same.
            IndexError: If there is no such position.
        """
        if self._closed:
            return None
        self.file(index)
        self.index, self._started = index % len(self._files), True
        return self.latest()

    def latest(self) -> Picture | None:
        """The current picture, read when it is first asked for."""
        if self._closed:
            return None
        self._started = True
        name = self._files[self.index]
        if self._current is None or self._current[0] != name:
            self._current = name, self.picture(self.index)
        return self._current[1]

    def next(self) -> Picture | None:
        """Go on by one; the first call gives the first picture. None behind the last."""
        return self.latest() if not self._started else self._step(1)

    def previous(self) -> Picture | None:
        """Go back by one; None before the first."""
        return self._step(-1)

    def close(self) -> None:
        """Forget the listing's place and the picture."""
        self._closed = True
        self._current = None
        self._walk.close()

    def _step(self, by: int) -> Picture | None:
        if by > 0 and self.index + 1 >= len(self._files):
            self.more()
        if self._closed or not 0 <= self.index + by < len(self._files):
            return None
        return self.go(self.index + by)

    def _find(self) -> Generator[str, None, None]:
        """Paths relative to the folder; what may not be listed is passed over, links to folders are not followed."""
        waiting = [""]
        while waiting:
            inner = waiting.pop()
            folders = []
            try:
                entries = os.scandir(self.path / inner)
            except OSError as error:
                if not inner:
                    raise UserError(f"{self.path} cannot be listed: {error.strerror}") from error
                continue
            with entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(os.path.join(inner, entry.name))
                    elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                        yield os.path.join(inner, entry.name)
            waiting.extend(sorted(folders, key=natural_key, reverse=True))
