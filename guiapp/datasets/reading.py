"""Samples read in another process, spawned and without torch: it is asked for rows and sends their pixels.

The process ends when the pipe to it closes, so also when the program that started it is killed.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.datasets.base import Part

_JOIN_SECONDS = 1.0


@dataclass(frozen=True)
class Mapped:
    """Where the numbers of a memory map lie, so that another process can map the same file."""

    file: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    def open(self) -> npt.NDArray[Any]:
        """Map the file, to be read."""
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        return np.memmap(self.file, self.dtype, "r", self.offset, self.shape)


def portable(images: Any) -> Any:
    """Images in a form that is small when it is sent to another process; see ``opened``."""
    if isinstance(images, np.memmap):
        whole = images
        while isinstance(whole.base, np.memmap):
            whole = whole.base
        # A part is a slice of whole rows: it begins so many bytes after the whole.
        begin = images.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        return Mapped(str(whole.filename), images.dtype.str, images.shape, int(whole.offset) + begin)
    return images.portable() if hasattr(images, "portable") else images


def opened(images: Any) -> Any:
    """The inverse of ``portable``, in the process that reads."""
    return images.open() if hasattr(images, "open") else images


class ReadingProcess:
    """One process that reads rows of images; used by one thread at a time."""

    def __init__(self, images: Mapping[Part, Any]) -> None:
        """Start it.

        Args:
            images: Arrays, or what looks like them, uint8 (N, H, W, C), by part.
        """
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        sent = {part: portable(of) for part, of in images.items()}
        self._process = context.Process(target=_serve, args=(theirs, sent), name="reading", daemon=True)
        self._process.start()
        theirs.close()

    def read(self, part: Part, rows: npt.NDArray[np.int64], into: memoryview) -> None:
        """Read rows of a part into a buffer of their size.

        Raises:
            UserError: If one cannot be read.
            EOFError: If the process has ended.
        """
        self._pipe.send((part, rows))
        error = self._pipe.recv()
        if error is not None:
            raise UserError(error)
        self._pipe.recv_bytes_into(into)

    def close(self) -> None:
        """End it."""
        self._pipe.close()
        self._process.join(_JOIN_SECONDS)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(_JOIN_SECONDS)


def _serve(pipe: Connection, images: Mapping[Part, Any]) -> None:
    """Answer until the pipe closes. A Ctrl-C is for the program, which closes it."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    there = {part: opened(of) for part, of in images.items()}
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            part, rows = pipe.recv()
            try:
                pixels = np.ascontiguousarray(there[part][rows])
            except UserError as error:
                pipe.send(str(error))
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, the program is to hear of it
                pipe.send(f"{type(error).__name__}: {error}")
                continue
            pipe.send(None)
            pipe.send_bytes(pixels.data.cast("B"))
