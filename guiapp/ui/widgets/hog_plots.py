"""Plots of histograms of oriented gradients: one cell with its blocks, a window beside what the SVM looks for."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from guiapp.ui import colour_maps
from guiapp.ui.widgets.painting import hairline, image_of
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.interpret.gradients import GradientView
    from guiapp.ui.theme import Theme
    from guiapp.ui.widgets.image_view import ImageView

BINS = 9
STROKES = QColor(255, 224, 102)
_TITLES = ("window", "for a person", "against", "adds")


@cache
def directions() -> np.ndarray:
    """Colours of directions, uint8 (181, 3) by degrees: a circle of hues, so that 0 and 180 are one."""
    turn = np.deg2rad(np.arange(181) * 2)
    lab = np.stack([np.full(181, 0.74), 0.13 * np.cos(turn), 0.13 * np.sin(turn)], 1)
    colours: np.ndarray = np.rint(colour_maps.rgb_from_oklab(lab) * 255).astype(np.uint8)
    return colours


def bin_colour(index: int) -> QColor:
    """Colour of the directions of a bin."""
    return QColor(*directions()[round((index + 0.5) * 180 / BINS)].tolist())


# the strongest edge of a picture is often many times as strong as all others
_OPACITY = np.rint(255 * (np.arange(256) / 255) ** 0.6).astype(np.uint8)


def stars(picture: np.ndarray, colour: QColor) -> QImage:
    """Strokes uint8 (H, W) as an image of one colour, the more opaque the brighter they are."""
    pixels = np.empty((*picture.shape, 4), np.uint8)
    pixels[..., :3] = colour.getRgb()[:3]
    pixels[..., 3] = _OPACITY[picture]
    return image_of(pixels)


@dataclass(frozen=True, eq=False)
class StarLayer:
    """Stars over a picture that is made darker below them.

    Attributes:
        image: From ``stars``.
        area: Left, top, width, height in pixels of the picture.
        veil: Opacity of the dark ground.
    """

    image: QImage
    area: tuple[float, float, float, float]
    veil: float = 0.6

    def paint(self, painter: QPainter, view: ImageView) -> None:
        """Paint smoothly: strokes of one pixel would break where they shrink."""
        ground = QColor(0, 0, 0)
        ground.setAlphaF(self.veil)
        painter.fillRect(view.to_widget(QRectF(0, 0, *view.image_size)), ground)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(view.to_widget(QRectF(*self.area)), self.image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)


def signed_image(values: np.ndarray, most: float) -> QImage:
    """Values (H, W) in the diverging colours, from -most to most."""
    indices = np.clip(np.rint(128 + values / max(most, 1e-12) * 127), 1, 255).astype(np.uint8)
    return image_of(indices, colour_maps.colour_table(colour_maps.signed()))


class CellPlot(SmallPlot):
    """The histogram of one cell, and below what is left of it in each block that it is part of."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Cell")
        self.votes = np.zeros(0)
        self.shares = np.zeros((0, BINS))
        self.setMinimumSize(140, 84)

    def show_cell(self, votes: np.ndarray, shares: np.ndarray) -> None:
        """Show votes (9,) and their normalised values (n, 9) in the n blocks of the cell, 1 to 4."""
        self.votes, self.shares = votes, shares
        self.update()

    @property
    def filled(self) -> bool:
        """Whether a cell is shown."""
        return len(self.votes) > 0

    def sizeHint(self) -> QSize:
        return QSize(320, 160)

    def areas(self) -> tuple[QRectF, QRectF]:
        """Where the votes and the normalised values are painted."""
        line = self.fontMetrics().height()
        room = max(20.0, self.height() - 3.0 * line - 6)
        upper = QRectF(2, line, max(1, self.width() - 4), room * 0.6)
        return upper, QRectF(2, upper.bottom() + 2 * line + 2, upper.width(), room * 0.4)

    def item_at(self, where: QPointF) -> int | None:
        """The bin whose column is there."""
        upper = self.areas()[0]
        index = math.floor((where.x() - upper.x()) / upper.width() * BINS)
        return index if self.filled and 0 <= index < BINS else None

    def paint_to(self, painter: QPainter) -> None:
        """Paint both rows."""
        if not self.filled:
            return
        theme, metrics = self.theme, self.fontMetrics()
        upper, lower = self.areas()
        wide = upper.width() / BINS
        most = max(float(self.votes.max()), 1e-9)
        if self.hover is not None:
            painter.fillRect(QRectF(upper.x() + self.hover * wide, upper.y(), wide - 2, upper.height()), theme.hover)
        for index in range(BINS):
            high = float(self.votes[index]) / most * upper.height()
            x = upper.x() + index * wide
            painter.fillRect(QRectF(x, upper.bottom() - high, wide - 2, high), bin_colour(index))
            painter.setPen(theme.faint)
            box = QRectF(x - 2, upper.bottom(), wide + 2, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{(index + 0.5) * 180 / BINS:.0f}°")
        painter.drawText(QPointF(upper.x(), metrics.ascent()), f"votes, {most:.1f} at most")
        text = f"normalised in its {len(self.shares)} block{'s' if len(self.shares) != 1 else ''}"
        painter.drawText(QPointF(lower.x(), lower.y() - metrics.height() + metrics.ascent()), text)
        highest = max(float(self.shares.max(initial=0)), 0.2)
        wide = lower.width() / max(1, len(self.shares))
        for block, values in enumerate(self.shares):
            step = (wide - 8) / BINS
            for index, value in enumerate(values):
                high = float(value) / highest * lower.height()
                x = lower.x() + block * wide + index * step
                painter.fillRect(QRectF(x, lower.bottom() - high, max(1.0, step - 1), high), bin_colour(index))
            painter.setPen(hairline(theme.border))
            left = lower.x() + block * wide
            painter.drawLine(QPointF(left, lower.bottom()), QPointF(left + wide - 8, lower.bottom()))
        painter.setPen(hairline(theme.border))
        painter.drawLine(QPointF(upper.left(), upper.bottom()), QPointF(upper.right() - 2, upper.bottom()))

    def csv_text(self) -> str:
        """Votes and normalised values by direction."""
        blocks = [f"block {i + 1}" for i in range(len(self.shares))]
        rows = [
            [(index + 0.5) * 180 / BINS, f"{self.votes[index]:.7g}", *(f"{v:.7g}" for v in self.shares[:, index])]
            for index in range(len(self.votes))
        ]
        return _table(["degrees", "votes", *blocks], rows)


class WindowPlot(SmallPlot):
    """Four pictures of one window: its cells, the weights for and against a person, and what each block adds."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Window of a person")
        self.view: GradientView | None = None
        self._crop: QImage | None = None
        self._images: list[QImage] = []
        self._templates: tuple[np.ndarray, np.ndarray] | None = None
        self.setMinimumSize(180, 70)

    @property
    def filled(self) -> bool:
        """Whether a window is shown."""
        return self.view is not None

    def sizeHint(self) -> QSize:
        return QSize(400, 220)

    def show_window(self, view: GradientView, pixels: np.ndarray) -> None:
        """Show the chosen window of a picture, uint8 (H, W, 3)."""
        self.view = view
        left, top, width, height = (round(n) for n in view.area)
        # what lies beyond the picture is left black
        crop = np.zeros((max(1, height), max(1, width), 3), np.uint8)
        part = pixels[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
        crop[max(0, -top) :, max(0, -left) :][: part.shape[0], : part.shape[1]] = part
        if part.size:
            from guiapp.imaging.hog import cell_weights, histogram_picture
            from guiapp.interpret.gradients import people_detector

            if self._templates is None:
                weights = cell_weights(people_detector())
                self._templates = (
                    histogram_picture(np.maximum(weights, 0)), histogram_picture(np.maximum(-weights, 0)),
                )  # fmt: skip
            own = histogram_picture(view.window_histograms)
            most = float(np.abs(view.contributions).max())
            self._crop = image_of(crop)
            self._images = [
                stars(own, STROKES), *(stars(part, QColor(255, 255, 255)) for part in self._templates),
                signed_image(view.contributions, most),
            ]  # fmt: skip
        self.update()

    def places(self) -> list[QRectF]:
        """Where the four windows are painted."""
        line = self.fontMetrics().height() + 2
        high = max(1.0, min(self.height() - line, (self.width() / 4 - 6) * 2))
        step = self.width() / 4
        return [QRectF(i * step + (step - high / 2) / 2, line, high / 2, high) for i in range(4)]

    def item_at(self, where: QPointF) -> int | None:
        """The block under the pointer in the last picture, row by row."""
        if self.view is None:
            return None
        place = self._blocks(self.places()[3])
        if not place.contains(where):
            return None
        rows, columns = self.view.contributions.shape
        row = min(rows - 1, math.floor((where.y() - place.y()) / place.height() * rows))
        return row * columns + min(columns - 1, math.floor((where.x() - place.x()) / place.width() * columns))

    @staticmethod
    def _blocks(place: QRectF) -> QRectF:
        """Blocks reach from the middles of the outermost cells, of 8 x 16, to one another."""
        return place.adjusted(place.width() / 16, place.height() / 32, -place.width() / 16, -place.height() / 32)

    def paint_to(self, painter: QPainter) -> None:
        """Paint the four, each with its name."""
        if self.view is None or self._crop is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for index, (place, title) in enumerate(zip(self.places(), _TITLES, strict=True)):
            painter.setPen(self.theme.faint)
            box = QRectF(place.center().x() - self.width() / 8, 0, self.width() / 4, place.y())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)
            painter.fillRect(place, QColor(0, 0, 0))
            if index in (0, 3):
                painter.setOpacity(0.45)
                painter.drawImage(place, self._crop)
                painter.setOpacity(1.0)
            if index == 3:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
                painter.setOpacity(0.8)
                painter.drawImage(self._blocks(place), self._images[index])
                painter.setOpacity(1.0)
            else:
                painter.drawImage(place, self._images[index])
        if self.hover is not None:
            place = self._blocks(self.places()[3])
            rows, columns = self.view.contributions.shape
            row, column = divmod(self.hover, columns)
            wide, high = place.width() / columns, place.height() / rows
            painter.setPen(hairline(self.theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(place.x() + column * wide, place.y() + row * high, wide, high))

    def csv_text(self) -> str:
        """What each block adds."""
        if self.view is None:
            return ""
        values = self.view.contributions
        head = ["row", *(f"column {i}" for i in range(values.shape[1]))]
        return _table(head, [[i, *(f"{v:.7g}" for v in row)] for i, row in enumerate(values.tolist())])


def _table(head: list[str], rows: list[list[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(head)
    writer.writerows(rows)
    return stream.getvalue()
