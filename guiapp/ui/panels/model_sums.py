"""The sums behind the figures of the model panel, below its table or, in little room, in the place of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QWidget

BELOW_FROM = 420
"""Height of the panel from which the sums stand under the table, not in its place."""
_NO_LIMIT = 16777215  # Qt's QWIDGETSIZE_MAX


class SumsView(QScrollArea):
    """Sums, one a line.

    Attributes:
        label: The sums, ``model.counts``.
        button: Puts them into the place of the table, ``model.sums``; it stands elsewhere.
        toggled: Emitted when it was pressed.
    """

    toggled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.label = QLabel(self)
        self.label.setObjectName("model.counts")
        self.label.setProperty("faint", True)
        self.label.setWordWrap(True)
        self.label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button = QPushButton("Sums", parent)
        self.button.setObjectName("model.sums")
        self.button.setToolTip("Show the sums behind the figures in the place of the table")
        self.button.setCheckable(True)
        self.button.setFixedHeight(22)
        self.button.toggled.connect(lambda _on: self.toggled.emit())
        self.setWidget(self.label)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def say(self, layer: Sequence[str], network: Sequence[str]) -> None:
        """Show the sums of a layer, then those of the network."""
        self.label.setText("\n".join((*layer, *([""] if layer and network else ()), *network)))

    def instead(self, width: int, height: int) -> bool:
        """Show the button, the sums or neither in a panel of this size; whether they take the place of the table."""
        needed = self.label.heightForWidth(max(100, width - 28)) + 2
        some = bool(self.label.text())
        beside = some and height < BELOW_FROM and needed > height // 5
        self.button.setVisible(beside)
        instead = beside and self.button.isChecked()
        self.setVisible(some and (instead or not beside))
        self.setMinimumHeight(0 if instead else min(needed, height // 3))
        self.setMaximumHeight(_NO_LIMIT if instead else min(needed, height // 3))
        return instead
