"""What a data set is: labelled pictures with class names and three fixed parts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from guiapp.core.picture import Origin, Picture, rgb
from guiapp.core.registry import Registry

Part = Literal["train", "validation", "test"]
UNLABELLED = "unlabelled"
"""Name of the class of samples of which nobody has said what they show."""
PARTS: tuple[Part, ...] = ("train", "validation", "test")
SPLIT_SEED = 20231  # the split has its own fixed seed, not the run's


@dataclass(frozen=True, eq=False)
class Samples:
    """One part of a data set.

    Attributes:
        images: uint8, shape (N, H, W, C), C 1 or 3; an array or a memory map.
        labels: int64, shape (N,), class indices.
        paths: Files the samples came from, where there are files.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    paths: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled pictures, split once and for all.

    Attributes:
        name: Registry name, such as ``"digits"``.
        title: What a person reads, such as ``"Handwritten digits (scikit-learn)"``.
        classes: Class names by index.
        train, validation, test: The parts.
        mean, std: Per channel over the training part, on the scale 0 to 1; length C.
        from_drawing: Turns a drawing, uint8 (S, S), ink 255 on 0, into a sample, uint8 (H, W, C), the way this data
            set was made. None where a drawing makes no sense.
        augmentation: Name of the augmentation that recipes use by default (see ``training.augmentation``).
        source: Where the data comes from and its licence, one line.
        unreadable: Files that were left out, each as ``"file: reason"``.
        original_sizes: Width and height of the smallest and of the largest file, where samples come from files.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    train: Samples
    validation: Samples
    test: Samples
    mean: tuple[float, ...]
    std: tuple[float, ...]
    from_drawing: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] | None = None
    augmentation: str = "none"
    source: str = ""
    unreadable: tuple[str, ...] = ()
    original_sizes: tuple[tuple[int, int], tuple[int, int]] | None = None

    def part(self, name: Part) -> Samples:
        """The samples of one part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    @property
    def from_picture(self) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] | None:
        """What makes a sample of what is drawn on a picture file (see ``datasets.as_drawing``).

        None where the samples are picture files themselves: another file is then read as they were.
        """
        return None if len(self.train.paths) else self.from_drawing

    @property
    def sample_shape(self) -> tuple[int, int, int]:
        """Channels, height, width of a sample."""
        _, height, width, channels = self.train.images.shape
        return channels, height, width

    def picture(self, part: Part, index: int) -> Picture:
        """Sample ``index`` of a part as a picture with its true class."""
        samples = self.part(part)
        image = np.array(samples.images[index])
        origin = Origin("sample", f"{self.title} · {part} {index}", index=index, part=part)
        return Picture(rgb(image), origin, int(samples.labels[index]), sample=image)


Progress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and what is being done."""


@dataclass(frozen=True)
class DatasetEntry:
    """How a data set is listed and opened.

    Attributes:
        name: Registry name.
        title: What a person reads.
        load: Makes the data set; called with a progress callback. Raises ``UserError`` where the files are missing
            and cannot be fetched: the message names the file, where to get it and where to put it.
        available: Says without reading data whether ``load`` needs no download.
        size: Number of samples and shape, for the list.
    """

    name: str
    title: str
    load: Callable[[Progress], Dataset]
    available: Callable[[], bool]
    size: str = ""
    description: str = ""


DATASETS: Registry[DatasetEntry] = Registry("data set")


def channel_statistics(images: npt.NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel on the scale 0 to 1, exact, from (N, H, W, C) uint8."""
    means, deviations = [], []
    values = np.arange(256) / 255.0
    for channel in range(images.shape[3]):
        counts = np.zeros(256, np.int64)
        for block in _blocks(images):
            counts += np.bincount(block[..., channel].ravel(), minlength=256)
        share = counts / max(counts.sum(), 1)
        mean = float((share * values).sum())
        means.append(mean)
        deviations.append(float(np.sqrt((share * (values - mean) ** 2).sum())))
    return tuple(means), tuple(deviations)


def _blocks(images: npt.NDArray[np.uint8], length: int = 4096) -> Iterator[npt.NDArray[np.uint8]]:
    for start in range(0, len(images), length):
        yield np.asarray(images[start : start + length])
