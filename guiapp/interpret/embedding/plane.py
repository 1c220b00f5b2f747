"""Linear maps: the plane of two principal components, and that of two units of the layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.interpret.embedding.options import PcaOptions, PlaneOptions

Floats = npt.NDArray[np.float32]

_EXACT_TO = 1024
"""Dimensions, or vectors, up to which every component is worked out; above, the first ones by iteration."""
_FEW = 8
"""Components up to which these are iterated until they stand still; more come from random projections."""


@dataclass(frozen=True, eq=False)
class LinearMap:
    """``(x - mean) @ directions``.

    Attributes:
        mean: (D,).
        directions: (D, 2).
        axes: What the two axes are.
        words: What a person should know of the map.
        kept: Share of the variance that the plane keeps.
    """

    mean: Floats
    directions: Floats
    axes: tuple[str, str]
    words: str
    kept: float

    def __call__(self, vectors: Floats) -> Floats:
        """Places (N, 2) of vectors (N, D)."""
        return np.asarray((np.asarray(vectors, np.float32) - self.mean) @ self.directions, np.float32)


def components(vectors: Floats, count: int) -> tuple[Floats, npt.NDArray[np.float64], Floats]:
    """The first principal components.

    With centred vectors X the covariance is X^T X / (N - 1); the components are its eigenvectors with the largest
    eigenvalues (Pearson, 1901); with fewer vectors than dimensions they come from X X^T, which has the same. Where
    there are more than 1,024 of both, up to 8 are found by Lanczos' iteration (ARPACK), which also tells components of
    nearly the same size apart, and more by a randomised singular value decomposition (Halko et al., 2011). Of the two
    signs that one is taken where the largest entry is positive.

    Args:
        vectors: float32 (N, D).
        count: How many, at most min(N, D).

    Returns:
        Directions (D, count), shares of the variance (count,), and the mean (D,).
    """
    mean = vectors.mean(0, dtype=np.float64)
    centred = vectors - mean.astype(np.float32)
    count = min(count, *vectors.shape)
    total = float(np.einsum("nd,nd->", centred, centred, dtype=np.float64))
    if vectors.shape[1] <= _EXACT_TO:
        values, found = np.linalg.eigh(_products(centred))
        values, found = values[::-1][:count], found[:, ::-1][:, :count]
    elif len(vectors) <= _EXACT_TO:
        used = centred.astype(np.float64)
        values, weights = np.linalg.eigh(used @ used.T)
        values, found = values[::-1][:count], used.T @ weights[:, ::-1][:, :count]
        lengths = np.linalg.norm(found, axis=0)
        found = np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 0)
    elif count <= _FEW:
        from sklearn.decomposition import PCA

        fitted = PCA(count, svd_solver="arpack", tol=1e-6, random_state=0).fit(centred)
        values, found = fitted.singular_values_.astype(np.float64) ** 2, fitted.components_.T
    else:
        from sklearn.utils.extmath import randomized_svd

        _, singular, rows = randomized_svd(centred, count, n_iter=5, random_state=0)
        values, found = singular.astype(np.float64) ** 2, rows.T
    largest = found[np.abs(found).argmax(0), np.arange(count)]
    directions = found * np.where(largest < 0, -1.0, 1.0)
    shares = np.maximum(values, 0) / total if total > 0 else np.zeros(count)
    return directions.astype(np.float32), shares, mean.astype(np.float32)


def _products(centred: Floats) -> npt.NDArray[np.float64]:
    """X^T X in double precision, a block of rows at a time."""
    found = np.zeros((centred.shape[1], centred.shape[1]))
    for start in range(0, len(centred), 65_536):
        block = centred[start : start + 65_536].astype(np.float64)
        found += block.T @ block
    return found


def pca(vectors: Floats, options: PcaOptions) -> LinearMap:
    """The plane of two principal components.

    Raises:
        UserError: If there are not as many components.
    """
    most = min(vectors.shape)
    if max(options.across, options.up) > most:
        if most < 2:
            raise UserError("one number a picture has no plane: choose another layer, or more pictures")
        raise UserError(f"there are {most} principal components here: choose two of these")
    directions, shares, mean = components(vectors, max(options.across, options.up))
    chosen = [options.across - 1, options.up - 1]
    axes = tuple(f"component {n + 1}, {100 * shares[n]:.1f} % of the variance" for n in chosen)
    kept = float(shares[sorted(set(chosen))].sum())
    words = f"{100 * kept:.0f} % of the variance of {vectors.shape[1]:,} dimensions"
    return LinearMap(mean, directions[:, chosen], (axes[0], axes[1]), words, kept)


def plane(vectors: Floats, options: PlaneOptions) -> LinearMap:
    """Two units against each other, as they are.

    Raises:
        UserError: If the layer has no such unit.
    """
    width = vectors.shape[1]
    if max(options.across, options.up) >= width:
        raise UserError(f"this layer has units 0 to {width - 1}: choose two of these")
    chosen = [options.across, options.up]
    directions = np.zeros((width, 2), np.float32)
    directions[chosen, [0, 1]] = 1
    variances = vectors.var(0, dtype=np.float64)
    total = float(variances.sum())
    kept = float(variances[sorted(set(chosen))].sum()) / total if total > 0 else 0.0
    words = f"two of {width:,} units, {100 * kept:.0f} % of the variance"
    if width == 2:
        words = "the layer itself: it has two units"
    axes = f"unit {options.across}", f"unit {options.up}"
    return LinearMap(np.zeros(width, np.float32), directions, axes, words, kept)
