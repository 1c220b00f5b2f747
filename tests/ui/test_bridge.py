"""What panels ask of the network: never before they were shown the one that is open."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton

from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.engine.live_records import LiveState
from guiapp.engine.state import EngineState, Request
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.theme import Theme
from guiapp.ui.widgets.empty_state import EmptyState


class Asking(Panel):
    """Asks about the network that it was shown."""

    id = "asking"
    network = None

    def show_state(self, state):
        self.network = state.opened

    def request(self):
        return Request("of", self.network)


@pytest.fixture
def panel(application, qtbot, settings):
    engine = Engine()
    engine.asked = []
    engine.set_requests = lambda requests, **more: engine.asked.append((more["asked_of"], dict(requests)))
    workspace = Workspace()
    bridge = EngineBridge(engine, workspace)
    context = Context(workspace, bridge, Commands(bridge), engine.notices, Theme(application), settings)
    made = Asking(context)
    qtbot.addWidget(made)
    made.show()
    bridge.add_panel(made)
    yield made
    bridge.close()
    engine.shutdown(10)


def test_a_panel_asks_once_it_was_shown_the_network_that_is_open(panel, qtbot):
    bridge = panel.context.bridge
    asked = bridge.engine.asked
    qtbot.waitUntil(lambda: bool(asked) and "asking" in asked[-1][1])
    first, second = object(), object()
    for network in (first, second):
        bridge.state = replace(bridge.state, opened=network)
        panel.request_changed.emit()
        bridge._tell("state", False)
        qtbot.waitUntil(lambda network=network: asked[-1][1].get("asking") == Request("of", network))
    assert all(requests["asking"].options is of for of, requests in asked if requests)


def test_a_panel_says_that_the_network_of_the_live_room_is_on_its_way(panel, qtbot):
    bridge = panel.context.bridge
    panel.follows_live = True
    action = QAction("Open", panel)
    panel.empty = EmptyState("Choose a network.", ((action, "asking.open"),), panel)
    bridge.set_subject("live")
    network = SimpleNamespace(title="ResNet-18")

    def told(text, **state):
        bridge.engine.live.state.put(LiveState(**state))
        qtbot.waitUntil(lambda: panel.empty.text.text() == text)

    told("Opening ResNet-18 …", phase="opening", model=network, activity="12 of 47 MB")
    assert panel.findChild(QPushButton, "asking.open").isHidden()
    told("Finding the layers of ResNet-18 …", phase="ready", model=network)
    panel.empty.set_text("This network has no filters.")
    assert panel.empty.text.text() == "Finding the layers of ResNet-18 …"
    told("This network has no filters.", phase="ready", model=network, inside=object())
    told("Opening ResNet-18 …", phase="opening", model=network)
    told("This network has no filters.", phase="failed", model=network, reason="no such file")
    assert not panel.findChild(QPushButton, "asking.open").isHidden()


def test_answers_of_a_network_that_is_still_being_opened_wait_until_it_is_there(panel):
    """Its classes are not those of the picture, which belongs to the network before until then."""
    bridge, workspace = panel.context.bridge, panel.context.workspace
    engine, shown = bridge.engine, []
    bridge.looked.connect(lambda look: shown.append(look.name))
    before, after, old, new = object(), object(), object(), object()

    def look(name, network, picture):
        engine.looked.put(SimpleNamespace(name=name, opened=network, picture=picture))
        bridge._take_look()

    def state(phase, network):
        engine.state.put(EngineState(phase=phase, opened=network))
        bridge._take_state()

    workspace.picture = old
    state("ready", before)
    look("first", before, old)
    state("opening", before)
    look("early", after, old)
    assert shown == ["first"] and bridge.look.name == "first"
    state("ready", after)
    assert shown == ["first", "early"]  # the picture stayed: its answer was there already
    state("opening", after)
    look("of another picture", before, old)
    workspace.picture = new
    state("ready", before)
    assert bridge.look is None
    look("last", before, new)
    assert shown == ["first", "early", "last"]
