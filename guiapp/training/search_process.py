"""Begins a search as a process of its own, which goes on when the program that began it ends."""

from __future__ import annotations

import subprocess
from pathlib import Path

from guiapp.training.own_process import LOG, last_line, spawn
from guiapp.training.search_record import SearchFolder


def begin(folder: SearchFolder) -> subprocess.Popen[bytes]:
    """Let a process of its own go on with a search that nobody carries out; what it says goes into ``log.txt``.

    The folder's lock is let go of, so that the process can take it.

    Raises:
        OSError: If the process cannot be begun.
    """
    folder.release()
    (folder.path / "stop").unlink(missing_ok=True)
    return spawn(["search", "--resume", str(folder.path)], folder.path / LOG)


def last_words(folder: Path) -> str:
    """The last line that the process of a search has said, or nothing."""
    return last_line(folder / LOG)
