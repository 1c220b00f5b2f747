"""Pinned views: beside each other, shown again with a click, taken away, the oldest first when there are many."""

import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QPushButton, QToolButton

from guiapp.core.history import moment_of
from guiapp.ui.panels.pinned import PinnedPanel
from guiapp.ui.pins import Pin


@pytest.fixture
def panel(context, qtbot):
    made = PinnedPanel(context)
    qtbot.addWidget(made)
    made.resize(600, 260)
    made.show()
    return made


@pytest.fixture
def pin(context):
    def make(title, colour="red", width=200, shown=None):
        image = QImage(width, 100, QImage.Format.Format_RGB32)
        image.fill(QColor(colour))
        again = (lambda: shown.append(title) or True) if shown is not None else lambda: True
        moment = moment_of(context.workspace, "experiment", "lenet5")
        return Pin(title, ("LeNet-5, step 3", "a.png", "conv2"), image, moment, again, datetime.datetime(2026, 1, 2))

    return make


def cards(panel):
    return [card for card in panel.findChildren(object, "pinned.view") if not card.isHidden()]


def test_views_stand_beside_each_other_and_a_click_brings_one_back(panel, pin, qtbot):
    assert panel.empty.isVisible()
    shown = []
    panel.add(pin("Filters", "#ff0000", shown=shown))
    panel.add(pin("Activations", "#00ff00", shown=shown))
    assert not panel.empty.isVisible()
    qtbot.waitUntil(lambda: all(card.height() > 150 for card in cards(panel)))
    left, right = cards(panel)
    assert left.geometry().right() < right.geometry().left()
    picture = left.grab().toImage()
    ratio = picture.devicePixelRatio()
    assert picture.pixelColor(round(60 * ratio), round(60 * ratio)).getRgb()[:3] == (255, 0, 0)
    qtbot.mouseClick(right, Qt.MouseButton.LeftButton)
    assert shown == ["Activations"]
    left.setFocus()
    qtbot.keyClick(left, Qt.Key.Key_Return)
    assert shown == ["Activations", "Filters"]


def test_a_wide_view_leaves_room_for_a_second(panel, pin, qtbot):
    panel.add(pin("Viewer", width=2000))
    qtbot.waitUntil(lambda: 200 < cards(panel)[0].width() <= 300)


def test_views_are_taken_away_one_by_one_or_all_at_once(panel, pin, qtbot):
    for number in range(26):
        panel.add(pin(f"{number}"))
    assert [made.title for made in panel.pins] == [str(n) for n in range(2, 26)]
    cards(panel)[0].findChild(QToolButton, "pinned.remove").click()
    assert panel.pins[0].title == "3"
    qtbot.keyClick(cards(panel)[0], Qt.Key.Key_Delete)
    assert panel.pins[0].title == "4"
    panel.findChild(QPushButton, "pinned.clear").click()
    assert panel.pins == () and panel.empty.isVisible()
