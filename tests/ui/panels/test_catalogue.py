"""The catalogue: what it lists, the filter, one click."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from guiapp.catalogue import CHAPTERS, DEFAULT, EXPERIMENTS


def item(panel, name):
    return panel._items[name]


def click(panel, name):
    area = panel.tree.visualItemRect(item(panel, name))
    QTest.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=area.center())


def test_every_experiment_is_listed_in_its_chapter_and_no_chapter_is_empty(window):
    panel = window.panel("catalogue")
    assert panel.shown() and set(panel.shown()) == set(EXPERIMENTS)
    for row in range(panel.tree.topLevelItemCount()):
        heading = panel.tree.topLevelItem(row)
        assert heading.childCount() > 0
        assert heading.text(0) in CHAPTERS.values()


def test_the_open_experiment_is_the_chosen_row_and_tells_its_summary(window):
    panel = window.panel("catalogue")
    assert panel.tree.currentItem() is item(panel, DEFAULT)
    assert EXPERIMENTS[DEFAULT].summary in panel.tree.currentItem().toolTip(0)
    window.workspace.experiment = "mlp"
    assert panel.tree.currentItem() is item(panel, "mlp")


def test_one_click_opens_and_a_second_does_nothing(window):
    panel = window.panel("catalogue")
    panel.tree.scrollToItem(item(panel, "mlp"))
    click(panel, "mlp")
    click(panel, "mlp")
    assert window.engine.asked[1:] == [("experiment", "mlp")]


def test_enter_opens_the_row_with_the_focus(window):
    panel = window.panel("catalogue")
    panel.tree.setCurrentItem(item(panel, "mlp"))
    QTest.keyClick(panel.tree, Qt.Key.Key_Return)
    assert window.engine.asked[-1] == ("experiment", "mlp")


def test_the_filter_narrows_and_enter_opens_the_first(window):
    panel = window.panel("catalogue")
    window.commands["catalogue.find"].trigger()
    QTest.keyClicks(panel.filter, "perceptron")
    assert "mlp" in panel.shown() and DEFAULT not in panel.shown()
    first = panel.shown()[0]
    QTest.keyClick(panel.filter, Qt.Key.Key_Return)
    assert window.engine.asked[-1] == ("experiment", first)
    panel.filter.clear()
    assert set(panel.shown()) == set(EXPERIMENTS)
