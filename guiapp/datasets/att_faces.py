"""The AT&T faces (ORL): 40 people, ten grey portraits of each, six to learn from and four to test."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from guiapp.core import paths
from guiapp.core.notices import UserError
from guiapp.datasets.base import Dataset, Progress
from guiapp.datasets.folder import load_listing
from guiapp.datasets.listing import list_folder

SIDE = 112  # the files are 92 wide and 112 high; samples are stretched to squares as those of every folder
_PEOPLE, _EACH = 40, 10
_PLACES = ("att_faces", "orl_faces", "att-faces")


def folder() -> Path | None:
    """The first data folder's complete set, or None."""
    for root in paths.data_folders():
        for place in _PLACES:
            if all((root / place / f"s{person}" / f"{_EACH}.pgm").is_file() for person in (1, _PEOPLE)):
                return root / place
    return None


def available() -> bool:
    """Whether the files are on this machine."""
    return folder() is not None


def load(progress: Progress) -> Dataset:
    """Of each person the portraits 1 to 5 train, 6 validates, 7 to 10 test.

    Raises:
        UserError: If the files are not here or not complete.
    """
    found = folder()
    if found is None:
        raise UserError(
            "the AT&T faces are not on this machine: put the folders s1 to s40 of the Database of Faces (AT&T "
            f"Laboratories Cambridge) into {paths.downloads() / _PLACES[0]}"
        )
    listing = list_folder(found)
    if len(listing.classes) != _PEOPLE or len(listing.files) != _PEOPLE * _EACH:
        raise UserError(f"{found} holds {len(listing.files)} pictures of {len(listing.classes)} people, not 400 of 40")
    numbers = [int(Path(name).stem) for name in listing.files]
    parts = tuple("train" if n <= 5 else "validation" if n == 6 else "test" for n in numbers)
    stamps = tuple(f"{stamp} {part}" for stamp, part in zip(listing.stamps, parts, strict=True))
    dataset = load_listing(found, dataclasses.replace(listing, parts=parts, stamps=stamps), progress, SIDE)
    return dataclasses.replace(
        dataset,
        name="att-faces",
        title="Faces of 40 people",
        source="AT&T Laboratories Cambridge, Database of Faces (Samaria, Harter 1994)",
    )
