"""A colour scale with the values at its ends and at zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.painting import image_of, tabular

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_LEAST = 40  # pixels of colours below which the values do not stand beside them
_RAMP = np.arange(1, 256, dtype=np.uint8)[None]


def number(value: float) -> str:
    """Three significant figures with a true minus sign."""
    text = f"{value:.3g}" if abs(value) < 1e5 else f"{value:.2e}"
    return text.replace("-", "−")


def short(value: float) -> str:
    """Two significant figures, at most four decimals, with a true minus sign."""
    if abs(value) < 5e-5:
        return "0"
    text = f"{value:.4f}".rstrip("0") if abs(value) < 0.01 else f"{value:.2g}" if abs(value) < 100 else f"{value:.4g}"
    return text.replace("-", "−")


class ColourBar(QWidget):
    """Lowest value, colours, highest value, in one line; zero is marked where the map is signed.

    In little room the values stand below the ends of the colours.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setObjectName(name)
        self.setAutoFillBackground(True)
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._low, self._high, self._signed = "", "", True
        self._image = image_of(_RAMP, palette_table(True))
        self.setToolTip("Colours of the values")

    def set_range(self, low: float, high: float, signed: bool) -> None:
        """Show a range; repaints only if its text changed."""
        shown = number(low), number(high), signed
        if shown != (self._low, self._high, self._signed):
            if signed != self._signed:
                self._image = image_of(_RAMP, palette_table(signed))
            self._low, self._high, self._signed = shown
            self.setAccessibleName(f"colours from {self._low} to {self._high}")
            self.update()

    def texts(self) -> tuple[str, str]:
        """What stands at both ends."""
        return self._low, self._high

    def sizeHint(self) -> QSize:
        return QSize(140, self.fontMetrics().height() + 10)

    def minimumSizeHint(self) -> QSize:
        return QSize(2 * self._side() + 4, self.fontMetrics().height() + 2)

    def _side(self) -> int:
        """Room for a value."""
        return self.fontMetrics().horizontalAdvance("−0.0000")

    def places(self) -> tuple[QRectF, QRectF, QRectF]:
        """Where the lowest value, the colours and the highest value stand."""
        width, height = float(self.width()), float(self.height())
        wide = [float(self.fontMetrics().horizontalAdvance(text) + 1) for text in self.texts()]
        side = max(float(self._side()), *wide)
        if width - 2 * side - 8 >= _LEAST:
            bar = QRectF(side + 4, height / 2 - 4, width - 2 * side - 8, 8)
            return QRectF(0, 0, side, height), bar, QRectF(bar.right() + 4, 0, side, height)
        text = float(self.fontMetrics().ascent() + 1)
        bar = QRectF(2, max(2.0, (height - text) / 2 - 4), width - 4, max(4.0, min(8.0, height - text - 4)))
        left, right = (min(one, width - 4) for one in wide)
        return QRectF(2, bar.bottom() + 1, left, text), bar, QRectF(width - 2 - right, bar.bottom() + 1, right, text)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._low:
            low, bar, high = self.places()
            beside = low.right() < bar.left()
            left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
            painter.setPen(self.theme.faint)
            painter.drawText(low, Qt.AlignmentFlag.AlignVCenter | (right if beside else left), self._low)
            painter.drawText(high, Qt.AlignmentFlag.AlignVCenter | (left if beside else right), self._high)
            painter.drawImage(bar, self._image)
            if self._signed:
                painter.setPen(self.theme.text)
                middle = round(bar.center().x())
                painter.drawLine(middle, round(bar.top()) - 2, middle, round(bar.bottom()) + (2 if beside else 0))
        painter.end()
