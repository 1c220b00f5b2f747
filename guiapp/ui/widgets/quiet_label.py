"""A line of text that changes often: new text repaints the line and lays out nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.painting import tabular


class QuietLabel(QWidget):
    """One line; where it does not fit a shorter wording, at last cut off, and the whole text is its tip.

    Attributes:
        ink: Colour of the text; None takes the palette's.
        tip: Tip while the whole text is seen.
        cut: Where a text that does not fit is cut off, at its end by default.
    """

    def __init__(self, name: str, parent: QWidget | None = None, ink: QColor | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.ink = ink
        self.tip = ""
        self.cut = Qt.TextElideMode.ElideRight
        self._text = ""
        self._shorter: tuple[str, ...] = ()
        self._alignment = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        self.setFont(tabular(self.font()))
        # With a ground of its own nothing behind it is painted anew.
        self.setAutoFillBackground(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """What it says."""
        return self._text

    @property
    def shown(self) -> str:
        """What is painted: the longest wording that fits, else the shortest, cut off."""
        metrics, wordings = self.fontMetrics(), (self._text, *self._shorter)
        for text in wordings:
            if metrics.horizontalAdvance(text) <= self.width():  # measuring costs a tenth of shortening
                return text
        return metrics.elidedText(wordings[-1], self.cut, self.width())

    def set_text(self, text: str, shorter: Sequence[str] = ()) -> None:
        """Say something else; ``shorter`` are wordings for less room, longest first."""
        if text != self._text or tuple(shorter) != self._shorter:
            self._text, self._shorter = text, tuple(shorter)
            self.setAccessibleName(text)
            self.update()

    def set_room(self, widest: str) -> None:
        """Take exactly the width of the widest text it will show."""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedWidth(self.fontMetrics().horizontalAdvance(widest) + 2)

    def set_alignment(self, alignment: Qt.AlignmentFlag) -> None:
        """Where the text stands; left and in the middle of the height by default."""
        self._alignment = alignment
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(24, self.fontMetrics().height() + 2)

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.ink if self.ink is not None else self.palette().color(self.foregroundRole()))
        shown = self.shown
        painter.drawText(self.rect(), self._alignment, shown)
        painter.end()
        cut = self._text if shown != self._text else self.tip
        if cut != self.toolTip():
            self.setToolTip(cut)
