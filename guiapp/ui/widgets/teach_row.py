"""One class of the Teach panel: name, newest samples, the button that collects, how sure the head is of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from guiapp.ui.icons import icon
from guiapp.ui.widgets.painting import image_of
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.teach import TaughtClass
    from guiapp.ui.theme import Theme

_HEIGHT = 30
_GAP = 2
_BAR = 4


class _Strip(QWidget):
    """The newest samples, newest on the right, above a bar of probability."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.index, self.count = 0, 10
        self.share: float | None = None
        self.strip: tuple[object, ...] = ()
        self._images: list[object] = []
        self.setMinimumSize(60, _HEIGHT + _GAP + _BAR)
        self.setSizePolicy(self.sizePolicy().Policy.Expanding, self.sizePolicy().Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, _HEIGHT + _GAP + _BAR)

    def set_strip(self, strip: tuple[object, ...]) -> None:
        if len(strip) != len(self.strip) or any(a is not b for a, b in zip(strip, self.strip, strict=True)):
            self.strip = strip
            self._images = [image_of(one) for one in strip]  # type: ignore[arg-type]
            self.update()

    def set_share(self, share: float | None) -> None:
        if share != self.share:
            self.share = share
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        fits = max(1, (self.width() + _GAP) // (_HEIGHT + _GAP))
        for place, image in enumerate(self._images[-fits:]):
            painter.drawImage(QRectF(place * (_HEIGHT + _GAP), 0, _HEIGHT, _HEIGHT), image)  # type: ignore[call-overload]
        if not self._images:
            painter.setPen(self._theme.faint)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "no samples yet")
        if self.share is not None:
            top = _HEIGHT + _GAP
            painter.fillRect(QRectF(0, top, self.width(), _BAR), self._theme.field)
            colour = self._theme.class_colour(self.index, self.count)
            painter.fillRect(QRectF(0, top, self.width() * self.share, _BAR), colour)
        painter.end()


class TeachRow(QFrame):
    """Controls of one class.

    Attributes:
        key: Key of the class.
        name: Its name, ``teach.name-KEY``; editing it renames the class.
        hold: The button that collects while it is held, ``teach.hold-KEY``.
        renamed, held, released, undone, removed: Emitted with the key (and the new name).
    """

    renamed = Signal(int, str)
    held = Signal(int)
    released = Signal(int)
    undone = Signal(int)
    removed = Signal(int)

    def __init__(self, key: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self._theme = theme
        self._swatch = QWidget(self)
        self._swatch.setFixedWidth(4)
        self._swatch.setAutoFillBackground(True)
        self.name = QLineEdit(self)
        self.name.setObjectName(f"teach.name-{key}")
        self.name.setAccessibleName("Name of the class")
        self.name.setMaxLength(60)
        self.name.setMinimumWidth(60)
        self.name.editingFinished.connect(self._rename)
        self.count = QuietLabel(f"teach.count-{key}", self, theme.faint)
        self.count.set_room("00,000")
        self.count.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.share = QuietLabel(f"teach.share-{key}", self)
        self.share.set_room("100 %")
        self.share.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.hold = QPushButton("Hold to collect", self)
        self.hold.setObjectName(f"teach.hold-{key}")
        self.hold.setToolTip(
            "Collects live pictures while it is held. A still picture, such as a drawing, is added once at a press; "
            "while it is held on, versions that are moved, turned and scaled a little join"
        )
        self.hold.pressed.connect(lambda: self.held.emit(self.key))
        self.hold.released.connect(lambda: self.released.emit(self.key))
        self.strip = _Strip(theme, self)
        undo = self._button("undo", "Take the newest sample back", self.undone)
        remove = self._button("close", "Remove the class with its samples", self.removed)
        top, below = QHBoxLayout(), QHBoxLayout()
        for row in (top, below):
            row.setSpacing(6)
        top.addWidget(self.name, 1)
        top.addWidget(self.count)
        top.addWidget(self.share)
        top.addWidget(undo)
        top.addWidget(remove)
        below.addWidget(self.hold)
        below.addWidget(self.strip, 1)
        column = QVBoxLayout()
        column.setSpacing(3)
        column.addLayout(top)
        column.addLayout(below)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 4, 0, 6)
        outer.setSpacing(6)
        outer.addWidget(self._swatch)
        outer.addLayout(column, 1)

    def _button(self, symbol: str, tip: str, signal: object) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"teach.{symbol}-{self.key}")
        button.setIcon(icon(symbol))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        button.clicked.connect(lambda _=False: signal.emit(self.key))  # type: ignore[attr-defined]
        return button

    def show_class(self, shown: TaughtClass, index: int, count: int) -> None:
        """Follow the class, the ``index``-th of ``count``."""
        if not self.name.hasFocus() and self.name.text() != shown.name:
            self.name.setText(shown.name)
            self.name.setCursorPosition(0)
        self.count.set_text(f"{shown.count:,}")
        self.count.tip = f"{shown.count:,} samples that the network has looked at"
        self.strip.index, self.strip.count = index, count
        self.strip.set_strip(shown.strip)
        palette = self._swatch.palette()
        palette.setColor(self._swatch.backgroundRole(), self._theme.class_colour(index, count))
        self._swatch.setPalette(palette)

    def show_share(self, share: float | None, best: bool = False) -> None:
        """How sure the head is that the newest picture is of this class; None where it does not know it."""
        self.strip.set_share(share)
        self.share.ink = self._theme.text if best else self._theme.faint
        self.share.set_text("" if share is None else f"{share:.0%}".replace("%", " %"))
        self.share.update()

    def _rename(self) -> None:
        self.renamed.emit(self.key, self.name.text())
