"""The one bridge from engine callbacks to Qt signals, and the hand that feeds the visible panels in slices."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from guiapp.core.notices import Notice
from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.engine.job import Job, Step
from guiapp.engine.live_records import LiveState
from guiapp.engine.slot import Slot as LatestSlot
from guiapp.engine.state import EngineState, LookResult
from guiapp.ui.live_scene import LiveScene
from guiapp.ui.panel import Panel

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.study import Study

_SLICE_MS = 8
"""Pause between two slices of updates, in which the window paints what the first one changed."""
_SLICE_SECONDS = 0.0015
"""Updates are begun for this long in one slice, so that no event takes long."""


class EngineBridge(QObject):
    """Tells the window what the engine does, and the engine what the window looks at.

    Attributes:
        engine: The engine.
        state: Newest state.
        look: Newest look, or None.
        subject: What the panels that follow the live room look into: the experiment, or the network of that room.
        live_look: Newest look into the network of the live room, or None.
        live_scene: What that room shows, which its network, if any, is at work on before its first look.
        state_changed: Emitted with an ``EngineState``, at most at display rate.
        looked: Emitted with a ``LookResult``.
        experiment_wanted: Emitted with the id of a catalogue entry that a person opens.
        picture_wanted: Emitted with a picture that the live room is to show.
        panel_wanted: Emitted with the id of a panel that another one wants in front.
        subject_changed: Emitted with the new ``subject``, before panels are told.
        live_state: Emitted with a ``LiveState``, what the live lane does.
        live_result: Emitted with a ``LiveResult``, the newest picture of the live lane with its answer.
        notice: Emitted with a ``Notice``, on the window's thread whoever posted it.
    """

    state_changed = Signal(object)
    looked = Signal(object)
    experiment_wanted = Signal(str)
    picture_wanted = Signal(object)
    panel_wanted = Signal(str)
    subject_changed = Signal(str)
    live_state = Signal(object)
    live_result = Signal(object)
    notice = Signal(object)
    _state_filled = Signal()
    _look_filled = Signal()
    _live_state_filled = Signal()
    _live_result_filled = Signal()
    _live_look_filled = Signal()
    _notice_posted = Signal(object)
    _call_back = Signal(object, object)

    def __init__(self, engine: Engine, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine = engine
        self._workspace = workspace
        self.state: EngineState = engine.newest_state
        self.look: LookResult | None = None
        self._early: LookResult | None = None
        self.subject: Literal["experiment", "live"] = "experiment"
        self.live_look: LookResult | None = None
        self.live_scene = LiveScene(self)
        self._inside = EngineState()
        self._panels: list[Panel] = []
        self._due: dict[tuple[Panel, str], None] = {}
        self._told: dict[Panel, Any] = {}  # the network that each was shown last
        self._closed = False
        queued = Qt.ConnectionType.QueuedConnection
        self._state_filled.connect(self._take_state, queued)
        self._look_filled.connect(self._take_look, queued)
        self._live_state_filled.connect(self._take_live_state, queued)
        self._live_result_filled.connect(self._take_live_result, queued)
        self._live_look_filled.connect(self._take_live_look, queued)
        self._notice_posted.connect(self.notice, queued)
        self._call_back.connect(self._run_callback, queued)
        engine.state.on_filled = self._state_filled.emit
        engine.looked.on_filled = self._look_filled.emit
        engine.live.state.on_filled = self._live_state_filled.emit
        engine.live.results.on_filled = self._live_result_filled.emit
        engine.live.looked.on_filled = self._live_look_filled.emit
        self._unsubscribe = [
            engine.notices.subscribe(self._notice_posted.emit),
            workspace.subscribe("picture", engine.set_picture),
            workspace.subscribe("step", engine.set_step),
            workspace.subscribe("switched_off", lambda _channels: self._change_channels()),
            workspace.subscribe("boosted", lambda _factors: self._change_channels()),
        ]
        self._slices = QTimer(self)
        self._slices.setInterval(_SLICE_MS)
        self._slices.timeout.connect(self._feed_some)
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(0)
        self._asking.timeout.connect(self._ask)

    # ------------------------------------------------------------------ panels

    def add_panel(self, panel: Panel) -> None:
        """Feed a panel while it is visible, and ask the network what it wants to know."""
        self._panels.append(panel)
        panel.request_changed.connect(self._asking.start)
        panel.visibility_changed.connect(lambda visible, p=panel: self._visibility(p, visible))
        if panel.isVisible():
            self._visibility(panel, True)

    def _visibility(self, panel: Panel, visible: bool) -> None:
        if self._closed:
            return
        self._asking.start()
        if visible:
            self._schedule(panel, "state")
            if self._look_of(panel) is not None:
                self._schedule(panel, "look")
        else:
            self._due.pop((panel, "state"), None)
            self._due.pop((panel, "look"), None)

    def _ask(self) -> None:
        visible = [panel for panel in self._panels if panel.isVisible() and self._knows(panel)]
        inside = [panel for panel in visible if self._follows(panel)]
        visible = [panel for panel in visible if panel not in inside]
        requests = {panel.id: asked for panel in visible if (asked := panel.request()) is not None}
        shows = any(type(panel).show_look is not Panel.show_look for panel in visible)
        self.engine.set_requests(requests, watching=shows, asked_of=self.state.opened)
        requests = {panel.id: asked for panel in inside if (asked := panel.request()) is not None}
        watches = any(panel.watches for panel in inside)
        self.engine.live.set_requests(requests, watches, self._inside.opened)

    def _knows(self, panel: Panel) -> bool:
        """Whether a panel was shown the network that is open: what it asks before is meant for another one."""
        fed = type(panel).show_state is not Panel.show_state
        return not fed or (panel in self._told and self._told[panel] is self.seen_by(panel).opened)

    def _schedule(self, panel: Panel, what: str) -> None:
        overridden = type(panel).show_state if what == "state" else type(panel).show_look
        if overridden is (Panel.show_state if what == "state" else Panel.show_look):
            return
        self._due[panel, what] = None
        if not self._slices.isActive():
            self._slices.start()

    @Slot()
    def _feed_some(self) -> None:
        """Show a few milliseconds' worth, then let the event loop paint and breathe.

        Many small updates share one pass of painting, which costs as much as they do; large ones stand alone.
        """
        started = time.perf_counter()
        while self._due and time.perf_counter() - started < _SLICE_SECONDS:
            panel, what = next(iter(self._due))
            del self._due[panel, what]
            if not panel.isVisible():
                continue
            if what == "state":
                state = self.seen_by(panel)
                if panel not in self._told or self._told[panel] is not state.opened:
                    self._told[panel] = state.opened
                    self._asking.start()
                panel.show_waiting(_waiting(state))
                panel.show_state(state)
            elif (look := self._look_of(panel)) is not None:
                panel.show_look(look)
        if not self._due:
            self._slices.stop()

    def _tell(self, what: str, inside: bool) -> None:
        for panel in self._panels:
            if panel.isVisible() and self._follows(panel) == inside:
                self._schedule(panel, what)

    # ------------------------------------------------------------------ which network

    def open_experiment(self, name: str) -> None:
        """Ask the window to open a catalogue entry."""
        self.experiment_wanted.emit(name)

    def look_at(self, picture: Picture, sample: tuple[str, int] | None = None) -> None:
        """Show a picture in the room that is looked at; ``sample`` says which of the open data set it is."""
        if self.subject == "live":
            self.picture_wanted.emit(picture)
        else:
            self._workspace.sample = sample
            self._workspace.picture = picture

    def set_subject(self, subject: Literal["experiment", "live"]) -> None:
        """Let the panels that can look into the network of the live room, or into the experiment's."""
        if subject == self.subject or self._closed:
            return
        self.subject = subject
        self.subject_changed.emit(subject)
        self._asking.start()
        for panel in self._panels:
            if panel.follows_live and panel.isVisible():
                self._visibility(panel, True)

    def seen_by(self, panel: Panel) -> EngineState:
        """The state of the network that a panel looks into."""
        return self._inside if self._follows(panel) else self.state

    def _look_of(self, panel: Panel) -> LookResult | None:
        return self.live_look if self._follows(panel) else self.look

    def _follows(self, panel: Panel) -> bool:
        return self.subject == "live" and panel.follows_live

    def _change_channels(self) -> None:
        lane = self.engine.live if self.subject == "live" else self.engine
        lane.set_switched_off(changed_channels(self._workspace))

    # ------------------------------------------------------------------ from the engine

    @Slot()
    def _take_state(self) -> None:
        state = self.engine.state.take()
        if state is None or self._closed:
            return
        if state.opened is not self.state.opened:
            self.look = None
            self._asking.start()
        self.state = state
        self.state_changed.emit(state)
        self._tell("state", inside=False)
        early = self._early
        if early is not None and early.opened is state.opened:
            self._early = None
            if early.picture is self._workspace.picture:
                self._show_look(early)

    @Slot()
    def _take_look(self) -> None:
        look = self.engine.looked.take()
        if look is None or self._closed:
            return
        if look.opened is self.state.opened:
            self._early = None
            self._show_look(look)
        else:  # of a network on its way: its classes are not those of the picture, which belongs to the one before
            self._early = look

    def _show_look(self, look: LookResult) -> None:
        self.look = look
        self.looked.emit(look)
        self._tell("look", inside=False)

    @Slot()
    def _take_live_state(self) -> None:
        state = self.engine.live.state.take()
        if state is None or self._closed:
            return
        self.live_state.emit(state)
        self._take_inside(state)

    def _take_inside(self, state: LiveState) -> None:
        """Tell the panels that look into the live room of its network, once its layers are known."""
        inside = EngineState("ready", state.inside) if state.inside is not None else _on_its_way(state)
        if inside.opened is self._inside.opened and inside.activity == self._inside.activity:
            return
        self._inside = inside
        self.live_look = None
        self._asking.start()
        self._tell("state", inside=True)

    @Slot()
    def _take_live_look(self) -> None:
        look = self.engine.live.looked.take()
        if look is None or self._closed or look.opened is not self._inside.opened:
            return
        self.live_look = look
        self._tell("look", inside=True)

    @Slot()
    def _take_live_result(self) -> None:
        result = self.engine.live.results.take()
        if result is not None and not self._closed:
            self.live_result.emit(result)

    # ------------------------------------------------------------------ work lane

    def call(self, job: Job[Any], callback: Callable[[Any], object]) -> None:
        """Call ``callback(result)`` on the window's thread when a job is done; failures become notices."""

        def ended(done: Job[Any]) -> None:
            if done.state == "done" and not self._closed:
                self._call_back.emit(callback, done.result)
            elif done.error is not None and not done.told:
                done.told = True
                self.engine.notices.post("error", f"{done.title or 'Background work'} failed: {done.error}")

        job.on_end(ended)

    def study(
        self,
        panel: Panel,
        work: Callable[[Study, Callable[[Any], None]], Generator[Step, None, Any]],
        done: Callable[[Any], object],
        title: str,
        partly: Callable[[Any], object] | None = None,
        failed: Callable[[str], object] | None = None,
        of: Literal["experiment", "live"] | None = None,
    ) -> Job[Any]:
        """Work for a panel on a copy of the network that it looks into, on the work lane.

        Args:
            panel: The panel; its ``seen`` says which network that is.
            work: Generator function of the study and of ``tell``, which it may call with what is known so far: the
                newest is shown, nothing queues.
            done: Called with the result on the window's thread.
            title: What the job is called.
            partly: Called with what ``tell`` was given last, on the window's thread.
            failed: Called with the reason in one line on the window's thread; without it failures become notices.
            of: Another network than the one that the panel looks into.

        Returns:
            The job, to be stopped where the answer is no longer wanted: then nothing is called any more.
        """
        begun: list[Job[Any]] = []
        so_far = self._parts(partly, begun)
        job = self.engine.study(
            lambda study: work(study, so_far.put), of or ("live" if self._follows(panel) else "experiment"), title
        )
        if failed is not None:
            tell_failure = failed

            def ended(over: Job[Any]) -> None:
                if over.error is not None and not over.told:
                    over.told = True
                    self._call_back.emit(tell_failure, _one_line(over.error))

            job.on_end(ended)
        begun.append(job)
        self.call(job, lambda result: None if job.stopping else done(result))
        return job

    def work(
        self,
        work: Callable[[Callable[[Any], None]], Generator[Step, None, Any]],
        done: Callable[[Any], object],
        title: str,
        partly: Callable[[Any], object],
        failed: Callable[[str], object],
    ) -> Job[Any]:
        """Work for a panel that takes no network, on the work lane; otherwise as ``study``."""
        begun: list[Job[Any]] = []
        so_far = self._parts(partly, begun)
        job = self.engine.submit(
            lambda: work(so_far.put), on_error=lambda error: self._call_back.emit(failed, _one_line(error)), title=title
        )
        begun.append(job)
        self.call(job, lambda result: None if job.stopping else done(result))
        return job

    def _parts(self, partly: Callable[[Any], object] | None, begun: list[Job[Any]]) -> LatestSlot[Any]:
        """A slot of which ``partly`` is told on the window's thread, while the job lasts that is put into ``begun``."""
        so_far: LatestSlot[Any] = LatestSlot()

        def show(_: object) -> None:
            found = so_far.take()
            if found is not None and partly is not None and begun[0].state in ("waiting", "running", "paused"):
                partly(found)

        so_far.on_filled = lambda: self._call_back.emit(show, None)
        return so_far

    @Slot(object, object)
    def _run_callback(self, callback: Callable[[Any], object], result: Any) -> None:
        if not self._closed:
            callback(result)

    def notify(self, notice: Notice) -> None:
        """Post a notice as any room would."""
        self.engine.notices.post(notice.level, notice.text, notice.details)

    def close(self) -> None:
        """Stop listening; nothing is shown any more."""
        self._closed = True
        self._slices.stop()
        self._asking.stop()
        self._due.clear()
        self._panels.clear()
        self.engine.state.on_filled = None
        self.engine.looked.on_filled = None
        self.engine.live.state.on_filled = None
        self.engine.live.results.on_filled = None
        self.engine.live.looked.on_filled = None
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()


def changed_channels(workspace: Workspace) -> dict[str, Collection[int]]:
    """What the network that is looked at is to change: channels set to zero, or by factors where some are boosted."""
    changed: dict[str, Collection[int]] = dict(workspace.switched_off)
    for layer, factors in workspace.boosted.items():
        if factors:
            changed[layer] = {**factors, **dict.fromkeys(workspace.switched_off.get(layer, ()), 0.0)}
    return changed


def _on_its_way(state: LiveState) -> EngineState:
    """What panels that look into the live room are told before the layers of its network are known."""
    doing = {"opening": "opening", "ready": "finding the layers of"}.get(state.phase)
    if doing is None or state.model is None:
        return EngineState()
    return EngineState("opening", activity=f"{doing} {state.model.title}")


def _waiting(state: EngineState) -> str:
    """What a panel without a network waits for, as a line; empty for nothing."""
    if state.phase != "opening" or state.opened is not None:
        return ""
    named = state.activity.startswith(("opening ", "finding "))  # other words are on a part of that, and change
    doing = state.activity if named else "opening the experiment"
    return f"{doing[0].upper()}{doing[1:]} …"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
