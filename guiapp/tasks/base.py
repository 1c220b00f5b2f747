"""What a task is: the meaning of a network's output, as a loss, a count and a prediction that a viewer can draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from guiapp.core.registry import Registry, resolve

if TYPE_CHECKING:
    import torch

    from guiapp.tasks.predictions import Prediction


class Task(Protocol):
    """The meaning of an output.

    Attributes:
        labels: Class names by index.
        metrics: Names of the figures that training and evaluation give, the one that chooses weights first.
    """

    labels: tuple[str, ...]
    metrics: tuple[str, ...]

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Mean loss over the batch, 0-d, differentiable."""
        ...

    def correct(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """How many samples of the batch are right, 0-d, on the device of the output, without gradient."""
        ...

    def prediction(self, output: torch.Tensor) -> Prediction:
        """The output of a batch of one as something that a viewer can draw."""
        ...


TASKS: Registry[str] = Registry("task")
"""Task name to ``"module:class"``; the class is called with the class names."""

TASKS.add("classification", "guiapp.tasks.classification:ClassificationTask")


def make_task(name: str, labels: tuple[str, ...], **options: Any) -> Task:
    """Make the task called ``name`` for these class names.

    Raises:
        UnknownName: If there is no such task.
    """
    task: Task = resolve(TASKS[name])(labels, **options)
    return task
