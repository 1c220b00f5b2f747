"""What pushes the points of t-SNE apart, by interpolation on a grid and fast Fourier transforms."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Doubles = npt.NDArray[np.float64]

_WIDEST = 0.4
"""Largest distance of two nodes of the grid: the kernel 1 / (1 + d^2) is smooth on the scale of 1."""
_LEAST_CELLS = 100
_EPSILON = 1e-12


class Repulsion:
    """The objective of t-SNE and its gradient, for ``openTSNE`` as its ``negative_gradient_method``.

    With q = 1 / (1 + |y_i - y_j|^2) and Z the sum of q over all pairs, the points push each other with the forces
    sum_j q^2 (y_i - y_j) / Z. As in FIt-SNE (Linderman et al., 2019) the points are spread to the nodes of a grid, here
    with cubic Lagrange weights, and the sums over nodes are convolutions. FIt-SNE convolves three charges with two
    kernels; here all points are the same charge, and the forces along x and y have kernels of their own: one
    transform there and three back in place of three and four.

    Kernels are kept: they depend on the spacing and on the size of the grid alone.
    """

    def __init__(self) -> None:
        self._kernels: tuple[tuple[float, int], torch.Tensor] | None = None

    def __call__(
        self,
        embedding: npt.NDArray[np.float64],
        P: Any,
        dof: float = 1,
        reference_embedding: npt.NDArray[np.float64] | None = None,
        should_eval_error: bool = False,
        n_jobs: int = 1,
        **_: Any,
    ) -> tuple[float, Doubles]:
        """The divergence (where asked for) and its gradient (N, 2) without the factor 4, as openTSNE wants them.

        Args:
            embedding: float64 (N, 2).
            P: Affinities, sparse (N, N) with the sum 1.
            dof: Degrees of freedom; 1.
            reference_embedding: Always None: points are not placed into a map of others by this.
            should_eval_error: Whether the divergence is wanted.
            n_jobs: Threads of the attraction.
        """
        from openTSNE import _tsne

        places = np.ascontiguousarray(embedding, np.float64).view(np.ndarray)
        forces, total = self.forces(places)
        gradient = np.ascontiguousarray(-forces / total)
        sum_p, divergence = _tsne.estimate_positive_gradient_nn(
            P.indices, P.indptr, P.data, places, places, gradient, dof,
            num_threads=n_jobs, should_eval_error=should_eval_error,
        )  # fmt: skip
        if should_eval_error:
            divergence += sum_p * math.log(total + _EPSILON)
        return divergence, gradient

    def forces(self, places: Doubles) -> tuple[Doubles, float]:
        """Sums of q^2 (y_i - y_j) over j, float64 (N, 2), and the sum of q over all pairs of different points.

        Args:
            places: float64 (N, 2).
        """
        low, high = places.min(0), places.max(0)
        extent = max(float((high - low).max()), 1e-9)
        spacing = min(_WIDEST, 2.0 ** (math.floor(4 * math.log2(extent / _LEAST_CELLS)) / 4))
        grid = torch.from_numpy(((places - low) / spacing + 1).astype(np.float32))
        cell = grid.floor()
        weights = _weights(grid - cell)  # (N, 4, 2)
        side = _side(2 * math.ceil(extent / spacing + 4))
        column, row = ((cell[:, axis].long() - 1)[:, None] + torch.arange(4) for axis in (0, 1))
        index = (row[:, :, None] * side + column[:, None, :]).flatten(1)
        shares = (weights[:, :, 1][:, :, None] * weights[:, :, 0][:, None, :]).flatten(1)
        charge = torch.bincount(index.flatten(), shares.flatten(), side * side).view(side, side)
        spectrum = torch.fft.rfft2(charge)
        fields = torch.fft.irfft2(spectrum * self._spectra(spacing, side), s=(side, side)).flatten(1)
        found = torch.stack([(field[index] * shares).sum(1) for field in fields], 1).numpy().astype(np.float64)
        total = float(found[:, 0].sum()) - len(places)
        return found[:, 1:], max(total, _EPSILON)

    def _spectra(self, spacing: float, side: int) -> torch.Tensor:
        """Transforms of q, q^2 dx and q^2 dy on a grid that is as large again, complex64 (3, side, side / 2 + 1)."""
        if self._kernels is None or self._kernels[0] != (spacing, side):
            steps = torch.arange(side, dtype=torch.float32)
            away = torch.where(steps < side / 2, steps, steps - side) * spacing
            away[side // 2] = 0  # no two nodes are so far apart; zero keeps the kernels of the forces odd
            dx, dy = away[None, :], away[:, None]
            q = 1 / (1 + dx**2 + dy**2)
            self._kernels = (spacing, side), torch.fft.rfft2(torch.stack([q, q * q * dx, q * q * dy]))
        return self._kernels[1]


@cache
def _side(least: int) -> int:
    """The smallest even size from ``least`` on whose transform is quick.

    Its prime factors are 2, 3 and 5, with few twos: the columns of a power of two share the same lines of the cache.
    """
    size = least + least % 2
    while True:
        rest = size // math.gcd(size, 2**6 * 3**6 * 5**4)
        if rest == 1:
            return size
        size += 2


def _weights(t: torch.Tensor) -> torch.Tensor:
    """Cubic Lagrange weights of the nodes -1, 0, 1, 2 for places ``t`` in [0, 1): (N, 2) gives (N, 4, 2)."""
    a, b, c = t + 1, t - 1, t - 2
    return torch.stack([-t * b * c / 6, a * b * c / 2, -a * t * c / 2, a * t * b / 6], 1)
