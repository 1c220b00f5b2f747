"""t-SNE by openTSNE, a few steps at a time, so that it can be watched and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from guiapp.core.notices import UserError
from guiapp.interpret.embedding.options import TsneOptions

Floats = npt.NDArray[np.float32]
Progress = Generator[tuple[float, str], None, Any]
Shown = Callable[[Floats], None]

MOST = 100_000
"""Points that are laid out at most: the neighbours of each are found by comparing it with all others."""
_WIDTH = 50
_BLOCK = 1 << 23
_SHOW_S = 0.08
_NEIGHBOURS_SHARE = 0.15
_START = 1e-4
_WARM = 250
_GRID_FROM = 4000
"""Points from which a grid is quicker than the tree of Barnes and Hut."""


def reduced(vectors: Floats) -> Floats:
    """Vectors (N, D) by their first 50 principal components, as van der Maaten and Hinton did; short ones stay."""
    if vectors.shape[1] <= _WIDTH or len(vectors) <= _WIDTH:
        return vectors
    from guiapp.interpret.embedding.plane import components

    directions, _, mean = components(vectors, _WIDTH)
    return np.asarray((vectors - mean) @ directions, np.float32)


def nearest(
    vectors: Floats, count: int
) -> Generator[float, None, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
    """The ``count`` nearest others of every vector, exactly; yields the share done.

    Args:
        vectors: float32 (N, D).
        count: Below N.

    Returns:
        Indices and Euclidean distances, (N, count), nearest first.
    """
    points = torch.from_numpy(np.ascontiguousarray(vectors - vectors.mean(0)))
    squares = (points * points).sum(1)
    indices = np.empty((len(points), count), np.int64)
    distances = np.empty((len(points), count))
    size = max(1, min(1024, _BLOCK // len(points)))
    for start in range(0, len(points), size):
        block = points[start : start + size]
        away = torch.addmm(squares[None, :], block, points.T, alpha=-2)
        away[torch.arange(len(block)), torch.arange(start, start + len(block))] = torch.inf
        found = away.topk(count, dim=1, largest=False)
        own = squares[start : start + size, None]
        indices[start : start + size] = found.indices.numpy()
        distances[start : start + size] = (found.values + own).clamp_min(0).sqrt().numpy()
        yield min(1.0, (start + size) / len(points))
    return indices, distances


def affinities(vectors: Floats, perplexity: float) -> Generator[float, None, Any]:
    """The symmetric affinities P of openTSNE, from the exact neighbours; yields the share done.

    Raises:
        UserError: If there are too few points for any, or too many.
    """
    if len(vectors) < 4:
        raise UserError("t-SNE needs at least four pictures: choose more")
    if len(vectors) > MOST:
        raise UserError(f"t-SNE lays out at most {MOST:,} pictures here, not {len(vectors):,}: choose fewer, or PCA")
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(perplexity, (len(vectors) - 1) / 3)
    count = min(len(vectors) - 1, int(3 * perplexity))
    indices, distances = yield from nearest(reduced(vectors), count)
    return PerplexityBasedNN(knn_index=PrecomputedNeighbors(indices, distances), perplexity=perplexity)


def beginning(vectors: Floats, seed: int) -> npt.NDArray[np.float64]:
    """The first two principal components, small, with a little noise so that equal points part."""
    from guiapp.interpret.embedding.plane import components

    directions, _, mean = components(vectors, 2)
    found = ((vectors - mean) @ directions).astype(np.float64)
    if found.shape[1] < 2:
        found = np.hstack([found, np.zeros((len(found), 2 - found.shape[1]))])
    spread = float(found[:, 0].std()) or 1.0
    return found * (_START / spread) + np.random.default_rng(seed).normal(0, _START / 100, found.shape)


def layout(
    vectors: Floats, options: TsneOptions, show: Shown, begin: Floats | None = None, threads: int = 1
) -> Generator[tuple[float, str], None, tuple[Floats, float]]:
    """Lay vectors out; yields share and words, and shows the map about twelve times a second.

    The first quarter of the steps attracts more strongly. From a map that is there already (``begin``) there is no such
    time, and at most 250 steps: it only has to follow.

    Args:
        vectors: float32 (N, D).
        options: Perplexity, steps and the rest.
        show: Called with the map as it is now, float32 (N, 2).
        begin: Where each point begins, float32 (N, 2), or None.
        threads: Threads that it may use.

    Returns:
        The map, float32 (N, 2), and the Kullback-Leibler divergence that is left.

    Raises:
        UserError: If there are too few points, or too many.
    """
    torch.set_num_threads(threads)  # of this thread alone
    finding = affinities(vectors, options.perplexity)
    while True:
        try:
            share = next(finding)
        except StopIteration as end:
            found = end.value
            break
        yield _NEIGHBOURS_SHARE * share, "finding neighbours"
    from openTSNE import TSNEEmbedding

    from guiapp.interpret.embedding.repulsion import Repulsion

    repulsion = Repulsion(judged=False)
    method = repulsion if len(vectors) >= _GRID_FROM else "bh"
    start = beginning(vectors, options.seed) if begin is None else np.asarray(begin, np.float64).copy()
    embedding = TSNEEmbedding(start, found, n_jobs=threads, negative_gradient_method=method)
    early = options.iterations // 4 if begin is None else 0
    late = options.iterations - early if begin is None else min(options.iterations, _WARM)
    done, shown = 0, 0.0
    # 0.9 in place of openTSNE's 0.8 once the groups stand: after 1,000 steps of 10,000 points KL is 0.70 for 0.75.
    for count, exaggeration, momentum in ((early, options.exaggeration, 0.8), (late, 1.0, 0.9)):
        left = count
        while left > 0:
            steps = min(left, max(1, 20_000 // len(vectors)))
            embedding.optimize(
                steps, inplace=True, exaggeration=exaggeration, momentum=momentum, learning_rate="auto",
                negative_gradient_method=method, n_jobs=threads,
            )  # fmt: skip
            left, done = left - steps, done + steps
            if time.monotonic() > shown + _SHOW_S:
                shown = time.monotonic()
                show(np.asarray(embedding, np.float32))
            share = _NEIGHBOURS_SHARE + (1 - _NEIGHBOURS_SHARE) * done / max(1, early + late)
            yield share, f"t-SNE step {done:,} of {early + late:,}"
    repulsion.judged = True
    divergence, _ = repulsion(embedding, found.P, should_eval_error=True, n_jobs=threads)
    return np.asarray(embedding, np.float32), float(divergence)


def divergence(affinity: Any, xy: npt.ArrayLike) -> float:
    """The Kullback-Leibler divergence of a map from affinities, every pair counted: sum P log(P / Q).

    Args:
        affinity: Sparse (N, N) with the sum 1.
        xy: (N, 2).
    """
    points = torch.as_tensor(np.asarray(xy, np.float64))
    total = 0.0
    for start in range(0, len(points), 512):
        block = points[start : start + 512]
        total += float((1 / (1 + torch.cdist(block, points) ** 2)).sum())
    total -= len(points)
    pairs = affinity.tocoo()
    rows, columns = (torch.from_numpy(part.astype(np.int64)) for part in (pairs.row, pairs.col))
    p = torch.from_numpy(pairs.data.astype(np.float64))
    q = 1 / (1 + ((points[rows] - points[columns]) ** 2).sum(1)) / total
    used = p > 0
    return float((p[used] * (p[used] / q[used]).log()).sum())
