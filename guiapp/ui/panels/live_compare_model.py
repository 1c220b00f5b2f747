"""Chooses the second network of a comparison: a list by task, its weights, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from guiapp.core.live_run import Precision
from guiapp.models.zoo.papers import UNTRAINED
from guiapp.ui.icons import icon
from guiapp.ui.panels.live_models import TASKS
from guiapp.ui.status_bar import size
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.live import LiveState
    from guiapp.models.zoo.base import ZooModel
    from guiapp.models.zoo.weights import Here
    from guiapp.ui.theme import Theme

RANDOM = "random"
_NAME = Qt.ItemDataRole.UserRole


class SecondModel(QWidget):
    """Two lists, networks and their weights; what is on this machine opens at once, the rest is asked about.

    Attributes:
        wanted: Emitted with the name of a network and its weights: a published name, ``"random"`` or a ``Path``.
        stopped: Emitted when what is being opened is not wanted any more.
        models: ``live.compare-model``.
        weights: ``live.compare-weights``.
        note: What is open, what is done, or what is wrong, ``live.compare-note``.
        precision: Numbers that it counts with, ``live.compare-precision``; ``precision_chosen`` tells of a choice.
    """

    wanted = Signal(str, object)
    stopped = Signal()
    precision_chosen = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._zoo: Mapping[str, ZooModel] = {}
        self._found: Mapping[str, Here] = {}
        self._task = ""
        self._state: LiveState | None = None
        self.models = self._list("live.compare-model", "Second network")
        self.models.setMaxVisibleItems(24)
        self.models.view().setMinimumWidth(260)  # names are whole in the open list
        self.models.setPlaceholderText("Second network …")
        self.models.activated.connect(self._choose)
        self.weights = self._list("live.compare-weights", "Weights of the second network")
        self.weights.activated.connect(lambda _index: self._choose_weights())
        self.note = QuietLabel("live.compare-note", self)
        self.precision = self._list("live.compare-precision", "Numbers that the second network (B) counts with")
        self.precision.addItem("as A", None)
        for name in get_args(Precision):
            self.precision.addItem(name, name)
        self.precision.activated.connect(lambda _index: self.precision_chosen.emit())
        self.fetch = QPushButton("Download", self)
        self.fetch.setObjectName("live.compare-open")
        self.fetch.clicked.connect(self._want)
        self.stop = QPushButton("Stop", self)
        self.stop.setObjectName("live.compare-stop")
        self.stop.setToolTip("Stop opening; what was fetched so far is kept")
        self.stop.clicked.connect(self.stopped)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(4)
        keep = self.progress.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(keep)
        lists = QHBoxLayout()
        lists.setSpacing(4)
        lists.addWidget(self.models, 3)
        lists.addWidget(self.weights, 2)
        below = QHBoxLayout()
        below.setSpacing(4)
        below.addWidget(self.note, 1)
        below.addWidget(self.precision)
        below.addWidget(self.fetch)
        below.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(lists)
        column.addLayout(below)
        column.addWidget(self.progress)
        theme.changed.connect(self._restyle)
        self._tell()

    def _restyle(self) -> None:
        """Ticks and notes in the colours of another theme."""
        self._rebuild()
        self._tell()
        self.note.update()

    def _list(self, name: str, title: str) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(name)
        box.setAccessibleName(title)
        box.setToolTip(title)
        box.setIconSize(QSize(12, 12))
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(6)
        box.setMinimumWidth(64)  # long names and the invitation are cut off where there is no room
        return box

    # ------------------------------------------------------------------ lists

    def fill(self, zoo: Mapping[str, ZooModel], found: Mapping[str, Here]) -> None:
        """Take the zoo and what of it is on this machine."""
        self._zoo, self._found = zoo, found
        self._rebuild()

    def set_task(self, task: str) -> None:
        """List the networks of the first one's task before the others: their answers can be compared."""
        if task and task != self._task:
            self._task = task
            self._rebuild()

    def _rebuild(self) -> None:
        chosen = self.chosen
        box = self.models
        box.clear()
        tasks = sorted(TASKS, key=lambda task: task != self._task)
        rows = box.model()
        assert isinstance(rows, QStandardItemModel)
        for task in tasks:
            models = sorted(
                (m for m in self._zoo.values() if m.task == task), key=lambda m: not self._found.get(m.name)
            )
            if not models:
                continue
            box.addItem(TASKS[task].partition(" · ")[0])
            heading = rows.item(box.count() - 1)
            heading.setFlags(Qt.ItemFlag.NoItemFlags)
            bold = box.font()
            bold.setBold(True)
            heading.setFont(bold)
            for model in models:
                box.addItem(self._tick(bool(self._found.get(model.name))), model.title, model.name)
        box.setCurrentIndex(-1 if chosen is None else box.findData(chosen.name, _NAME))
        self._list_weights()

    def _tick(self, there: bool) -> QIcon:
        return icon("check", self._theme.text) if there else QIcon()

    def _list_weights(self) -> None:
        box, model, before = self.weights, self.chosen, self.weights.currentData(_NAME)
        box.clear()
        box.setEnabled(model is not None)
        if model is None:
            return
        here = self._found.get(model.name)
        published = here.published if here else ()
        for weights in () if model.best.name == UNTRAINED else model.weights:
            box.addItem(self._tick(weights.name in published), weights.name, weights.name)
        for path in here.others if here else ():
            box.addItem(self._tick(True), path.name, path)
        if not model.best.shipped:
            box.addItem("random weights", RANDOM)
        best = next((i for i in range(box.count()) if not box.itemIcon(i).isNull()), 0)
        again = [i for i in range(box.count()) if box.itemData(i, _NAME) == before]
        box.setCurrentIndex(again[0] if again else best)

    @property
    def chosen(self) -> ZooModel | None:
        """The network in the list."""
        return self._zoo.get(self.models.currentData(_NAME) or "")

    def suggestion(self, first: str) -> tuple[str, str | Path] | None:
        """A network of the task whose weights are here, best one that knows the same classes, and these weights.

        Args:
            first: The network that it is compared with.
        """
        able = [m for m in self._zoo.values() if m.task == self._task and m.name != first and self._found.get(m.name)]
        if not able:
            return None
        known = _classes(self._zoo[first]) if first in self._zoo else set()
        best = max(able, key=lambda model: bool(_classes(model) & known))  # the first of equal ones
        here = self._found[best.name]
        return best.name, here.published[0] if here.published else here.others[0]

    def choose(self, name: str, weights: str | Path | None = None) -> None:
        """Go to a network in the list and, where they are named, to weights of it; opens nothing."""
        self.models.setCurrentIndex(self.models.findData(name, _NAME))
        self._list_weights()
        for row in range(self.weights.count()):
            if weights is not None and self.weights.itemData(row, _NAME) == weights:
                self.weights.setCurrentIndex(row)
        self._tell()

    # ------------------------------------------------------------------ hand

    def _choose(self, _index: int) -> None:
        self.weights.clear()  # those of another network are no choice
        self._list_weights()
        self._choose_weights()

    def _choose_weights(self) -> None:
        if self._there():
            self._want()
        else:
            self._state = None
            self._tell()

    def _there(self) -> bool:
        """Whether the chosen weights can be opened without a download."""
        return (
            self.weights.currentData(_NAME) == RANDOM or not self.weights.itemIcon(self.weights.currentIndex()).isNull()
        )

    def _want(self) -> None:
        if self.chosen is not None:
            self.wanted.emit(self.chosen.name, self.weights.currentData(_NAME))

    # ------------------------------------------------------------------ state

    def show_state(self, state: LiveState | None) -> None:
        """Show what the lane does with the second network."""
        self._state = state
        self._tell()

    def _tell(self) -> None:
        state, model = self._state, self.chosen
        phase = state.phase if state is not None else "empty"
        opening = phase == "opening"
        self.progress.setVisible(opening)
        if opening:
            share = state.share
            self.progress.setRange(0, 0 if share is None else 1000)
            self.progress.setValue(0 if share is None else round(share * 1000))
        missing = model is not None and phase == "empty" and not self._there()
        self.stop.setVisible(opening)
        self.fetch.setVisible(missing)
        self.precision.setVisible(not opening and not missing)
        self.note.ink = self._theme.error if phase == "failed" else self._theme.faint
        if missing:
            weights = next(w for w in model.weights if w.name == self.weights.currentData(_NAME))
            self.fetch.setText(f"Download {size(weights.bytes)}")
            self.note.set_text(f"not on this machine · licence {weights.licence}", ("not on this machine",))
            self.note.tip = f"From {weights.url}; licence {weights.licence}, trained on {weights.trained_on}"
            return
        self.note.tip = ""
        texts = {
            "failed": state.reason if state else "", "opening": (state.activity or "opening") if state else "",
            "ready": (state.note or "open") if state else "", "empty": "",
        }  # fmt: skip
        self.note.set_text(texts[phase])


def _classes(model: ZooModel) -> set[str]:
    """What is known of the classes without opening the network: their names, or that of the set."""
    labels = model.best.labels or getattr(getattr(model, "description", None), "labels", "")
    return {labels.partition("-")[0]} - {""} if isinstance(labels, str) else set(labels)
