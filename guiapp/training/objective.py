"""What a step of training makes smaller: the loss of the task, and what is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from guiapp.tasks.base import Task

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


def objective_of(setup: Setup, device: torch.device) -> Objective:
    """The objective that the recipe of a run asks for."""
    return Objective(setup.task)
