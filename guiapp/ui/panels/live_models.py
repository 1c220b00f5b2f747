"""Chooses a published network: the zoo by task, what is known of the chosen one, and the buttons that open it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QBrush, QIcon
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from guiapp.models.own.opened import FAMILY as OWN
from guiapp.ui.icons import icon
from guiapp.ui.panels.live_facts import count, facts, offer, size_of
from guiapp.ui.panels.live_lists import FAMILY, Listed, as_opened, list_timm, list_zoo, short_title
from guiapp.ui.panels.live_weights import LiveWeights
from guiapp.ui.status_bar import size
from guiapp.ui.widgets.painting import tabular
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.live import LiveState
    from guiapp.models.zoo.base import ZooModel, ZooWeights
    from guiapp.models.zoo.weights import Here
    from guiapp.ui.context import Context

__all__ = ["TASKS", "LiveModels", "list_zoo"]

TASKS = {
    "detection": "Detection · box mAP in %", "instances": "Instances · mask mAP in %",
    "keypoints": "Skeletons · key point mAP in %", "segmentation": "Segmentation · mean IoU in %",
    "classification": "Classification · top-1 in %", "clip": "Clips · top-1 in %",
    "flow": "Optical flow · end-point error in px", "depth": "Depth",
    "own": "Your own",
    "trained": "Trained here · validation top-1 in %", "timm": "timm",
}  # fmt: skip
_NAME = Qt.ItemDataRole.UserRole
_ROOM = 8  # least rows of the list
_TYPING_MS = 300
_HEADINGS = ["network", "figure", "param.", "file"]
_MARGIN = 24  # of a name in its column
_TICK = 26  # width of a column that holds a tick alone


_CLOSE = {False: "Close network", True: "Close"}


class LiveModels(QWidget):
    """The networks by task; a click opens one whose weights are here, and asks about one whose weights are not.

    Attributes:
        wanted: Emitted with the name of a network and its weights (``"best"``, ``"random"``, a published name or a
            ``Path``).
        stopped: Emitted when what is being opened is not wanted any more, or the open network is to go.
        tree: ``live.models``.
        weights: ``live.weights``.
        found: What is on this machine, by name; empty until ``fill``.
    """

    wanted = Signal(str, object)
    stopped = Signal()
    _failed = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = context.theme
        self._zoo: Mapping[str, ZooModel] = {}
        self.found: dict[str, Here] = {}
        self._rows: dict[str, QTreeWidgetItem] = {}
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._bridge = context.bridge
        self._of_timm: set[str] = set()
        self._awaited = ""
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._search_timm)
        self._failed.connect(lambda text: self._say(text, failed=True))
        self._chosen: ZooModel | None = None
        self._state: LiveState | None = None
        self._narrow = False
        self.search = QLineEdit(self)
        self.search.setObjectName("live.search")
        self.search.setAccessibleName("Find a network")
        self.search.setPlaceholderText("Find a network …")
        self.search.setToolTip("Words of a name; begin with timm to search the networks of timm")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self.here = QPushButton("Here", self)
        self.here.setObjectName("live.here")
        self.here.setToolTip("List only networks whose weights are on this machine")
        self.here.setCheckable(True)
        self.here.toggled.connect(self._filter)
        self.tree = QTreeWidget(self)
        self._build_tree()
        self.weights = LiveWeights(context.theme, context.settings, self)
        self.weights.picked.connect(self._picked)
        self._build_facts()
        self._arrange()
        self._tell()

    def _build_facts(self) -> None:
        self.title = QuietLabel("live.model-title", self)
        bold = self.title.font()
        bold.setBold(True)
        self.title.setFont(bold)
        self.about = QLabel(self)
        self.about.setObjectName("live.model-about")
        self.about.setWordWrap(True)
        self.about.setProperty("faint", True)
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.about.setMinimumHeight(4 * self.fontMetrics().lineSpacing() + 2)  # so that the buttons below stay
        self.progress = QProgressBar(self)
        self.progress.setObjectName("live.progress")
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(4)
        keep = self.progress.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(keep)
        self.open_button = self._button("live.open-model", "Open", "Run this network on the pictures", True)
        self.random_button = self._button(
            "live.random", "Random weights", "See the whole path work without trained weights; the answers mean nothing"
        )
        self.stop_button = self._button("live.stop-model", "Stop", "Stop opening; what was fetched so far is kept")
        self.open_button.clicked.connect(lambda: self._want(self.weights.wanted))
        self.random_button.clicked.connect(lambda: self._want("random"))
        self.stop_button.clicked.connect(self.stopped)

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.open_button, self.random_button, self.stop_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        find = QHBoxLayout()
        find.setSpacing(4)
        find.addWidget(self.search, 1)
        find.addWidget(self.here)
        column.addLayout(find)
        column.addWidget(self.tree, 1)
        column.addSpacing(4)
        column.addWidget(self.title)
        column.addWidget(self.weights)
        column.addWidget(self.about)
        column.addWidget(self.progress)
        column.addLayout(buttons)

    def _build_tree(self) -> None:
        tree = self.tree
        tree.setObjectName("live.models")
        tree.setAccessibleName("Networks by task")
        tree.setColumnCount(4)
        tree.setHeaderLabels(_HEADINGS)
        tips = ("", "Published accuracy, named in the heading of each task", "Number of parameters",
                "Size of the weight file; bright where it is on this machine")  # fmt: skip
        for column, tip in enumerate(tips):
            tree.headerItem().setToolTip(column, tip)
            if column:
                tree.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        tree.setUniformRowHeights(True)
        tree.setIndentation(8)
        tree.setRootIsDecorated(False)
        tree.setExpandsOnDoubleClick(False)
        tree.setIconSize(QSize(12, 12))
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setFont(tabular(tree.font()))
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        metrics = self.fontMetrics()
        for column, widest in enumerate(("figure", "00.0 M", "000 MB"), 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, metrics.horizontalAdvance(widest) + (32 if column == 3 else 14))
        self._file_width = header.sectionSize(3)
        header.sectionResized.connect(lambda column, _old, new: self._name(new) if column == 0 else None)
        tree.setMinimumHeight(_ROOM * (metrics.height() + 4))
        tree.currentItemChanged.connect(lambda now, _old: self._choose(now))
        tree.itemClicked.connect(lambda item, _column: self._clicked(item))
        tree.itemActivated.connect(lambda item, _column: self._clicked(item))

    def _button(self, name: str, title: str, tip: str, primary: bool = False) -> QPushButton:
        button = QPushButton(title, self)
        button.setObjectName(name)
        button.setToolTip(tip)
        button.setProperty("primary", primary)
        return button

    def set_narrow(self, narrow: bool) -> None:
        """Leave numbers of parameters and bytes out of the list, which stand below; names and buttons say less."""
        if narrow == self._narrow:
            return
        self.tree.setColumnHidden(2, narrow)
        self.tree.header().resizeSection(3, _TICK if narrow else self._file_width)
        self.tree.setHeaderLabels([*_HEADINGS[:3], "" if narrow else _HEADINGS[3]])
        self._narrow = narrow
        for name, row in self._rows.items():
            row.setText(3, "" if narrow else size_of(self._zoo[name].best))
        self._tell()

    def _name(self, width: int) -> None:
        """Abbreviate names that do not all fit into a column: cut off, those of a family would look alike."""
        advance, room = self.tree.fontMetrics().horizontalAdvance, width - _MARGIN
        titles = {name: (model.title, short_title(model.title)) for name, model in self._zoo.items()}
        short = any(advance(title) > room for title, shorter in titles.values() if shorter != title)
        for name, row in self._rows.items():
            row.setText(0, titles[name][short])

    # ------------------------------------------------------------------ list

    def fill(self, listed: Listed) -> None:
        """Show what there is; called again when what is on the machine has changed."""
        models, found = listed
        gone = {name for name in self._zoo if name not in models and name not in self._of_timm}
        timm = {name: self._zoo[name] for name in self._of_timm}
        self._zoo, self.found = {**models, **timm}, {**{name: self.found[name] for name in timm}, **found}
        for name in gone:
            self._remove(name)
        new: dict[str, list[ZooModel]] = {}
        for model in models.values():
            if model.name not in self._rows:
                new.setdefault(_group(model), []).append(model)
        for group in TASKS:  # in this order, whatever the list's is
            for model in sorted(new.get(group, ()), key=lambda model: not self.found[model.name]):
                self._add(model)
        for name, row in self._rows.items():
            self._mark(row, self._zoo[name])
        self._name(self.tree.columnWidth(0))
        self._filter()
        self._go_along()
        self._tell()

    def _add(self, model: ZooModel) -> None:
        name = _group(model)
        if name not in self._groups:
            self._groups[name] = self._add_group(TASKS[name], list(TASKS).index(name))
        figure = model.best.accuracy.partition(" ")[0] or "–"
        size = "" if self._narrow else size_of(model.best)
        row = QTreeWidgetItem(self._groups[name], [model.title, figure, count(model.parameters), size])
        row.setData(0, _NAME, model.name)
        row.setToolTip(0, f"{model.title} · {model.family} · {model.source}")
        for column in (1, 2, 3):
            row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.setToolTip(1, f"{model.best.accuracy or 'no published figure'} · {model.best.name}")
        self._rows[model.name] = row

    def _add_group(self, title: str, place: int) -> QTreeWidgetItem:
        group = QTreeWidgetItem([title])
        before = [name for name in list(TASKS)[:place] if name in self._groups]
        self.tree.insertTopLevelItem(len(before), group)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setFirstColumnSpanned(True)
        bold = self.tree.font()
        bold.setBold(True)
        group.setFont(0, bold)
        group.setExpanded(True)
        return group

    def _remove(self, name: str) -> None:
        row = self._rows.pop(name, None)
        if row is not None:
            row.parent().removeChild(row)
        if self._chosen is not None and self._chosen.name == name:
            self._chosen = None

    def _search_timm(self) -> None:
        """Look for the words behind ``timm`` among the names of timm, on the work lane."""
        first, *rest = [*self.search.text().lower().replace(":", " ").split(), ""]
        if first != "timm":
            return

        def show(listed: Listed) -> None:
            models, found = listed
            keep = {self._chosen.name} & self._of_timm if self._chosen is not None else set()
            for name in self._of_timm - set(models) - keep:
                self._remove(name)
                self._zoo.pop(name, None)
            self._of_timm = set(models) | keep
            self._zoo, self.found = {**self._zoo, **models}, {**self.found, **found}
            self.fill((self._zoo, self.found))

        work = functools.partial(list_timm, " ".join(rest).strip())
        bridge = self._bridge
        bridge.call(
            bridge.engine.submit(work, on_error=lambda error: self._failed.emit(str(error)), title="Searching timm"),
            show,
        )

    def _mark(self, row: QTreeWidgetItem, model: ZooModel) -> None:
        there = bool(self.found.get(model.name))
        faint = QBrush(self.theme.faint)
        for column in (1, 2, 3):
            row.setForeground(column, QBrush(self.theme.text) if there and column == 3 else faint)
        row.setIcon(3, icon("check", self.theme.text) if there else QIcon())
        row.setToolTip(3, "The weights are on this machine" if there else f"Not here: {offer(model.best)}")

    def restyle(self) -> None:
        """Take the colours of another theme."""
        for name, row in self._rows.items():
            self._mark(row, self._zoo[name])

    def _filter(self, _change: object = None) -> None:
        words, here = self.search.text().lower().replace(":", " ").split(), self.here.isChecked()
        for name, row in self._rows.items():
            model = self._zoo[name]
            about = f"{name} {model.title} {model.family} {model.task}".replace(":", " ").lower()
            row.setHidden(not all(word in about for word in words) or (here and not self.found.get(name)))
        for index in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(index)
            group.setHidden(all(group.child(k).isHidden() for k in range(group.childCount())))

    # ------------------------------------------------------------------ the chosen one

    @property
    def chosen(self) -> ZooModel | None:
        """The network whose facts are shown."""
        return self._chosen

    def choose(self, name: str) -> None:
        """Go to a network in the list, if it is there."""
        if name in self._rows:
            self.tree.setCurrentItem(self._rows[name])
            self._show_current()

    def _show_current(self) -> None:
        """Scroll to the chosen row, once what stands below the list has taken its room."""
        QTimer.singleShot(0, self, lambda: self.tree.scrollToItem(self.tree.currentItem()))

    def want(self, name: str) -> None:
        """Open a network that may not be in the list: a run, an ONNX file, the open experiment."""
        self._awaited = name
        self.wanted.emit(name, "best")

    def _choose(self, item: QTreeWidgetItem | None) -> None:
        name = item.data(0, _NAME) if item is not None else None
        if name:
            self._chosen = self._zoo[name]
            self._tell()

    def _clicked(self, item: QTreeWidgetItem) -> None:
        """Open at once what is here; what must be fetched is asked about with the buttons."""
        name = item.data(0, _NAME)
        if not name:
            item.setExpanded(not item.isExpanded())
        elif self.found.get(name) and not self._is(name, "opening", "ready"):
            self.wanted.emit(name, "best")

    def _picked(self, weights: object) -> None:
        """Open at once what is here; a set that must be fetched is asked about."""
        if isinstance(weights, Path) or self.weights.is_here:
            self._want(weights)
        self._tell()

    def _want(self, weights: object) -> None:
        if self._chosen is not None:
            self.wanted.emit(self._chosen.name, weights)

    def _is(self, name: str, *phases: str) -> bool:
        state = self._state
        return state is not None and state.model is not None and state.model.name == name and state.phase in phases

    def show_state(self, state: LiveState) -> None:
        """Show what the lane does."""
        begins = self._state is None or self._state.phase != state.phase
        self._state = state
        self._go_along()
        self._tell()
        if begins and state.phase == "ready":
            self._show_current()

    def _go_along(self) -> None:
        """List the network that is open, whatever opened it, and choose it where nothing else is chosen."""
        model = self._state.model if self._state is not None else None
        if model is None or not self._zoo:
            return
        if self._state.phase == "ready" and model.name not in self._rows:
            self._zoo = {**self._zoo, model.name: model}
            self.found[model.name] = as_opened(model)
            self._of_timm |= {model.name} if _group(model) == "timm" else set()
            self._add(model)
            self._mark(self._rows[model.name], model)
        if (self._chosen is None or self._awaited) and model.name in self._rows:
            self._awaited = ""
            self.choose(model.name)

    def _tell(self) -> None:
        model, state = self._chosen, self._state
        phase = state.phase if state is not None else "empty"
        opening = phase == "opening"
        self.progress.setVisible(opening)
        if opening:
            share = state.share
            self.progress.setRange(0, 0 if share is None else 1000)
            self.progress.setValue(0 if share is None else round(share * 1000))
        mine = model is not None and self._is(model.name, "opening", "ready", "failed")
        self.weights.show_model(model, self.found.get(model.name) if model is not None else None)
        if model is None:
            self.title.set_text("")
            ready_made = "Choose a network from the list; those with a tick are on this machine."
            self._say(ready_made if self._zoo else "Reading the list of networks …")
        else:
            self.title.set_text(" · ".join(part for part in (model.title, self._weights(model).accuracy) if part))
            self.title.tip = f"{model.family} · {model.source}"
            self._say(self._about(model, state if mine else None), failed=mine and phase == "failed")
        ready = mine and phase == "ready"
        trained = ready and state.weights != "random"
        another = (
            trained and self.weights.weights is not None and model.draws and self.weights.chosen() != state.weights
        )
        self.open_button.setVisible(not opening and model is not None and (not trained or another))
        fetched = model is not None and model.best.bytes and not self._is_here(model)
        then = "" if self._narrow else " and open"
        self.open_button.setText(f"Download {size(self._weights(model).bytes)}{then}" if fetched else "Open")
        drawn = model is not None and model.draws and not (ready and not trained)
        self.random_button.setVisible(not opening and drawn)
        self.stop_button.setVisible(opening or (ready and not opening))
        self.stop_button.setText("Stop" if opening else _CLOSE[self._narrow])
        self.stop_button.setToolTip(
            "Stop opening; what was fetched so far is kept" if opening else "Show the pictures without a network"
        )

    def _about(self, model: ZooModel, state: LiveState | None) -> str:
        if state is not None:
            opened = f"Open: {state.note}." if state.note else "Open."
            return {"failed": state.reason, "opening": state.activity or f"opening {model.title}"}.get(
                state.phase, opened
            )
        chosen = self.weights.chosen() if model.draws else ""
        file = chosen.name if isinstance(chosen, Path) else ""
        return facts(model, self._weights(model), self._is_here(model), file)

    def _weights(self, model: ZooModel) -> ZooWeights:
        """The published set that is chosen, or stands for a file."""
        return (self.weights.weights if model.draws else None) or model.best

    def _is_here(self, model: ZooModel) -> bool:
        return self.weights.is_here if model.draws else bool(self.found.get(model.name))

    def _say(self, text: str, failed: bool = False) -> None:
        if bool(self.about.property("error")) != failed:
            self.about.setProperty("error", failed)
            self.about.setProperty("faint", not failed)
            self.about.style().unpolish(self.about)
            self.about.style().polish(self.about)
        if text != self.about.text():
            self.about.setText(text)
            self.about.setToolTip(text)


def _group(model: ZooModel) -> str:
    """The part of the list that a network belongs to."""
    if model.family in ("timm", OWN):
        return "timm" if model.family == "timm" else "own"
    return "trained" if model.family == FAMILY else model.task
