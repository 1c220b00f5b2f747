"""Probabilities of the leading classes over the last looks at one picture: how a drawing becomes a digit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.painting import hairline, polygon, tabular

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

LOOKS = 200
_LEADING = 4


class ConfidenceHistory(QWidget):
    """Small curves, one a leading class, the newest look at the right.

    Attributes:
        paint_ms: Time of the last repaint.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setObjectName(name)
        self.paint_ms = 0.0
        self._values: npt.NDArray[np.float32] = np.empty((0, 0), np.float32)
        self._labels: tuple[str, ...] = ()
        self._count = 0
        self._names = 20
        self.setAutoFillBackground(True)
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setToolTip(f"Probability of the leading classes over the last {LOOKS} looks; clearing the pad begins anew")
        self.setAccessibleName("Confidence history")
        theme.changed.connect(self.update)

    @property
    def count(self) -> int:
        """Number of looks shown."""
        return self._count

    def values(self) -> npt.NDArray[np.float32]:
        """The probabilities shown, (looks, C), oldest first."""
        return self._values[: self._count]

    def clear(self) -> None:
        """Begin anew."""
        if self._count:
            self._count = 0
            self.update()

    def add(self, probabilities: npt.NDArray[np.float32], labels: tuple[str, ...], repaint: bool = True) -> None:
        """Add one look, (C,); without ``repaint`` it is seen with the next one."""
        if labels != self._labels or self._values.shape[1] != len(probabilities):
            self._labels = labels
            self._names = min(60, max((self.fontMetrics().horizontalAdvance(n) for n in labels[:50]), default=20) + 2)
            self._values = np.empty((LOOKS, len(probabilities)), np.float32)
            self._count = 0
        if self._count == LOOKS:
            self._values[:-1] = self._values[1:]
            self._count -= 1
        self._values[self._count] = probabilities
        self._count += 1
        if repaint:
            self.update()

    def leading(self) -> list[int]:
        """Classes that are drawn: those with the highest mean over the shown looks, above 5 % at least once."""
        if not self._count:
            return []
        shown = self.values()
        order = np.argsort(-shown.mean(axis=0), kind="stable")[:_LEADING]
        return [int(i) for i in order if shown[:, i].max() > 0.05]

    def sizeHint(self) -> QSize:
        return QSize(200, 84)

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        painter = QPainter(self)
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance("100 %") + 6
        area = QRectF(left, 4, max(1, self.width() - left - self._names - 6), max(1, self.height() - 8))
        for share, text in ((0.0, "0 %"), (1.0, "100 %")):
            y = round(area.bottom() - share * area.height()) + 0.5
            painter.setPen(hairline(self.theme.hover))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(self.theme.faint)
            base = y + metrics.ascent() - 3 if share else y
            painter.drawText(QPointF(left - 6 - metrics.horizontalAdvance(text), base), text)
        x = area.right() - (self._count - 1 - np.arange(self._count)) * (area.width() / (LOOKS - 1))
        taken: list[float] = []
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in self.leading():
            y = area.bottom() - self._values[: self._count, index] * area.height()
            colour = self.theme.class_colour(index, len(self._labels))
            painter.setPen(hairline(colour))
            painter.drawPolyline(polygon(x, y))
            if all(abs(float(y[-1]) - other) >= metrics.height() - 3 for other in taken):
                taken.append(float(y[-1]))
                at = min(max(float(y[-1]) + metrics.ascent() / 2 - 1, metrics.ascent()), self.height() - 2.0)
                name = self._labels[index]
                if len(name) > 2:
                    name = metrics.elidedText(name, Qt.TextElideMode.ElideRight, self._names)
                painter.drawText(QPointF(area.right() + 4, at), name)
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3
