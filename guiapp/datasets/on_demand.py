"""Pictures of a folder or .zip that do not all fit decoded: the first are kept, the others decoded when needed."""

from __future__ import annotations

import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.core.decode import decode
from guiapp.core.notices import UserError
from guiapp.datasets.reading import opened, portable

_AT_ONCE = 4
_LARGEST_MEMBER = 500_000_000  # bytes of one file in a .zip


class PicturesOnDemand:
    """Looks like an array, uint8 (N, H, W, C), of which some rows are read and others decoded.

    Attributes:
        shape, dtype, ndim: As of an array.
        decodes: Whether some rows have to be decoded.
    """

    def __init__(
        self, root: Path, files: tuple[str, ...], kept: npt.NDArray[np.uint8], threads: int = _AT_ONCE
    ) -> None:
        """Nothing is read.

        Args:
            root: The folder or .zip.
            files: Path of every sample below it.
            kept: The first samples, decoded; its last three dimensions are those of all.
            threads: How many files are decoded at once.
        """
        self._root, self._files, self._kept, self._threads = root, files, kept, threads
        self.shape = (len(files), *kept.shape[1:])
        self.dtype, self.ndim = np.dtype(np.uint8), 4
        self.decodes = len(files) > len(kept)

    def __len__(self) -> int:
        return len(self._files)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype)

    def __getitem__(self, place: Any) -> npt.NDArray[np.uint8]:
        """The samples at ``place``: a number, a slice or an array of numbers; further indices hold inside them.

        Raises:
            UserError: If a file cannot be read any more.
        """
        inner: tuple[Any, ...] = ()
        if isinstance(place, tuple):
            place, inner = place[0], place[1:]
        rows = np.arange(len(self))[place]
        wanted = np.atleast_1d(rows)
        found: npt.NDArray[np.uint8] = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        here = wanted < len(self._kept)
        found[here] = self._kept[wanted[here]]
        missing = np.flatnonzero(~here)
        if len(missing) > 1 and self._threads > 1:
            with ThreadPoolExecutor(self._threads, thread_name_prefix="decode") as pool:
                for at, pixels in zip(missing, pool.map(self._decode, wanted[missing].tolist()), strict=True):
                    found[at] = pixels
        else:
            for at in missing:
                found[at] = self._decode(int(wanted[at]))
        if not np.ndim(rows):
            one: npt.NDArray[np.uint8] = found[0][inner] if inner else found[0]
            return one
        return found[(slice(None), *inner)] if inner else found

    def portable(self) -> _Portable:
        """What another process needs to read the same."""
        return _Portable(self._root, self._files, portable(self._kept))

    def _decode(self, row: int) -> npt.NDArray[np.uint8]:
        name = self._files[row]
        source = self._root / name if self._root.is_dir() else unzip(*_archive(self._root), name)
        height, width, channels = self.shape[1:]
        pixels: npt.NDArray[np.uint8] = decode(source, name, exactly=(width, height)).pixels[:, :, :channels]
        return pixels


class _Portable:
    """A ``PicturesOnDemand`` on its way to another process, which decodes one file at a time."""

    def __init__(self, root: Path, files: tuple[str, ...], kept: Any) -> None:
        self.root, self.files, self.kept = root, files, kept

    def open(self) -> PicturesOnDemand:
        """The images again."""
        return PicturesOnDemand(self.root, self.files, opened(self.kept), threads=1)


@cache
def _archive(root: Path) -> tuple[zipfile.ZipFile, threading.Lock]:
    return zipfile.ZipFile(root), threading.Lock()


def unzip(archive: zipfile.ZipFile, lock: threading.Lock, name: str) -> bytes:
    """Content of one member; a damaged, encrypted or absurdly large one is unreadable like any other file.

    Raises:
        UserError: If it cannot be unpacked.
    """
    try:
        if archive.getinfo(name).file_size > _LARGEST_MEMBER:
            raise UserError(f"{name} is too large")
        with lock:
            return archive.read(name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, KeyError, ValueError) as error:
        raise UserError(f"{name} cannot be unpacked: {error}") from error
