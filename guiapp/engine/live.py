"""The live lane: runs a published network on the newest frame of a source; its thresholds act without the network."""

from __future__ import annotations

import functools
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from guiapp.core.live_run import LiveRun
from guiapp.core.memory import give_back
from guiapp.core.notices import NoticeBoard, UserError
from guiapp.core.openmp import dismiss_helpers
from guiapp.core.picture import Origin, Picture
from guiapp.engine.live_inside import Inside, one_picture
from guiapp.engine.live_loan import Loan
from guiapp.engine.live_network import Beside, LiveNetwork
from guiapp.engine.live_records import Answer, Frames, LivePhase, LiveResult, LiveState
from guiapp.engine.live_threads import LiveThreads
from guiapp.engine.preload import preload_torch
from guiapp.engine.slot import Slot
from guiapp.engine.state import Inspected, Request
from guiapp.tasks.live_options import LiveOptions, make_live_task

if TYPE_CHECKING:
    from guiapp.engine.job import Step
    from guiapp.engine.study import Study
    from guiapp.interpret.attribution.options import AttributionOptions
    from guiapp.models.zoo.open import OpenedModel

__all__ = ["Answer", "Frames", "LiveLane", "LivePhase", "LiveResult", "LiveState"]

_DISPLAY_SECONDS = 0.1
_RATE_SECONDS = 2.0
_REST_SECONDS = 0.5
_LOAN_SECONDS = 0.1
_BLANK = Picture(np.full((240, 320, 3), 128, np.uint8), Origin("file", "nothing"))  # layers are listed with it


_Wanted = tuple[str, "str | Path", str] | None


class _Overtaken(Exception):
    """Another network was asked for while one was being opened."""


