"""Drop anywhere on the window: a picture, several, a video, a folder, a run, weights."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from guiapp.ui.open_files import OpenFiles


class DropTarget(QObject):
    """Accepts drops for a window and hands them to ``OpenFiles``."""

    def __init__(self, window: QWidget, files: OpenFiles) -> None:
        super().__init__(window)
        self._files = files
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.Drop:
            if self._files.take(event.mimeData()):
                event.acceptProposedAction()
            return True
        if kind in (QEvent.Type.DragEnter, QEvent.Type.DragMove):
            data = event.mimeData()
            if data.hasUrls() or data.hasImage():
                event.acceptProposedAction()
            return True
        return False
