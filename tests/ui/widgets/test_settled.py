"""Arranging by size, where showing a part resizes the panel within ``setVisible``."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from guiapp.ui.widgets.settled import settled


class Part(QWidget):
    """Shows a line from 100 pixels on, for which the widget below it wants more room."""

    def __init__(self, parent):
        super().__init__(parent)
        self.line = QLabel("line", self)
        self.heights = []
        QVBoxLayout(self).addWidget(self.line)

    def minimumSizeHint(self):
        return QSize(10, 10)

    def resizeEvent(self, event):
        super().resizeEvent(event)
        self.arrange()

    @settled
    def arrange(self):
        self.heights.append(self.height())
        if self.isVisible() and self.height() >= 100:
            self.parent().layout().itemAt(1).widget().setFixedHeight(150)
        self.line.setVisible(self.height() >= 100)


def test_a_part_that_is_hidden_while_it_is_being_shown_stays_hidden(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    part, other = Part(window), QWidget(window)
    other.setFixedHeight(190)
    column = QVBoxLayout(window)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(part, 1)
    column.addWidget(other)
    window.resize(100, 200)
    window.show()
    qtbot.waitExposed(window)
    assert not part.line.isVisible()
    other.setFixedHeight(60)  # 140 for the part, which lets the other take 150 of it while it shows the line
    qtbot.waitUntil(lambda: part.height() == 50)
    assert part.line.isHidden() and not part.line.isVisible()
    assert 140 in part.heights and part.heights[-1] == 50


def test_a_call_within_comes_after_with_its_arguments_and_comes_to_an_end():
    seen = []

    class Thing:
        @settled
        def arrange(self, number=0):
            seen.append(number)
            self.arrange(number + 1)

    Thing().arrange()
    assert seen == [0, 1, 2, 3]

    class Broken:
        @settled
        def arrange(self):
            seen.append("again")
            raise ValueError

    broken = Broken()
    for _ in range(2):
        with pytest.raises(ValueError):
            broken.arrange()
    assert seen[4:] == ["again", "again"]
