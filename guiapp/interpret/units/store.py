"""Keeps what scans found on disk, by the weights they were made with: the second time a layer is there at once."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guiapp.core import paths
from guiapp.core.files import write_atomic
from guiapp.interpret.units.scan import LayerScan

if TYPE_CHECKING:
    import torch

_VERSION = 1
_MOST_BYTES = 200_000_000


def weights_digest(module: torch.nn.Module) -> str:
    """A digest of every parameter and buffer of a network with its name, and of the kinds of its modules."""
    digest = hashlib.blake2b(digest_size=16)
    for name, part in module.named_modules():
        digest.update(f"{name} {type(part).__name__}\0".encode())
    for name, value in module.state_dict().items():
        plain = value.detach().cpu().contiguous()
        digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}\0".encode())
        if plain.numel():
            import torch

            digest.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def key_of(*parts: object) -> str:
    """The name under which a scan is kept: of everything that decides it, such as weights, layer and pictures."""
    return hashlib.blake2b("\0".join(map(str, (_VERSION, *parts))).encode(), digest_size=16).hexdigest()


def _place(key: str) -> Path:
    return paths.cache() / "units" / f"{key}.npz"


def keep(key: str, scan: LayerScan) -> None:
    """Write a scan; a disk that is full or not writable keeps nothing, and nothing else happens."""
    stream = io.BytesIO()
    found: dict[str, Any] = {f.name: value for f in fields(scan) if (value := getattr(scan, f.name)) is not None}
    np.savez_compressed(stream, **found)
    place = _place(key)
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, stream.getvalue())
        _thin(place.parent)


def kept(key: str) -> LayerScan | None:
    """A scan that was kept, or None; a damaged file is none."""
    place = _place(key)
    try:
        with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as archive:
            found: dict[str, Any] = {name: archive[name] for name in archive.files}
        for name in ("layer", "dead_rule", "pictures", "of", "outputs"):
            found[name] = found[name].item()
        scan = LayerScan(**{"saturated": None, **found})
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    with contextlib.suppress(OSError):
        os.utime(place)
    return scan


def _thin(folder: Path) -> None:
    """Remove what was not used for longest, until the rest is small enough."""
    found = sorted(((f.stat().st_mtime, f.stat().st_size, f) for f in folder.glob("*.npz")), reverse=True)
    total = 0
    for _, size, file in found:
        total += size
        if total > _MOST_BYTES:
            file.unlink(missing_ok=True)
