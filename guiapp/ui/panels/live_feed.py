"""The one source of the Live panel: opened, followed by the live lane, at rest while nobody looks, closed aside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from guiapp.core.notices import UserError
from guiapp.core.picture import Picture
from guiapp.engine.samples import open_live_source
from guiapp.engine.slot import Slot

if TYPE_CHECKING:
    from guiapp.engine.live import LiveLane, LiveResult
    from guiapp.sources.live import LiveSource

_CLOSING = 2.0  # seconds that closing the window waits for sources


class _Tap:
    """What the lane is given: the source, whose frames are told to the window as well."""

    def __init__(self, source: LiveSource, told: Callable[[], None]) -> None:
        self.on_frame: Callable[[], None] | None = None
        self._source, self._told = source, told
        source.on_frame = self._arrived

    def _arrived(self) -> None:
        call = self.on_frame
        if call is not None:
            call()
        self._told()

    @property
    def dropped(self) -> int:
        return self._source.dropped

    def latest(self) -> Picture | None:
        try:
            return self._source.latest()
        except UserError:  # it has failed, and says so by its state
            return None

    def close(self) -> None:
        self._source.close()


class LiveFeed(QObject):
    """Holds one source, or one picture that stands still, and gives it to the live lane while it is awake.

    A sleeping video is paused; a sleeping camera or stream is closed and opened again later, so that a hidden panel
    neither decodes nor keeps a camera's light on.

    Attributes:
        source: The open source, or None.
        still: The picture that stands still, or None.
        text: What was asked for: a path, an address, ``camera:0``.
        arrived: Emitted when there is a new picture; several make one.
        changed: Emitted when the source, its state or its trouble are others.
    """

    arrived = Signal()
    changed = Signal()
    _frame = Signal()
    _state = Signal()

    def __init__(self, lane: LiveLane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.source: LiveSource | None = None
        self.still: Picture | None = None
        self.text = ""
        self._lane = lane
        self._awake = False
        self._play_on = False
        self._kept: tuple[bool, tuple[int, int] | None, float | None] = (False, None, None)
        self._since = 0.0
        self._fresh: Slot[bool] = Slot(self._frame.emit)
        self._closing: list[threading.Thread] = []
        queued = Qt.ConnectionType.QueuedConnection
        self._frame.connect(self._take_frame, queued)
        self._state.connect(self.changed, queued)

    @property
    def kind(self) -> str:
        """``"video"``, ``"camera"``, ``"stream"``, ``"picture"`` or ``""`` for nothing."""
        if self.source is not None:
            return self.source.kind
        return "picture" if self.still is not None else ""

    @property
    def moves(self) -> bool:
        """Whether pictures come by themselves now, or will where a source is not there for the moment."""
        return self.source is not None and self.source.state in ("opening", "playing", "waiting")

    def open(self, text: str) -> None:
        """Open a video file, an address, a camera or the sample that moves; what was open before is closed.

        Raises:
            UserError: If it is none of these, or the file is not there.
        """
        self.adopt(open_live_source(text), text)

    def adopt(self, source: LiveSource, text: str) -> None:
        """Follow a source that is there already and is closed here; what was open before is closed."""
        self._release()
        self.text = text
        self._take(source)
        self.changed.emit()

    def show(self, picture: Picture) -> None:
        """Show one picture."""
        self._release()
        self.text, self.still = picture.origin.name, picture
        if self._awake:
            self._lane.set_picture(picture)
        self.changed.emit()
        self.arrived.emit()

    def close(self) -> None:
        """Let go of the source."""
        self._release()
        self.changed.emit()

    def latest(self) -> Picture | None:
        """The newest picture."""
        if self.source is None:
            return self.still
        try:
            return self.source.latest()
        except UserError:
            return None

    def peek(self) -> Picture | None:
        """The newest picture, left for the network to take."""
        return self.still if self.source is None else self.source.peek()

    def owns(self, result: LiveResult) -> bool:
        """Whether an answer is about a picture of this source."""
        if self.source is None:
            return result.picture is self.still
        return result.picture.time >= self._since

    def wake(self) -> None:
        """Go on, after ``sleep``."""
        if self._awake:
            return
        self._awake = True
        if self.source is not None:
            self._follow(self.source)
        elif self.still is not None:
            self._lane.set_picture(self.still)
        elif self.text:
            try:
                self._take(self._as_before(open_live_source(self.text)))
            except UserError:  # it could be opened before, so only its file can be gone
                self.text = ""
            self.changed.emit()

    def sleep(self) -> None:
        """Do no work until ``wake``."""
        if not self._awake:
            return
        self._awake = False
        self._lane.set_source(None)
        if self.source is None:
            return
        if self.source.kind == "video":
            self._play_on = self.source.state in ("opening", "playing")
            self.source.pause()
        else:
            source = self.source
            camera = source.kind == "camera"
            self._kept = source.mirror, source.resolution if camera else None, source.asked_fps if camera else None
            self._close_aside(source)
            self.source = None

    def _as_before(self, source: LiveSource) -> LiveSource:
        """A source that is opened again, set as it was."""
        mirror, resolution, fps = self._kept
        source.mirror = mirror
        if source.kind == "camera" and (resolution is not None or fps is not None):
            source.set_mode(resolution, fps)
        return source

    def shut(self) -> None:
        """Close everything and wait for it, with a limit."""
        self._awake = False
        self._release()
        for thread in self._closing:
            thread.join(_CLOSING)

    # ------------------------------------------------------------------ inside

    def _take(self, source: LiveSource) -> None:
        source.on_state = self._state.emit
        self.source, self._since = source, time.monotonic()
        self._play_on = True
        if self._awake:
            self._follow(source)

    def _follow(self, source: LiveSource) -> None:
        self._lane.set_source(_Tap(source, lambda: self._fresh.put(True)))
        source.start()
        if source.kind == "video" and self._play_on:
            source.play()

    def _release(self) -> None:
        self._lane.set_source(None)
        if self.source is not None:
            self._close_aside(self.source)
        self.source, self.still, self.text = None, None, ""

    def _close_aside(self, source: LiveSource) -> None:
        """Closing may take a second where a device or a server does not answer: the window does not wait for it."""
        source.on_state = source.on_frame = None
        thread = threading.Thread(target=source.close, name="live source closes", daemon=True)
        thread.start()
        self._closing = [*(t for t in self._closing if t.is_alive()), thread]

    def _take_frame(self) -> None:
        self._fresh.take()
        if self._awake:
            self.arrived.emit()
