"""Typed results that a viewer can draw; plain arrays, no torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Probabilities of the classes for one picture.

    Attributes:
        probabilities: float32, shape (C,), sum 1.
        labels: Class names, length C.
        logits: float32, shape (C,), before the soft-max.
        neighbours: For nearest-neighbour models, indices into the training part and their distances, nearest first.
    """

    probabilities: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    logits: npt.NDArray[np.float32] | None = None
    neighbours: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]] | None = None

    @property
    def best(self) -> int:
        """Index of the most probable class."""
        return int(self.probabilities.argmax())

    def ranked(self) -> list[tuple[int, str, float]]:
        """Index, label and probability, best first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(int(i), self.labels[i], float(self.probabilities[i])) for i in order]


Prediction = ClassScores
"""Every type of prediction; a union when there are more."""
