"""The command palette: a few letters find any action, experiment, layer, class or run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import QLineEdit, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from guiapp.ui.card import Card
from guiapp.ui.fuzzy import score
from guiapp.ui.theme import Theme

_SHOWN = 60
_ROWS = 16


@dataclass(frozen=True)
class Entry:
    """One thing that can be found.

    Attributes:
        title: What is matched and read.
        kind: ``"Action"``, ``"Experiment"``, ``"Layer"``, ``"Class"``, ``"Run"``.
        run: What choosing it does.
        hint: Shortcut or another short text at the right.
        tip: One line more.
        also: Further words that find it.
    """

    title: str
    kind: str
    run: Callable[[], object]
    hint: str = ""
    tip: str = ""
    also: str = ""


def find(typed: str, entries: Sequence[Entry]) -> list[Entry]:
    """Entries that fit, best first; all of them, in their order, for an empty text."""
    if not typed.strip():
        return list(entries)[:_SHOWN]
    scored = []
    for order, entry in enumerate(entries):
        best = score(typed, entry.title)
        wider = score(typed, f"{entry.title} {entry.kind} {entry.also}")
        if wider is not None:
            best = max(wider - 1.0, best if best is not None else wider - 1.0)
        if best is not None:
            scored.append((-best, order, entry))
    scored.sort(key=lambda item: item[:2])
    return [entry for _, _, entry in scored[:_SHOWN]]


class _Model(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.UserRole:
            return entry
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.tip or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{entry.kind}: {entry.title} {entry.hint}"
        return None

    def show_entries(self, entries: list[Entry]) -> None:
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()


class _Row(QStyledItemDelegate):
    """Kind in faint ink, title, hint at the right."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(200, option.fontMetrics.height() + 10)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        chosen = bool(option.state & option.state.State_Selected)
        over = bool(option.state & option.state.State_MouseOver)
        painter.save()
        if chosen or over:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.selection if chosen else self._theme.hover)
            painter.drawRoundedRect(option.rect, 4, 4)
        metrics = option.fontMetrics
        kind_width = metrics.horizontalAdvance("Experiment") + 16
        row = option.rect.adjusted(8, 0, -8, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        faint: QColor = self._theme.faint
        painter.setPen(faint)
        painter.drawText(QRect(row.x(), row.y(), kind_width, row.height()), middle, entry.kind)
        hint_width = metrics.horizontalAdvance(entry.hint) + 8 if entry.hint else 0
        painter.drawText(row, middle | Qt.AlignmentFlag.AlignRight, entry.hint)
        room = row.width() - kind_width - hint_width
        painter.setPen(self._theme.text)
        title = metrics.elidedText(entry.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(row.x() + kind_width, row.y(), room, row.height()), middle, title)
        painter.restore()


class Palette(Card):
    """A line to type into and a list of what fits; arrows choose, Enter runs, Escape closes.

    Attributes:
        line: The search line, ``palette.line``.
        list: The list, ``palette.list``.
    """

    def __init__(self, window: QWidget, theme: Theme, entries: Sequence[Entry]) -> None:
        super().__init__(window, "Find", "palette")
        self._entries = list(entries)
        self.heading.hide()
        self.close_button.hide()
        self.line = QLineEdit(self)
        self.line.setObjectName("palette.line")
        self.line.setPlaceholderText("Action, experiment, layer, class, run")
        self.line.setAccessibleName("Find an action, experiment, layer, class or run")
        self.line.installEventFilter(self)
        self.list = QListView(self)
        self.list.setObjectName("palette.list")
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.viewport().setAutoFillBackground(False)
        self.list.setStyleSheet("QListView { background: transparent; }")
        self.list.setItemDelegate(_Row(theme, self.list))
        self._model = _Model(self.list)
        self.list.setModel(self._model)
        self.body.setSpacing(4)
        self.body.addWidget(self.line)
        self.body.addWidget(self.list, 1)
        self.layout().setContentsMargins(8, 8, 8, 8)
        self.line.textChanged.connect(self._search)
        self.list.clicked.connect(lambda index: self._run(index.row()))
        self._search("")

    def open(self) -> None:
        """Show at the top of the window, ready to type."""
        window = self.parentWidget()
        width = min(640, window.width() - 32)
        rows = self.list.sizeHintForRow(0) * _ROWS if self.shown else 0
        self.place((window.width() - width) // 2, 64, width, self.line.sizeHint().height() + rows + 22)
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    @property
    def shown(self) -> list[Entry]:
        """What the list holds now, best first."""
        return self._model.entries

    def _search(self, typed: str) -> None:
        self._model.show_entries(find(typed, self._entries))
        if self._model.entries:
            self.list.setCurrentIndex(self._model.index(0))

    def _run(self, row: int) -> None:
        if not 0 <= row < len(self._model.entries):
            return
        entry = self._model.entries[row]
        self.dismiss()
        entry.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.line:
            if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._key(event.key())
            if event.type() == QEvent.Type.FocusOut and self.isVisible() and self.window().isActiveWindow():
                self.dismiss()
            return False
        return super().eventFilter(watched, event)

    def _key(self, key: int) -> bool:
        rows = len(self._model.entries)
        moves = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
        if key in moves and rows:
            row = self.list.currentIndex().row() + moves[key]
            row = row % rows if abs(moves[key]) == 1 else min(max(row, 0), rows - 1)
            self.list.setCurrentIndex(self._model.index(row))
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self.list.currentIndex().row())
            return True
        if key == Qt.Key.Key_Escape:
            self.dismiss()
            return True
        return False
