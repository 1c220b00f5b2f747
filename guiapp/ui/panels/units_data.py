"""Chooses the pictures over which units are looked at: parts of the open data set, known sets, a folder, a video."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QWidget

from guiapp.datasets import DATASETS
from guiapp.engine.state import Inspected
from guiapp.interpret.units.pictures import Source
from guiapp.ui.context import Context

_FOLDER, _VIDEO = "units/folder", "units/video"
_MOST = (200, 1000, 5000, 20_000)
_PARTS = (("validation", "validation part"), ("train", "training part"), ("test", "test part"))


class DataRow(QWidget):
    """A box of sources, a box of numbers, and a button that looks anew.

    Attributes:
        changed: Emitted when other pictures are chosen by hand.
        again: Emitted by the button.
        source: ``units.data``; ``most``: ``units.pictures``; ``find``: ``units.find``.
    """

    changed = Signal()
    again = Signal()

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self.source = QComboBox(self)
        self.source.setObjectName("units.data")
        self.source.setAccessibleName("Pictures")
        self.source.setToolTip(
            "Pictures over which the layer is looked at: a part of a data set, a folder, or frames of a video"
        )
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.setMinimumContentsLength(10)
        self.most = QComboBox(self)
        self.most.setObjectName("units.pictures")
        self.most.setAccessibleName("Number of pictures")
        self.most.setToolTip("At most so many pictures, evenly spread over the data")
        for count in _MOST:
            self.most.addItem(f"{count:,}", count)
        self.most.setCurrentIndex(1)
        self.find = QPushButton("Find", self)
        self.find.setObjectName("units.find")
        self.find.setToolTip("Look at every unit of the layer over these pictures with the weights as they are now")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.source, 1)
        row.addWidget(self.most)
        row.addWidget(self.find)
        self.source.activated.connect(self._chosen)
        self.most.activated.connect(lambda _row: self.changed.emit())
        self.find.clicked.connect(self.again)
        self._last = 0

    def list_for(self, opened: Inspected | None) -> None:
        """List what there is for a network; what was chosen stays where it is still there."""
        before = self.chosen
        self.source.clear()
        dataset = getattr(opened, "dataset", None)
        if dataset is not None:
            for name, title in _PARTS:
                if len(dataset.part(name)):
                    self.source.addItem(title, Source("part", name))
        known = False
        for kind, key in (("folder", _FOLDER), ("video", _VIDEO)):
            path = Path(str(self._context.settings.value(key, "")) or "/nowhere")
            if path.is_dir() if kind == "folder" else path.is_file():
                known = True
                self.source.addItem(f"{kind} {path.name}", Source(kind, str(path)))  # type: ignore[arg-type]
        for name in DATASETS:
            if (dataset is None or dataset.name != name) and DATASETS[name].available():
                self.source.addItem(f"{DATASETS[name].title}, test part", Source("set", name))
        self.source.addItem("Folder …", None)
        self.source.addItem("Video …", None)
        rows = range(self.source.count() if before is not None else 0)
        kept = next((row for row in rows if self.source.itemData(row) == before), 0)
        nothing = dataset is None and not known and before is None
        self.source.setCurrentIndex(-1 if nothing else kept)
        self.source.setPlaceholderText("choose pictures")
        self._last = self.source.currentIndex()

    @property
    def chosen(self) -> Source | None:
        """Where the pictures are; None while nothing is chosen."""
        found = self.source.currentData()
        return found if isinstance(found, Source) else None

    @property
    def count(self) -> int:
        """At most so many."""
        return int(self.most.currentData())

    def choose_path(self, path: Path) -> None:
        """Take the pictures of a folder or of a recorded video, and remember it."""
        kind: Literal["folder", "video"] = "folder" if path.is_dir() else "video"
        self._context.settings.setValue(_FOLDER if kind == "folder" else _VIDEO, str(path))
        for row in range(self.source.count()):
            known = self.source.itemData(row)
            if isinstance(known, Source) and known.kind == kind:
                self.source.removeItem(row)
                break
        self.source.insertItem(self.source.count() - 2, f"{kind} {path.name}", Source(kind, str(path)))
        self._last = self.source.count() - 3
        self.source.setCurrentIndex(self._last)
        self.changed.emit()

    def ask_path(self, kind: str) -> None:
        """Ask for a folder or a video."""
        if kind == "folder":
            before = str(self._context.settings.value(_FOLDER, ""))
            chosen = QFileDialog.getExistingDirectory(self, "Folder of pictures", before)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, "Video", str(self._context.settings.value(_VIDEO, "")))
        if chosen:
            self.choose_path(Path(chosen))

    def _chosen(self, row: int) -> None:
        if self.source.itemData(row) is None:
            kind = "folder" if row == self.source.count() - 2 else "video"
            self.source.setCurrentIndex(self._last)
            self.ask_path(kind)
        elif row != self._last:
            self._last = row
            self.changed.emit()
