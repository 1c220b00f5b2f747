"""The sums of the papers: each equals what torchvision's network really holds, or a sum by hand where that differs."""

import re

import pytest
import torch
import torchvision

from guiapp.models.zoo.counts import counts_of

WITHOUT_BACKBONE = {"weights_backbone": None}


def network(name, **options):
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None, **options)


def size(module):
    return sum(p.numel() for p in module.parameters())


def weights(module):
    """Numbers in kernels and dense layers, without biases and normalisation."""
    return sum(p.numel() for p in module.parameters() if p.ndim > 1)


def values(family, module):
    return {count.what: count.value for count in counts_of(family, module)}


def worked_out(formula):
    """What a formula gives when it is computed: every sum is what it says."""
    text = re.sub(r"\b(anchors|classes|in convolutions|in dense layers)\b", "", formula)
    text = text.replace(",", "").replace("×", "*").replace("−", "-").replace("²", "**2")
    return eval(text, {})


CASES = [
    ("AlexNet", "alexnet", {}),
    ("VGG", "vgg16", {}),
    ("Inception", "googlenet", {"init_weights": False}),
    ("Inception", "inception_v3", {"init_weights": False}),
    ("ResNet", "resnet34", {}),
    ("ResNet", "resnet152", {}),
    ("Wide ResNet", "wide_resnet50_2", {}),
    ("ResNeXt", "resnext50_32x4d", {}),
    ("ResNeXt", "resnext101_64x4d", {}),
    ("DenseNet", "densenet121", {}),
    ("DenseNet", "densenet161", {}),
    ("FCN", "fcn_resnet50", WITHOUT_BACKBONE),
    ("DeepLab v3", "deeplabv3_mobilenet_v3_large", WITHOUT_BACKBONE),
    ("Video ResNet", "r3d_18", {}),
    ("Video ResNet", "r2plus1d_18", {}),
    ("Faster R-CNN", "fasterrcnn_resnet50_fpn_v2", WITHOUT_BACKBONE),
    ("Mask R-CNN", "maskrcnn_resnet50_fpn", WITHOUT_BACKBONE),
    ("Keypoint R-CNN", "keypointrcnn_resnet50_fpn", WITHOUT_BACKBONE),
    ("RetinaNet", "retinanet_resnet50_fpn", WITHOUT_BACKBONE),
    ("SSD", "ssd300_vgg16", WITHOUT_BACKBONE),
    ("ViT", "vit_b_16", {}),
]


@pytest.mark.parametrize(("family", "name", "options"), CASES, ids=[case[1] for case in CASES])
def test_formulas_give_their_values(family, name, options):
    found = counts_of(family, network(name, **options))
    assert found
    for count in found:
        if "…" not in count.formula:
            assert worked_out(count.formula) == count.value, str(count)


def test_alexnet_here_and_in_the_paper():
    found = values("AlexNet", module := network("alexnet"))
    assert found["here, one tower of 2014"] == size(module) == 61_100_840
    layers = [(11, 3, 96, 1), (5, 96, 256, 2), (3, 256, 384, 1), (3, 384, 384, 2), (3, 384, 256, 2)]
    with torch.device("meta"):
        one = [torch.nn.Conv2d(i, o, k) for k, i, o, _ in layers]
        two = [torch.nn.Conv2d(i, o, k, groups=g) for k, i, o, g in layers]
    dense = size(module.classifier)
    assert found["widths of 2012, no groups"] == sum(map(size, one)) + dense == 62_378_344
    assert found["2012, two towers"] == sum(map(size, two)) + dense == 60_965_224
    # Course text 1 adds C_in instead of C_out biases to dense layers: 9216 - 4096 and 4096 - 1000 too many.
    assert 62_378_344 + (9216 - 4096) + (4096 - 1000) == 62_386_560
    assert "62,386,560" in str(counts_of("AlexNet", module)[1])


