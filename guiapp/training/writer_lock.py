"""One process writes in a folder at a time: it holds the lock file, which the system releases when the process dies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.core.notices import UserError

if TYPE_CHECKING:
    from filelock import FileLock

_NAME = ".lock"


class WriterLock:
    """The lock of one folder, not held at first."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._held: FileLock | None = None

    def acquire(self, refusal: str) -> None:
        """Become the writer; nothing where this object is that already.

        Raises:
            UserError: With ``refusal``, if another process, or another object of this one, writes here.
        """
        from filelock import FileLock, Timeout

        if self._held is not None:
            return
        lock = FileLock(self._path, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(refusal) from None
        self._held = lock

    def release(self) -> None:
        """Let others write."""
        lock, self._held = self._held, None
        if lock is not None:
            lock.release()

    def is_held(self) -> bool:
        """Whether this or another process is the writer now."""
        from filelock import FileLock, Timeout

        if self._held is not None:
            return True
        if not self._path.exists():
            return False
        probe = FileLock(self._path, thread_local=False)
        try:
            probe.acquire(timeout=0)
        except (Timeout, OSError):
            return True
        probe.release()
        return False
