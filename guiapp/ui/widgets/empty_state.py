"""What an empty panel says: what to do to fill it, with the button that does it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from guiapp.ui.widgets.buttons import text_button


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
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addStretch(1)
        for action, name in actions:
            row.addWidget(text_button(self, action, name))
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self.text)
        column.addLayout(row)
        column.addStretch(1)

    def set_text(self, text: str) -> None:
        """Say something else."""
        if text != self.text.text():
            self.text.setText(text)
