"""Files that hold a network: what kind each is, and tensors by name out of weight files, whatever wraps them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from guiapp.core.notices import UserError

if TYPE_CHECKING:
    import torch

Kind = Literal["weights", "script", "program", "python"]
WEIGHT_ENDINGS = (".safetensors", ".pt", ".pth", ".th", ".ckpt", ".bin")
ENDINGS = (*WEIGHT_ENDINGS, ".pt2", ".torchscript", ".py")
"""Endings of files that may hold a network of a person's own."""
_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params", "module")
"""What training programs put weights under, the commonest first."""
_DEEP = 3
EXTRA = "guiapp.json"
"""What this program writes into a torch.export program beside the graph."""
_MOST_HEAD = 100_000_000  # bytes
_MOST_TENSORS = 100_000
_MOST_SPREAD, _SMALL = 64, 1_000_000_000  # tensors take at most so many times the file, and these bytes


@dataclass(frozen=True, eq=False)
class Weights:
    """Tensors of a file.

    Attributes:
        tensors: By name, on the CPU, in the order of the file.
        about: What the file says beside them: of safetensors written here ``guiapp``, else texts and numbers such as an
            epoch.
        under: The entry that held them, such as ``"state_dict"``; empty where they stood on top.
    """

    tensors: dict[str, torch.Tensor]
    about: Mapping[str, Any] = field(default_factory=dict)
    under: str = ""


def is_own(name: str) -> bool:
    """Whether a name is that of a file that may hold a network, by its ending."""
    return Path(name).suffix.lower() in ENDINGS


def written_here(path: Path) -> bool:
    """Whether a safetensors file says that this program wrote it for one of the networks to train; no torch."""
    if path.suffix.lower() != ".safetensors":
        return False
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            head = json.loads(stream.read(length)) if length < _MOST_HEAD else {}
        about = json.loads(head.get("__metadata__", {}).get("guiapp", "{}"))
        return all(name in about for name in ("model", "preprocessing", "classes"))
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def kind_of(path: Path) -> Kind:
    """What a file is, by its ending and what is in it.

    Raises:
        UserError: If it is not there, or of no kind that is known.
    """
    if not path.is_file():
        raise UserError(f"{path} is a folder: choose a file in it" if path.is_dir() else f"there is no file {path}")
    suffix = path.suffix.lower()
    if suffix == ".py":
        return "python"
    if suffix == ".safetensors":
        return "weights"
    names = members(path)
    if any(name.endswith("/archive_format") for name in names) or suffix == ".pt2":
        return "program"
    if any("/code/" in name or name.endswith("constants.pkl") for name in names) or suffix == ".torchscript":
        return "script"
    return "weights"


def members(path: Path) -> list[str]:
    """Names inside a zip archive; none of another file, or a damaged one."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return []


def read_weights(path: Path) -> Weights:
    """The tensors of a weight file.

    Of torch's formats tensors and plain containers alone are read, so that no code in the file runs.

    Raises:
        UserError: If the file is damaged, or holds no tensors by name.
    """
    if path.suffix.lower() == ".safetensors":
        return _safetensors(path)
    from guiapp.models.zoo.weights import load_plain

    loaded = load_plain(path)
    packed = False
    for under, candidate in _inside(loaded, "", 0):
        found = {name: value for name, value in candidate.items() if _is_tensor(name, value)}
        packed = packed or any(value.is_quantized for value in found.values())
        tensors = _plain(found, path)
        if tensors:
            return Weights(tensors, _words(loaded), under)
    if packed:
        raise UserError(f"the weights in {path.name} are quantised: save those from before it was quantised")
    raise UserError(f"{path} holds no weights by name: a state_dict() is needed")


def _safetensors(path: Path) -> Weights:
    from guiapp.models.weights import load_weights

    tensors, about = load_weights(path)
    if not tensors:
        raise UserError(f"{path} holds no weights by name: a state_dict() is needed")
    tensors = _plain(tensors, path)
    return Weights(tensors, about if isinstance(about, dict) else {})


def _inside(loaded: Any, under: str, deep: int) -> Iterator[tuple[str, Any]]:
    """What may be the weights: entries by their usual names first, then what was loaded itself, then other entries."""
    if not isinstance(loaded, Mapping) or deep > _DEEP:
        return
    inner = [key for key in _WRAPPERS if isinstance(loaded.get(key), Mapping)]
    rest = [key for key, value in loaded.items() if key not in inner and isinstance(value, Mapping)]
    for key in inner:
        yield from _inside(loaded[key], f"{under}.{key}".strip("."), deep + 1)
    yield under, loaded
    for key in rest:
        if isinstance(key, str) and "optim" not in key.lower():
            yield from _inside(loaded[key], f"{under}.{key}".strip("."), deep + 1)


def _is_tensor(name: Any, value: Any) -> bool:
    import torch

    return isinstance(name, str) and isinstance(value, torch.Tensor)


def _plain(found: Mapping[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor]:
    """Tensors as plain memory, without quantised ones.

    Raises:
        UserError: If they are too many, hold no or complex numbers, or would take far more memory than the file is
            large, as sparse tensors of any size can.
    """
    import torch

    if len(found) > _MOST_TENSORS:
        raise UserError(f"{path.name} holds {len(found)} tensors: no network has so many")
    found = {name: value.detach() for name, value in found.items() if not value.is_quantized}
    whole = sum(value.numel() * value.element_size() for value in found.values())
    if whole > _MOST_SPREAD * path.stat().st_size + _SMALL:
        raise UserError(f"{path.name} is not opened: its tensors would take {whole / 1e9:,.3g} GB of memory")
    for name, value in found.items():
        if value.is_meta:
            raise UserError(f"{path.name} holds shapes without values ({name}): save the network after it was loaded")
        if value.is_complex():
            raise UserError(f"{path.name} holds complex numbers ({name}): the networks here are of real ones")
    try:
        return {n: v.to_dense() if v.layout is not torch.strided else v for n, v in found.items()}
    except RuntimeError as error:  # indices beyond the shape
        raise UserError(f"{path.name} is damaged ({' '.join(str(error).split())[:100]}): copy it again") from None


def _words(loaded: Any) -> dict[str, Any]:
    """Texts and numbers that stand beside the weights, such as an epoch or an accuracy; short ones."""
    if not isinstance(loaded, Mapping):
        return {}
    plain = {
        str(key): value
        for key, value in loaded.items()
        if isinstance(key, str) and isinstance(value, str | int | float | bool) and len(str(value)) < 200
    }
    return json.loads(json.dumps(plain))  # type: ignore[no-any-return]
