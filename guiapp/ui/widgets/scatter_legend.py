"""What the colours of a scatter plot mean: names that can be clicked, or a scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QLinearGradient, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from guiapp.ui.widgets.painting import tabular

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_DOT, _GAP, _WIDEST = 9, 10, 96


class ScatterLegend(QWidget):
    """One line: dots with names, as many as there is room for; or a scale from low to high.

    Attributes:
        clicked: Index of a clicked name.
        chosen: Index of the name that stands out, or None.
    """

    clicked = Signal(int)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.chosen: int | None = None
        self._entries: tuple[tuple[str, QColor], ...] = ()
        self._scale: tuple[str, str, tuple[QColor, ...]] | None = None
        self.setObjectName(name)
        self.setAccessibleName("What the colours mean")
        self.setAutoFillBackground(True)
        self.setFont(tabular(self.font()))
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_names(self, entries: Sequence[tuple[str, QColor]]) -> None:
        """Show names with their colours."""
        self._entries, self._scale = tuple(entries), None
        self.update()

    def set_scale(self, low: str, high: str, colours: Sequence[QColor]) -> None:
        """Show a scale."""
        self._entries, self._scale = (), (low, high, tuple(colours))
        self.update()

    def set_chosen(self, index: int | None) -> None:
        """Let one name stand out."""
        if index != self.chosen:
            self.chosen = index
            self.update()

    @property
    def names(self) -> tuple[str, ...]:
        """The names in their order."""
        return tuple(name for name, _ in self._entries)

    def sizeHint(self) -> QSize:
        return QSize(80, self.fontMetrics().height() + 4)

    minimumSizeHint = sizeHint

    def places(self) -> list[QRectF]:
        """Where each name that has room stands."""
        metrics, found, left = self.fontMetrics(), [], 0.0
        for name, _ in self._entries:
            wide = _DOT + 4 + min(_WIDEST, metrics.horizontalAdvance(name))
            if left + wide > self.width() and found:
                break
            found.append(QRectF(left, 0, wide, self.height()))
            left += wide + _GAP
        return found

    def index_at(self, point: QPointF) -> int | None:
        """The name at a point."""
        return next((at for at, place in enumerate(self.places()) if place.contains(point)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position())
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position())
        self.setCursor(Qt.CursorShape.ArrowCursor if index is None else Qt.CursorShape.PointingHandCursor)
        if index is not None:
            QToolTip.showText(
                event.globalPosition().toPoint(), f"{self._entries[index][0]}: a click picks it out", self
            )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._scale is not None:
            self._paint_scale(painter)
        else:
            self._paint_names(painter)
        painter.end()

    def _paint_names(self, painter: QPainter) -> None:
        places, metrics = self.places(), self.fontMetrics()
        for at, (place, (name, colour)) in enumerate(zip(places, self._entries, strict=False)):
            faded = self.chosen is not None and at != self.chosen
            painter.setOpacity(0.4 if faded else 1.0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(place.left() + _DOT / 2, place.center().y()), _DOT / 2, _DOT / 2)
            painter.setPen(self.theme.text if at == self.chosen else self.theme.faint)
            words = metrics.elidedText(name, Qt.TextElideMode.ElideRight, _WIDEST)
            box = place.adjusted(_DOT + 4, 0, 4, 0)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        painter.setOpacity(1.0)
        left = len(self._entries) - len(places)
        if left and places:
            painter.setPen(self.theme.faint)
            box = QRectF(self.rect())
            if box.right() - places[-1].right() > metrics.horizontalAdvance(f"+{left}") + 4:
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"+{left}")

    def _paint_scale(self, painter: QPainter) -> None:
        assert self._scale is not None
        low, high, colours = self._scale
        metrics = self.fontMetrics()
        left, right = metrics.horizontalAdvance(low) + 8, metrics.horizontalAdvance(high) + 8
        bar = QRectF(left, self.height() / 2 - 4, max(20, min(220, self.width() - left - right)), 8)
        fill = QLinearGradient(bar.topLeft(), bar.topRight())
        for at, colour in enumerate(colours):
            fill.setColorAt(at / max(1, len(colours) - 1), colour)
        painter.fillRect(bar, fill)
        painter.setPen(self.theme.faint)
        painter.drawText(QRectF(0, 0, left, self.height()), Qt.AlignmentFlag.AlignVCenter, low)
        box = QRectF(bar.right() + 8, 0, right, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, high)
