"""Any folder, or .zip, with one sub-folder of pictures per class, or a table of labels; decoded once into a cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.core import paths
from guiapp.core.decode import decode
from guiapp.core.files import folder_atomic
from guiapp.core.notices import UserError
from guiapp.datasets import drawing
from guiapp.datasets.base import PARTS, Dataset, Progress, Samples, channel_statistics
from guiapp.datasets.labels_csv import SUFFIXES_OF_TABLES, list_csv
from guiapp.datasets.listing import Listing, list_folder, list_zip
from guiapp.datasets.on_demand import PicturesOnDemand, unzip
from guiapp.datasets.splits import stratified

_VERSION = 1  # of the cache; another number decodes anew
_SLICE = 64
_LARGEST_SIDE = 1024
KEPT_BYTES = 32 << 30
"""Decoded pictures are kept up to this size and half of the free disk (see ``_room``), others decoded when needed."""


def load(path: Path, progress: Progress, size: int = 32) -> Dataset:
    """Open a folder, a .zip or a table of labels (see ``labels_csv``) as a data set.

    With sub-folders ``train``, ``validation`` (or ``val``, ``valid``) and ``test``, those are the parts; a missing one
    is taken from ``train``, 15 % for each. Else every class is split 70/15/15. Pictures are stretched to a square.
    Files that cannot be read are left out and named in ``Dataset.unreadable``.

    Args:
        path: The folder, .zip, .csv or .tsv.
        progress: Called with the share done and what is being done; an exception that it raises stops the work.
        size: Side of a sample in pixels.

    Raises:
        UserError: If there are no classes or no readable pictures, or the disk is full.
    """
    path = path.resolve()
    progress(0.0, f"listing {path.name}")
    if path.is_file():
        listing = list_csv(path) if path.suffix.lower() in SUFFIXES_OF_TABLES else list_zip(path)
    else:
        listing = list_folder(path)
    return load_listing(path, listing, progress, size)


def load_listing(path: Path, listing: Listing, progress: Progress, size: int) -> Dataset:
    """Open pictures that are listed already; otherwise as ``load``."""
    if not 1 <= size <= _LARGEST_SIDE:
        raise UserError(f"the side of a sample lies between 1 and {_LARGEST_SIDE} pixels, not {size}")
    parts = _parts(listing)
    cache = paths.cache() / "folders" / _key(listing, size)
    if not (cache / "about.json").is_file():
        try:
            with folder_atomic(cache) as working:
                _decode_all(listing, parts, size, working, progress)
        except OSError as error:
            raise UserError(f"the pictures of {path.name} cannot be kept in {cache}: {error.strerror}") from error
    progress(0.95, "opening the decoded pictures")
    return _open(path, listing, cache, size, progress)


def _parts(listing: Listing) -> tuple[npt.NDArray[np.int64], ...]:
    """Indices of the files of each part, by the folders' own parts where they have some."""
    labels = np.array(listing.labels, np.int64)
    own = np.array(listing.parts)
    if not own.any():
        held = round(0.15 * len(labels))
        return tuple(stratified(labels, (len(labels) - 2 * held, held, held)))
    found = {part: np.flatnonzero(own == part) for part in PARTS}
    missing = [part for part in PARTS if not len(found[part])]
    held = round(0.15 * len(found["train"]))
    rest, *taken = stratified(
        labels[found["train"]], (len(found["train"]) - held * len(missing), *[held] * len(missing))
    )
    new = {part: found["train"][indices] for part, indices in zip(missing, taken, strict=True)}
    return tuple(new.get(part, found[part]) if part != "train" else found["train"][rest] for part in PARTS)


