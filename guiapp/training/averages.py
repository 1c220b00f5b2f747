"""Averages of weights and the weights at the end of each cycle: several networks from one run.

Course text T1, 9 (40): theta_test = (1 - rho) theta + rho theta_test after each step (Polyak and Juditsky 1992); (41):
theta_test = (theta_cycle + n theta_test) / (n + 1) at the end of each cycle (Izmailov et al. 2018). The weights at the
ends of cycles of the cosine schedule, kept apart, make a snapshot ensemble (Huang et al. 2017; T1; T4, 8.6).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from guiapp.training.callbacks import Callback
from guiapp.training.recipe import Recipe
from guiapp.training.schedules import warmup_steps
from guiapp.training.snapshots import SnapshotStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guiapp.training.recipe_together import Average
    from guiapp.training.setup import Setup
    from guiapp.training.trainer import Trainer

MEMBERS = "members"
"""Folder of a run with the weights at the ends of its cycles."""
_UNTHINNED = 1 << 62
STATISTICS_SAMPLES = 4096
"""The mean of so many lies within 3 % of a deviation, 19 times of 20."""
_STATISTICS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def cycle_ends(recipe: Recipe, every: int, per_epoch: int) -> frozenset[int]:
    """Steps done at the end of each cycle of a run, the last step among them.

    Args:
        recipe: Epochs and schedule.
        every: Epochs of a cycle; 0 for the cycles of the cosine schedule, which begin after the warm-up.
        per_epoch: Steps of one epoch.
    """
    total = recipe.epochs * per_epoch
    if every:
        return frozenset({*range(every * per_epoch, total, every * per_epoch), total})
    warm = warmup_steps(recipe.schedule, per_epoch)
    cycles = recipe.schedule.cycles
    # The schedule starts again at the first step s with s cycles >= k (total - warm).
    return frozenset(warm + -(-k * (total - warm) // cycles) for k in range(1, cycles + 1))


class Averaging(Callback):
    """Keeps an average of the weights and lets it be validated and kept in the place of the network.

    Running statistics are averaged with the weights under ``polyak``. Under ``cycles`` they would be those of no
    network at all: they are estimated anew on some 4,096 training samples before the next validation.

    Attributes:
        network: The average, or None before its first weights.
        count: Weights that are in it; steps under ``polyak``.
    """

    name = "average"

    def __init__(self, options: Average, recipe: Recipe) -> None:
        self.options, self._recipe = options, recipe
        self.network: nn.Module | None = None
        self.count = 0
        self._stale = False

    def attach(self, trainer: Trainer) -> None:
        """Find the ends of the cycles."""
        super().attach(trainer)
        self._first = round(self.options.start * trainer.steps_per_epoch)
        moving = self.options.name == "polyak"
        self._ends = None if moving else cycle_ends(self._recipe, self.options.every, trainer.steps_per_epoch)

    def after_step(self) -> None:
        """Take the new weights in where it is time for it."""
        trainer = self.trainer
        if trainer.step <= self._first:
            return
        if self._ends is None:
            self._take(1.0 - self.options.rho)
        elif trainer.step in self._ends:
            self._take(1.0 / (self.count + 1))
            self._stale = True
        if self._stale and trainer.step % trainer.steps_per_epoch == 0:
            self._estimate()

    def _take(self, share: float) -> None:
        """Let the network's weights be ``share`` of the average; the first ones are all of it."""
        self.count += 1
        if self.network is None:
            self._begin()
            return
        with torch.no_grad():
            torch._foreach_lerp_(self._mean, self._now, share)
            for mean, now in self._counted:
                mean.copy_(now)

    def _estimate(self) -> None:
        """Statistics from the last steps of the epoch: shuffled, augmented, in batches as they are learned from."""
        assert self.network is not None
        trainer = self.trainer
        count = min(-(-STATISTICS_SAMPLES // self._recipe.batch), trainer.steps_per_epoch)
        steps = range(trainer.step - count, trainer.step)
        estimate_statistics(self.network, (trainer.data.batch(step)[0] for step in steps), trainer.model)
        self._stale = False

    def _begin(self) -> None:
        """A copy of the network as it is; both share no memory."""
        self.network = copy.deepcopy(self.trainer.model).requires_grad_(False).eval()
        self.network.zero_grad(set_to_none=True)
        pairs = list(zip(_tensors(self.network), _tensors(self.trainer.model), strict=True))
        self._mean = [mean for mean, now in pairs if now.is_floating_point()]
        self._now = [now for _, now in pairs if now.is_floating_point()]
        self._counted = [(mean, now) for mean, now in pairs if not now.is_floating_point()]
        self.trainer.evaluated = self.network

    def state(self) -> tuple[Any, dict[str, torch.Tensor]]:
        """How many weights are in it, and the average."""
        return {"count": self.count, "stale": self._stale}, {} if self.network is None else self.network.state_dict()

    def load_state(self, kept: Any, tensors: Mapping[str, torch.Tensor]) -> None:
        """The inverse of ``state``."""
        if not kept or not kept["count"]:
            return
        self.count, self._stale = int(kept["count"]), bool(kept["stale"])
        self._begin()
        assert self.network is not None
        self.network.load_state_dict(tensors)


class KeepMembers(Callback):
    """Writes the weights at the end of each cycle into the run folder, at once: a killed run has them."""

    name = "members"

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._store: SnapshotStore | None = None

    def attach(self, trainer: Trainer) -> None:
        """Find the ends of the cycles."""
        super().attach(trainer)
        self._ends = cycle_ends(self._recipe, self._recipe.members.every, trainer.steps_per_epoch)

    def in_folder(self, folder: Path, step: int) -> None:
        """Keep them here; those after ``step`` are written again."""
        self._store = kept_members(folder)
        self._store.discard_after(step)

    def after_step(self) -> None:
        """Write at the end of a cycle."""
        if self._store is not None and self.trainer.step in self._ends:
            self._store.add(self.trainer.step, self.trainer.model.state_dict())


def kept_members(folder: Path) -> SnapshotStore:
    """The weights that the run in a folder kept at the ends of its cycles."""
    return SnapshotStore(folder / MEMBERS, _UNTHINNED)


def estimate_statistics(network: nn.Module, batches: Iterable[torch.Tensor], like: nn.Module | None = None) -> None:
    """Give batch normalisation the mean and variance of its inputs under the weights as they are now.

    The mean over the batches, each batch alike; whatever draws at random works as in evaluation.

    Args:
        network: Changed in place, in evaluation mode before and after.
        batches: Inputs (N, C, H, W).
        like: Of the same structure: where its normalisation is not in training mode, the statistics are left.
    """
    modules = [module for module in network.modules() if isinstance(module, _STATISTICS)]
    if like is not None:
        modes = [module.training for module in like.modules() if isinstance(module, _STATISTICS)]
        modules = [module for module, learns in zip(modules, modes, strict=True) if learns]
    modules = [module for module in modules if module.track_running_stats and module.running_mean is not None]
    if not modules:
        return
    momenta = [module.momentum for module in modules]
    try:
        for module in modules:
            module.reset_running_stats()
            module.momentum = None  # the mean over all batches
            module.train()
        with torch.no_grad():
            for inputs in batches:
                if len(inputs) > 1:
                    network(inputs)
    finally:
        for module, momentum in zip(modules, momenta, strict=True):
            module.momentum = momentum
            module.eval()


def mean_weights(weights: Iterable[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of several networks' weights; what counts (whole numbers) is taken from the last (T1 (41))."""
    mean: dict[str, torch.Tensor] = {}
    for number, these in enumerate(weights):
        for name, tensor in these.items():
            if name in mean and tensor.is_floating_point():
                mean[name] = torch.lerp(mean[name], tensor, 1.0 / (number + 1))
            else:
                mean[name] = tensor.clone()
    return mean


def averaging(setup: Setup) -> Callback | None:
    """The average that the recipe asks for."""
    recipe = setup.recipe
    return None if recipe.average.name == "none" else Averaging(recipe.average, recipe)


def keeping_members(setup: Setup) -> Callback | None:
    """What keeps the weights at the ends of cycles, where the recipe asks for it."""
    return None if setup.recipe.members.name == "none" else KeepMembers(setup.recipe)


def _tensors(network: nn.Module) -> list[torch.Tensor]:
    """Parameters and buffers, those that are shared once."""
    return [*network.parameters(), *network.buffers()]
