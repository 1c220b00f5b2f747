"""Bias and variance of repeated fits: what all of them get wrong together, and what each gets wrong by itself (T1 8.1).

For the squared error of the probabilities (Brier score) the split is exact. With p_r the probabilities of fit r for a
sample, q their mean and y the true class as a unit vector,

    mean over r of |p_r - y|² = |q - y|² + mean over r of |p_r - q|²
                        error = bias² (with the noise of the labels) + variance
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError


@dataclass(frozen=True)
class Decomposition:
    """Repeated fits of one configuration on the same samples.

    Attributes:
        fits, samples: How many.
        error: Mean squared error of the probabilities over samples and fits, 0 to 2.
        bias: Of it, the squared distance of the mean prediction from the truth; holds the noise of the labels.
        variance: Of it, the spread of the fits about their mean; ``error = bias + variance``.
        wrong: Share of samples that a single fit has wrong, on average.
        wrong_together: Share that the mean of all fits has wrong: what an ensemble of them gets.
        disagreement: Share of samples for which a single fit says another class than the mean of all, on average.
        interval: Smallest and largest share of wrong samples of a fit.
    """

    fits: int
    samples: int
    error: float
    bias: float
    variance: float
    wrong: float
    wrong_together: float
    disagreement: float
    interval: tuple[float, float]


def decompose(probabilities: npt.NDArray[np.floating[Any]], truth: npt.NDArray[np.int64]) -> Decomposition:
    """Split the error of several fits.

    Args:
        probabilities: Of each fit for each sample and class, (R, N, C).
        truth: True class of each sample, (N,).
    """
    p = np.asarray(probabilities, np.float64)
    fits, samples, classes = p.shape
    y = np.eye(classes)[truth]
    mean = p.mean(0)
    error = float(((p - y) ** 2).sum(2).mean())
    bias = float(((mean - y) ** 2).sum(1).mean())
    variance = float(((p - mean) ** 2).sum(2).mean())
    said, together = p.argmax(2), mean.argmax(1)
    wrong = (said != truth).mean(1)
    return Decomposition(
        fits, samples, error, bias, variance, float(wrong.mean()), float((together != truth).mean()),
        float((said != together).mean()), (float(wrong.min()), float(wrong.max())),
    )  # fmt: skip


def measure(groups: Sequence[Sequence[Path]]) -> Generator[tuple[float, str], None, list[Decomposition]]:
    """Bias and variance of each group of runs on the validation part; yields the share done and what is being done.

    Raises:
        UserError: If a group has fewer than two runs, or its runs were validated on different samples (folds).
    """
    import torch

    from guiapp.datasets.base import Dataset
    from guiapp.training.load import load_run

    total, done = sum(len(group) for group in groups), 0
    opened: dict[str, Dataset] = {}
    found = []
    for group in groups:
        if len(group) < 2:
            raise UserError(
                "bias and variance need at least two fits of each configuration: search with seeds or draws"
            )
        fits: list[npt.NDArray[np.float32]] = []
        truth: npt.NDArray[np.int64] | None = None
        where = ""
        for folder in group:
            yield done / max(total, 1), f"run {done + 1} of {total}"
            setup, model = load_run(folder)
            if setup.recipe.data.folds:
                raise UserError("folds are validated on different samples: choose runs that differ in seed or draw")
            if setup.dataset_name not in opened:
                opened[setup.dataset_name] = setup.whole
            samples = opened[setup.dataset_name].validation
            if truth is not None and setup.dataset_name != where:
                raise UserError("these runs were trained on different data sets")
            where, truth = setup.dataset_name, samples.labels
            rows = []
            for start in range(0, len(samples), 256):
                inputs = setup.preprocessing(np.asarray(samples.images[start : start + 256]), "cpu")
                with torch.no_grad():
                    rows.append(torch.softmax(model(inputs).float(), 1).numpy())
                yield done / max(total, 1), f"run {done + 1} of {total}"
            fits.append(np.concatenate(rows))
            done += 1
        assert truth is not None
        found.append(decompose(np.stack(fits), truth))
    return found
