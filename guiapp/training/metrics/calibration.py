"""Whether probabilities mean what they say: of all answers given with 0.8, is the share 0.8 right?

Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from guiapp.training.metrics.numbers import Interval, jackknife, wilson_ends
from guiapp.training.metrics.scores import Floats, Ints, Scores

BINS = 15
"""Of Guo et al."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Samples in bins of equal width by their probability, each with what it promised and what came.

    Attributes:
        edges: (B + 1,), from 0 to 1.
        counts: (B,), samples of each bin.
        promised: (B,), mean probability; NaN in an empty bin.
        came: (B,), share that is right; NaN in an empty bin.
        low, high: (B,), 95 % interval of that share.
        place: int64 (N,), bin of each sample, -1 without an answer.
        ece: Expected calibration error: mean distance of promised and came, weighted by the samples.
        ece_interval: 95 %.
        mce: Largest distance of a bin that is not empty.
        over: Mean of promised minus came over the samples: above 0 for too confident.
    """

    edges: Floats
    counts: Ints
    promised: Floats
    came: Floats
    low: Floats
    high: Floats
    place: Ints
    ece: float
    ece_interval: Interval
    mce: float
    over: float

    def members(self, index: int) -> Ints:
        """Indices of the samples of a bin."""
        return np.flatnonzero(self.place == index)


def calibration(scores: Scores, positive: int | None = None, bins: int = BINS) -> Calibration:
    """Put samples into bins (low, high]; 0 belongs to the first one.

    Args:
        scores: The samples.
        positive: The class whose probability is meant, against the others; None for that of the answer.
        bins: Number of bins.
    """
    if positive is None:
        said, came = scores.confidence, scores.right
    else:
        said, came = scores.column(positive), scores.truth == positive
    known = scores.answered
    said, hits = said[known], came[known].astype(np.float64)
    edges = np.linspace(0, 1, bins + 1)
    where = np.clip(np.searchsorted(edges, said, "left") - 1, 0, bins - 1)
    place = np.full(len(scores), -1, np.int64)
    place[known] = where
    counts = np.bincount(where, minlength=bins)
    full = counts > 0
    sums = [np.bincount(where, values, bins) for values in (said, hits)]
    promised, share = (np.divide(s, counts, out=np.full(bins, np.nan), where=full) for s in sums)
    gaps = sums[0] - sums[1]
    total = len(said)
    ece = float(np.abs(gaps).sum() / total) if total else math.nan
    moved = (np.sign(gaps)[where] * (said - hits) - ece) / max(total, 1)
    low, high = wilson_ends(np.asarray(sums[1], np.float64), counts.astype(np.float64))
    distances = np.abs(promised - share)[full]
    return Calibration(
        edges, counts.astype(np.int64), promised, share, low, high, place, ece, jackknife(ece, moved, 0, 1),
        float(distances.max()) if len(distances) else math.nan, float(gaps.sum() / total) if total else math.nan,
    )  # fmt: skip
