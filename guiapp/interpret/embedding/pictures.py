"""Which pictures are laid out: samples of a data set, the files of a folder, frames of a recorded video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture, rgb
from guiapp.datasets.base import PARTS, Dataset

Labels = npt.NDArray[np.int64]
Parts = Literal["train", "validation", "test", "all"]
Sample = tuple[str, int]

_THUMBNAIL = 64
_SMALL_FROM = 4000
_SMALL = 40
_SEED = 0


class Pictures(Protocol):
    """Some pictures in a fixed order.

    Attributes:
        name: Tells them from others: what was worked out for a name holds for all of that name.
        title: What a person reads.
        classes: Names of their classes, or empty.
        labels: int64 (N,), index of the class of each, -1 where it has none.
        moments: float32 (N,), seconds in the video, or None.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    labels: Labels
    moments: npt.NDArray[np.float32] | None

    def __len__(self) -> int:
        """How many."""
        ...

    def picture(self, index: int) -> Picture:
        """One of them, whole."""
        ...

    def each(self) -> Iterator[Picture | None]:
        """All of them in their order; None for one that cannot be read."""
        ...

    def thumbnail(self, index: int) -> npt.NDArray[np.uint8] | None:
        """One of them small, uint8 (h, w, 3); None where it has not been read yet."""
        ...

    def caption(self, index: int) -> str:
        """What a person calls it."""
        ...

    def sample(self, index: int) -> Sample | None:
        """Part and index in the open data set, or None."""
        ...


