"""Back and forward through what was looked at, in one network, across networks, and not over a training run."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from guiapp.core.notices import NoticeBoard
from guiapp.core.picture import Origin, Picture
from guiapp.core.workspace import Workspace
from guiapp.engine.state import EngineState
from guiapp.ui.commands import Commands
from guiapp.ui.looked_at import LookedAt


class Bridge(QObject):
    state_changed = Signal(object)
    subject_changed = Signal(str)
    live_state = Signal(object)

    def __init__(self):
        super().__init__()
        self.subject, self.state = "experiment", EngineState()
        newest = SimpleNamespace(model=None, inside=None, phase="empty")
        self.engine = SimpleNamespace(live=SimpleNamespace(newest=newest))

    def give(self, name, phase="ready", dataset="digits"):
        opened = SimpleNamespace(experiment=SimpleNamespace(id=name), dataset=SimpleNamespace(name=dataset))
        self.state = EngineState(phase, opened)
        self.state_changed.emit(self.state)

    def lives(self, name):
        newest = SimpleNamespace(model=SimpleNamespace(name=name), inside=object(), phase="ready")
        self.engine.live.newest = newest
        self.live_state.emit(newest)

    def turn(self, subject):
        self.subject = subject
        self.subject_changed.emit(subject)


class Window(QObject):
    layout_id = "train"

    def __init__(self):
        super().__init__()
        self.workspace, self.bridge, self.commands = Workspace(), Bridge(), Commands(self)
        self.context = SimpleNamespace(notices=NoticeBoard())
        self.asked = []
        self.looked_at = LookedAt(self)

    def open_experiment(self, name):
        self.asked.append(("experiment", name))

    def use_layout(self, name):
        self.layout_id = name
        self.bridge.turn("live" if name.startswith("live") else "experiment")

    def show_panel(self, name):
        return SimpleNamespace(open_network=lambda network: self.asked.append((name, network)))


@pytest.fixture
def window(qapp):
    made = Window()
    made.bridge.give("lenet5")
    return made


def look(window, qtbot, **changes):
    """Select, and stay with it."""
    for name, value in changes.items():
        setattr(window.workspace, name, value)
    before = window.looked_at.history.now
    qtbot.waitUntil(lambda: window.looked_at.history.now is not before)


def test_the_buttons_go_back_and_forward_through_clicks(window, qtbot):
    back, forward = window.commands["view.back"], window.commands["view.forward"]
    assert not back.isEnabled() and not forward.isEnabled()
    look(window, qtbot, layer="conv1", picture=Picture(np.zeros((2, 2, 3), np.uint8), Origin("file", "a")))
    look(window, qtbot, layer="conv2", unit=4)
    assert back.isEnabled() and not forward.isEnabled()
    back.trigger()
    assert (window.workspace.layer, window.workspace.unit) == ("conv1", None)
    assert forward.isEnabled() and not back.isEnabled()
    qtbot.wait(400)
    assert forward.isEnabled(), "going back is nothing new that was looked at"
    forward.trigger()
    assert (window.workspace.layer, window.workspace.unit) == ("conv2", 4)


def test_a_step_back_right_after_a_click_undoes_that_click(window, qtbot):
    look(window, qtbot, layer="conv1")
    window.workspace.layer = "conv2"
    window.commands["view.back"].trigger()
    assert window.workspace.layer == "conv1"
    window.commands["view.forward"].trigger()
    assert window.workspace.layer == "conv2"


def test_a_sample_of_another_data_set_does_not_come_back_as_its_number(window, qtbot):
    look(window, qtbot, layer="conv1", sample=("validation", 5), samples=(("validation", 5), ("validation", 9)))
    window.bridge.give("lenet5", dataset="mnist")
    look(window, qtbot, layer="conv2", sample=("validation", 1), samples=())
    window.commands["view.back"].trigger()
    assert (window.workspace.layer, window.workspace.sample, window.workspace.samples) == ("conv1", None, ())
    assert "of digits" in window.context.notices.notices[-1].text
    window.commands["view.forward"].trigger()
    assert window.workspace.sample == ("validation", 1) and len(window.context.notices.notices) == 1


def test_back_opens_the_experiment_that_was_open_then(window, qtbot):
    look(window, qtbot, layer="conv2", unit=1)
    window.bridge.give("mlp")
    look(window, qtbot, layer="fc1", unit=None)
    window.commands["view.back"].trigger()
    assert window.asked == [("experiment", "lenet5")]
    assert window.workspace.layer == "fc1", "until it is open"
    window.bridge.give("lenet5")
    qtbot.waitUntil(lambda: (window.workspace.layer, window.workspace.unit) == ("conv2", 1))
    assert window.commands["view.forward"].isEnabled()


def test_back_does_not_end_a_training(window, qtbot):
    look(window, qtbot, layer="conv2")
    window.bridge.give("mlp", "running")
    look(window, qtbot, layer="fc1")
    window.commands["view.back"].trigger()
    assert window.asked == [] and window.workspace.layer == "fc1"
    assert [notice.level for notice in window.context.notices.notices] == ["info"]
    assert window.commands["view.back"].isEnabled()


def test_back_goes_to_the_live_room_and_its_network(window, qtbot):
    look(window, qtbot, layer="conv1")
    window.bridge.lives("resnet18")
    window.use_layout("live-inside")
    look(window, qtbot, layer="layer1.0.conv1")
    window.use_layout("train")
    look(window, qtbot, layer="conv2")
    window.commands["view.back"].trigger()
    assert window.layout_id == "live-inside" and window.asked == [("live", "resnet18")]
    qtbot.waitUntil(lambda: window.workspace.layer == "layer1.0.conv1")
