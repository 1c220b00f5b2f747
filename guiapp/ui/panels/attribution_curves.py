"""Insertion and deletion curves of maps, and the picture as the network is shown it at a share of its places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QWidget

from guiapp.ui.widgets.curve_data import Marker
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.ui.panels.attribution_study import CurvesFound
    from guiapp.ui.theme import Theme

Area = tuple[float, float, float, float]
Pixels = npt.NDArray[np.uint8]

_SHADES = {"black": 0, "white": 255, "grey": 128}
_FIRST_SHARE = 0.2


class CurvesPage(QWidget):
    """Two plots, and beside each the picture with the first places taken away, or with these alone.

    Attributes:
        deletion, insertion: The plots, ``attribution.deletion`` and ``attribution.insertion``.
        without, only: The pictures, ``attribution.without`` and ``attribution.only``.
        share: Share of the places at which they are shown.
        line: Which map's order they follow.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.found: CurvesFound | None = None
        self.share = _FIRST_SHARE
        self.line = 0
        self._pixels: Pixels | None = None
        self._area: Area | None = None
        self.deletion = CurvePlot(theme, "deletion", "places taken away", "", self)
        self.insertion = CurvePlot(theme, "insertion", "places shown", "", self)
        self.without = ImageView(theme, "picture without the first places", self)
        self.only = ImageView(theme, "picture of the first places", self)
        self.words = QuietLabel("attribution.areas", self, theme.faint)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for row, (plot, view, name) in enumerate(
            ((self.deletion, self.without, "deletion"), (self.insertion, self.only, "insertion"))
        ):
            plot.setObjectName(f"attribution.{name}")
            view.setObjectName(f"attribution.{'without' if name == 'deletion' else 'only'}")
            view.corner_text = False
            view.margin = 0
            plot.clicked.connect(self.show_share)
            grid.addWidget(plot, row, 0)
            grid.addWidget(view, row, 1)
        grid.addWidget(self.words, 2, 0, 1, 2)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 1)
        theme.changed.connect(self._again)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 140)

    def clear(self) -> None:
        """Show nothing."""
        self.found = None
        for plot in (self.deletion, self.insertion):
            plot.series.clear()
            plot.clear()
        for view in (self.without, self.only):
            view.set_image(None)
        self.words.set_text("")

    def show_curves(self, found: CurvesFound, pixels: Pixels, area: Area | None) -> None:
        """Show curves of a picture; maps lie over ``area`` of it where they do not say so themselves."""
        self.found, self._pixels, self._area = found, pixels, area
        self.line = min(self.line, max(0, len(found.lines) - 1))
        for plot, name in ((self.deletion, "deletion"), (self.insertion, "insertion")):
            plot.series.clear()
            for number, line in enumerate(found.lines):
                size = getattr(line.curves, f"{name}_area")
                label = f"{line.title} {size:.3f}" if np.isfinite(size) else line.title
                plot.add_series(str(number), label, self.colour(number))
            chance = getattr(found.lines[0].curves, f"random_{name}") if found.lines else None
            if chance is not None:
                plot.add_series("random", "random order", self._theme.other)
            for number, line in enumerate(found.lines):
                self._draw(plot, str(number), line.curves.shares, getattr(line.curves, name))
            if chance is not None:
                self._draw(plot, "random", found.lines[0].curves.shares, chance)
        self._mark()
        self._say()

    @staticmethod
    def _draw(plot: CurvePlot, key: str, shares: npt.NDArray[np.float32], values: npt.NDArray[np.float32]) -> None:
        known = np.isfinite(values)
        plot.set_data(key, shares[known] * 100.0, values[known].astype(np.float64))

    def colour(self, number: int) -> QColor:
        """Colour of a map's curves."""
        return self._theme.class_colour(number, 10)

    # ------------------------------------------------------------------ the picture at a share

    def show_share(self, percent: float) -> None:
        """Show the picture with so much of it taken away, or shown."""
        self.share = min(1.0, max(0.0, percent / 100.0))
        self._mark()

    def _mark(self) -> None:
        tip = f"{self.share * 100:.0f} %"
        for plot in (self.deletion, self.insertion):
            plot.set_markers((Marker(self.share * 100.0, tip, True),))
        lines = self.found.lines if self.found is not None else ()
        if not lines or self._pixels is None or self.found is None:
            return
        line = lines[self.line]
        cut = cut_out(self._pixels, line.answer.area or self._area, line.taken.shape)
        first = (line.taken < self.share)[..., None]
        options = self.found.options
        self.without.set_image(np.where(first, hidden(cut, options.removed), cut))
        self.only.set_image(np.where(first, cut, hidden(cut, options.start)))

    def _say(self) -> None:
        found = self.found
        if found is None:
            return
        if found.missing:
            self.words.set_text(" · ".join(found.missing))
            return
        if not found.lines:
            return
        options = found.options
        text = f"{found.lines[0].curves.target} · taken away: {options.removed}, shown on: {options.start}"
        self.words.set_text(f"{text} · a click shows the picture at that share", (text, found.lines[0].curves.target))

    def _again(self) -> None:
        self.words.ink = self._theme.faint
        if self.found is not None and self._pixels is not None:
            self.show_curves(self.found, self._pixels, self._area)


def cut_out(pixels: Pixels, area: Area | None, size: tuple[int, ...]) -> Pixels:
    """The part of a picture that an input shows, one pixel for each of its places.

    Args:
        pixels: uint8 (H, W, 3) or (H, W, 1).
        area: Left, top, width, height in pixels of the picture; None for all of it. What lies beyond is black.
        size: Height and width of the input.

    Returns:
        uint8 (h, w, 3), each the pixel at the middle of its place.
    """
    height, width = pixels.shape[:2]
    left, top, across, down = area or (0.0, 0.0, float(width), float(height))
    rows = np.floor(top + (np.arange(size[0]) + 0.5) * down / size[0]).astype(np.intp)
    columns = np.floor(left + (np.arange(size[1]) + 0.5) * across / size[1]).astype(np.intp)
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None]
    cut = pixels[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)[None]]
    if cut.shape[2] == 1:
        cut = np.repeat(cut, 3, axis=2)
    return np.where(inside[..., None], cut, 0).astype(np.uint8)


def hidden(cut: Pixels, kind: str) -> Pixels:
    """What stands in the places that are not shown, as ``baseline_of`` has it, in colours."""
    if kind == "blurred":
        return blurred(cut)
    if kind == "noise":
        return np.random.default_rng(0).integers(0, 256, cut.shape, np.uint8)
    return np.full_like(cut, _SHADES[kind])


def blurred(pixels: Pixels) -> Pixels:
    """A picture smoothed by a Gaussian of a twentieth of its shorter side, at least one pixel."""
    height, width = pixels.shape[:2]
    sigma = max(1.0, min(height, width) / 20)
    down, across = (_smoothing(count, sigma) for count in (height, width))
    smooth = np.einsum("rh,hwc->rwc", down, pixels.astype(np.float32))
    return np.clip(np.rint(np.einsum("sw,rwc->rsc", across, smooth)), 0, 255).astype(np.uint8)


def _smoothing(count: int, sigma: float) -> npt.NDArray[np.float32]:
    at = np.arange(count, dtype=np.float32)
    weights = np.exp(-0.5 * ((at[:, None] - at[None]) / sigma) ** 2)
    return weights / weights.sum(1, keepdims=True)