class DataPictures:
    """Samples of a data set, drawn at random with a fixed seed where not all are wanted.

    Args:
        dataset: The data set.
        part: Its part, or ``"all"`` three.
        most: How many at most; 0 for all.
    """

    moments: npt.NDArray[np.float32] | None = None

    def __init__(self, dataset: Dataset, part: Parts = "validation", most: int = 2000) -> None:
        names = [name for name in (PARTS if part == "all" else (part,)) if len(dataset.part(name))]
        if not names:
            raise UserError(f"{dataset.title} has no {part} part: choose another")
        self.dataset = dataset
        lengths = [len(dataset.part(name)) for name in names]
        total = sum(lengths)
        chosen = np.arange(total)
        if 0 < most < total:
            chosen = np.sort(np.random.default_rng(_SEED).choice(total, most, replace=False))
        which = np.searchsorted(np.cumsum(lengths), chosen, side="right")
        self._parts = names
        self._which = which.astype(np.int8)
        self.indices: Labels = (chosen - np.concatenate([[0], np.cumsum(lengths)])[which]).astype(np.int64)
        self.labels: Labels = np.concatenate([np.asarray(dataset.part(name).labels) for name in names])[chosen]
        self.classes = dataset.classes
        self.name = f"{dataset.name} {id(dataset):x} {part} {most if most < total else 0}"
        self.title = f"{dataset.title}, {part}"

    def __len__(self) -> int:
        return len(self.indices)

    def _place(self, index: int) -> tuple[str, int]:
        return self._parts[self._which[index]], int(self.indices[index])

    def picture(self, index: int) -> Picture:
        """One sample with its true class."""
        part, at = self._place(index)
        return self.dataset.picture(part, at)  # type: ignore[arg-type]

    def each(self) -> Iterator[Picture | None]:
        """All samples in their order."""
        for index in range(len(self)):
            yield self.picture(index)

    def arrays(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Samples ``start`` to ``stop``, uint8 (n, H, W, C)."""
        found = np.empty((stop - start, *self.dataset.train.images.shape[1:]), np.uint8)
        which, indices = self._which[start:stop], self.indices[start:stop]
        for number, name in enumerate(self._parts):
            mine = which == number
            if mine.any():
                found[mine] = self.dataset.part(name).images[indices[mine]]
        return found

    def thumbnail(self, index: int) -> npt.NDArray[np.uint8] | None:
        """One sample, thinned by a whole step where it is large."""
        part, at = self._place(index)
        image = self.dataset.part(part).images[at]  # type: ignore[arg-type]
        step = -(-max(image.shape[:2]) // _THUMBNAIL)
        return rgb(np.array(image[::step, ::step]))

    def caption(self, index: int) -> str:
        """Its part and place in it."""
        part, at = self._place(index)
        return f"{part} {at}"

    def sample(self, index: int) -> Sample | None:
        """Its part and place in it."""
        return self._place(index)

    def find(self, sample: Sample) -> int | None:
        """Which of the pictures a sample is, or None."""
        part, at = sample
        if part not in self._parts:
            return None
        found = np.flatnonzero((self.indices == at) & (self._which == self._parts.index(part)))
        return int(found[0]) if len(found) else None


class _Read:
    """Thumbnails of what was read once."""

    moments: npt.NDArray[np.float32] | None = None

    def __init__(self, count: int) -> None:
        self._side = _SMALL if count > _SMALL_FROM else _THUMBNAIL
        self._thumbnails: dict[int, npt.NDArray[np.uint8]] = {}

    def _keep(self, index: int, picture: Picture) -> Picture:
        if index not in self._thumbnails:
            from guiapp.core.decode import resized, within

            self._thumbnails[index] = resized(picture.pixels, *within(picture.size, self._side))
        return picture

    def thumbnail(self, index: int) -> npt.NDArray[np.uint8] | None:
        """One of them small; None where it has not been read yet."""
        return self._thumbnails.get(index)

    def sample(self, index: int) -> Sample | None:
        """They are samples of no data set."""
        return None


class FolderPictures(_Read):
    """Every picture file below a folder; files of a sub-folder are a class by its name.

    Args:
        path: The folder.
        most: How many at most, drawn at random with a fixed seed; 0 for all.

    Raises:
        UserError: If there is no such folder or it holds no pictures.
    """

    def __init__(self, path: str | Path, most: int = 2000) -> None:
        from guiapp.sources.folder import FolderSource, natural_key

        source = FolderSource(path)
        while not source.more(0.5):
            pass
        files = [source.file(index) for index in range(len(source))]
        source.close()
        root = source.path
        if 0 < most < len(files):
            chosen = np.sort(np.random.default_rng(_SEED).choice(len(files), most, replace=False))
            files = [files[index] for index in chosen.tolist()]
        super().__init__(len(files))
        self.files: Sequence[Path] = files
        tops = [parts[0] if len(parts := file.relative_to(root).parts) > 1 else "" for file in files]
        self.classes = tuple(sorted({top for top in tops if top}, key=natural_key))
        number = {name: index for index, name in enumerate(self.classes)}
        self.labels: Labels = np.array([number.get(top, -1) for top in tops], np.int64)
        self.name = f"{root.absolute()} {most} {len(files)}"
        self.title = root.name or str(root)

    def __len__(self) -> int:
        return len(self.files)

    def picture(self, index: int) -> Picture:
        """One file, decoded."""
        from guiapp.sources.image_file import read_picture

        return read_picture(self.files[index])

    def each(self) -> Iterator[Picture | None]:
        """All files in their order."""
        for index in range(len(self)):
            try:
                yield self._keep(index, self.picture(index))
            except UserError:
                yield None

    def caption(self, index: int) -> str:
        """Name of the file, after its folder where it has a class."""
        label = int(self.labels[index])
        return f"{self.classes[label]}/{self.files[index].name}" if label >= 0 else self.files[index].name


class VideoPictures(_Read):
    """Frames of a recorded video, evenly spread over it.

    Args:
        path: The file.
        most: How many at most; 0 for every frame.

    Raises:
        UserError: If it cannot be read.
    """

    classes: tuple[str, ...] = ()

    def __init__(self, path: str | Path, most: int = 600) -> None:
        from guiapp.sources.video_reader import VideoReader

        self.path = Path(path).expanduser()
        reader = VideoReader(self.path)
        try:
            while not reader.scan(0.5):
                pass
            count = max(1, reader.count)
            wanted = min(count, most or count)
            self.frames: Labels = np.unique(np.linspace(0, count - 1, wanted).round().astype(np.int64))
            moments = [reader.time_of(int(frame)) for frame in self.frames]
        finally:
            reader.close()
        super().__init__(len(self.frames))
        self.moments = np.array(moments, np.float32)
        self.labels: Labels = np.full(len(self.frames), -1, np.int64)
        self.name = f"{self.path.absolute()} {most}"
        self.title = self.path.name

    def __len__(self) -> int:
        return len(self.frames)

    def _made(self, index: int, pixels: npt.NDArray[np.uint8]) -> Picture:
        assert self.moments is not None
        frame, seconds = int(self.frames[index]), float(self.moments[index])
        return Picture(pixels, Origin("video", self.path.name, self.path, frame, seconds=seconds))

    def picture(self, index: int) -> Picture:
        """One frame, decoded."""
        from guiapp.sources.video_reader import VideoReader

        reader = VideoReader(self.path)
        try:
            pixels = reader.frame(int(self.frames[index]))
        finally:
            reader.close()
        if pixels is None:
            raise UserError(f"frame {int(self.frames[index])} of {self.path.name} cannot be decoded")
        return self._made(index, pixels)

    def each(self) -> Iterator[Picture | None]:
        """All frames in their order, decoded once from the first to the last."""
        from guiapp.sources.video_reader import VideoReader

        reader = VideoReader(self.path)
        try:
            for index, frame in enumerate(self.frames.tolist()):
                pixels = reader.frame(frame)
                yield None if pixels is None else self._keep(index, self._made(index, pixels))
        finally:
            reader.close()

    def caption(self, index: int) -> str:
        """Number and time of the frame."""
        assert self.moments is not None
        return f"frame {int(self.frames[index])}, {float(self.moments[index]):.2f} s"
