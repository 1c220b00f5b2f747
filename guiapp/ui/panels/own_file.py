"""Looks into a network's file in the background: begun anew for each change, only the newest answer counts."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal

from guiapp.ui.study_run import StudyRun

if TYPE_CHECKING:
    from guiapp.engine.job import Job
    from guiapp.engine.open_own import Examined
    from guiapp.models.own.settings import OwnSettings
    from guiapp.ui.panel import Panel


class FileRun(StudyRun):
    """A ``StudyRun`` on a file instead of the open network."""

    _broke = Signal(object, str)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self._broke.connect(self._fail)

    def look_into(self, path: Path, settings: OwnSettings | None) -> None:
        """Examine a file with settings, those that are remembered by default."""
        self._drop()
        mine: list[Job[Any]] = []

        def work() -> Generator[Any, None, Examined]:
            yield 0.0, f"reading {path.name}"
            from guiapp.engine.open_own import examining

            return (yield from examining(path, settings))

        def broke(error: BaseException) -> None:
            self._broke.emit(mine, " ".join(str(error).split()))

        bridge = self._panel.context.bridge
        job = bridge.engine.submit(work, on_error=broke, title=f"Reading {path.name}")
        mine.append(job)
        self.follow(job)
        bridge.call(job, lambda result: self._end(job, result))

    def _end(self, job: Job[Any], result: object) -> None:
        if self.leave(job):
            self.done.emit(result)

    def _fail(self, mine: list[Job[Any]], reason: str) -> None:
        if mine and self.leave(mine[0]):
            self.failed.emit(reason)
