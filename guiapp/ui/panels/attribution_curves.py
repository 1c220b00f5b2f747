"""Insertion and deletion curves of maps, and the picture as the network is shown it at a share of its places."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from guiapp.ui.widgets.curve_data import Marker
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.ui.panels.attribution_study import CurvesFound
    from guiapp.ui.theme import Theme

Area = tuple[float, float, float, float]
Pixels = npt.NDArray[np.uint8]

_SHADES = {"black": 0, "white": 255, "grey": 128}
_FIRST_SHARE = 0.2
_ROW = 17


class AreaRows(SmallPlot):
    """The names of the curves in their colours, with the areas under them; a click chooses whose order is shown.

    Attributes:
        rows: Name, colour, area under the deletion and under the insertion curve (NaN while not known).
        chosen: Index of the row whose order the pictures follow.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "areas under the curves", parent)
        self.rows: tuple[tuple[str, QColor, float, float], ...] = ()
        self.chosen = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Mean height of a curve: low for deletion and high for insertion is good")

    def show_rows(self, rows: Sequence[tuple[str, QColor, float, float]], chosen: int) -> None:
        """Show other curves."""
        self.rows, self.chosen = tuple(rows), chosen
        self.setFixedHeight(_ROW * (len(rows) + 1) if rows else 0)
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.rows)

    def paint_to(self, painter: QPainter) -> None:
        """Paint heads and rows."""
        painter.setFont(self.font())
        painter.fillRect(self.rect(), self.theme.panel)
        metrics, theme, width = painter.fontMetrics(), self.theme, float(self.width())
        figure = metrics.horizontalAdvance("insertion") + 12.0
        right, left = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignVCenter
        for number, (name, colour, *areas) in enumerate((("area", theme.faint, np.nan, np.nan), *self.rows)):
            top = float(number * _ROW)
            if number and number - 1 == self.chosen:
                painter.fillRect(QRectF(0, top, width, _ROW), theme.selection)
            if number:
                painter.fillRect(QRectF(4, top + _ROW / 2 - 1, 14, 2), colour)
            painter.setPen(theme.text if number else theme.faint)
            room = QRectF(24 if number else 4, top, width - 2 * figure - 28, _ROW)
            painter.drawText(room, left, metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(room.width())))
            for place, (head, area) in enumerate(zip(("deletion", "insertion"), areas, strict=True)):
                text = head if not number else f"{area:.3f}".replace("-", "−") if np.isfinite(area) else ""
                painter.drawText(QRectF(width - (2 - place) * figure - 4, top, figure, _ROW), right, text)

    def item_at(self, where: QPointF) -> int | None:
        """The row at a point."""
        number = int(where.y() // _ROW) - 1
        return number if 0 <= number < len(self.rows) else None

    def csv_text(self) -> str:
        """One line a curve."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["method", "deletion", "insertion"])
        writer.writerows([name, f"{away:.7g}", f"{into:.7g}"] for name, _colour, away, into in self.rows)
        return stream.getvalue()


class CurvesPage(QWidget):
    """Two plots, and beside each the picture with the first places taken away, or with these alone.

    Attributes:
        deletion, insertion: The plots, ``attribution.deletion`` and ``attribution.insertion``.
        rows: The areas under them, ``attribution.areas``.
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
        self.deletion = CurvePlot(theme, "deletion", "% taken away", "", self)
        self.insertion = CurvePlot(theme, "insertion", "% shown", "", self)
        self.without = ImageView(theme, "picture without the first places", self)
        self.only = ImageView(theme, "picture of the first places", self)
        self.rows = AreaRows(theme, "attribution.areas", self)
        self.rows.clicked.connect(self.choose)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for row, (plot, view, name) in enumerate(
            ((self.deletion, self.without, "deletion"), (self.insertion, self.only, "insertion"))
        ):
            plot.setObjectName(f"attribution.{name}")
            plot.head.series = {}  # the rows below name the curves of both
            view.setObjectName(f"attribution.{'without' if name == 'deletion' else 'only'}")
            view.corner_text = False
            view.margin = 0
            plot.clicked.connect(self.show_share)
            grid.addWidget(plot, row, 0)
            grid.addWidget(view, row, 1)
        grid.addWidget(self.rows, 2, 0, 1, 2)
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
        self.rows.show_rows((), 0)

    def show_curves(self, found: CurvesFound, pixels: Pixels, area: Area | None) -> None:
        """Show curves of a picture; maps lie over ``area`` of it where they do not say so themselves."""
        self.found, self._pixels, self._area = found, pixels, area
        self.line = min(self.line, max(0, len(found.lines) - 1))
        for plot, name in ((self.deletion, "deletion"), (self.insertion, "insertion")):
            plot.series.clear()
            for number, line in enumerate(found.lines):
                plot.add_series(str(number), line.title, self.colour(number))
            chance = getattr(found.lines[0].curves, f"random_{name}") if found.lines else None
            if chance is not None:
                plot.add_series("random", "random order", self._theme.other)
            for number, line in enumerate(found.lines):
                self._draw(plot, str(number), line.curves.shares, getattr(line.curves, name))
            if chance is not None:
                self._draw(plot, "random", found.lines[0].curves.shares, chance)
        self._list()
        self._mark()

    def _list(self) -> None:
        lines = self.found.lines if self.found is not None else ()
        rows = [
            (line.title, self.colour(number), line.curves.deletion_area, line.curves.insertion_area)
            for number, line in enumerate(lines)
        ]
        if lines and lines[0].curves.random_deletion is not None and lines[0].curves.random_insertion is not None:
            shares, (away, into) = (
                lines[0].curves.shares,
                (lines[0].curves.random_deletion, lines[0].curves.random_insertion),
            )
            rows.append(
                (
                    "random order",
                    self._theme.other,
                    _area(shares, away),
                    _area(shares, into),
                )
            )
        self.rows.show_rows(rows, self.line)

    def choose(self, number: int) -> None:
        """Let the pictures follow the order of another map."""
        if self.found is not None and number < len(self.found.lines):
            self.line = number
            self._list()
            self._mark()

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

    def words(self) -> str:
        """What the curves are of, or why some are missing."""
        found = self.found
        if found is None or not (found.lines or found.missing):
            return ""
        if found.missing:
            return " · ".join(found.missing)
        return f"{found.lines[0].curves.target} · {found.lines[0].curves.note} · a click shows the picture there"

    def _again(self) -> None:
        if self.found is not None and self._pixels is not None:
            self.show_curves(self.found, self._pixels, self._area)


def _area(shares: npt.NDArray[np.float32], values: npt.NDArray[np.float32]) -> float:
    """Area under a curve by the trapezoid rule."""
    return float(((values[1:] + values[:-1]) / 2 * np.diff(shares)).sum())


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
