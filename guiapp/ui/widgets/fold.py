"""A part of a form that folds away under its title; folded, a line says what is in it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from guiapp.ui.icons import icon
from guiapp.ui.theme import Theme
from guiapp.ui.widgets.quiet_label import QuietLabel


class Fold(QWidget):
    """Title, summary, and what is folded away.

    Attributes:
        toggled: Emitted with whether it is open, when the person folds or unfolds it.
        title: The button that folds.
        summary: Beside it.
        body: Column of what is folded.
    """

    toggled = Signal(bool)

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QToolButton(self)
        self.title.setObjectName(name)
        self.title.setText(title)
        self.title.setToolTip(f"Show or fold away: {title}")
        self.title.setCheckable(True)
        self.title.setAutoRaise(True)
        self.title.setIconSize(QSize(12, 12))
        self.title.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.title.setStyleSheet(
            "QToolButton { font-weight: 600; padding: 3px 2px; } QToolButton:checked { background: transparent; }"
        )
        self.title.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.title.clicked.connect(self._clicked)
        self.summary = QuietLabel(f"{name}.summary", self, theme.faint)
        self.summary.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self._follow_theme)
        self._theme = theme
        self._content = QWidget(self)
        self.body = QVBoxLayout(self._content)
        self.body.setContentsMargins(8, 0, 0, 4)
        self.body.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 0, Qt.AlignmentFlag.AlignLeft)
        head.addWidget(self.summary, 1)
        head.addStretch(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._content)
        self.set_open(False)

    @property
    def open(self) -> bool:
        """Whether its content is shown."""
        return self.title.isChecked()

    def set_open(self, wanted: bool) -> None:
        """Fold or unfold."""
        self.title.setChecked(wanted)
        self.title.setIcon(icon("down" if wanted else "right"))
        self._content.setVisible(wanted)
        self.summary.setVisible(not wanted)

    def _clicked(self) -> None:
        self.set_open(self.title.isChecked())
        self.toggled.emit(self.open)

    def _follow_theme(self) -> None:
        self.summary.ink = self._theme.faint
        self.summary.update()
