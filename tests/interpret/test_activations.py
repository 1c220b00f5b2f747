"""The activations probe shows what the layers gave, with statistics by hand."""

from contextlib import suppress

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.interpret import PROBES, capture
from guiapp.interpret.activations import statistics
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layer_list
from guiapp.interpret.options import ActivationOptions
from guiapp.models import MODELS, Preprocessing


@pytest.fixture
def look():
    torch.manual_seed(0)
    preprocessing = Preprocessing((1, 32, 32), (0.1,), (0.3,))
    model = MODELS["lenet5"].make(preprocessing, 10).eval()
    return Look(model, layer_list(model, (1, 32, 32)), preprocessing, input=torch.randn(1, 1, 32, 32))


def ask(look, options=None):
    probe = PROBES["activations"]
    with torch.no_grad():
        look.output, look.activations = capture.run(look.model, look.input, probe.layers(look.layers, options))
    return probe.run(look, options)


def test_all_layers(look):
    view = ask(look)
    assert list(view.atlases) == [layer.name for layer in look.layers]
    assert list(view.statistics) == list(view.atlases)
    np.testing.assert_array_equal(view.atlases["conv2"].values, look.activations["conv2"][0])
    assert view.atlases["fc1"].count == 84
    maps = look.activations["tanh2"].numpy()
    numbers = view.statistics["tanh2"]
    assert numbers.mean == pytest.approx(maps.mean(), abs=1e-6)
    assert numbers.deviation == pytest.approx(maps.std(), rel=1e-5)
    assert (numbers.low, numbers.high) == (maps.min(), maps.max())
    assert numbers.saturated == pytest.approx((np.abs(maps) > 0.97).mean())
    assert view.statistics["conv2"].saturated is None


def test_one_layer(look):
    view = ask(look, ActivationOptions(layer="pool1", scale="map"))
    assert list(view.atlases) == ["pool1"]
    assert len(view.atlases["pool1"].high) == 6


def test_statistics_by_hand():
    values = np.zeros((3, 1, 4), np.float32)
    values[0] = [1, 2, 0, 0]
    values[2] = [5, 0, 0, 0]
    numbers = statistics(values, "ReLU")
    assert (numbers.mean, numbers.low, numbers.high) == pytest.approx((8 / 12, 0, 5))
    assert numbers.zeros == pytest.approx(9 / 12)
    assert numbers.dead == 1
    assert statistics(np.array([[[0.99, 0.5]]], np.float32), "Sigmoid").saturated == 0.5


def test_looking_changes_nothing(look):
    before = {name: value.clone() for name, value in look.model.state_dict().items()}
    random = torch.get_rng_state()
    ask(look)
    for probe in PROBES.values():
        if probe.name != "linear-views" and not probe.shows:
            with suppress(UserError):  # some ask networks of one kind alone
                probe.run(look, probe.options())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, before[name]) for name, value in look.model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in look.model.modules())
