"""What is looked at: samples of the data set, a drawing, picture files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.widgets.buttons import text_button
from guiapp.ui.widgets.drawing_pad import DrawingPad
from guiapp.ui.widgets.folder_browser import FolderBrowser
from guiapp.ui.widgets.sample_browser import SampleBrowser

_MODES = ("samples", "draw", "files")


class SourcePanel(Panel):
    """Three pages under one row of buttons; each puts its choice into ``workspace.picture``.

    Attributes:
        samples, pad, files: The pages.
        mode: Name of the page in front: ``"samples"``, ``"draw"`` or ``"files"``.
    """

    id = "source"
    title = "Source"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.mode = "samples"
        self.samples = SampleBrowser(context, "source", self)
        self.pad = DrawingPad(context, self)
        self.files = FolderBrowser(context, self)
        self._pages = QStackedWidget(self)
        for page in (self.samples, self.pad, self.files):
            self._pages.addWidget(page)
        titles = {"samples": ("Samples", "Look at a sample of the open data set", "samples", "Alt+1"),
                  "draw": ("Draw", "Draw with mouse or pen; the network reads every stroke", "brush", "Alt+2"),
                  "files": ("Files", "Look at picture files and folders", "folder", "Alt+3")}  # fmt: skip
        self._buttons = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        for mode, (title, tip, symbol, key) in titles.items():
            action = context.commands.add(
                Command(f"source.{mode}", title, partial(self.show_mode, mode), tip, key, symbol, menu="Source")
            )
            action.setCheckable(True)
            button = text_button(self, action, f"source.mode-{mode}")
            self._buttons.addButton(button)
            row.addWidget(button, 1)
        self._buttons.setExclusive(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 8)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self._pages, 1)
        self.show_mode("samples")

    def show_mode(self, mode: str) -> None:
        """Bring a page to the front."""
        self.mode = mode
        self._pages.setCurrentIndex(_MODES.index(mode))
        for name in _MODES:
            self.context.commands[f"source.{name}"].setChecked(name == mode)

    def show_folder(self, path: Path) -> None:
        """Look through a folder."""
        self.show_mode("files")
        self.files.show_folder(path)

    def show_pictures(self, paths: Sequence[Path]) -> None:
        """Look through these files, beginning with the first."""
        self.show_mode("files")
        self.files.show_pictures(paths)