def _key(listing: Listing, size: int) -> str:
    """Name of the cache: changes with any file's name, length or time, and with the size."""
    digest = hashlib.sha256(f"{_VERSION} {size} {listing.classes}".encode())
    for name, stamp in zip(listing.files, listing.stamps, strict=True):
        digest.update(f"\0{name}\0{stamp}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


@dataclass(frozen=True)
class _Result:
    """One file decoded, or why not."""

    pixels: npt.NDArray[np.uint8] | None = None
    grey: bool = True
    size: tuple[int, int] = (0, 0)
    error: str = ""


def _decode_all(
    listing: Listing, parts: Sequence[npt.NDArray[np.int64]], size: int, folder: Path, progress: Progress
) -> None:
    """Write images.npy, labels.npy, order.npy and about.json: each part from its own start, without gaps in it."""
    total = len(listing.files)
    order = np.concatenate(parts)
    rows = max(min(total, _room(folder) // (3 * size * size)), 1)
    images = np.lib.format.open_memmap(folder / "colour.npy", "w+", np.uint8, (rows, size, size, 3))
    counted = np.zeros((3, 256), np.int64)  # of the values of each channel of the training part
    kept: list[list[int]] = [[] for _ in parts]
    starts = np.cumsum([0, *map(len, parts)])
    unreadable: list[str] = []
    all_grey, smallest, largest = True, (0, 0), (0, 0)
    for position, result in enumerate(_results(listing, order, size)):
        if position % _SLICE == 0:
            broken = f", {len(unreadable)} unreadable" if unreadable else ""
            progress(0.9 * position / total, f"decoding {position:,} of {total:,} pictures{broken}")
        if result.pixels is None:
            unreadable.append(result.error)
            continue
        part = int(np.searchsorted(starts, position, "right")) - 1
        row = int(starts[part]) + len(kept[part])
        if row < rows:
            images[row] = result.pixels
        if rows < total and part == 0:
            counted += [np.bincount(result.pixels[..., c].ravel(), minlength=256) for c in range(3)]
        kept[part].append(int(order[position]))
        all_grey &= result.grey
        area = result.size[0] * result.size[1]
        if smallest == (0, 0) or area < smallest[0] * smallest[1]:
            smallest = result.size
        if area > largest[0] * largest[1]:
            largest = result.size
    if not kept[0]:
        raise UserError(f"no picture of the training part of {listing.name} can be read; the first: {unreadable[0]}")
    if all_grey:
        grey = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (rows, size, size, 1))
        for start in range(0, rows, 4096):
            grey[start : start + 4096] = images[start : start + 4096, ..., :1]
        grey.flush()
        del images
        (folder / "colour.npy").unlink()
    else:
        images.flush()
        del images
        (folder / "colour.npy").rename(folder / "images.npy")
    np.save(folder / "order.npy", np.array([i for part in kept for i in part], np.int64))
    about = {
        "starts": [int(s) for s in starts[:-1]],
        "lengths": [len(part) for part in kept],
        "unreadable": unreadable,
        "sizes": [smallest, largest],
        "statistics": _statistics(counted[:1] if all_grey else counted) if rows < total else None,
    }
    # Written last: a cache without it is not complete.
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _results(listing: Listing, order: npt.NDArray[np.int64], size: int) -> Iterator[_Result]:
    """Decode files in the given order, some at a time: Pillow lets go of the interpreter while it decodes."""
    lock = threading.Lock()
    archive = zipfile.ZipFile(listing.root) if listing.root.is_file() else None

    def one(index: int) -> _Result:
        name = listing.files[index]
        try:
            if archive is None:
                decoded = decode(listing.root / name, name, exactly=(size, size))
            else:
                decoded = decode(unzip(archive, lock, name), name, exactly=(size, size))
        except UserError as error:
            return _Result(error=str(error) if name in str(error) else f"{name}: {error}")
        return _Result(decoded.pixels, decoded.grey, decoded.size)

    try:
        with ThreadPoolExecutor(4, thread_name_prefix="decode") as pool:
            for start in range(0, len(order), _SLICE):
                yield from list(pool.map(one, order[start : start + _SLICE].tolist()))
    finally:
        if archive is not None:
            archive.close()


def _open(path: Path, listing: Listing, cache: Path, size: int, progress: Progress) -> Dataset:
    about = json.loads((cache / "about.json").read_text(encoding="utf-8"))
    images = np.load(cache / "images.npy", mmap_mode="r")
    order = np.load(cache / "order.npy")
    labels = np.array(listing.labels, np.int64)
    parts, done = [], 0
    for start, length in zip(about["starts"], about["lengths"], strict=True):
        chosen = order[done : done + length]
        done += length
        files = tuple(str(listing.root / listing.files[i]) for i in chosen)
        there: Any = images[start : start + length]
        if len(there) < length:
            there = PicturesOnDemand(listing.root, tuple(listing.files[i] for i in chosen), there)
        parts.append(Samples(there, labels[chosen], files))
    train, validation, test = parts
    mean, std = (tuple(v) for v in about.get("statistics") or channel_statistics(train.images))
    smallest, largest = (tuple(pair) for pair in about["sizes"])
    grey = images.shape[3] == 1
    broken = f", {len(about['unreadable'])} unreadable" if about["unreadable"] else ""
    progress(1.0, f"{path.name}: {done:,} pictures of {len(listing.classes)} classes{broken}")
    return Dataset(
        name=f"folder:{path}" + (f"@{size}" if size != 32 else ""),
        title=path.stem if path.is_file() else path.name,
        classes=listing.classes,
        train=train,
        validation=validation,
        test=test,
        mean=mean,
        std=std,
        from_drawing=partial(_from_drawing, size=size, dark_on_light=mean[0] > 0.5) if grey else None,
        augmentation="none" if grey else "flip-crop",
        source=str(path),
        unreadable=tuple(about["unreadable"]),
        original_sizes=(smallest, largest),
    )


def _room(folder: Path) -> int:
    """Bytes of decoded pictures that are kept: ``KEPT_BYTES``, or what the environment says, and half the free disk.

    Raises:
        UserError: If ``GUIAPP_DECODED_GB`` is no number.
    """
    text = os.environ.get("GUIAPP_DECODED_GB", "")
    try:
        most = int(float(text) * 1e9) if text else KEPT_BYTES
    except ValueError:
        raise UserError(f"GUIAPP_DECODED_GB is a number of gigabytes, not {text!r}") from None
    return min(most, shutil.disk_usage(folder).free // 2)


def _statistics(counted: npt.NDArray[np.int64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of channels on the scale 0 to 1, from how often each value was there, (C, 256)."""
    values, shares = np.arange(256) / 255.0, counted / counted.sum(1, keepdims=True)
    means = (shares * values).sum(1)
    deviations = np.sqrt((shares * (values - means[:, None]) ** 2).sum(1))
    return tuple(means.tolist()), tuple(deviations.tolist())


def _from_drawing(canvas: npt.NDArray[np.uint8], size: int, dark_on_light: bool) -> npt.NDArray[np.uint8]:
    """A drawing in the middle with a small margin, in the set's own polarity."""
    sample = drawing.to_grey_square(canvas, size, margin=size // 16)
    return 255 - sample if dark_on_light else sample
