"""The upper controls of the attribution panel: view, methods, and what is explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from guiapp.interpret.attribution import METHODS
from guiapp.interpret.targets import Likeness
from guiapp.ui.icons import icon
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

VIEWS = (("Maps", "maps"), ("Curves", "curves"), ("Sanity", "sanity"))
_VIEW_TIP = (
    "Maps: what in the picture counts for the answer\n"
    "Curves: how the answer changes as the pixels that count most come in, or go\n"
    "Sanity: whether the map changes when the weights are made random, layer by layer"
)
SUBJECTS = (("class", "answer"), ("unit", "unit"), ("likeness", "likeness"))
_SUBJECT_TIP = (
    "class: one of the network's answers, a box of a detector, a class of a segmentation network\n"
    "unit: the unit that is chosen in Activations or Filters\n"
    "likeness: how alike the embeddings of this picture and of one that is held are"
)


def combo(parent: QWidget, name: str, title: str, tip: str, items: Sequence[tuple[str, str]] = ()) -> QComboBox:
    """A box with texts and what they stand for."""
    box = QComboBox(parent)
    box.setObjectName(name)
    box.setAccessibleName(title)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(5)
    for text, value in items:
        box.addItem(text, value)
    return box


def _tool(parent: QWidget, name: str, symbol: str, tip: str, checkable: bool = False) -> QToolButton:
    button = QToolButton(parent)
    button.setObjectName(name)
    button.setIcon(icon(symbol))
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setAccessibleName(tip.partition(":")[0])
    button.setCheckable(checkable)
    return button


class MethodRow(QWidget):
    """What is shown, by which method, which others stand beside it.

    Attributes:
        views: ``attribution.view``; ``methods``: ``attribution.method``; ``more``: ``attribution.compare``.
        settings: Shows the parameters, ``attribution.settings``; ``again``: asks once more, ``attribution.explain``.
        changed: Emitted when other methods are chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.views = combo(self, "attribution.view", "What is shown", _VIEW_TIP, VIEWS)
        self.methods = combo(self, "attribution.method", "Method", "Method of attribution")
        self.methods.setMinimumContentsLength(9)
        self.methods.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.more = _tool(self, "attribution.compare", "compare", "Compare: other methods beside this one")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.more)
        self.menu.setToolTipsVisible(True)
        self.more.setMenu(self.menu)
        self.settings = _tool(self, "attribution.settings", "settings", "Parameters: of the method, its layer", True)
        self.again = _tool(self, "attribution.explain", "play", "Explain: this picture, now")
        self._beside: dict[str, Any] = {}
        for name, method in METHODS.items():
            self.methods.addItem(method.title, name)
            self.methods.setItemData(
                self.methods.count() - 1, f"{method.about} · {method.source}", Qt.ItemDataRole.ToolTipRole
            )
            action = self.menu.addAction(method.title)
            action.setObjectName(f"attribution.compare.{name}")
            action.setCheckable(True)
            action.setToolTip(method.about)
            action.toggled.connect(lambda _on: self.changed.emit())
            self._beside[name] = action
        self.menu.addSeparator()
        self.menu.addAction("None", self.alone)
        self.methods.setCurrentIndex(self.methods.findData("grad-cam"))
        self.methods.activated.connect(lambda _row: self.changed.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for widget in (self.views, self.methods, self.more, self.settings, self.again):
            row.addWidget(widget, 1 if widget is self.methods else 0)

    @property
    def method(self) -> str:
        """The first method."""
        return str(self.methods.currentData())

    def chosen(self) -> tuple[str, ...]:
        """The first method, then those beside it, in the order of the list."""
        return (
            self.method,
            *(n for n, a in self._beside.items() if a.isChecked() and a.isEnabled() and n != self.method),
        )

    def choose(self, method: str, beside: Sequence[str] = ()) -> None:
        """Choose methods."""
        self.methods.setCurrentIndex(self.methods.findData(method))
        self.blockSignals(True)
        for name, action in self._beside.items():
            action.setChecked(name in beside)
        self.blockSignals(False)
        self.changed.emit()

    def alone(self) -> None:
        """Leave the first method alone."""
        self.choose(self.method)

    def allow(self, reasons: Mapping[str, str]) -> None:
        """Methods with a reason cannot be chosen; the reason is their tip."""
        model = self.methods.model()
        for row in range(self.methods.count()):
            name = str(self.methods.itemData(row))
            reason, method = reasons.get(name, ""), METHODS[name]
            model.item(row).setEnabled(not reason)  # type: ignore[attr-defined]
            tip = reason or f"{method.about} · {method.source}"
            self.methods.setItemData(row, tip, Qt.ItemDataRole.ToolTipRole)
            self._beside[name].setEnabled(not reason)
            self._beside[name].setToolTip(tip)


class TargetRow(QWidget):
    """What is explained: a class by name, the chosen unit, or the likeness to a picture that is held.

    Attributes:
        subjects: Kind of target, ``attribution.target``.
        names: Any class by its name, ``attribution.class``.
        hold: Holds the picture, ``attribution.hold``; ``held`` shows it.
        class_named: Emitted with the index of a class that was typed.
        changed: Emitted when the kind of target or of likeness is another one.
    """

    class_named = Signal(int)
    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._indices: dict[str, int] = {}
        self.subjects = combo(self, "attribution.target", "What is explained", _SUBJECT_TIP, SUBJECTS)
        self.names = QLineEdit(self)
        self.names.setObjectName("attribution.class")
        self.names.setPlaceholderText("any class by name")
        self.names.setAccessibleName("Class by name")
        self.names.setToolTip("Type part of a name and choose: also a class that the network does not see")
        self.names.setClearButtonEnabled(True)
        self._model = QStringListModel(self)
        self._completer = QCompleter(self._model, self)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setMaxVisibleItems(12)
        self.names.setCompleter(self._completer)
        self._completer.activated[str].connect(self._take)
        self.names.returnPressed.connect(self._take_first)
        self.unit = QuietLabel("attribution.unit", self)
        self.hold = QPushButton("Hold this picture", self)
        self.hold.setObjectName("attribution.hold")
        self.hold.setToolTip("The picture to be like: hold one, then choose another")
        self.held = ImageView(theme, "held picture", self)
        self.held.setObjectName("attribution.held")
        self.held.setMinimumSize(32, 24)
        self.held.setFixedSize(48, 26)
        self.held.corner_text = False
        self.held.margin = 0
        self.likenesses = combo(
            self,
            "attribution.likeness",
            "Likeness",
            "How alike two embeddings are",
            [(n, n) for n in get_args(Likeness)],
        )
        like = QWidget(self)
        across = QHBoxLayout(like)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(4)
        for widget in (self.held, self.hold, self.likenesses):
            across.addWidget(widget, 1 if widget is self.likenesses else 0)
        self._pages = QStackedWidget(self)
        self._pages.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for page in (self.names, self.unit, like):
            self._pages.addWidget(page)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.subjects)
        row.addWidget(self._pages, 1)
        self.subjects.currentIndexChanged.connect(self._turn)
        self.likenesses.activated.connect(lambda _row: self.changed.emit())

    @property
    def subject(self) -> str:
        """``"answer"``, ``"unit"`` or ``"likeness"``."""
        return str(self.subjects.currentData())

    @property
    def likeness(self) -> Likeness:
        """How alikeness is measured."""
        found: Likeness = self.likenesses.currentData()
        return found

    def _turn(self, row: int) -> None:
        self._pages.setCurrentIndex(row)
        self.changed.emit()

    def set_labels(self, labels: Sequence[str], noun: str) -> None:
        """The classes that can be named; ``noun`` is what a network's answers are."""
        self.subjects.setItemText(0, noun or "class")
        times = Counter(labels)
        texts = [name if times[name] == 1 else f"{name} ({index})" for index, name in enumerate(labels)]
        indices = {text: index for index, text in enumerate(texts)}
        if indices != self._indices:
            self._indices = indices
            self._model.setStringList(texts)
            self.names.clear()
        self.names.setEnabled(bool(labels))

    def _take(self, text: str) -> None:
        if text in self._indices:
            self.class_named.emit(self._indices[text])
            self.names.selectAll()

    def _take_first(self) -> None:
        """Enter takes the name that was typed, else the first that has it in it."""
        typed = self.names.text().strip().lower()
        if typed:
            exact = self.names.text() if self.names.text() in self._indices else ""
            self._take(exact or next((text for text in self._indices if typed in text.lower()), ""))
