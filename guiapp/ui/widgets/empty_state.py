"""What an empty panel says: what to do to fill it, with the button that does it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from guiapp.ui.widgets.buttons import text_button

_MARGIN, _GAP = 12, 4


class EmptyState(QWidget):
    """A line of text in the middle, and buttons for actions below it.

    Attributes:
        text: The line.
    """

    def __init__(self, text: str, actions: tuple[tuple[QAction, str], ...] = (), parent: QWidget | None = None) -> None:
        """Make the page; ``actions`` are given with the object names of their buttons."""
        super().__init__(parent)
        self.text = QLabel(text, self)
        self.text.setProperty("faint", True)
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = [text_button(self, action, name) for action, name in actions]
        self._said, self._waiting = text, ""
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self._shape: list[int] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, 8, _MARGIN, 8)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self.text)
        column.addLayout(self._rows)
        column.addStretch(1)
        self._lay()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay()

    def minimumSizeHint(self) -> QSize:
        widest = max((button.sizeHint().width() for button in self._buttons), default=80)
        return QSize(widest + 2 * _MARGIN, super().minimumSizeHint().height())

    def _lay(self) -> None:
        """Buttons in as many rows as they need, so that none is cut off."""
        room, shape, used = self.width() - 2 * _MARGIN, [], 0
        for button in self._buttons:
            wide = button.sizeHint().width() + _GAP
            if not shape or used + wide - _GAP > room:
                shape.append(0)
                used = 0
            shape[-1] += 1
            used += wide
        if shape == self._shape:
            return
        self._shape = shape
        while (item := self._rows.takeAt(0)) is not None:
            row = item.layout()
            while row.takeAt(0) is not None:
                pass
        buttons = iter(self._buttons)
        for count in shape:
            row = QHBoxLayout()
            row.setSpacing(_GAP)
            row.addStretch(1)
            for _ in range(count):
                row.addWidget(next(buttons))
            row.addStretch(1)
            self._rows.addLayout(row)

    def set_text(self, text: str) -> None:
        """Say something else, once there is nothing to wait for."""
        self._said = text
        self._show()

    def set_waiting(self, text: str) -> None:
        """Say what is waited for, without buttons; an empty text says again what is to be done."""
        if text != self._waiting:
            self._waiting = text
            for button in self._buttons:
                button.setVisible(not text)
            self._show()

    def _show(self) -> None:
        text = self._waiting or self._said
        if text != self.text.text():
            self.text.setText(text)