def test_vgg_holds_most_in_one_layer_and_small_kernels_are_cheaper():
    found = values("VGG", module := network("vgg16"))
    assert size(module) == 138_357_544
    assert found["first dense layer"] == size(module.classifier[0]) == 102_764_544
    with torch.device("meta"):
        three = [torch.nn.Conv2d(512, 512, 3, bias=False) for _ in range(3)]
        one = torch.nn.Conv2d(512, 512, 7, bias=False)
    assert found["three 3×3 on 512 maps"] == sum(map(size, three))
    assert found["one 7×7 on 512 maps"] == size(one)


def test_an_inception_module_and_the_heads():
    module = network("googlenet", init_weights=False)
    found = values("Inception", module)
    assert found["inception3a"] == weights(module.inception3a)
    assert found["without the heads for training"] == size(module) - size(module.aux1) - size(module.aux2) == 6_624_904
    without = network("googlenet", init_weights=False, aux_logits=False)
    assert "without the heads for training" not in values("Inception", without)


def test_residual_units():
    for name, family in (("resnet50", "ResNet"), ("resnet18", "ResNet"), ("resnext50_32x4d", "ResNeXt")):
        found = values(family, module := network(name))
        assert found["unit of layer1"] == weights(module.layer1[-1]), name
        depth = sum(1 for n, p in module.named_parameters() if p.ndim > 1 and "downsample" not in n)
        assert found["layers with weights"] == depth, name
    assert (found["unit of layer1"], found["ResNet-50's unit"]) == (70_144, weights(network("resnet50").layer1[1]))
    assert found["as wide, in one group"] == weights(network("wide_resnet50_2").layer1[1])


def test_densenet_grows():
    found = values("DenseNet", module := network("densenet121"))
    features = module.features
    assert [found[f"block {i}"] for i in (1, 2, 3)] == [
        getattr(features, f"transition{i}").conv.in_channels for i in (1, 2, 3)
    ]
    assert found["block 4"] == features.norm5.num_features == 1024
    assert found["its last layer"] == weights(features.denseblock4.denselayer16)


def test_dense_prediction_and_clips():
    module = network("deeplabv3_mobilenet_v3_large", **WITHOUT_BACKBONE)
    found = values("DeepLab v3", module)
    assert [found[f"3×3 dilated by {rate}"] for rate in (12, 24, 36)] == [
        weights(branch[0]) for branch in list(module.classifier[0].convs)[1:4]
    ]
    assert found["classes at every place"] == size(module.classifier[-1])
    assert values("FCN", fcn := network("fcn_resnet50", **WITHOUT_BACKBONE))["head"] == weights(fcn.classifier[0])
    found = values("Video ResNet", module := network("r3d_18"))
    assert (found["stem"], found["stem on single pictures"]) == (weights(module.stem[0]), 9_408)
    assert found["3×3×3 of layer1"] == weights(module.layer1[0].conv1[0])
    found = values("Video ResNet", module := network("r2plus1d_18"))
    assert found["space, then time"] == weights(module.layer1[0].conv1[0]) == found["one 3×3×3"]


def test_detectors():
    module = network("maskrcnn_resnet50_fpn", **WITHOUT_BACKBONE)
    found = values("Mask R-CNN", module)
    assert found["first dense layer on a region"] == size(module.roi_heads.box_head.fc6)
    assert found["a mask for each class"] == size(module.roi_heads.mask_predictor.mask_fcn_logits)
    module = network("keypointrcnn_resnet50_fpn", **WITHOUT_BACKBONE)
    found = values("Keypoint R-CNN", module)
    assert found["heat maps"] == size(module.roi_heads.keypoint_predictor)
    module = network("ssd300_vgg16", **WITHOUT_BACKBONE)
    assert values("SSD", module) == {"default boxes": 8_732}
    assert counts_of("SSD", network("ssdlite320_mobilenet_v3_large", **WITHOUT_BACKBONE)) == ()


def test_transformer_blocks():
    found = values("ViT", module := network("vit_b_16"))
    block = module.encoder.layers[0]
    assert found["tokens"] == module.encoder.pos_embedding.shape[1]
    assert found["patch to token"] == size(module.conv_proj)
    assert found["attention of a block"] == size(block.self_attention)
    assert found["dense layers of a block"] == size(block.mlp)
    assert counts_of("Swin", module) == ()
