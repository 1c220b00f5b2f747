"""What pictures of which class a folder or .zip holds, found without reading them."""

import os
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from guiapp.core.decode import SUFFIXES
from guiapp.core.notices import UserError

PART_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
    "testing": "test",
}
"""Parts by the words that folders and tables call them."""


@dataclass(frozen=True)
class Listing:
    """Files by class.

    Attributes:
        root: The folder or the .zip.
        name: Its name.
        classes: Names of the classes, in natural order.
        files: Paths below the root, in natural order.
        labels: Class index of each file.
        parts: Part of each file (``"train"`` ...) where the folder brings its own parts, else ``""``.
        stamps: What changes when a file changes.
    """

    root: Path
    name: str
    classes: tuple[str, ...]
    files: tuple[str, ...]
    labels: tuple[int, ...]
    parts: tuple[str, ...]
    stamps: tuple[str, ...]


def list_folder(root: Path) -> Listing:
    """List the pictures below a folder.

    Raises:
        UserError: If it cannot be listed, or has not at least two sub-folders with pictures.
    """
    found: list[tuple[str, str]] = []
    try:
        os.scandir(root).close()
        for folder, inner, names in os.walk(root):
            inner[:] = [name for name in inner if not name.startswith((".", "__"))]
            prefix = Path(folder).relative_to(root).as_posix()
            for name in names:
                if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES:
                    found.append((f"{prefix}/{name}", _stamp(os.path.join(folder, name))))
    except OSError as error:
        raise UserError(f"{root} cannot be listed: {error.filename}: {error.strerror}") from error
    return _arrange(root, found)


def _stamp(path: str) -> str:
    """What changes when a file does; empty for a link to nothing, which is told with the files that cannot be read."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def list_zip(root: Path) -> Listing:
    """List the pictures in a .zip, without unpacking it.

    Raises:
        UserError: If it is no .zip or damaged, or has not at least two sub-folders with pictures.
    """
    try:
        with zipfile.ZipFile(root) as archive:
            found = [
                (info.filename, f"{info.file_size} {info.CRC}")
                for info in archive.infolist()
                if not info.is_dir()
                and PurePosixPath(info.filename).suffix.lower() in SUFFIXES
                and not any(part.startswith((".", "__")) for part in PurePosixPath(info.filename).parts)
            ]
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(f"{root.name} is neither a folder nor a .zip that can be read: {error}") from error
    return _arrange(root, found)


def _arrange(root: Path, found: Iterable[tuple[str, str]]) -> Listing:
    """Find the level of the classes: below folders that hold nothing but one folder, and below parts."""
    found = sorted(found, key=lambda pair: natural(pair[0]))
    split = [(PurePosixPath(name).parts, name, stamp) for name, stamp in found]
    depth = 0
    while _is_wrapper(split, depth):
        depth += 1
    usable = [entry for entry in split if len(entry[0]) > depth + 1]
    top = {entry[0][depth].lower() for entry in usable}
    has_parts = (
        "train" in {PART_NAMES.get(name) for name in top}
        and all(name in PART_NAMES for name in top)
        and all(len(entry[0]) > depth + 2 for entry in usable)
    )
    level = depth + 1 if has_parts else depth
    names = sorted({entry[0][level] for entry in usable}, key=natural)
    if len(names) < 2:
        raise UserError(
            f"{root.name} needs one sub-folder of pictures for each class, two or more; "
            + (f"only {names[0]} is there" if names else "there is none")
        )
    index = {name: n for n, name in enumerate(names)}
    return Listing(
        root=root,
        name=root.name,
        classes=tuple(names),
        files=tuple(entry[1] for entry in usable),
        labels=tuple(index[entry[0][level]] for entry in usable),
        parts=tuple(PART_NAMES[entry[0][depth].lower()] if has_parts else "" for entry in usable),
        stamps=tuple(entry[2] for entry in usable),
    )


def _is_wrapper(split: list[tuple[tuple[str, ...], str, str]], depth: int) -> bool:
    """Whether all pictures lie two or more levels below one single folder at this depth."""
    return (
        bool(split)
        and len({entry[0][depth] for entry in split if len(entry[0]) > depth}) == 1
        and all(len(entry[0]) > depth + 2 for entry in split)
    )


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key that puts ``"class 2"`` before ``"class 10"``; the text itself last, so that no two are equal."""
    parts = re.split(r"(\d+)", text)
    return [*((0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts if p), (2, 0, text)]
