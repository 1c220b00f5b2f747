"""Weight files of the zoo: found on this machine, checked, fetched, read without running code from them."""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.core import paths
from guiapp.core.downloads import Progress, fetch, matches
from guiapp.core.notices import UserError
from guiapp.models.zoo.base import ZooModel, ZooWeights

if TYPE_CHECKING:
    import torch

ENDINGS = (".pth", ".pt", ".th", ".safetensors")
"""Endings of weight files."""
_WRAPPERS = ("state_dict", "model_state_dict", "model")  # what training programs put the weights under
_UNPACKED, _SMALL = 20, 100_000_000  # an archive unpacks to at most so many times its size, and these bytes
_checked: set[tuple[Path, int, int, str]] = set()
_lock = threading.Lock()


def folder() -> Path:
    """Where fetched weights go."""
    return paths.downloads() / "weights"


def folders() -> list[Path]:
    """Where weights are looked for: the data folders, ``weights`` in each, and where torchvision keeps its own."""
    hub = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torch"
    own = [place for root in paths.data_folders() for place in (root / "weights", root)]
    return [*own, Path(hub).expanduser() / "hub" / "checkpoints"]


def find(weights: ZooWeights) -> Path | None:
    """The published file, where it is on this machine; its digest is not looked at yet."""
    if weights.shipped:
        package, _, inside = weights.shipped.partition("/")
        return paths.of_package(package, inside)
    if not weights.file:
        return None
    for place in folders():
        path = place / weights.file
        if path.is_file():
            return path
    return None


def stand_ins(entry: ZooModel) -> tuple[Path, ...]:
    """Files that go by the network's name and are not published ones, such as ``squeezenet1_1-mine.pth``."""
    if entry.opener and not entry.draws:  # an ONNX file is the network itself
        return ()
    published = {weights.file for weights in entry.weights}
    found: dict[str, Path] = {}
    for place in folders():
        for path in _by_name(place, entry.name):
            if path.name not in published:
                found.setdefault(path.name, path)
    return tuple(found.values())


def _by_name(place: Path, name: str) -> Iterator[Path]:
    try:
        inside = sorted(place.iterdir())
    except OSError:  # no such folder, or one that may not be read
        return
    for path in inside:
        named = path.name.startswith((f"{name}-", f"{name}.")) and path.name.endswith(ENDINGS)
        if named and path.is_file():
            yield path


@dataclass(frozen=True)
class Here:
    """What is on this machine for a network.

    Attributes:
        published: Names of the published weights that are here.
        others: Other files that go by its name.
        best: Whether the recommended weights are here.
    """

    published: tuple[str, ...]
    others: tuple[Path, ...]
    best: bool

    def __bool__(self) -> bool:
        return bool(self.published or self.others)


def here(entry: ZooModel) -> Here:
    """What is on this machine for a network, by the names of files alone: quick, and without torch."""
    where = getattr(entry, "path", None)  # an ONNX file that was found with its description
    published = tuple(weights.name for weights in entry.weights if where is not None or find(weights) is not None)
    return Here(published, stand_ins(entry), entry.best.name in published)


def fetch_weights(weights: ZooWeights, progress: Progress | None = None) -> Path:
    """The published file on this machine, fetched where it is not here, with its digest checked.

    Args:
        weights: Which.
        progress: As for ``downloads.fetch``: an exception that it raises stops the download, and what came stays
            for a later call.

    Raises:
        UserError: If it cannot be fetched, or the file that is here is not the published one.
    """
    path = find(weights)
    if weights.shipped:
        if path is None:
            raise UserError(f"{weights.shipped} is missing: install opencv-python-headless again, below version 5")
        return path
    if path is None and not weights.url:
        raise UserError(f"{weights.file} is not fetched by this program: put it in {folder()}")
    if path is None:
        path = fetch(weights.url, folder() / weights.file, weights.sha256, progress)
        with _lock:
            _checked.add(_key(path, weights))
    check(path, weights)
    return path


def check(path: Path, weights: ZooWeights) -> None:
    """Refuse a file that has the name of published weights and is not they; looked at once while it stays as it is.

    Raises:
        UserError: If the digest differs or the file cannot be read.
    """
    try:
        key = _key(path, weights)
        if key in _checked:
            return
        right = matches(path, weights.sha256)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    if not right:
        size = path.stat().st_size
        why = f"its digest does not begin with {weights.sha256}"
        if size < 0.99 * weights.bytes:
            why = f"it has {size / 1e6:.1f} of {weights.bytes / 1e6:.1f} MB"
        raise UserError(f"{path} is damaged or not the published file ({why}): delete it and fetch it again")
    with _lock:
        _checked.add(key)


