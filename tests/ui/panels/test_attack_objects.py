"""The attack panel on a detector: the object that is clicked is attacked, to go or to become another."""

from types import SimpleNamespace

import pytest
import torch

from guiapp.core.notices import NoticeBoard
from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.engine.state import EngineState, LookResult
from guiapp.engine.study import Study
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.score_boxes import candidates_of
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.open import OpenedModel
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.panels.attack import AttackPanel
from guiapp.ui.theme import Theme
from tests.interpret.attribution.networks import case

WEIGHTS = ZooWeights("W", "", "", 0, 0, 0.0, "", "", "", {}, "", (1, 1), 1, Preset("detection"))
ENTRY = ZooModel("finder", "Finder", "Tests", "detection", "", (WEIGHTS,), "")


@pytest.fixture
def asked():
    return case("retinanet")


@pytest.fixture
def panel(application, qtbot, settings, asked):
    opened = SimpleNamespace(
        model=ModelEntry("finder", "Finder", lambda *_: None, task="detection"), layers=asked.layers, dataset=None,
        preprocessing=Preprocessing((3, 32, 32), (0.0,), (1.0,)), labels=asked.labels, device="cpu",
    )  # fmt: skip

    class Lender(Engine):
        def _study(self):
            model = OpenedModel(ENTRY, WEIGHTS, asked.module, asked.labels, "random", None, "", torch.device("cpu"))
            return Study(opened, model, 0, asked.picture)

    engine, workspace = Lender(notices=NoticeBoard()), Workspace()
    bridge = EngineBridge(engine, workspace)
    bridge.state = EngineState("ready", opened)
    made = AttackPanel(Context(workspace, bridge, Commands(bridge), engine.notices, Theme("dark"), settings))
    qtbot.addWidget(made)
    made.show()
    yield made
    bridge.close()
    engine.shutdown(10)


def test_the_object_that_is_clicked_goes_or_becomes_another(panel, asked, qtbot):
    workspace, opened = panel.context.workspace, panel.seen.opened
    assert not panel.tabs.isTabEnabled(panel._pages.indexOf(panel.robust)), "that is about whole pictures"
    with torch.no_grad():
        found = candidates_of(asked.module, asked.inputs[0])
    height, width = found.extent
    place = len(found) // 2  # not the best, which is attacked where none is clicked
    workspace.region = tuple((found.boxes[place] / torch.tensor([width, height, width, height])).tolist())
    request = panel.request()
    assert request.options.box.count(",") == 3
    look = Look(
        asked.module, asked.layers, opened.preprocessing, picture=asked.picture, inputs=asked.inputs,
        labels=asked.labels, task="detection",
    )  # fmt: skip
    shown = PROBES["attack"].run(look, request.options)
    panel.show_look(LookResult(opened, 0, True, False, asked.picture, None, None, {"attack": shown}))
    assert shown.about.startswith("box of ")
    panel.controls.choose("pgd")
    for wanted in (None, (shown.away_index % 4) + 1):
        workspace.class_index = wanted
        panel.controls.go.click()
        qtbot.waitUntil(lambda: not panel.run.running)
        result = panel.done.result
        assert result.about == shown.about and result.away_index == shown.away_index
        assert result.wanted_index == wanted and result.change.any()
        change = result.scores[-1] - result.scores[0]
        assert change[result.away_index] < 0 if wanted is None else change[wanted] > 0
        if wanted is None and result.reached:
            assert f"{shown.about} is gone" in panel.bar.words.text()
    workspace.region = None
    assert panel.done is None and not panel.request().options.box
