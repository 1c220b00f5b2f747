"""Transfer learning: which layers of a network learn, from when on, and at which share of the rate.

Course text T4, 8.9 and 12.4: first layers are generic and last ones specific, so a new head is learned on frozen
layers, which join one group after the other from the top (gradual unfreezing) and learn slower the deeper they lie
(discriminative rates; Howard, Ruder 2018, arXiv 1801.06146).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from guiapp.core.notices import SettingError
from guiapp.models.backbones import pretrained
from guiapp.models.head import Head, body_groups, find_head, head_parameters
from guiapp.training.callbacks import Callback
from guiapp.training.features import FeatureData

if TYPE_CHECKING:
    from guiapp.training.recipe_transfer import Transfer
    from guiapp.training.setup import Setup
    from guiapp.training.trainer import Trainer

_STATISTICS = nn.modules.batchnorm._NormBase


def freeze(model: nn.Module, setup: Setup) -> nn.Module:
    """Leave the head alone to learn where the recipe says so; the rest asks for no gradients. One of ``CHANGES``."""
    if setup.recipe.transfer.name == "head":
        own = set(head_parameters(model, find_head(model)))
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in own)
    return model


class Transferring(Callback):
    """Freezes layers, lets them join, gives each group its share of the rate, holds normalisation still.

    What it does follows from the step alone, so nothing is kept.

    Attributes:
        groups: Names of parameters of each group, the head first.
        joined: How many groups learn now.
    """

    name = "transfer"

    def __init__(self, recipe: Transfer, kept_statistics: bool) -> None:
        self._recipe, self._kept_statistics = recipe, kept_statistics
        self.groups: list[list[str]] = []
        self.joined = 0
        self._still: list[nn.Module] = []

    def attach(self, trainer: Trainer) -> None:
        """Divide the optimiser's parameters into groups with their shares of the rate."""
        super().attach(trainer)
        model = trainer.model
        self._head = find_head(model)
        self.groups = [head_parameters(model, self._head), *body_groups(model, self._head, self._recipe.groups)]
        if self._recipe.decay != 1.0:
            divide(trainer.optimiser, model, self.groups, self._recipe.decay)
        self._join()

    def before_batch(self) -> None:
        """Let the next group join when its time has come: before several processes look at what learns."""
        if self._wanted() != self.joined:
            self._join()

    def before_step(self) -> None:
        """Frozen layers work as they do in evaluation."""
        if self._still and self._still[0].training:  # an evaluation has set every module to training again
            for module in self._still:
                module.training = False

    def load_state(self, kept: Any, tensors: Mapping[str, torch.Tensor]) -> None:
        """Freeze what is frozen at the step that the run goes on from."""
        self._join()
        if isinstance(self.trainer.data, FeatureData):
            self.trainer.data.learning(self.trainer.step)

    def _wanted(self) -> int:
        """How many groups learn at the trainer's next step."""
        if self._recipe.name == "all":
            return len(self.groups)
        if self._recipe.name == "head":
            return 1
        epochs = self.trainer.step // self.trainer.steps_per_epoch
        return min(1 + epochs // self._recipe.every, len(self.groups))

    def _join(self) -> None:
        self.joined = self._wanted()
        self._still = join(self.trainer.model, self._head, self.groups[: self.joined], self._kept_statistics)


def join(model: nn.Module, head: Head, groups: list[list[str]], kept_statistics: bool) -> list[nn.Module]:
    """Let some groups of parameters learn and freeze the others.

    Args:
        model: The network.
        head: Its head.
        groups: Names of the parameters that learn.
        kept_statistics: Whether all normalisation goes on with the statistics that it has.

    Returns:
        The modules that work as in evaluation while the others train.
    """
    learning = {name for group in groups for name in group}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in learning)
        if name not in learning:
            parameter.grad = None
    still = list(still_modules(model, head))
    if kept_statistics:
        known = set(map(id, still))
        still += [m for m in model.modules() if isinstance(m, _STATISTICS) and id(m) not in known]
    return still


