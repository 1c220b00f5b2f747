"""Every sum gives what it says when it is worked out, on layers of all kinds."""

import math
import re

import pytest
import torch
from torch import nn

from guiapp.interpret.arithmetic import sums_of
from guiapp.interpret.cost import cost_of, measure_published
from guiapp.interpret.cost_run import measure
from guiapp.models.zoo import find_model
from guiapp.models.zoo.bare import open_shape


def worked_out(formula):
    plain = re.sub(r"pictures|places", "", formula).replace("×", "*").replace("−", "-")
    assert re.fullmatch(r"[\d\s*+\-/()]+", plain), formula
    return eval(plain)  # digits and signs alone


@pytest.mark.parametrize("name", ["alexnet-paper", "resnext50_32x4d", "deeplabv3_resnet50", "vit_b_16", "googlenet"])
@pytest.mark.parametrize(("batch", "convention"), [(1, "torch"), (7, "text")])
def test_sums_of_networks_are_right(name, batch, convention):
    measured = measure_published(open_shape(find_model(name)))
    cost = cost_of(measured, batch, convention)
    found = [line for layer in cost.layers for line in sums_of(measured, cost, layer.name)]
    assert len(found) > 30
    for line in found:
        value = worked_out(line.formula)
        rounded = {"rounded down": math.floor, "rounded up": math.ceil}.get(line.note, lambda number: number)(value)
        assert rounded == line.value, line


def test_sums_of_one_layer_in_words():
    measured = measure_published(open_shape(find_model("alexnet-paper")))
    cost = cost_of(measured, 128, "text")
    assert [str(line) for line in sums_of(measured, cost, "conv1")] == [
        "output height and width: (224 − 11 + 2 × 2) / 4 + 1 = 55 rounded down",
        "parameters: 96 × (3 × 11 × 11 + 1) = 34,944",
        "flops: (96 × 55 × 55) × (3 × 11 × 11) × 2 × 128 pictures = 26,986,291,200",
        "receptive field: 1 + (11 − 1) × 1 = 11 pixels, 4 from one unit to the next (1 × 4)",
    ]
    assert "for each input" in str(sums_of(measured, cost, "fc6")[0])
    assert sums_of(measured, cost, "relu1") == ()


def test_uneven_dilated_and_transposed_layers():
    model = nn.Sequential(nn.Conv2d(1, 2, (3, 5), (1, 2), (0, 2), bias=False), nn.Conv2d(2, 2, 3, dilation=2),
                          nn.ConvTranspose2d(2, 3, 4, 2, 1), nn.MaxPool2d(2, ceil_mode=True))  # fmt: skip
    measured = measure(model, (1, 12, 20))
    cost = cost_of(measured)
    with torch.no_grad():
        shapes = [tuple(model[: place + 1](torch.zeros(1, 1, 12, 20)).shape[2:]) for place in range(4)]
    for place, shape in enumerate(shapes):
        sums = [line for line in sums_of(measured, cost, str(place)) if line.what.startswith("output")]
        values = [line.value for line in sums]
        assert values == (list(shape) if len(values) == 2 else [shape[0]])
        assert all(worked_out(line.formula) >= line.value - 1 for line in sums)
    assert "2 × (3 − 1) + 1" in sums_of(measured, cost, "1")[0].formula
