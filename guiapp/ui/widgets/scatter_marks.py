"""What is painted over the points of a scatter plot: thumbnails, rings, ties, the live place, the lasso, the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPen, QPolygonF

from guiapp.ui.widgets.painting import hairline, image_of
from guiapp.ui.widgets.ticks import linear_ticks, tick_text

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme
    from guiapp.ui.widgets.scatter_raster import Window

Thumbnail = Callable[[int], "npt.NDArray[np.uint8] | None"]

_CARD_SIDE = 84
_PAD = 6


@dataclass(frozen=True)
class Card:
    """What is told of the point under the pointer.

    Attributes:
        index: The point.
        lines: Words, the first in bold.
        image: Its picture, or None.
    """

    index: int
    lines: tuple[str, ...]
    image: QImage | None


def paint_thumbnails(
    painter: QPainter, at: npt.NDArray[np.float64], indices: Sequence[int], side: int, thumbnail: Thumbnail,
    colour: Callable[[int], QColor], kept: dict[int, QImage],
) -> list[int]:  # fmt: skip
    """Pictures at their points, none over another; which points have got one.

    Args:
        painter: Paints in pixels of the widget.
        at: float64 (n, 2), places in the widget.
        indices: The points.
        side: Longer side of a picture in pixels.
        thumbnail: Gives pictures, uint8 (h, w, 3).
        colour: Colour of the frame of a point.
        kept: Pictures that were made before; new ones are added.
    """
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
    shown = []
    for (x, y), index in zip(at.tolist(), indices, strict=True):
        cell = (int(x // (side + 4)), int(y // (side + 4)))
        around = [p for i in (-1, 0, 1) for j in (-1, 0, 1) for p in taken.get((cell[0] + i, cell[1] + j), ())]
        if any(abs(x - p) < side + 4 and abs(y - q) < side + 4 for p, q in around):
            continue
        image = kept.get(index)
        if image is None:
            pixels = thumbnail(index)
            if pixels is None:
                continue
            image = kept[index] = image_of(np.ascontiguousarray(pixels))
        taken.setdefault(cell, []).append((x, y))
        shown.append(index)
        fitted = image.size().scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
        box = QRectF(round(x - fitted.width() / 2), round(y - fitted.height() / 2), fitted.width(), fitted.height())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > side)
        painter.drawImage(box, image)
        painter.setPen(QPen(colour(index), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(-1, -1, 0, 0))
    return shown


def paint_ring(painter: QPainter, theme: Theme, at: QPointF, radius: float = 6) -> None:
    """The chosen point."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((theme.panel, 4.5), (theme.text, 2.0)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(at, radius, radius)


