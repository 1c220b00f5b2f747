"""The layer list is a tree in the order of the forward pass and leaves the network as it was."""

import pytest
import torch
import torchvision
from torch import nn

from guiapp.interpret.layers import layer_list
from guiapp.models.lenet import LeNet5


def test_lenet5():
    layers = layer_list(LeNet5(1, 32, 32, 10), (1, 32, 32))
    assert [(layer.name, layer.output_shape) for layer in layers] == [
        ("conv1", (6, 28, 28)),
        ("tanh1", (6, 28, 28)),
        ("pool1", (6, 14, 14)),
        ("conv2", (16, 10, 10)),
        ("tanh2", (16, 10, 10)),
        ("pool2", (16, 5, 5)),
        ("conv3", (120, 1, 1)),
        ("tanh3", (120, 1, 1)),
        ("flatten", (120,)),
        ("fc1", (84,)),
        ("tanh4", (84,)),
        ("fc2", (10,)),
    ]
    assert [layer.parameters for layer in layers if layer.has_weights] == [156, 2416, 48120, 10164, 850]
    assert [layer.kind for layer in layers[:3]] == ["conv", "activation", "pool"]


@pytest.mark.parametrize("name", ["resnet18", "vgg16", "googlenet"])
def test_torchvision(name):
    options = {} if name == "resnet18" else {"init_weights": False}
    with torch.device("meta"):
        model = torchvision.models.get_model(name, weights=None, **options)
    layers = layer_list(model, (3, 224, 224))
    position = {layer.name: i for i, layer in enumerate(layers)}
    for layer in layers:
        assert layer.depth == layer.name.count(".")
        assert not layer.parent or position[layer.parent] < position[layer.name]
        module = model.get_submodule(layer.name)
        assert layer.parameters == sum(p.numel() for p in module.parameters())
    leaves = [layer for layer in layers if layer.has_weights]
    assert leaves[0].output_shape[0] == 64
    assert leaves[-1].output_shape == (1000,)
    assert not any(layer.name.startswith("aux") for layer in layers), "heads that do not run are left out"


def test_order_is_that_of_the_forward_pass_not_of_the_definition():
    class Reversed(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(3, 2)
            self.blocks = nn.ModuleList([nn.Linear(3, 3), nn.Linear(4, 3)])
            self.unused = nn.Linear(9, 9)

        def forward(self, x):
            return {"scores": (self.last(self.blocks[0](self.blocks[1](x))),)}

    layers = layer_list(Reversed(), (4,))
    assert [layer.name for layer in layers] == ["blocks", "blocks.1", "blocks.0", "last"]
    assert layers[0].kind == "container"
    assert layers[0].output_shape == ()


def test_leaves_flags_hooks_and_random_state_alone():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.BatchNorm1d(4)).train()
    model[1].eval()
    before, statistics = torch.get_rng_state(), model[2].running_mean.clone()
    layer_list(model, (4,))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(model[2].running_mean, statistics)
    assert [m.training for m in model.modules()] == [True, True, False, True]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_network_that_fails_is_left_clean():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(5, 5)).train()
    with pytest.raises(RuntimeError):
        layer_list(model, (4,))
    assert model.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
