"""The Teach panel: classes made by holding a button, learned in a moment, tested live, saved as a folder."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from guiapp.core import paths
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.teach_source import NONE, TeachSource
from guiapp.ui.panels.teach_words import words
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.teach_row import TeachRow

if TYPE_CHECKING:
    from guiapp.engine.teach import Pixels, Seen, TeachLane, TeachState

_MOST_VERSIONS = 30  # of a still picture that wait for the network
_FIRST = "mobilenet_v2"
_BEGIN = (
    "Press + Class twice. Hold the button of a class while the live picture or the viewer shows what belongs to it. "
    "From two classes on each picture is recognised."
)
_EXHIBIT = "transfer-learning"


class TeachPanel(Panel):
    """Rows of classes over one lane of the engine, which starts with the first class.

    Attributes:
        network: The frozen network, ``teach.network``.
        line: What has been learned, ``teach.line``.
        source: Where samples come from now, ``teach.source``.
        taken: What gives them.
        rows: The classes by key.
        lane: What collects and learns; None before the first class.
    """

    id = "teach"
    title = "Teach"
    _state_filled = Signal()
    _seen_filled = Signal()
    _saved = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.lane: TeachLane | None = None
        self.rows: dict[int, TeachRow] = {}
        self._held: int | None = None
        self._train_on = False
        self.taken = TeachSource(context, self._wants_version, self)
        self._build()
        queued = Qt.ConnectionType.QueuedConnection
        self._state_filled.connect(self._take_state, queued)
        self._seen_filled.connect(self._take_seen, queued)
        self._saved.connect(self._was_saved, queued)
        self.taken.given.connect(self._collect)
        self.taken.shown.connect(self._look)
        self.taken.moved.connect(self._name_source)
        stop = context.workspace.subscribe("samples", lambda _samples: self._name_source())
        self.destroyed.connect(lambda _=None: stop())
        context.theme.changed.connect(self._restyle)
        self._name_source()

    def _build(self) -> None:
        self.network = QComboBox(self)
        self.network.setObjectName("teach.network")
        self.network.setAccessibleName("Network")
        self.network.setToolTip(
            "Frozen network whose features tell the classes apart; its weights are fetched if needed"
        )
        self.network.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.network.setMinimumContentsLength(10)
        self.network.activated.connect(lambda _row: self._use())
        self._open = self._button(
            "open", "Open…", "Add every class of a folder with one sub-folder of pictures a class"
        )
        self._open.clicked.connect(self._ask_folder)
        self._save = self._button("save", "Save…", "Save the samples as an ordinary folder with one sub-folder a class")
        self._save.clicked.connect(lambda _=False: self._ask_save())
        self._train = self._button(
            "train", "Fine-tune…", "Save the samples as a folder and open it as the data set of a run that fine-tunes"
        )
        self._train.clicked.connect(lambda _=False: self._ask_save(train=True))
        self._add = self._button("add", "+ Class", "A new class")
        self._add.clicked.connect(lambda _=False: self.add_class())
        self._choose = self._button(
            "selection",
            "+ Selection",
            "A class of the samples that are chosen, such as those inside a lasso of the map",
        )
        self._choose.clicked.connect(lambda _=False: self.add_selection())
        self.line = QuietLabel("teach.line", self)
        self.source = QuietLabel("teach.source", self, self.context.theme.faint)
        self._list = QWidget(self)
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._list)
        top, foot = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.network, 1)
        top.addWidget(self._open)
        top.addWidget(self._save)
        foot.addWidget(self._add)
        foot.addWidget(self._choose)
        foot.addStretch(1)
        foot.addWidget(self._train)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(6)
        column.addLayout(top)
        column.addWidget(self.source)
        self.empty = EmptyState(_BEGIN, (), self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(scroll)
        column.addWidget(self._pages, 1)
        column.addLayout(foot)
        column.addWidget(self.line)
        for button in (self._save, self._train):
            button.setEnabled(False)

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(f"teach.{name}")
        button.setToolTip(tip)
        return button

    def minimumSizeHint(self) -> QSize:
        return QSize(260, 180)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        if not self.network.count():
            self._list_networks()

    def shut(self) -> None:
        """End the lane; what was not saved goes."""
        self.taken.release()
        if self.lane is not None:
            self.lane.state.on_filled = self.lane.seen.on_filled = None
            self.lane.close()
            self.lane = None

    # ------------------------------------------------------------------ classes

    def start(self) -> TeachLane:
        """The lane, begun where it is not."""
        if self.lane is None:
            from guiapp.engine.teach import TeachLane

            folder = paths.cache() / "teach" / f"{time.time_ns():x}"
            self.lane = TeachLane(folder, self.context.notices)
            self.lane.state.on_filled = self._state_filled.emit
            self.lane.seen.on_filled = self._seen_filled.emit
            if not self.network.count():
                self._list_networks()
            self._use()
        return self.lane

    def add_class(self, name: str = "") -> None:
        """A new class; without a name it is called by its number."""
        self.start().add_class(name or f"class {len(self.rows) + 1}")

    def add_selection(self) -> None:
        """A class of the samples that are chosen together in the open data set."""
        opened = self.context.bridge.state.opened
        chosen = self.context.workspace.samples
        if opened is None or not chosen:
            self.context.notices.post(
                "info",
                "No samples are chosen: draw a lasso in the Embedding panel, or click a cell of a table of errors.",
            )
            return
        dataset = opened.dataset
        reads = [(partial(_sample, dataset, part, index), _file(dataset, part, index)) for part, index in chosen]
        self.start().collect_many(f"selection {len(self.rows) + 1}", reads)

    def open_folder(self, folder: Path) -> None:
        """Teach every class of a folder."""
        self.start().open_folder(folder)

    def save(self, folder: Path, train: bool = False) -> None:
        """Save the samples; with ``train`` the folder becomes the data set of a run."""
        if self.lane is not None:
            self._train_on = train
            self.lane.save(folder, self._saved.emit)

    def _use(self) -> None:
        name = self.network.currentData()
        if name and self.lane is not None:
            self.lane.use(name)

    def _list_networks(self) -> None:
        from guiapp.models.backbones import backbones, weights_here
        from guiapp.models.zoo.table import ZOO

        there = [name for name in backbones() if weights_here(name)]
        names = [_FIRST, *(name for name in there if name != _FIRST)]
        for name in names:
            missing = "" if name in there else f" (fetches {ZOO[name].best.bytes / 1e6:.0f} MB)"
            self.network.addItem(f"{ZOO[name].title}{missing}", name)

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder with one sub-folder of pictures a class", self._last())
        if name:
            self.context.settings.setValue("last-folder", name)
            self.open_folder(Path(name))

    def _ask_save(self, train: bool = False) -> None:
        name = QFileDialog.getExistingDirectory(
            self, "Folder for the samples, with one sub-folder a class", self._last()
        )
        if name:
            self.context.settings.setValue("last-folder", name)
            self.save(Path(name), train)

    def _was_saved(self, folder: Path) -> None:
        state = self.lane.newest if self.lane is not None else None
        count = state.samples if state is not None else 0
        self.context.notices.post("info", f"{count:,} samples are saved in {folder}, one sub-folder a class.")
        if self._train_on:
            self.context.bridge.engine.open_experiment(_EXHIBIT, {"dataset": f"folder:{folder}"})

    def _last(self) -> str:
        return str(self.context.settings.value("last-folder", str(Path.home())))

    # ------------------------------------------------------------------ pictures

    def _name_source(self) -> None:
        self.source.set_text(*self.taken.words)
        self._choose.setEnabled(bool(self.context.workspace.samples))

    def _hold(self, key: int) -> None:
        self._held = key
        if not self.taken.hold():
            self._held = None
            self.context.notices.post("info", NONE)

    def _release(self, _key: int) -> None:
        self._held = None
        self.taken.release()

    def _wants_version(self) -> bool:
        """Whether there is room for one more version of a picture that stands still."""
        return self.lane is not None and self.lane.backlog <= _MOST_VERSIONS

    def _collect(self, pixels: Pixels) -> None:
        if self._held is not None and self.lane is not None:
            self.lane.collect(self._held, pixels)

    def _look(self) -> None:
        """Say what the picture is that is there now."""
        picture = self.taken.picture
        if self.lane is not None and picture is not None and self.isVisible():
            self.lane.look(picture.pixels)

    # ------------------------------------------------------------------ showing

    def _take_state(self) -> None:
        state = self.lane.state.take() if self.lane is not None else None
        if state is None:
            return
        learned_now = state.learned and "learned" not in self.line.text()
        self._show_rows(state)
        self.line.ink = self.context.theme.error if state.reason else None
        self.line.set_text(*words(state))
        for button in (self._save, self._train):
            button.setEnabled(state.samples > 0)
        if not state.learned:
            for row in self.rows.values():
                row.show_share(None)
        if learned_now:
            self._look()

    def _show_rows(self, state: TeachState) -> None:
        keys = [one.key for one in state.classes]
        self._pages.setCurrentIndex(1 if keys else 0)
        for key in [key for key in self.rows if key not in keys]:
            if self._held == key:
                self._release(key)
            row = self.rows.pop(key)
            self._column.removeWidget(row)
            row.deleteLater()
        for index, one in enumerate(state.classes):
            made = self.rows.get(one.key)
            if made is None:
                made = self.rows[one.key] = self._make_row(one.key)
                self._column.insertWidget(index, made)
            made.show_class(one, index, max(len(state.classes), 1))

    def _make_row(self, key: int) -> TeachRow:
        row = TeachRow(key, self.context.theme, self._list)
        row.held.connect(self._hold)
        row.released.connect(self._release)
        lane = self.start()
        row.renamed.connect(lane.rename)
        row.undone.connect(lane.remove_last)
        row.removed.connect(lane.remove_class)
        return row

    def _take_seen(self) -> None:
        seen: Seen | None = self.lane.seen.take() if self.lane is not None else None
        if seen is None:
            return
        shares = dict(zip(seen.keys, seen.probabilities, strict=True))
        best = max(shares, key=lambda key: shares[key])
        for key, row in self.rows.items():
            row.show_share(shares.get(key), key == best)

    def _restyle(self) -> None:
        self.source.ink = self.context.theme.faint
        self.source.update()
        if self.lane is not None:
            self._show_rows(self.lane.newest)


def _sample(dataset: Any, part: str, index: int) -> Any:
    return dataset.picture(part, index).pixels


def _file(dataset: Any, part: str, index: int) -> Path | None:
    files = dataset.part(part).paths
    found = Path(files[index]) if len(files) else None
    return found if found is not None and found.is_file() else None
