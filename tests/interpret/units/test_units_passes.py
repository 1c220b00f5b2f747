"""A network is run as far as one layer, and what a unit sees is what gradients say."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from guiapp.core.notices import UserError
from guiapp.interpret.layers import layer_list
from guiapp.interpret.units.field import area_of, footprint
from guiapp.interpret.units.options import can_be_changed, unit_count
from guiapp.interpret.units.passes import LayerPass


def hooks(model):
    return [m for m in model.modules() if m._forward_hooks or m._forward_pre_hooks]


def passes(model, layer, size=(3, 32, 32), **changes):
    return LayerPass(model, layer, layer_list(model, size), size[1:], **changes)


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return torchvision.models.resnet18(weights=None).eval().requires_grad_(False)


def test_it_gives_what_the_layer_gives_and_runs_nothing_after_it(resnet):
    x = torch.randn(2, 3, 32, 32)
    later, asked = [], passes(resnet, "layer1.0.bn2")
    handle = resnet.layer2.register_forward_hook(lambda *_: later.append(1))
    with asked as passed, torch.no_grad():
        maps, seen = passed(x)
        once = len(later)
        again, _ = passed(x)
    handle.remove()
    y = resnet.layer1[0].bn2(resnet.layer1[0].conv2(functional.relu(resnet.layer1[0].bn1(resnet.layer1[0].conv1(
        resnet.maxpool(functional.relu(resnet.bn1(resnet.conv1(x)))))))))  # fmt: skip
    torch.testing.assert_close(maps, y)
    assert torch.equal(maps, again) and seen is x
    assert len(later) == once == 1, "only the run that counts calls goes on"
    assert not hooks(resnet)


def test_hooks_go_where_the_network_fails(resnet):
    with pytest.raises(RuntimeError, match="channels"), passes(resnet, "layer1") as passed:
        passed(torch.randn(1, 5, 32, 32))
    assert not hooks(resnet)
    with pytest.raises(UserError, match="no layer 'nowhere'"), passes(resnet, "nowhere"):
        pass
    assert not hooks(resnet)


def test_a_layer_called_twice_gives_its_last_output():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.conv(torch.relu(self.conv(x))).mean((2, 3))

    torch.manual_seed(1)
    model, x = Twice().eval(), torch.randn(1, 3, 8, 8)
    with passes(model, "conv", (3, 8, 8)) as passed, torch.no_grad():
        torch.testing.assert_close(passed(x)[0], model.conv(torch.relu(model.conv(x))))


def test_units_of_dense_layers_tokens_and_channels_last():
    torch.manual_seed(0)
    vit = torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5).eval()
    x = torch.randn(2, 3, 32, 32)
    layers = {layer.name: layer for layer in layer_list(vit, (3, 32, 32))}
    block = "encoder.layers.encoder_layer_1"
    assert unit_count(layers[block]) == 16 and not can_be_changed(layers[block])
    kept = []
    with torch.no_grad():
        handle = vit.get_submodule(block).register_forward_hook(lambda m, i, o: kept.append(o))
        vit(x)
        handle.remove()
        with passes(vit, block) as passed:
            maps, _ = passed(x)
    torch.testing.assert_close(maps[1, :, 2, 3], kept[0][1, 1 + 2 * 4 + 3])
    assert tuple(maps.shape) == (2, 16, 4, 4)
    with passes(vit, "heads.head") as passed, torch.no_grad():
        dense, _ = passed(x)
        torch.testing.assert_close(dense[:, :, 0, 0], vit(x))
    assert unit_count(layers["heads.head"]) == 5 and can_be_changed(layers["heads.head"])


def test_channels_that_come_last_are_units_all_the_same():
    torch.manual_seed(0)
    swin = torchvision.models.SwinTransformer([4, 4], 24, [1, 1], [2, 2], [4, 4], num_classes=3).eval()
    x, layers = torch.randn(2, 3, 64, 64), layer_list(swin, (3, 64, 64))
    known = {layer.name: layer for layer in layers}["features.1"]
    assert unit_count(known) == 24 and not can_be_changed(known)
    with torch.no_grad(), LayerPass(swin, "features.1", layers, (64, 64)) as passed:
        maps, _ = passed(x)
        torch.testing.assert_close(maps, swin.features[:2](x).permute(0, 3, 1, 2))


def test_of_a_detector_it_gives_the_picture_that_its_backbone_sees():
    torch.manual_seed(0)
    model = torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None).eval()
    with LayerPass(model, "backbone.features.0.0") as passed, torch.no_grad():
        maps, seen = passed([torch.rand(3, 200, 300)])
    assert tuple(seen.shape) == (1, 3, 320, 320)
    torch.testing.assert_close(maps, model.backbone.features[0][0](seen))
    assert not hooks(model)


@pytest.mark.parametrize("layer", ["conv1", "maxpool", "layer1.0.conv2", "layer2.0"])
def test_the_field_of_a_unit_is_the_footprint_of_its_gradients(resnet, layer):
    x = torch.randn(1, 3, 96, 96)
    layers = layer_list(resnet, (3, 96, 96))
    with LayerPass(resnet, layer, layers, (96, 96)) as passed:
        rows, columns = passed.noted.output_shape[1:]
        for place in ((rows // 2, columns // 2), (0, columns - 1)):
            assert footprint(passed, x, *place) == area_of(passed, *place, (96, 96))
    assert not hooks(resnet)


def test_where_no_field_is_known_the_footprint_is_measured():
    torch.manual_seed(0)
    vit = torchvision.models.VisionTransformer(32, 8, 1, 2, 16, 32, num_classes=5).eval()
    with passes(vit, "conv_proj") as passed:
        assert footprint(passed, torch.randn(1, 3, 32, 32), 1, 2) == (16, 8, 8, 8)
    with passes(vit, "encoder.layers.encoder_layer_0") as passed:
        assert footprint(passed, torch.randn(1, 3, 32, 32), 1, 2) == (0, 0, 32, 32), "attention sees all"
