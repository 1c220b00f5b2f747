"""What the program keeps on disk: runs, caches, downloads, and buttons that clear."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from guiapp.core import paths
from guiapp.core.files import folder_bytes
from guiapp.training.search_record import searches
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.status_bar import size
from guiapp.ui.theme import tabular


@dataclass(frozen=True)
class Place:
    """One folder that is listed.

    Attributes:
        id: Part of the object names.
        title: What a person reads.
        what: What lies there and what clearing costs.
        folder: Gives the folder.
        clearable: Whether the panel offers to clear it.
    """

    id: str
    title: str
    what: str
    folder: Callable[[], Path]
    clearable: bool = True


PLACES = (
    Place("runs", "Runs", "Curves, checkpoints and snapshots; delete them one by one in the panel Runs",
          paths.runs, clearable=False),
    Place("searches", "Searches", "Searches with their runs; delete them one by one in the panel Search", searches),
    Place("downloads", "Downloads", "Data sets and weights that were fetched; fetched again when needed",
          paths.downloads),
    Place("cache", "Cache", "What can be computed again", paths.cache),
)  # fmt: skip


class StoragePanel(Panel):
    """Sizes of the folders, measured on the work lane; clearing asks by a second press.

    Attributes:
        bytes: Measured sizes by place.
    """

    id = "storage"
    title = "Storage"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.bytes: dict[str, int] = {}
        self._sizes: dict[str, QLabel] = {}
        self._buttons: dict[str, QPushButton] = {}
        self._armed: str | None = None
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        for row, place in enumerate(PLACES):
            title = QLabel(place.title, self)
            amount = QLabel("…", self)
            amount.setObjectName(f"storage.{place.id}-size")
            amount.setFont(tabular())
            amount.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            amount.setMinimumWidth(amount.fontMetrics().horizontalAdvance("000.00 GB"))
            what = QLabel(place.what, self)
            what.setProperty("faint", True)
            what.setToolTip(str(place.folder()))
            what.setWordWrap(True)
            grid.addWidget(title, row, 0)
            grid.addWidget(amount, row, 1)
            grid.addWidget(what, row, 2)
            self._sizes[place.id] = amount
            if place.clearable:
                button = QPushButton("Clear", self)
                button.setObjectName(f"storage.clear-{place.id}")
                button.setToolTip(f"Delete everything in {place.folder()}; press twice")
                button.clicked.connect(partial(self._press, place))
                grid.addWidget(button, row, 3)
                self._buttons[place.id] = button
        grid.setColumnStretch(2, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addLayout(grid)
        column.addStretch(1)
        context.commands.add(
            Command("storage.measure", "Measure storage", self.measure, "Measure what the program keeps on disk",
                    icon="storage", menu="File")
        )  # fmt: skip
        self.visibility_changed.connect(lambda shown: shown and self.measure())

    def measure(self) -> None:
        """Measure every folder on the work lane."""

        def work() -> Generator[None, None, dict[str, int]]:
            found = {}
            for place in PLACES:
                found[place.id] = folder_bytes(place.folder())
                yield
            return found

        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, on_error=self._failed, title="measuring storage"), self._arrived)

    def clear(self, place: Place) -> None:
        """Delete everything in a folder, on the work lane."""

        def work() -> Generator[None, None, None]:
            folder = place.folder()
            for inner in list(folder.iterdir()) if folder.is_dir() else []:
                if inner.is_dir() and not inner.is_symlink():
                    shutil.rmtree(inner)
                else:
                    inner.unlink()
                yield

        bridge = self.context.bridge
        bridge.call(
            bridge.engine.submit(work, on_error=self._failed, title=f"clearing {place.title.lower()}"),
            lambda _: self.measure(),
        )

    def _press(self, place: Place) -> None:
        armed, self._armed = self._armed, place.id
        for name, button in self._buttons.items():
            button.setText("Delete all?" if name == place.id and armed != place.id else "Clear")
        if armed == place.id:
            self._armed = None
            self.clear(place)

    def _failed(self, error: BaseException) -> None:
        self.context.notices.post("error", f"Not everything could be cleared or measured: {error}")

    def _arrived(self, found: dict[str, int]) -> None:
        self.bytes = found
        for name, count in found.items():
            self._sizes[name].setText(size(count))
            if name in self._buttons:
                self._buttons[name].setEnabled(count > 0)
