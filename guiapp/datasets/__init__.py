"""Labelled data in, with fixed training, validation and test parts.

Importing this room registers the known sets; nothing is read or imported until one is opened.
"""

from pathlib import Path

from guiapp.core.notices import SettingError
from guiapp.core.registry import Lazy, UnknownName
from guiapp.datasets.base import DATASETS, Dataset, DatasetEntry, Progress

__all__ = ["DATASETS", "Dataset", "DatasetEntry", "open_dataset", "own_place"]


def open_dataset(name: str | Path, progress: Progress | None = None) -> Dataset:
    """Open a registered set by name; a folder or .zip with one sub-folder per class, or a .csv of labels, by its path.

    Args:
        name: Such as ``"mnist"``, ``"~/pictures/flowers"``, ``"folder:/home/me/flowers"``, or with the side of a sample
            in pixels at the end, ``"folder:/home/me/flowers@64"``.
        progress: Called with the share done (0 to 1) and what is being done; may raise to stop.

    Raises:
        SettingError: If there is no such set, folder or .zip.
        UserError: If it cannot be read or fetched; the message says what to do.
    """
    report = progress or (lambda share, text: None)
    text = str(name)
    if text in DATASETS:
        return DATASETS[text].load(report)
    place = text.removeprefix("folder:")
    path, size = own_place(text)
    if path.exists():
        dataset: Dataset = Lazy("guiapp.datasets.folder:load")(path, report, size)
        return dataset
    if text != place or path.is_absolute() or len(path.parts) > 1:
        raise SettingError(f"there is no folder, .zip or .csv at {path}")
    try:
        entry = DATASETS[text]
    except UnknownName as error:
        raise SettingError(f"{error}; a folder or .zip of this name is not there either") from None
    return entry.load(report)


def own_place(name: str) -> tuple[Path, int]:
    """Where the folder, .zip or table of a name would be, with the side of a sample in pixels that it asks for."""
    place = name.removeprefix("folder:")
    path = Path(place).expanduser()
    before, at, side = place.rpartition("@")
    if not path.exists() and at and side.isdecimal():
        return Path(before).expanduser(), int(side)
    return path, 32


def _register(name: str, title: str, load: str, available: str | None, size: str, description: str) -> None:
    """Add an entry whose functions are imported when they are first called."""
    there = Lazy(f"guiapp.datasets.{available}") if available else lambda: True
    DATASETS.add(name, DatasetEntry(name, title, Lazy(f"guiapp.datasets.{load}"), there, size, description))


_register(
    "digits",
    "Handwritten digits (scikit-learn)",
    "digits:load",
    None,
    "1,797 of 8x8",
    "Digits by 43 people, always there: bitmaps of 32x32, ink counted in blocks of 4x4.",
)
_register(
    "mnist",
    "MNIST",
    "mnist:load_mnist",
    "mnist:mnist_available",
    "70,000 of 28x28",
    "Handwritten digits by 500 people: the measure of every digit reader since 1998.",
)
_register(
    "fashion-mnist",
    "Fashion-MNIST",
    "mnist:load_fashion",
    "mnist:fashion_available",
    "70,000 of 28x28",
    "Pieces of clothing in the format of MNIST, and harder.",
)
_register(
    "cifar10",
    "CIFAR-10",
    "cifar:load",
    "cifar:available",
    "60,000 of 32x32",
    "Small colour photographs of four vehicles and six animals.",
)
_register(
    "att-faces",
    "Faces of 40 people (AT&T)",
    "att_faces:load",
    "att_faces:available",
    "400 of 112x92",
    "Ten grey portraits of each of 40 people: six to learn from (one of them validates), four to test.",
)
