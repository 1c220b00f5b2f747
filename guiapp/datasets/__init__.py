"""Labelled data in, with fixed training, validation and test parts.

Importing this room registers the known sets; nothing is read or imported until one is opened.
"""

from collections.abc import Callable
from pathlib import Path

from guiapp.core.notices import UserError
from guiapp.core.registry import UnknownName, resolve
from guiapp.datasets.base import DATASETS, Dataset, DatasetEntry, Progress

__all__ = ["DATASETS", "Dataset", "DatasetEntry", "open_dataset"]


def open_dataset(name: str | Path, progress: Progress | None = None) -> Dataset:
    """Open a registered set by name, or a folder or .zip with one sub-folder per class by its path.

    Args:
        name: Such as ``"mnist"``, ``"~/pictures/flowers"`` or ``"folder:/home/me/flowers"``.
        progress: Called with the share done (0 to 1) and what is being done; may raise to stop.

    Raises:
        UserError: If there is no such set, or it cannot be read or fetched; the message says what to do.
    """
    report = progress or (lambda share, text: None)
    text = str(name)
    if text in DATASETS:
        return DATASETS[text].load(report)
    path = Path(text.removeprefix("folder:")).expanduser()
    if path.exists():
        load: Callable[[Path, Progress], Dataset] = resolve("guiapp.datasets.folder:load")
        return load(path, report)
    try:
        entry = DATASETS[text]
    except UnknownName as error:
        raise UserError(f"{error}; a folder or .zip of this name is not there either") from None
    return entry.load(report)


def _register(name: str, title: str, load: str, available: str | None, size: str, description: str) -> None:
    """Add an entry whose functions are imported when they are first called."""

    def load_now(progress: Progress) -> Dataset:
        dataset: Dataset = resolve(f"guiapp.datasets.{load}")(progress)
        return dataset

    def available_now() -> bool:
        return available is None or bool(resolve(f"guiapp.datasets.{available}")())

    DATASETS.add(name, DatasetEntry(name, title, load_now, available_now, size, description))


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
