"""Pinned views beside each other, to compare; a click brings back what one of them showed."""

from __future__ import annotations

import html
from pathlib import Path

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from guiapp.core.notices import UserError
from guiapp.ui.context import Context
from guiapp.ui.docks import small_button
from guiapp.ui.panel import Panel
from guiapp.ui.pins import Pin
from guiapp.ui.theme import Theme
from guiapp.ui.widgets import export
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.painting import hairline
from guiapp.ui.widgets.quiet_label import QuietLabel

_MOST = 24
_TITLE = 22
_WIDEST = 0.48  # share of the panel: two views beside each other are seen whole
_LEAST = 80  # pixels that a view is at least high


class PinnedPanel(Panel):
    """Up to 24 views, newest at the right; each as high as the panel allows.

    Attributes:
        pins: The views.
    """

    id = "pinned"
    title = "Pinned"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._cards: list[_Card] = []
        self.empty = EmptyState(
            "Nothing is pinned. The pin in the title of a panel keeps what it shows here, to compare with what comes.",
            (), self,
        )  # fmt: skip
        self.said = QuietLabel("pinned.said", self, context.theme.faint)
        self.clear_all = QPushButton("Remove all", self)
        self.clear_all.setObjectName("pinned.clear")
        self.clear_all.setToolTip("Take every pinned view away")
        self.clear_all.clicked.connect(self.clear)
        top = QHBoxLayout()
        top.addWidget(self.said, 1)
        top.addWidget(self.clear_all)
        self._strip = QWidget(self)
        self._row = QHBoxLayout(self._strip)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)
        self._row.addStretch(1)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(self._strip)
        views = QWidget(self)
        column = QVBoxLayout(views)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self._area, 1)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(views)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._pages)

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The views from left to right."""
        return tuple(card.pin for card in self._cards)

    def add(self, pin: Pin) -> None:
        """Put a view at the right end; of more than 24 the oldest goes."""
        card = _Card(pin, self.context.theme, self._strip)
        card.chosen.connect(pin.show)
        card.removed.connect(lambda: self._remove(card))
        card.hovered.connect(lambda inside: self.said.set_text(pin.text if inside else ""))
        card.failed.connect(lambda text: self.context.notices.post("error", text))
        self._row.insertWidget(self._row.count() - 1, card)
        self._cards.append(card)
        if len(self._cards) > _MOST:
            self._remove(self._cards[0])
        card.show()
        self._pages.setCurrentIndex(1)
        QTimer.singleShot(0, self, self._show_newest)

    def _show_newest(self) -> None:
        self._row.activate()
        bar = self._area.horizontalScrollBar()
        bar.setValue(bar.maximum())

    def clear(self) -> None:
        """Take every view away."""
        for card in list(self._cards):
            self._remove(card)

    def _remove(self, card: _Card) -> None:
        self._cards.remove(card)
        self._row.removeWidget(card)
        card.hide()
        card.deleteLater()
        self.said.set_text("")
        if not self._cards:
            self._pages.setCurrentIndex(0)

    def sizeHint(self) -> QSize:
        return QSize(480, 280)


class _Card(QFrame):
    """One view: its title, the picture, two lines of what it shows."""

    chosen = Signal()
    removed = Signal()
    hovered = Signal(bool)
    failed = Signal(str)

    def __init__(self, pin: Pin, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.pin, self._theme = pin, theme
        self.setObjectName("pinned.view")
        self.setAccessibleName(pin.text)
        lines = [f"<b>{html.escape(pin.title)}</b>", *map(html.escape, pin.lines), f"{pin.time:%H:%M:%S}"]
        self.setToolTip("<qt>" + "<br>".join(lines) + "<br><i>Click: show it again</i></qt>")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumHeight(_LEAST)
        self._close = small_button(self, "pinned.remove", "close", "Take this view away")
        self._close.clicked.connect(self.removed)
        theme.changed.connect(self.update)

    @property
    def _room(self) -> QRect:
        """Where the picture of the view goes."""
        below = self.fontMetrics().height() * 2 + 4
        return QRect(0, _TITLE, self.width(), max(1, self.height() - _TITLE - below))

    def sizeHint(self) -> QSize:
        ratio = self.pin.image.devicePixelRatio()
        wide, high = self.pin.image.width() / ratio, self.pin.image.height() / ratio
        below = self.fontMetrics().height() * 2 + 4
        most = _WIDEST * self.parentWidget().parentWidget().width()
        scale = min(1.0, max(1, self.parentWidget().height() - _TITLE - below) / max(1.0, high), most / max(1.0, wide))
        return QSize(max(180, round(wide * scale)), self.parentWidget().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width(), _LEAST)

    def resizeEvent(self, event: object) -> None:
        self._close.setGeometry(self.width() - 20, 1, 20, 20)
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        metrics, theme = self.fontMetrics(), self._theme
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(theme.text)
        painter.drawText(QRect(0, 0, self.width() - 24, _TITLE), Qt.AlignmentFlag.AlignVCenter, self.pin.title)
        font.setBold(False)
        painter.setFont(font)
        room = self._room
        size = self.pin.image.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        natural = self.pin.image.size() / self.pin.image.devicePixelRatio()
        if size.width() > natural.width():
            size = natural
        place = QRect(room.topLeft(), size)
        painter.drawImage(place, self.pin.image)
        painter.setPen(hairline(theme.accent if self.hasFocus() or self.underMouse() else theme.border))
        painter.drawRect(place.adjusted(0, 0, -1, -1))
        painter.setPen(theme.faint)
        lines = _two(self.pin.lines)
        for number, line in enumerate(lines):
            row = QRect(0, room.bottom() + 3 + number * metrics.height(), self.width(), metrics.height())
            painter.drawText(row, 0, metrics.elidedText(line, Qt.TextElideMode.ElideRight, self.width()))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.hovered.emit(True)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(False)
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show it again", self.chosen.emit)
        menu.addAction("Copy picture", lambda: export.copy_image(self.pin.image))
        menu.addAction("Save as PNG …", self._ask_save)
        menu.addSeparator()
        menu.addAction("Remove", self.removed.emit)
        menu.popup(event.globalPos())

    def _ask_save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save picture", f"{self.pin.title.lower()}.png", "PNG (*.png)")
        if name:
            try:
                export.save_image(self.pin.image, Path(name))
            except UserError as error:
                self.failed.emit(str(error))


def _two(lines: tuple[str, ...]) -> tuple[str, str]:
    """What a view shows in two lines."""
    half = (len(lines) + 1) // 2
    return " · ".join(lines[:half]), " · ".join(lines[half:])
