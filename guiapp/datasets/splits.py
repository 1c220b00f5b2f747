"""Stratified parts: every class has the same share in each part, and the same seed gives the same parts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from guiapp.datasets.base import SPLIT_SEED, Samples


def stratified(
    labels: npt.NDArray[np.int64], counts: Sequence[int], seed: int = SPLIT_SEED
) -> list[npt.NDArray[np.int64]]:
    """Divide sample indices into parts of exactly the given sizes, classes spread evenly (largest remainders).

    Args:
        labels: Class of each sample, shape (N,).
        counts: Size of each part; they add up to N.
        seed: Fixes the parts.

    Returns:
        One ascending array of indices for each part; together they hold every index once.
    """
    if sum(counts) != len(labels) or min(counts, default=0) < 0:
        raise ValueError(f"parts of {list(counts)} do not add up to {len(labels)} samples")
    random = np.random.default_rng(seed)
    queues = [random.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    parts = []
    for count in counts:
        sizes = np.array([len(queue) for queue in queues])
        ideal = sizes * count / max(sizes.sum(), 1)
        taken = np.floor(ideal).astype(int)
        # Ties among equal remainders are broken at random, else the first classes would get every odd sample.
        order = np.lexsort((random.random(len(queues)), -(ideal - taken).round(9)))
        taken[order[: count - taken.sum()]] += 1
        chosen = [queue[:n] for queue, n in zip(queues, taken, strict=True)]
        queues = [queue[n:] for queue, n in zip(queues, taken, strict=True)]
        parts.append(np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64))
    return parts


def hold_out(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], validation: int) -> tuple[Samples, Samples]:
    """Split a published training part into training and ``validation`` samples, stratified."""
    train, held = stratified(labels, (len(labels) - validation, validation))
    return Samples(images[train], labels[train]), Samples(images[held], labels[held])
