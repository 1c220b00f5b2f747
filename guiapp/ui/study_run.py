"""One study at a time for a panel: begun, shown as it goes, stopped, overtaken; and the bar that says how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.job import Job, Step
    from guiapp.engine.study import Study
    from guiapp.ui.panel import Panel
    from guiapp.ui.theme import Theme

_TICK_MS = 100
_PATIENCE_S = 0.3
"""What is done sooner shows no bar: it would only flicker."""

Work = Callable[["Study", Callable[[Any], None]], "Generator[Step, None, Any]"]


class StudyRun(QObject):
    """Runs the newest study of a panel; a newer one stops the one before, and nothing of that one is shown any more.

    Attributes:
        began: Emitted when one begins.
        partly: Emitted with what is known so far, newest wins.
        done: Emitted with the result.
        failed: Emitted with the reason in one line.
        stopped: Emitted when a person has stopped it.
        ticked: Emitted ten times a second while one runs.
    """

    began = Signal()
    partly = Signal(object)
    done = Signal(object)
    failed = Signal(str)
    stopped = Signal()
    ticked = Signal()

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._job: Job[Any] | None = None
        self._since = 0.0
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self.ticked)

    @property
    def running(self) -> bool:
        """Whether one runs or waits for its turn."""
        return self._job is not None

    @property
    def share(self) -> float:
        """Share done, 0 to 1."""
        return self._job.share if self._job is not None else 0.0

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self._since if self._job is not None else 0.0

    @property
    def message(self) -> str:
        """What is being done, with the time left once that can be told."""
        if self._job is None:
            return ""
        left = self.seconds / self.share - self.seconds if self.share > 0.02 else 0.0
        return self._job.message + (f" · {left:.0f} s left" if left >= 1 else "")

    def start(self, work: Any, title: str, of: Literal["experiment", "live", "nothing"] | None = None) -> None:
        """Begin; ``work(study, tell)`` and ``of`` as for ``EngineBridge.study``; ``work(tell)`` of ``"nothing"``."""
        self._drop()
        mine: list[Job[Any]] = []

        def current() -> bool:
            return bool(mine) and self._job is mine[0]

        def end(signal: Any, *values: Any) -> None:
            if mine and self.leave(mine[0]):
                signal.emit(*values)

        bridge = self._panel.context.bridge
        calls = (
            lambda result: end(self.done, result), title,
            lambda partly: self.partly.emit(partly) if current() else None, lambda reason: end(self.failed, reason),
        )  # fmt: skip
        mine.append(bridge.work(work, *calls) if of == "nothing" else bridge.study(self._panel, work, *calls, of))
        self.follow(mine[0])

    def follow(self, job: Job[Any]) -> None:
        """Take a job that has been begun as the newest."""
        self._job, self._since = job, time.monotonic()
        self._tick.start()
        self.began.emit()

    def leave(self, job: Job[Any]) -> bool:
        """A job has ended; whether it was the newest."""
        if self._job is not job:
            return False
        self._job = None
        self._tick.stop()
        return True

    def stop(self) -> None:
        """End it; what was shown so far stays."""
        if self._job is not None:
            self._drop()
            self.stopped.emit()

    def _drop(self) -> None:
        job, self._job = self._job, None
        self._tick.stop()
        if job is not None:
            job.stop()


class StudyBar(QWidget):
    """How far a study is, with a stop button; after a failure the reason. It keeps its place, so nothing jumps.

    Args:
        run: What it shows.
        name: Object name of its parts: ``<name>.progress``, ``<name>.stop``, ``<name>.words``.
        theme: Colours.
    """

    def __init__(self, run: StudyRun, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run, self._theme = run, theme
        self.words = QuietLabel(f"{name}.words", self, theme.faint)
        self.progress = QProgressBar(self)
        self.progress.setObjectName(f"{name}.progress")
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.halt = QPushButton("Stop", self)
        self.halt.setObjectName(f"{name}.stop")
        self.halt.setToolTip("End it; what was found so far stays")
        self.halt.setFixedHeight(24)
        self.halt.clicked.connect(run.stop)
        told = QVBoxLayout()
        told.setSpacing(2)
        told.addWidget(self.words)
        told.addWidget(self.progress)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addLayout(told, 1)
        row.addWidget(self.halt, 0, Qt.AlignmentFlag.AlignVCenter)
        self._text = ""
        run.began.connect(lambda: self.say(""))
        run.ticked.connect(self._follow)
        run.done.connect(lambda _result: self._rest())
        run.stopped.connect(lambda: self._rest("stopped"))
        run.failed.connect(self._fail)
        theme.changed.connect(self._restyle)
        self._failed = False
        self._rest()

    def say(self, text: str) -> None:
        """A line that stands there while nothing runs, such as how long the last one took."""
        self._failed = False
        self._text = text
        if not self._run.running:
            self._show_text()

    def sizeHint(self) -> QSize:
        return QSize(160, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 28)

    def _follow(self) -> None:
        if self._run.running and self._run.seconds > _PATIENCE_S:
            self._show_bar(True)
            self.progress.setValue(round(1000 * self._run.share))
            self.words.ink = self._theme.faint
            self.words.set_text(self._run.message)

    def _rest(self, text: str = "") -> None:
        self._show_bar(False)
        if text:
            self.say(text)
        self._show_text()

    def _fail(self, reason: str) -> None:
        self._show_bar(False)
        self._text, self._failed = reason, True
        self._show_text()

    def _show_bar(self, shown: bool) -> None:
        self.progress.setVisible(shown)
        self.halt.setVisible(shown)

    def _show_text(self) -> None:
        self.words.ink = self._theme.error if self._failed else self._theme.faint
        self.words.set_text(self._text)

    def _restyle(self) -> None:
        self.words.ink = self._theme.error if self._failed else self._theme.faint
        self.words.update()
