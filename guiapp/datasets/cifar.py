"""CIFAR-10, found in the data folders or fetched from its publisher; its pickles are read without running code."""

import io
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.core import paths
from guiapp.core.downloads import fetch
from guiapp.core.notices import UserError
from guiapp.datasets.base import Dataset, Progress, Samples, channel_statistics
from guiapp.datasets.splits import hold_out

_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_DIGEST = "c58f30108f718f92721af3b95e74349a"
_ARCHIVE, _FOLDER, _PICTURES = "cifar-10-python.tar.gz", "cifar-10-batches-py", "cifar10_jpg_subset.zip"
_TRAIN = tuple(f"data_batch_{n}" for n in range(1, 6))
_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SOURCE = "A. Krizhevsky: Learning multiple layers of features from tiny images, 2009"


def available() -> bool:
    """Whether CIFAR-10, or a subset of it, opens without a download."""
    return _published() is not None or _pictures() is not None


def load(progress: Progress) -> Dataset:
    """CIFAR-10: 45,000 training, 5,000 validation and 10,000 test pictures of 32x32 pixels.

    Where only a .zip of some of its pictures is in a data folder, that one, with its number in the title.

    Raises:
        UserError: If it is not on this machine and cannot be fetched, or is damaged.
    """
    place, pictures = _published(), _pictures()
    if place is None and pictures is not None:
        return _subset(pictures, progress)
    if place is None:
        try:
            place = fetch(_URL, paths.downloads() / _ARCHIVE, _DIGEST, lambda share, text: progress(0.8 * share, text))
        except UserError as error:
            raise UserError(f"CIFAR-10 is not on this machine: {error}") from error
    progress(0.8, f"reading {place}")
    batches = _read_archive(place) if place.is_file() else _read_folder(place)
    images = np.concatenate([batches[name][0] for name in _TRAIN])
    labels = np.concatenate([batches[name][1] for name in _TRAIN])
    progress(0.9, "splitting")
    train, validation = hold_out(images, labels, len(labels) // 10)
    mean, std = channel_statistics(train.images)
    progress(1.0, "CIFAR-10 is ready")
    return Dataset(
        name="cifar10",
        title="CIFAR-10",
        classes=_CLASSES,
        train=train,
        validation=validation,
        test=Samples(*batches["test_batch"]),
        mean=mean,
        std=std,
        augmentation="flip-crop",
        source=_SOURCE,
    )


def read_batch(content: bytes, name: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (N, 32, 32, 3) and labels (N,) of one batch file, a pickle of Python 2.

    Raises:
        UserError: If it is damaged, or holds anything beside numbers, texts, lists and arrays.
    """
    try:
        batch = _PlainUnpickler(io.BytesIO(content), encoding="latin1").load()
        data, labels = np.asarray(batch["data"], np.uint8), np.asarray(batch["labels"], np.int64)
        images = data.reshape(len(labels), 3, 32, 32).transpose(0, 2, 3, 1)
        if len(labels) == 0 or labels.min() < 0 or labels.max() > 9:
            raise ValueError("labels are not 0 to 9")
    except Exception as error:
        # A damaged pickle raises nearly anything.
        raise UserError(f"{name} of CIFAR-10 is damaged ({error}): delete it and fetch it again from {_URL}") from error
    return np.ascontiguousarray(images), labels


class _PlainUnpickler(pickle.Unpickler):
    """Builds numbers, texts, lists, dicts and numpy arrays; refuses to import anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _empty_array
        if (module, name) == ("_codecs", "encode"):
            return _encode
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs")


def _empty_array(kind: type, shape: tuple[int, ...], code: bytes | str) -> npt.NDArray[Any]:
    """What numpy's own helper does, for plain arrays only; the values follow by ``__setstate__``."""
    if kind is not np.ndarray:
        raise pickle.UnpicklingError(f"{kind} is no array")
    return np.ndarray(shape, np.dtype(code.decode() if isinstance(code, bytes) else code))


def _encode(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes into an old pickle."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes are written as latin1, not {encoding}")
    return text.encode("latin1")


def _published() -> Path | None:
    """The folder of batches, or the archive, in the first data folder that has one."""
    for root in paths.data_folders():
        for base in (root, root / "cifar10", root / "CIFAR10", root / "cifar-10"):
            folder = base / _FOLDER
            if all((folder / name).is_file() for name in (*_TRAIN, "test_batch")):
                return folder
            if (base / _ARCHIVE).is_file():
                return base / _ARCHIVE
    return None


def _pictures() -> Path | None:
    return next((root / _PICTURES for root in paths.data_folders() if (root / _PICTURES).is_file()), None)


def _read_folder(folder: Path) -> dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
    try:
        return {name: read_batch((folder / name).read_bytes(), name) for name in (*_TRAIN, "test_batch")}
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror or error}") from error


def _read_archive(archive: Path) -> dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
    batches = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = Path(member.name).name
                content = tar.extractfile(member) if name in (*_TRAIN, "test_batch") else None
                if content is not None:
                    batches[name] = read_batch(content.read(), name)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise UserError(f"{archive} is damaged ({error}): delete it and fetch it again from {_URL}") from error
    missing = [name for name in (*_TRAIN, "test_batch") if name not in batches]
    if missing:
        raise UserError(f"{archive} lacks {', '.join(missing)}: delete it and fetch it again from {_URL}")
    return batches


def _subset(archive: Path, progress: Progress) -> Dataset:
    from guiapp.datasets.folder import load as load_pictures

    found = load_pictures(archive, progress, 32)
    if found.classes != _CLASSES:
        raise UserError(f"{archive} has other classes than CIFAR-10: {', '.join(found.classes)}")
    total = len(found.train) + len(found.validation) + len(found.test)
    return replace(
        found, name="cifar10", title=f"CIFAR-10 ({total:,} JPEGs)", augmentation="flip-crop", source=f"{_SOURCE}; JPEGs"
    )
