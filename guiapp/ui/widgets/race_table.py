"""The racers: who takes part, at what rate, and how far down each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QLineEdit, QWidget

from guiapp.ui.widgets.quiet_label import QuietLabel

NAMES = {
    "gd": "GD", "sgd": "SGD", "momentum": "Momentum", "nesterov": "Nesterov", "adagrad": "AdaGrad",
    "rmsprop": "RMSProp", "adam": "Adam", "newton": "Newton",
}  # fmt: skip


class RaceTable(QWidget):
    """A line for each rule.

    Attributes:
        changed: Emitted when somebody joins or leaves, or has another rate.
        rejected: What a rate takes, or ``""``.
    """

    changed = Signal()
    rejected = Signal(str)

    def __init__(self, rules: Sequence[str], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rates: dict[str, float] = {}
        self.boxes: dict[str, QCheckBox] = {}
        self.lines: dict[str, QLineEdit] = {}
        self.losses: dict[str, QuietLabel] = {}
        self.steps: dict[str, QuietLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(0, 1)
        heads = (
            ("rule", ""), ("rate", "Learning rate"), ("loss", "Above the lowest point of the surface"),
            ("to 1/1000", "Steps after which the loss was first a thousandth of what it was at the start"),
        )  # fmt: skip
        for column, (head, tip) in enumerate(heads):
            label = QLabel(head, self)
            label.setProperty("faint", True)
            label.setToolTip(tip)
            label.setAlignment(Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(label, 0, column)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, rule in enumerate(rules, 1):
            box = QCheckBox(NAMES[rule], self)
            box.setObjectName(f"{name}.rule.{rule}")
            box.setChecked(True)
            box.clicked.connect(lambda _on: self.changed.emit())
            line = QLineEdit(self)
            line.setObjectName(f"{name}.rate.{rule}")
            line.setAccessibleName(f"Rate of {NAMES[rule]}")
            line.setAlignment(Qt.AlignmentFlag.AlignRight)
            line.setFixedWidth(58)
            line.editingFinished.connect(lambda r=rule: self._finished(r))
            loss, steps = QuietLabel(f"{name}.loss.{rule}", self), QuietLabel(f"{name}.steps.{rule}", self)
            loss.set_room("0.00e-00")
            steps.set_room("to 1/1000")
            for label in (loss, steps):
                label.set_alignment(right)
            for column, widget in enumerate((box, line, loss, steps)):
                grid.addWidget(widget, row, column)
            self.boxes[rule], self.lines[rule], self.losses[rule], self.steps[rule] = box, line, loss, steps

    @property
    def rates(self) -> dict[str, float]:
        """Rates of those that take part."""
        return {rule: self._rates[rule] for rule, box in self.boxes.items() if box.isChecked()}

    def set_rates(self, rates: Mapping[str, float]) -> None:
        """Give every rule a rate."""
        self._rates = {rule: rates[rule] for rule in self.boxes}
        for rule, line in self.lines.items():
            line.setText(f"{rates[rule]:g}")
        self.rejected.emit("")

    def set_colours(self, colours: Mapping[str, QColor]) -> None:
        """Show each rule's colour before its name."""
        for rule, box in self.boxes.items():
            pixmap = QPixmap(10, 10)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours[rule])
            painter.drawEllipse(1, 1, 8, 8)
            painter.end()
            box.setIcon(QIcon(pixmap))
            box.setIconSize(QSize(10, 10))

    def show_figures(self, rule: str, loss: str, steps: str) -> None:
        """How far down a rule is."""
        self.losses[rule].set_text(loss)
        self.steps[rule].set_text(steps)

    def _finished(self, rule: str) -> None:
        line = self.lines[rule]
        if not line.isModified():
            return
        try:
            rate = float(line.text())
        except ValueError:
            rate = -1.0
        if not 1e-8 <= rate <= 100.0:
            self.rejected.emit(f"the rate of {NAMES[rule]} lies between 1e-08 and 100, not {line.text()!r}")
            return
        line.setModified(False)
        self.rejected.emit("")
        if rate != self._rates[rule]:
            self._rates[rule] = rate
            self.changed.emit()
