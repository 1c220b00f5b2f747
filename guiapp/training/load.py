"""Reads the network of a run from its folder, to look at it or to use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.core.notices import UserError
from guiapp.training import checkpoints
from guiapp.training.run_folder import RunFolder
from guiapp.training.setup import Setup, from_run
from guiapp.training.watched_setup import refuse_weights_alone

if TYPE_CHECKING:
    import torch

    from guiapp.datasets.base import Progress


def load_run(path: Path | str, progress: Progress | None = None) -> tuple[Setup, torch.nn.Module]:
    """Setup and network of a finished or unfinished run, on the CPU in evaluation mode.

    The weights are the best on validation where the recipe keeps those and there are some, else the last ones. The
    data set is opened when the setup is first asked for it. Of a training loop of one's own it is the program that
    ``guiapp.watch`` kept, with its newest weights.

    Raises:
        UserError: If there is no run, it has no weights yet, or how they are used is not known.
    """
    folder = RunFolder.open(path)
    setup = from_run(folder.path, progress)
    if "watch" in folder.info:
        refuse_weights_alone(setup, folder.path)
        return setup, setup.build_model(fitted=False).eval()
    parent = folder.path / "checkpoints"
    steps = checkpoints.listed(parent)
    if not steps:
        raise UserError(f"the run in {folder.path} has no weights yet")
    best = checkpoints.read_plain(parent / str(steps[-1])).get("best") if setup.recipe.keep == "best" else None
    model = setup.build_model(fitted=False)
    weights = checkpoints.read_best(parent, best) if best else checkpoints.read_weights(parent / str(steps[-1]))
    model.load_state_dict(weights)
    return setup, model.eval()
