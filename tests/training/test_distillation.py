"""Distillation: the loss against its formula, what a teacher is fed, a temperature that changes, a killed run."""

import contextlib
import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import SettingError, UserError
from guiapp.models.base import ModelEntry, Preprocessing
from guiapp.training.distillation import Distilled, check_teacher
from guiapp.training.events import StepEnd
from guiapp.training.objective import Objective, objective_of
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner
from guiapp.training.setup import prepare
from guiapp.training.teachers import Teacher, Teachers, open_teacher, translated

CPU = torch.device("cpu")
FED = Preprocessing((1, 6, 6), (0.2,), (0.3,))
LABELS = ("bar", "dash", "dot")


def plain_net(channels, height, width, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))


def teacher_of(seed=0, preprocessing=FED, classes=LABELS):
    torch.manual_seed(seed)
    module = plain_net(*preprocessing.size, len(classes)).eval().requires_grad_(False)
    return Teacher(f"teacher {seed}", module, preprocessing, classes)


@pytest.fixture
def taught(make_setup, monkeypatch):
    """A setup whose teacher is a fixed network."""
    monkeypatch.setattr("guiapp.training.distillation.open_teacher", lambda name: teacher_of(int(name)))
    entry = ModelEntry("plain", "Plain", plain_net)

    def make(**fields):
        fields = {"distillation__teacher": "0", "augmentation": "none", **fields}
        return make_setup(entry, **fields)

    return make


@pytest.fixture
def begin():
    with contextlib.ExitStack() as stack:

        def make(setup, path, resume=False):
            folder = RunFolder.open(path) if resume else RunFolder.create(path, setup, exact=True)
            runner = Runner(setup, folder, resume=resume)
            stack.callback(runner.close)
            return runner

        yield make


def test_the_loss_is_that_of_the_formula(taught):
    setup = taught(distillation__share=0.7, distillation__temperature=3.0)
    objective = objective_of(setup, CPU)
    inputs, targets = torch.randn(5, 1, 6, 6), torch.tensor([0, 1, 2, 0, 1])
    output = torch.randn(5, 3, requires_grad=True)
    given = teacher_of(0)
    scores = given.module(translated(inputs, setup.preprocessing, given.preprocessing))
    q, p = (torch.exp(z / 3) / torch.exp(z / 3).sum(1, keepdim=True) for z in (scores, output))
    expected = 0.3 * functional.cross_entropy(output, targets) + 0.7 * 9 * (q * (q / p).log()).sum() / 5
    loss = objective.loss(inputs, output, targets)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(loss, output)
    labels = torch.softmax(output, 1) - functional.one_hot(targets, 3)
    assert np.allclose(gradient, ((0.3 * labels + 0.7 * 3 * (p - q)) / 5).detach(), atol=1e-6)


def test_at_a_high_temperature_the_gradient_is_that_of_the_squared_difference_of_scores():
    given = teacher_of(1)
    inputs, output = torch.randn(4, 1, 6, 6), torch.randn(4, 3, requires_grad=True)
    output = (output - output.mean(1, keepdim=True)).detach().requires_grad_()
    scores = given.module(inputs)
    scores = scores - scores.mean(1, keepdim=True)
    objective = Distilled(Objective(None), Teachers([given], FED, CPU), 1.0, 1000.0)
    (gradient,) = torch.autograd.grad(objective.loss(inputs, output, torch.zeros(4)), output)
    assert np.allclose(gradient, (output.detach() - scores) / (3 * 4), atol=1e-3)


def test_several_teachers_are_the_mean_of_their_softened_probabilities():
    both = [teacher_of(0), teacher_of(1)]
    inputs = torch.randn(6, 1, 6, 6)
    expected = sum(torch.softmax(one.module(inputs) / 2.0, 1) for one in both) / 2
    assert torch.allclose(Teachers(both, FED, CPU).softened(inputs, 2.0), expected)


