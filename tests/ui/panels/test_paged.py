"""Networks in one piece, such as TorchScript: every panel says so, and none shows figures of another network."""

import importlib

import pytest
from torch import nn

from guiapp.models.base import ModelEntry
from guiapp.ui.panels.model import ModelPanel
from guiapp.ui.panels.places import PlacesPanel

SCRIPT = ModelEntry("mine", "Mine", lambda *a, **k: None, description="Your own with a TorchScript program, mine.pt")
PANELS = (
    "activations:ActivationsPanel", "filters:FiltersPanel", "units:UnitsPanel", "attention:AttentionPanel",
    "excitation:ExcitationPanel", "groups:GroupsPanel", "sizes:SizesPanel", "connections:ConnectionsPanel",
    "places:PlacesPanel",
)  # fmt: skip


@pytest.mark.parametrize("reference", PANELS)
def test_a_network_in_one_piece_is_named_as_such(reference, context, kit, qtbot):
    module, _, name = reference.partition(":")
    panel = getattr(importlib.import_module(f"guiapp.ui.panels.{module}"), name)(context)
    qtbot.addWidget(panel)
    panel.show()
    context.bridge.give(panel, phase="ready", opened=kit.make_opened(model=SCRIPT, layers=(), parameters=269))
    assert panel.empty.isVisible() and "TorchScript runs as one piece" in panel.empty.text.text()
    assert "Your network" in panel.empty.text.text(), "it says what helps"
    assert panel.request() is None


def test_what_counts_the_network_before_says_nothing_of_one_in_one_piece(context, kit, qtbot):
    from guiapp.interpret.cost_run import measure
    from guiapp.interpret.flow_graph import Architecture
    from guiapp.ui.panels.model_cost import Counted

    context.bridge.give(phase="ready", opened=kit.make_opened())
    panel = ModelPanel(context)
    qtbot.addWidget(panel)
    panel.show()
    _, done, _ = context.bridge.studied
    context.bridge.give(panel, opened=kit.make_opened(model=SCRIPT, layers=(), parameters=269))
    measured = measure(nn.Sequential(nn.Conv2d(1, 4, 3)), (1, 8, 8))
    done(Counted(measured, Architecture.of(measured)))
    assert panel.counted is None and panel.total.text().startswith("total 269 parameters")
    assert panel._none.isVisible() and "TorchScript" in panel._none.text.text()
    context.bridge.give(panel, opened=kit.make_opened())
    assert panel.layers.isVisible()


def test_places_that_there_are_not_leave_the_size_to_be_chosen(context, kit, qtbot, opened):
    import numpy as np

    from guiapp.interpret.places import PlacesView

    panel = PlacesPanel(context)
    qtbot.addWidget(panel)
    panel.show()
    panel.show_look(kit.look(context, opened.dataset.picture("test", 0), None))
    assert panel.line.text().startswith("finding"), "there is a picture, and its answer is not there yet"
    nothing = np.empty((0, 0), np.float32)
    reason = "this network takes pictures of 32x32 alone"
    view = PlacesView(nothing.astype(np.int16), nothing, nothing.ravel(), (0, 0), None, (), 5, reason)
    panel.show_look(kit.look(context, opened.dataset.picture("test", 0), None, {"places": view}))
    assert panel.reason.isVisible() and panel.reason.text.text() == "This network takes pictures of 32x32 alone."
    assert panel.size_box.isVisible() and not panel.picture.isVisible()
