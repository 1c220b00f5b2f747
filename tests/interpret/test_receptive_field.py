"""Receptive fields by hand, and by the input pixels that change an output unit."""

import pytest
import torch
import torchvision
from torch import nn

from guiapp.interpret.layers import layer_list
from guiapp.interpret.receptive_field import ReceptiveField
from guiapp.models.lenet import LeNet5


def fields(model, size):
    return {layer.name: layer.receptive_field for layer in layer_list(model, size)}


def square(size, stride, offset):
    return ReceptiveField((size, size), (stride, stride), (offset, offset))


def made_linear(model):
    """The same connections with nothing that can hide one: positive weights, means for maxima, no saturation."""
    for name, module in list(model.named_modules()):
        parent = model.get_submodule(name.rpartition(".")[0])
        if isinstance(module, nn.MaxPool2d):
            found = nn.AvgPool2d(module.kernel_size, module.stride, module.padding)
            setattr(parent, name.rpartition(".")[2], found)
        elif isinstance(module, nn.ReLU | nn.Tanh | nn.Dropout):
            setattr(parent, name.rpartition(".")[2], nn.Identity())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(0.5, 1.5).div_(parameter[0].numel())
    return model.double().eval()


def support(model, layer, size, row, column):
    """Left, top, width, height of the input pixels on which a unit of a layer depends, by its gradient."""
    kept = {}
    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, o: kept.update(output=o))
    input = torch.ones(1, *size, dtype=torch.float64, requires_grad=True)
    model(input)
    handle.remove()
    output = kept["output"]
    unit = output[0, 0, row, column] if output.ndim == 4 else output[0, 0]
    (slope,) = torch.autograd.grad(unit, input)
    rows, columns = (slope.abs().sum((0, 1, 3)).nonzero(), slope.abs().sum((0, 1, 2)).nonzero())
    top, bottom, left, right = (int(n) for n in (rows.min(), rows.max(), columns.min(), columns.max()))
    return left, top, right - left + 1, bottom - top + 1


def check(model, size, places):
    """Every layer's field at a few places is where the gradient is."""
    made = fields(model, size)
    model = made_linear(model)
    for layer, row, column in places:
        area = made[layer].area(row, column, size[1:])
        assert area == support(model, layer, size, row, column), (layer, row, column)


def test_lenet5_by_hand():
    found = fields(LeNet5(1, 32, 32, 10), (1, 32, 32))
    assert found["conv1"] == found["tanh1"] == square(5, 1, 0)
    assert found["pool1"] == square(6, 2, 0)
    assert found["conv2"] == square(14, 2, 0)
    assert found["pool2"] == square(16, 4, 0)
    assert found["conv3"] == square(32, 4, 0), "the third convolution sees the whole picture"
    assert found["flatten"] == found["fc1"] == found["fc2"] == square(32, 0, 0)
    assert found["conv2"].area(9, 3, (32, 32)) == (6, 18, 14, 14)


def test_lenet5_by_gradient():
    places = [("conv1", 3, 20), ("pool1", 13, 0), ("conv2", 9, 3), ("pool2", 1, 4), ("conv3", 0, 0), ("fc1", 0, 0)]
    check(LeNet5(1, 32, 32, 10), (1, 32, 32), places)


def test_vgg16_by_hand():
    """Known sizes: 3x3 convolutions add two of their stride, pools one; 212 pixels before the dense layers."""
    with torch.device("meta"):
        model = torchvision.models.vgg16(weights=None, init_weights=False)
    found = fields(model, (3, 224, 224))
    assert found["features.0"] == square(3, 1, -1)
    assert found["features.2"] == square(5, 1, -2)
    assert found["features.4"] == square(6, 2, -2)
    assert found["features.28"] == square(196, 16, -90)
    assert found["features.30"] == found["avgpool"] == square(212, 32, -90)
    assert found["classifier.0"] == found["classifier.6"] == square(224, 0, 0)