def test_a_teacher_is_fed_what_it_was_trained_on():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 6, 1), np.uint8)
    wanted = Preprocessing((3, 6, 6), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    assert np.allclose(translated(FED(pixels), FED, wanted), wanted(pixels), atol=1e-5)
    colour = np.random.default_rng(1).integers(0, 256, (3, 6, 6, 3), np.uint8)
    assert np.allclose(translated(wanted(colour), wanted, FED), FED(colour), atol=1e-5)
    smaller = Preprocessing((1, 4, 4), (0.2,), (0.3,), "stretch")
    assert np.allclose(translated(FED(pixels), FED, smaller), smaller(pixels), atol=1e-5)
    padded = Preprocessing((1, 8, 7), (0.2,), (0.3,))
    assert np.allclose(translated(FED(pixels), FED, padded), padded(pixels), atol=1e-5)
    assert np.allclose(translated(padded(pixels), padded, FED, (6, 6)), FED(pixels), atol=1e-5)
    assert translated(inputs := FED(pixels), FED, FED) is inputs


def test_other_classes_and_leaks_are_refused(taught, replace):
    setup = taught()
    with pytest.raises(SettingError, match="other classes"):
        check_teacher(teacher_of(0, classes=("a", "b")), setup)
    with pytest.raises(SettingError, match="no run and no weight file"):
        open_teacher("nothing-of-that-name")
    folds = replace(teacher_of(0), setup=taught(data__folds=3, data__fold=2))
    with pytest.raises(SettingError, match="validates on"):
        check_teacher(folds, setup)
    check_teacher(folds, taught(data__folds=3, data__fold=2))


def test_the_temperature_changes_during_the_run_and_a_killed_run_goes_on_bit_for_bit(taught, begin, tmp_path):
    setup = taught(epochs=3, distillation__temperature=2.0)

    def train(runner, until, by_hand):
        for event in itertools.takewhile(lambda _: runner.trainer.step < until, runner.events()):
            if isinstance(event, StepEnd) and runner.trainer.step in by_hand:
                runner.set_temperature(by_hand[runner.trainer.step])
                if runner.trainer.step == 5:
                    runner.set_learning_rate(0.02)

    by_hand = {5: 8.0, 12: 1.5}
    whole = begin(setup, tmp_path / "whole")
    train(whole, 100, by_hand)
    changes = [(line["step"], line["what"], line["value"]) for line in whole.folder.changes()]
    assert sorted(changes) == [(5, "lr", 0.02), (5, "temperature", 8.0), (12, "temperature", 1.5)]
    assert whole.temperature == whole.trainer.objective.temperature == 1.5
    parts = begin(setup, tmp_path / "parts")
    train(parts, 9, by_hand)
    parts.keep()
    for event in parts.trainer.events():
        if isinstance(event, StepEnd) and event.step == 12:
            parts.set_temperature(1.5)
        parts.by_hand.follow()
        if parts.trainer.step == 15:
            break  # it is killed: what came after the checkpoint is lost, but for the changes by hand
    parts._failed = True
    parts.close()
    again = begin(setup, tmp_path / "parts", resume=True)
    assert again.temperature == 8.0
    train(again, 100, {})
    assert again.hand_changes == again.folder.changes()
    ends = [runner.trainer.model.state_dict() for runner in (whole, again)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    alone = begin(taught(epochs=3, distillation__teacher=""), tmp_path / "alone")
    with pytest.raises(UserError, match="with a teacher"):
        alone.set_temperature(2.0)


def test_a_run_does_not_go_on_with_another_teacher(taught, begin, tmp_path, monkeypatch):
    setup = taught(epochs=2)
    runner = begin(setup, tmp_path / "run")
    next(runner.trainer.events())
    runner.keep()
    runner.close()
    monkeypatch.setattr("guiapp.training.distillation.open_teacher", lambda name: teacher_of(7))
    with pytest.raises(UserError, match="other weights"):
        begin(setup, tmp_path / "run", resume=True)


@pytest.mark.learning
def test_the_student_of_a_teacher_beats_the_same_student_alone(begin, tmp_path):
    """Mean over three seeds; teacher and student learn from the very same 292 digits, validated on 359 others."""
    common = {"dataset": "digits", "data.share": 0.2, "optimiser.lr": 0.05, "threads": 1}

    def train(name, experiment, **settings):
        given = {key.replace("__", "."): value for key, value in settings.items()}
        runner = begin(prepare(EXPERIMENTS[experiment], {**common, **given}), tmp_path / name)
        for _ in runner.events():
            pass
        return runner.finish()["validation"]

    teacher = train("teacher", "lenet5", model="simple-cnn", epochs=100)
    assert teacher["accuracy"] > 0.95
    student = {"model__hidden": 16, "epochs": 60}
    taught = {"distillation__teacher": str(tmp_path / "teacher"), "distillation__temperature": 2.0}
    figures = {
        kind: [train(f"{kind}-{seed}", "mlp", seed=seed, **student, **more) for seed in range(3)]
        for kind, more in (("alone", {}), ("taught", taught))
    }
    means = {kind: np.mean([one["accuracy"] for one in found]) for kind, found in figures.items()}
    losses = {kind: np.mean([one["loss"] for one in found]) for kind, found in figures.items()}
    assert means["taught"] > means["alone"] + 0.01, figures
    assert losses["taught"] < 0.8 * losses["alone"], figures
