"""Mean of the last so many values at any place of a growing column, without reading the column again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class RunningMean:
    """Sums up to each record, so that the mean of any stretch costs two look-ups.

    Values that are not finite are left out of means.
    """

    def __init__(self) -> None:
        self._sums = np.zeros(1025)
        self._counts = np.zeros(1025)
        self.count = 0

    def follow(self, values: npt.NDArray[np.float32]) -> None:
        """Take in what was added to ``values`` since the last call; begins anew where it became shorter."""
        if len(values) < self.count:
            self.count = 0
        if len(values) == self.count:
            return
        needed = len(values) + 1
        if needed > len(self._sums):
            self._sums = np.resize(self._sums, 2 * needed)
            self._counts = np.resize(self._counts, 2 * needed)
        fresh = values[self.count :].astype(np.float64)
        good = np.isfinite(fresh)
        start, end = self.count + 1, needed
        self._sums[start:end] = self._sums[self.count] + np.cumsum(np.where(good, fresh, 0.0))
        self._counts[start:end] = self._counts[self.count] + np.cumsum(good)
        self.count = len(values)

    def at(self, steps: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.float64]:
        """Mean of the ``width`` values up to each step (counted from 1); fewer at the beginning.

        Returns:
            Shape of ``steps``; NaN where no finite value lies in the stretch.
        """
        last = np.clip(steps, 0, self.count)
        first = np.maximum(last - max(1, width), 0)
        number = self._counts[last] - self._counts[first]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(number > 0, (self._sums[last] - self._sums[first]) / number, np.nan)