class LiveLane:
    """One thread that opens networks and runs the open one on the newest picture. Nothing queues.

    A second network can stand beside the first: it runs after it on the same picture.

    Every method may be called from any thread and returns at once.

    Attributes:
        state: Slot of the newest state; ``newest`` is the one published last.
        results: Slot of the newest result.
        looked: Slot of the newest answer to what panels ask of the network's inside.
        pause: Least seconds between two pictures, for while another lane needs the machine.
    """

    def __init__(self, notices: NoticeBoard, opener: Callable[..., OpenedModel] | None = None) -> None:
        self.state: Slot[LiveState] = Slot()
        self.results: Slot[LiveResult] = Slot()
        self.newest = LiveState()
        self.pause = 0.0
        self._notices = notices
        self._inside = Inside(notices)
        self.looked = self._inside.looked
        self._opener = opener or _open_any
        self._shown = 0.0
        self._runs = 0
        self._next_look = 0.0
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._wanted: list[_Wanted] = [None, None]  # the first network and the one beside it
        self._asked, self._done = [0, 0], [0, 0]  # orders to open or close each, and those that were carried out
        self._source: Frames | None = None
        self._picture: Picture | None = None
        self._options = LiveOptions()
        self._run_as = (LiveRun(), LiveRun())  # the first network and the one beside it
        self._dirty = False
        self._open: LiveNetwork | None = None
        self._beside = Beside(notices)
        self._threads = LiveThreads(notices)
        self._finished: deque[float] = deque(maxlen=600)
        self._loans: list[Loan] = []
        self._complaint = ""

    # ------------------------------------------------------------------ from any thread

    def open_model(self, name: str, weights: str | Path = "best", device: str = "auto", place: int = 0) -> None:
        """Open a network of the zoo; the one before in that place (0, or 1 for the second) goes."""
        self._order(place, (name, weights, device))

    def close_model(self, place: int = 0) -> None:
        """Let go of the network in a place."""
        self._order(place, None)

    def set_run(self, run: LiveRun, second: LiveRun | None = None) -> None:
        """Open the networks again that are to be run in another way from now on; the second as the first by default."""
        before, self._run_as = self._run_as, (run, second or run)
        for place, wanted in enumerate(self._wanted):
            if wanted is not None and self._run_as[place] != before[place]:
                self._order(place, wanted)

    def another(self, place: int = 0) -> Callable[[], OpenedModel]:
        """What opens the network that is wanted now once more, for work beside the lane, on whatever thread calls it.

        Raises:
            UserError: If none is wanted; what is returned raises as ``open_model`` of the zoo does.
        """
        wanted = self._wanted[place]
        if wanted is None:
            raise UserError("no network is open: choose one first")
        return functools.partial(self._opener, *wanted, lambda share, text: None)

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

    def set_requests(
        self, requests: Mapping[str, Request], watching: bool = True, asked_of: Inspected | None = None
    ) -> None:
        """Say what the visible panels want to know; see ``Engine.set_requests``."""
        with self._condition:
            if self._inside.ask(requests=dict(requests), watching=watching, asked_of=asked_of):
                self._wake()

    def set_switched_off(self, channels: Mapping[str, Collection[int]]) -> None:
        """Set channels to zero in the network, or multiply them by what they map to, until another one is opened."""
        with self._condition:
            if self._inside.ask(switched_off=dict(channels)):
                self._wake()

    def study(self) -> Generator[Step, None, Study]:
        """The open network for a job, which waits until the lane is between two runs, however long one takes.

        Raises:
            UserError: If none is open.
        """
        loan = Loan()
        with self._condition:
            self._loans.append(loan)
            self._wake()
            if self._thread is None:
                loan.give(None, None, None, self.another)
        while not loan.ready(_LOAN_SECONDS):
            if self._closed:
                raise UserError("no network is open in the live room: choose one")
            yield 0.0, "waiting for the network"
        return loan.take()

    def close(self, timeout: float) -> None:
        """End the thread; the source is its owner's to close."""
        self.set_source(None)
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _order(self, place: int, wanted: _Wanted) -> None:
        with self._condition:
            self._wanted[place] = wanted
            self._asked[place] += 1
            self._wake()

    def _wake(self) -> None:
        self._dirty = True
        if self._closed:
            return
        if self._thread is None and self._wanted != [None, None]:  # without a network there is nothing to do
            self._thread = threading.Thread(target=self._serve, name="live", daemon=True)
            self._thread.start()
        self._condition.notify_all()

    def _arrived(self) -> None:
        source = self._source
        for network in (self._open, self._beside.network):
            if source is not None and network is not None and network.passed is not None:
                network.passed.offer(source.latest())
        with self._condition:
            self._dirty = True
            self._condition.notify_all()

    # ------------------------------------------------------------------ on the lane's thread

    def _serve(self) -> None:
        preload_torch()
        self._threads.begin()
        while True:
            with self._condition:
                late = self._inside.seconds(self._open.picture if self._open is not None else None)
                self._await_work(late)
                if self._open is not None and self._asked == self._done:
                    self._condition.wait_for(
                        lambda: self._closed or self._asked != self._done, max(0.0, self._next_look - time.monotonic())
                    )
                if self._closed:
                    self._open = self._beside.network = None
                    return
                self._dirty = False
                loans, self._loans = self._loans, []
            self._turn(0, 1)
            for loan in loans:
                self._guarded("lending the network", functools.partial(self._lend, loan))

    def _await_work(self, late: float | None) -> None:
        """Wait until there is something to do, at most ``late`` seconds; a lane at rest keeps no helper threads."""
        pause = _REST_SECONDS if late is None else min(late, _REST_SECONDS)
        if self._condition.wait_for(lambda: self._closed or self._dirty, pause) or pause == late:
            return
        dismiss_helpers()
        self._condition.wait_for(lambda: self._closed or self._dirty, None if late is None else late - pause)

    def _turn(self, *places: int) -> None:
        """Exchange the networks that are to be, then look."""
        for place in places:
            with self._condition:
                asked, wanted = self._asked[place], self._wanted[place]
            if asked != self._done[place]:
                work = functools.partial(self._exchange, place, wanted, asked)
                self._guarded("opening the network", work, opened=place)
                give_back()  # what the one before took
                self._done[place] = asked
        before, began = self._runs, time.monotonic()
        self._guarded("the live picture", self._look)
        if self._runs > before:
            self._next_look = began + self.pause

    def _guarded(self, name: str, work: Callable[[], None], opened: int | None = None) -> None:
        """Run ``work``; an error reaches the person once and leaves the lane alive."""
        opening = opened is not None
        try:
            work()
            if not opening:
                self._complaint = ""
        except _Overtaken:
            pass
        except Exception as error:  # noqa: BLE001 - the lane must live on; the person is told
            text = str(error) if isinstance(error, UserError) else f"{name} failed: {error}"
            if opened is not None:
                self._publish(place=opened, phase="failed", activity="", share=None, reason=text)
            if opening or text != self._complaint:
                self._notices.post("error", text, traceback.format_exc(), "live")
            self._complaint = text

    def _exchange(self, place: int, wanted: _Wanted, asked: int) -> None:
        """Open the network that is wanted now in a place, or none."""
        before, state = (self._beside.network, self.newest.other) if place else (self._open, self.newest)
        self._put(place, None)
        if wanted is None:
            self._publish(LiveState(), place)
            return
        from guiapp.engine.open_any import find_any
        from guiapp.models.zoo.arrange import arrange

        name, weights, device = wanted
        entry = find_any(name)
        self._publish(LiveState("opening", entry, activity=f"opening {entry.title}"), place)

        def progress(share: float, text: str) -> None:
            if self._asked[place] != asked or self._closed:
                raise _Overtaken
            now = time.monotonic()
            if now >= self._shown + _DISPLAY_SECONDS:
                self._shown = now
                self._publish(place=place, activity=text, share=share)
            if place and now >= self._next_look:
                self._turn(0)  # the first goes on while the second is fetched

        try:
            opened = self._opener(entry.name, weights, device, progress)
            self._threads.begin(self._run_as[place].threads)
            opened = arrange(opened, self._run_as[place], progress)
        except UserError as error:
            if not isinstance(weights, Path) or before is None or state is None:
                raise
            before.options = None  # a file that does not fit takes nothing away: the last answer is shown again
            self._put(place, before)
            self._publish(replace(state, inside=None), place)
            self._notices.post("error", str(error), topic="live")
            return
        self._put(place, LiveNetwork(opened, self._run_as[place].fused))
        self._finished.clear()
        told = "random" if opened.origin == "random" else opened.weights.name
        labels, device = tuple(opened.labels), str(opened.device)
        path = getattr(opened, "path", None)
        state = LiveState("ready", opened.entry, told, opened.note, labels, device, path=path, flaws=opened.flaws)
        self._publish(state, place)
        if opened.flaws:
            self._notices.post("warning", f"{opened.entry.title}: {opened.flaws}.", topic="flaws")

    def _put(self, place: int, network: LiveNetwork | None) -> None:
        """Exchange the network in a place."""
        if place:
            self._beside.put(network)
            return
        self._open = network
        self._inside.forget()

    def _look(self) -> None:
        """Run the network on a picture that is new, or show more or less of its last answer."""
        begun = self._open
        if begun is None:
            return
        source, options = self._source, self._options
        self._inside.take()
        picture = self._picture_now
        if self._inside.lists(_BLANK.size if picture is None else picture.size):
            self._list(begun, picture or _BLANK)
        if picture is None:
            self._inside.skip(begun.picture)
            return
        fresh = picture is not begun.picture
        asked, off = self._inside.due(picture, fresh), self._inside.switched_off
        runs = fresh or (asked and begun.inputs is not None)
        if asked and not runs:
            self._inside.skip(picture)
        if not runs and begun.shows_all(options) and not self._beside.due(picture, begun, options):
            return
        times: dict[str, float] = {}
        waited = (time.monotonic() - picture.time) * 1000.0
        kept: Mapping[str, Any] = {}
        explained: tuple[AttributionOptions, ...] = ()
        if runs:
            if fresh:
                self._runs += 1
                begun.begin(picture, source, times)
            explained = self._inside.to_explain() if asked else ()
            inspected = self._inside.inspected
            kept = begun.run(
                self._inside.wanted() if asked else (), off, not fresh, times, explained,
                inspected.layers if inspected is not None else (), self._inside.area(begun.model, picture),
            )  # fmt: skip
        if runs or not begun.shows_all(options):
            begun.draw(options, runs, times)
        assert begun.drawn is not None
        other = self._beside.answer(picture, source, begun, options)
        if fresh:
            self._finished.append(time.monotonic())
            if str(begun.model.device) == "cpu":
                self._threads.follow()
        if begun.completes or self._beside.completes:  # objects that are new get their masks and key points
            self._arrived()  # if no newer picture comes
        dropped, modified = source.dropped if source is not None else 0, bool(off)
        self.results.put(
            LiveResult(
                picture, begun.drawn, begun.model.entry, options, times, waited, self._rate(), dropped, not runs,
                modified, other,
            )
        )  # fmt: skip
        if asked and runs:
            answers = self._inside.answer(
                begun.model, picture, begun.inputs, kept, begun.drawn, begun.raw, options, begun.explained,
                begun.task.frames,
            )  # fmt: skip
            begun.learn(explained, answers.values())

    @property
    def _picture_now(self) -> Picture | None:
        """What is looked at."""
        return self._picture if self._source is None else self._source.latest()

    def _lend(self, loan: Loan) -> None:
        """Hand out the open network, between two of its runs."""
        begun, picture = self._open, self._picture_now
        try:
            if begun is not None and self._inside.inspected is None:
                self._list(begun, picture or _BLANK)
        finally:
            loan.give(begun.model if begun is not None else None, self._inside.inspected, picture, self.another)

    def _list(self, begun: LiveNetwork, picture: Picture) -> None:
        """Find the layers of the network by a run on a picture, apart from the task that follows the source."""
        import torch

        from guiapp.interpret.layers import layers_of_run

        opened = begun.model
        task = make_live_task(opened.entry.task, opened.labels, opened.entry)
        with torch.inference_mode():
            inputs = opened.prepare(picture.pixels, opened.device)

        def run() -> None:
            for _ in range(task.frames):
                task.run(opened.module, inputs, picture.size)

        try:
            layers, extent = layers_of_run(opened.module, run, one_picture(opened, inputs))
        except Exception as error:  # noqa: BLE001 - a network that cannot be looked into can be run all the same
            layers, extent = [], None
            self._notices.post("error", f"the layers cannot be listed: {error}", traceback.format_exc(), "live")
        self._publish(inside=self._inside.take_list(opened, layers, extent, picture.size))

    def _rate(self) -> float:
        since = time.monotonic() - _RATE_SECONDS
        recent = [moment for moment in self._finished if moment > since]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0

    def _publish(self, state: LiveState | None = None, place: int = 0, **changes: Any) -> None:
        if place:
            other = replace(state or self.newest.other or LiveState(), **changes)
            self.newest = replace(self.newest, other=None if other.phase == "empty" else other)
        else:
            self.newest = replace(state or self.newest, other=self.newest.other, **changes)
        self.state.put(self.newest)


def _open_any(name: str, weights: str | Path, device: str, progress: Callable[[float, str], None]) -> OpenedModel:
    from guiapp.engine.open_any import open_any

    return open_any(name, weights, device, progress)
