"""Labels from a table: a CSV file that says which picture is of which class, and perhaps of which part."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from guiapp.core.decode import SUFFIXES
from guiapp.core.notices import UserError
from guiapp.datasets.listing import PART_NAMES, Listing, natural

SUFFIXES_OF_TABLES = (".csv", ".tsv")
_FILE = ("file", "filename", "file_name", "path", "image", "picture", "img", "id", "image_id", "name")
_LABEL = ("label", "class", "class_name", "category", "target", "species", "y")
_PART = ("part", "split", "set", "subset", "fold")
_LARGEST = 64_000_000  # bytes of a table


def list_csv(table: Path) -> Listing:
    """List the pictures that a table names; their files are not read, and files that are missing are listed too.

    The first line names the columns (``file``, ``label`` and perhaps ``part``, or other usual words for them); without
    such a line the first two columns are file and label. Files lie beside the table or in folders there, or are named
    from the root; an ending may be left out. Fields are separated by commas, semicolons or tabs.

    Args:
        table: The file.

    Raises:
        UserError: If it cannot be read, names no pictures, or a picture has two classes; the message gives the line.
    """
    rows = _rows(table)
    if not rows:
        raise UserError(f"{table.name} is empty: each line needs a file and its class")
    file, label, part, begins = _columns(rows[0][1])
    endings = _endings(table.parent)
    found: dict[str, tuple[str, str]] = {}
    for number, row in rows[begins:]:
        if len(row) <= max(file, label) or not row[file].strip() or not row[label].strip():
            raise UserError(f"{table.name}, line {number}: a file and its class are needed")
        name = _named(row[file].strip().replace("\\", "/"), table.parent, endings)
        own = _part(row[part], table, number) if part is not None and len(row) > part else ""
        entry = row[label].strip(), own
        if found.setdefault(name, entry) != entry:
            before = found[name][0]
            raise UserError(f"{table.name}, line {number}: {name} stands there twice, as {before} and {entry[0]}")
    classes = sorted({label for label, _ in found.values()}, key=natural)
    if len(classes) < 2:
        raise UserError(f"{table.name} names {'one class' if classes else 'no picture'}: two or more are needed")
    parts = [part for _, part in found.values()]
    if any(parts) and "train" not in parts:
        raise UserError(f"{table.name} names parts and none of them is train")
    if any(parts) and not all(parts):
        raise UserError(f"{table.name}: {parts.count('')} pictures have no part; name it for all of them, or for none")
    index = {name: number for number, name in enumerate(classes)}
    files = tuple(found)
    return Listing(
        root=table.parent,
        name=table.name,
        classes=tuple(classes),
        files=files,
        labels=tuple(index[label] for label, _ in found.values()),
        parts=tuple(parts),
        # Another class or part of a file makes other parts of the data set: what is kept of it is made anew.
        stamps=tuple(f"{_stamp(table.parent / name)} {entry}" for name, entry in found.items()),
    )


def _rows(table: Path) -> list[tuple[int, list[str]]]:
    """Lines that hold something, with their numbers."""
    try:
        if table.stat().st_size > _LARGEST:
            raise UserError(f"{table.name} is too large for a table of labels")
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = table.read_text(encoding="latin-1")
    except OSError as error:
        raise UserError(f"{table} cannot be read: {error.strerror}") from error
    first = text.split("\n", 1)[0]
    delimiter = max("\t;,", key=first.count)
    try:
        reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
        return [(reader.line_num, row) for row in reader if any(field.strip() for field in row)]
    except csv.Error as error:
        raise UserError(f"{table.name} cannot be read as a table: {error}") from None


def _columns(first: Sequence[str]) -> tuple[int, int, int | None, int]:
    """Columns of file, label and part, and the first line that is no heading."""
    names = [field.strip().casefold() for field in first]

    def column(wanted: Sequence[str]) -> int | None:
        return next((names.index(word) for word in wanted if word in names), None)

    file, label = column(_FILE), column(_LABEL)
    if file is not None and label is not None and file != label:
        return file, label, column(_PART), 1
    if len(first) < 2:
        raise UserError("a table of labels needs two columns: file and label")
    return 0, 1, 2 if len(first) > 2 and names[2] in PART_NAMES else None, 0


def _part(text: str, table: Path, number: int) -> str:
    word = text.strip().casefold()
    if word and word not in PART_NAMES:
        raise UserError(f"{table.name}, line {number}: a part is train, validation or test, not {text.strip()!r}")
    return PART_NAMES.get(word, "")


def _endings(folder: Path) -> dict[str, str]:
    """Pictures beside the table by their names without an ending, for tables that leave it out."""
    found: dict[str, str] = {}
    for root, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith((".", "__"))]
        for name in names:
            stem, ending = os.path.splitext(name)
            if ending.lower() in SUFFIXES:
                found.setdefault((Path(root) / stem).relative_to(folder).as_posix(), ending)
    return found


def _named(name: str, folder: Path, endings: dict[str, str]) -> str:
    if os.path.splitext(name)[1].lower() in SUFFIXES or (folder / name).is_file():
        return name
    return name + endings.get(name, "")


def _stamp(path: Path) -> str:
    try:
        about = path.stat()
    except OSError:
        return "missing"
    return f"{about.st_size} {about.st_mtime_ns}"
