"""What is inside the lasso: how many of which class, a name for it, and ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme


class ChosenRow(QWidget):
    """A line of words, and a row of what can be done.

    Attributes:
        named: A class of one's own was asked for, by name.
        saved: A table was asked for; ``pictured``: the pictures as files; ``dropped``: nothing chosen any more.
        name: ``embedding.class-name``.
    """

    named = Signal(str)
    saved = Signal()
    pictured = Signal()
    dropped = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = QuietLabel("embedding.chosen", self)
        self.name = QLineEdit(self)
        self.name.setObjectName("embedding.class-name")
        self.name.setPlaceholderText("name a class")
        self.name.setToolTip("Enter makes a class of your own of what is chosen")
        self.name.returnPressed.connect(lambda: self.named.emit(self.name.text()))
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.name, 1)
        for title, name, tip, signal in (
            ("CSV…", "save", "Save places, classes and predictions of what is chosen as a table", self.saved),
            ("Folder…", "pictures", "Save the pictures as a class of a folder data set", self.pictured),
            ("Drop", "drop", "Choose nothing (Esc)", self.dropped),
        ):
            button = QPushButton(title, self)
            button.setObjectName(f"embedding.{name}")
            button.setToolTip(tip)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, s=signal: s.emit())
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.words)
        column.addLayout(row)

    def say(self, text: str) -> None:
        """What is chosen."""
        self.words.set_text(text)
