"""A linear head on features that are there: soft-max regression, learned in a fraction of a second.

The cost is convex, so there is one best head whatever it starts from: L-BFGS finds it (Liu, Nocedal 1989).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from guiapp.training.optimisers import quick

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

DECAY = 0.01
"""Weight decay on standardised features."""
_ITERATIONS = 60


@dataclass(frozen=True, eq=False)
class FittedHead:
    """Scores = weight x + bias of a feature vector x.

    Attributes:
        weight: float32 (C, D).
        bias: float32 (C,).
    """

    weight: Floats
    bias: Floats

    def scores(self, features: Floats) -> Floats:
        """Scores (N, C) of features (N, D)."""
        return np.asarray(features @ self.weight.T + self.bias, np.float32)

    def probabilities(self, features: Floats) -> Floats:
        """Soft-max of the scores, (N, C)."""
        scores = self.scores(features).astype(np.float64)
        powers = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


def fit(features: Floats, labels: Labels, classes: int, decay: float = DECAY) -> FittedHead:
    """The head with the least mean cross entropy plus ``decay / 2`` times the squared weights.

    Every class counts alike however many samples it has; features are standardised for it, and the head takes them as
    they are.

    Args:
        features: (N, D).
        labels: Class of each, 0 to ``classes - 1``; a class without samples gets the lowest scores.
        classes: Number of classes C.
        decay: Of the weights of standardised features.

    Raises:
        ValueError: If there are no samples.
    """
    if not len(features):
        raise ValueError("a head needs samples to learn from")
    given = torch.from_numpy(np.ascontiguousarray(features, np.float32))
    targets = torch.from_numpy(np.asarray(labels, np.int64))
    mean = given.mean(0)
    spread = given.std(0, correction=0)
    # A feature that hardly varies says nothing, and must not be blown up to noise.
    spread = torch.where(spread > 1e-3 * spread.max().clamp_min(1e-12), spread, torch.ones_like(spread) * torch.inf)
    inputs = (given - mean) / spread
    counts = torch.bincount(targets, minlength=classes).float()
    there = counts > 0
    shares = torch.where(there, 1.0 / (counts.clamp_min(1) * there.sum()), 0.0)[targets]
    weight = torch.zeros(classes, given.shape[1], requires_grad=True)
    bias = torch.where(there, 0.0, -30.0).requires_grad_(True)
    optimiser = quick(torch.optim.LBFGS)(
        [weight, bias], max_iter=_ITERATIONS, history_size=10, tolerance_grad=1e-5, line_search_fn="strong_wolfe"
    )

    def cost() -> torch.Tensor:
        weight.grad = bias.grad = None
        losses = functional.cross_entropy(functional.linear(inputs, weight, bias), targets, reduction="none")
        value = (losses * shares).sum() + decay / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.no_grad():
        inspect.unwrap(torch.optim.LBFGS.step)(optimiser, cost)  # ``quick`` takes no closure
    found = weight.detach() / spread
    return FittedHead(found.numpy(), (bias.detach() - found @ mean).numpy())


def held_out(features: Floats, labels: Labels, classes: int, every: int = 5) -> tuple[int, int] | None:
    """How many samples a head gets right that learned from others: every fifth of each class is held out.

    Returns:
        Right ones and all that were held out, or None where a class has too few samples.
    """
    order = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < every:
            return None
        order[members] = np.arange(len(members))
    test = order % every == every - 1
    head = fit(features[~test], labels[~test], classes)
    right = int((head.scores(features[test]).argmax(1) == labels[test]).sum())
    return right, int(test.sum())
