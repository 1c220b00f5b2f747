"""Writing files so that a killed process leaves the old or the new one, never half of one."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


def open_beside(path: Path) -> tuple[int, str]:
    """A new empty file beside ``path``, open for reading and writing: its descriptor and its name.

    Its mode is what the umask leaves, as that of any file that is written plainly: ``tempfile.mkstemp`` would keep it
    from everybody else, who may be the reader of a shared disk.
    """
    while True:
        name = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with contextlib.suppress(FileExistsError):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
            return os.open(name, flags, 0o666), str(name)


def folder_beside(path: Path) -> Path:
    """A new empty folder beside ``path``, with the mode that the umask leaves."""
    while True:
        name = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with contextlib.suppress(FileExistsError):
            name.mkdir()
            return name


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write ``content`` beside ``path``, flush it to disk, and rename it into place; its mode obeys the umask."""
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = open_beside(path)
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
    working = folder_beside(path)
    try:
        yield working
        for file in working.iterdir():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
        if path.exists():
            old = folder_beside(path)
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
