"""Makes the map that the embedding panel's boxes choose, and follows the weights while training keeps its cores."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from guiapp.interpret.embedding.options import Source
from guiapp.ui.study_run import StudyRun

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.embedding.place import Map
    from guiapp.ui.panel import Panel
    from guiapp.ui.panels.embedding_controls import Controls

_PAUSE_S = 0.8
_TIMES = 3.0  # rests three times as long as the last map took, so that training keeps its cores


class MapMaker(QObject):
    """Asks for a map where something else is chosen, or the weights have gone on.

    Args:
        panel: Whose network and step it is.
        controls: What is chosen.
        follows: Whether weights are followed while the network trains.

    Attributes:
        run: The work that makes the map.
        newest: The newest map, perhaps not at its end, or None.
        again: The timer of the next look at the weights.
    """

    def __init__(self, panel: Panel, controls: Controls, follows: Callable[[], bool]) -> None:
        super().__init__(panel)
        self.newest: Map | None = None
        self._panel, self._controls, self._follows = panel, controls, follows
        self._done: Map | None = None
        self._made_for: tuple[Any, ...] = ()
        self._asked_for: tuple[Any, ...] = ()
        self._began_at = self._ended_at = self._took = 0.0
        self.run = StudyRun(panel)
        self.run.failed.connect(lambda _reason: self.rest())
        self.run.stopped.connect(self.rest)
        self.again = QTimer(self)
        self.again.setSingleShot(True)
        self.again.timeout.connect(self.refresh)
        panel.visibility_changed.connect(self._seen)

    def _seen(self, visible: bool) -> None:
        """Compute nothing for a panel that is not seen; when it is shown again what is chosen is asked for anew."""
        if visible:
            return
        self.again.stop()
        if self.run.running:
            self.run.stop()
            self._asked_for = ()

    def lay_out(self, by_hand: bool = False) -> None:
        """Make the map that is chosen, unless it is there or being made."""
        controls, panel = self._controls, self._panel
        source = controls.chosen_source
        if panel.seen.opened is None or controls.chosen_layer is None or source is None or not panel.isVisible():
            return
        wanted = self._wanted()
        if wanted == self._asked_for and (self.run.running or not by_hand):
            return
        if not by_hand and self.run.running and wanted[:-1] == self._asked_for[:-1]:
            return  # only the weights have gone on: the map that is being made is shown first
        self._asked_for = wanted
        self._began_at = time.monotonic()
        before = self.newest
        holds = self._made_for[:5] == wanted[:5] and self._made_for[-1:] == wanted[-1:]
        done = self._done  # the newest may be a map on its way, of another layer than the last that came to its end
        features = done.features if done is not None and holds else None
        pictures = done.features.pictures if done is not None and self._made_for[4:5] == (source,) else None
        if pictures is not None and self._made_for[:1] != wanted[:1] and source.kind == "data":
            pictures = before = None
        training = panel.context.bridge.state.phase == "running"
        work = partial(
            _work, layer=controls.chosen_layer, pool=controls.pool.currentData(), source=source,
            method=controls.chosen_method, options=controls.options, pictures=pictures, features=features,
            before=before if pictures is not None else None, dataset=self._dataset(source), training=training,
        )  # fmt: skip
        self.run.start(work, "Laying pictures out")

    def refresh(self) -> None:
        """Follow the weights, at a pace that leaves training its cores."""
        panel = self._panel
        if not panel.isVisible() or self.run.running or panel.seen.opened is None or self.again.isActive():
            return
        wanted = self._wanted()
        if wanted == self._asked_for:
            return
        only_weights = wanted[:-1] == self._asked_for[:-1]
        moves = panel.seen.phase == "running" and panel.context.workspace.step is None
        if only_weights and moves and not self._follows():
            return
        due = self._ended_at + max(_PAUSE_S, _TIMES * self._took) if only_weights and moves else 0.0
        left = due - time.monotonic()
        if left > 0:
            self.again.start(round(left * 1000) + 1)
            return
        self.lay_out()

    def made(self, found: Map) -> None:
        """Take that a map is done: what is chosen now is compared with what it was made for."""
        self._done = found
        self._made_for = (*self._asked_for[:-1], found.features.step)
        if self._panel.context.bridge.subject == "live":
            self._made_for = self._asked_for
        if self._asked_for[-1:] != self._made_for[-1:]:
            self._asked_for = self._made_for  # the weights went on before they were copied

    def rest(self) -> None:
        """Take that a map has ended, well or not."""
        self._ended_at = time.monotonic()
        self._took = self._ended_at - self._began_at

    def forget(self) -> None:
        """Nothing of the network before holds any more."""
        self.run.stop()
        self.newest = self._done = None
        self._made_for = self._asked_for = ()

    def _wanted(self) -> tuple[Any, ...]:
        """What decides the map, the weights last."""
        controls, panel = self._controls, self._panel
        seen, wanted_step = panel.seen, panel.context.workspace.step
        step = seen.step if wanted_step is None or panel.context.bridge.subject == "live" else wanted_step
        return (
            seen.opened, seen.run, controls.chosen_layer, controls.pool.currentData(), controls.chosen_source,
            controls.chosen_method, controls.options, step,
        )  # fmt: skip

    def _dataset(self, source: Source) -> Any:
        """The open data set, also for a network of the live room."""
        opened = self._panel.context.bridge.state.opened
        return opened.dataset if opened is not None and source.kind == "data" else None


def _work(study: Study, tell: Any, *, training: bool, dataset: Any, **chosen: Any) -> Generator[Any, None, Any]:
    """The map, on the work lane."""
    from guiapp.interpret.embedding.study import Subject, Wanted, make

    threads = 1 if training else max(1, min(4, (os.cpu_count() or 2) // 2))
    return (yield from make(Subject(study), Wanted(**chosen, threads=threads), tell, dataset))
