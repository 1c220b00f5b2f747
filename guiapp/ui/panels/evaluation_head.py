"""What the evaluation panel is asked with: part, class, threshold; and the question before the test part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QPushButton, QWidget

from guiapp.ui.panels.evaluation_words import PARTS
from guiapp.ui.widgets.jump_slider import JumpSlider

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset
    from guiapp.ui.theme import Theme

_FINE = 1000
_SWATCHES = 200  # classes that get a coloured mark in the box


class DecisionRow(QWidget):
    """Part, class and threshold in one row.

    Attributes:
        part_chosen: Emitted with the part that was chosen by hand.
        class_chosen: Emitted with the index of the class that was chosen by hand, or -1 for all.
        threshold_moved: Emitted with the threshold that was set by hand.
        part: ``evaluation.part``; ``classes``: ``evaluation.class``; ``slider``: ``evaluation.threshold``; ``value``:
            ``evaluation.threshold-value``.
    """

    part_chosen = Signal(str)
    class_chosen = Signal(int)
    threshold_moved = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.part = QComboBox(self)
        self.part.setObjectName("evaluation.part")
        self.part.setAccessibleName("Part of the data set")
        self.part.setToolTip("Part of the data set; the test part is for the final figure and has a button of its own")
        self.classes = QComboBox(self)
        self.classes.setObjectName("evaluation.class")
        self.classes.setAccessibleName("Class")
        self.classes.setToolTip(
            "All classes: the most probable one is the answer. One class: it against all the others"
        )
        for box in (self.part, self.classes):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(5)
        self.classes.setMaxVisibleItems(24)
        self.slider = JumpSlider(theme, "evaluation.threshold", "Threshold", self)
        self.slider.setRange(0, _FINE)
        self.slider.setPageStep(_FINE // 20)
        self.value = QDoubleSpinBox(self)
        self.value.setObjectName("evaluation.threshold-value")
        self.value.setAccessibleName("Threshold")
        self.value.setRange(0.0, 1.0)
        self.value.setDecimals(4)
        self.value.setSingleStep(0.01)
        self.value.setKeyboardTracking(False)
        self.value.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.part, 1)
        row.addWidget(self.classes, 1)
        row.addWidget(self.slider, 2)
        row.addWidget(self.value)
        self.part.activated.connect(lambda row: self.part_chosen.emit(str(self.part.itemData(row))))
        self.classes.activated.connect(lambda row: self.class_chosen.emit(int(self.classes.itemData(row))))
        self.slider.valueChanged.connect(lambda place: self._set(place / _FINE))
        self.value.valueChanged.connect(self._set)
        self.show_threshold(0.0, None)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, super().minimumSizeHint().height())

    def list_parts(self, dataset: Dataset | None, tested: bool) -> None:
        """List the parts that can be chosen; the test part only where it was looked at."""
        before = self.part.currentData()
        self.part.clear()
        for name in ("validation", "train", *(("test",) if tested else ())):
            if dataset is not None and len(dataset.part(name)):  # type: ignore[arg-type]
                self.part.addItem(PARTS[name], name)
        self.part.setCurrentIndex(max(0, self.part.findData(before)))

    def show_part(self, name: str) -> None:
        """Show which part is chosen."""
        self.part.setCurrentIndex(max(0, self.part.findData(name)))

    def list_classes(self, names: tuple[str, ...]) -> None:
        """List the classes, after all of them together."""
        self.classes.clear()
        self.classes.addItem("All classes", -1)
        for index, name in enumerate(names):
            self.classes.addItem(name, index)
        self.paint_classes()

    def paint_classes(self) -> None:
        """Mark the classes with their colours."""
        count = self.classes.count() - 1
        for index in range(min(count, _SWATCHES)):
            swatch = QPixmap(8, 8)
            swatch.fill(self._theme.class_colour(index, count))
            self.classes.setItemIcon(index + 1, QIcon(swatch))

    def show_class(self, index: int | None) -> None:
        """Show which class stands against the others."""
        self.classes.setCurrentIndex(self.classes.findData(-1 if index is None else index))

    def show_threshold(self, value: float, positive: int | None) -> None:
        """Show the threshold of a decision."""
        with QSignalBlocker(self.slider), QSignalBlocker(self.value):
            self.slider.setValue(round(value * _FINE))
            self.value.setValue(value)
        self.slider.update()
        tip = (
            "Least probability of an answer: below it a sample has none; 0 answers always"
            if positive is None
            else "The class is the answer from this probability on"
        )
        self.slider.setToolTip(tip)
        self.value.setToolTip(tip)

    def _set(self, value: float) -> None:
        with QSignalBlocker(self.slider), QSignalBlocker(self.value):
            self.slider.setValue(round(value * _FINE))
            self.value.setValue(value)
        self.slider.update()
        self.threshold_moved.emit(value)


class TestQuestion(QWidget):
    """Asks, in the panel, before the test part is looked at.

    Attributes:
        agreed: Emitted where the person wants the look.
        left: Emitted where not.
        yes: ``evaluation.look``; ``no``: ``evaluation.look-not``.
    """

    __test__ = False  # its name does not make it a test
    agreed = Signal()
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = QLabel(self)
        self.words.setObjectName("evaluation.question")
        self.words.setWordWrap(True)
        self.yes = QPushButton("Look", self)
        self.yes.setObjectName("evaluation.look")
        self.yes.setToolTip("Measure on the test part, and count it")
        self.no = QPushButton("Leave it", self)
        self.no.setObjectName("evaluation.look-not")
        self.no.setToolTip("Do not look")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.words, 1)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        self.yes.clicked.connect(self.agreed)
        self.no.clicked.connect(self.left)

    def ask(self, text: str) -> None:
        """Put the question."""
        self.words.setText(text)