def test_vgg16_by_gradient():
    """Its features with two channels each: fields do not depend on their number."""
    settings = [2 if isinstance(n, int) else n for n in torchvision.models.vgg.cfgs["D"]]
    model = nn.Sequential(torchvision.models.vgg.make_layers(settings))
    places = [("0.4", 0, 111), ("0.14", 30, 5), ("0.28", 0, 0), ("0.28", 7, 7), ("0.30", 6, 2)]
    check(model, (3, 224, 224), places)


def test_strides_dilation_and_sides_of_their_own():
    model = nn.Sequential(
        nn.Conv2d(2, 3, (3, 5), stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
        nn.ZeroPad2d((2, 0, 1, 0)),
        nn.Conv2d(3, 2, 3, padding="same", dilation=2),
        nn.AvgPool2d(3, 2, 1),
        nn.AdaptiveAvgPool2d((2, 3)),
    )
    assert fields(model, (2, 29, 35))["0"] == ReceptiveField((3, 9), (2, 1), (-1, 0))
    check(model, (2, 29, 35), [("0", 4, 3), ("1", 5, 6), ("2", 7, 8), ("3", 0, 0), ("3", 3, 5)])


def test_three_small_convolutions_see_as_much_as_a_large_one():
    model = nn.Sequential(*(nn.Conv2d(1, 1, 3) for _ in range(3)))
    assert fields(model, (1, 20, 20))["2"] == square(7, 1, 0), "T0: as one 7x7"


def test_branches_see_what_either_sees():
    found = fields(torchvision.models.resnet18(weights=None), (3, 64, 64))
    assert found["maxpool"] == square(11, 4, -5)
    assert found["layer1.0"] == square(11 + 4 * 4, 4, -5 - 2 * 4)
    assert found["layer2.0"].stride == (8, 8)
    assert found["fc"] == square(64, 0, 0)


class _Unknown(nn.Module):
    def __init__(self, work):
        super().__init__()
        self.work, self.last = work, nn.Conv2d(1, 1, 3)

    def forward(self, x):
        return self.last(self.work(x))


def _written(x):
    changed = x.clone()
    changed[:, :, 0] = x[:, :, -1]
    return changed


@pytest.mark.parametrize(
    "work",
    [lambda x: x.flip(3), lambda x: nn.functional.interpolate(x, scale_factor=2), lambda x: x.cumsum(2), _written,
     lambda x: nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"), lambda x: torch.cat([x, x], 2)],
)  # fmt: skip
def test_what_is_not_known_is_not_guessed(work):
    assert fields(_Unknown(work), (1, 12, 12))["last"] is None


def test_units_of_flattened_maps_see_different_places():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Dropout(), nn.Linear(2 * 16, 3), nn.Softmax(1))
    found = fields(model, (1, 6, 6))
    assert found["1"] is None and found["2"] is None
    assert found["3"] == found["4"] == square(6, 0, 0)


def test_an_input_that_is_no_picture_has_none():
    assert fields(nn.Sequential(nn.Linear(4, 3)), (4,)) == {"0": None}


def test_dilation_widens_the_field_of_deeplab_as_by_hand():
    with torch.device("meta"):
        model = torchvision.models.get_model("deeplabv3_resnet50", weights=None, weights_backbone=None)
    fields = {layer.name: layer.receptive_field for layer in layer_list(model, (3, 520, 520))}
    # 7 at stride 2, pooling 3 at stride 2, then units of one 3x3 each: 3 at jump 4; one at 4 and three at 8; one at 8
    # and five dilated by 2; one dilated by 2 and two by 4, strides having given way to dilation.
    size = 7 + 2 * 2 + 3 * 2 * 4 + (2 * 4 + 3 * 2 * 8) + (2 * 8 + 5 * 2 * 2 * 8) + (2 * 2 * 8 + 2 * 4 * 2 * 8)
    assert size == 427 and fields["backbone.layer4.2.conv2"].size == (size, size)
    for branch, rate in enumerate((12, 24, 36), 1):
        field = fields[f"classifier.0.convs.{branch}.0"]
        assert field.size == (size + rate * 2 * 8,) * 2 and field.stride == (8, 8)
    assert fields["classifier.0.convs.1.0"].size == (619, 619)
