"""A short list of what can be explained, best first, as bars: a click chooses one, a plus sets a second beside it."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.tips import Tips

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

ROW = 18
_PLUS = 18


@dataclass(frozen=True, eq=False)
class Choice:
    """One row.

    Attributes:
        title: Such as ``"steam locomotive"``.
        figure: What stands at its right, such as ``"62.1 %"``.
        share: Length of its bar, 0 to 1.
        colour: Of the bar.
        subject: What is chosen with it.
        tip: Said under the pointer.
    """

    title: str
    figure: str
    share: float
    colour: QColor
    subject: Any = None
    tip: str = ""


class ChoiceList(SmallPlot):
    """Rows of one height.

    Attributes:
        choices: The rows.
        first, second: Index of the chosen row and of the one beside it, or None.
        chosen: Emitted with the index of a clicked row.
        beside: Emitted with the index of a row that is to stand beside the chosen one, or no longer.
        most: Rows for which it asks room.
    """

    chosen = Signal(int)
    beside = Signal(int)

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, title, parent)
        Tips(self)
        self.choices: tuple[Choice, ...] = ()
        self.first: int | None = None
        self.second: int | None = None
        self.most = 5
        self._over_plus = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_choices(self, choices: Sequence[Choice], first: int | None, second: int | None) -> None:
        """Show other rows; repaints only where something looks different."""
        before = [(c.title, c.figure, round(c.share, 3)) for c in self.choices], self.first, self.second
        self.choices, self.first, self.second = tuple(choices), first, second
        if before != ([(c.title, c.figure, round(c.share, 3)) for c in choices], first, second):
            self.update()

    def set_most(self, rows: int) -> None:
        """Take room for so many rows."""
        if rows != self.most or self.height() != rows * ROW:
            self.most = rows
            self.setFixedHeight(rows * ROW)

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.choices)

    def sizeHint(self) -> QSize:
        return QSize(160, self.most * ROW)

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint the rows."""
        painter.setFont(self.font())
        painter.fillRect(self.rect(), self.theme.panel)
        metrics, theme = painter.fontMetrics(), self.theme
        right, left = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignLeft
        middle = Qt.AlignmentFlag.AlignVCenter
        figure = max((metrics.horizontalAdvance(c.figure) for c in self.choices), default=0) + 8
        names = max((metrics.horizontalAdvance(c.title) for c in self.choices), default=0) + 6
        names = min(names, round(self.width() * 0.55))
        for number, choice in enumerate(self.choices[: self.most]):
            row = QRectF(0, number * ROW, self.width(), ROW)
            if number == self.first:
                painter.fillRect(row, theme.selection)
            elif number == self.hover:
                painter.fillRect(row, theme.hover)
            chosen = number in (self.first, self.second)
            painter.setPen(theme.text if chosen else theme.faint)
            name = metrics.elidedText(choice.title, Qt.TextElideMode.ElideRight, names)
            painter.drawText(QRectF(4, row.top(), names, ROW), left | middle, name)
            bar = self.width() - names - figure - _PLUS - 16
            if bar > 8:
                painter.fillRect(
                    QRectF(10 + names, row.top() + 5, max(1.0, bar * choice.share), ROW - 10), choice.colour
                )
            edge = self.width() - _PLUS
            painter.drawText(QRectF(edge - figure, row.top(), figure - 2, ROW), right | middle, choice.figure)
            if number == self.second or (number == self.hover and number != self.first):
                painter.setPen(theme.accent if number == self.second or self._over_plus else theme.text)
                self._paint_sign(painter, QPointF(edge + _PLUS / 2, row.center().y()), number != self.second)

    @staticmethod
    def _paint_sign(painter: QPainter, at: QPointF, plus: bool) -> None:
        painter.drawLine(at - QPointF(4, 0), at + QPointF(4, 0))
        if plus:
            painter.drawLine(at - QPointF(0, 4), at + QPointF(0, 4))

    # ------------------------------------------------------------------ hand

    def item_at(self, where: QPointF) -> int | None:
        """The row at a point."""
        number = int(where.y() // ROW)
        return number if 0 <= number < min(len(self.choices), self.most) else None

    def _on_plus(self, where: QPointF) -> bool:
        return where.x() >= self.width() - _PLUS

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._on_plus(event.position())
        if over != self._over_plus:
            self._over_plus = over
            self.update()
        super().mouseMoveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self.item_at(event.position())
        if number is None or event.button() != Qt.MouseButton.LeftButton:
            return
        added = event.modifiers() & Qt.KeyboardModifier.ControlModifier or self._on_plus(event.position())
        if added and number != self.first:
            self.beside.emit(number)
        else:
            self.chosen.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        count = min(len(self.choices), self.most)
        if move is None or not count:
            super().keyPressEvent(event)
            return
        at = -1 if self.first is None else self.first
        self.chosen.emit(max(0, min(count - 1, at + move)))

    def tip_at(self, at: QPoint) -> str:
        """What is said of the row at a point."""
        number = self.item_at(QPointF(at))
        if number is None:
            return ""
        choice = self.choices[number]
        how = "stands beside it" if number == self.second else "+ sets it beside the chosen one"
        told = choice.tip or f"{choice.title}: {choice.figure}"
        text = told if number == self.first else f"{told} · {how}"
        return f"<qt>{html.escape(text)}</qt>"

    def csv_text(self) -> str:
        """The rows with their figures."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerow(["name", "value"])
        writer.writerows([choice.title, f"{choice.share:.7g}"] for choice in self.choices)
        return stream.getvalue()
