"""What panels ask of the network: never before they were shown the one that is open."""

from dataclasses import replace

import pytest

from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.engine.state import Request
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.theme import Theme


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
