"""The row under a live picture: play, step, seek, speed and loop of a video; freeze and mirror of a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from guiapp.ui.commands import Command
from guiapp.ui.icons import icon
from guiapp.ui.panels.live_camera import LiveCamera
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from collections.abc import Callable

    from guiapp.ui.context import Context
    from guiapp.ui.panels.live_feed import LiveFeed

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)


def clock(seconds: float) -> str:
    """A time in a video: ``"1:02.4"``, ``"1:00:02.4"``."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes}:{rest / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{rest / 10:04.1f}" if hours else text


class LiveTransport(QWidget):
    """Acts on the source of a ``LiveFeed`` and shows where it is.

    Attributes:
        camera: Resolution and rate of a camera.
        seek: Slider over the frames, ``live.seek``.
        speed: Box, ``live.speed``.
        time: Time of the frame and length, ``live.time``.
    """

    def __init__(self, context: Context, feed: LiveFeed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._feed = feed
        self._commands = context.commands
        add = self._command
        self.play = add("play", "Play", self._toggle, "Play or pause (Space)", "play")
        self.back = add("frame-back", "One frame back", lambda: self._step(-1), "Pause and go one frame back (,)",
                        "frame-back")  # fmt: skip
        self.on = add("frame-on", "One frame on", lambda: self._step(1), "Pause and go one frame on (.)", "frame-on")
        self.loop = add("loop", "Loop", self._loop, "Begin again at the end of the video", "loop", True)
        self.freeze = add("freeze", "Freeze", self._freeze, "Hold the picture while the camera goes on (Space)",
                          "freeze", True)  # fmt: skip
        self.mirror = add("mirror", "Mirror", self._mirror, "Exchange left and right, as in a mirror", "mirror", True)
        self.seek = JumpSlider(context.theme, "live.seek", "Frame of the video", self)
        self.seek.setToolTip("Go to a frame; arrow keys go one on or back")
        self.seek.valueChanged.connect(self._sought)
        self.time = QuietLabel("live.time", self)
        self.time.set_room("0:00.0 / 0:00.0")
        self.time.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.speed = QComboBox(self)
        self.speed.setObjectName("live.speed")
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("Speed of the video; where the network is slower, frames are passed over")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g}×", speed)
        self.speed.setCurrentIndex(SPEEDS.index(1.0))
        self.speed.activated.connect(self._set_speed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        buttons = {a: icon_button(self, a, f"live.{n}") for n, a in (
            ("frame-back", self.back), ("play", self.play), ("frame-on", self.on), ("loop", self.loop),
            ("freeze", self.freeze), ("mirror", self.mirror),
        )}  # fmt: skip
        for action in (self.back, self.play, self.on):
            row.addWidget(buttons[action])
        row.addWidget(self.seek, 1)
        row.addWidget(self.time)
        row.addWidget(self.speed)
        for action in (self.loop, self.freeze, self.mirror):
            row.addWidget(buttons[action])
        self.camera = LiveCamera(context, feed, self)
        self._rest = QWidget(self)
        row.addWidget(self.camera)
        row.addWidget(self._rest, 1)
        self._video = (self.seek, self.time, self.speed, *(buttons[a] for a in (self.back, self.play, self.on,
                                                                                self.loop)))  # fmt: skip
        self._camera = (buttons[self.freeze], buttons[self.mirror], self._rest)
        self._length = ""
        self._narrow = False
        self.follow()

    def set_narrow(self, narrow: bool) -> None:
        """Leave the box of speeds out."""
        if narrow != self._narrow:
            self._narrow = narrow
            self.follow()

    def _command(
        self, verb: str, title: str, call: Callable[..., None], tip: str, symbol: str, checkable: bool = False
    ) -> QAction:
        return declare(self._commands, Command(f"live.{verb}", title, call, tip, "", symbol, checkable, "Source"))

    def follow(self) -> None:
        """Show the controls of the source and where it stands."""
        source, kind = self._feed.source, self._feed.kind
        video, moving = kind == "video", kind in ("camera", "stream", "screen")
        for widget in self._video:
            widget.setVisible(video and not (self._narrow and widget is self.speed))
        for widget in self._camera:
            widget.setVisible(moving)
        for action in (self.play, self.back, self.on, self.loop):
            action.setEnabled(video)
        for action in (self.freeze, self.mirror):
            action.setEnabled(moving)
        self.camera.follow()
        if source is None:
            return
        if video:
            playing = source.state in ("playing", "opening")
            if self.play.text() != ("Pause" if playing else "Play"):
                self.play.setText("Pause" if playing else "Play")
                self.play.setIcon(icon("pause" if playing else "play"))
            self._check(self.loop, source.loop)
            if source.speed in SPEEDS:
                self.speed.setCurrentIndex(SPEEDS.index(source.speed))
            self.show_place()
        else:
            self._check(self.freeze, source.frozen)
            self._check(self.mirror, source.mirror)

    def show_place(self) -> None:
        """Put the knob at the frame that is shown; not while a hand holds it."""
        source = self._feed.source
        if source is None or source.kind != "video" or self.seek.isSliderDown():
            return
        self.seek.blockSignals(True)
        self.seek.setRange(0, max(0, source.count - 1))
        self.seek.setPageStep(max(1, source.count // 20))
        self.seek.setValue(max(0, source.index))
        self.seek.blockSignals(False)
        self.seek.update()
        length = clock(source.duration)
        if len(length) != len(self._length):
            self.time.set_room(f"{'0' * len(length)} / {'0' * len(length)}")
        self._length = length
        self.time.set_text(f"{clock(source.seconds)} / {length}")

    @staticmethod
    def _check(action: QAction, on: bool) -> None:
        action.blockSignals(True)
        action.setChecked(on)
        action.blockSignals(False)
        action.changed.emit()

    # ------------------------------------------------------------------ hand

    def _toggle(self) -> None:
        source = self._feed.source
        if source is not None and source.kind == "video":
            if source.state in ("playing", "opening"):
                source.pause()
            else:
                source.play()

    def _step(self, frames: int) -> None:
        source = self._feed.source
        if source is not None and source.kind == "video":
            source.step(frames)

    def _sought(self, frame: int) -> None:
        source = self._feed.source
        if source is not None and source.kind == "video":
            source.seek(frame)

    def _set_speed(self, index: int) -> None:
        source = self._feed.source
        if source is not None and source.kind == "video":
            source.speed = SPEEDS[index]

    def _loop(self, on: bool) -> None:
        source = self._feed.source
        if source is not None and source.kind == "video":
            source.loop = on

    def _freeze(self, on: bool) -> None:
        if self._feed.source is not None:
            self._feed.source.frozen = on

    def _mirror(self, on: bool) -> None:
        if self._feed.source is not None:
            self._feed.source.mirror = on
