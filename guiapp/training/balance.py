"""Rare classes made to count as much as frequent ones: by weights in the loss, or by what is drawn (course text T0)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch


def class_weights(labels: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float64]:
    """Weight of each class, (classes,): N / (K n_c) for the K classes that occur; 1 for those that do not.

    The mean over the samples is 1, so that the rate need not change. As scikit-learn's ``"balanced"``.

    Args:
        labels: Class indices of the training part, (N,).
        classes: Number of classes.
    """
    counts = np.bincount(labels, minlength=classes)
    there = counts > 0
    return np.where(there, len(labels) / (max(there.sum(), 1) * np.maximum(counts, 1)), 1.0)


def draw_order(labels: torch.Tensor, count: int, draw: torch.Generator) -> torch.Tensor:
    """Indices of ``count`` samples, int64, with repetition: every class that occurs is drawn equally often on average.

    Args:
        labels: Class indices, (N,), on the CPU.
        count: How many to draw.
        draw: What decides.
    """
    share = 1.0 / torch.bincount(labels).double()[labels]
    return torch.multinomial(share, count, replacement=True, generator=draw)