def paint_ties(painter: QPainter, theme: Theme, middle: QPointF, others: Sequence[QPointF]) -> None:
    """Lines to the nearest neighbours, which need not be near in the map."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((theme.panel, 3.0), (theme.accent, 1.2)):
        painter.setPen(QPen(colour, width))
        for other in others:
            painter.drawLine(middle, other)


def paint_live(painter: QPainter, theme: Theme, trail: Sequence[QPointF]) -> None:
    """Where the picture of the moment lies, with where the ones before it lay."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for number, (a, b) in enumerate(pairwise(trail), 1):
        painter.setOpacity(0.7 * number / len(trail))
        painter.setPen(QPen(theme.text, 1.5))
        painter.drawLine(a, b)
    painter.setOpacity(1.0)
    at = trail[-1]
    for colour, width in ((theme.panel, 5.0), (theme.accent, 2.5)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(at, 8, 8)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(at + QPointF(8 * dx, 8 * dy), at + QPointF(14 * dx, 14 * dy))


def paint_lasso(painter: QPainter, theme: Theme, line: QPolygonF, closed: bool) -> None:
    """The line that is drawn around points."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    fill = QColor(theme.accent)
    fill.setAlphaF(0.10)
    painter.setPen(QPen(theme.accent, 1.5, Qt.PenStyle.SolidLine if closed else Qt.PenStyle.DashLine))
    painter.setBrush(fill)
    painter.drawPolygon(line)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_card(painter: QPainter, theme: Theme, card: Card, at: QPointF, room: QRectF) -> None:
    """Picture and words beside a point, where there is room."""
    metrics = QFontMetrics(painter.font())
    wide = max((metrics.horizontalAdvance(line) for line in card.lines), default=0)
    image, tall, across = card.image, 0.0, 0.0
    if image is not None:
        factor = _CARD_SIDE / max(image.width(), image.height())
        if factor > 1 and image.width() <= 32:
            factor = max(1, int(factor))  # pixels of one size
        across, tall = image.width() * factor, image.height() * factor
    width = min(room.width() - 4, max(wide, across) + 2 * _PAD)
    height = tall + len(card.lines) * metrics.height() + 2 * _PAD + (4 if tall and card.lines else 0)
    left = at.x() + 14 if at.x() + 14 + width < room.right() else at.x() - 14 - width
    left = min(max(room.left() + 2, left), room.right() - width - 2)
    top = min(max(room.top() + 2, at.y() - height / 2), room.bottom() - height - 2)
    box = QRectF(round(left), round(top), round(width), round(height))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(box, theme.field)
    painter.setPen(hairline(theme.border))
    painter.drawRect(box)
    down = box.top() + _PAD
    if image is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > 32)
        painter.drawImage(QRectF(box.left() + _PAD, down, across, tall), image)
        down += tall + 4
    for number, line in enumerate(card.lines):
        painter.setPen(theme.text if number == 0 else theme.faint)
        words = metrics.elidedText(line, Qt.TextElideMode.ElideRight, round(box.width() - 2 * _PAD))
        painter.drawText(QPointF(box.left() + _PAD, down + metrics.ascent()), words)
        down += metrics.height()


def paint_axes(painter: QPainter, theme: Theme, window: Window, axes: tuple[str, str]) -> None:
    """Grid and values of the two axes, for maps whose directions mean something."""
    left, bottom, right, top = window.area
    metrics = QFontMetrics(painter.font())
    grid = hairline(theme.hover)
    begins = _names(metrics, window, axes)[0][0].left()  # where the name across stands
    for value in linear_ticks(left, right, max(2, window.width // 110)):
        x = round((value - left) * window.scale_x) + 0.5
        painter.setPen(grid)
        painter.drawLine(QPointF(x, 0), QPointF(x, window.height))
        painter.setPen(theme.faint)
        if x > 24 and x + 3 + metrics.horizontalAdvance(tick_text(value)) + 8 < begins:
            painter.drawText(QPointF(x + 3, window.height - 4), tick_text(value))
    for value in linear_ticks(bottom, top, max(2, window.height // 80)):
        y = round((top - value) * window.scale_y) + 0.5
        painter.setPen(grid)
        painter.drawLine(QPointF(0, y), QPointF(window.width, y))
        painter.setPen(theme.faint)
        if metrics.height() * 2 < y < window.height - metrics.height() * 1.5:
            painter.drawText(QPointF(3, y - 3), tick_text(value))


def paint_names(painter: QPainter, theme: Theme, window: Window, axes: tuple[str, str]) -> None:
    """Names of the two axes over whatever points lie there."""
    ground = QColor(theme.panel)
    ground.setAlphaF(0.8)
    for box, name in _names(QFontMetrics(painter.font()), window, axes):
        painter.fillRect(box, ground)
        painter.setPen(theme.faint)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)


def _names(metrics: QFontMetrics, window: Window, axes: tuple[str, str]) -> list[tuple[QRectF, str]]:
    """Place and text of the names: of the axis across at the lower right, of the one upwards at the upper left."""
    found = []
    for across, whole in ((True, f"{axes[0]} →"), (False, f"↑ {axes[1]}")):
        name = metrics.elidedText(whole, Qt.TextElideMode.ElideRight, window.width - 12)
        wide, high = metrics.horizontalAdvance(name) + 8, metrics.height() + 2
        place = QPointF(window.width - wide, window.height - high) if across else QPointF(0, 0)
        found.append((QRectF(place, QSizeF(wide, high)), name))
    return found
