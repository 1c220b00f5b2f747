"""The gradient of a step: forward, loss and backward, at once or in parts that need less memory."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from guiapp.training.newton import NewtonCG

if TYPE_CHECKING:
    from guiapp.training.recipe import Recipe
    from guiapp.training.trainer import Trainer


def parts_of(recipe: Recipe, count: int) -> int:
    """Parts in which ``count`` samples of a step are taken: ``accumulate``, or as many as ``gd`` needs at ``batch``."""
    if recipe.optimiser.name == "gd":
        return -(-count // max(recipe.batch // recipe.accumulate, 1))
    return min(recipe.accumulate, count)


def gradients(trainer: Trainer, inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Put the gradient of the batch's objective into the parameters.

    Parts are of even size, and their losses count by their share of the samples: but for batch statistics and what is
    drawn at random, the gradient is that of the whole batch.

    Args:
        trainer: Its network, objective and optimiser.
        inputs: (N, C, H, W), in the order in memory of the network.
        targets: (N,) or (N, K).

    Returns:
        Mean loss without penalty and number of right ones, 0-d.
    """
    trainer.optimiser.zero_grad()
    parts = parts_of(trainer.recipe, len(targets))
    if parts == 1:
        loss, correct = _part(trainer, inputs, targets, 1.0, last=True)
    else:
        pairs = list(zip(inputs.tensor_split(parts), targets.tensor_split(parts), strict=True))
        losses: list[torch.Tensor] = []
        rights: list[torch.Tensor] = []
        for number, (some, their) in enumerate(pairs, 1):
            share = len(their) / len(targets)
            # Processes that train together exchange gradients once, however many parts each has.
            alone = nullcontext() if trainer.ranks is None or number == parts else trainer.ranks.alone(trainer)
            with alone:
                part_loss, right = _part(trainer, some, their, share, last=number == parts)
            losses.append(part_loss * share)
            rights.append(right)
        loss, correct = torch.stack(losses).sum(), torch.stack(rights).sum()
    trainer.scaler.unscale_(trainer.optimiser)
    return loss, correct


def _part(
    trainer: Trainer, inputs: torch.Tensor, targets: torch.Tensor, share: float, last: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Add the gradient of some samples, and of the penalty where they are the last of their batch."""
    optimiser = trainer.optimiser
    newton = optimiser if isinstance(optimiser, NewtonCG) else None
    with trainer.autocast if newton is None else newton.differentiable():
        output = trainer.forward(inputs)
        trainer.callbacks.after_forward(output, targets)
        loss = trainer.objective.loss(inputs, output, targets)
    total = loss if share == 1.0 else loss * share
    penalty = trainer.objective.penalty(trainer.model) if last else None
    if penalty is not None:
        total = total + penalty
    if newton is not None:
        newton.backward(total)
    else:
        trainer.scaler.scale(total).backward()  # type: ignore[no-untyped-call]
    return loss.detach(), trainer.task.correct(output, targets)
