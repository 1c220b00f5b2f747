"""Nearest neighbours in the space of a layer under the Euclidean, the cosine and the Mahalanobis distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Metric = Literal["euclidean", "cosine", "mahalanobis"]
METRICS: tuple[Metric, ...] = get_args(Metric)

_MOST_DIMENSIONS = 512
_BLOCK = 1 << 22
"""Numbers of a block of distances, 16 MB."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest of some points, best first.

    Attributes:
        metric: The distance.
        indices: int64 (k,), which points.
        distances: float32 (k,), how far they are; the cosine distance is 1 - cos, from 0 to 2.
    """

    metric: Metric
    indices: npt.NDArray[np.int64]
    distances: Floats


class Space:
    """Vectors under three distances.

    - Euclidean: |a - b|.
    - Cosine: 1 - a.b / (|a| |b|); a vector of zeros is at 1 from every other.
    - Mahalanobis: sqrt((a - b)^T W (a - b)), W the inverse of the covariance of the vectors (T0, metric learning).
      The covariance is drawn towards a multiple of the identity, as far as Ledoit and Wolf (2004) find best, so that it
      can be inverted also where there are fewer vectors than dimensions; above 512 dimensions it is that of the first
      512 principal components.

    Args:
        vectors: float32 (N, D).
    """

    def __init__(self, vectors: Floats) -> None:
        self.vectors = np.ascontiguousarray(vectors, np.float32)
        self._mean = self.vectors.mean(0) if len(self.vectors) else np.zeros(self.vectors.shape[1], np.float32)
        self._forms: dict[Metric, tuple[Floats, Floats]] = {}
        self._whitening: Floats | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def form(self, vectors: Floats, metric: Metric) -> Floats:
        """Vectors (M, D) brought to where the Euclidean distance says what ``metric`` says.

        For the cosine distance d that is |a' - b'|^2 / 2 = d, with vectors of length 1.
        """
        vectors = np.asarray(vectors, np.float32)
        if metric == "cosine":
            lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
            return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))
        centred = vectors - self._mean  # squares of what lies far from zero would lose digits
        return centred @ self.whitening if metric == "mahalanobis" else centred

    @property
    def whitening(self) -> Floats:
        """(D, d) with W = whitening @ whitening^T."""
        if self._whitening is None:
            self._whitening = _whitening(self.vectors - self._mean)
        return self._whitening

    def _kept(self, metric: Metric) -> tuple[Floats, Floats]:
        if metric not in self._forms:
            formed = self.form(self.vectors, metric)
            self._forms[metric] = formed, np.einsum("nd,nd->n", formed, formed)
        return self._forms[metric]

    def distances(self, queries: Floats, metric: Metric) -> Floats:
        """Distances (M, N) of queries (M, D) to every vector."""
        kept, squares = self._kept(metric)
        asked = self.form(queries, metric)
        products = asked @ kept.T
        if metric == "cosine":
            return np.asarray(1 - products, np.float32)
        found = np.einsum("md,md->m", asked, asked)[:, None] + squares - 2 * products
        return np.asarray(np.sqrt(np.maximum(found, 0)), np.float32)

    def nearest(self, query: Floats, metric: Metric, count: int, but: int | None = None) -> Neighbours:
        """The ``count`` vectors nearest to a query (D,), without the one at index ``but``; ties by their index."""
        away = self.distances(np.asarray(query, np.float32)[None], metric)[0]
        if but is not None and 0 <= but < len(away):
            away[but] = np.inf
        count = min(count, len(away) - (but is not None))
        if count < 1:
            return Neighbours(metric, np.empty(0, np.int64), np.empty(0, np.float32))
        found = np.argpartition(away, count - 1)[:count]
        found = np.flatnonzero(away <= away[found].max()) if len(away) < 1 << 20 else found
        best = found[np.lexsort((found, away[found]))][:count]
        # Products lose half of the digits of small distances; those that are shown are worked out from differences.
        exact = away[best] if metric == "cosine" else self._exact(query, best, metric)
        return Neighbours(metric, best.astype(np.int64), exact.astype(np.float32))

    def _exact(self, query: Floats, indices: npt.NDArray[np.int64], metric: Metric) -> Floats:
        differences = np.asarray(query, np.float32) - self.vectors[indices]
        if metric == "mahalanobis":
            differences = differences @ self.whitening
        return np.asarray(np.linalg.norm(differences, axis=1), np.float32)

    def agreement(
        self, labels: npt.NDArray[np.int64], metric: Metric, count: int = 5, most: int = 1000
    ) -> tuple[float, int]:
        """How well neighbours tell the class, each vector left out in turn.

        Args:
            labels: int64 (N,), -1 where the class is not known.
            metric: The distance.
            count: Neighbours that vote; of classes with as many votes, that of the nearest wins.
            most: Vectors that are asked about, spread over all.

        Returns:
            Share of vectors whose class is that of the vote (NaN without any), and how many were asked about.
        """
        known = np.flatnonzero(labels >= 0)
        if len(known) < 2:
            return float("nan"), 0
        asked = known[np.unique(np.linspace(0, len(known) - 1, min(most, len(known))).astype(np.int64))]
        right, size = 0, max(1, _BLOCK // len(self.vectors))
        for start in range(0, len(asked), size):
            block = asked[start : start + size]
            away = self.distances(self.vectors[block], metric)
            away[:, labels < 0] = np.inf
            away[np.arange(len(block)), block] = np.inf
            k = min(count, len(known) - 1)
            near = np.argpartition(away, k - 1, axis=1)[:, :k]
            near = np.take_along_axis(near, np.argsort(np.take_along_axis(away, near, 1), 1, kind="stable"), 1)
            votes = (labels[near][:, :, None] == labels[near][:, None, :]).sum(2)
            winner = labels[near[np.arange(len(block)), votes.argmax(1)]]
            right += int((winner == labels[block]).sum())
        return right / len(asked), len(asked)


def _whitening(centred: Floats) -> Floats:
    """(D, d) that makes the covariance of centred vectors (N, D), shrunk after Ledoit and Wolf, the identity."""
    from sklearn.covariance import ledoit_wolf

    count, dimensions = centred.shape
    turned = np.eye(dimensions)
    used = centred.astype(np.float64)
    if dimensions > _MOST_DIMENSIONS:
        turned = _directions(used)
        used = used @ turned
    if count < 2 or not used.any():
        return turned.astype(np.float32)
    covariance, _ = ledoit_wolf(used, assume_centered=True)
    values, directions = np.linalg.eigh(np.atleast_2d(covariance))
    values = np.maximum(values, 1e-7 * values.max())  # units that never answer have no scale of their own
    return np.asarray(turned @ (directions / np.sqrt(values)), np.float32)


def _directions(centred: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The first principal directions (D, d) of centred vectors (N, D)."""
    from sklearn.utils.extmath import randomized_svd

    return np.asarray(randomized_svd(centred, min(len(centred), _MOST_DIMENSIONS), random_state=0)[2].T)
