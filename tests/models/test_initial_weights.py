"""Rules of first weights: deviations as the texts and PyTorch have them."""

import math

import pytest
import torch
from torch import nn

from guiapp.models.initial_weights import Rule, deviation, set_weights


@pytest.mark.parametrize(
    ("kind", "dense", "conv"),
    [
        ("zero", 0.0, 0.0),
        ("small", 0.01, 0.01),
        ("xavier", 1 / math.sqrt(300), 1 / math.sqrt(9 * 16)),
        ("xavier-torch", math.sqrt(2 / (300 + 100)), math.sqrt(2 / (9 * 16 + 9 * 32))),
        ("kaiming", math.sqrt(2 / 300), math.sqrt(2 / (9 * 16))),
    ],
)
def test_deviations(kind, dense, conv):
    assert deviation(kind, nn.Linear(300, 100).weight) == pytest.approx(dense)
    assert deviation(kind, nn.Conv2d(16, 32, 3).weight) == pytest.approx(conv)


def test_pytorchs_own_draw_the_same_deviations():
    weight = torch.empty(200, 400)
    nn.init.xavier_normal_(weight)
    assert float(weight.std()) == pytest.approx(deviation("xavier-torch", weight), rel=0.02)
    nn.init.kaiming_normal_(weight, nonlinearity="relu")
    assert float(weight.std()) == pytest.approx(deviation("kaiming", weight), rel=0.02)


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_weights_are_drawn_with_that_deviation_and_biases_are_zero(distribution):
    layer = nn.Linear(400, 200)
    set_weights([layer], Rule("kaiming", distribution=distribution))
    assert float(layer.weight.detach().std()) == pytest.approx(math.sqrt(2 / 400), rel=0.02)
    assert not layer.bias.any()
    if distribution == "uniform":
        assert float(layer.weight.detach().abs().max()) <= math.sqrt(6 / 400)


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="kaiming"):
        deviation("he", torch.zeros(2, 2))
