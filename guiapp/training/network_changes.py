"""What a recipe changes in a network after it is built: its layers, then its first weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from guiapp.training.setup import Setup

Change = Callable[["torch.nn.Module", "Setup"], "torch.nn.Module"]

CHANGES: tuple[Change, ...] = ()
"""Each is called with a fresh network on the CPU and the setup, and gives the network to go on with: changes of
layers first, then initial weights. What it draws comes from torch's global generator, which the run's seed has set."""


def change_network(model: torch.nn.Module, setup: Setup) -> torch.nn.Module:
    """The network as the recipe wants it; the very same where the recipe changes nothing."""
    for change in CHANGES:
        model = change(model, setup)
    return model
