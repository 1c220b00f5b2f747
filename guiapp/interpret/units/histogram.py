"""Histograms of many units at once, whose bins grow with what comes: no range has to be known before."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

BINS = 128
"""Bins on each side of zero."""


class Histograms:
    """Counts of values other than zero, for each unit in bins of its own width, a power of two.

    A value v falls into bin floor(v / width). Where a value lies beyond the last bin the width is doubled and bins are
    joined in pairs, which loses nothing: zero stays an edge.

    Attributes:
        counts: int64 (units, 2 BINS): from -BINS widths to BINS widths.
        widths: float64 (units,); 0 where every value was zero so far.
        zeros: int64 (units,): values that were exactly zero, which are in no bin.
        positive: int64 (units,): values above zero.
        total: Values of each unit.
    """

    def __init__(self, units: int) -> None:
        self.counts = torch.zeros(units, 2 * BINS, dtype=torch.int64)
        self.widths = torch.zeros(units, dtype=torch.float64)
        self.zeros = torch.zeros(units, dtype=torch.int64)
        self.positive = torch.zeros(units, dtype=torch.int64)
        self.total = 0

    def add(self, values: torch.Tensor) -> None:
        """Count values, (units, n), on the CPU; those that are not finite are left out."""
        units, count = values.shape
        if not bool(torch.isfinite(values).all()):
            values = torch.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        self.total += count
        filled = values != 0
        self.zeros += count - filled.sum(1)
        self.positive += (values > 0).sum(1)
        self._widen(values.abs().amax(1).double())
        known = self.widths > 0
        if not bool(known.any()):
            return
        scale = torch.where(known, 1 / self.widths.clamp_min(1e-300), 0.0).float()
        places = (values * scale[:, None]).floor_().long().clamp_(-BINS, BINS - 1)
        places += BINS + 2 * BINS * torch.arange(units)[:, None]
        self.counts += torch.bincount(places[filled], minlength=self.counts.numel()).reshape(self.counts.shape)

    def _widen(self, largest: torch.Tensor) -> None:
        """Make bins so wide that the largest size of a value lies inside."""
        for unit in torch.nonzero(largest >= self.widths * BINS).flatten().tolist():
            size = float(largest[unit])
            if size == 0:
                continue
            width = float(self.widths[unit])
            if width == 0:
                width = 2.0 ** math.ceil(math.log2(size / BINS))
                if size >= width * BINS:
                    width *= 2
                self.widths[unit] = width
                continue
            while size >= width * BINS:
                width *= 2
                pairs = self.counts[unit].reshape(-1, 2).sum(1)
                self.counts[unit] = 0
                self.counts[unit, BINS // 2 : BINS // 2 + BINS] = pairs
            self.widths[unit] = width

    def of(self, unit: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Counts (n,) and edges (n + 1,) of a unit, from its lowest bin with anything in it to its highest."""
        counts = self.counts[unit].numpy()
        return trimmed(counts, float(self.widths[unit]))


def trimmed(counts: npt.NDArray[np.int64], width: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Counts (n,) and edges (n + 1,) of the bins of one unit that hold anything; both empty where none does."""
    found = np.flatnonzero(counts)
    if not len(found) or width == 0:
        return np.zeros(0, np.int64), np.zeros(0)
    first, last = int(found[0]), int(found[-1]) + 1
    return counts[first:last], (np.arange(first, last + 1, dtype=np.float64) - BINS) * width
