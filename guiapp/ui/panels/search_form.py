"""The form of a search: settings with values or ranges, strategy, repetitions, budget; and the plan in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from guiapp.training.recipe import option
from guiapp.training.search_space import Axis, parse_axis
from guiapp.ui.icons import icon
from guiapp.ui.widgets.option_form import OptionForm, fields_of

EXAMPLES = {
    "optimiser.lr": "1e-4..1", "optimiser.weight_decay": "1e-6..1e-2", "optimiser.momentum": "0.5..0.99",
    "batch": "16,32,64,128", "model.hidden": "4..128:log", "model.k": "1,3,5,9,15,25",
}  # fmt: skip
_ROWS = (("trials", "epochs"), ("halving", "folds"), ("seeds", "draws"), ("budget",))
_NARROW = 340
_NOT_VARIED = ("seed", "data.fold", "data.draw", "data.folds", "device", "threads", "checkpoint_seconds", "keep")


@dataclass(frozen=True)
class Choices:
    """How a search goes on."""

    trials: int = option(12, "random draws, for each point of the grid", unit="draws", low=1, high=10_000)
    epochs: int = option(10, "length of a full run", unit="epochs", low=1, high=100_000)
    halving: int = option(
        0, "one of so many configurations goes on to the next rung; 0 trains all to the end", low=0, high=16
    )
    folds: int = option(0, "k of a cross-validation of every configuration; 0 for none", low=0, high=100)
    seeds: int = option(0, "every configuration with so many seeds; 0 for the recipe's own", low=0, high=100)
    draws: int = option(
        0, "every configuration on so many draws of the training part (data.share): bias and variance", low=0, high=100
    )
    budget: str = option("", "30s, 10m, 2h, 200epochs or 12runs; empty for none")


@dataclass
class _Line:
    """One varied setting."""

    name: QComboBox
    values: QLineEdit
    way: QComboBox
    drop: QToolButton
    widgets: list[QWidget] = field(default_factory=list)


class SearchForm(QWidget):
    """What is to be searched.

    Attributes:
        changed: Emitted when something is different.
        forms: How it goes on, ``search.<field>``.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: list[str] = []
        self._lines: list[_Line] = []
        self._count = 0
        self._narrow = False
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.more = QPushButton("Vary another setting", self)
        self.more.setObjectName("search.vary")
        self.more.clicked.connect(lambda _checked=False: self.add_line())
        labels = {"halving": "keep 1 of", "trials": "random tries", "draws": "data draws"}
        self.forms = [OptionForm(Choices(), "search", names, labels, inline=True) for names in _ROWS]
        for form, names in zip(self.forms, _ROWS, strict=True):
            form.edited.connect(lambda _name, _value: self.changed.emit())
            for name in names:
                form.editor(name).setFixedWidth(90 if name == "budget" else 44)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._grid)
        row = QHBoxLayout()
        row.addWidget(self.more)
        row.addStretch(1)
        column.addLayout(row)
        for form in self.forms:
            row = QHBoxLayout()
            row.addWidget(form)
            row.addStretch(1)
            column.addLayout(row)

    # ------------------------------------------------------------------ settings that are varied

    def set_names(self, names: Sequence[str]) -> None:
        """Settings that can be varied; lines that vary others are taken away."""
        if list(names) == self._names:
            return
        self._names = list(names)
        for line in list(self._lines):
            if line.name.currentText() not in names:
                self._remove(line)
            else:
                chosen = line.name.currentText()
                line.name.blockSignals(True)
                line.name.clear()
                line.name.addItems(self._names)
                line.name.setCurrentText(chosen)
                line.name.blockSignals(False)

    def add_line(self, name: str = "", values: str = "", way: Literal["random", "grid"] = "random") -> None:
        """Vary one more setting."""
        taken = {line.name.currentText() for line in self._lines}
        free = [n for n in (*EXAMPLES, *self._names) if n in self._names and n not in taken]
        name = name or (free[0] if free else "")
        if not name:
            return
        self._count += 1
        row = self._count
        box, edit, how, drop = QComboBox(self), QLineEdit(self), QComboBox(self), QToolButton(self)
        line = _Line(box, edit, how, drop, [box, edit, how, drop])
        box.setObjectName(f"search.setting-{row}")
        box.setAccessibleName("Varied setting")
        box.setToolTip("The setting that is varied")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(9)
        box.addItems(self._names)
        box.setCurrentText(name)
        edit.setObjectName(f"search.values-{row}")
        edit.setAccessibleName("Values or range")
        edit.setToolTip("Values (0.1,0.01), a range (1e-4..1, :log or :linear behind it), points of one (1e-4..1/5)")
        edit.setText(values or EXAMPLES.get(name, ""))
        edit.setCursorPosition(0)  # long lists are read from their beginning
        edit.setPlaceholderText("0.1,0.01 or 1e-4..1")
        edit.setMinimumWidth(56)
        how.setObjectName(f"search.way-{row}")
        how.setAccessibleName("Grid or random")
        how.addItems(["random", "grid"])
        how.setCurrentText(way)
        how.setToolTip("grid: every value; random: drawn")
        drop.setObjectName(f"search.drop-{row}")
        drop.setIcon(icon("close"))
        drop.setToolTip("Do not vary this setting")
        box.currentTextChanged.connect(lambda text: (edit.setText(EXAMPLES.get(text, "")), self.changed.emit()))
        edit.textChanged.connect(lambda _text: self.changed.emit())
        how.currentTextChanged.connect(lambda _text: self.changed.emit())
        drop.clicked.connect(lambda: self._remove(line))
        self._lines.append(line)
        self._lay()
        self.changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (self.width() < _NARROW) != self._narrow:
            self._narrow = self.width() < _NARROW
            self._lay()

    def _lay(self) -> None:
        """A setting in one row, or where there is little room with its values below it."""
        for line in self._lines:
            for widget in line.widgets:
                self._grid.removeWidget(widget)
        for place, line in enumerate(self._lines):
            row = 2 * place
            self._grid.addWidget(line.name, row, 0, 1, 2 if self._narrow else 1)
            self._grid.addWidget(line.way, row, 2)
            self._grid.addWidget(line.drop, row, 3)
            if self._narrow:
                self._grid.addWidget(line.values, row + 1, 0, 1, 4)
            else:
                self._grid.addWidget(line.values, row, 1)

    def _remove(self, line: _Line) -> None:
        self._lines.remove(line)
        for widget in line.widgets:
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self.changed.emit()

    def clear(self) -> None:
        """Vary nothing."""
        for line in list(self._lines):
            self._remove(line)

    def show_axes(self, fixed: Sequence[Axis], varied: Sequence[Axis]) -> None:
        """Vary these instead."""
        self.clear()
        for axis in fixed:
            self.add_line(axis.name, axis.text, "grid")
        for axis in varied:
            self.add_line(axis.name, axis.text, "random")

    def axes(self) -> tuple[list[Axis], list[Axis]]:
        """Axes of the grid and random ones.

        Raises:
            SettingError: If values cannot be read.
        """
        fixed, varied = [], []
        for line in self._lines:
            axis = parse_axis(line.name.currentText(), line.values.text())
            (fixed if line.way.currentText() == "grid" else varied).append(axis)
        return fixed, varied

    # ------------------------------------------------------------------ how

    def set_choices(self, **changes: Any) -> None:
        """Show other choices."""
        from guiapp.training.recipe import change

        for form in self.forms:
            form.set_options(change(form.options, changes))
        self.changed.emit()

    def choices(self) -> Choices:
        """What is chosen."""
        found = {
            name: getattr(form.options, name) for form, names in zip(self.forms, _ROWS, strict=True) for name in names
        }
        return Choices(**found)


def names_of(recipe: Any, model_options: Sequence[str]) -> list[str]:
    """Settings that a search may vary: fields of the recipe and options of the network, the usual ones first."""
    found = [*(f"model.{name}" for name in model_options), *(f.dotted for f in fields_of(recipe))]
    found = [name for name in found if name not in _NOT_VARIED]
    return sorted(found, key=lambda name: (name not in EXAMPLES, not name.startswith("model."), name))
