"""A page of the attack panel: what other networks say of the picture that fools this one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QShowEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHBoxLayout, QHeaderView, QPushButton, QVBoxLayout, QWidget

from guiapp.ui.panels.attack_words import says
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.number_table import NumberTable

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.attacks import Transferred
    from guiapp.engine.study import Study
    from guiapp.interpret.attack.run import AttackResult
    from guiapp.ui.panel import Panel

_ROOM = "room:"
_HEADS = ("network", "original", "result", "shuffled")
_TIPS = (
    "The first row is the network that was attacked",
    "What it says of the picture as it was",
    "What it says of the attacked picture, in whole numbers from 0 to 255",
    "What it says where the same change is shuffled over the picture: noise of the same size",
)


class ElsewherePage(QWidget):
    """A network to choose, and one row for each that was asked.

    Attributes:
        networks, go: ``attack.networks``, ``attack.ask``.
        table: ``attack.transfer``.
        run: The study.
    """

    def __init__(self, panel: Panel, parent: QWidget) -> None:
        super().__init__(parent)
        self._panel = panel
        self._result: AttackResult | None = None
        self._picture: Picture | None = None
        self._pictures: dict[str, Any] | None = None
        self._labels: tuple[str, ...] = ()
        self._listed = False
        self.networks = QComboBox(self)
        self.networks.setObjectName("attack.networks")
        self.networks.setAccessibleName("Another network")
        self.networks.setToolTip("Networks that tell classes and are on this machine")
        self.networks.setMinimumContentsLength(12)
        self.networks.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.go = QPushButton("Ask it", self)
        self.go.setObjectName("attack.ask")
        self.go.setToolTip("Give original, result and shuffled change to the other network, as 8-bit pictures")
        self.model = QStandardItemModel(0, len(_HEADS), self)
        self.model.setHorizontalHeaderLabels(list(_HEADS))
        for column, tip in enumerate(_TIPS):
            self.model.horizontalHeaderItem(column).setToolTip(tip)
        self.table = NumberTable(self, "attack.transfer", "What other networks say", self.model)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSortingEnabled(False)
        self.table.horizontalHeader().setSectionResizeMode(
            QHeaderView.ResizeMode.Stretch
        )  # cut off alike; tips tell all
        self.run = StudyRun(panel)
        self.bar = StudyBar(self.run, "attack.transfer-bar", panel.context.theme, self)
        self.run.done.connect(self._done)
        self.go.clicked.connect(self.ask)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.networks, 1)
        row.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.table, 1)
        column.addWidget(self.bar)
        self.set_result(None, None, ())

    def set_result(
        self, result: AttackResult | None, picture: Picture | None, labels: tuple[str, ...], pictures: Any = None
    ) -> None:
        """Another attack; ``pictures`` are those of ``engine.attacks.pictures_of`` where they are made already."""
        if result is self._result and result is not None:
            return
        self._result, self._picture, self._labels, self._pictures = result, picture, labels, pictures
        self.run.stop()
        self.model.removeRows(0, self.model.rowCount())
        self.go.setEnabled(result is not None)
        self.bar.say("" if result is not None else "attack a picture first")
        if result is not None and self.isVisible():
            self._own_row()

    def _own_row(self) -> None:
        result = self._result
        if result is not None and not self.model.rowCount():
            found = (result.before, result.rounded or result.after, result.noise)
            best = [next(iter(one.items())) if one else ("", 0.0) for one in found]
            words = [f"{name} {100 * share:.1f} %" if name else "not asked" for name, share in best]
            self._add("attacked network", *words)

    def _add(self, *texts: str) -> None:
        items = [QStandardItem(text) for text in texts]
        for item in items:
            item.setToolTip(item.text())
        self.model.appendRow(items)
        self.table.fit()

    # ------------------------------------------------------------------ which networks

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._own_row()
        if not self._listed:
            self._listed = True
            self._list()

    def _list(self) -> None:
        """Look which networks are here, on another thread."""
        from guiapp.ui.panels.live_lists import list_zoo

        bridge = self._panel.context.bridge
        bridge.call(bridge.engine.submit(list_zoo, title="networks"), self._fill)

    def _fill(self, listed: Any) -> None:
        models, here = listed
        chosen = self.networks.currentData()
        self.networks.clear()
        self.networks.addItem("The network of the other room", _ROOM)
        for name, entry in models.items():
            if entry.task == "classification" and here.get(name) and not name.startswith("experiment:"):
                self.networks.addItem(entry.title, name)
        row = self.networks.findData(chosen)
        self.networks.setCurrentIndex(max(0, row))

    # ------------------------------------------------------------------ asking

    def ask(self) -> None:
        """Ask the chosen network; first the pictures are made, where that has not happened yet."""
        result, picture, chosen = self._result, self._picture, self.networks.currentData()
        if result is None or picture is None or chosen is None:
            return
        if self._pictures is None:
            self.run.start(_pictures(picture, result), "pictures of the attack")
        else:
            self._ask(chosen)

    def _ask(self, name: str) -> None:
        pictures = self._pictures
        assert pictures is not None

        def work(study: Study, _tell: Any) -> Generator[Any, None, Transferred]:
            from guiapp.engine.attacks import transfer
            from guiapp.engine.open_any import open_any

            if name == _ROOM:
                return (yield from transfer(pictures, lambda _progress: study.model))
            return (yield from transfer(pictures, lambda progress: open_any(name, "best", "cpu", progress)))

        if name == _ROOM:
            live = self._panel.context.bridge.subject == "live"
            self.run.start(work, "asking another network", "experiment" if live else "live")
        else:
            self.run.start(work, "asking another network")

    def _done(self, found: Any) -> None:
        if isinstance(found, dict):
            self._pictures = found
            self._ask(self.networks.currentData())
            return
        texts = [says(scores, found.labels) for scores in (found.original, found.result, found.shuffled)]
        self._add(found.title, *texts)
        self.table.scrollToBottom()
        result = self._result
        wanted = result.wanted if result is not None and result.wanted_index is not None else None
        best = found.labels[int(found.result.argmax())] if found.labels else ""
        first = found.labels[int(found.original.argmax())] if found.labels else ""
        fooled = best == wanted if wanted is not None else best != first
        self.bar.say("it is fooled, too" if fooled else "it is not fooled by what fools the other")


def _pictures(picture: Picture, result: AttackResult) -> Callable[..., Generator[Any, None, dict[str, Any]]]:
    def work(study: Study, _tell: Any) -> Generator[Any, None, dict[str, Any]]:
        from guiapp.engine.attacks import pictures_of

        yield 0.0, "making pictures"
        return pictures_of(study, picture, result)

    return work
