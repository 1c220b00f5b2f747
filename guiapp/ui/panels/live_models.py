"""Chooses a published network: the zoo by task, what is known of the chosen one, and the buttons that open it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PySide6.QtCore import QSize, Qt, Signal
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

from guiapp.ui.icons import icon
from guiapp.ui.status_bar import size
from guiapp.ui.widgets.painting import tabular
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.live import LiveState
    from guiapp.models.zoo.base import ZooModel
    from guiapp.models.zoo.weights import Here
    from guiapp.ui.context import Context

TASKS = {
    "detection": "Detection · box mAP in %", "instances": "Instances · mask mAP in %",
    "keypoints": "Skeletons · key point mAP in %", "segmentation": "Segmentation · mean IoU in %",
    "classification": "Classification · top-1 in %", "clip": "Clips · top-1 in %",
    "flow": "Optical flow · end-point error in px", "depth": "Depth",
}  # fmt: skip
_NAME = Qt.ItemDataRole.UserRole
_ROOM = 8  # least rows of the list


def list_zoo() -> Generator[None, None, tuple[Mapping[str, ZooModel], dict[str, Here]]]:
    """The zoo, and what of it is on this machine.

    Reads a table and looks into folders: work for another thread than the window's.
    """
    yield
    from guiapp.models.zoo import listed
    from guiapp.models.zoo.weights import here

    models, found = listed(), {}
    for name, model in models.items():
        found[name] = here(model)
        yield
    return models, found


class LiveModels(QWidget):
    """The networks by task; a click opens one whose weights are here, and asks about one whose weights are not.

    Attributes:
        wanted: Emitted with the name of a network and its weights (``"best"``, ``"random"`` or a published name).
        stopped: Emitted when what is being opened is not wanted any more, or the open network is to go.
        tree: ``live.models``.
        found: What is on this machine, by name; empty until ``fill``.
    """

    wanted = Signal(str, str)
    stopped = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = context.theme
        self._zoo: Mapping[str, ZooModel] = {}
        self.found: dict[str, Here] = {}
        self._rows: dict[str, QTreeWidgetItem] = {}
        self._chosen: ZooModel | None = None
        self._state: LiveState | None = None
        self.search = QLineEdit(self)
        self.search.setObjectName("live.search")
        self.search.setAccessibleName("Find a network")
        self.search.setPlaceholderText("Find a network …")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.here = QPushButton("Here", self)
        self.here.setObjectName("live.here")
        self.here.setToolTip("List only networks whose weights are on this machine")
        self.here.setCheckable(True)
        self.here.toggled.connect(self._filter)
        self.tree = QTreeWidget(self)
        self._build_tree()
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
        self.open_button.clicked.connect(lambda: self._want("best"))
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
        column.addWidget(self.about)
        column.addWidget(self.progress)
        column.addLayout(buttons)

    def _build_tree(self) -> None:
        tree = self.tree
        tree.setObjectName("live.models")
        tree.setAccessibleName("Networks by task")
        tree.setColumnCount(4)
        tree.setHeaderLabels(["network", "figure", "param.", "file"])
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
        """Leave the number of parameters out of the list; it stands below."""
        self.tree.setColumnHidden(2, narrow)

    # ------------------------------------------------------------------ list

    def fill(self, listed: tuple[Mapping[str, ZooModel], dict[str, Here]]) -> None:
        """Show the zoo; called again when what is on the machine has changed."""
        self._zoo, self.found = listed
        if not self._rows:
            for task, title in TASKS.items():
                models = [model for model in self._zoo.values() if model.task == task]
                self._add_task(title, sorted(models, key=lambda model: not self.found[model.name]))
        for name, row in self._rows.items():
            self._mark(row, self._zoo[name])
        self._filter()
        self._tell()

    def _add_task(self, title: str, models: list[ZooModel]) -> None:
        group = QTreeWidgetItem(self.tree, [title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setFirstColumnSpanned(True)
        bold = self.tree.font()
        bold.setBold(True)
        group.setFont(0, bold)
        for model in models:
            figure = model.best.accuracy.partition(" ")[0] or "–"
            texts = [model.title, figure, _count(model.parameters), _size(model)]
            row = QTreeWidgetItem(group, texts)
            row.setData(0, _NAME, model.name)
            row.setToolTip(0, f"{model.title} · {model.family} · {model.source}")
            for column in (1, 2, 3):
                row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row.setToolTip(1, f"{model.best.accuracy or 'no published figure'} · {model.best.name}")
            self._rows[model.name] = row
        group.setExpanded(True)

    def _mark(self, row: QTreeWidgetItem, model: ZooModel) -> None:
        there = bool(self.found.get(model.name))
        faint = QBrush(self.theme.faint)
        for column in (1, 2, 3):
            row.setForeground(column, QBrush(self.theme.text) if there and column == 3 else faint)
        row.setIcon(3, icon("check", self.theme.text) if there else QIcon())
        row.setToolTip(3, "The weights are on this machine" if there else f"Not here: {_offer(model)}")

    def restyle(self) -> None:
        """Take the colours of another theme."""
        for name, row in self._rows.items():
            self._mark(row, self._zoo[name])

    def _filter(self, _change: object = None) -> None:
        words, here = self.search.text().lower().split(), self.here.isChecked()
        for name, row in self._rows.items():
            model = self._zoo[name]
            about = f"{name} {model.title} {model.family} {model.task}".lower()
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
        """Go to a network in the list."""
        self.tree.setCurrentItem(self._rows[name])

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

    def _want(self, weights: str) -> None:
        if self._chosen is not None:
            self.wanted.emit(self._chosen.name, weights)

    def _is(self, name: str, *phases: str) -> bool:
        state = self._state
        return state is not None and state.model is not None and state.model.name == name and state.phase in phases

    def show_state(self, state: LiveState) -> None:
        """Show what the lane does."""
        self._state = state
        if state.model is not None and self._chosen is None and state.model.name in self._rows:
            self.choose(state.model.name)
        self._tell()

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
        if model is None:
            self.title.set_text("")
            ready_made = "Choose a network from the list; those with a tick are on this machine."
            self._say(ready_made if self._zoo else "Reading the list of networks …")
        else:
            self.title.set_text(" · ".join(part for part in (model.title, model.best.accuracy) if part))
            self.title.tip = f"{model.family} · {model.source}"
            self._say(self._about(model, state if mine else None), failed=mine and phase == "failed")
        there = model is not None and bool(self.found.get(model.name))
        ready = mine and phase == "ready"
        trained = ready and state.weights != "random"
        self.open_button.setVisible(not opening and model is not None and not trained)
        self.open_button.setText("Open" if there or model is None else f"Download {size(model.best.bytes)} and open")
        drawn = model is not None and not model.best.shipped and not (ready and not trained)
        self.random_button.setVisible(not opening and drawn)
        self.stop_button.setVisible(opening or (ready and not opening))
        self.stop_button.setText("Stop" if opening else "Close network")
        self.stop_button.setToolTip(
            "Stop opening; what was fetched so far is kept" if opening else "Show the pictures without a network"
        )

    def _about(self, model: ZooModel, state: LiveState | None) -> str:
        if state is not None:
            opened = f"Open: {state.note}." if state.note else "Open."
            return {"failed": state.reason, "opening": state.activity or f"opening {model.title}"}.get(
                state.phase, opened
            )
        best, found = model.best, self.found.get(model.name)
        if best.shipped:
            return f"Comes with OpenCV; trained on {best.trained_on}, licence {best.licence}."
        facts = f"{_count(model.parameters)} parameters, {best.gflops:.1f} G multiply-adds. "
        if found:
            if found.best:
                return f"{facts}{best.name} is here; trained on {best.trained_on}, licence {best.licence}."
            other = found.published[0] if found.published else found.others[0].name
            return f"{facts}Here: {other}."
        return f"Not on this machine. {_offer(model)}."

    def _say(self, text: str, failed: bool = False) -> None:
        if bool(self.about.property("error")) != failed:
            self.about.setProperty("error", failed)
            self.about.setProperty("faint", not failed)
            self.about.style().unpolish(self.about)
            self.about.style().polish(self.about)
        if text != self.about.text():
            self.about.setText(text)
            self.about.setToolTip(text)


def _count(count: int) -> str:
    """``"25.6 M"``, ``"144 M"``, ``"6.4 k"``; a dash for none."""
    if not count:
        return "–"
    value, unit = (count / 1e6, "M") if count >= 1e5 else (count / 1e3, "k")
    return f"{value:.0f} {unit}" if value >= 99.5 else f"{value:.1f} {unit}"


def _size(model: ZooModel) -> str:
    """Size of the weight file; a dash where there is none of its own."""
    return size(model.best.bytes) if model.best.bytes else "–"


def _offer(model: ZooModel) -> str:
    """What would be fetched, from where and on what terms."""
    best = model.best
    return (
        f"Downloads {best.file}, {size(best.bytes)}, from {urlsplit(best.url).hostname}; licence {best.licence}, "
        f"trained on {best.trained_on}"
    )
