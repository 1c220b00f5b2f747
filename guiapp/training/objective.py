"""What a step of training makes smaller: the loss of the task, and what is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from guiapp.core.notices import SettingError
from guiapp.tasks.base import Task
from guiapp.tasks.classification import ClassificationTask
from guiapp.training.balance import class_weights
from guiapp.training.recipe import Penalty

if TYPE_CHECKING:
    from guiapp.training.setup import Setup


class Objective:
    """The task's loss, without penalty. Others stand in its place and override what differs.

    Attributes:
        task: What the output means.
    """

    def __init__(self, task: Task) -> None:
        self.task = task

    def loss(self, inputs: torch.Tensor, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch, 0-d, differentiable; what the curves show.

        Args:
            inputs: What the network was fed, (N, C, H, W).
            output: What it gave, (N, K) logits for classification.
            targets: Class indices (N,), or shares of the classes (N, K) for mixed samples.
        """
        return self.task.loss(output, targets)

    def penalty(self, model: torch.nn.Module) -> torch.Tensor | None:
        """What is added to the loss for its gradient alone and not shown in the curves, 0-d, or None."""
        return None


class RecipeObjective(Objective):
    """The task's loss on smoothed targets, samples weighed by their class, with a penalty on weights.

    Label smoothing (Szegedy et al. 2016; course text T1, 8.2) puts (1 - s) t + s / K in the place of the shares t. The
    weights of classes are those of ``class_weights``; the loss is the sum of the samples' weighted losses over their
    number, so that parts of a batch add up to the whole.

    Attributes:
        smoothing: s, 0 to 1.
        weights: Weight of each class, (K,), or None.
        penalised: What weights cost.
    """

    def __init__(
        self, task: Task, penalised: Penalty, smoothing: float = 0.0, weights: torch.Tensor | None = None
    ) -> None:
        super().__init__(task)
        self.penalised, self.smoothing, self.weights = penalised, smoothing, weights

    def loss(self, inputs: torch.Tensor, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch, 0-d."""
        if self.smoothing or self.weights is not None:
            targets = self._targets(targets, output.shape[1])
        return self.task.loss(output, targets)

    def penalty(self, model: torch.nn.Module) -> torch.Tensor | None:
        """Strength times R(W) over the weights of two dimensions and more that learn (T4 (33)-(35)), or None."""
        return penalty(self.penalised, model)

    def _targets(self, targets: torch.Tensor, classes: int) -> torch.Tensor:
        shares = functional.one_hot(targets, classes).float() if targets.ndim == 1 else targets
        smoothed = (1.0 - self.smoothing) * shares + self.smoothing / classes
        return smoothed if self.weights is None else smoothed * (shares @ self.weights)[:, None]


def penalty(options: Penalty, model: torch.nn.Module) -> torch.Tensor | None:
    """What the weights of a network cost, 0-d, or None where they cost nothing."""
    if options.name == "none" or options.strength == 0.0:
        return None
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    squares = {"l1": 0.0, "l2": 1.0, "elastic": options.beta}[options.name]
    terms = [squares * w.square().sum() for w in weights if squares]
    terms += [w.abs().sum() for w in weights if options.name != "l2"]
    return options.strength * torch.stack(terms).sum() if terms else None


def objective_of(setup: Setup, device: torch.device) -> Objective:
    """The objective that the recipe of a run asks for.

    Raises:
        SettingError: If targets are to be changed for a task that has no shares of classes, or a teacher does not fit.
    """
    labels = _of_labels(setup, device)
    if not setup.recipe.distillation.teacher:
        return labels
    from guiapp.training.distillation import distilled

    return distilled(setup, labels, device)


def _of_labels(setup: Setup, device: torch.device) -> Objective:
    recipe, task = setup.recipe, setup.task
    balanced = recipe.balance.name == "weights"
    if not (balanced or recipe.loss.smoothing or recipe.penalty.name != "none"):
        return Objective(task)
    if (balanced or recipe.loss.smoothing) and getattr(type(task), "loss", None) is not ClassificationTask.loss:
        raise SettingError("label smoothing and weights of classes need the cross-entropy of the task classification")
    weights = None
    if balanced:
        found = class_weights(setup.dataset.train.labels, len(setup.classes))
        weights = torch.from_numpy(found).float().to(device)
    return RecipeObjective(task, recipe.penalty, recipe.loss.smoothing, weights)
