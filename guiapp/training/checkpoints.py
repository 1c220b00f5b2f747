"""Checkpoints: what a run needs to go on, as safetensors and JSON, never as code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from guiapp.core.files import folder_atomic, write_atomic
from guiapp.core.notices import UserError

_WEIGHTS, _OPTIMISER, _STATE = "weights.safetensors", "optimiser.safetensors", "state.json"
_AVERAGE = "average.safetensors"  # of the step's weights with earlier ones, where that is what a run is judged by


def plain_tensors(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copies on the CPU, contiguous and sharing no memory, as safetensors asks."""
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}


def write(
    folder: Path,
    weights: Mapping[str, torch.Tensor],
    state: Mapping[str, Any] | None = None,
    average: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Write a checkpoint that is whole or absent.

    Args:
        folder: ``checkpoints/STEP`` of the run.
        weights: State dict of the network.
        state: ``Trainer.state()`` and further plain data; None where only the weights are kept (the best ones).
        average: The average of weights that is the best at this step.
    """
    with folder_atomic(folder) as working:
        (working / _WEIGHTS).write_bytes(save(plain_tensors(weights), {"format": "pt"}))
        if average is not None:
            (working / _AVERAGE).write_bytes(save(plain_tensors(average), {"format": "pt"}))
        if state is not None:
            plain = {name: value for name, value in state.items() if name != "tensors"}
            (working / _OPTIMISER).write_bytes(save(plain_tensors(state["tensors"])))
            (working / _STATE).write_text(json.dumps(plain))


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """Weights of a checkpoint, on the CPU.

    Raises:
        UserError: If they cannot be read.
    """
    return _read(folder, _WEIGHTS)


def read_best(parent: Path, best: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The best weights that a checkpoint below ``parent`` names in its state, on the CPU.

    Raises:
        UserError: If they cannot be read.
    """
    return _read(parent / str(best["step"]), _AVERAGE if best.get("averaged") else _WEIGHTS)


def has_average(folder: Path) -> bool:
    """Whether an average is kept in a checkpoint."""
    return (folder / _AVERAGE).is_file()


def add_average(folder: Path, average: Mapping[str, torch.Tensor]) -> None:
    """Write an average into a checkpoint that is there."""
    write_atomic(folder / _AVERAGE, save(plain_tensors(average), {"format": "pt"}))


def _read(folder: Path, name: str) -> dict[str, torch.Tensor]:
    try:
        return load((folder / name).read_bytes())
    except (OSError, SafetensorError) as error:
        raise UserError(f"the weights in {folder} cannot be read: {error}") from None


def read_state(folder: Path) -> dict[str, Any]:
    """What ``write`` was given as ``state``.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        state: dict[str, Any] = json.loads((folder / _STATE).read_text())
        state["tensors"] = load((folder / _OPTIMISER).read_bytes())
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"the checkpoint {folder} cannot be read: {error}") from None
    return state


def read_plain(folder: Path) -> dict[str, Any]:
    """The plain part of the state; empty where it cannot be read."""
    try:
        plain: dict[str, Any] = json.loads((folder / _STATE).read_text())
    except (OSError, ValueError):
        return {}
    return plain


def listed(parent: Path, *, complete: bool = True) -> list[int]:
    """Steps of the checkpoints below ``parent``, ascending; with ``complete`` those from which a run can go on."""
    if not parent.is_dir():
        return []
    found = [p for p in parent.iterdir() if p.name.isdigit()]
    return sorted(int(p.name) for p in found if (p / (_STATE if complete else _WEIGHTS)).is_file())


def prune(parent: Path, keep: Collection[int]) -> None:
    """Remove every checkpoint but those of the steps in ``keep``."""
    for step in listed(parent, complete=False):
        if step not in keep:
            shutil.rmtree(parent / str(step), ignore_errors=True)
