"""A confusion matrix: true classes down, answers across; where there are too many, those with the most mistakes."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.painting import blend, hairline
from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_SPACE = 4
_LEAST_CELL = 15.0
_SWATCH = 3
_LONGEST = 96  # pixels of a name
_WIDER = 1.8  # cells are at most so many times as wide as high

Ints = npt.NDArray[np.int64]


class ConfusionPlot(SmallPlot):
    """Cells with their counts, coloured by the share of the true class.

    Attributes:
        matrix: int64 (K, K + 1), the last column counts samples without an answer.
        chosen: Cell that is framed, as ``(row, column)`` of the groups, or None.
        rows: Classes of each row, ``columns``: of each column; -1 in it stands for no answer.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Confusion matrix", parent)
        self.matrix: Ints = np.zeros((0, 1), np.int64)
        self.chosen: tuple[int, int] | None = None
        self.rows: list[Ints] = []
        self.columns: list[Ints] = []
        self._names: tuple[str, ...] = ()
        self._colours: tuple[QColor, ...] = ()
        self._shown: Ints = np.zeros((0, 0), np.int64)
        self._titles: list[str] = []

    def show_matrix(self, matrix: Ints, names: tuple[str, ...], colours: tuple[QColor, ...]) -> None:
        """Show another matrix; ``colours`` are those of the classes."""
        if names != self._names:
            self.chosen = None
        self.matrix, self._names, self._colours = matrix, names, colours
        self._group()
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.matrix.size)

    def sizeHint(self) -> QSize:
        return QSize(320, 300)

    def minimumSizeHint(self) -> QSize:
        return QSize(150, 120)

    # ------------------------------------------------------------------ classes that are shown

    def _room(self) -> int:
        """Rows that fit."""
        line = self.fontMetrics().height()
        return max(3, int(min(self.height() - 3.5 * line, self.width() - _LONGEST) / _LEAST_CELL))

    def _group(self) -> None:
        """Which classes have a row of their own; all others share one."""
        count, room = len(self.matrix), self._room()
        keep = np.arange(count)
        others = np.zeros(0, np.int64)
        if count > room:
            wrong = self.matrix.sum(1) + self.matrix[:, :-1].sum(0) - 2 * np.diagonal(self.matrix)
            order = np.lexsort((keep, -wrong))
            keep, others = np.sort(order[: room - 1]), np.sort(order[room - 1 :])
        groups = [np.array([index]) for index in keep.tolist()]
        self._titles = [self._names[int(index)] for index in keep]
        if len(others):
            groups.append(others)
            self._titles.append(f"{len(others):,} others")
        self.rows, self.columns = groups, list(groups)
        if self.matrix.size and self.matrix[:, -1].any():
            self.columns = [*groups, np.array([-1])]
        place = np.zeros(count + 1, np.int64)
        for number, group in enumerate(self.columns):
            place[group] = number  # the last entry is that of no answer
        shown = np.zeros((len(self.rows), len(self.columns)), np.int64)
        rows, columns = np.nonzero(self.matrix)
        np.add.at(
            shown, (place[rows], np.where(columns == count, len(groups), place[columns])), self.matrix[rows, columns]
        )
        self._shown = shown
        if self.chosen is not None and (self.chosen[0] >= len(shown) or self.chosen[1] >= shown.shape[1]):
            self.chosen = None
        self._point_at(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._group()

    def title_of(self, row: int) -> str:
        """Name of a row."""
        return self._titles[row]

    def answer_of(self, column: int) -> str:
        """Name of a column."""
        return self._titles[column] if column < len(self._titles) else "no answer"

    def cell(self, item: int) -> tuple[int, int]:
        """Row and column of an item."""
        return divmod(item, self._shown.shape[1])

    def count(self, row: int, column: int) -> int:
        """Samples of a cell."""
        return int(self._shown[row, column])

    def total(self, row: int) -> int:
        """Samples of a row."""
        return int(self._shown[row].sum())

    def csv_text(self) -> str:
        """The whole matrix, one line a true class."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        none = bool(self.matrix.size and self.matrix[:, -1].any())
        writer.writerow(["true class", *self._names, *(["no answer"] if none else [])])
        for name, numbers in zip(self._names, self.matrix.tolist(), strict=True):
            writer.writerow([name, *(numbers if none else numbers[:-1])])
        return stream.getvalue()

    # ------------------------------------------------------------------ geometry

    def _across(self) -> bool:
        """Whether names of columns are short enough to stand upright."""
        return max(map(len, self._titles), default=0) <= 3

    def area(self) -> QRectF:
        """Where the cells are."""
        metrics, (rows, columns) = self.fontMetrics(), self._shown.shape
        line = metrics.height()
        longest = max((metrics.horizontalAdvance(name) for name in self._titles), default=0)
        left = max(min(longest, _LONGEST) + _SWATCH + 2 * _SPACE, metrics.horizontalAdvance("true ↓") + 2 * _SPACE)
        below = line if self._across() and columns == rows else min(longest, _LONGEST * 0.7, self.height() * 0.22)
        right = metrics.horizontalAdvance("100 %") + _SPACE
        width = self.width() - left - right
        height = self.height() - line - _SPACE - below - _SWATCH - _SPACE
        down = max(1.0, height / max(rows, 1))
        across = max(1.0, min(width / max(columns, 1), down * _WIDER))
        down = min(down, across * _WIDER)
        return QRectF(left, line + _SPACE, across * columns, down * rows)

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is."""
        area, (rows, columns) = self.area(), self._shown.shape
        across, down = area.width() / columns, area.height() / rows
        return QRectF(area.left() + column * across, area.top() + row * down, across, down)

    def item_at(self, where: QPointF) -> int | None:
        """The cell at a point; None where it is empty."""
        area = self.area()
        if not self.filled or not area.contains(where):
            return None
        rows, columns = self._shown.shape
        row = min(rows - 1, int((where.y() - area.top()) / area.height() * rows))
        column = min(columns - 1, int((where.x() - area.left()) / area.width() * columns))
        return row * columns + column if self._shown[row, column] else None

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint cells, counts, names with the colours of the classes, and the recall of each row."""
        painter.setFont(self.font())
        theme, metrics = self.theme, self.fontMetrics()
        painter.fillRect(self.rect(), theme.panel)
        if not self.filled or not len(self._shown):
            return
        area, (rows, columns), line = self.area(), self._shown.shape, metrics.height()
        totals = self._shown.sum(1, keepdims=True)
        shares = np.divide(self._shown, totals, out=np.zeros(self._shown.shape), where=totals > 0)
        table = palette_table(False)
        across, down = area.width() / columns, area.height() / rows
        room = across - 3
        for row, column in np.argwhere(self._shown).tolist():
            place = QRectF(area.left() + column * across, area.top() + row * down, across, down)
            strength = float(shares[row, column]) ** 0.5
            # few samples are faint in both themes: the darkest colours of the map would shout on a light ground
            colour = blend(
                theme.panel, QColor.fromRgba(table[1 + round(254 * strength)]), min(1.0, 0.3 + 1.2 * strength)
            )
            painter.fillRect(place.adjusted(0.5, 0.5, -0.5, -0.5), colour)
            text = f"{int(self._shown[row, column]):,}"
            if down >= line - 3 and metrics.horizontalAdvance(text) <= room:
                painter.setPen(QColor("#101214" if _light(colour) else "#ffffff"))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        painter.setPen(hairline(theme.border))
        painter.drawRect(area)
        self._paint_names(painter, area, across, down)
        painter.setPen(theme.faint)
        painter.drawText(QRectF(0, 0, area.left(), line), Qt.AlignmentFlag.AlignLeft, "true ↓")
        painter.drawText(QRectF(area.left(), 0, area.width(), line), Qt.AlignmentFlag.AlignLeft, "answer →")
        painter.drawText(
            QRectF(area.right(), 0, self.width() - area.right(), line), Qt.AlignmentFlag.AlignLeft, " recall"
        )
        if down >= line - 3:
            for row, group in enumerate(self.rows):
                if not totals[row] or len(group) > 1:
                    continue
                place = QRectF(area.right() + _SPACE, area.top() + row * down, 60, down)
                text = f"{100 * shares[row, row]:.0f} %"
                painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for cell, colour in ((self.chosen, theme.accent), (self._hovered_cell(), theme.text)):
            if cell is not None:
                painter.setPen(hairline(colour))
                painter.drawRect(self.cell_rect(*cell))
                painter.drawRect(self.cell_rect(*cell).adjusted(1, 1, -1, -1))

    def _hovered_cell(self) -> tuple[int, int] | None:
        return self.cell(self.hover) if self.hover is not None else None

    def _paint_names(self, painter: QPainter, area: QRectF, across: float, down: float) -> None:
        metrics, theme = self.fontMetrics(), self.theme
        line, elide = metrics.height(), Qt.TextElideMode.ElideRight
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, group in enumerate(self.rows):
            middle = area.top() + (row + 0.5) * down
            self._paint_swatch(
                painter, group, QRectF(area.left() - _SWATCH - 1, middle - down / 2 + 1, _SWATCH, down - 2)
            )
            painter.setPen(theme.text)
            room = area.left() - _SWATCH - 2 * _SPACE
            name = metrics.elidedText(self._titles[row], elide, int(room) + 1)
            painter.drawText(QRectF(0, middle - line / 2, room + 1, line), right, name)
        below = area.bottom() + 1 + _SWATCH
        upright = self._across() and len(self.columns) == len(self.rows)
        for column, group in enumerate(self.columns):
            middle = area.left() + (column + 0.5) * across
            self._paint_swatch(painter, group, QRectF(middle - across / 2 + 1, area.bottom() + 1, across - 2, _SWATCH))
            painter.setPen(theme.text)
            if upright:
                painter.drawText(
                    QRectF(middle - 30, below, 60, line), Qt.AlignmentFlag.AlignHCenter, self._titles[column]
                )
                continue
            room = max(8, int(self.height() - below - 2))
            name = metrics.elidedText(self.answer_of(column), elide, room)
            painter.save()
            painter.translate(middle, below + 1)
            painter.rotate(90)
            painter.drawText(QRectF(0, -line / 2, room, line), Qt.AlignmentFlag.AlignVCenter, name)
            painter.restore()

    def _paint_swatch(self, painter: QPainter, group: Ints, place: QRectF) -> None:
        if len(group) == 1 and group[0] >= 0 and int(group[0]) < len(self._colours):
            painter.fillRect(place, self._colours[int(group[0])])


def _light(colour: QColor) -> bool:
    """Whether dark text reads better on it (relative luminance, roughly)."""
    return 0.299 * colour.redF() + 0.587 * colour.greenF() + 0.114 * colour.blueF() > 0.5