def divide(optimiser: torch.optim.Optimizer, model: nn.Module, groups: list[list[str]], decay: float) -> None:
    """Split every group of an optimiser by the shares of the rate; what it had decided for them stays.

    Args:
        optimiser: Changed in place: its groups get a ``"scale"``.
        model: The network whose parameters it changes.
        groups: Names of parameters, the head's first.
        decay: Share of the rate of each group of that of the one above.
    """
    named = dict(model.named_parameters())
    share = {id(named[name]): decay**depth for depth, group in enumerate(groups) for name in group}
    divided: list[dict[str, Any]] = []
    for group in optimiser.param_groups:
        by_share: dict[float, list[torch.Tensor]] = {}
        for parameter in group["params"]:
            by_share.setdefault(share.get(id(parameter), 1.0), []).append(parameter)
        for scale, parameters in by_share.items():
            divided.append({**group, "params": parameters, "scale": scale * group.get("scale", 1.0)})
    optimiser.param_groups[:] = divided


def still_modules(model: nn.Module, head: Head) -> Iterator[nn.Module]:
    """Modules of the backbone whose parameters are all frozen: they normalise and drop nothing out as in evaluation.

    A module without parameters goes with the smallest part of the network around it that has some.
    """
    own = set(head_parameters(model, head))
    body = {name: p.requires_grad for name, p in model.named_parameters() if name not in own}
    inside = tuple(f"{name}." for name in head.names)
    for name, module in model.named_modules():
        if not name or f"{name}.".startswith(inside):
            continue
        around = name
        while around:
            flags = [learns for inner, learns in body.items() if inner.startswith(f"{around}.")]
            if flags:
                break
            around = around.rpartition(".")[0]
        flags = flags if around else list(body.values())
        holds_head = any(inner.startswith(f"{name}.") for inner in own)
        if not holds_head and not any(flags):
            yield module


def transferring(setup: Setup) -> Callback | None:
    """The callback of a run that transfers, one of ``MAKERS``; None where every layer learns alike from the start."""
    recipe = setup.recipe.transfer
    kept = keeps_statistics(setup)
    if recipe.name == "all" and recipe.decay == 1.0 and not kept:
        return None
    return Transferring(recipe, kept)


def keeps_statistics(setup: Setup) -> bool:
    """Whether normalisation goes on with the statistics that the network came with, in layers that learn too."""
    chosen = setup.recipe.transfer.statistics
    return chosen == "kept" or (chosen == "auto" and pretrained(setup.entry, setup.model_options))


def check(setup: Setup) -> None:
    """Refuse what cannot be.

    Raises:
        SettingError: For settings of ``transfer`` that this network or recipe leaves without effect.
    """
    recipe, augmented = setup.recipe.transfer, setup.recipe.augmentation
    if setup.recipe.initialisation.name != "own" and pretrained(setup.entry, setup.model_options):
        raise SettingError(
            "initialisation draws over published weights: choose model.weights=random, or leave it at own"
        )
    if recipe.name == "all" and recipe.decay == 1.0 and not recipe.views and recipe.statistics == "auto":
        return
    if setup.entry.trained_by != "gradient":
        raise SettingError(f"{setup.entry.title} has no layers that could be frozen: leave transfer as it is")
    if recipe.views and recipe.name != "head":
        raise SettingError("transfer.views needs transfer=head: what layers give changes where they learn")
    if recipe.views and (augmented.mixup or augmented.cutmix):
        raise SettingError("transfer.views keeps versions of single samples: choose views 0 to mix samples")


def default_augmentation(setup: Setup) -> str:
    """The named augmentation of a recipe that leaves the choice: none where features are to be kept."""
    recipe = setup.recipe.transfer
    return "none" if recipe.name == "head" and not recipe.views else setup.dataset.augmentation
