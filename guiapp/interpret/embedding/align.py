"""A map turned and mirrored to lie as the one before it, so that points can be followed from step to step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Turn:
    """A rotation or reflection about a point, and a shift: ``(p - centre) @ matrix + target``; lengths stay.

    Attributes:
        matrix: (2, 2), orthogonal.
        centre: (2,), mean of the points that were turned.
        target: (2,), where that mean goes.
    """

    matrix: Doubles
    centre: Doubles
    target: Doubles

    def __call__(self, points: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Points (N, 2) turned."""
        return ((np.asarray(points, np.float64) - self.centre) @ self.matrix + self.target).astype(np.float32)


def as_it_is() -> Turn:
    """The turn that changes nothing."""
    return Turn(np.eye(2), np.zeros(2), np.zeros(2))


def onto(points: npt.ArrayLike, before: npt.ArrayLike) -> Turn:
    """The turn that brings points nearest to where they were, by the sum of squares.

    This is the orthogonal Procrustes problem (Schönemann, 1966): with centred maps A and B and the singular value
    decomposition A^T B = U S V^T, the turn is U V^T. Nothing is stretched, so distances in the map keep their meaning.

    Args:
        points: (N, 2), the new map.
        before: (N, 2), the same points in the map before.
    """
    new, old = np.asarray(points, np.float64), np.asarray(before, np.float64)
    if len(new) < 2 or new.shape != old.shape:
        return as_it_is()
    centre, target = new.mean(0), old.mean(0)
    left, _, right = np.linalg.svd((new - centre).T @ (old - target))
    return Turn(left @ right, centre, target)
