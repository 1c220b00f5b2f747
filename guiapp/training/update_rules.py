"""Callbacks about the update: gradients that are clipped, a run that is ended early."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from guiapp.training.callbacks import Callback
from guiapp.training.recipe import Clipping, Stopping

if TYPE_CHECKING:
    from guiapp.training.setup import Setup


class Clip(Callback):
    """Shortens the gradient of all weights to a norm (Pascanu et al. 2013), or cuts each number of it."""

    name = "clip"

    def __init__(self, options: Clipping) -> None:
        self.options = options

    def before_update(self) -> None:
        """Clip, in place and on the device."""
        found = [p.grad for group in self.trainer.optimiser.param_groups for p in group["params"] if p.grad is not None]
        if not found:
            return
        if self.options.name == "value":
            torch._foreach_clamp_min_(found, -self.options.limit)
            torch._foreach_clamp_max_(found, self.options.limit)
            return
        norm = torch.stack(torch._foreach_norm(found)).norm()
        # Where the norm is not finite the loss tells; the factor of torch's clip_grad_norm_.
        torch._foreach_mul_(found, (self.options.limit / (norm + 1e-6)).clamp_max(1.0))


class EarlyStopping(Callback):
    """Ends the run after ``patience`` epochs in which validation got no better (course texts T1, 8.2; T4, 8.6).

    Attributes:
        best: The best figure so far, signed so that less is better.
        waited: Epochs since then.
    """

    name = "stopping"

    def __init__(self, options: Stopping) -> None:
        self.options = options
        self.best, self.waited = math.inf, 0

    def after_epoch(self, train: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """Compare, and end the run where the patience is over."""
        value = validation["loss"] if self.options.watch == "loss" else -validation["accuracy"]
        if value < self.best - self.options.margin:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        if self.waited >= self.options.patience:
            self.trainer.finished = True

    def state(self) -> tuple[Any, dict[str, torch.Tensor]]:
        """The best figure, or None before the first epoch, and the epochs since."""
        return {"best": self.best if math.isfinite(self.best) else None, "waited": self.waited}, {}

    def load_state(self, kept: Any, tensors: Mapping[str, torch.Tensor]) -> None:
        """The inverse of ``state``."""
        if kept:
            self.best = math.inf if kept["best"] is None else float(kept["best"])
            self.waited = int(kept["waited"])


def clipping(setup: Setup) -> Callback | None:
    """The clipping that the recipe asks for."""
    return None if setup.recipe.clipping.name == "none" else Clip(setup.recipe.clipping)


def early_stopping(setup: Setup) -> Callback | None:
    """The early stopping that the recipe asks for."""
    return EarlyStopping(setup.recipe.stopping) if setup.recipe.stopping.patience else None
