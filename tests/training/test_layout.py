"""The order in memory: what changes with it, and what must not."""

import itertools

import pytest
import torch
from torch import nn

from guiapp.models import MODELS
from guiapp.models.base import ModelEntry
from guiapp.training.data import TrainingData
from guiapp.training.layout import has_maps, like, place
from guiapp.training.recipe import OPTIMISERS
from guiapp.training.trainer import Trainer

CPU = torch.device("cpu")
LAST = torch.channels_last


def two_convolutions(channels, height, width, classes):
    """The second one has several input channels, so that the two orders differ."""
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Flatten(), nn.Linear(5 * 2 * 2, classes)
    )


@pytest.fixture
def make_trainer(make_setup):
    def make(**fields):
        setup = make_setup(ModelEntry("two", "Two convolutions", two_convolutions), **fields)
        data = TrainingData(setup, CPU)
        list(data.prepare())
        return Trainer(setup.build_model(), setup.task, data, setup.recipe, CPU)

    return make


def finish(trainer):
    for _ in trainer.events():
        pass
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


def test_networks_with_maps_are_placed_and_compute_the_same():
    torch.manual_seed(0)
    net = MODELS["lenet5"].build(1, 32, 32, 10).eval()
    inputs = torch.randn(3, 1, 32, 32)
    before = net(inputs)
    place(net, CPU)
    assert net.conv2.weight.is_contiguous(memory_format=LAST)
    torch.testing.assert_close(net(inputs), before, rtol=1e-4, atol=1e-5)


def test_networks_without_maps_stay_as_they_are():
    net = MODELS["mlp"].build(3, 8, 8, 10)
    assert not has_maps(net)
    assert all(p.is_contiguous() for p in place(net, CPU).parameters())


def test_values_are_put_in_the_order_of_their_pattern():
    pattern = torch.empty(4, 3, 2, 2).to(memory_format=LAST)
    values = torch.arange(48.0).reshape(4, 3, 2, 2)
    assert like(values, pattern).stride() == pattern.stride()
    assert torch.equal(like(values, pattern), values)
    step = torch.tensor(7.0)
    assert like(step, pattern) is step


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_run_read_from_a_file_goes_on_bit_for_bit(make_trainer, same_weights, name):
    # Files hold plain order; a fused optimiser that got its states so would mix up the weights and say nothing.
    fields = {"optimiser__name": name, "optimiser__lr": 0.01, "epochs": 2}
    whole = finish(make_trainer(**fields))
    first = make_trainer(**fields)
    for _ in itertools.islice(first.events(), 5):
        pass
    state = first.state()
    state["tensors"] = {key: value.contiguous() for key, value in state["tensors"].items()}
    second = make_trainer(**{**fields, "seed": 0})
    second.model.load_state_dict({key: value.contiguous() for key, value in first.model.state_dict().items()})
    second.load_state(state)
    assert same_weights(finish(second), whole)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_training_in_this_order_comes_to_the_same_as_in_plain_order(make_trainer, name, monkeypatch):
    fields = {"optimiser__name": name, "optimiser__lr": 0.01, "epochs": 2}
    ours = finish(make_trainer(**fields))
    monkeypatch.setattr("guiapp.training.trainer.place", lambda model, device: model.to(device))
    plain = make_trainer(**fields)
    assert all(p.is_contiguous() for p in plain.model.parameters())
    for key, value in finish(plain).items():
        torch.testing.assert_close(ours[key], value, rtol=1e-3, atol=1e-4)
