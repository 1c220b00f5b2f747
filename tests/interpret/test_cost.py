"""Costs equal values found by hand, torch's own counter and the footprint of gradients, and leave networks alone."""

import copy
import warnings

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.swin_transformer import SwinTransformer, SwinTransformerBlockV2

from guiapp.interpret.cost import NOT_RUN, cost_of, measure_published
from guiapp.interpret.cost_run import INPUT, OUTPUT, measure
from guiapp.models.zoo.open import open_model


class Small(nn.Module):
    """A residual unit, pooling and a dense layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.relu = nn.ReLU(inplace=True)
        self.inner = nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(8 * 4 * 4, 10)
        self.scale = nn.Parameter(torch.ones(5))
        self.unused = nn.Linear(7, 2)

    def forward(self, x):
        x = self.relu(self.conv(x))
        return self.fc(self.pool(x + self.inner(x)).flatten(1))


def test_every_figure_of_a_small_network_by_hand():
    cost = cost_of(measure(Small(), (3, 16, 16)), batch=5)
    conv, relu, inner, pool, fc = (cost.of(name) for name in ("conv", "relu", "inner", "pool", "fc"))
    assert (conv.output, conv.parameters) == ((8, 8, 8), 8 * (27 + 1))
    assert conv.flops == 5 * 2 * 512 * 27
    assert conv.activation_memory == 5 * 512 * 4
    assert conv.parameter_memory == 4 * 224
    assert (conv.receptive_field, conv.stride, conv.window.padding) == ((3, 3), (2, 2), (1, 1))
    assert (relu.flops, relu.activation_memory) == (0, 0)  # it writes over its input
    assert (inner.parameters, inner.flops) == (8 * 36, 5 * 2 * 512 * 36)
    assert inner.receptive_field == (7, 7)
    assert (pool.flops, pool.activation_memory, pool.stride) == (0, 5 * 128 * 4, (4, 4))
    assert (fc.flops, fc.parameters) == (5 * 2 * 1280, 1290)
    assert [(layer.name, layer.parameters) for layer in cost.layers if layer.type in ("network", NOT_RUN)] == [
        ("", 5),
        ("unused", 16),
    ]
    assert cost.total.parameters == 224 + 288 + 1290 + 5 + 16
    assert cost.total.flops == sum(layer.flops for layer in cost.layers)
    assert cost.input_memory == 5 * 3 * 256 * 4


def test_the_convention_of_text_1_by_hand():
    cost = cost_of(measure(Small(), (3, 16, 16)), batch=5, convention="text")
    conv, relu, pool, fc = (cost.of(name) for name in ("conv", "relu", "pool", "fc"))
    assert conv.flops == 5 * 2 * 512 * 27
    assert conv.activation_memory == 5 * 512 * 4 * 2
    assert conv.parameter_memory == 224 * 12
    assert relu.activation_memory == 0
    assert pool.flops == 5 * 128 * 4
    assert fc.parameters == 1280 + 128  # a bias for each input
    assert cost.input_memory == 5 * 3 * 256 * 4
    assert cost.total.activation_memory == 5 * 8 * (512 + 512 + 128 + 10)


def networks():
    yield "cnn", lambda: torchvision.models.squeezenet1_1(weights=None), 64
    yield "residual", lambda: torchvision.models.resnet18(weights=None), 64
    yield "vit", lambda: torchvision.models.VisionTransformer(32, 8, 2, 4, 64, 128, num_classes=5), 32
    yield "swin", lambda: SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4], block=SwinTransformerBlockV2), 32
    yield "dense", lambda: torchvision.models.DenseNet(8, (2, 3), 16), 64
    yield "convnext", lambda: torchvision.models.ConvNeXt([CNBlockConfig(16, 32, 2), CNBlockConfig(32, None, 1)]), 32


@pytest.mark.parametrize(("build", "side"), [pytest.param(b, side, id=name) for name, b, side in networks()])
def test_flops_are_those_of_the_counter_and_parts_sum_to_the_whole(build, side):
    model = build().eval()
    found = measure(model, (3, side, side))
    assert found.by_shapes
    pictures = torch.zeros(2, *found.input)
    with FlopCounterMode(display=False) as counter:  # with gradients: the fused attention without them is not counted
        model(pictures)
    cost = cost_of(found, 2)
    assert cost.total.flops == counter.get_total_flops()
    assert cost.total.parameters == sum(p.numel() for p in model.parameters())
    assert cost.total.parameter_memory == 4 * cost.total.parameters
    for key in ("flops", "parameters", "activation_memory", "parameter_memory"):
        assert sum(getattr(layer, key) for layer in cost.layers) == getattr(cost.total, key)
    counts = counter.get_flop_counts()
    for block in cost.blocks:
        known = counts.get(f"{type(model).__name__}.{block.name}", {})
        assert block.flops == sum(known.values()), block.name


def test_adaptive_pooling_counts_the_numbers_in_its_cells():
    cost = cost_of(measure(nn.Sequential(nn.AdaptiveAvgPool2d(2)), (1, 5, 5)), convention="text")
    assert cost.total.flops == 6 * 6  # cells of 3 that overlap in the middle
    same = cost_of(measure(nn.Sequential(nn.AdaptiveAvgPool2d(5)), (1, 5, 5)), convention="text")
    assert (same.total.flops, same.total.activation_memory) == (0, 0)  # nothing is pooled


def test_shared_weights_count_once_in_the_total():
    layer = nn.Linear(6, 6)
    other = nn.Linear(6, 6)
    other.weight = layer.weight
    cost = cost_of(measure(nn.Sequential(layer, other), (6,)))
    assert [found.parameters for found in cost.layers] == [42, 42]
    assert cost.total.parameters == 36 + 12
    assert cost.total.parameter_memory == 4 * 48


def test_a_detector_is_counted_on_a_picture_and_left_as_it_was():
    opened = open_model("ssdlite320", "random")
    before = copy.deepcopy(opened.module.state_dict())
    modes = [module.training for module in opened.module.modules()]
    found = measure_published(opened)
    cost = cost_of(found, 3)
    assert not found.by_shapes
    assert found.input == (3, 320, 320)
    assert cost.total.flops == 3 * cost_of(found).total.flops
    assert cost_of(found).total.flops / 2e9 == pytest.approx(opened.entry.best.gflops, abs=0.001)
    assert all(torch.equal(value, before[name]) for name, value in opened.module.state_dict().items())
    assert modes == [module.training for module in opened.module.modules()]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in opened.module.modules())


def test_a_network_that_breaks_keeps_no_hook():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            self.conv(x)
            raise ZeroDivisionError("in the middle")

    model = Broken().train()
    with pytest.raises(ZeroDivisionError):
        measure(model, (3, 8, 8))
    assert model.training
    assert model.conv.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_what_depends_on_numbers_is_run():
    class Chooses(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 1)

        def forward(self, x):
            return self.conv(x) if x.sum() == 0 else x

    found = measure(Chooses(), (1, 4, 4))
    assert not found.by_shapes
    assert cost_of(found).total.flops == 2 * 32


def test_edges_follow_the_numbers_through_signs():
    found = measure(Small(), (3, 16, 16))
    (sign,) = found.signs
    assert found.signs[sign] == ("", "+")
    assert set(found.edges) == {
        (INPUT, "conv"), ("conv", "relu"), ("relu", "inner"), ("relu", sign), ("inner", sign), (sign, "pool"),
        ("pool", "fc"), ("fc", OUTPUT),
    }  # fmt: skip
    with pytest.raises(ValueError, match="size"):
        measure(Small(), None)


def test_a_layer_that_is_called_again_is_another_place():
    relu = nn.ReLU()
    found = measure(nn.Sequential(nn.Linear(3, 3), relu, nn.Linear(3, 3), relu), (3,))
    assert found.edges == ((INPUT, "0"), ("0", "1"), ("1", "2"), ("2", "1#2"), ("1#2", OUTPUT))


def test_a_scripted_network_is_counted_as_a_whole():
    model = Small().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scripting is deprecated, and files of it are around
        traced = torch.jit.trace(model, torch.zeros(1, 3, 16, 16))
    cost, plain = cost_of(measure(traced, (3, 16, 16))), cost_of(measure(model, (3, 16, 16)))
    assert [layer.type for layer in cost.layers] == ["network"]
    assert (cost.total.flops, cost.total.parameters) == (plain.total.flops, plain.total.parameters)
    assert cost.layers[0].flops == cost.total.flops
