"""What a plot of curves shows: its own curves, those of other runs and vertical lines; all numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

EMPTY = np.empty(0)


@dataclass
class Series:
    """One curve.

    Attributes:
        label: Name in the legend, the crosshair and the CSV.
        colour: Its colour.
        dots: Whether single points are marked (for few of them, such as one an epoch).
        x, y: The line, shape (n,), x ascending.
        low, high: The band around it at ``band_x``, shape (m,), or empty.
    """

    label: str
    colour: QColor
    dots: bool = False
    x: npt.NDArray[np.floating] = field(default_factory=lambda: EMPTY)
    y: npt.NDArray[np.floating] = field(default_factory=lambda: EMPTY)
    band_x: npt.NDArray[np.floating] = field(default_factory=lambda: EMPTY)
    low: npt.NDArray[np.floating] = field(default_factory=lambda: EMPTY)
    high: npt.NDArray[np.floating] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, eq=False)
class Earlier:
    """The curve of another run.

    Attributes:
        name: What the run is called.
        x, y: The line, shape (n,), x ascending.
        held_x, held_y: Its validation, shape (m,), x ascending, or empty.
    """

    name: str
    x: npt.NDArray[np.floating]
    y: npt.NDArray[np.floating]
    held_x: npt.NDArray[np.floating] = field(default_factory=lambda: EMPTY)
    held_y: npt.NDArray[np.floating] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True)
class Marker:
    """A vertical line.

    Attributes:
        x: Where.
        tip: What it says under the pointer.
        strong: Drawn in the accent colour (the step looked at), else faint and dashed (an event).
    """

    x: float
    tip: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Span:
    """A piece of the x axis that stands out.

    Attributes:
        first, last: Where.
        tip: What it says under the pointer.
    """

    first: float
    last: float
    tip: str = ""


def as_csv(x_title: str, value: str, curves: Iterable[Series], earlier: Iterable[Earlier]) -> str:
    """The numbers drawn: one line a point, with the lowest and highest value of its band where there is one.

    Args:
        x_title: Head of the column of x.
        value: Head of the column of y.
        curves: Curves of the plot.
        earlier: Curves of other runs.
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["series", x_title, value, "lowest", "highest"])
    for series in curves:
        for x, y in zip(series.x.tolist(), series.y.tolist(), strict=True):
            writer.writerow([series.label, f"{x:g}", f"{y:.9g}", "", ""])
        for x, low, high in zip(series.band_x.tolist(), series.low.tolist(), series.high.tolist(), strict=True):
            writer.writerow([f"{series.label} (band)", f"{x:g}", "", f"{low:.9g}", f"{high:.9g}"])
    for run in earlier:
        for x, y in zip(run.x.tolist(), run.y.tolist(), strict=True):
            writer.writerow([run.name, f"{x:g}", f"{y:.9g}", "", ""])
        for x, y in zip(run.held_x.tolist(), run.held_y.tolist(), strict=True):
            writer.writerow([f"{run.name} (validation)", f"{x:g}", f"{y:.9g}", "", ""])
    return stream.getvalue()
