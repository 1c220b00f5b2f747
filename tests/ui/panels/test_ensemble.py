"""The panels on ensembles and on distillation: what is measured and shown, and what a click and a slider do."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from torch import nn

from guiapp.training.ensembles import Together
from guiapp.training.recipe import Recipe, as_dict, change
from guiapp.training.recipe_file import flat
from guiapp.training.run_records import RunRecord
from guiapp.training.teachers import Teacher
from guiapp.ui.panels.distillation import DistillationPanel, Scored, compared, scores_of, softened
from guiapp.ui.panels.ensemble import EnsemblePanel


def record(tmp_path, name, dataset="strokes", accuracy=0.9, **settings):
    recipe = flat(as_dict(change(Recipe(), {key.replace("__", "."): value for key, value in settings.items()})))
    figures = {"validation.accuracy": accuracy, "validation.loss": 1 - accuracy}
    about = {"name": name, "state": "done"}
    return RunRecord(tmp_path / name, about, {"dataset": dataset, "model": "lenet5", **recipe}, figures)


def shown(kind, context, kit, qtbot, **recipe):
    context.bridge.give(phase="ready", opened=kit.make_opened(recipe=change(Recipe(), recipe)))
    made = kind(context)
    made.resize(300, 460)
    qtbot.addWidget(made)
    made.show()
    made.show_state(context.bridge.state)
    return made


def together():
    draw = np.random.default_rng(0)
    probabilities = draw.dirichlet(np.ones(10), (3, 25)).astype(np.float32)
    return Together(("a", "b", "c"), probabilities, np.arange(25) % 10, tuple("0123456789"), "validation", "strokes")


def test_runs_on_the_open_data_are_listed_and_measured(context, kit, qtbot, tmp_path):
    panel = shown(EnsemblePanel, context, kit, qtbot)
    assert not panel.measure.isEnabled()  # nothing has run yet
    panel.of.setCurrentIndex(1)
    panel._runs._arrived([record(tmp_path, "one"), record(tmp_path, "two"), record(tmp_path, "other", dataset="mnist")])
    assert [panel.runs.item(row).text() for row in range(panel.runs.count())] == ["one · 90.00 %", "two · 90.00 %"]
    for row in range(2):
        assert not panel.measure.isEnabled()
        panel.runs.item(row).setCheckState(Qt.CheckState.Checked)
    assert panel.chosen() == [tmp_path / "one", tmp_path / "two"]
    panel.measure.click()
    assert context.bridge.engine.asked[-1] == ("study", "ensemble")


def test_figures_are_shown_and_a_click_chooses_samples(context, kit, qtbot):
    panel = shown(EnsemblePanel, context, kit, qtbot)
    found = together()
    panel.take(found)
    names = [row[0].text for row in panel._table.rows]
    assert names == ["a", "b", "c", "mean probabilities", "most votes"]
    assert panel._table.rows[0][1].value == found.members[0].accuracy
    panel._choose_pair(1)  # row 0, column 1
    assert context.workspace.samples == tuple(("validation", row) for row in found.different(0, 1).tolist())
    panel._choose_mistakes("3")
    wrong = np.flatnonzero(found.mean.argmax(1) != found.truth)
    assert context.workspace.samples == tuple(("validation", row) for row in wrong.tolist())


def test_the_test_part_is_asked_after_a_question(context, kit, qtbot, tmp_path):
    panel = shown(EnsemblePanel, context, kit, qtbot)
    context.bridge.give(panel, run=tmp_path)
    panel.show_state(context.bridge.state)
    before = len(context.bridge.engine.asked)
    panel.test.click()
    assert panel.question.isVisible() and context.bridge.engine.asked[before:] == []
    panel.question.no.click()
    assert panel.question.isHidden() and context.bridge.engine.asked[before:] == []
    panel.test.click()
    panel.question.yes.click()
    assert context.bridge.engine.asked[-1] == ("study", "ensemble")


@pytest.fixture
def taught(context, kit, qtbot):
    return shown(DistillationPanel, context, kit, qtbot, **{"distillation.teacher": "lenet5-mnist"})


def test_both_answers_follow_the_temperature(taught, context):
    scores = np.array([4.0, 2.0] + [0.0] * 8)
    taught.take(Scored(("validation", 3), 0, tuple("0123456789"), scores, 2 * scores[None]))
    for at in (0, 100, 200):
        taught.temperature.setValue(at)
        expected = softened(2 * scores, taught.degrees)
        assert np.allclose(taught.bars[0]._probabilities, expected, atol=1e-6)
        assert np.allclose(expected, np.exp(2 * scores / taught.degrees) / np.exp(2 * scores / taught.degrees).sum())
    assert taught.degrees == 20.0
    context.bridge.give(taught, phase="running")
    taught.temperature.setValue(50)
    taught._set_temperature()
    assert context.bridge.engine.asked[-1] == ("set_temperature", taught.degrees)


def test_another_teacher_goes_into_the_recipe(taught, context, tmp_path):
    assert taught.teacher.currentText() == "lenet5-mnist"
    taught._runs._arrived([record(tmp_path, "one")])
    items = [taught.teacher.itemText(row) for row in range(taught.teacher.count())]
    assert items == ["nobody: the labels alone", "lenet5-mnist", "one · 90.00 %"]
    taught.teacher.setCurrentIndex(2)
    taught._choose_teacher(2)
    assert ("configure", {"distillation.teacher": str(tmp_path / "one")}) in context.bridge.engine.asked


def test_runs_with_a_teacher_stand_beside_the_same_alone(tmp_path):
    runs = [record(tmp_path, f"a{seed}", accuracy=0.8 + 0.01 * seed, seed=seed) for seed in range(3)]
    runs += [record(tmp_path, "t", accuracy=0.9, distillation__teacher="/x/best", distillation__temperature=2.0)]
    runs += [record(tmp_path, "other", accuracy=0.99, epochs=77)]
    rows = compared(runs, flat(as_dict(Recipe())))
    assert [[cell.text for cell in row] for row in rows] == [
        ["best, T 2", "1", "90.00 %", "0.100"],
        ["nobody", "3", "81.00 ± 1.00 %", "0.190"],
    ]


def test_scores_are_those_of_both_networks(kit, monkeypatch):
    dataset = kit.make_dataset()
    opened = kit.make_opened(dataset)
    student, teacher = (nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 10)).requires_grad_(False) for _ in range(2))
    monkeypatch.setattr(
        "guiapp.training.teachers.open_teacher",
        lambda name: Teacher(name, teacher, opened.preprocessing, dataset.classes),
    )
    study = SimpleNamespace(
        dataset=dataset, module=student, inspected=opened, model=SimpleNamespace(origin="trained", device="cpu")
    )
    found = scores_of(study, ("validation", 4), "x, y")
    inputs = opened.preprocessing(dataset.validation.images[4])
    assert np.allclose(found.student, student(inputs)[0])
    assert found.teacher.shape == (2, 10) and np.allclose(found.teacher[1], teacher(inputs)[0])
    assert torch.is_tensor(inputs) and found.label == dataset.validation.labels[4]
