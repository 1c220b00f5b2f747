"""Patches of a boosting as large as their weights: what is still wrong grows, what is right shrinks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from guiapp.ui.widgets.haar_plots import paint_feature
from guiapp.ui.widgets.painting import image_of
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_LARGEST, _SMALLEST = 64.0, 8.0  # sides of a patch in pixels
_LEAST = 4.0  # times the mean weight has the largest patch at least: all alike have half its side
_GAP = 3.0


class ChosenFeature(SmallPlot):
    """The mean of the faces with the feature of a round over it."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Feature of the round")
        self.mean: npt.NDArray[np.uint8] | None = None
        self.rectangles: npt.NDArray[np.float64] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 80)

    def show_feature(self, mean: npt.NDArray[np.uint8], rectangles: npt.NDArray[np.float64] | None) -> None:
        """Show uint8 (20, 20), and over it the rectangles (3, 5); None before the first round."""
        self.mean, self.rectangles = mean, rectangles
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return self.mean is not None

    def sizeHint(self) -> QSize:
        return QSize(130, 130)

    def paint_to(self, painter: QPainter) -> None:
        """Paint both."""
        if self.mean is None:
            return
        side = float(min(self.width(), self.height()))
        place = QRectF((self.width() - side) / 2, 0, side, side)
        painter.drawImage(place, image_of(self.mean))
        if self.rectangles is not None:
            paint_feature(painter, place, self.rectangles, 0.6, self.theme.accent)

    def csv_text(self) -> str:
        """The rectangles."""
        rows = [] if self.rectangles is None else [row for row in self.rectangles.tolist() if row[4]]
        return "left,top,width,height,weight\n" + "".join(",".join(f"{v:g}" for v in row) + "\n" for row in rows)


class WeightedPatches(SmallPlot):
    """The patches with the greatest weights: the area of each is its weight, its frame whether the votes are right.

    Attributes:
        shown: Rows of the patches that are shown, greatest weight first.
        places: Where they are painted.
    """

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Weights of the samples")
        self.pixels: npt.NDArray[np.uint8] = np.zeros((0, 20, 20), np.uint8)
        self.weights = np.zeros(0)
        self.right = np.zeros(0, bool)
        self.shown: list[int] = []
        self.places: list[QRectF] = []
        self.setMinimumSize(120, 60)
        self.setToolTip("Area: weight in the next round. Red: all votes so far get it wrong")

    def show_patches(
        self, pixels: npt.NDArray[np.uint8], weights: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]
    ) -> None:
        """Show uint8 (N, 20, 20), their weights (N,), a mean one being 1, and which are right, bool (N,)."""
        self.pixels, self.weights, self.right = pixels, weights, right
        self._arrange()
        self._point_at(None)
        self.update()

    def resizeEvent(self, event: object) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Rows from the heaviest on, as many as there is room for."""
        self.shown, self.places = [], []
        if not len(self.weights):
            return
        most = max(float(self.weights.max()), _LEAST)
        largest = min(_LARGEST, self.height() / 2, self.width() / 3)
        order = np.argsort(-self.weights, kind="stable")
        if np.ptp(self.weights) < 1e-9:  # all alike: some of all instead of the first
            order = order[np.random.default_rng(0).permutation(len(order))]
        x = y = high = 0.0
        for row in order.tolist():
            side = max(_SMALLEST, largest * math.sqrt(float(self.weights[row]) / most))
            if x and x + side > self.width():
                x, y, high = 0.0, y + high + _GAP, 0.0
            if y + side > self.height():
                break
            self.shown.append(row)
            self.places.append(QRectF(x, y, side, side))
            x, high = x + side + _GAP, max(high, side)

    @property
    def filled(self) -> bool:
        """Whether there are patches."""
        return len(self.pixels) > 0

    def sizeHint(self) -> QSize:
        return QSize(320, 200)

    def item_at(self, where: QPointF) -> int | None:
        """The patch that is there: its row."""
        found = (row for row, place in zip(self.shown, self.places, strict=True) if place.contains(where))
        return next(found, None)

    def paint_to(self, painter: QPainter) -> None:
        """Paint the patches."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for row, place in zip(self.shown, self.places, strict=True):
            painter.drawImage(place, image_of(self.pixels[row]))
            if row == self.hover or not self.right[row]:
                colour = self.theme.accent if row == self.hover else self.theme.error
                painter.setPen(QPen(colour, 2))
                painter.drawRect(place)

    def csv_text(self) -> str:
        """Weight of every sample."""
        rows = zip(self.weights.tolist(), self.right.tolist(), strict=True)
        return "sample,weight,right\n" + "".join(f"{i},{w:.6g},{int(r)}\n" for i, (w, r) in enumerate(rows))
