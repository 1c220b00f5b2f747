"""Messages to the person: the newest as one line in the toolbar, details and history on demand, never modal."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from guiapp.core.notices import Notice, NoticeBoard
from guiapp.ui.card import Card
from guiapp.ui.docks import small_button
from guiapp.ui.icons import icon
from guiapp.ui.theme import Theme

_INFO_MS = 8000


class NoticeBar(QWidget):
    """Shows the newest notice until it is dismissed; what is only information goes by itself.

    Notices arrive through a queued signal, so any thread may post. A failure also goes when the same kind of action
    has succeeded since; the history keeps it.

    Attributes:
        shown: The notice in the bar, or None.
    """

    posted = Signal(object)
    settled = Signal(str)

    def __init__(self, board: NoticeBoard, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notices")
        self._board = board
        self._theme = theme
        self.shown: Notice | None = None
        self._card: Card | None = None
        self.symbol = QLabel(self)
        self.text = QLabel(self)
        self.text.setObjectName("notices.text")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.details = QPushButton("Details", self)
        self.details.setObjectName("notices.details")
        self.dismiss = small_button(self, "notices.dismiss", "close", "Dismiss this message")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(6)
        row.addWidget(self.symbol)
        row.addWidget(self.text, 1)
        row.addWidget(self.details)
        row.addWidget(self.dismiss)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.setInterval(_INFO_MS)
        self._fade.timeout.connect(self.clear)
        self.details.clicked.connect(self.show_details)
        self.dismiss.clicked.connect(self.clear)
        self.posted.connect(self.show_notice, Qt.ConnectionType.QueuedConnection)
        self.settled.connect(self._settle)
        self._unsubscribe = board.subscribe(self.posted.emit, self.settled.emit)
        self.clear()

    def show_notice(self, notice: Notice) -> None:
        """Show one notice; information does not replace an error of another kind that nobody has dismissed."""
        before = self.shown
        serious = before is not None and before.level != "info" and not (before.topic and before.topic == notice.topic)
        if notice.level == "info" and serious:
            return
        self.shown = notice
        colour = {"info": self._theme.faint, "warning": self._theme.warning, "error": self._theme.error}[notice.level]
        self.symbol.setPixmap(icon(notice.level, colour).pixmap(QSize(16, 16), self.devicePixelRatioF()))
        self._elide()
        self.text.setToolTip(notice.text)
        for widget in (self.symbol, self.text, self.dismiss):
            widget.show()
        self.details.setVisible(bool(notice.details) or self._too_long())
        if notice.level == "info":
            self._fade.start()
        else:
            self._fade.stop()

    def clear(self) -> None:
        """Empty the bar."""
        self.shown = None
        self._fade.stop()
        for widget in (self.symbol, self.text, self.details, self.dismiss):
            widget.hide()

    def _settle(self, topic: str) -> None:
        if self.shown is not None and self.shown.level != "info" and self.shown.topic == topic:
            self.clear()

    def show_details(self) -> None:
        """Show the whole text of the notice in the bar, with a button that copies it."""
        if self.shown is not None:
            self._open(self.shown)

    def show_history(self) -> None:
        """Show every notice of this session, newest first; a click shows its details."""
        card = Card(self.window(), "Messages", "notices.history")
        listed = QListWidget(card)
        listed.setObjectName("notices.list")
        listed.setWordWrap(True)
        for notice in reversed(self._board.notices):
            item = QListWidgetItem(self._icon(notice), notice.text, listed)
            item.setToolTip("Click for details" if notice.details else notice.text)
            item.setData(Qt.ItemDataRole.UserRole, notice)
        listed.itemClicked.connect(lambda item: self._open(item.data(Qt.ItemDataRole.UserRole)))
        if not self._board.notices:
            label = QLabel("Nothing has been reported.", card)
            label.setProperty("faint", True)
            card.body.addWidget(label)
        card.body.addWidget(listed, 1)
        self._place(card, 480, 320)

    def close_board(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    def _icon(self, notice: Notice) -> QIcon:
        colours = {"info": self._theme.faint, "warning": self._theme.warning, "error": self._theme.error}
        return icon(notice.level, colours[notice.level])

    def _open(self, notice: Notice) -> None:
        card = Card(self.window(), notice.level.capitalize(), "notices.card")
        label = QLabel(notice.text, card)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        card.body.addWidget(label)
        if notice.details:
            text = QPlainTextEdit(notice.details, card)
            text.setObjectName("notices.text-of-details")
            text.setReadOnly(True)
            text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            card.body.addWidget(text, 1)
        copy = QPushButton(icon("copy"), "Copy", card)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(f"{notice.text}\n{notice.details}".strip()))
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(copy)
        card.body.addLayout(row)
        self._place(card, 640, 360 if notice.details else 120)

    def _place(self, card: Card, width: int, height: int) -> None:
        if self._card is not None:
            self._card.dismiss()
        self._card = card
        card.destroyed.connect(lambda: self._forget(card))
        below = self.mapTo(self.window(), self.rect().bottomRight())
        card.place(below.x() - width, below.y() + 4, width, height)

    def _forget(self, card: Card) -> None:
        if self._card is card:
            self._card = None

    def _too_long(self) -> bool:
        return self.shown is not None and self.text.text() != self.shown.text

    def _elide(self) -> None:
        if self.shown is not None:
            room = max(80, self.text.width() if self.text.isVisible() else self.width() - 140)
            line = " ".join(self.shown.text.split())
            self.text.setText(QFontMetrics(self.text.font()).elidedText(line, Qt.TextElideMode.ElideRight, room))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._elide()
