"""The runs of this machine for a panel: read on the work lane, one reading at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from guiapp.core import paths
from guiapp.ui.context import Context

if TYPE_CHECKING:
    from guiapp.training.run_records import RunRecord


class RunReader:
    """Reads the records of all runs; those that have not changed are not read again.

    Attributes:
        records: The newest ones.
    """

    def __init__(self, context: Context, arrived: Callable[[], None]) -> None:
        self.records: list[RunRecord] = []
        self._context, self._tell = context, arrived
        self._reading = self._again = False

    def read(self) -> None:
        """Read; what is asked for during a reading is done once after it."""
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        known = {record.folder: record for record in self.records}

        def work() -> Generator[None, None, list[RunRecord]]:
            from guiapp.training.run_records import read_all, run_folders

            return (yield from read_all(run_folders([paths.runs()]) if paths.runs().is_dir() else [], known))

        def failed(error: BaseException) -> None:
            self._reading = False
            self._context.notices.post("error", f"The runs cannot be listed: {error}")

        bridge = self._context.bridge
        bridge.call(bridge.engine.submit(work, on_error=failed, title="reading the runs"), self._arrived)

    def _arrived(self, records: list[RunRecord]) -> None:
        self._reading = False
        self.records = records
        self._tell()
        if self._again:
            self.read()
