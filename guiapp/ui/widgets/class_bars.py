"""Probabilities of classes as bars: one colour a class, figures that do not jump, any number of classes."""

from __future__ import annotations

import html
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from guiapp.ui.widgets.painting import hairline, tabular
from guiapp.ui.widgets.tips import Tips

if TYPE_CHECKING:
    from guiapp.tasks.predictions import ClassScores
    from guiapp.ui.theme import Theme

ROW = 18


class ClassBars(QAbstractScrollArea):
    """One row a class: name, bar, percentage; the true class has a mark, the best one stands out.

    Only rows whose look changes are repainted.

    Attributes:
        class_clicked: Index of a clicked class.
        paint_ms: Time of the last repaint.
    """

    class_clicked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        Tips(self, self.viewport())
        self.theme = theme
        self.paint_ms = 0.0
        self._labels: tuple[str, ...] = ()
        self._probabilities: npt.NDArray[np.float32] = np.empty(0, np.float32)
        self._plain: npt.NDArray[np.float32] | None = None
        self._truth: int | None = None
        self._chosen: int | None = None
        self._sorted = False
        self._order: list[int] = []
        self._painted: list[tuple[object, ...]] = []
        self._name_width = 40
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumSize(150, 3 * ROW)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Class probabilities")
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self._tabular = tabular(self.font())
        theme.changed.connect(self._restyle)

    def set_prediction(
        self, prediction: ClassScores | None, truth: int | None = None, plain: ClassScores | None = None
    ) -> None:
        """Show scores; ``plain`` are those of the network as it is, where it was modified. None empties the widget."""
        if prediction is not None and not prediction.known:
            prediction = None  # no answer: bars would look like one
        if plain is not None and not plain.known:
            plain = None
        labels = prediction.labels if prediction is not None else ()
        if labels != self._labels:
            self._labels = labels
            self._measure()
        self._probabilities = prediction.probabilities if prediction is not None else np.empty(0, np.float32)
        self._plain = plain.probabilities if plain is not None else None
        self._truth = truth
        self._arrange()

    def set_sorted(self, best_first: bool) -> None:
        """Best first, or by index."""
        if best_first != self._sorted:
            self._sorted = best_first
            self._arrange()

    def set_chosen(self, index: int | None) -> None:
        """Mark the class that is selected in the workspace."""
        if index != self._chosen:
            self._chosen = index
            self._arrange()

    @property
    def count(self) -> int:
        """Number of classes shown."""
        return len(self._order)

    @property
    def order(self) -> list[int]:
        """Class indices from top to bottom."""
        return list(self._order)

    def entropy(self) -> float:
        """Entropy of the shown probabilities in nats."""
        p = self._probabilities.astype(np.float64)
        return 0.0 - float(np.sum(p * np.log(np.maximum(p, 1e-300))))  # no minus before 0

    def cross_entropy(self) -> float | None:
        """Minus the logarithm of the probability of the true class, in nats; None where it is not known."""
        if self._truth is None or not 0 <= self._truth < len(self._probabilities):
            return None
        return 0.0 - math.log(max(float(self._probabilities[self._truth]), 1e-45))  # no minus before 0

    # ------------------------------------------------------------------ rows

    def _arrange(self) -> None:
        """Bring rows into order and repaint those that look different now."""
        count = len(self._probabilities)
        if self._sorted:
            self._order = np.argsort(-self._probabilities, kind="stable").tolist()
        elif len(self._order) != count or self._order != list(range(count)):
            self._order = list(range(count))
        best = int(self._probabilities.argmax()) if count else -1
        extent = self._bar_width()
        rows = [self._row(index, best, extent) for index in self._order]
        if len(rows) != len(self._painted):
            self._painted = rows
            self._scroll()
            self.viewport().update()
            return
        top = self.verticalScrollBar().value()
        for number, (old, new) in enumerate(zip(self._painted, rows, strict=True)):
            if old != new:
                self.viewport().update(0, number * ROW - top, self.viewport().width(), ROW)
        self._painted = rows

    def _row(self, index: int, best: int, extent: int) -> tuple[object, ...]:
        """Everything that decides how a row looks."""
        probability = float(self._probabilities[index])
        plain = float(self._plain[index]) if self._plain is not None else None
        return (
            index, percent(probability), round(probability * extent), index == best, index == self._truth,
            index == self._chosen, None if plain is None else round(plain * extent),
            None if plain is None else signed_percent(probability - plain),
        )  # fmt: skip

    def _measure(self) -> None:
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(label) for label in self._labels[:200]), default=0)
        self._name_width = min(max(widest, 16), max(40, self.viewport().width() // 3))

    def _figures_width(self) -> int:
        shown = "100.0 % " if self._plain is None else "100.0 %  −100.0"
        return self.fontMetrics().horizontalAdvance(shown) + 6

    def _bar_width(self) -> int:
        return max(16, self.viewport().width() - self._name_width - self._figures_width() - 30)

    def _scroll(self) -> None:
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, len(self._order) * ROW - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(ROW)

    def _restyle(self) -> None:
        self._painted = []
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()
        self._restyle()

    def sizeHint(self) -> QSize:
        return QSize(220, max(3, min(12, len(self._order))) * ROW)

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        painter = QPainter(self.viewport())
        painter.setFont(self._tabular)
        top = self.verticalScrollBar().value()
        region = event.region()
        first = max(0, (event.rect().top() + top) // ROW)
        last = min(len(self._painted), (event.rect().bottom() + top) // ROW + 1)
        for number in range(first, last):
            area = QRect(0, number * ROW - top, self.viewport().width(), ROW)
            if region.intersects(area):
                self._paint_row(painter, area, self._painted[number])
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3

    def _paint_row(self, painter: QPainter, area: QRect, row: tuple[object, ...]) -> None:
        index, figure, extent, best, truth, chosen, plain, change = row
        theme, middle = self.theme, area.center().y()
        if chosen:
            painter.fillRect(area, theme.selection)
        if truth:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.good)
            painter.drawPolygon(QPolygonF([QPointF(1, middle - 3), QPointF(1, middle + 5), QPointF(6, middle + 1)]))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        ink = theme.text if best or truth or chosen else theme.faint
        painter.setPen(theme.text)
        name = self._labels[index]
        if self.fontMetrics().horizontalAdvance(name) > self._name_width:
            name = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, self._name_width)
        painter.drawText(
            QRect(10, area.top(), self._name_width, ROW),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name,
        )  # fmt: skip
        left = 10 + self._name_width + 8
        colour = theme.class_colour(index, len(self._labels))
        painter.fillRect(QRectF(left, area.top() + 4, max(1, extent), ROW - 8), colour)
        if plain is not None and abs(plain - extent) > 1:
            painter.setPen(hairline(theme.text))
            painter.drawLine(left + plain, area.top() + 3, left + plain, area.bottom() - 3)
        right = QRect(area.right() - self._figures_width(), area.top(), self._figures_width() - 4, ROW)
        if change is not None:
            painter.setPen(theme.faint)
            painter.drawText(right, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(change))
            right.setRight(right.right() - self.fontMetrics().horizontalAdvance("−100.0") - 6)
        painter.setPen(ink)
        if best:
            font = painter.font()
            font.setBold(True)
            painter.setFont(font)
        painter.drawText(right, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(figure))
        if best:
            painter.setFont(self._tabular)

    # ------------------------------------------------------------------ hand

    def row_at(self, y: int) -> int | None:
        """Class index of the row at a height in the viewport."""
        number = (y + self.verticalScrollBar().value()) // ROW
        return self._order[number] if 0 <= number < len(self._order) else None

    def tip_of(self, index: int) -> str:
        """The whole name of a class, which may be cut off in its row, and its probability to six figures."""
        probability = float(self._probabilities[index])
        text = f"{self._labels[index]}: {probability:.6g} = {percent(probability)}"
        if self._plain is not None:
            text += f" · {float(self._plain[index]):.6g} in the network as it is"
        return text + (" · true class" if index == self._truth else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.row_at(round(event.position().y()))
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.class_clicked.emit(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if move is None or not self._order:
            super().keyPressEvent(event)
            return
        at = self._order.index(self._chosen) + move if self._chosen in self._order else 0
        self.class_clicked.emit(self._order[max(0, min(len(self._order) - 1, at))])

    def tip_at(self, at: QPoint) -> str:
        """What is said of the row at a point of the viewport."""
        index = self.row_at(at.y())
        # Names are those of folders: a < in one is no markup.
        return "" if index is None else f"<qt>{html.escape(self.tip_of(index))}</qt>"


def percent(probability: float) -> str:
    """A probability in percent with one decimal."""
    return f"{probability * 100:.1f} %"


def signed_percent(difference: float) -> str:
    """A difference of probabilities in percentage points, with its sign; empty where it rounds to none."""
    text = f"{abs(difference) * 100:.1f}"
    return "" if text == "0.0" else f"{'+' if difference > 0 else '−'}{text}"
