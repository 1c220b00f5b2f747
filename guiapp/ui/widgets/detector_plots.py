"""Small plots about detectors: a table of levels, class probabilities of one object, its maps, the focal loss."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy

from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.painting import hairline, image_of, polygon
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.interpret.atlas import Atlas
    from guiapp.ui.theme import Theme

_MOST_LOSS = 5.0
_LEAST = 0.0067  # -log of it is 5: where the curves leave the plot


class LevelTable(SmallPlot):
    """One line a level; columns that do not fit are left out, the last first. A click chooses a level."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Levels")
        self.head: tuple[str, ...] = ()
        self.rows: tuple[tuple[str, ...], ...] = ()
        self.chosen = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_rows(self, head: Sequence[str], rows: Sequence[Sequence[str]], chosen: int) -> None:
        """Show lines under a heading; the first column stands at the left."""
        count = len(self.rows)
        self.head, self.rows, self.chosen = tuple(head), tuple(map(tuple, rows)), chosen
        if len(self.rows) != count:
            self.setFixedHeight(self.sizeHint().height())
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there are levels."""
        return bool(self.rows)

    @property
    def line(self) -> int:
        """Height of a line."""
        return self.fontMetrics().height() + 3

    def sizeHint(self) -> QSize:
        return QSize(300, (1 + max(1, len(self.rows))) * self.line + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def item_at(self, where: QPointF) -> int | None:
        """The level of the line at a point."""
        index = math.floor(where.y() / self.line) - 1
        return index if 0 <= index < len(self.rows) else None

    def row_place(self, index: int) -> QRectF:
        """Where a line stands."""
        return QRectF(0, (index + 1) * self.line, self.width(), self.line)

    def _columns(self) -> list[tuple[int, float, float]]:
        """Index, left and width of the columns that fit."""
        metrics = self.fontMetrics()
        widths = [
            max(metrics.horizontalAdvance(row[column]) for row in (self.head, *self.rows))
            for column in range(len(self.head))
        ]
        shown = len(widths)
        while shown > 1 and sum(widths[:shown]) + 8 * (shown - 1) + 8 > self.width():
            shown -= 1
        gap = min(28.0, (self.width() - 8 - sum(widths[:shown])) / max(1, shown - 1))
        places, x = [], 4.0
        for column in range(shown):
            places.append((column, x, float(widths[column])))
            x += widths[column] + gap
        return places

    def paint_to(self, painter: QPainter) -> None:
        """Paint heading and lines."""
        if not self.rows:
            return
        theme, line = self.theme, self.line
        for index, ground in ((self.hover, theme.hover), (self.chosen, theme.selection)):
            if index is not None and index < len(self.rows):
                painter.fillRect(self.row_place(index), ground)
        for column, left, width in self._columns():
            side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
            flags = side | Qt.AlignmentFlag.AlignVCenter
            painter.setPen(theme.faint)
            painter.drawText(QRectF(left, 0, width, line), flags, self.head[column])
            painter.setPen(theme.text)
            for index, row in enumerate(self.rows):
                painter.drawText(QRectF(left, (index + 1) * line, width, line), flags, row[column])

    def csv_text(self) -> str:
        """The lines."""
        return _table(self.head, self.rows)


class ClassRows(SmallPlot):
    """The best classes of one object with their probabilities."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Classes of the object")
        self.classes: tuple[tuple[str, float], ...] = ()
        self.chosen = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_classes(self, classes: Sequence[tuple[str, float]], chosen: str) -> None:
        """Show names with probabilities, best first; ``chosen`` is that of the object."""
        count = len(self.classes)
        self.classes, self.chosen = tuple(classes), chosen
        if len(self.classes) != count:
            self.setFixedHeight(self.sizeHint().height())
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there are classes."""
        return bool(self.classes)

    def sizeHint(self) -> QSize:
        return QSize(200, max(1, len(self.classes)) * (self.fontMetrics().height() + 2))

    def paint_to(self, painter: QPainter) -> None:
        """Paint name, bar and percentage."""
        metrics, theme = self.fontMetrics(), self.theme
        line = metrics.height() + 2
        right = metrics.horizontalAdvance("100.0 %") + 4
        name_width = min(
            self.width() * 0.4, max((metrics.horizontalAdvance(n) for n, _ in self.classes), default=0) + 8
        )
        room = self.width() - name_width - right
        for index, (name, value) in enumerate(self.classes):
            y = index * line
            painter.setPen(theme.text if name == self.chosen else theme.faint)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(name_width - 4))
            flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y, name_width, line), flags, shown)
            colour = theme.training if name == self.chosen else theme.other
            painter.fillRect(QRectF(name_width, y + 3, max(1.0, room * value), line - 6), colour)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(self.width() - right, y, right, line), flags, f"{100 * value:.1f} %")

    def csv_text(self) -> str:
        """Names and probabilities."""
        return _table(("class", "probability"), [(n, f"{v:.6g}") for n, v in self.classes])


class ObjectMaps(SmallPlot):
    """Maps of one object beside each other, each with a caption, as large as the place allows."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Maps of the object")
        self.maps: tuple[tuple[str, Atlas], ...] = ()
        self.pointer: QPointF | None = None
        self.setMinimumSize(100, 90)

    def show_maps(self, maps: Sequence[tuple[str, Atlas]]) -> None:
        """Show captions with maps."""
        self.maps = tuple(maps)
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there are maps."""
        return bool(self.maps)

    def sizeHint(self) -> QSize:
        return QSize(300, 150)

    def places(self) -> list[QRectF]:
        """Where each map is painted: beside each other or below, whichever makes them larger."""
        line = self.fontMetrics().height() + 1
        sizes = [(atlas.pixels.shape[1], atlas.pixels.shape[0]) for _, atlas in self.maps]
        count = len(sizes)
        if not count:
            return []
        wide = (self.width() - 8.0 * (count - 1)) / count, float(self.height() - line)
        high = float(self.width()), (self.height() - (line + 4.0) * count) / count

        def area(room: tuple[float, float]) -> float:
            return sum(w * h * min(room[0] / w, room[1] / h) ** 2 for w, h in sizes)

        beside = area(wide) >= area(high)
        room = wide if beside else high
        found, x, y = [], 0.0, float(line)
        for width, height in sizes:
            scale = max(0.01, min(room[0] / width, room[1] / height))
            found.append(QRectF(x, y, width * scale, height * scale))
            if beside:
                x += room[0] + 8
            else:
                y += height * scale + line + 4
        return found

    def item_at(self, where: QPointF) -> int | None:
        """The map at a point."""
        self.pointer = where
        return next((i for i, place in enumerate(self.places()) if place.contains(where)), None)

    def value_at(self, where: QPointF) -> tuple[int, int, int, int, float] | None:
        """Map, channel, row, column and value at a point."""
        for index, place in enumerate(self.places()):
            if place.contains(where):
                atlas = self.maps[index][1]
                scale = atlas.pixels.shape[1] / place.width()
                found = atlas.value_at((where.x() - place.x()) * scale, (where.y() - place.y()) * scale)
                return None if found is None else (index, *found)
        return None

    def paint_to(self, painter: QPainter) -> None:
        """Paint maps and captions."""
        metrics = self.fontMetrics()
        for (caption, atlas), place in zip(self.maps, self.places(), strict=True):
            painter.setPen(self.theme.faint)
            shown = metrics.elidedText(caption, Qt.TextElideMode.ElideRight, int(self.width() - place.x()))
            painter.drawText(QPointF(place.x(), place.y() - metrics.descent() - 1), shown)
            painter.drawImage(place, image_of(atlas.pixels, palette_table(atlas.signed)))

    def csv_text(self) -> str:
        """Every value: map, channel, row, columns."""
        rows = [
            (caption, channel, row, *(f"{v:.6g}" for v in values))
            for caption, atlas in self.maps
            for channel, channel_values in enumerate(atlas.values)
            for row, values in enumerate(channel_values.tolist())
        ]
        return _table(("map", "channel", "row"), rows)


def focal_loss(probability: np.ndarray, gamma: float) -> np.ndarray:
    """-(1 - p)^gamma log p of the probability p given to the right answer (Lin et al. 2017, equation 4)."""
    loss: np.ndarray = -((1 - probability) ** gamma) * np.log(probability)
    return loss


class FocalPlot(SmallPlot):
    """The focal loss over the probability of the right answer, for the chosen gamma and, thin, for 0 to 5."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, "Focal loss")
        self.gamma = 2.0
        self.pointer: float | None = None
        self.setMinimumSize(120, 70)

    def set_gamma(self, gamma: float) -> None:
        """Another exponent, 0 to 5."""
        self.gamma = gamma
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, 110)

    def area(self) -> QRectF:
        """Where the curves are."""
        line = self.fontMetrics().height()
        return QRectF(14, 3, max(1, self.width() - 20), max(1, self.height() - line - 5))

    def item_at(self, where: QPointF) -> int | None:
        """Hundredths of the probability under the pointer."""
        share = (where.x() - self.area().x()) / self.area().width()
        return round(share * 100) if 0 <= share <= 1 else None

    def paint_to(self, painter: QPainter) -> None:
        """Paint axes and curves."""
        theme, area = self.theme, self.area()
        painter.setPen(hairline(theme.border))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.setPen(theme.faint)
        below = QRectF(area.x(), area.bottom() + 1, area.width(), self.fontMetrics().height())
        for side, text in (
            (Qt.AlignmentFlag.AlignLeft, "0"),
            (Qt.AlignmentFlag.AlignHCenter, "probability of the right answer"),
            (Qt.AlignmentFlag.AlignRight, "1"),
        ):
            painter.drawText(below, side, text)
        painter.drawText(QRectF(0, area.y() - 2, 12, 20), Qt.AlignmentFlag.AlignLeft, f"{_MOST_LOSS:.0f}")
        probability = np.linspace(_LEAST, 1, 160)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        curves = [(float(g), hairline(theme.other, 0.6)) for g in range(6)] + [(self.gamma, hairline(theme.training))]
        for gamma, pen in curves:
            loss = focal_loss(probability, gamma)
            painter.setPen(pen)
            x = area.x() + probability * area.width()
            painter.drawPolyline(polygon(x, area.bottom() - np.minimum(loss / _MOST_LOSS, 1) * area.height()))
        if self.hover is not None:
            x = area.x() + self.hover / 100 * area.width()
            painter.setPen(hairline(theme.faint, 1.0, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def csv_text(self) -> str:
        """The chosen curve."""
        probability = np.linspace(0.01, 1, 100)
        pairs = zip(probability, focal_loss(probability, self.gamma), strict=True)
        return _table(("probability", f"loss at gamma {self.gamma:g}"), [(f"{p:.2f}", f"{v:.6g}") for p, v in pairs])


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(head)
    writer.writerows(rows)
    return stream.getvalue()
