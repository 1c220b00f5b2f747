"""A card that lies over the window: help, details, the palette. Never modal; Escape closes it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from guiapp.ui.docks import small_button


class Card(QFrame):
    """A framed child of the window with a heading and a close button.

    Attributes:
        body: Layout for the content.
    """

    def __init__(self, window: QWidget, title: str, name: str) -> None:
        super().__init__(window)
        self.setObjectName("card")
        self.setProperty("card", name)
        self.setAutoFillBackground(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.heading = QLabel(title, self)
        self.heading.setProperty("heading", True)
        self.close_button = small_button(self, f"{name}.close", "close", "Close (Esc)")
        self.close_button.clicked.connect(self.dismiss)
        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.close_button)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 12)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(self.body, 1)
        self._wanted = (0, 0, 320, 200)
        window.installEventFilter(self)
        self.hide()

    def place(self, left: int, top: int, width: int, height: int) -> None:
        """Show at a place of the window, moved and shrunk where it would stand over the edge; others close."""
        for other in self.parentWidget().findChildren(Card):
            if other is not self and not other.isHidden():
                other.dismiss()
        self._wanted = (left, top, width, height)
        self._fit()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def dismiss(self) -> None:
        """Close and delete the card."""
        self.hide()
        self.deleteLater()

    def _fit(self) -> None:
        left, top, width, height = self._wanted
        room = self.parentWidget().size()
        width, height = min(width, room.width() - 16), min(height, room.height() - 16)
        left = max(8, min(left, room.width() - width - 8))
        top = max(8, min(top, room.height() - height - 8))
        self.setGeometry(left, top, width, height)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._fit()
        return False
