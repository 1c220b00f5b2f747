"""Tips that say what is under the pointer, for widgets that paint their items themselves."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip, QWidget


class HasTips(Protocol):
    """A widget with items."""

    def tip_at(self, at: QPoint) -> str | None:
        """What is said at a point of the watched area; ``""`` for nothing, None to leave what is shown."""


class Tips(QObject):
    """Asks its owner for ``tip_at(point)`` when a tip is wanted.

    It watches from outside because a widget must not override ``event`` or ``viewportEvent`` for this. Painting would
    run inside of that Python call, and there PySide on Python before 3.12 takes the process down, instead of reporting
    the error, when Python's own code raises one, such as an index out of range.

    Args:
        owner: The widget with ``tip_at``.
        area: What is watched where it is not the owner itself, such as its viewport.
    """

    def __init__(self, owner: QWidget, area: QWidget | None = None) -> None:
        super().__init__(owner)
        (area or owner).installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return False
        owner = self.parent()
        text = owner.tip_at(event.pos())
        if text:
            QToolTip.showText(event.globalPos(), text, owner)
        elif text is not None:
            QToolTip.hideText()
        return True
