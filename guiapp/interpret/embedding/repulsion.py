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
_CLOSE = 4.0
"""Extent below which fields are kept in double precision: their slopes are small differences of large numbers there."""
_EPSILON = 1e-12


class Repulsion:
    """The objective of t-SNE and its gradient, for ``openTSNE`` as its ``negative_gradient_method``.

    With q = 1 / (1 + |y_i - y_j|^2) and Z the sum of q over all pairs, the points push each other with the forces
    sum_j q^2 (y_i - y_j) / Z. As in FIt-SNE (Linderman et al., 2019) the points are spread to the nodes of a grid, and
    sums over nodes are a convolution. FIt-SNE convolves three charges with two kernels and reads the forces from them.
    Here the forces are read as slopes: grad_i sum_j q = -2 sum_j q^2 (y_i - y_j), so one charge and one kernel are
    enough, one transform there and one back in place of three and four. For that the field between the nodes has to be
    smooth: it is a cubic spline (as the smooth particle mesh of Essmann et al., 1995), whose coefficients come out of
    the same transforms, divided by the spline's own.

    Kernels are kept: they depend on the spacing and on the size of the grid alone.

    Attributes:
        judged: Whether the divergence is worked out when it is asked for. openTSNE asks after each of its calls, which
            costs more than a step; where nobody reads it, it is 0.
    """

    def __init__(self, judged: bool = True) -> None:
        self.judged = judged
        self._kernels: tuple[tuple[float, int, torch.dtype], torch.Tensor] | None = None

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

        if should_eval_error and not self.judged:
            return 0.0, np.zeros((0, 2))  # the gradient that comes with a divergence is never read
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
        kind = torch.float64 if extent < _CLOSE else torch.float32
        side = _side(2 * math.ceil(extent / spacing + 6))
        grid = torch.from_numpy((places - low) / spacing + 2).to(kind)
        cell = grid.floor()
        weights, slopes = _spline(grid - cell)  # (N, 4, 2)
        column, row = ((cell[:, axis].long() - 1)[:, None] + torch.arange(4) for axis in (0, 1))
        index = (row[:, :, None] * side + column[:, None, :]).flatten(1)
        shares = _products(weights, weights)
        charge = torch.bincount(index.flatten(), shares.flatten(), side * side).view(side, side)
        field = torch.fft.irfft2(torch.fft.rfft2(charge) * self._spectrum(spacing, side, kind), s=(side, side))
        near = field.flatten()[index]
        right, up = (near * _products(slopes, weights)).sum(1), (near * _products(weights, slopes)).sum(1)
        total = float((near * shares).sum(1).double().sum()) - len(places)
        forces = torch.stack([right, up], 1).numpy().astype(np.float64) * (-0.5 / spacing)
        return forces, max(total, _EPSILON)

    def _spectrum(self, spacing: float, side: int, kind: torch.dtype) -> torch.Tensor:
        """Transform of q on a grid that is as large again, (side, side / 2 + 1), over that of the spline.

        The spline stands in it four times: points are spread with it and fields are read with it, on both axes.
        """
        if self._kernels is None or self._kernels[0] != (spacing, side, kind):
            steps = torch.arange(side, dtype=torch.float64)
            away = torch.where(steps < side / 2, steps, steps - side) * spacing
            kernel = torch.fft.rfft2(1 / (1 + away[None, :] ** 2 + away[:, None] ** 2))
            own = ((2 + torch.cos(2 * math.pi * steps / side)) / 3) ** 2
            kernel /= own[:, None] * own[None, : side // 2 + 1]
            complex_kind = torch.complex128 if kind == torch.float64 else torch.complex64
            self._kernels = (spacing, side, kind), kernel.to(complex_kind)
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


def _spline(t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cubic B-splines of the nodes -1, 0, 1, 2 at places ``t`` in [0, 1), and their slopes: (N, 2) gives (N, 4, 2)."""
    square, rest = t * t, 1 - t
    weights = [rest**3 / 6, (3 * t - 6) * square / 6 + 2 / 3, (-3 * t + 3) * square / 6 + t / 2 + 1 / 6, square * t / 6]
    slopes = [-rest * rest / 2, (1.5 * t - 2) * t, (-1.5 * t + 1) * t + 0.5, square / 2]
    return torch.stack(weights, 1), torch.stack(slopes, 1)


def _products(across: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """Products of what belongs to columns and to rows of the 4x4 nodes around each point, (N, 16)."""
    return (up[:, :, 1][:, :, None] * across[:, :, 0][:, None, :]).flatten(1)
