"""Maps that new points can be placed into, turned to lie as the map before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guiapp.interpret.embedding.align import Turn
from guiapp.interpret.embedding.cloud import Cloud
from guiapp.interpret.embedding.distance import METRICS, Metric, Neighbours, Space
from guiapp.interpret.embedding.features import Features
from guiapp.interpret.embedding.options import Method
from guiapp.interpret.embedding.plane import LinearMap

Floats = npt.NDArray[np.float32]

_VOTES = 10


@dataclass(frozen=True, eq=False)
class Map:
    """Pictures laid out in the plane by the output of a layer.

    Attributes:
        features: What was laid out.
        method: How.
        cloud: The places, sorted; ``xy`` in the order of the features.
        space: The vectors under the three distances.
        axes: What the axes are, or two empty words: the directions of t-SNE and UMAP mean nothing.
        words: What a person should know of the map, one line.
        turn: What was done to lay it as the map before.
        linear: How vectors become places, for linear maps.
        final: Whether it is laid out to the end.
        agreement: By distance, the share of pictures whose class the five nearest vote for; empty until known.
        asked: How many pictures that is of.
    """

    features: Features
    method: Method
    cloud: Cloud
    space: Space
    axes: tuple[str, str]
    words: str
    turn: Turn
    linear: LinearMap | None = None
    final: bool = True
    agreement: dict[Metric, float] | None = None
    asked: int = 0

    @property
    def xy(self) -> Floats:
        """Places, float32 (N, 2)."""
        return self.cloud.xy

    def place(self, vector: Floats) -> Floats:
        """Where a new vector (D,) lies, float32 (2,).

        Linear maps are applied to it. Into the others it is placed by its ten nearest vectors, each with a weight that
        falls with the distance as a Gaussian as wide as the distance of the third; the map does not move.
        """
        if self.linear is not None:
            return np.asarray(self.turn(self.linear(np.asarray(vector, np.float32)[None]))[0])
        near = self.space.nearest(vector, "euclidean", _VOTES)
        away = near.distances.astype(np.float64)
        if away[0] <= 1e-6 * max(1e-12, float(away[-1])):
            return np.asarray(self.xy[near.indices[0]])
        width = max(float(away[min(2, len(away) - 1)]), 1e-12)
        weights = np.exp(-0.5 * (away**2 - away[0] ** 2) / width**2)
        return np.asarray(weights @ self.xy[near.indices] / weights.sum(), np.float32)

    def neighbours(self, vector: Floats, count: int, but: int | None = None) -> dict[Metric, Neighbours]:
        """The nearest pictures under each distance, ``but`` left out."""
        return {metric: self.space.nearest(vector, metric, count, but) for metric in METRICS}
