"""Signals under first weights: they keep their size under Kaiming's with ReLU, and shrink by half under Xavier's."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.interpret.first_weights import compared, outputs_of, spreads
from guiapp.models.deep_mlp import DeepMLP
from guiapp.models.initial_weights import Rule


@pytest.fixture(scope="module")
def batch():
    torch.manual_seed(0)
    return torch.randn(200, 1, 16, 16), torch.randint(0, 10, (200,))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return DeepMLP(1, 16, 16, 10, depth=8, units=256)


def test_the_mean_square_halves_with_each_layer_under_xavier_and_stays_under_kaiming(model, batch):
    squares = {}
    for name in ("xavier", "kaiming"):
        found = spreads(model, *batch, Rule(name))
        squares[name] = np.array([one.deviation**2 + one.mean**2 for one in found])
    shares = squares["xavier"][1:] / squares["xavier"][:-1]
    assert shares == pytest.approx(0.5, rel=0.2)
    assert squares["kaiming"][-1] == pytest.approx(squares["kaiming"][0], rel=0.6)


def test_looking_leaves_weights_mode_gradients_and_generator_alone(model, batch):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state, mode = torch.get_rng_state(), model.training
    spreads(model, *batch, Rule("small"), "tanh")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state) and model.training is mode
    assert all(parameter.grad is None for parameter in model.parameters())
    assert isinstance(model.relu1, nn.ReLU)


def test_histograms_hold_every_output_and_tanh_saturates_with_large_weights(model, batch):
    one = spreads(model, *batch, Rule("small", 0.3), "tanh")[-1]
    assert one.counts.sum() == 200 * 256 and (one.edges[0], one.edges[-1]) == (-1, 1)
    assert one.saturated > 0.5
    assert outputs_of(model, (1, 16, 16))[0] == ("fc1", "relu1")


def test_gradients_are_those_of_autograd(batch):
    torch.manual_seed(2)
    small = DeepMLP(1, 16, 16, 10, depth=1, units=32)
    hidden = small[:3](batch[0]).detach().requires_grad_(True)
    nn.functional.cross_entropy(small.scores(hidden), batch[1]).backward()
    found = spreads(small, *batch)[0]
    assert found.gradient == pytest.approx(float(hidden.grad.std()) * 200, rel=1e-4)


def test_rules_are_compared_one_after_the_other(model, batch):
    work = compared(model, *batch, (None, Rule("kaiming")), "own", 0)
    words = []
    while True:
        try:
            words.append(next(work)[1])
        except StopIteration as end:
            assert len(end.value) == 2 and len(end.value[0]) == 8
            break
    assert words == ["weights as they are", "first weights: kaiming"]
