"""Pictures over which units are looked at: a part of a data set, the files of a folder, frames of a recorded video."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from guiapp.core.decode import SUFFIXES
from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.datasets.base import Dataset, Part

if TYPE_CHECKING:
    from guiapp.sources.video_reader import VideoReader


class Pictures(Protocol):
    """Numbered pictures."""

    @property
    def title(self) -> str:
        """What a person reads."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of their classes; empty without."""
        ...

    def __len__(self) -> int: ...

    def picture(self, index: int) -> Picture:
        """One of them; raises ``UserError`` where it cannot be read."""
        ...

    def label(self, index: int) -> int:
        """Its class, -1 where there is none."""
        ...

    def key(self) -> str:
        """What changes when any of the pictures does."""
        ...


@dataclass(frozen=True, eq=False)
class PartPictures:
    """A part of a data set."""

    dataset: Dataset
    part: Part

    @property
    def title(self) -> str:
        """Name of the set and its part."""
        return f"{self.dataset.title}, {self.part}"

    @property
    def classes(self) -> tuple[str, ...]:
        """Of the data set."""
        return self.dataset.classes

    def __len__(self) -> int:
        return len(self.dataset.part(self.part))

    def picture(self, index: int) -> Picture:
        """A sample."""
        return self.dataset.picture(self.part, index)

    def label(self, index: int) -> int:
        """Its class."""
        return int(self.dataset.part(self.part).labels[index])

    def key(self) -> str:
        """Name, part, number and mean colour."""
        return f"{self.dataset.name} {self.part} {len(self)} {self.dataset.mean} {self.dataset.sample_shape}"


class FolderPictures:
    """The picture files in a folder and below it; folders directly in it are classes where there are at least two.

    Args:
        root: The folder.

    Attributes:
        title: Its name.
        classes: Names of the folders in it.
        files: The files, in order of their paths.

    Raises:
        UserError: If it cannot be read, or has no pictures.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.title = root.name or str(root)
        files: list[Path] = []
        try:
            os.scandir(root).close()
        except OSError as error:
            raise UserError(f"{root} cannot be read: {error.strerror}") from error
        for folder, inner, names in os.walk(root):
            inner[:] = sorted(name for name in inner if not name.startswith((".", "__")))
            files += [
                Path(folder) / name
                for name in sorted(names)
                if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES
            ]
        if not files:
            raise UserError(f"there are no pictures in {root}: choose another folder")
        self.files: Sequence[Path] = files
        inside = [file.relative_to(root).parts for file in files]
        names = sorted({parts[0] for parts in inside if len(parts) > 1})
        self.classes: tuple[str, ...] = tuple(names) if len(names) > 1 else ()
        place = {name: number for number, name in enumerate(self.classes)}
        self._labels = [place.get(parts[0], -1) if len(parts) > 1 else -1 for parts in inside]

    def __len__(self) -> int:
        return len(self.files)

    def picture(self, index: int) -> Picture:
        """A file, upright and in colour."""
        from guiapp.sources.image_file import read_picture

        return read_picture(self.files[index])

    def label(self, index: int) -> int:
        """The folder that it lies in."""
        return self._labels[index]

    def key(self) -> str:
        """Of the files' names, lengths and times."""
        digest = hashlib.blake2b(str(self.root.resolve()).encode(), digest_size=16)
        for file in self.files:
            try:
                about = file.stat()
            except OSError:
                continue
            digest.update(
                f"\0{file.relative_to(self.root)} {about.st_size} {about.st_mtime_ns}".encode(errors="replace")
            )
        return digest.hexdigest()


class VideoPictures:
    """The frames of a recorded video, by their index. They may be asked for by any thread, forward being quickest.

    Args:
        path: The file.

    Attributes:
        title: Its name.
        classes: None.

    Raises:
        UserError: If it cannot be read.
    """

    classes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        from guiapp.sources.video_reader import VideoReader

        self.path = path.expanduser()
        self.title = self.path.name
        self._lock = threading.Lock()
        self._reader: VideoReader = VideoReader(self.path)
        self._reader.scan(float("inf"))
        about = self.path.stat()
        self._key = f"{self.path.resolve()} {about.st_size} {about.st_mtime_ns}"

    def __len__(self) -> int:
        return max(1, self._reader.count)

    def picture(self, index: int) -> Picture:
        """A frame, decoded."""
        with self._lock:
            pixels = self._reader.frame(index)
            seconds = self._reader.time_of(index)
        if pixels is None:
            raise UserError(f"frame {index} of {self.title} cannot be decoded")
        return Picture(pixels, Origin("video", self.title, self.path, index, seconds=seconds))

    def label(self, index: int) -> int:
        """No class."""
        return -1

    def key(self) -> str:
        """Path, length and time of the file."""
        return self._key


def spread(count: int, most: int) -> list[int]:
    """At most so many of 0 … count - 1, evenly spread, the same ones each time."""
    if count <= most:
        return list(range(count))
    return [int(index) for index in np.linspace(0, count - 1, most).round().astype(np.int64)]


@dataclass(frozen=True)
class Source:
    """Where pictures come from, as a person chooses it; nothing is read yet.

    Attributes:
        kind: ``"part"`` of the open data set, ``"set"``: the test part of a registered one, ``"folder"`` of files,
            recorded ``"video"``.
        name: Of the part, of the set, or the path.
    """

    kind: Literal["part", "set", "folder", "video"]
    name: str

    def open(self, dataset: Dataset | None) -> Pictures:
        """The pictures; may take long.

        Args:
            dataset: The open data set.

        Raises:
            UserError: If they cannot be read.
        """
        if self.kind == "folder":
            return FolderPictures(Path(self.name))
        if self.kind == "video":
            return VideoPictures(Path(self.name))
        if self.kind == "set":
            from guiapp.datasets import open_dataset

            return PartPictures(open_dataset(self.name), "test")
        if dataset is None:
            raise UserError("no data set is open: choose a folder of pictures or a video")
        return PartPictures(dataset, self.name)  # type: ignore[arg-type]
