"""Opens what the live lane is asked for: a network of the zoo or timm, an ONNX file, a run, the open experiment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.core.notices import SettingError, UserError
from guiapp.engine.open_trained import OPEN, open_entry, open_open, open_run, run_entry, run_folder
from guiapp.models.zoo import ZOO, find_model
from guiapp.models.zoo.base import ZooModel

if TYPE_CHECKING:
    from guiapp.engine.twin import Twin
    from guiapp.models.zoo.open import OpenedModel
    from guiapp.training.setup import Setup

Progress = Callable[[float, str], None]


def find_any(name: str) -> ZooModel:
    """The entry that a name means: see ``open_any``.

    Raises:
        UnknownName: If it means none.
        UserError: If what it means cannot be read.
    """
    if name == OPEN:
        return open_entry()
    folder = run_folder(name) if name not in ZOO else None
    return run_entry(folder) if folder is not None else find_model(name)


def open_any(
    name: str,
    weights: str | Path,
    device: str,
    progress: Progress,
    lend: Callable[[], tuple[Setup, Twin]] | None = None,
) -> OpenedModel:
    """Open a network by name.

    Args:
        name: Of the zoo; ``"timm:NAME"``; the path of an ONNX file, or what its description calls it; a run folder or
            its name; ``"experiment:"`` for the network of the open experiment.
        weights: Which, for networks of the zoo and timm.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``; a small network that was trained here runs on the CPU
            unless one is named.
        progress: For downloads; an exception that it raises stops them.
        lend: Gives setup and twin of the open experiment.

    Raises:
        UserError: In one line, if that fails.
    """
    from guiapp.training.devices import choose

    if name == OPEN:
        if lend is None:
            raise UserError("no experiment is open")
        return open_open(*lend())
    folder = run_folder(name) if name not in ZOO else None
    if folder is not None:
        if weights not in ("best", run_entry(folder).best.name):
            raise SettingError(f"a run has its own weights: {weights} cannot be chosen for it")
        return open_run(folder, choose("cpu" if device == "auto" else device))
    from guiapp.models.zoo.open import open_model

    return open_model(name, weights, choose(device), progress)
