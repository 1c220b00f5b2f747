"""The live lane: runs a published network on the newest frame of a source; its thresholds act without the network."""

from __future__ import annotations

import functools
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from guiapp.core.notices import NoticeBoard, UserError
from guiapp.core.picture import Picture
from guiapp.engine.preload import preload_torch
from guiapp.engine.slot import Slot
from guiapp.tasks.live_options import LiveOptions, LiveTask, make_live_task

if TYPE_CHECKING:
    from pathlib import Path

    from guiapp.models.zoo.base import ZooModel
    from guiapp.models.zoo.open import OpenedModel
    from guiapp.tasks.predictions import Drawn

LivePhase = Literal["empty", "opening", "ready", "failed"]
_DISPLAY_SECONDS = 0.1
_RATE_SECONDS = 2.0


class Frames(Protocol):
    """What the lane asks of a source; ``sources.live.LiveSource`` is one.

    Attributes:
        on_frame: Called on the source's thread after each new picture.
        dropped: Frames that nobody took.
    """

    on_frame: Callable[[], None] | None
    dropped: int

    def latest(self) -> Picture | None:
        """The newest picture, the same object until there is a newer one."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


@dataclass(frozen=True, eq=False)
class LiveState:
    """What the live lane does.

    Attributes:
        phase: ``"ready"``: a network is open.
        model: The network that is open or being opened.
        weights: Name of its weights; ``"random"`` where it has none.
        note: One line on these weights.
        labels: Class names.
        device: Where it runs, such as ``"cpu"``.
        activity: What goes on while it is opened, in words.
        share: Share done of that, 0 to 1, or None.
        reason: Why it could not be opened, in one line.
    """

    phase: LivePhase = "empty"
    model: ZooModel | None = None
    weights: str = ""
    note: str = ""
    labels: tuple[str, ...] = ()
    device: str = ""
    activity: str = ""
    share: float | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class LiveResult:
    """One picture and what the network says of it.

    Attributes:
        picture: The picture.
        drawn: What is shown of the answer.
        model: The network.
        options: Thresholds that ``drawn`` was made with.
        milliseconds: Time of ``preprocess``, ``forward``, ``postprocess``.
        waited: Milliseconds from the making of the picture to the begin of the work on it.
        rate: Pictures a second over about the last two seconds.
        dropped: Pictures of the source that were overtaken, so far.
        again: Whether only thresholds changed: the network did not run.
    """

    picture: Picture
    drawn: Drawn
    model: ZooModel
    options: LiveOptions
    milliseconds: dict[str, float] = field(default_factory=dict)
    waited: float = 0.0
    rate: float = 0.0
    dropped: int = 0
    again: bool = False


@dataclass
class _Open:
    """The network on the lane, with its last answer.

    Attributes:
        model, task: The network and what it is for.
        picture: What it was run on last; ``source`` gave it.
        raw: What it answered; None where it failed.
        drawn: What was shown of that; ``options`` say how much.
        completes: Whether that came at once, and parts of objects that are new are still to be computed.
    """

    model: OpenedModel
    task: LiveTask
    picture: Picture | None = None
    source: Frames | None = None
    raw: Any = None
    drawn: Drawn | None = None
    options: LiveOptions | None = None
    completes: bool = False


class _Overtaken(Exception):
    """Another network was asked for while one was being opened."""


class LiveLane:
    """One thread that opens networks and runs the open one on the newest picture. Nothing queues.

    Every method may be called from any thread and returns at once.

    Attributes:
        state: Slot of the newest state; ``newest`` is the one published last.
        results: Slot of the newest result.
        pause: Least seconds between two pictures, for while another lane needs the machine.
    """

    def __init__(self, notices: NoticeBoard, opener: Callable[..., OpenedModel] | None = None) -> None:
        self.state: Slot[LiveState] = Slot()
        self.results: Slot[LiveResult] = Slot()
        self.newest = LiveState()
        self.pause = 0.0
        self._notices = notices
        self._opener = opener or _open_from_zoo
        self._shown = 0.0
        self._runs = 0
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._wanted: tuple[str, str | Path, str] | None = None
        self._asked = self._done = 0  # orders to open or close a network, and those that were carried out
        self._source: Frames | None = None
        self._picture: Picture | None = None
        self._options = LiveOptions()
        self._dirty = False
        self._open: _Open | None = None
        self._finished: deque[float] = deque(maxlen=600)
        self._complaint = ""

    # ------------------------------------------------------------------ from any thread

    def open_model(self, name: str, weights: str | Path = "best", device: str = "auto") -> None:
        """Open a network of the zoo; the one before goes."""
        with self._condition:
            self._wanted = name, weights, device
            self._order()

    def close_model(self) -> None:
        """Let go of the network."""
        with self._condition:
            self._wanted = None
            self._order()

    def set_source(self, source: Frames | None) -> None:
        """Follow a source; the one before is no longer listened to, but not closed."""
        with self._condition:
            if self._source is not None:
                self._source.on_frame = None
            self._source, self._picture = source, None
            self._finished.clear()
            if source is not None:
                source.on_frame = self._arrived
            self._wake()

    def set_picture(self, picture: Picture) -> None:
        """Show one picture that stands still to the network."""
        self.set_source(None)
        with self._condition:
            self._picture = picture
            self._wake()

    def set_options(self, options: LiveOptions) -> None:
        """Show more or less of the last answer, at once and without the network."""
        with self._condition:
            self._options = options
            self._wake()

    def close(self, timeout: float) -> None:
        """End the thread; the source is its owner's to close."""
        self.set_source(None)
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _order(self) -> None:
        self._asked += 1
        self._wake()

    def _wake(self) -> None:
        self._dirty = True
        if self._closed:
            return
        if self._thread is None and self._wanted is not None:  # without a network there is nothing to do
            self._thread = threading.Thread(target=self._serve, name="live", daemon=True)
            self._thread.start()
        self._condition.notify_all()

    def _arrived(self) -> None:
        with self._condition:
            self._dirty = True
            self._condition.notify_all()

    # ------------------------------------------------------------------ on the lane's thread

    def _serve(self) -> None:
        preload_torch()
        import torch

        from guiapp.training.threads import physical_cores

        torch.set_num_threads(physical_cores())
        next_look = 0.0
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._dirty)
                if self._open is not None and self._asked == self._done:
                    self._condition.wait_for(
                        lambda: self._closed or self._asked != self._done, max(0.0, next_look - time.monotonic())
                    )
                if self._closed:
                    self._open = None
                    return
                self._dirty = False
                asked, wanted = self._asked, self._wanted
            if asked != self._done:
                self._guarded("opening the network", functools.partial(self._exchange, wanted, asked), opening=True)
                self._done = asked
            before, began = self._runs, time.monotonic()
            self._guarded("the live picture", self._look)
            if self._runs > before:
                next_look = began + self.pause

    def _guarded(self, name: str, work: Callable[[], None], opening: bool = False) -> None:
        """Run ``work``; an error reaches the person once and leaves the lane alive."""
        try:
            work()
            if not opening:
                self._complaint = ""
        except _Overtaken:
            pass
        except Exception as error:  # noqa: BLE001 - the lane must live on; the person is told
            text = str(error) if isinstance(error, UserError) else f"{name} failed: {error}"
            if opening:
                self._publish(phase="failed", activity="", share=None, reason=text)
            if opening or text != self._complaint:
                self._notices.post("error", text, traceback.format_exc(), "live")
            self._complaint = text

    def _exchange(self, wanted: tuple[str, str | Path, str] | None, asked: int) -> None:
        """Open the network that is wanted now, or none."""
        self._open = None
        if wanted is None:
            self._publish(LiveState())
            return
        from guiapp.models.zoo import find_model

        name, weights, device = wanted
        entry = find_model(name)
        self._publish(LiveState("opening", entry, activity=f"opening {entry.title}"))

        def progress(share: float, text: str) -> None:
            if self._asked != asked or self._closed:
                raise _Overtaken
            now = time.monotonic()
            if now >= self._shown + _DISPLAY_SECONDS:
                self._shown = now
                self._publish(activity=text, share=share)

        opened = self._opener(entry.name, weights, device, progress)
        task = make_live_task(opened.entry.task, opened.labels, opened.entry)
        self._open = _Open(opened, task)
        self._finished.clear()
        told = "random" if opened.origin == "random" else opened.weights.name
        self._publish(LiveState("ready", opened.entry, told, opened.note, tuple(opened.labels), str(opened.device)))

    def _look(self) -> None:
        """Run the network on a picture that is new, or show more or less of its last answer."""
        begun = self._open
        if begun is None:
            return
        source, options = self._source, self._options
        picture = self._picture if source is None else source.latest()
        if picture is None:
            return
        fresh = picture is not begun.picture
        if not fresh and (begun.raw is None or (options == begun.options and not begun.completes)):
            return
        started = time.perf_counter()
        times: dict[str, float] = {}
        waited = (time.monotonic() - picture.time) * 1000.0
        if fresh:
            self._runs += 1
            if source is not begun.source or _went_back(begun.picture, picture):
                begun.task.reset()  # clips and flow go on from the pictures before
            begun.picture, begun.raw, begun.source = picture, None, source  # what breaks it is not tried again
            self._run(begun, picture, times)
            started = time.perf_counter()
        previous = None if fresh or begun.completes else begun.drawn
        begun.drawn = begun.task.drawn(begun.raw, options, previous)
        begun.options, begun.completes = options, previous is not None
        times["postprocess"] = times.get("postprocess", 0.0) + _since(started)
        if fresh:
            self._finished.append(time.monotonic())
        if begun.completes:  # objects that are new get their masks and key points if no newer picture comes
            self._arrived()
        dropped = source.dropped if source is not None else 0
        self.results.put(
            LiveResult(
                picture, begun.drawn, begun.model.entry, options, times, waited, self._rate(), dropped, not fresh
            )
        )

    def _run(self, begun: _Open, picture: Picture, times: dict[str, float]) -> None:
        import torch

        started = time.perf_counter()
        with torch.inference_mode():
            inputs = begun.model.prepare(picture.pixels, begun.model.device)
            times["preprocess"] = _since(started)
            started = time.perf_counter()
            begun.raw = begun.task.run(begun.model.module, inputs, picture.size)
            if torch.cuda.is_available() and str(begun.model.device).startswith("cuda"):
                torch.cuda.synchronize()  # so that the time is the network's
            times["forward"] = _since(started)

    def _rate(self) -> float:
        recent = [moment for moment in self._finished if moment > time.monotonic() - _RATE_SECONDS]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0

    def _publish(self, state: LiveState | None = None, **changes: Any) -> None:
        self.newest = replace(state or self.newest, **changes)
        self.state.put(self.newest)


def _went_back(before: Picture | None, now: Picture) -> bool:
    """Whether a video was wound back, or began again."""
    if before is None or before.origin.index is None or now.origin.index is None:
        return False
    return now.origin.index < before.origin.index


def _open_from_zoo(name: str, weights: str | Path, device: str, progress: Callable[[float, str], None]) -> OpenedModel:
    from guiapp.models.zoo.open import open_model
    from guiapp.training.devices import choose

    return open_model(name, weights, choose(device), progress)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
