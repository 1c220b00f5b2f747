"""What an attack is asked: method, class, norm and strength in two rows, and every other setting on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from guiapp.interpret.attack.options import METHODS, ONE_STEP, AttackOptions, sized
from guiapp.ui.widgets.attack_pictures import scale_from, scale_to
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.option_form import OptionForm
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.models.base import Preprocessing
    from guiapp.ui.theme import Theme

_STEPS = 400
ANY = "any other class"
_LABELS = {
    "epsilon": "ε", "radius": "radius r", "step_size": "step size", "weight": "λ", "rate": "learning rate",
    "confidence": "stop at", "size": "side of patch", "everywhere": "at random places",
}  # fmt: skip
_RANGES = {"epsilon": (0.1, 255.0), "radius": (0.01, 50.0), "weight": (0.0001, 100.0), "size": (0.05, 1.0)}
_TIPS = {
    "epsilon": "ε: no value of the picture changes by more than this, of 255",
    "radius": "r: the change is no longer than this, as a vector of pixels from 0 to 1",
    "weight": "λ: weight of the squared distance to the original; the larger, the nearer it stays",
    "size": "Side of the patch as a share of the shorter side of the picture",
}
_METHOD_TIP = (
    "FGSM: one step along the signs of the gradient (follows the picture by itself)\n"
    "Iterated FGSM: small steps, brought back into the ball of size ε\n"
    "PGD: the same from a random point of the ball\n"
    "Distance penalty: L + λ ‖x − x'‖² made small, no ball (text 2: can a 4 be turned into a 9?)\n"
    "Patch: a square that may be anything; drag it over the result\n"
    "Plain noise: of the same size, for comparison"
)


class AttackControls(QWidget):
    """Two rows.

    Attributes:
        options: What is asked, with sizes.
        method, target, norm, strength, go: ``attack.method``, ``attack.class``, ``attack.norm``, ``attack.strength``,
            ``attack.start``.
        form: Every other setting, ``attack.settings``; ``page`` holds it.
        changed: Emitted when something else is asked.
        class_chosen: Emitted with the index of a class, or None for any other.
    """

    changed = Signal()
    class_chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.options = AttackOptions()
        self._preprocessing: Preprocessing | None = None
        self._labels: tuple[str, ...] = ()
        self.method = QComboBox(self)
        self.method.setObjectName("attack.method")
        self.method.setAccessibleName("Attack")
        self.method.setToolTip(_METHOD_TIP)
        for name, title in METHODS.items():
            self.method.addItem(title, name)
        self.method.setCurrentIndex(self.method.findData("pgd"))
        self.target = QComboBox(self)
        self.target.setObjectName("attack.class")
        self.target.setAccessibleName("Class that the network shall say")
        self.target.setToolTip("What the network shall say: type part of a name, or click a class in the scores")
        self.target.setEditable(True)
        self.target.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.target.setMinimumContentsLength(8)
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        completer = QCompleter(self.target.model(), self.target)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.target.setCompleter(completer)
        self.norm = QComboBox(self)
        self.norm.setObjectName("attack.norm")
        self.norm.setAccessibleName("Norm")
        self.norm.setToolTip("L∞: the largest change of a value; L2: the length of the whole change")
        self.norm.addItem("L∞", "L-infinity")
        self.norm.addItem("L2", "L2")
        self.strength = JumpSlider(theme, "attack.strength", "Strength", self)
        self.strength.setRange(0, _STEPS)
        self.amount = QuietLabel("attack.amount", self)
        self.amount.set_room("ε 00.0 of 255")
        self.go = QPushButton("Attack", self)
        self.go.setObjectName("attack.start")
        self.go.setProperty("primary", True)
        self.page, self.form = self._settings()
        self._build()
        self.method.activated.connect(lambda _row: self._edit(method=self.method.currentData()))
        self.norm.activated.connect(lambda _row: self._edit(norm=self.norm.currentData()))
        self.strength.sliderMoved.connect(self._slide)
        self.form.edited.connect(lambda dotted, value: self._edit(**{dotted: value}))
        self.target.activated.connect(lambda row: self.class_chosen.emit(None if row <= 0 else row - 1))
        line = self.target.lineEdit()
        assert line is not None
        line.editingFinished.connect(self._show_class)
        self.set_labels(())
        self._follow()

    def _build(self) -> None:
        above, below = QHBoxLayout(), QHBoxLayout()
        for row in (above, below):
            row.setSpacing(4)
        above.addWidget(self.method)
        self._to = QLabel("to", self)
        self._to.setProperty("faint", True)
        above.addWidget(self._to)
        above.addWidget(self.target, 1)
        below.addWidget(self.norm)
        below.addWidget(self.strength, 1)
        below.addWidget(self.amount)
        below.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(above)
        column.addLayout(below)

    def _settings(self) -> tuple[QScrollArea, OptionForm]:
        names = (
            "epsilon", "radius", "weight", "size", "everywhere", "steps", "step_size", "rate", "confidence", "seed",
        )  # fmt: skip
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        inside = QWidget(area)
        form = OptionForm(self.options, "attack", names, _LABELS, parent=inside)
        form.setObjectName("attack.settings")
        for name in ("epsilon", "radius", "steps", "step_size", "rate"):
            editor = form.editor(name)
            if isinstance(editor, QLineEdit):
                editor.setAlignment(Qt.AlignmentFlag.AlignRight)
                editor.setPlaceholderText("2.5 ε / steps" if name == "step_size" else "")
        self.error = QuietLabel("attack.settings-error", inside, self.theme.error)
        form.rejected.connect(self.error.set_text)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 4, 0, 0)
        row = QHBoxLayout()
        row.addWidget(form)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.error)
        column.addStretch(1)
        area.setWidget(inside)
        return area, form

    # ------------------------------------------------------------------ what is asked

    def set_network(self, preprocessing: Preprocessing, labels: Sequence[str]) -> None:
        """Another network: sizes that suit its input, and its classes."""
        if preprocessing.size != (self._preprocessing.size if self._preprocessing is not None else None):
            self._preprocessing = preprocessing
            keep = ("method", "norm", "everywhere", "size", "seed", "confidence", "weight")
            kept = {name: getattr(self.options, name) for name in keep}
            self.options = sized(AttackOptions(**kept), preprocessing)
        self.set_labels(labels)
        self._follow()

    def set_whole(self, whole: bool) -> None:
        """Whether the network tells classes of whole pictures; else of the object that is clicked."""
        about = "" if whole else " of the object that is clicked in the picture, else of the best box or largest class"
        self.target.setToolTip(
            f"What the network shall say{about}: type part of a name, or click a class in the scores"
        )

    def set_labels(self, labels: Sequence[str]) -> None:
        """The classes that can be wanted."""
        if tuple(labels) == self._labels and self.target.count():
            return
        self._labels = tuple(labels)
        times = Counter(labels)
        self.target.clear()
        self.target.addItem(ANY)
        self.target.addItems([n if times[n] == 1 else f"{n} ({i})" for i, n in enumerate(labels)])
        self._show_class()

    def choose(self, method: str) -> None:
        """Choose an attack by its name."""
        self._edit(method=method)

    def set_class(self, index: int | None) -> None:
        """Want a class, or any other."""
        wanted = index if index is not None and 0 <= index < len(self._labels) else None
        different = wanted != self.options.class_index
        self.options = replace(self.options, class_index=wanted)
        self._show_class()
        if different:
            self.changed.emit()

    def _show_class(self) -> None:
        """What stands there is what is wanted, also after a word that names no class."""
        line = self.target.lineEdit()
        row = 0 if self.options.class_index is None else self.options.class_index + 1
        if line is not None and line.text() != self.target.itemText(row):
            found = self.target.findText(line.text(), Qt.MatchFlag.MatchFixedString)
            if line.hasFocus() and found >= 0:
                return  # a class was typed: its own signal follows
            self.target.setCurrentIndex(row)
            self.target.setEditText(self.target.itemText(row))
            line.setCursorPosition(0)

    def _edit(self, **changes: Any) -> None:
        options = replace(self.options, **changes)
        if "method" in changes:  # each method has its own number of steps and its own rate
            options = replace(options, steps=changes.get("steps"), rate=changes.get("rate"))
        if self._preprocessing is not None:
            options = sized(options, self._preprocessing)
        if options != self.options:
            self.options = options
            self._follow()
            self.changed.emit()

    @property
    def knob(self) -> str:
        """The field that the slider moves."""
        method = self.options.method
        if method == "distance":
            return "weight"
        if method == "patch":
            return "size"
        return "epsilon" if self.options.norm == "L-infinity" else "radius"

    def _slide(self, place: int) -> None:
        self._edit(**{self.knob: scale_from(place, *_RANGES[self.knob], _STEPS)})

    def _follow(self) -> None:
        """Show the options."""
        options, knob = self.options, self.knob
        self.method.setCurrentIndex(self.method.findData(options.method))
        self.norm.setCurrentIndex(self.norm.findData(options.norm))
        self.norm.setVisible(knob in ("epsilon", "radius"))
        value = getattr(options, knob)
        if value is not None and not self.strength.isSliderDown():
            self.strength.setValue(scale_to(max(value, 1e-9), *_RANGES[knob], _STEPS))
        self.strength.setToolTip(_TIPS[knob])
        self.amount.tip = _TIPS[knob]
        self.amount.set_text(_amount(knob, value))
        self.form.set_options(options)
        self.form.show_only(options.fields)
        one = options.method in ONE_STEP
        self.go.setEnabled(not one)
        self.go.setText("Learn" if options.method == "patch" else "Attack")
        self.go.setToolTip(
            "One step is so quick that it follows the picture and the weights by itself"
            if one else "Carry the attack out step by step on the picture that is looked at"
        )  # fmt: skip
        self.target.setEnabled(options.method != "noise")


def _amount(knob: str, value: float | None) -> str:
    if value is None:
        return ""
    if knob == "epsilon":
        return f"ε {value:.3g} of 255"
    return {"radius": f"r = {value:.3g}", "weight": f"λ = {value:.3g}", "size": f"{100 * value:.0f} %"}[knob]
