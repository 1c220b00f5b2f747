"""Cost of looking at a million points: a full repaint after a change of range, against pyqtgraph's scatter plot."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.bench.figures import Tell, paired, percentile

WHAT = (
    "a full repaint after a change of range, 1,000,000 points in ten class colours at 1600x1000, against "
    "pyqtgraph.ScatterPlotItem with the same points, colours and ranges"
)
_POINTS, _CLASSES, _SIZE = 1_000_000, 10, (1600, 1000)


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Time both in turn on the same ranges, then how long a hover takes to be answered.

    The peer paints discs of two pixels without an outline, the quickest way that it offers to give each point a colour.
    """
    from guiapp import drive

    drive.without_display()
    with drive.apart():
        return _measure(quick, tell)


def _measure(quick: bool, tell: Tell) -> dict[str, Any]:
    from guiapp.app import create_application
    from guiapp.drive import PlotPeer
    from guiapp.interpret.embedding.cloud import Cloud
    from guiapp.ui.theme import Theme
    from guiapp.ui.widgets.scatter_plot import ScatterPlot

    application = create_application(["guiapp"])
    xy, labels = points()
    theme = Theme("dark")
    colours = [theme.class_colour(index, _CLASSES) for index in range(_CLASSES)]
    tell("sorting a million points")
    begin = time.perf_counter()
    cloud = Cloud(xy)
    sorting = time.perf_counter() - begin
    plot = ScatterPlot(theme)
    plot.resize(*_SIZE)
    plot.set_cloud(cloud)
    plot.set_groups(labels, colours)
    plot.show()
    application.processEvents()
    tell("the peer makes its points")
    peer = PlotPeer(xy, labels, colours, _SIZE)
    application.processEvents()
    pairs, zoomed = [], []
    rounds = 2 if quick else 21
    for number, area in enumerate(ranges(rounds + 1)):
        tell(f"repaint {number + 1} of {rounds + 1}")
        begin = time.perf_counter()
        plot.set_range(*area)
        plot.repaint()
        ours = time.perf_counter()
        peer.repaint(*area)
        pairs.append(((ours - begin) * 1e3, (time.perf_counter() - ours) * 1e3))
    for step in range(10 if quick else 60):
        half = 12 * 0.9**step
        begin = time.perf_counter()
        plot.set_range(-half * 1.6, -half, half * 1.6, half)
        plot.repaint()
        zoomed.append((time.perf_counter() - begin) * 1e3)
    hovers = _hovers(plot, 50 if quick else 2000)
    found = paired(
        pairs[1:], "ms", "lower", WHAT, points=_POINTS, sort_ms=sorting * 1e3, zoom_ms=statistics.median(zoomed),
        zoom_worst_ms=max(zoomed), hover_ms=statistics.median(hovers), hover_p99_ms=percentile(hovers, 0.99),
    )  # fmt: skip
    for widget in (plot, peer.widget):
        widget.close()
        widget.deleteLater()
    application.processEvents()
    return found


def points() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Ten clouds with a tenth of the points each, over an area of about 24 by 24, the same ones each time."""
    random = np.random.default_rng(0)
    centres = random.uniform(-8, 8, (_CLASSES, 2))
    labels = random.integers(0, _CLASSES, _POINTS).astype(np.uint8)
    return (centres[labels] + random.normal(0, 1.2, (_POINTS, 2))).astype(np.float32), labels


def ranges(count: int) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right and top of views that show every point, each a little wider and elsewhere."""
    shift = np.linspace(0, 1, count)
    return [(-22.0 - 2 * s, -13.0 - s, 22.0 + s, 13.0 + 2 * s) for s in shift.tolist()]


def _hovers(plot: Any, count: int) -> list[float]:
    """Milliseconds from a place under the pointer to the point there and its card, all over the plot."""
    random = np.random.default_rng(1)
    plot.fit()
    plot.repaint()
    places = random.uniform(0, 1, (count, 2)) * _SIZE
    found = []
    for x, y in places.tolist():
        begin = time.perf_counter()
        plot.hover_at(x, y)
        found.append((time.perf_counter() - begin) * 1e3)
    return found
