"""The samples that a person collects: a vector, a thumbnail and a file each, in classes that come and go."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

Read = Callable[[], Pixels]
"""Gives a picture when its turn has come."""
THUMBNAIL = 44
"""Side of a thumbnail in pixels."""
LONGEST = 320
"""Longer side of what is kept of a picture, in pixels."""
_STRIP = 8


@dataclass
class Taught:
    """One class.

    Attributes:
        key: Tells it from others, also after it was renamed.
        name: What a person calls it.
        count: Its samples.
        strip: Thumbnails of the newest, each uint8 (44, 44, 3), newest last.
    """

    key: int
    name: str
    count: int = 0
    strip: list[Pixels] = field(default_factory=list)


class Collection:
    """Samples of classes, in memory as vectors and thumbnails, on disk as picture files.

    Args:
        folder: Where files of pictures that have none are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.classes: list[Taught] = []
        self._vectors = np.empty((0, 0), np.float32)
        self._keys = np.empty(0, np.int64)
        self._files: list[Path] = []
        self._next = 0
        self._number = 0

    def __len__(self) -> int:
        return len(self._files)

    def add_class(self, name: str) -> int:
        """A new class; its key. A name that is taken gets a number."""
        self._next += 1
        self.classes.append(Taught(self._next, self._free(name, None)))
        return self._next

    def rename(self, key: int, name: str) -> None:
        """Call a class something else."""
        found = self.find(key)
        if found is not None and name.strip():
            found.name = self._free(name, key)

    def find(self, key: int) -> Taught | None:
        """The class of that key, or None."""
        return next((one for one in self.classes if one.key == key), None)

    def remove_class(self, key: int) -> None:
        """Forget a class with its samples."""
        self.classes = [one for one in self.classes if one.key != key]
        self._keep(self._keys != key)

    def remove_last(self, key: int) -> None:
        """Forget the newest sample of a class."""
        own = np.flatnonzero(self._keys == key)
        found = self.find(key)
        if len(own) and found is not None:
            keep = np.ones(len(self._keys), bool)
            keep[own[-1]] = False
            self._keep(keep)
            found.count -= 1
            del found.strip[-1:]

    def add(self, key: int, vector: Floats, pixels: Pixels, file: Path | None = None) -> None:
        """One more sample of a class; without a file its picture is written to one."""
        found = self.find(key)
        if found is None:  # it was removed while its samples waited
            return
        self._append(vector, key, file or self._write(pixels))
        found.count += 1
        found.strip = [*found.strip[-_STRIP + 1 :], thumbnail(pixels)]

    def forget_vectors(self) -> list[tuple[int, Path]]:
        """Take every sample out, for another network to look at: keys and files in their order."""
        listed = list(zip(self._keys.tolist(), self._files, strict=True))
        self._keep(np.zeros(len(self._files), bool))
        for one in self.classes:
            one.count, one.strip = 0, []
        return listed

    @property
    def vectors(self) -> Floats:
        """Vectors of all samples, (N, D)."""
        return self._vectors[: len(self._files)]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Place of each sample's class in ``classes``, (N,)."""
        places = {one.key: place for place, one in enumerate(self.classes)}
        return np.array([places[key] for key in self._keys.tolist()], np.int64)

    def save(self, target: Path) -> Iterator[tuple[float, str]]:
        """Copy all samples into a folder with one sub-folder a class; yields share and words.

        Files that are there already stay: new ones get numbers of their own.

        Raises:
            UserError: If it cannot be written.
        """
        folders = {one.key: target / folder_name(one.name, place) for place, one in enumerate(self.classes, 1)}
        try:
            numbers = {key: _first_free(folder) for key, folder in folders.items()}
            for done, (key, file) in enumerate(zip(self._keys.tolist(), list(self._files), strict=True)):
                folders[key].mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, folders[key] / f"{numbers[key]:05}{file.suffix.lower()}")
                numbers[key] += 1
                if done % 16 == 0:
                    yield done / max(len(self._files), 1), f"saving {done:,} of {len(self._files):,}"
        except OSError as error:
            raise UserError(f"the samples cannot be saved in {target}: {error.strerror or error}") from error

    def close(self) -> None:
        """Remove the files that were written for it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # ------------------------------------------------------------------ inside

    def _free(self, name: str, own: int | None) -> str:
        taken = {one.name for one in self.classes if one.key != own}
        name = " ".join(name.split())[:60] or "class"
        number, found = 2, name
        while found in taken:
            found, number = f"{name} {number}", number + 1
        return found

    def _append(self, vector: Floats, key: int, file: Path) -> None:
        count = len(self._files)
        if count == 0 or self._vectors.shape[1] != len(vector):
            self._vectors = np.empty((max(256, count), len(vector)), np.float32)
        if count == len(self._vectors):  # twice as many: each is copied once or twice in all
            self._vectors = np.concatenate([self._vectors, np.empty_like(self._vectors)])
        self._vectors[count] = vector
        self._keys = np.append(self._keys, key)
        self._files.append(file)

    def _keep(self, keep: npt.NDArray[np.bool_]) -> None:
        self._vectors = self.vectors[keep]
        self._keys = self._keys[keep]
        self._files = [file for file, kept in zip(self._files, keep.tolist(), strict=True) if kept]

    def _write(self, pixels: Pixels) -> Path:
        from PIL import Image

        self._number += 1
        small = max(pixels.shape[:2]) <= 64
        file = self.folder / f"{self._number:06}.{'png' if small else 'jpg'}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(pixels)
            image.save(file) if small else image.save(file, quality=95)
        except OSError as error:
            raise UserError(f"the sample cannot be kept in {self.folder}: {error.strerror or error}") from error
        return file


def folder_name(name: str, place: int) -> str:
    """A class's name as that of a folder on any system."""
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", name).strip(" .")
    return plain or f"class {place}"


def reduced(pixels: Pixels) -> Pixels:
    """A picture whose longer side is at most ``LONGEST``; smaller ones as they are, in memory of their own."""
    from guiapp.core.decode import resized, within

    height, width = pixels.shape[:2]
    if max(height, width) <= LONGEST:
        return np.array(pixels)
    return np.ascontiguousarray(resized(pixels, *within((width, height), LONGEST)))


def thumbnail(pixels: Pixels) -> Pixels:
    """The middle of a picture as a square of ``THUMBNAIL`` pixels."""
    from guiapp.core.decode import resized

    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(resized(pixels[top : top + side, left : left + side], THUMBNAIL, THUMBNAIL))


def _first_free(folder: Path) -> int:
    numbers = [int(file.stem) for file in folder.glob("*.*") if file.stem.isdecimal()] if folder.is_dir() else []
    return max(numbers, default=0) + 1


def varied(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A picture moved by up to a tenth, turned by up to 12 degrees and scaled by up to a tenth; its edge goes on."""
    import cv2

    small = reduced(pixels)
    height, width = small.shape[:2]
    angle, scale = random.uniform(-12, 12), random.uniform(0.9, 1.1)
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale), np.float64)
    matrix[:, 2] = matrix[:, 2] + random.uniform(-0.1, 0.1, 2) * np.array((width, height))
    moved = cv2.warpAffine(small, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
