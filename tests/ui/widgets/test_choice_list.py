"""The short list of answers: a click chooses, the plus sets a second one beside it."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from guiapp.ui.theme import Theme
from guiapp.ui.widgets.choice_list import ROW, Choice, ChoiceList

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def rows(qtbot):
    made = ChoiceList(Theme("dark"), "test.choices", "Answers")
    qtbot.addWidget(made)
    made.set_most(3)
    made.resize(240, made.height())
    made.show()
    qtbot.waitExposed(made)
    made.show_choices(
        [Choice(f"class {i}", f"{50 / (i + 1):.1f} %", 0.5 / (i + 1), QColor("red"), i) for i in range(4)], 0, None
    )
    made.heard = []
    made.chosen.connect(lambda i: made.heard.append(("chosen", i)))
    made.beside.connect(lambda i: made.heard.append(("beside", i)))
    return made


def click(rows, number, x=40, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.mouseClick(rows, LEFT, modifier, QPoint(x, number * ROW + ROW // 2))


def test_a_click_chooses_and_the_plus_sets_beside(rows):
    click(rows, 1)
    click(rows, 2, rows.width() - 6)
    click(rows, 2, modifier=CONTROL)
    click(rows, 0, rows.width() - 6)  # the chosen one cannot stand beside itself
    assert rows.heard == [("chosen", 1), ("beside", 2), ("beside", 2), ("chosen", 0)]


def test_only_the_rows_in_sight_can_be_hit_and_keys_move_on(rows):
    assert rows.item_at(QPoint(5, 3 * ROW + 2).toPointF()) is None
    rows.setFocus()
    QTest.keyClick(rows, Qt.Key.Key_Down)
    QTest.keyClick(rows, Qt.Key.Key_Up)
    rows.show_choices(rows.choices, 2, None)
    QTest.keyClick(rows, Qt.Key.Key_Down)
    assert rows.heard == [("chosen", 1), ("chosen", 0), ("chosen", 2)]


def test_it_looks_otherwise_when_a_second_is_set(rows):
    before = rows.grab().toImage()
    rows.show_choices(rows.choices, 0, 2)
    assert rows.grab().toImage() != before
    assert rows.csv_text().splitlines()[:2] == ["name,value", "class 0,0.5"]
