"""The Live room: a camera, video, stream or picture through a published network, with what it says painted over it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from guiapp.core.decode import SUFFIXES
from guiapp.core.notices import UserError
from guiapp.core.picture import Picture
from guiapp.engine.samples import STREET, WALK, is_sample
from guiapp.tasks.predictions import Detections
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.live_compare import LiveCompare
from guiapp.ui.panels.live_compare_view import ComparedPicture
from guiapp.ui.panels.live_feed import LiveFeed
from guiapp.ui.panels.live_inside import LiveInside
from guiapp.ui.panels.live_lists import FAMILY, list_zoo
from guiapp.ui.panels.live_meter import LiveMeter
from guiapp.ui.panels.live_models import LiveModels
from guiapp.ui.panels.live_picture import note_of
from guiapp.ui.panels.live_record import LiveRecord
from guiapp.ui.panels.live_run import LiveRunBox
from guiapp.ui.panels.live_shown import LiveShown
from guiapp.ui.panels.live_snapshot import LiveSnapshot
from guiapp.ui.panels.live_sources import LiveSources
from guiapp.ui.panels.live_transport import LiveTransport
from guiapp.ui.panels.live_words import read, source_words
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.live import LiveResult, LiveState
    from guiapp.engine.state import EngineState, LookResult, Request

_EMPTY = "Nothing is open: play a video, choose a camera above, or drop a video on the window."
_SAMPLES = ("live.empty-sample", "live.empty-walk", "live.empty-flower", "live.empty-temple")
_FINDS = {STREET: "haar-face", WALK: "hog-person"}
"""What finds something in a sample with nothing downloaded: opened with it where no network is."""
_PATIENCE_MS = 60
"""A picture that stands still waits so long for its answer before it is shown alone: else boxes would flicker."""
_PLACE_MS = 100
"""While a video plays its place is told ten times a second: each time costs as much as painting a picture."""
_TRAINING_PAUSE = 0.1
_ROOM_FOR_FIGURES = 360
"""Pixels of the side in which names of networks leave room for all the figures beside them."""
_NARROW = 900
"""Pixels below which the less important figures and words are left out, so that none is cut off."""
_SLEEP_MS = 150
"""Docks that are arranged anew hide and show their panels: a camera must not be closed for that."""


class LivePanel(Panel):
    """Picture at the left, network at the right; hidden it reads no source and runs no network.

    Attributes:
        feed: The source.
        image: The picture, ``live.picture``.
        models: The networks.
        shown: Thresholds and classes.
        run_box: Precision, order in memory, threads.
        transport: Play, seek, freeze.
        meter: Times of the parts.
        line: The source, or what is wrong with it, ``live.line``.
    """

    id = "live"
    title = "Live"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        bridge = context.bridge
        self._lane = bridge.engine.live
        self._listed = False
        self._reading = 0
        self.feed = LiveFeed(self._lane, self)
        self.sources = LiveSources(context, self)
        self.image = ComparedPicture(context.theme, self)
        self.compare = LiveCompare(context, self._lane, self.image, self)
        self.transport = LiveTransport(context, self.feed, self)
        self.models = LiveModels(context, self)
        self.shown = LiveShown(context, self)
        self.record = LiveRecord(context, self._lane, self.feed, self.shown, self)
        self.record.pair_of = self.image.pair_of
        self.meter = LiveMeter(context.theme, self)
        self.line = QuietLabel("live.line", self, context.theme.faint)
        self.count = QuietLabel("live.count", self)
        self.retry = QPushButton("Try now", self)
        self.retry.setObjectName("live.retry")
        self.retry.setToolTip("Connect at once instead of waiting for the next try")
        self.snapshot = LiveSnapshot(context, self.image, self)
        self.stop = declare(context.commands, Command(
            "live.close", "Close live source", self.close_source, "Let go of the camera, video or stream", "", "close",
            menu="Source",
        ))  # fmt: skip
        self.inside = LiveInside(self)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_PATIENCE_MS)
        self._late.timeout.connect(self._show_late)
        self._placing = QTimer(self)
        self._placing.setSingleShot(True)
        self._placing.setInterval(_PLACE_MS)
        self._placing.timeout.connect(self._place)
        self._sleep = QTimer(self)
        self._sleep.setSingleShot(True)
        self._sleep.setInterval(_SLEEP_MS)
        self._sleep.timeout.connect(self.feed.sleep)
        self._build()
        self.sources.chosen.connect(self.open_source)
        self.feed.arrived.connect(self._take_picture)
        self.feed.changed.connect(self._follow_source)
        self.record.ended.connect(lambda _end: None if self.isVisible() else self._sleep.start())
        self.retry.clicked.connect(self._try_again)
        self.models.wanted.connect(self._open_model)
        self.models.stopped.connect(self._lane.close_model)
        self.shown.changed.connect(self._reshow)
        bridge.live_state.connect(self._show_live_state)
        bridge.live_state.connect(self.inside.show_live_state)
        bridge.state_changed.connect(self._leave_room)
        bridge.live_result.connect(self._show_result)
        context.theme.changed.connect(self._restyle)
        self._follow_source()

    def _build(self) -> None:
        self.empty = EmptyState(
            _EMPTY,
            (
                (self.sources.video, "live.empty-video"),
                (self.sources.picture, "live.empty-picture"),
                *zip(self.sources.samples, _SAMPLES, strict=True),
            ),
            self,
        )
        self.opening = EmptyState("", ((self.stop, "live.stop-opening"),), self)
        self._pages = QStackedWidget(self)
        for page in (self.empty, self.opening, self.compare.views):
            self._pages.addWidget(page)
        under = QHBoxLayout()
        under.setSpacing(8)
        under.addStrut(26)  # buttons come and go
        under.addWidget(self.line, 1)
        under.addWidget(self.retry)
        under.addWidget(self.record)
        self.count.set_room("0000 objects")
        self.count.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        under.addWidget(self.count)
        controls = QHBoxLayout()
        controls.setSpacing(4)
        controls.addWidget(self.transport, 1)
        controls.addWidget(icon_button(self, self.snapshot.action, "live.snapshot"))
        controls.addWidget(icon_button(self, self.record.record, "live.record"))
        controls.addWidget(icon_button(self, self.record.whole, "live.record-whole"))
        controls.addWidget(icon_button(self, self.stop, "live.close-source"))
        self.retry.setFixedHeight(24)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(self.sources)
        left.addWidget(self._pages, 1)
        left.addWidget(self.compare.strip)
        left.addLayout(under)
        left.addLayout(controls)
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.models, 1)
        self.run_box = LiveRunBox(lambda _run: self._set_run(), self)
        self.compare.model.precision_chosen.connect(self._set_run)
        for part in (self.compare, self.shown, self.run_box):
            column.addWidget(part)
        self._side = self._scrolled(inside)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addLayout(left, 1)
        row.addWidget(self._side)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 4, 8, 6)
        whole.setSpacing(4)
        whole.addLayout(row, 1)
        whole.addWidget(self.meter)

    def _scrolled(self, inside: QWidget) -> QScrollArea:
        """What stands beside the picture, scrolled where it is too high."""
        side = QScrollArea(self)
        side.setWidgetResizable(True)
        side.setFrameShape(QFrame.Shape.NoFrame)
        side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side.setWidget(inside)
        inside.installEventFilter(self)
        return side

    def _set_run(self) -> None:
        """Tell the lane how both networks are to be run."""
        run, numbers = self.run_box.run, self.compare.model.precision.currentData()
        self._lane.set_run(run, replace(run, precision=numbers) if numbers is not None else None)

    def minimumSizeHint(self) -> QSize:
        return QSize(640, 300)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        for part in (self.sources, self.transport, self.record, self.compare, self.meter):
            part.set_narrow(narrow)
        self._fit_side()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What stands beside the picture may become wider without the panel: another network has other options."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit_side()
        return super().eventFilter(watched, event)

    def _fit_side(self) -> None:
        """Give what stands beside the picture the width at which nothing of it is cut off."""
        least = self._side.widget().minimumSizeHint().width() + self._side.verticalScrollBar().sizeHint().width()
        wanted = 260 if self.width() < _NARROW else max(320, min(440, round(self.width() * 0.285)))
        width = max(wanted, least)
        self.models.set_narrow(width < _ROOM_FOR_FIGURES)
        if self._side.width() != width:
            self._side.setFixedWidth(width)

    # ------------------------------------------------------------------ sight

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._sleep.stop()
        self._list_models()
        self.feed.wake()
        self._follow_source()
        self.inside.follow(True)

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)
        self._late.stop()
        self.context.bridge.live_scene.show(None)
        if not self.record.active:  # a recording goes on out of sight
            self._sleep.start()
        self.inside.follow(False)

    def shut(self) -> None:
        """Close the source and wait for its thread."""
        self._late.stop()
        self._placing.stop()
        self.record.shut()
        self.feed.shut()

    def _leave_room(self, state: EngineState) -> None:
        """Leave the machine to a network that trains."""
        self._lane.pause = _TRAINING_PAUSE if state.phase == "running" else 0.0

    @property
    def watches(self) -> bool:
        """Layers are needed for a map or a field over the picture alone."""
        return self.context.workspace.overlay is not None

    def request(self) -> Request | None:
        """The map that lies over the picture."""
        return self.inside.request()

    def show_look(self, result: LookResult) -> None:
        """Lay the map over the picture."""
        self.inside.show_look(result)

    def open_network(self, name: str) -> None:
        """Open a network by its name in the list."""
        self.inside.open_network(name)

    # ------------------------------------------------------------------ source

    def open_source(self, text: str) -> None:
        """Open a video, a picture, an address or ``camera:0``; what cannot be opened is told in one line."""
        self.context.notices.settle("live source")
        self._reading += 1
        if text in _FINDS and self._lane.newest.phase in ("empty", "failed"):
            self.open_network(_FINDS[text])
        self._open(text)

    def _open(self, text: str) -> None:
        if is_sample(text) or (Path(text).suffix.lower() in SUFFIXES and "://" not in text):
            self._read_picture(text)
            return
        try:
            self.feed.open(text)
        except UserError as error:
            self._complain(str(error))
        else:
            self.image.show_raw(None)
            self._follow_source()

    def show_sample(self, name: str) -> None:
        """Show a sample (``engine.samples``) to whatever network there is."""
        self.context.notices.settle("live source")
        self._reading += 1
        self._open(name)

    def show_picture(self, picture: Picture) -> None:
        """Look at one picture."""
        self._reading += 1
        self.feed.show(picture)

    def close_source(self) -> None:
        """Let go of the source."""
        self._reading += 1
        self.feed.close()
        self.image.show_raw(None)
        self.meter.clear()
        self.count.set_text("")
        self._follow_source()

    def _read_picture(self, text: str) -> None:
        """Read on the work lane; of several, the one asked for last is shown."""
        mine = self._reading

        def show(picture: Picture) -> None:
            if mine == self._reading:
                self.feed.show(picture)

        read(self.context.bridge, text, show, self._complain)

    def _complain(self, text: str) -> None:
        self.context.notices.post("error", text, topic="live source")

    def _try_again(self) -> None:
        retry = getattr(self.feed.source, "retry", None)
        if retry is not None:
            retry()

    def _follow_source(self) -> None:
        """Show the state of the source."""
        self._tell_scene()
        self.transport.follow()
        source, kind, theme = self.feed.source, self.feed.kind, self.context.theme
        state = source.state if source is not None else ""
        trouble = source.trouble if source is not None else ""
        has_picture = self.image.array is not None
        self.stop.setEnabled(bool(kind))
        self.snapshot.action.setEnabled(has_picture)
        self.retry.setVisible(state == "waiting")
        if has_picture:
            self._pages.setCurrentWidget(self.compare.views)
        elif state in ("opening", "waiting", "playing", "paused"):
            self.opening.set_text(trouble or f"Opening {source.name} …")
            self._pages.setCurrentWidget(self.opening)
        else:
            self.empty.set_text(trouble or _EMPTY)
            self._pages.setCurrentWidget(self.empty)
        self.line.ink = theme.faint
        text, shorter = "", ()
        if trouble and has_picture:  # without a picture it is told in its place
            text, self.line.ink = trouble, theme.error if state == "failed" else theme.warning
        elif has_picture:
            text, shorter = source_words(self.feed, self.image.image_size)
        self.line.set_text(text, shorter)
        self.line.update()

    def _tell_scene(self) -> None:
        """Panels beside may look at the picture, too."""
        self.context.bridge.live_scene.show(self.feed.peek() if self.isVisible() else None, self.feed.moves)

    # ------------------------------------------------------------------ pictures

    @property
    def _answered(self) -> bool:
        """Whether pictures come with answers: a network is open and has answered a picture of this source."""
        result = self.image.result
        return self._lane.newest.phase == "ready" and result is not None and self._fits(result)

    def _fits(self, result: LiveResult) -> bool:
        return result.model is self._lane.newest.model and self.feed.owns(result)

    def _take_picture(self) -> None:
        """A picture has come: show it, unless its answer will bring it."""
        self._tell_scene()
        if not self.isVisible():
            return
        source = self.feed.source
        if self._answered:
            if source is None or source.state != "playing":
                self._late.start()
        else:
            self._show_raw()
        if source is None or source.state != "playing":
            self._place()
        elif not self._placing.isActive():
            self._placing.start()

    def _show_late(self) -> None:
        """The answer to a picture that stands takes long."""
        source, result = self.feed.source, self.image.result
        if self.isVisible() and (source is None or source.state != "playing"):
            newest = self.feed.peek()
            if newest is not None and (result is None or result.picture is not newest):
                self._show_raw()

    def _show_raw(self) -> None:
        picture = self.feed.latest()
        if picture is None:
            return
        first = self.image.array is None
        if self.image.array is not picture.pixels:
            self.image.show_raw(picture)
            self.count.set_text("")
        if first:
            self._follow_source()

    def _place(self) -> None:
        """Where the video is."""
        if self.feed.kind == "video":
            self.transport.show_place()
            self._follow_source()

    def _show_result(self, result: LiveResult) -> None:
        if not self.isVisible() or not self._fits(result):
            return
        source = self.feed.source
        if source is not None and source.state != "playing" and result.picture is not self.feed.peek():
            return  # a frame was stepped over meanwhile: its answer is on the way
        first = self.image.array is None
        self._late.stop()
        self.image.show_result(result)
        self.compare.show_result(result)
        self.inside.take(result)
        rate = source.rate if source is not None and source.state == "playing" else 0.0
        self.meter.show_answer(result, rate, self.image.prepare_ms + self.image.paint_ms)
        drawn = result.drawn
        if isinstance(drawn, Detections) and not self.compare.on:
            self.count.set_text(f"{len(drawn)} object{'s' if len(drawn) != 1 else ''}")
        else:
            self.count.set_text("")
        if first:
            self._follow_source()

    # ------------------------------------------------------------------ network

    def _list_models(self) -> None:
        """Read the zoo on the work lane, once; later again where something was fetched."""
        if not self._listed:
            self._listed = True
            bridge = self.context.bridge
            bridge.call(bridge.engine.submit(list_zoo, title="Reading the list of networks"), self._fill_models)

    def _fill_models(self, listed: object) -> None:
        self.models.fill(listed)
        self.compare.fill(listed)
        self.inside.open_wanted()

    def _open_model(self, name: str, weights: str | Path) -> None:
        self.context.notices.settle("live")
        self._lane.set_options(self.shown.options)
        self._lane.open_model(name, weights)

    def _show_live_state(self, state: LiveState) -> None:
        self.models.show_state(state)
        self.compare.show_state(state)
        ready = state.phase == "ready"
        if state.phase in ("opening", "empty", "failed") and self.image.result is not None:
            self.image.result = self.image.layer = None
            self.image.set_layers(())
            self.count.set_text("")
            self.meter.clear()
        self.image.set_note(note_of(state))
        if ready and state.model is not None:
            self.shown.set_task(state.model.task, state.labels)
            small = state.model.best.shipped or state.model.family == FAMILY
            idle = state.device == "cpu" and not small and _gpu_is_there()
            self.meter.set_device(state.device, idle)
            if state.weights != "random" and not self.models.found.get(state.model.name):
                self._listed = False  # it was fetched just now
                self._list_models()
        elif state.phase in ("empty", "failed"):
            self.shown.set_task("", ())
            self.meter.set_device("", False)

    def _reshow(self) -> None:
        self._lane.set_options(self.shown.options)
        self.image.set_look(self.shown.look)

    # ------------------------------------------------------------------ hand

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space plays and pauses or freezes, comma and full stop step, Escape lets go of the chosen object."""
        video = self.feed.kind == "video"
        if event.key() == Qt.Key.Key_Space:
            (self.transport.play if video else self.transport.freeze).trigger()
        elif event.key() in (Qt.Key.Key_Comma, Qt.Key.Key_Period) and video:
            (self.transport.back if event.key() == Qt.Key.Key_Comma else self.transport.on).trigger()
        elif event.key() == Qt.Key.Key_Escape and self.image.chosen is not None:
            self.image.unchoose()
        else:
            super().keyPressEvent(event)

    def _restyle(self) -> None:
        self.models.restyle()
        self._follow_source()


def _gpu_is_there() -> bool:
    """Whether torch, which the lane has imported, sees a GPU."""
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()
