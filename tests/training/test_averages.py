"""Averages of weights and members: the texts' formulas, what is validated and kept, and a killed run bit for bit."""

import contextlib
import itertools

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import SettingError
from guiapp.models.base import ModelEntry
from guiapp.training import checkpoints
from guiapp.training.averages import cycle_ends, estimate_statistics, kept_members, mean_weights
from guiapp.training.evaluation import evaluate
from guiapp.training.events import StepEnd
from guiapp.training.load import load_run
from guiapp.training.recipe import Recipe, change
from guiapp.training.recipe_check import check_recipe
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner
from guiapp.training.schedules import rate


def plain_net(channels, height, width, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, 5), nn.Tanh(), nn.Linear(5, classes))


PLAIN = ModelEntry("plain", "Plain", plain_net)


@pytest.fixture
def begin():
    """Makes runners that are closed after the test."""
    with contextlib.ExitStack() as stack:

        def make(setup, path, resume=False):
            folder = RunFolder.open(path) if resume else RunFolder.create(path, setup, exact=True)
            runner = Runner(setup, folder, resume=resume)
            stack.callback(runner.close)
            return runner

        yield make


def weights_by_step(runner):
    """Trains to the end; the weights after each step."""
    found = []
    for event in runner.events():
        if isinstance(event, StepEnd):
            found.append({name: tensor.clone() for name, tensor in runner.model.state_dict().items()})
    return found


@pytest.mark.parametrize(("epochs", "cycles", "warmup"), [(6, 3, 0.0), (5, 3, 0.0), (7, 4, 1.0)])
def test_a_cycle_ends_where_the_rate_jumps_up_again(epochs, cycles, warmup):
    recipe = change(Recipe(epochs=epochs), {"schedule.cycles": cycles, "schedule.warmup": warmup})
    rates = [rate(recipe.schedule, 1.0, step, epochs * 7, 7) for step in range(epochs * 7)]
    warm = round(warmup * 7)
    jumps = {step for step in range(warm + 1, epochs * 7) if rates[step] > rates[step - 1]}
    assert cycle_ends(recipe, 0, 7) == jumps | {epochs * 7}
    assert cycle_ends(Recipe(epochs=5), 2, 3) == {6, 12, 15}


def test_the_moving_average_is_that_of_the_text(make_setup, begin, tmp_path):
    setup = make_setup(PLAIN, average="polyak", average__rho=0.8, average__start=1.0, epochs=2, optimiser__lr=0.1)
    runner = begin(setup, tmp_path / "run")
    steps = weights_by_step(runner)
    first = runner.trainer.steps_per_epoch
    expected = {name: tensor.double() for name, tensor in steps[first].items()}
    for after in steps[first + 1 :]:
        expected = {name: 0.2 * after[name].double() + 0.8 * mean for name, mean in expected.items()}
    for name, tensor in runner.trainer.evaluated.state_dict().items():
        assert np.allclose(tensor, expected[name], atol=1e-6), name
    assert not torch.allclose(tensor, steps[-1][name])


def test_the_mean_over_cycles_is_that_of_the_text_with_statistics_of_its_own(make_setup, begin, tmp_path):
    setup = make_setup(average="cycles", members="cycles", schedule__cycles=3, epochs=4, optimiser__lr=0.1)
    runner = begin(setup, tmp_path / "run")
    steps = weights_by_step(runner)
    ends = sorted(cycle_ends(setup.recipe, 0, runner.trainer.steps_per_epoch))
    assert kept_members(tmp_path / "run").steps() == ends
    chosen = [steps[end - 1] for end in ends]
    average = runner.trainer.evaluated
    for name, parameter in average.named_parameters():
        assert np.allclose(parameter, sum(weights[name] for weights in chosen) / 3, atol=1e-6), name
    assert all(torch.equal(t, steps[ends[1] - 1][n]) for n, t in kept_members(tmp_path / "run").load(ends[1]).items())
    mean = mean_weights(chosen)
    assert all(torch.allclose(mean[name], p, atol=1e-6) for name, p in average.named_parameters())
    inputs = torch.cat([batch for batch, _ in runner.data.batches("train")])
    seen = average[0](inputs)
    deviation = seen.std((0, 2, 3))
    assert ((average[1].running_mean - seen.mean((0, 2, 3))).abs() < 0.1 * deviation).all()
    assert not torch.allclose(average[1].running_mean, mean["1.running_mean"], atol=1e-3)


