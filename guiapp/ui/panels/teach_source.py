"""Where the Teach panel takes samples from: what the Live room shows, with a network or without, else the viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from guiapp.ui.context import Context

if TYPE_CHECKING:
    from guiapp.core.picture import Picture

COLLECT_MS = 66
"""Pause between two samples while a button is held: at most fifteen a second."""
NONE = "There is no picture: draw one, open one, or play a camera or a video in Live."


class TeachSource(QObject):
    """Gives pictures to collect while a button is held, and to recognise whenever there is a new one.

    Args:
        context: Its ``bridge.live_scene`` and ``workspace.picture`` are followed.
        ready: Whether another version of a picture that stands still is wanted now.
        parent: Its parent.

    Attributes:
        given: Emitted while held with pixels to collect, uint8 (H, W, 3): each picture that is new at its turn, and
            of one that stands still versions that are moved, turned and scaled a little.
        shown: Emitted when another picture is there.
        moved: Emitted when pictures come from elsewhere; ``words`` are others then.
    """

    given = Signal(object)
    shown = Signal()
    moved = Signal()

    def __init__(self, context: Context, ready: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._ready = context, ready
        self._scene = context.bridge.live_scene
        self._was_live = self._from_live = self.is_live
        self._last: Picture | None = None
        self._random = np.random.default_rng(0)
        self._timer = QTimer(self)
        self._timer.setInterval(COLLECT_MS)
        self._timer.timeout.connect(self._give)
        self._scene.changed.connect(self._follow_live)
        stop = context.workspace.subscribe("picture", lambda _picture: None if self.is_live else self.shown.emit())
        parent.destroyed.connect(lambda _=None: stop())

    @property
    def is_live(self) -> bool:
        """Whether the live room shows a picture: then samples come from there."""
        return self._scene.picture is not None

    @property
    def picture(self) -> Picture | None:
        """What would be collected now."""
        return self._scene.picture if self.is_live else self._context.workspace.picture

    @property
    def words(self) -> tuple[str, tuple[str, ...]]:
        """Where samples come from, with shorter wordings."""
        if self.is_live:
            return "Samples come from the live picture", ("from the live picture",)
        where = "from the viewer's picture"
        return f"Samples come {where}; to use a camera or a video, play it in Live", (f"{where}, or from Live", where)

    def hold(self) -> bool:
        """Give pictures from now on; False where there is none."""
        if self.picture is None:
            return False
        self._last, self._from_live = None, self.is_live
        self._give()
        self._timer.start()
        return True

    def release(self) -> None:
        """Give no more."""
        self._timer.stop()
        self._last = None

    def _give(self) -> None:
        picture = self.picture
        if picture is None or self.is_live != self._from_live:  # a camera that goes away does not become the viewer
            return
        if picture is not self._last:
            self._last = picture
            self.given.emit(picture.pixels)
        elif not (self.is_live and self._scene.moves) and self._ready():
            from guiapp.engine.teach_samples import varied

            self.given.emit(varied(picture.pixels, self._random))

    def _follow_live(self) -> None:
        if self.is_live != self._was_live:
            self._was_live = self.is_live
            self.moved.emit()
        self.shown.emit()
