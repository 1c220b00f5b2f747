"""Fetching files over HTTP: resumed where they broke off, checked by digest, put in place whole or not at all."""

import contextlib
import hashlib
import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import filelock

from guiapp.core.notices import UserError

_BLOCK = 1 << 18
_TIMEOUT = 20.0
_ATTEMPTS = 4

Progress = Callable[[float, str], None]


class _WrongDigest(Exception):
    """The bytes that came are not the bytes that were asked for."""


def fetch(urls: str | Sequence[str], path: Path, digest: str, progress: Progress | None = None) -> Path:
    """Bring one file to ``path``, unless it is there already.

    What came so far stays beside ``path`` as ``<name>.part``: a later call asks the server for the rest and starts
    anew where the server cannot give it. The file is renamed into place once its digest is right.

    Args:
        urls: One address or several of the same file, tried in order; http or https.
        path: Where the file goes; folders are made.
        digest: Expected MD5 (32 hex digits), SHA-256 (64) or beginning of a SHA-256 (8 to 16, as names of published
            weights carry it), or ``""`` to take what comes.
        progress: Called with the share done (0 to 1) and one line of text. An exception that it raises stops the
            download, passes to the caller, and leaves the part for a later resume.

    Raises:
        UserError: If no address gives the right file; the message names file, address, reason and place.
    """
    report = progress or (lambda share, text: None)
    addresses = [urls] if isinstance(urls, str) else list(urls)
    for address in addresses:
        if not address.startswith(("http://", "https://")):
            raise ValueError(f"{address!r} is not an http or https address")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(path, report):
            if path.is_file():
                return path
            reasons = []
            for address in addresses:
                try:
                    return _fetch_one(address, path, digest, report)
                except (OSError, http.client.HTTPException, _WrongDigest) as error:
                    if isinstance(error, OSError) and error.filename and not isinstance(error, urllib.error.URLError):
                        raise  # the disk, not the network: another address is no help
                    reasons.append(_reason(error))
    except OSError as error:
        raise UserError(f"{path.name} could not be written to {path.parent}: {_reason(error)}") from error
    raise UserError(
        f"{path.name} could not be fetched ({'; '.join(dict.fromkeys(reasons))}): "
        f"get it from {addresses[0]} and put it in {path.parent}"
    )


def matches(path: Path, digest: str) -> bool:
    """Whether the file has this MD5 or (beginning of a) SHA-256 digest; an empty digest fits every file."""
    if not digest:
        return True
    algorithm = "md5" if len(digest) == 32 else "sha256"
    if len(digest) not in (32, 64, *range(8, 17)) or not re.fullmatch("[0-9a-fA-F]+", digest):
        raise ValueError(f"{digest!r} is neither an MD5 nor a SHA-256 digest")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    return found.startswith(digest.lower())


@contextlib.contextmanager
def _one_at_a_time(path: Path, report: Progress) -> Iterator[None]:
    """Hold off a second process or thread that fetches the same file; ``report`` may raise to stop the wait."""
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    while True:
        try:
            lock.acquire(timeout=0.25)
            break
        except filelock.Timeout:
            report(0.0, f"{path.name}: waiting for another download of it")
    try:
        yield
    finally:
        lock.release()


def _fetch_one(address: str, path: Path, digest: str, report: Progress) -> Path:
    """Fetch from one address; a connection that breaks off is taken up again while it brings something."""
    part = path.with_name(f"{path.name}.part")
    fruitless = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _receive(address, part, path.name, report)
        except (http.client.HTTPException, ConnectionError, TimeoutError):
            after = part.stat().st_size if part.exists() else 0
            fruitless = 0 if after > before else fruitless + 1
            if fruitless >= _ATTEMPTS:
                raise
            continue
        if matches(part, digest):
            break
        part.unlink()
        if before == 0:
            raise _WrongDigest("the server sent another file than the one asked for: its digest differs")
        # The old part may have come from another version or address: once more from the start.
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(path)
    report(1.0, f"{path.name}: fetched")
    return path


def _receive(address: str, part: Path, name: str, report: Progress) -> None:
    """Append what is missing to ``part``. Raises ``http.client.IncompleteRead`` where the server hangs up early."""
    have = part.stat().st_size if part.exists() else 0
    # Some servers compress on the way: the length and the range would then count other bytes than the file's.
    headers = {"User-Agent": "guiapp", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    report(0.0, f"{name}: connecting")
    try:
        # An opener of its own: the shared one keeps the proxies that were set when it was first used.
        opener = urllib.request.build_opener()
        response = opener.open(urllib.request.Request(address, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:  # nothing after what is there: it is complete, or of another file
            if _total(error.headers.get("Content-Range")) != have:
                part.unlink()
                _receive(address, part, name, report)
            return
        raise
    with response:
        resumed = response.status == 206 and _start(response.headers.get("Content-Range")) == have
        if response.status == 206 and not resumed:
            part.unlink()
            raise ConnectionError("the server sent another range than the one asked for")
        length = response.headers.get("Content-Length")
        done = have if resumed else 0
        total = done + int(length) if length and length.isdigit() else 0
        _check_space(part, total - done)
        with part.open("ab" if resumed else "wb") as stream:
            while block := response.read(_BLOCK):
                stream.write(block)
                done += len(block)
                of = f" of {total / 1e6:.1f}" if total else ""
                report(min(done / total, 1.0) if total else 0.0, f"{name}: {done / 1e6:.1f}{of} MB")
        if done < total:
            raise http.client.IncompleteRead(b"", total - done)


def _check_space(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise UserError(
            f"{part.stem} needs {needed / 1e6:.0f} MB and {part.parent} has {free / 1e6:.0f} MB free: make room"
        )


def _start(content_range: str | None) -> int | None:
    found = re.match(r"bytes (\d+)-", content_range or "")
    return int(found[1]) if found else None


def _total(content_range: str | None) -> int | None:
    found = re.search(r"/(\d+)$", content_range or "")
    return int(found[1]) if found else None


def _reason(error: BaseException) -> str:
    """The cause in plain words, without the class names that urllib wraps around it."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"no connection: {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return "the server hung up before the end"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
