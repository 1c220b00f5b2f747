"""Mean of the last so many values at any place of a growing column, without reading the column again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class RunningMean:
    """Sums up to each record, so that the mean of any stretch costs two look-ups.

    Values that are not finite are left out of means.
    """

    def __init__(self) -> None:
        self._sums = np.zeros(1)
        self._counts: npt.NDArray[np.float64] | None = None  # finite values up to each record; None: all of them
        self.count = 0

    def follow(self, values: npt.NDArray[np.float32]) -> None:
        """Take in what was added to ``values`` since the last call; begins anew where it became shorter."""
        if len(values) < self.count:
            self.count, self._counts = 0, None
        if len(values) == self.count:
            return
        fresh = values[self.count :].astype(np.float64)
        good = np.isfinite(fresh)
        if not good.all():
            fresh[~good] = 0.0
            if self._counts is None:
                self._counts = np.arange(len(self._sums), dtype=np.float64)
        self._sums = self._extended(self._sums, fresh)
        if self._counts is not None:
            self._counts = self._extended(self._counts, good)
        self.count = len(values)

    def _extended(self, sums: npt.NDArray[np.float64], fresh: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Sums up to each record with those of ``fresh`` added; memory beyond the last one is not touched."""
        needed = self.count + 1 + len(fresh)
        if needed > len(sums):
            sums, shorter = np.empty(2 * needed), sums
            sums[: self.count + 1] = shorter[: self.count + 1]
        sums[self.count + 1 : needed] = sums[self.count] + np.cumsum(fresh)
        return sums

    def at(self, steps: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.float64]:
        """Mean of the ``width`` values up to each step (counted from 1); fewer at the beginning.

        Returns:
            Shape of ``steps``; NaN where no finite value lies in the stretch.
        """
        last = np.clip(steps, 0, self.count)
        first = np.maximum(last - max(1, width), 0)
        number = last - first if self._counts is None else self._counts[last] - self._counts[first]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(number > 0, (self._sums[last] - self._sums[first]) / number, np.nan)
