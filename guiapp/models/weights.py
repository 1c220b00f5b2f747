"""Weight files: safetensors with what the network is written beside the numbers, and words for what does not fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from guiapp.core.files import write_atomic
from guiapp.core.notices import UserError

_KEY = "guiapp"
_NAMED = 4  # names written out in a message; the rest is counted


def save_weights(path: Path, model: nn.Module, metadata: Mapping[str, Any]) -> None:
    """Write a network's weights and buffers, atomically.

    Args:
        path: The file, ending in ``.safetensors``.
        model: The network.
        metadata: Plain data that JSON can hold. The program reads ``model`` (entry), ``options``, ``preprocessing``
            (``Preprocessing.as_dict``), ``classes``, ``dataset``, ``from_drawing`` (``"module:name"``) and shows
            ``test_accuracy``.
    """
    state = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    write_atomic(path, save(state, {_KEY: json.dumps(metadata)}))


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read a weight file on the CPU.

    Returns:
        Tensors by name, and the metadata; empty for files that other programs wrote.

    Raises:
        UserError: If there is no such file or it is damaged.
    """
    try:
        with safe_open(path, "pt", "cpu") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            metadata = json.loads((file.metadata() or {}).get(_KEY, "{}"))
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"the weight file {path} cannot be read: it is not there") from None
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"{path} cannot be read as safetensors ({error}); copy or fetch it again") from None
    return state, metadata


def load_into(model: nn.Module, state: Mapping[str, torch.Tensor], source: str = "the weights") -> None:
    """Give a network the weights of a state, all of them or none.

    Args:
        model: The network.
        state: Tensors by name.
        source: What the message calls the state, such as the file's name.

    Raises:
        UserError: If names are missing or unexpected or shapes differ; the message lists them.
    """
    own = model.state_dict()
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    complaints = []
    if missing:
        complaints.append(f"missing: {_names(missing)}")
    if unexpected:
        complaints.append(f"not in the network: {_names(unexpected)}")
    if not complaints:
        before = {name: value.clone() for name, value in own.items()}
        try:
            model.load_state_dict(dict(state))
            return
        except RuntimeError as error:
            model.load_state_dict(before)
            shapes = [
                f"{name} is {_size(state[name])}, the network's {_size(value)}"
                for name, value in before.items()
                if state[name].shape != value.shape
            ]
            complaints = [f"other sizes: {_names(shapes)}" if shapes else str(error)]
    raise UserError(f"{source} and this network do not fit; {'; '.join(complaints)}")


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _size(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"
