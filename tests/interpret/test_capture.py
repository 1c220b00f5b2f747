"""One forward pass keeps what the layers gave, switches channels off, and leaves no hook."""

import pytest
import torch
import torchvision
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret import capture
from guiapp.models.lenet import LeNet5


def hooks(model):
    return [m for m in model.modules() if m._forward_hooks or m._forward_pre_hooks]


@pytest.fixture
def lenet():
    torch.manual_seed(0)
    return LeNet5(1, 32, 32, 10).eval(), torch.randn(2, 1, 32, 32)


def test_same_output_and_the_layers_own_outputs(lenet):
    model, x = lenet
    with torch.no_grad():
        plain = model(x)
        output, kept = capture.run(model, x, ["conv1", "tanh3", "fc2"])
        assert torch.equal(output, plain)
        assert list(kept) == ["conv1", "tanh3", "fc2"]
        assert torch.equal(kept["conv1"], model.conv1(x))
        assert torch.equal(kept["fc2"], plain)
    assert not hooks(model)


@pytest.mark.parametrize(
    ("channels", "options"),
    [
        (1, {}),
        (3, {"padding": 2, "stride": 2}),
        (3, {"padding": "same"}),
        (4, {"groups": 2}),
        (3, {"dilation": 2}),
        (3, {"bias": False}),
        (3, {"padding": 2, "padding_mode": "circular"}),
    ],
)
def test_one_small_picture_comes_to_the_same_with_the_quicker_convolution(channels, options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(channels, 6, 5, **options), nn.Tanh(), nn.Conv2d(6, 8, 5, padding=2)).eval()
    x = torch.randn(1, channels, 20, 20)
    with torch.no_grad():
        plain = model(x)
        output, kept = capture.run(model, x, ["0"])
        torch.testing.assert_close(output, plain)
        torch.testing.assert_close(kept["0"], model[0](x))


@pytest.mark.parametrize("layer", ["layer1.0.bn2", "layer1.0.conv1", "layer1.0", "conv1", "layer2"])
def test_in_place_networks_give_what_the_layer_gave(layer):
    torch.manual_seed(0)
    model, x = torchvision.models.resnet18(weights=None).eval(), torch.randn(1, 3, 32, 32)
    seen = {}
    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: seen.update(output=o.clone()))
    with torch.no_grad():
        plain = model(x)
        handle.remove()
        output, kept = capture.run(model, x, {layer})
    assert torch.equal(output, plain)
    assert torch.equal(kept[layer], seen["output"])


def test_silent_in_place_work_is_noticed():
    class Silent(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 3)

        def forward(self, x):
            y = self.first(x)
            y += 1
            return y

    model, x = Silent(), torch.randn(1, 3)
    for _ in range(2):
        with torch.no_grad():
            output, kept = capture.run(model, x, ["first"])
            assert torch.equal(kept["first"], model.first(x))
            assert torch.equal(output, model.first(x) + 1)


def test_inside_nested_sequences_and_their_containers():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2)).eval()
    x = torch.randn(1, 3)
    with torch.no_grad():
        _, kept = capture.run(model, x, ["0", "0.0", "0.1", "1"])
        assert torch.equal(kept["0"], model[0](x)) and torch.equal(kept["0.1"], kept["0"])
        assert torch.equal(kept["0.0"], model[0][0](x))
    model[0].register_forward_hook(lambda m, i, o: o * 2)
    with torch.no_grad():
        output, kept = capture.run(model, x, ["0.0", "0"])
        assert torch.equal(output, model(x)), "hooks of others still work"
        assert torch.equal(kept["0.0"], model[0][0](x))


def test_a_channel_switched_off_is_zero_and_only_that_one(lenet):
    model, x = lenet
    with torch.no_grad():
        output, kept = capture.run(model, x, ["conv1"], {"conv1": {2}, "fc1": {0, 83}})
        expected = model.conv1(x)
        expected[:, 2] = 0
        assert torch.equal(kept["conv1"], expected)
        y = model.fc1(model.flatten(model[1:8](expected)))
        y[:, [0, 83]] = 0
        assert torch.equal(output, model.fc2(model.tanh4(y)))
        assert torch.equal(capture.run(model, x, (), {"conv1": ()})[0], model(x))
    assert not hooks(model)


def test_switching_off_in_a_network_with_hooks():
    model, x = torchvision.models.resnet18(weights=None).eval(), torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        output, kept = capture.run(model, x, ["layer1.0.conv1"], {"layer1.0.conv1": [1]})
        assert torch.all(kept["layer1.0.conv1"][:, 1] == 0)
        assert not torch.equal(output, model(x))
    assert not hooks(model)


def test_wrong_names_and_channels_are_named_and_leave_no_hook(lenet):
    model, x = lenet
    with pytest.raises(UserError, match=r"'conv9'.*conv1, tanh1"):
        capture.run(model, x, ["conv1", "conv9"])
    with pytest.raises(UserError, match="channels 0 to 5, not 6"):
        capture.run(model, x, (), {"conv1": [6]})
    resnet = torchvision.models.resnet18(weights=None).eval()
    with pytest.raises(UserError, match="channels"):
        capture.run(resnet, torch.randn(1, 3, 32, 32), ["conv1"], {"layer1.0.conv1": [64]})
    with pytest.raises(RuntimeError):
        capture.run(resnet, torch.randn(1, 4, 32, 32), ["conv1"])
    assert not hooks(model) and not hooks(resnet)


def test_kept_outputs_carry_no_gradient(lenet):
    model, x = lenet
    _, kept = capture.run(model, x, ["conv1"])
    assert not kept["conv1"].requires_grad


def test_inference_mode(lenet):
    model, x = lenet
    with torch.inference_mode():
        output, kept = capture.run(model, x, ["conv1"])
        assert torch.equal(kept["conv1"], model.conv1(x)) and torch.equal(output, model(x))


def test_a_channel_is_boosted_by_its_factor_and_only_that_one(lenet):
    model, x = lenet
    plain, kept = capture.run(model, x, ["conv2", "conv3"])
    changed, boosted = capture.run(model, x, ["conv2", "conv3"], {"conv2": {4: 2.5, 7: 0.0}})
    expected = kept["conv2"].clone()
    expected[:, 4] *= 2.5
    expected[:, 7] = 0
    assert torch.equal(boosted["conv2"], expected)
    assert not torch.allclose(boosted["conv3"], kept["conv3"]) and not torch.allclose(changed, plain)
    same, _ = capture.run(model, x, switched_off={"conv2": {7: 0.0}})
    off, _ = capture.run(model, x, switched_off={"conv2": frozenset({7})})
    assert torch.equal(same, off)
    with pytest.raises(UserError, match="channels 0 to 15"):
        capture.run(model, x, switched_off={"conv2": {16: 2.0}})
