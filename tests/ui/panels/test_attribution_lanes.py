"""The attribution panel on the real lanes: maps come with looks, studies run beside them, numbers are Captum's."""

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient

from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.interpret.attribution import Attribution
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.panels.attribution import AttributionPanel
from guiapp.ui.theme import Theme


@pytest.fixture
def desk(application, qtbot, settings):
    """An engine with trained weights, a bridge and the panel; nothing else of the window."""
    engine, workspace = Engine(), Workspace()
    bridge = EngineBridge(engine, workspace)
    context = Context(workspace, bridge, Commands(bridge), engine.notices, Theme(application), settings)
    engine.open_experiment("saliency-digits", {"dataset": "digits"})
    qtbot.waitUntil(lambda: bridge.state.opened is not None and bridge.state.phase == "ready")
    workspace.experiment = "saliency-digits"
    panel = AttributionPanel(context)
    qtbot.addWidget(panel)
    bridge.add_panel(panel)
    panel.resize(320, 440)
    panel.show()
    qtbot.waitExposed(panel)
    workspace.picture = bridge.state.opened.dataset.picture("validation", 0)
    yield panel
    bridge.close()
    engine.shutdown(30)


def test_maps_come_with_looks_and_from_studies_and_are_captums(desk, qtbot):
    panel, bridge = desk, desk.context.bridge
    qtbot.waitUntil(lambda: panel.found is not None and isinstance(panel.found.answers[0], Attribution))
    answer = panel.found.answers[0]
    assert answer.method == "gradient-x-input"  # of the exhibit
    opened = bridge.state.opened
    network = bridge.engine.study(_module, "experiment", "network")
    qtbot.waitUntil(lambda: network.state == "done")
    batch = opened.preprocessing(bridge.look.fed, "cpu").requires_grad_()
    wanted = InputXGradient(network.result).attribute(batch, target=answer.class_index)[0].sum(0)
    np.testing.assert_allclose(panel.grid.tiles[0].values, wanted.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert panel.grid.tiles[0].area is not None
    assert not [n for n in desk.context.notices.notices if n.level == "error"]

    panel.row.choose("integrated-gradients", ["grad-cam"])
    qtbot.waitUntil(lambda: len(panel.found.questions) == 2 and not panel.run.running)
    exact, cam = panel.found.answers
    assert exact.method == "integrated-gradients" and exact.gap == pytest.approx(0, abs=0.05)
    assert cam.map.shape[0] < exact.map.shape[0]
    panel.row.views.setCurrentIndex(2)
    qtbot.waitUntil(lambda: panel.sanity.found is not None and not panel.run.running)
    after = bridge.engine.study(_weights, "experiment", "weights")
    qtbot.waitUntil(lambda: after.state == "done")
    for name, value in network.result.state_dict().items():
        torch.testing.assert_close(after.result[name], value)  # the check has made its own copy random


def _module(study):
    yield None
    return study.module


def _weights(study):
    yield None
    return {name: value.clone() for name, value in study.module.state_dict().items()}
