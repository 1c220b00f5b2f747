"""The study behind the evaluation panel: figures of the network itself, and looks that are counted."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.datasets.base import Dataset, Samples
from guiapp.engine.evaluate import evaluate
from guiapp.engine.state import Opened
from guiapp.engine.study import Study
from guiapp.models.base import Preprocessing
from guiapp.training.looks import read_looks
from guiapp.training.recipe import Recipe


class Bright(torch.nn.Module):
    """Two classes, dark and bright; notes the mode that it runs in."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(4.0))
        self.modes = set()

    def forward(self, inputs):
        self.modes.add(self.training)
        mean = inputs.flatten(1).mean(1)
        return torch.stack([-self.scale * mean, self.scale * mean], 1)


def part(count):
    labels = np.arange(count) % 2
    images = np.repeat(np.linspace(0, 255, count).astype(np.uint8), 16).reshape(count, 4, 4, 1)
    return Samples(images, labels.astype(np.int64))


def study_of(model, classes=("dark", "bright")):
    data = Dataset("grey", "Grey", classes, part(40), part(20), part(10), (0.5,), (1.0,))
    entry = SimpleNamespace(task="classification")
    opened = Opened(
        None, {}, Preprocessing((1, 4, 4), (0.5,), (1.0,)), classes, (), 1, "cpu", entry, Recipe(), data, False, {}
    )
    return Study(opened, SimpleNamespace(module=model), 12, None, data)


def finish(work):
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return end.value, steps


def test_figures_are_those_of_the_network_and_it_is_left_as_it_was():
    model = Bright().train()
    study = study_of(model)
    found, steps = finish(evaluate(study, "validation", threads=1))
    data = study.dataset.validation
    with torch.no_grad():
        wanted = torch.softmax(model(study.inspected.preprocessing(data.images)), 1).numpy()
    np.testing.assert_allclose(found.report.scores.probabilities, wanted, atol=1e-6)
    logs = -np.log(wanted[np.arange(20), data.labels])
    np.testing.assert_allclose(found.report.scores.surprise, logs, rtol=1e-5)
    assert found.report.scores.loss == pytest.approx(logs.mean(), rel=1e-5)
    assert found.step == 12 and found.report.scores.train_counts.tolist() == [20, 20]
    assert model.training and False in model.modes
    assert [share for share, _ in steps] == sorted(share for share, _ in steps)


def test_an_average_that_the_run_validates_is_what_is_scored():
    model = Bright()
    study = dataclasses.replace(study_of(model), average={"scale": torch.tensor(0.5)})
    found, _ = finish(evaluate(study, "validation"))
    inputs = study.inspected.preprocessing(study.dataset.validation.images)
    wanted = torch.softmax(torch.stack([-0.5 * (mean := inputs.flatten(1).mean(1)), 0.5 * mean], 1), 1).numpy()
    np.testing.assert_allclose(found.report.scores.probabilities, wanted, atol=1e-6)
    assert found.averaged and model.scale.item() == 4.0
    assert not finish(evaluate(study_of(model), "validation"))[0].averaged


def test_a_look_at_the_test_part_is_counted_and_others_are_not(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"format": 1}))
    finish(evaluate(study_of(Bright()), "validation", tmp_path))
    assert read_looks(tmp_path) == []
    found, _ = finish(evaluate(study_of(Bright()), "test", tmp_path))
    (look,) = read_looks(tmp_path)
    assert (look["by"], look["step"], look["dataset"]) == ("window", 12, "grey") and found.looks == [look]
    assert look["accuracy"] == pytest.approx(float(found.report.scores.right.mean()))


def test_a_look_that_cannot_be_counted_is_not_shown(tmp_path):
    with pytest.raises(UserError, match="cannot be counted"):
        finish(evaluate(study_of(Bright()), "test", tmp_path / "gone"))


def test_outputs_that_are_no_classes_are_refused():
    with pytest.raises(UserError, match="not one for each class"):
        finish(evaluate(study_of(Bright(), ("a", "b", "c")), "validation"))


def test_stopping_leaves_the_mode_and_the_threads():
    model, before = Bright().train(), torch.get_num_threads()
    work = evaluate(study_of(model), "train", threads=1)
    next(work)
    work.close()
    assert model.training and torch.get_num_threads() == before
