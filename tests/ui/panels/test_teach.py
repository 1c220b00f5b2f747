"""The Teach panel: holding a button collects, what is seen is shown, selections and folders become classes."""

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest

from guiapp.core.picture import Origin, Picture
from guiapp.engine.live import LiveLane
from guiapp.engine.teach import TeachLane
from guiapp.sources.live import LiveSource
from guiapp.ui.panels.live import LivePanel
from guiapp.ui.panels.teach import TeachPanel
from guiapp.ui.panels.teach_source import COLLECT_MS


class Colours:
    def __call__(self, pictures):
        return np.stack([p.reshape(-1, 3).mean(0) / 255 for p in pictures]).astype(np.float32)


class Room(QObject):
    """Signals of the live lane."""

    live_state, live_result = Signal(object), Signal(object)


def picture(red, seed=0):
    noise = np.random.default_rng(seed).integers(0, 40, (30, 50, 3))
    return Picture((noise + np.array([red, 40, 215 - red])).astype(np.uint8), Origin("drawing", "pad"))


@pytest.fixture
def panel(context, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr("guiapp.engine.teach._open", lambda _name, _progress: Colours())
    monkeypatch.setattr(TeachPanel, "_list_networks", lambda self: self.network.addItem("Colours", "colours"))
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
    QTest.qWait(3 * COLLECT_MS)
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


class Hose(LiveSource):
    """A camera on the network that gives what the test puts in."""

    kind = "stream"

    def _read(self):
        while not self._stopped():
            self._rest(0.02)

    def give(self, shown):
        self._publish(shown.pixels)
        self._say("playing")


@pytest.fixture
def live(panel, context, qtbot, monkeypatch):
    """The panel of the Live room beside it, without a network, and its source."""
    room = Room(context.bridge)
    for name in ("live_state", "live_result"):
        monkeypatch.setattr(context.bridge, name, getattr(room, name), raising=False)
    monkeypatch.setattr(context.bridge, "set_subject", lambda _subject: None, raising=False)
    context.bridge.engine.live = LiveLane(context.notices)
    made = LivePanel(context)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.shut()
    context.bridge.engine.live.close(5)


def test_a_camera_is_collected_from_and_recognised_without_a_network_in_the_live_room(live, panel, classes, qtbot):
    camera = Hose("camera")
    live.feed.adopt(camera, "http://camera.example")
    assert "viewer" in panel.source.text() and "play it in Live" in panel.source.text()

    def give(tone, number):
        shown = picture(tone, number)
        camera.give(shown)
        qtbot.waitUntil(lambda: panel.taken.picture is not None and panel.taken.picture.pixels is shown.pixels)

    give(100, 0)
    assert panel.source.text() == "Samples come from the live picture" and live._lane.newest.phase == "empty"
    for count, (row, tone) in enumerate(zip(classes, (210, 10), strict=True)):
        give(tone, 1)
        QTest.mousePress(row.hold, Qt.MouseButton.LeftButton)
        for number in (2, 3):
            give(tone, number)
            qtbot.waitUntil(lambda row=row, number=number: row.count.text() == str(number))
        QTest.qWait(3 * COLLECT_MS)  # a camera that stands still for a moment gives no versions
        QTest.mouseRelease(row.hold, Qt.MouseButton.LeftButton)
        give(tone, 4)
        assert panel.lane.newest.samples == 3 * (count + 1)
    red = classes[0]
    qtbot.waitUntil(lambda: panel.lane.newest.learned)
    give(200, 20)
    qtbot.waitUntil(lambda: red.strip.share is not None and red.strip.share > 0.5)
    give(20, 21)
    qtbot.waitUntil(lambda: red.strip.share < 0.5)


def test_a_picture_in_the_live_room_gives_versions_and_a_room_out_of_sight_nothing(live, panel, classes, qtbot):
    live.show_picture(picture(200))
    red, blue = classes
    QTest.mousePress(red.hold, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: int(red.count.text()) >= 4)
    panel.context.workspace.picture = picture(10)
    live.hide()
    assert "viewer" in panel.source.text()
    qtbot.waitUntil(lambda: not panel.lane.backlog and not panel.lane.newest.waiting)
    before = panel.lane.newest.samples
    QTest.qWait(3 * COLLECT_MS)
    assert panel.lane.newest.samples == before, "what is held for the live picture does not take the viewer's"
    QTest.mouseRelease(red.hold, Qt.MouseButton.LeftButton)
    hold(panel, qtbot, blue, picture(10, 1), 2)