def _key(path: Path, weights: ZooWeights) -> tuple[Path, int, int, str]:
    about = path.stat()
    return path, about.st_size, about.st_mtime_ns, weights.sha256


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a weight file by name, on the CPU.

    ``.safetensors`` and torch's own formats are read; of these, tensors and plain containers alone, so that nothing
    in the file is run. Weights under ``state_dict`` or ``model``, and names that begin with ``module.``, are
    those of common training programs and are understood.

    Raises:
        UserError: If there is no such file, it is damaged, or holds something else.
    """
    if path.suffix == ".safetensors":
        from guiapp.models.weights import load_weights

        return load_weights(path)[0]
    return _state(load_plain(path), path)


def _plain_types() -> list[Any]:
    """Numbers of numpy and plain records, which training programs write beside weights; none of them runs code."""
    import argparse

    import numpy as np
    from numpy._core import multiarray

    kinds = ("float16", "float32", "float64", "int32", "int64", "uint8", "bool")
    rebuilt = [(getattr(multiarray, name), f"numpy.{core}.multiarray.{name}")
               for name in ("scalar", "_reconstruct") for core in ("core", "_core")]  # fmt: skip
    return [*rebuilt, np.ndarray, np.dtype, *(type(np.dtype(kind)) for kind in kinds), argparse.Namespace]


def load_plain(path: Path) -> Any:
    """What torch saved in a file, of tensors and plain containers alone; nothing in it runs.

    Raises:
        UserError: If there is no such file, it is damaged, or holds something else.
    """
    import pickle

    import torch

    refuse_bomb(path)
    try:
        with torch.serialization.safe_globals(_plain_types()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # to programmers, about the protocol of a file
            return torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"the weight file {path} cannot be read: it is not there") from None
    except pickle.UnpicklingError as error:
        if re.search(r"GLOBAL|Unsupported (global|class)|instantiate", str(error)):
            raise UserError(
                f"{path} holds more than weights and is not opened, because it could run code: "
                "save its state_dict() alone"
            ) from None
        if _is_plain_pickle(path):
            raise UserError(
                f"{path} is a plain pickle and is not opened, because it could run code: save the state_dict() with "
                "torch.save"
            ) from None
        raise UserError(f"{path} is damaged or not a weight file: copy or fetch it again") from None
    except PermissionError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file fails in any way that a pickle or an archive can
        reason = " ".join(str(error).partition("(Could this")[0].split())[:120] or type(error).__name__
        raise UserError(f"{path} is damaged or not a weight file ({reason}): copy or fetch it again") from None


def refuse_bomb(path: Path) -> None:
    """Refuse a zip archive that unpacks to far more than it is; torch writes its own uncompressed.

    Raises:
        UserError: If the archive says so of itself; files that are none, or damaged ones, are left to their reader.
    """
    import zipfile

    try:
        packed = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            whole = sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return
    if whole > _UNPACKED * packed + _SMALL:
        raise UserError(
            f"{path.name} is not opened: {packed / 1e6:.3g} MB unpack to {whole / 1e6:,.0f} MB, which no network's do"
        )


def _is_plain_pickle(path: Path) -> bool:
    """Whether a file is one whole pickle of another program; nothing of it is loaded."""
    with path.open("rb") as stream:
        head = stream.read(2)
        stream.seek(-1, os.SEEK_END)
        return len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and stream.read(1) == b"."


def _state(loaded: Any, path: Path) -> dict[str, torch.Tensor]:
    import torch

    if isinstance(loaded, dict):
        for wrapper in _WRAPPERS:
            if isinstance(loaded.get(wrapper), dict):
                loaded = loaded[wrapper]
                break
        state = {name: value for name, value in loaded.items() if isinstance(value, torch.Tensor)}
        if state and len(state) == len(loaded) and all(isinstance(name, str) for name in state):
            return {name.removeprefix("module."): value for name, value in state.items()}
    raise UserError(f"{path} holds no weights by name: a state_dict() is needed")
