"""A response goes back to the pixels as by transposed filters and switches written out by hand."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from guiapp.interpret.layers import layer_list
from guiapp.interpret.units.passes import LayerPass
from guiapp.interpret.units.patches import patch, shown
from guiapp.interpret.units.project import as_picture, project


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(5)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3), nn.ReLU()
    )
    return model.eval().requires_grad_(False)


def project_by_hand(net, x, unit, row, column):
    """Zeiler and Fergus: unpool by switches, rectify, transposed filters."""
    first = functional.relu(net[0](x))
    pooled, switches = functional.max_pool2d(first, 2, return_indices=True)
    top = functional.relu(net[3](pooled))
    signal = torch.zeros_like(top)
    signal[0, unit, row, column] = top[0, unit, row, column]
    signal = functional.conv_transpose2d(functional.relu(signal), net[3].weight)
    signal = functional.max_unpool2d(signal, switches, 2, output_size=first.shape)
    return functional.conv_transpose2d(functional.relu(signal), net[0].weight, padding=2)[0], top


def test_it_equals_unpooling_and_transposed_filters(net):
    x = torch.randn(1, 3, 20, 20)
    with torch.no_grad():
        _, top = project_by_hand(net, x, 0, 0, 0)
        unit = int(top[0].flatten(1).amax(1).argmax())
        row, column = divmod(int(top[0, unit].argmax()), top.shape[3])
        expected, _ = project_by_hand(net, x, unit, row, column)
    with LayerPass(net, "4", layer_list(net, (3, 20, 20)), (20, 20)) as passed:
        found = project(passed, x, unit)
        asked = project(passed, x, unit, (row, column))
    assert (found.row, found.column) == (row, column) and found.value == pytest.approx(float(top.amax()))
    np.testing.assert_allclose(found.values, expected.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.values, asked.values)
    assert found.other == () and found.values.any()
    left, top_, width, height = found.area
    outside = found.values.copy()
    outside[:, top_ : top_ + height, left : left + width] = 0
    assert not outside.any(), "nothing comes from beyond what the unit sees"


@pytest.mark.parametrize("rule", ["gradient", "guided", "deconvnet"])
def test_rules_equal_captums(net, rule):
    attr = pytest.importorskip("captum.attr")
    import copy
    import warnings

    torch.manual_seed(0)
    plain = nn.Sequential(*(nn.ReLU() if isinstance(m, nn.ReLU) else copy.deepcopy(m) for m in net)).eval()
    x = torch.randn(1, 3, 20, 20)

    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = plain

        def forward(self, pictures):
            return self.body(pictures)[:, :, 4, 5]

    kinds = {"gradient": attr.Saliency, "guided": attr.GuidedBackprop, "deconvnet": attr.Deconvolution}
    unit = int(plain(x)[0, :, 4, 5].argmax())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"abs": False} if rule == "gradient" else {}
        expected = kinds[rule](Head().eval()).attribute(x.clone().requires_grad_(True), target=unit, **options)
    with LayerPass(net, "4", layer_list(net, (3, 20, 20)), (20, 20)) as passed:
        found = project(passed, x, unit, (4, 5), rule)
    np.testing.assert_allclose(found.values, found.value * expected[0].detach().numpy(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
def test_rules_reach_the_relus_of_a_torch_export_program(net, rule):
    class Exported(nn.Sequential):
        def forward(self, x):
            for part in self:
                x = torch.ops.aten.relu.default(x) if isinstance(part, nn.ReLU) else part(x)
            return x

    x = torch.randn(1, 3, 20, 20)
    found = []
    for network in (net[:4], Exported(*net[:4])):
        with LayerPass(network, "3", layer_list(network, (3, 20, 20)), (20, 20)) as passed:
            found.append(project(passed, x.clone(), 2, (3, 3), rule).values)
    np.testing.assert_array_equal(*found)


def test_other_activations_are_named_and_residual_networks_work():
    torch.manual_seed(0)
    tanh = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Conv2d(3, 2, 3)).eval()
    with LayerPass(tanh, "2") as passed:
        found = project(passed, torch.randn(1, 1, 9, 9), 1)
    assert found.other == ("tanh",)
    resnet = torchvision.models.resnet18(weights=None).eval().requires_grad_(False)
    before = {name: value.clone() for name, value in resnet.state_dict().items()}
    with LayerPass(resnet, "layer3") as passed:
        found = project(passed, torch.randn(1, 3, 64, 64), 7)
    assert found.values.shape == (3, 64, 64) and found.values.any()
    assert all(torch.equal(value, before[name]) for name, value in resnet.state_dict().items())
    assert not [m for m in resnet.modules() if m._forward_hooks or m._forward_pre_hooks]


def test_a_patch_is_what_the_unit_saw_with_its_scale_taken_back(net):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
    values = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    x = ((values - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None])[None]
    np.testing.assert_array_equal(shown(x[0], mean, std), pixels)
    with LayerPass(net, "4", layer_list(net, (3, 20, 20)), (20, 20)) as passed:
        field = passed.noted.receptive_field
        found = patch(passed, x, (17, 1.5, 3, 2), 1, (mean, std), "deconvnet")
    left, top, width, height = field.area(3, 2, (20, 20))
    np.testing.assert_array_equal(found.pixels, pixels[top : top + height, left : left + width])
    assert found.projection.shape == found.pixels.shape and (found.sample, found.value) == (17, 1.5)


def test_zero_is_grey_and_the_scale_is_symmetric():
    values = np.zeros((1, 4, 4), np.float32)
    values[0, 0, 0], values[0, 1, 1] = 2.0, -2.0
    picture = as_picture(values)
    assert picture[0, 0].tolist() == [255] * 3 and picture[1, 1].tolist() == [0] * 3 and picture[2, 2, 0] == 128
    assert as_picture(np.zeros((3, 2, 2), np.float32)).tolist() == [[[128] * 3] * 2] * 2
    assert as_picture(values, (1, 1, 2, 2)).shape == (2, 2, 3)
