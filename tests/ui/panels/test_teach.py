"""The Teach panel: holding a button collects, what is seen is shown, selections and folders become classes."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest

from guiapp.core.picture import Origin, Picture
from guiapp.engine.teach import TeachLane
from guiapp.ui.panels import teach
from guiapp.ui.panels.teach import TeachPanel


class Colours:
    def __call__(self, pictures):
        return np.stack([p.reshape(-1, 3).mean(0) / 255 for p in pictures]).astype(np.float32)


class Room(QObject):
    """Signals of the live room."""

    live_result, subject_changed = Signal(object), Signal(str)


def picture(red, seed=0):
    noise = np.random.default_rng(seed).integers(0, 40, (30, 50, 3))
    return Picture((noise + np.array([red, 40, 215 - red])).astype(np.uint8), Origin("drawing", "pad"))


@pytest.fixture
def panel(context, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr("guiapp.engine.teach._open", lambda _name, _progress: Colours())
    monkeypatch.setattr(TeachPanel, "_list_networks", lambda self: self.network.addItem("Colours", "colours"))
    room = Room(context.bridge)
    for name in ("live_result", "subject_changed"):
        monkeypatch.setattr(context.bridge, name, getattr(room, name), raising=False)
    monkeypatch.setattr(context.bridge, "subject", "experiment", raising=False)
    made = TeachPanel(context)
    made.resize(320, 500)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.shut()


@pytest.fixture
def classes(panel, qtbot):
    panel.add_class("red")
    panel.add_class("blue")
    qtbot.waitUntil(lambda: len(panel.rows) == 2)
    return list(panel.rows.values())


def hold(panel, qtbot, row, shown, count):
    panel.context.workspace.picture = shown
    QTest.mousePress(row.hold, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: int(row.count.text()) >= count)
    QTest.mouseRelease(row.hold, Qt.MouseButton.LeftButton)


def test_holding_the_button_collects_versions_of_a_drawing_and_they_are_told_apart(panel, classes, qtbot, tmp_path):
    red, blue = classes
    hold(panel, qtbot, red, picture(200), 6)
    qtbot.waitUntil(lambda: "two classes" in panel.line.text())
    hold(panel, qtbot, blue, picture(10), 6)
    qtbot.waitUntil(lambda: "learned in" in panel.line.text())
    assert min(len(red.strip.strip), len(blue.strip.strip)) > 4
    versions = red.strip.strip
    assert not np.array_equal(versions[0], versions[-1]), "moved, turned and scaled"
    panel.context.workspace.picture = picture(190, 5)
    qtbot.waitUntil(lambda: red.strip.share is not None and red.strip.share > 0.5 and "%" in red.share.text())
    panel.context.workspace.picture = picture(20, 6)
    qtbot.waitUntil(lambda: blue.strip.share is not None and blue.strip.share > 0.5)
    qtbot.waitUntil(lambda: not panel.lane.backlog and not panel.lane.newest.waiting)
    before = panel.lane.newest.samples
    QTest.qWait(3 * teach._COLLECT_MS)
    assert panel.lane.newest.samples == before and not panel.lane.newest.waiting, "a released button collects nothing"
    panel.save(tmp_path / "mine")
    qtbot.waitUntil(lambda: (tmp_path / "mine" / "blue").is_dir() and not panel.lane.newest.activity)
    assert {one.name for one in (tmp_path / "mine").iterdir()} == {"red", "blue"}


def test_a_lassoed_selection_becomes_a_class_and_a_class_goes(panel, context, kit, classes, qtbot):
    context.bridge.give(phase="ready", opened=kit.make_opened())
    context.workspace.samples = tuple(("train", n) for n in range(9))
    QTest.mouseClick(panel._choose, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.lane.newest.samples == 9 and len(panel.rows) == 3)
    row = list(panel.rows.values())[2]
    assert row.name.text() == "selection 3" and row.count.text() == "9"
    row.name.setText("fours")
    row.name.editingFinished.emit()
    qtbot.waitUntil(lambda: panel.lane.newest.classes[2].name == "fours")
    row.removed.emit(row.key)
    qtbot.waitUntil(lambda: len(panel.rows) == 2)
    assert panel.lane.newest.samples == 0


def test_the_lane_begins_with_the_first_class_and_ends_with_the_panel(panel, qtbot):
    assert panel.lane is None and panel.empty.isVisibleTo(panel) and not panel.line.text()
    panel.add_class()
    qtbot.waitUntil(lambda: len(panel.rows) == 1)
    lane = panel.lane
    assert isinstance(lane, TeachLane) and next(iter(panel.rows.values())).name.text() == "class 1"
    panel.shut()
    assert not lane._thread.is_alive()


def test_live_pictures_are_collected_while_the_button_is_held_and_looked_at(panel, context, classes, qtbot):
    red, blue = classes
    context.bridge.subject = "live"
    context.bridge.subject_changed.emit("live")
    assert "live picture" in panel.source.text()
    for row, tone in ((red, 210), (blue, 10)):
        QTest.mousePress(row.hold, Qt.MouseButton.LeftButton)
        for number in range(3):
            panel._taken_at = 0.0  # as if a fifteenth of a second had passed
            context.bridge.live_result.emit(SimpleNamespace(picture=picture(tone, number)))
        QTest.mouseRelease(row.hold, Qt.MouseButton.LeftButton)
        context.bridge.live_result.emit(SimpleNamespace(picture=picture(tone, 9)))
    qtbot.waitUntil(lambda: panel.lane.newest.samples == 7 and panel.lane.newest.learned)
    context.bridge.live_result.emit(SimpleNamespace(picture=picture(200, 20)))
    qtbot.waitUntil(lambda: red.strip.share is not None and red.strip.share > 0.5)
