"""Weights of channels are those that the blocks multiply their maps by; means are those of the samples."""

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.interpret import PROBES, capture
from guiapp.interpret.base import Look
from guiapp.interpret.excitation import ExcitationOptions, gates, means, run
from guiapp.interpret.layers import layer_list
from guiapp.models import MODELS, Preprocessing

PREPROCESSING = Preprocessing((1, 16, 16), (0.1,), (0.3,))


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = MODELS["senet"].make(PREPROCESSING, 3, filters=8).eval()
    return model, layer_list(model, PREPROCESSING.size)


def look_at(network, options=None, x=None):
    model, layers = network
    x = torch.randn(1, 1, 16, 16) if x is None else x
    wanted = PROBES["excitation"].layers(layers, options)
    with torch.no_grad():
        _, kept = capture.run(model, x, wanted)
        return run(Look(model, layers, PREPROCESSING, activations=kept), options)


def test_weights_are_the_formula_of_the_paper(network):
    model, _ = network
    x = torch.randn(1, 1, 16, 16)
    found = look_at(network, x=x)
    assert found.blocks == tuple(f"units.unit{n}{u}.se" for n in (1, 2, 3) for u in "ab")
    assert [len(weights) for weights in found.weights] == [8, 8, 16, 16, 32, 32]
    unit = model.units.unit1a
    with torch.no_grad():
        maps = model.relu(model.norm(model.conv(x)))
        maps = unit.norm2(unit.conv2(unit.relu1(unit.norm1(unit.conv1(maps)))))
        z = maps.mean((2, 3))[0]
        hidden = (unit.se.fc1.weight[:, :, 0, 0] @ z + unit.se.fc1.bias).clamp_min(0)
        expected = 1 / (1 + torch.exp(-(unit.se.fc2.weight[:, :, 0, 0] @ hidden + unit.se.fc2.bias)))
        torch.testing.assert_close(torch.from_numpy(found.weights[0]), expected)
        torch.testing.assert_close(unit.se(maps), maps * expected[:, None, None])


def test_one_block_by_its_name_or_by_what_is_in_it(network):
    for name in ("units.unit2a.se", "units.unit2a.se.fc1"):
        assert look_at(network, ExcitationOptions(name)).blocks == ("units.unit2a.se",)
    with pytest.raises(UserError, match="conv is in no block"):
        look_at(network, ExcitationOptions("conv"))


def test_networks_of_libraries_and_networks_without_such_blocks(network):
    from torchvision.models import mobilenet_v3_small

    layers = layer_list(mobilenet_v3_small(), (3, 64, 64))
    found = gates(layers)
    assert len(found) == 9 and all(gate.endswith("scale_activation") for gate in found.values())
    plain = MODELS["senet"].make(PREPROCESSING, 3, filters=8, reduction=0)
    assert not gates(layer_list(plain, PREPROCESSING.size))
    timm = pytest.importorskip("timm")
    layers = layer_list(timm.create_model("seresnet18"), (3, 64, 64))
    assert len(gates(layers)) == 8 and all(gate.endswith("gate") for gate in gates(layers).values())


def test_means_are_those_of_the_samples_of_each_class(network):
    model, layers = network
    x, labels = torch.randn(120, 1, 16, 16), [0, 1] * 60
    generator = means(model, layers, lambda a, b: x[a:b], labels, ("a", "b", "c"))
    steps = []
    while True:
        try:
            steps.append(next(generator)[0])
        except StopIteration as end:
            found = end.value
            break
    assert steps == [0, 50 / 120, 100 / 120] and found.count == 120
    _, kept = capture.run(model, x, ["units.unit3b.se.sigmoid"])
    own = kept["units.unit3b.se.sigmoid"][:, :, 0, 0].detach()
    torch.testing.assert_close(torch.from_numpy(found.means[5][1]), own[1::2].mean(0))
    assert np.isnan(found.means[5][2]).all()
