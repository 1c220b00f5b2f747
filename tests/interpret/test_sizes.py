"""ZFNet beside AlexNet: the layer sizes of the paper, what differs, and layers that stand alone."""

import pytest
import torch
from torch import nn

from guiapp.interpret.cost import cost_of
from guiapp.interpret.cost_run import measure
from guiapp.interpret.sizes import pairs, size
from guiapp.models.papers import AlexNet
from guiapp.models.zfnet import ZFNet


@pytest.fixture(scope="module")
def found():
    with torch.device("meta"):
        return pairs(*(cost_of(measure(network(), (3, 224, 224))) for network in (ZFNet, AlexNet)))


def test_layer_sizes_of_zeiler_and_fergus(found):
    sizes = {pair.first.name: (size(pair.first, "window"), size(pair.first, "output")) for pair in found}
    assert sizes["conv1"] == ("7×7 / 2", "96×110×110") and sizes["pool1"] == ("3×3 / 2", "96×55×55")
    assert sizes["conv2"] == ("5×5 / 2", "256×26×26") and sizes["pool2"] == ("3×3 / 2", "256×13×13")
    assert [sizes[f"conv{n}"][1] for n in (3, 4, 5)] == ["384×13×13", "384×13×13", "256×13×13"]
    assert sizes["pool3"][1] == "256×6×6" and [sizes[f"fc{n}"][1] for n in (6, 7, 8)] == ["4096", "4096", "1000"]
    assert sum(p.numel() for p in ZFNet().parameters()) == 62357608


def test_only_the_first_layers_differ_from_alexnet(found):
    assert [pair.first.name for pair in found if pair.differs] == ["conv1", "pool1", "conv2"]
    first = found[0]
    assert (size(first.second, "window"), size(first.second, "parameters")) == ("11×11 / 4", "34,944")
    second = found[1]
    assert (size(second.first, "field"), size(second.second, "field")) == ("11 / 4", "19 / 8")
    assert size(first.first, "flops") == f"{2 * 49 * 3 * 96 * 110 * 110 / 1e6:,.1f}" and size(None, "flops") == ""


def test_layers_that_only_one_has_stand_alone():
    short = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))
    long = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3))
    rows = pairs(*(cost_of(measure(network, (1, 8, 8))) for network in (short, long)))
    assert [(a.first and a.first.name, a.second and a.second.name) for a in rows] == [
        ("0", "0"),
        (None, "2"),
        ("2", "4"),
    ]
    assert [row.differs for row in rows] == [False, True, True]
