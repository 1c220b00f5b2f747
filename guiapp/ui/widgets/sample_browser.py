"""Browses the samples of the open data set: part, class, mistakes; a click looks at one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from guiapp.datasets.base import PARTS, UNLABELLED
from guiapp.engine.state import EngineState, LookResult
from guiapp.ui.context import Context
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.sample_grid import SampleGrid

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset

_TITLES = {"train": "Training", "validation": "Validation", "test": "Test"}
_WHILE_TRAINING_S = 3.0  # predictions of thumbnails are asked anew this often while the weights move
_CHUNK = 1024
_MOMENT_MS = 100
_TOGETHER = -2  # stands for the samples that another panel has chosen together


class SampleBrowser(QWidget):
    """A virtualised grid of one part of the open data set.

    Attributes:
        grid: The thumbnails, ``<name>.grid``.
        part: Choice of the part, ``<name>.part``.
        classes: Choice of the class, ``<name>.class``.
        mistakes: Switch that shows wrongly read samples alone, ``<name>.mistakes``.
    """

    def __init__(self, context: Context, name: str = "samples", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.name = context, name
        self._dataset: Dataset | None = None
        self._state: EngineState = context.bridge.state
        self._weights: object = None
        self._asked_at = 0.0
        self._asked_for: tuple[object, bytes] | None = None
        self._serial = 0
        self._checking: tuple[int, int] | None = None
        self.grid = SampleGrid(context.theme, self)
        self.grid.setObjectName(f"{name}.grid")
        self.part = QComboBox(self)
        self.part.setObjectName(f"{name}.part")
        self.part.setAccessibleName("Part of the data set")
        self.part.setToolTip("Part of the data set; the test part is for the final figure, not for choosing")
        self.classes = QComboBox(self)
        self.classes.setObjectName(f"{name}.class")
        self.classes.setAccessibleName("Class")
        self.classes.setToolTip("Show one class alone")
        self.mistakes = QPushButton("Mistakes", self)
        self.mistakes.setObjectName(f"{name}.mistakes")
        self.mistakes.setCheckable(True)
        self.mistakes.setToolTip("Show only the samples that the network reads wrongly now")
        self.count = QuietLabel(f"{name}.count", self, context.theme.faint)
        for box in (self.part, self.classes):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(4)
        self.empty = EmptyState("No data set is open: choose an experiment in the catalogue.", parent=self)
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)
        self.part.currentIndexChanged.connect(lambda _=0: self._load_part())
        self.classes.currentIndexChanged.connect(lambda _=0: self._filter())
        self.mistakes.toggled.connect(self._toggle_mistakes)
        self.grid.chosen.connect(self.choose)
        self.grid.visible_changed.connect(lambda: self._soon(150))
        context.bridge.state_changed.connect(self._follow)
        context.bridge.looked.connect(self._looked)
        self._unsubscribe = context.workspace.subscribe("sample", self._mark)
        self.destroyed.connect(lambda _=None, stop=self._unsubscribe: stop())
        together = context.workspace.subscribe("samples", self._choose_together)
        self.destroyed.connect(lambda _=None, stop=together: stop())
        self._follow(self._state)

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.part, 1)
        row.addWidget(self.classes, 1)
        below = QHBoxLayout()
        below.setSpacing(4)
        below.addWidget(self.count, 1)
        below.addWidget(self.mistakes)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addLayout(below)
        column.addWidget(self.grid, 1)
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 150)

    # ------------------------------------------------------------------ what is shown

    @property
    def current_part(self) -> str:
        """Name of the part that is shown."""
        return str(self.part.currentData() or "validation")

    def choose(self, index: int) -> None:
        """Look at a sample of the shown part."""
        if self._dataset is not None:
            workspace = self.context.workspace
            workspace.sample = (self.current_part, index)
            workspace.picture = self._dataset.picture(self.current_part, index)  # type: ignore[arg-type]

    def _mark(self, sample: tuple[str, int] | None) -> None:
        self.grid.set_current(sample[1] if sample is not None and sample[0] == self.current_part else None)

    def _choose_together(self, samples: tuple[tuple[str, int], ...]) -> None:
        """List what another panel has chosen together, such as with a lasso; all again when nothing is."""
        row = self.classes.findData(_TOGETHER)
        parts = {part for part, _ in samples}
        self.classes.blockSignals(True)
        if row >= 0:
            self.classes.removeItem(row)
        if samples:
            self.classes.insertItem(0, f"chosen ({len(samples):,})", _TOGETHER)
        if samples or row >= 0:
            self.classes.setCurrentIndex(0)
        self.classes.blockSignals(False)
        if samples and self.current_part not in parts:
            self.part.setCurrentIndex(max(0, self.part.findData(next(iter(sorted(parts))))))
        self._filter()

    def _follow(self, state: EngineState) -> None:
        self._state = state
        dataset = state.opened.dataset if state.opened is not None else None
        if dataset is self._dataset:
            return
        self._dataset = dataset
        self._serial += 1
        self._checking = None
        kept = self.current_part
        for box in (self.part, self.classes, self.mistakes):
            box.blockSignals(True)
        self.part.clear()
        self.classes.clear()
        self.mistakes.setChecked(False)
        if dataset is not None:
            for part in PARTS:
                if len(dataset.part(part)):
                    self.part.addItem(_TITLES[part], part)
            self.part.setCurrentIndex(max(0, self.part.findData(kept)))
            self.classes.addItem("all", -1)
            for index, label in enumerate(dataset.classes):
                self.classes.addItem(label, index)
        for box in (self.part, self.classes, self.mistakes):
            box.blockSignals(False)
        self._pages.setCurrentIndex(1 if dataset is not None else 0)
        self._load_part()

    def _load_part(self) -> None:
        self._serial += 1
        self._checking = None
        self._asked_for = None
        dataset = self._dataset
        samples = dataset.part(self.current_part) if dataset is not None else None  # type: ignore[arg-type]
        self.grid.set_samples(samples, dataset.classes if dataset is not None else ())
        self._mark(self.context.workspace.sample)
        if self.mistakes.isChecked():
            self._check_all()
        self._filter()

    def _filter(self) -> None:
        samples = self.grid.samples
        if samples is None:
            return
        labels = np.asarray(samples.labels)
        keep = np.ones(len(labels), bool)
        chosen = self.classes.currentData()
        if chosen is not None and chosen >= 0:
            keep &= labels == chosen
        elif chosen == _TOGETHER:
            mine = [index for part, index in self.context.workspace.samples if part == self.current_part]
            keep &= np.isin(np.arange(len(labels)), mine)
        if self.mistakes.isChecked():
            keep &= (self.grid.predictions >= 0) & (self.grid.predictions != labels) & self._told(labels)
        self.grid.set_shown(np.flatnonzero(keep))
        self._describe()

    def _describe(self) -> None:
        shown, samples = len(self.grid.shown), self.grid.samples
        text = f"{shown:,} samples"
        if self.mistakes.isChecked() and samples is not None:
            told = self._told(np.asarray(samples.labels))
            known = int((told & (self.grid.predictions >= 0)).sum())
            text = f"{shown:,} of {known:,} wrong" if told.any() else "not labelled"
            if self._checking is not None:
                text += f" · reading, {100 * self._checking[0] // max(1, self._checking[1])} %"
            elif self.current_part == "test":
                text += " · not for choosing"
        self.count.set_text(text)

    def _told(self, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Of which samples somebody has said what they show: only those can be read wrongly."""
        opened = self._state.opened
        classes = opened.dataset.classes if opened is not None else ()
        return labels != (classes.index(UNLABELLED) if UNLABELLED in classes else -1)

    # ------------------------------------------------------------------ predictions

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._soon(0)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _looked(self, result: LookResult) -> None:
        """Other weights: read the visible samples again, seldom while they move on and on."""
        # Step 0 of a run has fresh weights, also where others were looked at before it.
        weights = (result.opened, self._state.run, result.step)
        running = self._state.phase == "running"
        if weights == self._weights and (running or not self._timer.isActive()):
            return
        self._weights = weights
        if self.isVisible():
            since = time.monotonic() - self._asked_at
            self._soon(max(0, round((_WHILE_TRAINING_S - since) * 1000)) if running else 0)

    def _soon(self, milliseconds: int) -> None:
        if self.isVisible() and (not self._timer.isActive() or self._timer.remainingTime() > milliseconds):
            self._timer.start(milliseconds)

    def _ask(self) -> None:
        """Ask for predictions of the samples in sight, unless these were asked with these weights."""
        samples, indices = self.grid.samples, self.grid.visible_indices()
        if samples is None or not len(indices) or not self.isVisible() or not self._runs():
            return
        if self._checking is not None:
            return
        asked = (self._weights, indices.tobytes())
        if asked == self._asked_for:
            return
        self._asked_for, self._asked_at = asked, time.monotonic()
        self._predict(samples.images[indices], f"{self.name} thumbnails", indices)

    def _runs(self) -> bool:
        """Whether there is a network that can be asked; of some that are watched only the weights are known."""
        return self._state.opened is not None and self._state.opened.runs

    def _predict(self, images: npt.NDArray[np.uint8], title: str, indices: npt.NDArray[np.int64]) -> None:
        job = self.context.bridge.engine.predict_many(np.asarray(images), title, self._state.opened)
        serial = self._serial
        self.context.bridge.call(job, lambda scores: self._arrived(serial, indices, scores))

    def _arrived(self, serial: int, indices: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]) -> None:
        if serial != self._serial or scores.shape[0] != len(indices):
            return
        self.grid.set_predictions(indices, scores.argmax(axis=1).astype(np.int16))

    def _toggle_mistakes(self, on: bool) -> None:
        self._serial += 1
        self._checking = None
        if on:
            self._check_all()
        self._filter()

    def _check_all(self) -> None:
        """Read the whole part, some hundred samples at a time, showing the mistakes as they are found."""
        samples = self.grid.samples
        if samples is None or not self._runs():
            return
        self._checking = (0, len(samples))
        self._check_next(self._serial, 0)

    def _check_next(self, serial: int, start: int) -> None:
        samples = self.grid.samples
        if serial != self._serial or samples is None:
            return
        indices = np.arange(start, min(start + _CHUNK, len(samples)))
        job = self.context.bridge.engine.predict_many(
            np.asarray(samples.images[start : start + _CHUNK]), f"{self.name} mistakes", self._state.opened
        )

        def arrived(scores: npt.NDArray[np.float32]) -> None:
            if serial != self._serial:
                return
            if not len(scores):  # another network was opened, of which the window will know in a moment
                QTimer.singleShot(_MOMENT_MS, self, lambda: self._check_next(serial, start))
                return
            self._arrived(serial, indices, scores)
            done = int(indices[-1]) + 1
            self._checking = (done, len(samples)) if done < len(samples) else None
            self._filter_in_place()
            if self._checking is not None:
                self._check_next(serial, done)

        self.context.bridge.call(job, arrived)

    def _filter_in_place(self) -> None:
        """Add newly found mistakes without scrolling away from what is looked at."""
        at = self.grid.verticalScrollBar().value()
        self._filter()
        self.grid.verticalScrollBar().setValue(at)
