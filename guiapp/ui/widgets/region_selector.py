"""A region of the screen, chosen with the mouse over a darkened picture of it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QScreen
from PySide6.QtWidgets import QWidget

from guiapp.sources.screen import Region

_LEAST = 8  # pixels a side; less is a slip of the hand
_HINT = "Drag over what is to be looked at · Escape leaves it as it was"


class RegionSelector(QWidget):
    """Covers one screen. A picture of the screen lies under it, because not every session has translucent windows.

    Attributes:
        chosen: Emitted with a ``Region`` in the screen's own pixels; the selector closes.
        cancelled: Emitted when the person leaves with Escape or the right button.
    """

    chosen = Signal(object)
    cancelled = Signal()

    def __init__(self, screen: QScreen, accent: QColor) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self.setObjectName("live.region-selector")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Region of the screen")
        self._screen = screen
        self._accent = accent
        self._ground = screen.grabWindow(0)
        self._from: QPoint | None = None
        self._to = QPoint()
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setGeometry(screen.geometry())

    @property
    def selection(self) -> QRect:
        """What is dragged over, in the window's pixels; empty before."""
        if self._from is None:
            return QRect()
        left, right = sorted((self._from.x(), self._to.x()))
        top, bottom = sorted((self._from.y(), self._to.y()))
        return QRect(left, top, right - left + 1, bottom - top + 1).intersected(self.rect())

    def region(self) -> Region:
        """The selection in the screen's own pixels; Qt counts the corner of a screen in these, its inside in others."""
        ratio, area, origin = self._screen.devicePixelRatio(), self.selection, self._screen.geometry().topLeft()
        return Region(
            origin.x() + round(area.x() * ratio),
            origin.y() + round(area.y() * ratio),
            max(1, round(area.width() * ratio)),
            max(1, round(area.height() * ratio)),
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = self._to = event.position().toPoint()
            self.update()
        elif event.button() == Qt.MouseButton.RightButton:
            self._leave()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            self._to = event.position().toPoint()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._from is None:
            return
        self._to = event.position().toPoint()
        area = self.selection
        if area.width() < _LEAST or area.height() < _LEAST:
            self._from = None
            self.update()
            return
        self.close()
        self.chosen.emit(self.region())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)

    def _leave(self) -> None:
        self.close()
        self.cancelled.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._ground)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 130))
        area = self.selection
        if area.isEmpty():
            self._write(painter, _HINT, QPoint(self.width() // 2, self.height() // 3))
            return
        ratio = self._ground.devicePixelRatio()
        inside = QRectF(area.x() * ratio, area.y() * ratio, area.width() * ratio, area.height() * ratio)
        painter.drawPixmap(QRectF(area), self._ground, inside)
        painter.setPen(QPen(self._accent, 1))
        painter.drawRect(area.adjusted(0, 0, -1, -1))
        region = self.region()
        below = area.bottom() + 20 if area.bottom() + 34 < self.height() else area.bottom() - 18
        self._write(painter, f"{region.width} × {region.height}", QPoint(area.center().x(), below))

    def _write(self, painter: QPainter, text: str, centre: QPoint) -> None:
        metrics = painter.fontMetrics()
        box = QRect(0, 0, metrics.horizontalAdvance(text) + 16, metrics.height() + 8)
        box.moveCenter(centre)
        box.moveLeft(max(4, min(box.left(), self.width() - box.width() - 4)))
        painter.fillRect(box, QColor(20, 22, 25, 230))
        painter.setPen(QColor("#e6e8eb"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


class RegionChoice:
    """One selector on each screen; the first choice, or leaving any, closes all.

    Attributes:
        selectors: Those that are open.
    """

    def __init__(self, accent: QColor, chosen: object) -> None:
        """Open them; ``chosen`` is called with a ``Region``."""
        self.selectors = [RegionSelector(screen, accent) for screen in QGuiApplication.screens()]
        for selector in self.selectors:
            selector.chosen.connect(self._close)
            selector.chosen.connect(chosen)
            selector.cancelled.connect(self._close)
            selector.showFullScreen()
        if self.selectors:
            self.selectors[0].activateWindow()

    def _close(self, _region: object = None) -> None:
        selectors, self.selectors = self.selectors, []
        for selector in selectors:
            selector.close()
