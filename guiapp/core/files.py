"""Writing files so that a killed process leaves the old or the new one, never half of one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write ``content`` beside ``path``, flush it to disk, and rename it into place."""
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


@contextlib.contextmanager
def folder_atomic(path: Path) -> Iterator[Path]:
    """Give a folder beside ``path`` to fill; on success it is flushed and renamed to ``path``, else removed.

    A folder already at ``path`` is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield working
        for file in working.iterdir():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
        if path.exists():
            old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-old."))
            path.replace(old / path.name)
            working.replace(path)
            shutil.rmtree(old)
        else:
            working.replace(path)
    except BaseException:
        shutil.rmtree(working, ignore_errors=True)
        raise


def folder_bytes(path: Path) -> int:
    """Bytes that the files below ``path`` take; 0 where there is no such folder."""
    total = 0
    for root, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size
    return total
