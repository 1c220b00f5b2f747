"""Opens a run that another process writes, to look on: its network from the newest snapshot, its data if here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from guiapp.core.notices import UserError
from guiapp.training.run_folder import RunFolder
from guiapp.training.watched import WatchedRun

if TYPE_CHECKING:
    import torch

    from guiapp.interpret.layers import LayerInfo
    from guiapp.training.setup import Setup


def open_watched(folder: Path, progress: Callable[[float, str], None]) -> tuple[Setup, WatchedRun]:
    """Setup and run of a folder, which stays as it is.

    Raises:
        UserError: If the run has nothing to show yet, or its network is not known.
    """
    from guiapp.training.recipe import change
    from guiapp.training.setup import from_run
    from guiapp.training.watched_setup import named, stand_in

    setup = from_run(folder, progress)
    try:
        dataset = setup.dataset
    except UserError as error:  # the data lies on the machine that trains
        channels, height, width = setup.preprocessing.size
        blank = stand_in(np.zeros((1, height, width, 3 if channels == 3 else 1), np.uint8), known=False)
        dataset = named(blank, setup.classes)
        text = f"the data of {folder.name} is not here ({error}): drop pictures to ask its network about them"
        setup = dataclasses.replace(setup, notices=(*setup.notices, text))
    recipe = change(setup.recipe, {"device": "auto"})
    setup = dataclasses.replace(setup, recipe=recipe, open_data=lambda: dataset)
    run = WatchedRun(RunFolder.open(folder), setup.build_model(fitted=False))
    run.newest_weights()
    return setup, run


def failure(watched: WatchedRun) -> str | None:
    """Why the process that was begun here for this run has failed, told once; None while it runs or ended well."""
    from guiapp.training.own_process import LOG, last_line

    if watched.child is None or watched.child.poll() is None:
        return None
    code, watched.child = watched.child.returncode, None
    if not code or watched.folder.info.get("state") == "stopped":
        return None
    said = last_line(watched.folder.path / LOG)
    return f"the process of {watched.folder.path.name} has ended: {said or code}"


def runs(setup: Setup) -> bool:
    """Whether the network can be asked about pictures."""
    from guiapp.training.watched_setup import WEIGHTS_ALONE

    return setup.entry.name != WEIGHTS_ALONE


def layers_of(setup: Setup, model: torch.nn.Module) -> Sequence[LayerInfo]:
    """The layers of a network in the order in which they run; where it cannot be run, in that of its weights."""
    from guiapp.interpret.layers import LayerInfo, layer_list

    if runs(setup):
        return layer_list(model, setup.preprocessing.size)
    kinds = {"Conv2d": "conv", "Linear": "dense", "BatchNorm2d": "norm"}
    found = []
    for name, module in model.named_modules():
        own = [*module.parameters(recurse=False)]
        if not name or (not own and not list(module.children())):
            continue
        type_ = type(module).__name__
        found.append(
            LayerInfo(
                name,
                type_,
                name.count("."),
                name.rpartition(".")[0],
                (),
                sum(p.numel() for p in module.parameters()),
                any(p.ndim > 1 for p in own),
                kinds.get(type_, "container" if list(module.children()) else "other"),
            )
        )
    return found