def test_what_is_validated_is_the_average_and_the_run_ends_with_it(make_setup, begin, tmp_path, monkeypatch):
    setup = make_setup(average="polyak", average__rho=0.9, epochs=3, optimiser__lr=0.05)
    runner = begin(setup, tmp_path / "run")
    raw = weights_by_step(runner)[-1]
    best = runner.best
    assert best.averaged
    runner.finish()
    monkeypatch.setattr("guiapp.training.load.from_run", lambda path, progress: setup)
    for model in (load_run(tmp_path / "run")[1], begin(setup, tmp_path / "run", resume=True).model):
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, best.weights[name]), name
        again = evaluate(model, setup.task, runner.data.batches("validation"))
        assert (again.accuracy, again.loss) == (best.accuracy, pytest.approx(best.loss))
    last = checkpoints.listed(tmp_path / "run" / "checkpoints")[-1]
    kept = checkpoints.read_weights(tmp_path / "run" / "checkpoints" / str(last))
    assert all(torch.equal(kept[name], raw[name]) for name in raw)  # what it goes on from is the network itself


@pytest.mark.parametrize("kind", ["polyak", "cycles"])
def test_a_killed_run_goes_on_bit_for_bit(make_setup, begin, tmp_path, kind):
    setup = make_setup(average=kind, members="cycles", schedule__cycles=2, epochs=3, optimiser__lr=0.1)
    whole = begin(setup, tmp_path / "whole")
    weights_by_step(whole)
    whole.finish()
    parts = begin(setup, tmp_path / "parts")
    events = parts.events()
    for event in itertools.takewhile(lambda _: parts.trainer.step < 13, events):
        if isinstance(event, StepEnd) and event.step == 12:
            parts.keep()
    for _ in itertools.takewhile(lambda _: parts.trainer.step < 16, events):
        pass  # lost: it is killed after the next steps
    parts._failed = True
    parts.close()
    again = begin(setup, tmp_path / "parts", resume=True)
    assert again.trainer.step == 12
    weights_by_step(again)
    again.finish()
    for name, tensor in whole.trainer.evaluated.state_dict().items():
        assert torch.equal(tensor, again.trainer.evaluated.state_dict()[name]), name
    assert all(torch.equal(t, again.best.weights[name]) for name, t in whole.best.weights.items())
    members = [kept_members(tmp_path / name) for name in ("whole", "parts")]
    assert members[0].steps() == members[1].steps()
    for step in members[0].steps():
        one, other = (store.load(step) for store in members)
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_network_learns_as_without_an_average(make_setup, begin, tmp_path):
    ends = []
    for name, fields in (("plain", {}), ("average", {"average": "polyak"})):
        ends.append(weights_by_step(begin(make_setup(**fields), tmp_path / name))[-1])
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_statistics_stay_where_normalisation_does_not_learn():
    network, like = (nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).eval() for _ in range(2))
    batches = [torch.randn(8, 1, 5, 5) + 3 for _ in range(3)]
    estimate_statistics(network, batches, like)
    assert torch.equal(network[1].running_mean, torch.zeros(2))
    estimate_statistics(network, batches, like.train())
    assert network[1].running_mean.abs().min() > 0
    assert not network[1].training
    assert network[1].momentum == 0.1


@pytest.mark.parametrize(
    "changes",
    [
        {"average": "cycles"},
        {"members": "cycles", "schedule": "constant"},
        {"average": "polyak", "average.every": 2},
        {"average": "polyak", "keep": "last"},
        {"average": "polyak", "average.start": 10.0},
        {"average.start": 1.0},
        {"distillation.teacher": "x", "transfer": "head"},
    ],
)
def test_what_would_have_no_effect_is_refused(changes):
    with pytest.raises(SettingError):
        check_recipe(change(Recipe(), changes))
