"""Panels of what a recipe changes in a network: what they show of finished studies, what their buttons ask for."""

import json

import numpy as np
import pytest
import torch

from guiapp.interpret.batch_statistics import statistics
from guiapp.interpret.first_weights import spreads
from guiapp.interpret.left_out import Draw
from guiapp.interpret.prepared import stages
from guiapp.models.deep_mlp import DeepMLP
from guiapp.models.initial_weights import Rule
from guiapp.training.evaluation import finish
from guiapp.ui.panels.first_weights import FirstWeightsPanel
from guiapp.ui.panels.left_out import LeftOutPanel
from guiapp.ui.panels.normalisation import NormalisationPanel
from guiapp.ui.panels.preparation import PreparationPanel


@pytest.fixture
def show(context, kit, qtbot):
    def make(kind):
        layers = (kit.Layer("fc1", "dense", (8,), True), kit.Layer("fc2", "dense", (4,), True))
        context.bridge.give(phase="ready", opened=kit.make_opened(layers=layers))
        made = kind(context)
        made.resize(320, 420)
        qtbot.addWidget(made)
        made.show()
        made.show_state(context.bridge.state)
        return made

    return make


def asked(context):
    return [call for call in context.bridge.engine.asked if call[0] == "configure"]


def test_first_weights_show_every_layer_and_train_with_a_rule(show, context):
    panel = show(FirstWeightsPanel)
    torch.manual_seed(0)
    model, inputs, targets = DeepMLP(1, 4, 4, 3, 3, 16), torch.randn(32, 1, 4, 4), torch.randint(0, 3, (32,))
    found = {name: spreads(model, inputs, targets, Rule(name)) for name in ("xavier", "kaiming")}
    panel.rule.setCurrentIndex(panel.rule.findData("kaiming"))
    panel.take({"now": spreads(model, inputs, targets), **found})
    assert [one.name for one in panel.grid.bars] == ["fc1", "fc2", "fc3"]
    assert [line.name for line in panel.depth.lines] == ["now", "Xavier", "Kaiming"]
    assert "fc2" in panel.depth.csv_text() and "forwards" in panel.line.text()
    panel.depth.clicked.emit(1)
    assert context.workspace.layer == "relu2" and panel.grid.chosen == 1
    assert not panel.grid.grab().isNull() and not panel.depth.grab().isNull()
    panel.use.click()
    assert "kaiming" in str(asked(context)[-1])


def test_normalisation_shows_the_band_and_both_modes(show, context):
    panel = show(NormalisationPanel)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 2)
    )
    batches = [(torch.randn(8, 1, 2, 2), torch.randint(0, 2, (8,))) for _ in range(3)]
    panel.take(finish(statistics(model, batches)))
    assert [line.name for line in panel.plot.lines] == ["batches, least to largest", "running"]
    assert panel.plot.lines[1].values == pytest.approx(np.zeros(6))
    assert "running statistics" in panel.modes.text()
    assert not panel.plot.grab().isNull()
    panel.take(None)
    assert "no normalisation" in panel.line.text()
    panel.swap.setCurrentIndex(panel.swap.findData("layer"))
    panel.swap.activated.emit(panel.swap.currentIndex())
    assert "normalisation.name" in str(asked(context)[-1])


def test_stages_are_rows_and_the_chosen_one_is_trained_with(show, context):
    panel = show(PreparationPanel)
    panel.take(stages(torch.rand(20, 1, 4, 4), {"minus channel mean": lambda x: x - 0.5}, 4))
    panel.rows.clicked.emit(1)
    assert [line.strong for line in panel.axes.lines] == [False, True]
    assert "minus channel mean" in panel.line.text()
    assert not panel.rows.grab().isNull()
    panel.use.click()
    assert "centre" in str(asked(context)[-1])


def test_left_out_shows_draws_and_the_gap(show, context):
    panel = show(LeftOutPanel)
    kept = np.eye(6, dtype=np.float32)
    panel.take((Draw("fc2_dropout", "Dropout", kept, "sample", "unit", 0.8),))
    assert "80.0% left out" in panel.line.text()
    panel.map.hovered.emit(0)
    assert panel.line.text() == "sample 0, unit 0: kept"
    rows = tuple(
        {"train": {"accuracy": 0.9 + e, "loss": 1.0}, "validation": {"accuracy": 0.8, "loss": 1.5}} for e in (0, 0.1)
    )
    context.bridge.give(panel, epoch_rows=rows)
    assert panel.gap.lines[0].values == pytest.approx([0.1, 0.2])
    panel.take(())
    assert "nothing is left out" in panel.line.text()


def test_the_gap_of_a_run_beside_is_drawn_by_its_name_and_again_while_it_goes_on(show, context, tmp_path, monkeypatch):
    panel = show(LeftOutPanel)
    looks = []
    monkeypatch.setattr(panel._later, "start", lambda: looks.append(len(panel.gap.lines)))
    row = {"train": {"accuracy": 0.9, "loss": 1.0}, "validation": {"accuracy": 0.6, "loss": 1.5}}
    write = lambda state: (tmp_path / "run.json").write_text(json.dumps({"name": "dropout 0", "state": state}))  # noqa: E731
    (tmp_path / "epochs.jsonl").write_text(json.dumps(row) + "\n")
    write("running")
    context.workspace.compared = (tmp_path,)
    assert len(looks) == 1 and [line.name for line in panel.gap.lines] == ["dropout 0"]
    assert panel.gap.lines[0].values == pytest.approx([0.3])
    with (tmp_path / "epochs.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    write("finished")
    panel._later.timeout.emit()
    assert len(panel.gap.lines[0].values) == 2 and len(looks) == 1, "one that has ended is not looked at again"
