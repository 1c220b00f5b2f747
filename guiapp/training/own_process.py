"""Runs and searches as processes of their own, which go on when the program that began them ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOG = "log.txt"


def spawn(words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Begin ``guiapp`` with arguments, free of this process and its terminal; what it says goes into ``log``.

    Raises:
        OSError: If the process cannot be begun.
    """
    with log.open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "guiapp", *words], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            start_new_session=os.name == "posix", env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip


def last_line(log: Path) -> str:
    """The last line that such a process has said, or nothing."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def go_on(folder: Path, experiment: str) -> subprocess.Popen[bytes]:
    """Let a process of its own go on with the run in a folder, which nobody writes at the moment.

    Raises:
        OSError: If the process cannot be begun.
    """
    return spawn(["train", experiment, "--resume", "--run-dir", str(folder)], folder / LOG)


def may_stop(info: Mapping[str, Any]) -> bool:
    """Whether the process that writes a run is one of this program's on this machine, which ends well when asked."""
    import psutil

    from guiapp.training.watched import always_watched, written_elsewhere

    if always_watched(info) or not written_elsewhere(info) or info.get("processes", 1) > 1:
        return False
    if info.get("host") != _host():
        return False
    try:
        words = psutil.Process(int(info["pid"])).cmdline()
    except (psutil.Error, ValueError):
        return False
    return any("guiapp" in word for word in words) and "train" in words


def ask_to_stop(info: Mapping[str, Any]) -> None:
    """Ask the process that writes a run to finish its step, write a checkpoint and end."""
    if may_stop(info):
        os.kill(int(info["pid"]), signal.SIGTERM)


def _host() -> str:
    from guiapp.training.run_folder import writer

    return str(writer()["host"])
