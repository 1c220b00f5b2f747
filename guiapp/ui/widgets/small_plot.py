"""The base of small plots: painted with vectors, copied and saved by a right click, one item under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from guiapp.ui.widgets import export
from guiapp.ui.widgets.painting import tabular

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme


class SmallPlot(QWidget):
    """Subclasses paint, say which item lies at a point, and give their numbers.

    Attributes:
        hovered: Emitted with the index of the item under the pointer, or None.
        clicked: Emitted with the index of a clicked item.
        hover: The item under the pointer, or None.
    """

    hovered = Signal(object)
    clicked = Signal(int)

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.title = title
        self.hover: int | None = None
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setFont(tabular(self.font()))
        self.setAutoFillBackground(True)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    # ------------------------------------------------------------------ for subclasses

    def paint_to(self, painter: QPainter) -> None:
        """Paint everything."""
        raise NotImplementedError

    def item_at(self, where: QPointF) -> int | None:
        """Index of the item at a point, or None."""
        return None

    def csv_text(self) -> str:
        """The numbers."""
        raise NotImplementedError

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return True

    # ------------------------------------------------------------------ events

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_to(painter)
        painter.end()

    def _point_at(self, item: int | None) -> None:
        if item != self.hover:
            self.hover = item
            self.hovered.emit(item)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.item_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        item = self.item_at(event.position())
        if item is not None:
            self.clicked.emit(item)

    def leaveEvent(self, event: object) -> None:
        self._point_at(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        name = self.title.lower()
        menu.addAction("Copy plot", lambda: export.copy_widget(self))
        menu.addAction("Save as PNG or SVG …", lambda: export.ask_save_plot(self, name))
        menu.addAction("Save values as CSV …", lambda: export.ask_save_text(self, f"{name}.csv", self.csv_text()))
        for action in menu.actions():
            action.setEnabled(self.filled)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
