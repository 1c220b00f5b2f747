"""Families of the zoo, what torchvision's metadata does not say: tasks, papers, titles, rows of the systems table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Networks of one design.

    Attributes:
        title: What a person reads.
        task: Task of its networks.
        source: Paper.
        members: Titles by torchvision's name.
        systems: Rows of the systems table.
    """

    title: str
    task: str
    source: str
    members: Mapping[str, str]
    systems: tuple[str, ...] = ()


def _regnet(kind: str, sizes: str) -> dict[str, str]:
    """RegNet's members carry their compute: 400mf is 400 million multiply-adds, 1_6gf is 1.6 billion."""
    return {
        f"regnet_{kind}_{size}": f"RegNet {kind.upper()} {size.replace('_', '.').upper()}" for size in sizes.split()
    }


FAMILIES: tuple[Family, ...] = (
    Family(
        "AlexNet",
        "classification",
        "Krizhevsky, Sutskever, Hinton 2012; this version: Krizhevsky 2014, arXiv 1404.5997",
        {"alexnet": "AlexNet"},
        ("alexnet",),
    ),
    Family(
        "VGG",
        "classification",
        "Simonyan, Zisserman 2014, arXiv 1409.1556",
        {f"vgg{depth}{norm}": f"VGG-{depth}{' BN' * bool(norm)}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")},
        ("vgg",),
    ),
    Family(
        "Inception",
        "classification",
        "Szegedy et al. 2014, arXiv 1409.4842; v3: Szegedy et al. 2015, arXiv 1512.00567",
        {"googlenet": "GoogLeNet", "inception_v3": "Inception v3"},
        ("googlenet",),
    ),
    Family(
        "ResNet",
        "classification",
        "He, Zhang, Ren, Sun 2015, arXiv 1512.03385",
        {f"resnet{depth}": f"ResNet-{depth}" for depth in (18, 34, 50, 101, 152)},
        ("resnet",),
    ),
    Family(
        "ResNeXt",
        "classification",
        "Xie, Girshick, Dollár, Tu, He 2016, arXiv 1611.05431",
        {
            "resnext50_32x4d": "ResNeXt-50 32x4d",
            "resnext101_32x8d": "ResNeXt-101 32x8d",
            "resnext101_64x4d": "ResNeXt-101 64x4d",
        },
        ("resnext", "grouped-convolution"),
    ),
    Family(
        "Wide ResNet",
        "classification",
        "Zagoruyko, Komodakis 2016, arXiv 1605.07146",
        {"wide_resnet50_2": "Wide ResNet-50-2", "wide_resnet101_2": "Wide ResNet-101-2"},
        ("resnet",),
    ),
    Family(
        "DenseNet",
        "classification",
        "Huang, Liu, van der Maaten, Weinberger 2016, arXiv 1608.06993",
        {f"densenet{depth}": f"DenseNet-{depth}" for depth in (121, 161, 169, 201)},
        ("densenet",),
    ),
    Family(
        "SqueezeNet",
        "classification",
        "Iandola et al. 2016, arXiv 1602.07360",
        {"squeezenet1_0": "SqueezeNet 1.0", "squeezenet1_1": "SqueezeNet 1.1"},
    ),
    Family(
        "MobileNet",
        "classification",
        "v2: Sandler et al. 2018, arXiv 1801.04381; v3: Howard et al. 2019, arXiv 1905.02244",
        {
            "mobilenet_v2": "MobileNet v2",
            "mobilenet_v3_small": "MobileNet v3 small",
            "mobilenet_v3_large": "MobileNet v3 large",
        },
        ("grouped-convolution",),
    ),
    Family(
        "ShuffleNet v2",
        "classification",
        "Ma, Zhang, Zheng, Sun 2018, arXiv 1807.11164",
        {f"shufflenet_v2_x{a}_{b}": f"ShuffleNet v2 x{a}.{b}" for a, b in ((0, 5), (1, 0), (1, 5), (2, 0))},
        ("grouped-convolution",),
    ),
    Family(
        "EfficientNet",
        "classification",
        "Tan, Le 2019, arXiv 1905.11946; v2: Tan, Le 2021, arXiv 2104.00298",
        {
            **{f"efficientnet_b{size}": f"EfficientNet B{size}" for size in range(8)},
            **{f"efficientnet_v2_{size}": f"EfficientNet v2 {size.upper()}" for size in "sml"},
        },
    ),
    Family(
        "RegNet",
        "classification",
        "Radosavovic, Kosaraju, Girshick, He, Dollár 2020, arXiv 2003.13678",
        {
            **_regnet("x", "400mf 800mf 1_6gf 3_2gf 8gf 16gf 32gf"),
            **_regnet("y", "400mf 800mf 1_6gf 3_2gf 8gf 16gf 32gf 128gf"),
        },
    ),
    Family(
        "ConvNeXt",
        "classification",
        "Liu et al. 2022, arXiv 2201.03545",
        {f"convnext_{size}": f"ConvNeXt {size}" for size in ("tiny", "small", "base", "large")},
    ),
    Family(
        "ViT",
        "classification",
        "Dosovitskiy et al. 2020, arXiv 2010.11929",
        {
            f"vit_{size}_{patch}": f"ViT-{size.upper()}/{patch}"
            for size, patch in (("b", 16), ("b", 32), ("l", 16), ("l", 32), ("h", 14))
        },
        ("vision-transformer",),
    ),
    Family(
        "Swin",
        "classification",
        "Liu et al. 2021, arXiv 2103.14030; v2: Liu et al. 2021, arXiv 2111.09883",
        {
            **{f"swin_{size}": f"Swin {size.upper()}" for size in "tsb"},
            **{f"swin_v2_{size}": f"Swin v2 {size.upper()}" for size in "tsb"},
        },
        ("vision-transformer",),
    ),
    Family(
        "Faster R-CNN",
        "detection",
        "Ren, He, Girshick, Sun 2015, arXiv 1506.01497; pyramid: Lin et al. 2016, arXiv 1612.03144; "
        "v2: Li et al. 2021, arXiv 2111.11429",
        {
            "fasterrcnn_resnet50_fpn": "Faster R-CNN ResNet-50 FPN",
            "fasterrcnn_resnet50_fpn_v2": "Faster R-CNN v2 ResNet-50 FPN",
            "fasterrcnn_mobilenet_v3_large_fpn": "Faster R-CNN MobileNet v3 FPN",
            "fasterrcnn_mobilenet_v3_large_320_fpn": "Faster R-CNN MobileNet v3 FPN 320",
        },
        ("faster-rcnn", "feature-pyramid"),
    ),
    Family(
        "RetinaNet",
        "detection",
        "Lin, Goyal, Girshick, He, Dollár 2017, arXiv 1708.02002; v2: Zhang et al. 2019, arXiv 1912.02424",
        {
            "retinanet_resnet50_fpn": "RetinaNet ResNet-50 FPN",
            "retinanet_resnet50_fpn_v2": "RetinaNet v2 ResNet-50 FPN",
        },
        ("retinanet", "feature-pyramid"),
    ),
    Family(
        "FCOS",
        "detection",
        "Tian, Shen, Chen, He 2019, arXiv 1904.01355",
        {"fcos_resnet50_fpn": "FCOS ResNet-50 FPN"},
        ("feature-pyramid",),
    ),
    Family(
        "SSD",
        "detection",
        "Liu et al. 2015, arXiv 1512.02325; SSDlite: Sandler et al. 2018, arXiv 1801.04381",
        {"ssd300_vgg16": "SSD300 VGG-16", "ssdlite320_mobilenet_v3_large": "SSDlite320 MobileNet v3"},
        ("ssd",),
    ),
    Family(
        "Mask R-CNN",
        "instances",
        "He, Gkioxari, Dollár, Girshick 2017, arXiv 1703.06870; v2: Li et al. 2021, arXiv 2111.11429",
        {
            "maskrcnn_resnet50_fpn": "Mask R-CNN ResNet-50 FPN",
            "maskrcnn_resnet50_fpn_v2": "Mask R-CNN v2 ResNet-50 FPN",
        },
        ("mask-rcnn", "feature-pyramid"),
    ),
    Family(
        "Keypoint R-CNN",
        "keypoints",
        "He, Gkioxari, Dollár, Girshick 2017, arXiv 1703.06870",
        {"keypointrcnn_resnet50_fpn": "Keypoint R-CNN ResNet-50 FPN"},
        ("keypoint-rcnn", "feature-pyramid"),
    ),
    Family(
        "FCN",
        "segmentation",
        "Long, Shelhamer, Darrell 2014, arXiv 1411.4038",
        {"fcn_resnet50": "FCN ResNet-50", "fcn_resnet101": "FCN ResNet-101"},
        ("fcn",),
    ),
    Family(
        "DeepLab v3",
        "segmentation",
        "Chen, Papandreou, Schroff, Adam 2017, arXiv 1706.05587",
        {
            "deeplabv3_resnet50": "DeepLab v3 ResNet-50",
            "deeplabv3_resnet101": "DeepLab v3 ResNet-101",
            "deeplabv3_mobilenet_v3_large": "DeepLab v3 MobileNet v3",
        },
        ("deeplab",),
    ),
    Family(
        "LR-ASPP",
        "segmentation",
        "Howard et al. 2019, arXiv 1905.02244",
        {"lraspp_mobilenet_v3_large": "LR-ASPP MobileNet v3"},
    ),
    Family(
        "Video ResNet",
        "clip",
        "Tran et al. 2017, arXiv 1711.11248",
        {"r3d_18": "R3D-18", "mc3_18": "MC3-18", "r2plus1d_18": "R(2+1)D-18"},
        ("conv-3d",),
    ),
    Family("S3D", "clip", "Xie, Sun, Huang, Tu, Murphy 2017, arXiv 1712.04851", {"s3d": "S3D"}, ("conv-3d",)),
    Family(
        "MViT",
        "clip",
        "Fan et al. 2021, arXiv 2104.11227; v2: Li et al. 2021, arXiv 2112.01526",
        {"mvit_v1_b": "MViT v1 B", "mvit_v2_s": "MViT v2 S"},
    ),
    Family(
        "RAFT",
        "flow",
        "Teed, Deng 2020, arXiv 2003.12039",
        {"raft_small": "RAFT small", "raft_large": "RAFT large"},
        ("optical-flow",),
    ),
)
