"""What the Live room shows at this moment, for panels beside it that look at the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from guiapp.core.picture import Picture


class LiveScene(QObject):
    """The newest picture of the source that plays there, whether a network is open or not.

    Attributes:
        picture: It; None while the room is out of sight or has no picture yet.
        moves: Whether another one is to come by itself: a camera, a stream, or a video that plays.
        changed: Emitted when either is another.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.picture: Picture | None = None
        self.moves = False

    def show(self, picture: Picture | None, moves: bool = False) -> None:
        """Say what is shown now."""
        moves = moves and picture is not None
        if picture is not self.picture or moves != self.moves:
            self.picture, self.moves = picture, moves
            self.changed.emit()
