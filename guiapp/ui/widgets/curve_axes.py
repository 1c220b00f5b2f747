"""The axes of a plot of curves: what part is seen, how it follows the data, where a value lies in the widget."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF

from guiapp.ui.widgets.curve_data import Earlier, Series
from guiapp.ui.widgets.ticks import grown_end, grown_range, linear_ticks, log_ticks

Range = tuple[float, float]
_FAR, _ROOM = 20.0, 1.2
"""Another run that rises to so many times the open one, because it diverges, leaves the plot at so many times."""


class Axis:
    """One axis.

    Attributes:
        range: The part that is seen.
        chosen: The part that the person chose, or None where the axis follows the data.
        log: Whether it is logarithmic.
    """

    __slots__ = ("chosen", "log", "range")

    def __init__(self) -> None:
        self.range: Range = (0.0, 1.0)
        self.chosen: Range | None = None
        self.log = False

    def shares(self, values: npt.NDArray[np.floating] | float) -> npt.NDArray[np.float64]:
        """Values to 0..1 within the range; NaN where a logarithm does not exist."""
        low, high = self.range
        numbers = np.asarray(values, np.float64)
        if not self.log:
            return (numbers - low) / (high - low)
        safe = np.where(numbers > 0, numbers, np.nan)
        return (np.log10(safe) - math.log10(low)) / (math.log10(high) - math.log10(low))

    def value_at(self, share: float) -> float:
        """The value at a share of the range."""
        return self._within(self.range, share)

    def moved(self, start: Range, share: float) -> Range:
        """The range ``start`` moved by a share of its span."""
        return self._within(start, share), self._within(start, 1 + share)

    def drawn(self, about: float, factor: float) -> Range:
        """The range drawn together or apart by ``factor`` about the share ``about`` of its span."""
        low, high = self.value_at(about - about * factor), self.value_at(about + (1 - about) * factor)
        if not high > low or high - low < 1e-9 * max(abs(high), abs(low), 1e-9) or not math.isfinite(high - low):
            return self.range
        return low, high

    def ticks(self, most: int) -> tuple[list[float], float | None]:
        """Round values within the range, and their distance where they stand at equal ones."""
        low, high = self.range
        if self.log and low > 0 and high / low > 5:
            return log_ticks(low, high, most), None
        values = linear_ticks(low, high, most)
        return values, values[1] - values[0] if len(values) > 1 else None

    def _within(self, limits: Range, share: float) -> float:
        low, high = limits
        if self.log:
            return float(low * (high / low) ** share)
        return low + share * (high - low)


class Axes:
    """Both axes, which grow in steps with what they show.

    Attributes:
        x, y: The axes.
        x_low: Where a logarithmic x axis begins: the first step.
        limits: Values that the y axis shows from the start and never goes beyond, such as 0 to 100 %.
    """

    def __init__(self) -> None:
        self.x, self.y = Axis(), Axis()
        self.limits: tuple[float | None, float | None] = (None, None)
        self.x_low = 1.0
        self.restart()

    def restart(self) -> None:
        """What an empty plot shows, chosen by nobody."""
        self.x.chosen = self.y.chosen = None
        self.x.range, self.y.range = (self.x_low if self.x.log else 0.0, 100.0), self._start_y()

    def _start_y(self) -> Range:
        low, high = self.limits
        if self.y.log:
            return (0.1, 1.0)
        return (0.0 if low is None else low, 1.0 if high is None else high)

    def follow(self, curves: Collection[Series], earlier: Collection[Earlier]) -> bool:
        """Let the ranges follow the data, in steps, unless they were chosen; whether one changed."""
        before = self.x.range, self.y.range
        if self.x.chosen is not None:
            self.x.range = self.x.chosen
        else:
            ends = [float(s.x[-1]) for s in curves if len(s.x)]
            ends += [float(s.band_x[-1]) for s in curves if len(s.band_x)]
            ends += [float(run.x[-1]) for run in earlier if len(run.x)]
            low = self.x_low if self.x.log else 0.0
            # A single point stands in the middle.
            self.x.range = (low, max(grown_end(max(ends, default=10.0)), low * 10, 2.0))
        self.y.range = self.y.chosen if self.y.chosen is not None else self._fitted_y(curves, earlier)
        return (self.x.range, self.y.range) != before

    def _fitted_y(self, curves: Collection[Series], earlier: Collection[Earlier]) -> Range:
        bounds = [b for s in curves for b in self._extent(s.x, s.y, s.y) + self._extent(s.band_x, s.low, s.high)]
        theirs = [b for run in earlier for b in self._extent(run.x, run.y, run.y)]
        theirs += [b for run in earlier for b in self._extent(run.held_x, run.held_y, run.held_y)]
        mine = max(bounds, default=0.0)
        if not self.y.log and mine > 0.0:
            theirs = [b if b < _FAR * mine else _ROOM * mine for b in theirs]
        bounds += theirs
        if not bounds:
            return self._start_y()
        least, most = self.limits
        log, whole = self.y.log, self.x.chosen is None
        bottom, top = min(bounds), max(bounds)
        if not log and whole:
            # The axis is made for all that it shows, its fixed end too, with room above: no curve runs along its edge.
            bottom = bottom if least is None else min(bottom, least)
            top += 0.02 * (top - bottom)
        low, high = grown_range(bottom, top, log)
        if not log and whole:
            low = low if least is None else least
            high = high if most is None else most
        elif not log:
            low = low if least is None else max(low, least)
            high = high if most is None else min(high, most)
        return low, high if high > low else low + 1

    def _extent(
        self, x: npt.NDArray[np.floating], low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]
    ) -> list[float]:
        """Lowest and highest finite value in the visible part of x."""
        if not len(x):
            return []
        chosen = self.x.chosen
        if chosen is not None:
            first, last = np.searchsorted(x, chosen[0], "left"), np.searchsorted(x, chosen[1], "right")
            low, high = low[first:last], high[first:last]
        if self.y.log:
            low, high = low[low > 0], high[high > 0]
        if not len(low) or not len(high):
            return []
        bottom, top = float(np.fmin.reduce(low)), float(np.fmax.reduce(high))
        return [v for v in (bottom, top) if math.isfinite(v)]


class Frame:
    """Where the axes lie in the widget, while one thing is painted or pointed at.

    Attributes:
        box: The rectangle between the axes, in whole pixels.
        area: The same in floating point.
        axes: The axes.
        columns: Pixels across: more points than two for each are wasted.
    """

    __slots__ = ("area", "axes", "box", "columns")

    def __init__(self, box: QRect, axes: Axes) -> None:
        self.box, self.area, self.axes = box, QRectF(box), axes
        self.columns = max(32, box.width())

    @property
    def inside(self) -> QRectF:
        """What curves may be painted on: the lines at the edges belong to it."""
        return self.area.adjusted(0, -1, 1, 1)

    def to_x(self, values: npt.NDArray[np.floating] | float) -> npt.NDArray[np.float64]:
        """Horizontal positions of values in the widget."""
        return self.axes.x.shares(values) * self.area.width() + self.area.left()

    def to_y(self, values: npt.NDArray[np.floating] | float) -> npt.NDArray[np.float64]:
        """Vertical positions of values in the widget."""
        return self.area.bottom() - self.axes.y.shares(values) * self.area.height()

    def x_at(self, pixel: float) -> float:
        """The x value at a horizontal position in the widget."""
        return self.axes.x.value_at((pixel - self.area.left()) / self.area.width())

    def y_at(self, pixel: float) -> float:
        """The y value at a vertical position in the widget."""
        return self.axes.y.value_at((self.area.bottom() - pixel) / self.area.height())
