"""The idx files of MNIST and its kin: a big-endian header and raw bytes, plain or gzip-compressed."""

import gzip
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read an idx file of unsigned bytes of any rank.

    Raises:
        UserError: If the file is missing, damaged or of another kind.
    """
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({error}): delete it and fetch it again") from error
    rank = data[3] if len(data) >= 4 else 0
    if data[:3] != b"\0\0\x08" or not 1 <= rank <= 4 or len(data) < 4 + 4 * rank:
        raise UserError(f"{path} is no idx file of bytes: delete it and fetch it again")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", rank, 4))
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * rank)
    if len(values) != np.prod(shape, dtype=np.int64):
        raise UserError(f"{path} ends early or is too long for its shape {shape}: delete it and fetch it again")
    return values.reshape(shape)


def find(folder: Path, name: str) -> Path | None:
    """The unpacked or compressed file of this name in a folder, or None."""
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)


def complete(folder: Path) -> bool:
    """Whether the folder has the four files of a set."""
    return all(find(folder, name) for name in FILES)


def read_set(
    folder: Path,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Training images (N, H, W, 1) and labels (N,), test images and labels.

    Raises:
        UserError: If a file is missing or damaged, or images and labels do not fit together.
    """
    arrays = []
    for name in FILES:
        path = find(folder, name)
        if path is None:
            raise UserError(f"{folder / name} is missing: put it there, plain or as .gz")
        arrays.append(read_idx(path))
    for images, labels in (arrays[:2], arrays[2:]):
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise UserError(f"images {images.shape} and labels {labels.shape} in {folder} do not belong together")
    train, train_labels, test, test_labels = arrays
    return train[..., None], train_labels.astype(np.int64), test[..., None], test_labels.astype(np.int64)
