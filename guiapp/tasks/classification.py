"""Classification: one of C classes for a picture, trained on the cross-entropy of a soft-max."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from guiapp.tasks.live_options import LiveOptions
from guiapp.tasks.predictions import ClassScores


class ClassificationTask:
    """One of C classes (course text T2, soft-max classifier).

    Attributes:
        labels: Class names by index.
    """

    metrics = ("accuracy", "loss")

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = tuple(labels)

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Mean of -log p(true class); the log-soft-max is inside.

        Args:
            output: Logits, shape (N, C).
            target: Class indices, int64, shape (N,), or shares of the classes, float, shape (N, C).

        Returns:
            0-d; log C for logits that are all the same.
        """
        return functional.cross_entropy(output, target)

    def correct(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """How many of (N, C) logits have their maximum at the true class, or at the largest share; 0-d int64."""
        truth = target if target.ndim == 1 else target.argmax(1)
        return (output.detach().argmax(1) == truth).sum()

    def prediction(self, output: torch.Tensor) -> ClassScores:
        """Soft-max of the logits, shape (1, C)."""
        logits = output.detach().reshape(-1).float().cpu()
        probabilities = torch.softmax(logits, 0).numpy()
        return ClassScores(probabilities.astype(np.float32), self.labels, logits.numpy())


class LiveClassification:
    """Classification of pictures that follow one another; see ``LiveTask``.

    Attributes:
        labels: Class names by index.
    """

    frames = 1

    def __init__(self, labels: tuple[str, ...], entry: Any = None) -> None:
        self.labels = tuple(labels)
        self._task = ClassificationTask(self.labels)

    def reset(self) -> None:
        """Nothing: each picture stands for itself."""

    @torch.inference_mode()
    def run(
        self, module: torch.nn.Module, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]
    ) -> torch.Tensor:
        """Logits, float32 (1, C)."""
        logits: torch.Tensor = module(inputs if isinstance(inputs, torch.Tensor) else torch.stack(list(inputs)))
        return logits.float()

    again = run

    def drawn(self, raw: torch.Tensor, options: LiveOptions, previous: Any = None) -> ClassScores:
        """Soft-max of the logits; the options are about other tasks."""
        return self._task.prediction(raw)
