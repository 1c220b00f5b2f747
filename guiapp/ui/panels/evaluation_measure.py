"""When the evaluation panel measures: on a copy, beside training; the test part only when it is told to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from guiapp.training.looks import read_looks
from guiapp.ui.study_run import StudyRun

if TYPE_CHECKING:
    from guiapp.datasets.base import Part
    from guiapp.engine.evaluate import Evaluated
    from guiapp.engine.study import Study
    from guiapp.ui.panel import Panel

_PAUSE_S = 0.8
_TIMES = 4.0  # rests so many times as long as the last evaluation took, so that training keeps its cores


class Measuring(QObject):
    """Measures the part that is chosen whenever the weights are others.

    Attributes:
        taken: Emitted with figures that are to be shown.
        run: The work.
        part: The part that is chosen.
        tested: What the last look at the test part of the open network gave, or None.
        here: Looks at the test part of a network without a run, which nobody else counts.
    """

    taken = Signal(object)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self._panel = panel
        self.part: Part = "validation"
        self.tested: Evaluated | None = None
        self.here = 0
        self._asked_for: tuple[Any, ...] = ()
        self._ended_at = self._took = 0.0
        self.run = StudyRun(panel)
        self.run.done.connect(self._take)
        self.run.failed.connect(lambda _reason: self._rest(1.0))
        self.run.stopped.connect(lambda: self._rest(1.0))
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.refresh)

    @property
    def looks(self) -> int:
        """Looks at the test part so far."""
        run = self._panel.seen.run
        return self.here if run is None else len(read_looks(run))

    def forget(self) -> None:
        """Another network is open."""
        self.run.stop()
        self._asked_for = ()
        self.another_run()

    def another_run(self) -> None:
        """Another run is open: of its test part nothing was seen."""
        self.here, self.tested = 0, None
        if self.part == "test":
            self.part = "validation"

    def refresh(self) -> None:
        """Measure anew where something else is wanted, at a pace that leaves training its cores."""
        seen, panel = self._panel.seen, self._panel
        if not panel.isVisible() or seen.opened is None or self.run.running or self._again.isActive():
            return
        wanted = self._wanted()
        if self.part == "test" or wanted == self._asked_for:
            return
        moves = seen.phase == "running" and panel.context.workspace.step is None
        if moves and wanted[:-1] == self._asked_for[:-1]:
            left = self._ended_at + max(_PAUSE_S, _TIMES * self._took) - time.monotonic()
            if left > 0:
                self._again.start(round(left * 1000) + 1)
                return
        self._measure(wanted)

    def choose(self, part: Part) -> None:
        """Measure another part; of the test part give what was seen of it, where something was."""
        if part == "test" and self.tested is None:
            return
        self.run.stop()
        self.part = part
        if part == "test":
            self._asked_for = ()
            self.taken.emit(self.tested)
        self.refresh()

    def look_at_test(self) -> None:
        """Measure on the test part once; the work itself counts the look."""
        if self._panel.seen.opened is not None:
            self.part = "test"
            self._measure(self._wanted())

    def _wanted(self) -> tuple[Any, ...]:
        """What decides the figures, the weights last."""
        seen, step = self._panel.seen, self._panel.context.workspace.step
        return seen.opened, seen.run, self.part, seen.step if step is None else step

    def _measure(self, wanted: tuple[Any, ...]) -> None:
        """Begin; while a network trains, on one thread."""
        seen = self._panel.seen
        self._asked_for = wanted
        part, run, threads = self.part, seen.run, 1 if seen.phase == "running" else 0

        def work(study: Study, _tell: Callable[[Any], None]) -> Any:
            from guiapp.engine.evaluate import evaluate

            return evaluate(study, part, run, threads)

        self.run.start(work, "evaluation")

    def _take(self, found: Evaluated) -> None:
        self._rest(found.seconds)
        if found.inspected is not self._panel.seen.opened or found.part != self.part:
            return
        if found.part == "test":
            self.tested = found
            self.here += self._panel.seen.run is None
        else:
            self._asked_for = (*self._asked_for[:-1], found.step)
        self.taken.emit(found)
        self.refresh()

    def _rest(self, took: float) -> None:
        self._ended_at, self._took = time.monotonic(), took
