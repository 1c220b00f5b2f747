"""Recording in the Live room: the button, what it records, how far it is, and what is told at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from guiapp.core.notices import UserError
from guiapp.ui.commands import Command
from guiapp.ui.icons import icon
from guiapp.ui.live_recording import LiveRecording, Recorded, Shown, VideoCopy
from guiapp.ui.painters.frames import FramePainter
from guiapp.ui.painters.pairs import Pair
from guiapp.ui.panels.live_picture import NoteLayer, note_of
from guiapp.ui.panels.live_transport import clock
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.job import Job
    from guiapp.engine.live import LiveLane, LiveResult
    from guiapp.ui.context import Context
    from guiapp.ui.panels.live_feed import LiveFeed
    from guiapp.ui.panels.live_shown import LiveShown

_TOPIC = "live recording"
_TICK_MS = 250
_FPS = 25.0
_CLOSING = 10.0  # seconds that closing the window waits for a file


class LiveRecord(QWidget):
    """Records what is shown, or a whole video file frame by frame; one of them at a time.

    Attributes:
        state: How far the recording is, ``live.record-state``.
        recording: What is being recorded, or None.
        ended: Emitted with a ``Recorded`` when a recording is over.
        pair_of: Gives both answers of a result where two networks are compared, else None.
    """

    ended = Signal(object)
    _over = Signal(object)

    def __init__(
        self, context: Context, lane: LiveLane, feed: LiveFeed, shown: LiveShown, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context, self._lane, self._feed, self._shown = context, lane, feed, shown
        self.recording: LiveRecording | VideoCopy | None = None
        self.pair_of: Callable[[LiveResult], Pair | None] = lambda _result: None
        self._job: Job[Recorded] | None = None
        self._newest: LiveResult | None = None
        self._stopped = False  # whether the person ended it
        self.record = declare(context.commands, Command(
            "live.record", "Record…", self.toggle,
            "Record what is shown, with what is painted over it, to an MP4 file; once more stops", "", "record",
            menu="Source",
        ))  # fmt: skip
        self.whole = declare(context.commands, Command(
            "live.record-whole", "Record whole video…", self.ask_whole,
            "Every frame of the video through the network, or both that are compared, to an MP4 file", "", "film",
            menu="Source",
        ))  # fmt: skip
        self.stop_action = declare(context.commands, Command(
            "live.stop-recording", "Stop recording", self.stop, "End the recording; the file holds what was recorded",
            "", "stop",
        ))  # fmt: skip
        self.state = QuietLabel("live.record-state", self, context.theme.error)
        self.state.set_room("● frame 00,000 of 00,000 · 000.0 MB · 0:00:00 left")
        self.state.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.state)
        row.addWidget(icon_button(self, self.stop_action, "live.stop-recording"))
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._show_progress)
        self._over.connect(self._finish, Qt.ConnectionType.QueuedConnection)
        feed.arrived.connect(self._take_picture)
        feed.changed.connect(self.follow)
        context.bridge.live_result.connect(self._take_result)
        context.bridge.live_state.connect(lambda _state: self.follow())
        self.follow()

    @property
    def active(self) -> bool:
        """Whether something is being recorded."""
        return self.recording is not None

    @property
    def _video(self) -> Path | None:
        """The video file that is open; a folder of pictures is none."""
        source = self._feed.source
        return source.path if source is not None and source.kind == "video" and source.path.is_file() else None

    def set_narrow(self, narrow: bool) -> None:
        """Leave out how large the file is and how long it takes."""
        self.state.set_room(
            "● frame 00,000 of 00,000" if narrow else "● frame 00,000 of 00,000 · 000.0 MB · 0:00:00 left"
        )

    def follow(self) -> None:
        """Show what can be done now; a source that was let go of ends its recording."""
        if isinstance(self.recording, LiveRecording) and not self._feed.kind:
            self.stop()
        active, kind = self.active, self._feed.kind
        if not kind:
            self._newest = None
        self.setVisible(active)
        self.stop_action.setEnabled(active)
        self.record.setEnabled(bool(kind) or active)
        ready = self._lane.newest.phase == "ready"
        self.whole.setEnabled(not active and ready and self._video is not None)
        title = "Stop recording" if active else "Record…"
        if self.record.text() != title:
            self.record.setText(title)
            self.record.setIcon(icon("stop" if active else "record"))

    # ------------------------------------------------------------------ what is shown

    def toggle(self) -> None:
        """Begin to record what is shown, or stop."""
        if self.active:
            self.stop()
        elif (path := self._ask("Record what is shown")) is not None:
            self.start(path)

    def start(self, path: Path) -> None:
        """Record what is shown from now on."""
        if self.active or not self._ready(path):
            return
        source = self._feed.source
        rate = source.fps if source is not None and source.kind == "video" else getattr(source, "rate", 0.0)
        fps = min(60.0, max(10.0, float(round(rate)))) if rate else _FPS
        self._begin(LiveRecording(path, fps, self._context.theme, self._over.emit))
        if self._lane.newest.phase == "ready" and self._newest is not None:
            self._take_result(self._newest)  # what is shown already
        self._take_picture()

    def _take_picture(self) -> None:
        """Without a network the pictures themselves are shown."""
        picture = self._feed.latest() if isinstance(self.recording, LiveRecording) else None
        if picture is not None and self._lane.newest.phase != "ready":
            self._offer(picture, None)

    def _take_result(self, result: LiveResult) -> None:
        self._newest = result
        if self._feed.owns(result) and result.model is self._lane.newest.model:
            pair = self.pair_of(result)
            self._offer(result.picture, result.drawn if pair is None else pair)

    def _offer(self, picture: Any, drawn: Any) -> None:
        if isinstance(self.recording, LiveRecording):
            over = () if isinstance(drawn, Pair) else self._over_layers()  # tags say it of each side
            self.recording.offer(Shown(picture, drawn, self._shown.look, over, time.monotonic()))

    def _over_layers(self) -> tuple[NoteLayer, ...]:
        note = note_of(self._lane.newest)
        return (NoteLayer(note, self._context.theme),) if note else ()

    # ------------------------------------------------------------------ a whole video

    def ask_whole(self) -> None:
        """Ask for a file and record the whole video."""
        path = self._ask("Record whole video")
        if path is not None:
            self.start_whole(path)

    def start_whole(self, path: Path) -> None:
        """Record every frame of the video that is open with the network that is open; playing pauses meanwhile.

        Where two networks are compared both are recorded, as they are shown.
        """
        source, video = self._feed.source, self._video
        if self.active or source is None or video is None or not self._ready(path):
            return
        source.pause()
        painter = FramePainter(self._context.theme, self._shown.look)
        pair = self.pair_of(self._newest) if self._newest is not None else None
        second = (self._lane.another(1), pair) if pair is not None else None
        over = () if pair is not None else self._over_layers()  # tags say it of each side
        copy = VideoCopy(video, path, self._lane.another(), self._shown.options, painter, over, second)
        self._begin(copy)
        engine = self._context.bridge.engine
        self._job = engine.submit(copy.work, on_error=lambda _error: None, title="Recording the whole video")
        self._job.on_end(lambda job: self._over.emit(_end_of(copy, job)))

    # ------------------------------------------------------------------ both

    def stop(self) -> None:
        """End the recording; the file holds what was recorded."""
        if isinstance(self.recording, LiveRecording):
            self.recording.stop()
        elif self._job is not None:
            self._job.stop()
        self._stopped = True
        self.stop_action.setEnabled(False)

    def shut(self) -> None:
        """End the recording and wait until its file is whole, with a limit."""
        self.stop()
        self._timer.stop()
        if isinstance(self.recording, LiveRecording):
            self.recording.wait(_CLOSING)
        elif self._job is not None:
            self._job.wait(_CLOSING)
        self.recording = self._job = None

    def _begin(self, recording: LiveRecording | VideoCopy) -> None:
        self._context.notices.settle(_TOPIC)
        self.recording, self._stopped = recording, False
        self._timer.start()
        self._show_progress()
        self.follow()

    def _show_progress(self) -> None:
        made = self.recording
        if isinstance(made, LiveRecording):
            text = f"● {clock(made.seconds)} · {made.frames:,} frames"
            self.state.set_text(f"{text} · {made.bytes / 1e6:.1f} MB", (text, f"● {clock(made.seconds)}"))
        elif isinstance(made, VideoCopy):
            text = f"● frame {made.frames:,} of {made.count:,}" if made.count else "● opening the network"
            left = f" · {_whole_seconds(made.left)} left" if made.left is not None else ""
            self.state.set_text(f"{text} · {made.bytes / 1e6:.1f} MB{left}", (text,))

    def _finish(self, end: Recorded) -> None:
        """The recording is over: say what there is."""
        if self.recording is None:
            return
        name = self.recording.path.name
        missed = getattr(self.recording, "missed", 0)
        self.recording = self._job = None
        self._timer.stop()
        post = self._context.notices.post
        if end.path is None:
            post("error" if end.reason else "info", end.reason or f"{name}: nothing was recorded.", topic=_TOPIC)
        else:
            what = f"{name} is saved: {end.frames:,} frames, {end.seconds:.1f} s, {end.bytes / 1e6:.1f} MB"
            left_out = f"; {missed:,} pictures came too fast to be written" if missed else ""
            text = f"{end.reason}; {what}" if end.reason else f"{what}{left_out}"
            post("warning" if end.reason and not self._stopped else "info", text, str(end.path), topic=_TOPIC)
        self.follow()
        self.ended.emit(end)

    def _ready(self, path: Path) -> bool:
        """Whether that file can be written at all; if not, it is told."""
        from guiapp.engine.annotate import check_target

        try:
            check_target(path, self._video or Path(""))
        except UserError as error:
            self._context.notices.post("error", str(error), topic=_TOPIC)
            return False
        return True

    def _ask(self, title: str) -> Path | None:
        source, model = self._feed.source, self._lane.newest.model
        named = Path(source.name).stem if source is not None and source.kind == "video" else "live"
        name = f"{named}-{model.name}.mp4" if model is not None else f"{named}.mp4"
        start = Path(str(self._context.settings.value("recording-folder", str(Path.home())))) / name
        chosen, _ = QFileDialog.getSaveFileName(self, title, str(start), "MP4 video (*.mp4)")
        if not chosen:
            return None
        path = Path(chosen)
        self._context.settings.setValue("recording-folder", str(path.parent))
        return path if path.suffix else path.with_suffix(".mp4")


def _end_of(copy: VideoCopy, job: Job[Recorded]) -> Recorded:
    """How the job of a copy ended."""
    if job.state == "done" and job.result is not None:
        return job.result
    if job.error is None:
        return copy.ended(
            "" if copy.frames >= copy.count else f"stopped after {copy.frames:,} of {copy.count:,} frames"
        )
    told = job.error if isinstance(job.error, UserError) else f"the recording stopped: {job.error}"
    return copy.ended(str(told))


def _whole_seconds(seconds: float) -> str:
    """``"0:07"``, ``"1:02:00"``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
