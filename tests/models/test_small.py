"""The small families: counts by hand, what each stands for, and that each can learn."""

import pytest
import torch
from torch.nn import functional

from guiapp.core.notices import UserError
from guiapp.interpret.layers import layer_list
from guiapp.models import MODELS, Preprocessing
from guiapp.models.connections import LocallyConnected2d
from guiapp.models.layer_choices import KINDS

SIZE = (3, 32, 32)
SMALL = ("nin", "small-alexnet", "small-vgg", "small-googlenet", "small-resnext", "small-densenet")


def make(name, size=SIZE, **options):
    torch.manual_seed(0)
    channels = size[0]
    return MODELS[name].make(Preprocessing(size, (0.5,) * channels, (0.5,) * channels), 10, **options)


def count(model):
    return sum(p.numel() for p in model.parameters())


def test_counts_by_hand():
    nin = 3 * 48 * 25 + 48 + 48 * 48 + 48 + 48 * 24 + 24  # block 1
    nin += 24 * 48 * 25 + 48 + 2 * (48 * 48 + 48) + 48 * 48 * 9 + 48 + 48 * 48 + 48 + 48 * 10 + 10
    assert count(make("nin")) == nin == 64_354
    convolutions = 3 * 24 * 9 + 24 + 24 * 24 * 9 + 24 + 24 * 48 * 9 + 48 + 48 * 48 * 9 + 48
    convolutions += 48 * 96 * 9 + 96 + 96 * 96 * 9 + 96
    assert count(make("small-vgg")) == convolutions + 96 * 4 * 4 * 128 + 128 + 128 * 10 + 10
    look = {"alexnet": (49, 2), "zfnet": (9, 4)}
    for name, (kernel, side) in look.items():
        expected = 3 * 24 * kernel + 24 + 24 * 64 * 25 + 64 + 64 * 96 * 9 + 96 + 96 * 96 * 9 + 96 + 96 * 64 * 9 + 64
        expected += 64 * side * side * 256 + 256 + 256 * 10 + 10
        assert count(make("small-alexnet", look=name)) == expected


def test_blocks_are_those_of_the_papers():
    dense = {layer.name: layer.output_shape for layer in layer_list(make("small-densenet"), SIZE)}
    assert [dense[f"features.block{n}"][0] for n in (1, 2, 3)] == [24 + 60, 42 + 60, 51 + 60]  # k0 + L k
    inception = make("small-googlenet").get_submodule("inception_a")
    maps = torch.randn(2, 32, 8, 8)
    joined = inception.eval()(maps)
    parts = [getattr(inception, f"branch{n}")(maps) for n in (1, 2, 3, 4)]
    assert [part.shape[1] for part in parts] == [16, 32, 8, 8]  # a quarter, a half, an eighth, an eighth
    assert torch.equal(joined, torch.cat(parts, 1))
    grouped = make("small-resnext").layer1[0].conv2
    assert grouped.groups == 8 and grouped.weight.numel() == 9 * 32 * 4


def test_three_ways_to_connect_the_same_units():
    weights = {}
    for connection in ("full", "local", "shared"):
        model = make("connections", (1, 8, 8), connection=connection)
        weights[connection] = model.hidden.weight.numel()
        assert model[:-2](torch.zeros(1, 1, 8, 8)).shape == (1, 8, 6, 6)
    assert weights == {"full": 64 * 288, "local": 9 * 288, "shared": 9 * 8}


def test_layers_of_a_choice():
    expected = 3 * 16 * 9 + 2 * 16 + 16 * 10 + 10
    assert count(make("layer-choices", first="skip", second="max3", third="mean3", fourth="skip")) == expected
    chosen = make("layer-choices", first="conv1", second="conv5", third="separable3", fourth="conv3")
    assert count(chosen) == expected + 16 * 16 * (1 + 25 + 9) + 16 * 9 + 16 * 16 + 4 * 32
    assert set(MODELS["layer-choices"].choices["first"]) == set(KINDS)


def test_a_local_layer_with_the_same_kernel_everywhere_is_a_convolution():
    torch.manual_seed(0)
    local, shared = LocallyConnected2d(2, 9, 7, 3, 3, 2), torch.nn.Conv2d(2, 3, 3, 2)
    with torch.no_grad():
        local.weight.copy_(shared.weight.repeat_interleave(local.rows * local.columns, 0))
        local.bias.copy_(shared.bias[:, None, None].expand_as(local.bias))
    maps = torch.randn(4, 2, 9, 7)
    torch.testing.assert_close(local(maps), shared(maps))


@pytest.mark.parametrize("name", [*SMALL, "connections", "layer-choices"])
def test_it_learns_eight_pictures_by_heart(name):
    model = make(name).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    pictures, labels = torch.randn(8, *SIZE), torch.arange(8)
    optimiser = torch.optim.Adam(model.parameters(), 2e-2 if name == "layer-choices" else 2e-3)
    for _ in range(60):
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(pictures), labels)
        loss.backward()
        optimiser.step()
        if loss < 0.3:
            break
    assert loss < 0.3


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("nin", {"filters": 1}),
        ("small-alexnet", {"look": "far"}),
        ("small-vgg", {"layers": 0}),
        ("small-googlenet", {"filters": 20}),
        ("small-resnext", {"groups": 0}),
        ("small-densenet", {"growth": 0}),
        ("connections", {"connection": "some"}),
        ("layer-choices", {"filters": 0}),
        ("resnet20", {"unit": "upside-down"}),
    ],
)
def test_options_that_make_no_network_are_refused(name, options):
    with pytest.raises(UserError, match=next(iter(options))):
        make(name, **options)


@pytest.mark.parametrize("unit", MODELS["resnet20"].choices["unit"])
def test_units_add_where_they_say(unit):
    model = make("resnet20", unit=unit).eval()
    block = model.layer1[1]
    x = torch.randn(1, 16, 8, 8)
    with torch.no_grad():
        if unit in ("full-pre-activation", "bn-after-addition"):
            block.conv2.weight.zero_()  # the branch gives nothing
        else:
            block.bn2.weight.zero_()
        expected = {
            "original": x.relu(),
            "bn-after-addition": (x / (1 + block.bn2.eps) ** 0.5).relu(),
        }.get(unit, x)
        torch.testing.assert_close(block(x), expected)
    plain = make("resnet20", unit=unit, residual=False).eval().layer1[1]
    assert plain.shortcut is None and count(plain) == count(block)
