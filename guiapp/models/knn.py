"""k nearest neighbours as a network: it remembers the training part, and the nearest samples vote."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from guiapp.core.notices import UserError

LEAST_SHARE = 1e-6  # stands for "no vote", so that the logarithm and the cross-entropy stay finite
BLOCK_BYTES = 64 * 2**20  # largest block of distances held at a time


class KNN(nn.Module):
    """Vote of the k samples at the smallest distance (T1 2.1, T4 5.1).

    L1 is the sum of absolute differences of the prepared pixels, L2 the root of the sum of squared ones. Ties of the
    vote go to the class of the smaller index. Before ``fit`` every class is equally likely.

    Attributes:
        k: Number of neighbours asked.
        metric: ``"L1"`` or ``"L2"``.
        images: float32 (N, C H W), the prepared training samples.
        labels: int64 (N,), their classes.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __init__(self, channels: int, height: int, width: int, classes: int, k: int = 5, metric: str = "L2") -> None:
        super().__init__()
        if k < 1:
            raise UserError(f"k is a number of neighbours, at least 1, not {k}")
        if metric not in ("L1", "L2"):
            raise UserError(f"metric is L1 or L2, not {metric!r}")
        self.k, self.metric, self.classes = k, metric, classes
        self.register_buffer("images", torch.zeros(0, channels * height * width))
        self.register_buffer("labels", torch.zeros(0, dtype=torch.int64))

    def fit(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """Remember the training part.

        Args:
            images: float32 (N, C, H, W), prepared as for a prediction.
            labels: int64 (N,), class indices.
        """
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} pictures have {len(labels)} labels")
        flat = images.detach().flatten(1)
        if flat.shape[1] != self.images.shape[1]:
            raise ValueError(f"samples have {flat.shape[1]} numbers, the network takes {self.images.shape[1]}")
        self.images = flat.to(self.images.device, torch.float32).clone()
        self.labels = labels.detach().to(self.labels.device, torch.int64).clone()

    def neighbours(self, input: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The nearest samples of each input.

        Args:
            input: float32 (N, C, H, W).

        Returns:
            Indices into the training part, int64 (N, k), and distances, float32 (N, k), nearest first; k is smaller
            where fewer samples are remembered.
        """
        queries = input.detach().flatten(1)
        k = min(self.k, len(self.labels))
        if k == 0:
            return queries.new_zeros(len(queries), 0, dtype=torch.int64), queries.new_zeros(len(queries), 0)
        block = max(1, BLOCK_BYTES // (4 * len(self.labels)))
        found = [self._nearest(part, k) for part in torch.split(queries, block)]
        return torch.cat([indices for indices, _ in found]), torch.cat([distances for _, distances in found])

    def _nearest(self, queries: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self.metric == "L1":
            distances, indices = torch.cdist(queries, self.images, p=1).topk(k, largest=False)
            return indices, distances
        # |a - b|² = |a|² - 2 a·b + |b|² is one matrix product, but rounds where a is near b: it chooses a few more
        # than k, and their distances are then computed as they are defined.
        squared = torch.addmm(self.images.square().sum(1), queries, self.images.T, alpha=-2)
        wanted = min(len(self.labels), 2 * k + 8)
        chosen = squared.topk(wanted, largest=False).indices.sort(dim=1).values
        exact = torch.stack(
            [(self.images[row] - query).norm(dim=1) for row, query in zip(chosen, queries, strict=True)]
        )
        distances, order = exact.sort(dim=1, stable=True)
        return chosen.gather(1, order[:, :k]), distances[:, :k]

    def votes(self, indices: torch.Tensor) -> torch.Tensor:
        """Log shares of the votes, (N, classes), of neighbours (N, k); their soft-max is the share of each class."""
        if indices.shape[1] == 0:
            shares = torch.full((len(indices), self.classes), 1 / self.classes, device=indices.device)
        else:
            shares = nn.functional.one_hot(self.labels[indices], self.classes).float().mean(1)
        return shares.clamp_min(LEAST_SHARE).log()

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Log shares of the votes, float32 (N, classes)."""
        return self.votes(self.neighbours(input)[0])

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        # The number of remembered samples is part of the state, not of the architecture.
        for name in ("images", "labels"):
            stored, own = state_dict.get(prefix + name), getattr(self, name)
            if stored is not None and stored.shape[1:] == own.shape[1:]:
                setattr(self, name, own.new_empty(stored.shape))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
