"""Looks at the test part of a run: each is written into its ``run.json`` and never taken back.

A figure on the test part is an honest estimate once. Whoever goes on changing things after having seen it chooses by
it, and it becomes one more validation part. So every look says when, by whom and with which weights it was taken, and
what it gave.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from guiapp.core.files import write_atomic
from guiapp.core.notices import UserError

By = Literal["train", "evaluate", "window"]
FIELD = "test_looks"
"""Name of the list in ``run.json``."""


def looks_of(info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The looks that ``run.json`` tells of, oldest first.

    A run of an earlier version that has figures of the test part in its summary was looked at once, by ``train``.
    """
    found = info.get(FIELD)
    if isinstance(found, list):
        return [look for look in found if isinstance(look, dict)]
    test = (info.get("summary") or {}).get("test")
    if not isinstance(test, dict):
        return []
    steps = (info.get("summary") or {}).get("steps")
    return [{"by": "train", "step": steps, "dataset": info.get("dataset"), "accuracy": test.get("accuracy")}]


def read_looks(folder: Path | None) -> list[dict[str, Any]]:
    """The looks at the test part of the run in a folder; none where there is no run, or it cannot be read."""
    if folder is None:
        return []
    with contextlib.suppress(OSError, ValueError):
        info = json.loads((folder / "run.json").read_text())
        return looks_of(info) if isinstance(info, dict) else []
    return []


def add_look(
    folder: Path, by: By, accuracy: float, step: int | None = None, dataset: str = "", time: str | None = None
) -> list[dict[str, Any]]:
    """Count a look, also while another process writes the run; return all looks.

    Args:
        folder: The run folder.
        by: Who looked.
        accuracy: What was seen.
        step: Step of the weights that were looked at.
        dataset: Name of the data set.
        time: When, ISO 8601; now by default.

    Raises:
        UserError: If it cannot be counted.
    """
    from guiapp.training.run_folder import now

    look = {"time": time or now(), "by": by, "step": step, "dataset": dataset, "accuracy": accuracy}
    try:
        with counting(folder):
            info = json.loads((folder / "run.json").read_text())
            looks = [*looks_of(info), look]
            info[FIELD] = looks
            write_atomic(folder / "run.json", json.dumps(info, indent=1) + "\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"a look at the test part cannot be counted in {folder / 'run.json'} ({reason}): make it writable, or copy "
            "the run"
        ) from None
    return looks


def merge_looks(folder: Path, info: dict[str, Any]) -> None:
    """Take over into ``info`` the looks that others have written meanwhile; for who writes ``run.json`` anew."""
    written = read_looks(folder)
    if len(written) > len(info.get(FIELD) or ()):
        info[FIELD] = written


@contextlib.contextmanager
def counting(folder: Path) -> Iterator[None]:
    """One process at a time reads ``run.json`` and writes it back; waits for the others, a few seconds at most.

    A file system without locks, and a folder that cannot be written, go without.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".looks.lock", thread_local=False)
    with contextlib.suppress(Timeout, OSError, NotImplementedError):
        lock.acquire(timeout=5)
    try:
        yield
    finally:
        lock.release()


def counted(looks: list[dict[str, Any]]) -> dict[str, int]:
    """How often in all, and by whom, for JSON."""
    return {"count": len(looks), **{who: sum(look.get("by") == who for look in looks) for who in get_args(By)}}
