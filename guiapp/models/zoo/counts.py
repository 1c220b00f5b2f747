"""The sums of the papers for published networks, with the numbers of the network that is open put in."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from guiapp.models.counting import Count

if TYPE_CHECKING:
    from torch import nn

_ALEXNET_2012 = ((3, 96, 11, 1), (96, 256, 5, 2), (256, 384, 3, 1), (384, 384, 3, 2), (384, 256, 3, 2))
"""Inputs, outputs, kernel and towers of the five convolutions (Krizhevsky, Sutskever, Hinton 2012)."""


def counts_of(family: str, module: nn.Module) -> tuple[Count, ...]:
    """What is worth counting in a published network; empty for families without a sum of their own.

    Args:
        family: ``ZooModel.family``.
        module: The network, whose layers give the numbers.
    """
    found = _FAMILIES.get(family)
    try:
        return found(module) if found is not None else ()
    except AttributeError:  # a network that bears the name and is built in another way
        return ()


def _size(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _alexnet(network: Any) -> tuple[Count, ...]:
    """Where 61.1 million and the 62.4 million of text 1's table come from."""
    dense, own = _size(network.classifier), _size(network.features)
    whole = sum((inputs * kernel**2 + 1) * outputs for inputs, outputs, kernel, _ in _ALEXNET_2012)
    towers = sum((inputs // groups * kernel**2 + 1) * outputs for inputs, outputs, kernel, groups in _ALEXNET_2012)
    return (
        Count("here, one tower of 2014", f"{own:,} in convolutions + {dense:,} in dense layers", own + dense),
        Count(
            "widths of 2012, no groups",
            f"{whole:,} + {dense:,}",
            whole + dense,
            "(text 1: 62,386,560, as it counts a bias for each input of a dense layer)",
        ),
        Count("2012, two towers", f"{towers:,} + {dense:,}", towers + dense, "(2 groups in layers 2, 4 and 5)"),
    )


def _vgg(network: Any) -> tuple[Count, ...]:
    """The dense layer that holds most, and three small kernels against a large one (T0, VGG-16)."""
    first, total = network.classifier[0], _size(network)
    maps = first.in_features // 49
    fc6 = first.out_features * (first.in_features + 1)
    three, one = 27 * maps**2, 49 * maps**2
    return (
        Count(
            "first dense layer",
            f"{first.out_features} × ({maps} × 7 × 7 + 1)",
            fc6,
            f"({100 * fc6 / total:.0f} % of {total:,})",
        ),
        Count(f"three 3×3 on {maps} maps", f"3 × 9 × {maps}²", three, "see 7 × 7, with three ReLUs"),
        Count(f"one 7×7 on {maps} maps", f"49 × {maps}²", one, f"sees 7 × 7: {100 * (one / three - 1):.0f} % more"),
    )


def _inception(network: Any) -> tuple[Count, ...]:
    """A module branch by branch, and the network without the heads that only help to train it."""
    counts = []
    if hasattr(network, "inception3a"):
        unit = network.inception3a
        one, pooled = unit.branch1.conv, unit.branch4[1].conv
        branches = [f"{one.in_channels} × {one.out_channels}"]
        for branch in (unit.branch2, unit.branch3):
            reduce, wide = branch[0].conv, branch[1].conv
            area = math.prod(wide.kernel_size)
            narrow = f"{reduce.in_channels} × {reduce.out_channels}"
            branches.append(f"({narrow} + {area} × {wide.in_channels} × {wide.out_channels})")
        branches.append(f"{pooled.in_channels} × {pooled.out_channels}")
        weights = sum(p.numel() for p in unit.parameters() if p.ndim == 4)
        norm = f"and {_size(unit) - weights} of normalisation"
        reduce, wide = unit.branch2[0].conv, unit.branch2[1].conv
        counts += [
            Count("inception3a", " + ".join(branches), weights, norm),
            Count(
                "its 3×3 without the 1×1",
                f"9 × {reduce.in_channels} × {wide.out_channels}",
                9 * reduce.in_channels * wide.out_channels,
                f"instead of {reduce.weight.numel() + wide.weight.numel():,}",
            ),
        ]
    heads = sum(_size(head) for name in ("aux1", "aux2", "AuxLogits") if (head := getattr(network, name, None)))
    own = _size(network) - heads
    if heads:
        counts.append(Count("without the heads for training", f"{own + heads:,} − {heads:,}", own))
    return tuple(counts)


def _resnet(network: Any) -> tuple[Count, ...]:
    """How many layers the name counts, and what a unit of the first stage has, plain and with a narrow middle."""
    stages = [len(getattr(network, f"layer{stage}")) for stage in (1, 2, 3, 4)]
    unit = network.layer1[-1]
    narrow = hasattr(unit, "conv3")
    depth = 3 if narrow else 2
    counts = [
        Count("layers with weights", f"1 + {depth} × ({' + '.join(map(str, stages))}) + 1", 2 + depth * sum(stages))
    ]
    if not narrow:
        width = unit.conv1.in_channels
        counts.append(Count("unit of layer1", f"2 × 9 × {width}²", 18 * width**2))
        return tuple(counts)
    outer, width = unit.conv1.in_channels, unit.conv1.out_channels
    groups, part = unit.conv2.groups, width // unit.conv2.groups
    middle = f"9 × {width}²" if groups == 1 else f"{groups} × 9 × {part}²"
    value = 2 * outer * width + 9 * width * part
    counts.append(Count("unit of layer1", f"{outer} × {width} + {middle} + {width} × {outer}", value))
    if groups > 1:
        counts += [
            Count("ResNet-50's unit", "256 × 64 + 9 × 64² + 64 × 256", 69_632, "one path of 64 maps"),
            Count("as wide, in one group", f"… + 9 × {width}² + …", 2 * outer * width + 9 * width**2),
        ]
    else:
        counts.append(Count(f"two 3×3 on {outer} maps", f"2 × 9 × {outer}²", 18 * outer**2))
    return tuple(counts)


def _densenet(network: Any) -> tuple[Count, ...]:
    """Channels at the end of each block, k₀ + L k, and what the last layer of all reads."""
    counts, first = [], network.features.conv0.out_channels
    growth = network.features.denseblock1.denselayer1.conv2.out_channels
    inputs = first
    for number in range(1, 5):
        block = getattr(network.features, f"denseblock{number}")
        given = block.denselayer1.conv1.in_channels
        layers, note = len(list(block.children())), ""
        inputs = given + layers * growth
        transition = getattr(network.features, f"transition{number}", None)
        if transition is not None:
            note = f"maps, halved to {transition.conv.out_channels}"
        counts.append(Count(f"block {number}", f"{given} + {layers} × {growth}", inputs, note or "maps"))
    last = list(network.features.denseblock4.children())[-1]
    read, narrow = last.conv1.in_channels, last.conv1.out_channels
    counts.append(
        Count("its last layer", f"{read} × {narrow} + 9 × {narrow} × {growth}", read * narrow + 9 * narrow * growth)
    )
    return tuple(counts)


def _fcn(network: Any) -> tuple[Count, ...]:
    """The head: a 3x3 that narrows, and a classifier for each place."""
    narrow, last = network.classifier[0], network.classifier[-1]
    counts = [
        Count(
            "head",
            f"9 × {narrow.in_channels} × {narrow.out_channels}",
            9 * narrow.in_channels * narrow.out_channels,
        ),
        _every_place(last),
    ]
    return tuple(counts)


def _every_place(last: Any) -> Count:
    value = last.out_channels * (last.in_channels + 1)
    return Count("classes at every place", f"{last.out_channels} × ({last.in_channels} + 1)", value)


def _deeplab(network: Any) -> tuple[Count, ...]:
    """Dilation widens what a kernel spans and costs nothing (T1 11.3, dilated residual networks)."""
    counts = []
    for branch in network.classifier[0].convs:
        conv = branch[0]
        rate = getattr(conv, "dilation", (1,))[0]
        if rate > 1:
            value = 9 * conv.in_channels * conv.out_channels
            note = f"and spans {2 * rate + 1} × {2 * rate + 1}"
            counts.append(Count(f"3×3 dilated by {rate}", f"9 × {conv.in_channels} × {conv.out_channels}", value, note))
    conv = network.classifier[0].convs[1][0]
    span = 2 * conv.dilation[0] + 1
    value = span**2 * conv.in_channels * conv.out_channels
    formula = f"{span}² × {conv.in_channels} × {conv.out_channels}"
    return (*counts, Count(f"a whole {span}×{span}", formula, value), _every_place(network.classifier[-1]))


def _video(network: Any) -> tuple[Count, ...]:
    """A filter over time has as many weights more as it has pictures; (2+1)-D parts it into space and time."""
    counts = []
    first = network.stem[0]
    time, down, across = first.kernel_size
    maps, inputs = first.out_channels, first.in_channels
    value = first.weight.numel()
    if time > 1:
        counts.append(Count("stem", f"{maps} × {inputs} × {time} × {down} × {across}", value))
        counts.append(Count("stem on single pictures", f"{maps} × {inputs} × {down} × {across}", value // time))
    conv = network.layer1[0].conv1[0]
    if conv.__class__.__name__ == "Conv2Plus1D":
        space, later = conv[0], conv[3]
        a, b, c = space.in_channels, space.out_channels, later.out_channels
        counts.append(Count("space, then time", f"9 × {a} × {b} + 3 × {b} × {c}", 9 * a * b + 3 * b * c))
        counts.append(Count("one 3×3×3", f"27 × {a} × {c}", 27 * a * c, "the middle is as wide as gives the same"))
    else:
        a, c = conv.in_channels, conv.out_channels
        counts.append(Count("3×3×3 of layer1", f"27 × {a} × {c}", 27 * a * c, f"a 3×3 has {9 * a * c:,}"))
    return tuple(counts)


def _two_stage(network: Any) -> tuple[Count, ...]:
    """The dense layer on a region's maps, where most of the second stage lies, and the further branch of some."""
    counts = [_region_head(network.roi_heads.box_head)]
    mask, keys = network.roi_heads.mask_predictor, network.roi_heads.keypoint_predictor
    if mask is not None:
        last = mask.mask_fcn_logits
        classes, maps = last.out_channels, last.in_channels
        counts.append(Count("a mask for each class", f"{classes} × ({maps} + 1)", classes * (maps + 1)))
    if keys is not None:
        last = keys.kps_score_lowres
        maps, points, kernel = last.in_channels, last.out_channels, last.kernel_size[0]
        value = points * (maps * kernel**2 + 1)
        counts.append(Count("heat maps", f"{points} × ({maps} × {kernel} × {kernel} + 1)", value))
    return tuple(counts)


def _region_head(head: Any) -> Count:
    dense = head.fc6 if hasattr(head, "fc6") else next(m for m in head.modules() if hasattr(m, "in_features"))
    units, maps = dense.out_features, dense.in_features // 49
    return Count("first dense layer on a region", f"{units} × ({maps} × 7 × 7 + 1)", units * (49 * maps + 1))


def _retinanet(network: Any) -> tuple[Count, ...]:
    """Its two heads are shared by all levels."""
    scores, boxes = network.head.classification_head, network.head.regression_head
    anchors, classes, maps = scores.num_anchors, scores.num_classes, scores.cls_logits.in_channels
    return (
        Count("scores", f"{anchors} anchors × {classes} classes × (9 × {maps} + 1)", _size(scores.cls_logits)),
        Count("boxes", f"{anchors} anchors × 4 × (9 × {maps} + 1)", _size(boxes.bbox_reg)),
    )


def _ssd(network: Any) -> tuple[Count, ...]:
    """Default boxes of SSD300, level by level; other inputs have maps of other sizes."""
    each = network.anchor_generator.num_anchors_per_location()
    if tuple(network.transform.min_size) != (300,) or len(each) != 6:
        return ()
    sides = (38, 19, 10, 5, 3, 1)
    boxes = sum(side * side * count for side, count in zip(sides, each, strict=True))
    formula = " + ".join(f"{side}² × {count}" for side, count in zip(sides, each, strict=True))
    return (Count("default boxes", formula, boxes),)


def _vit(network: Any) -> tuple[Count, ...]:
    """Patches become tokens; attention and dense layers of one block."""
    size, patch, width = network.image_size, network.patch_size, network.hidden_dim
    side = size // patch
    block = network.encoder.layers[0]
    inner = block.mlp[0].out_features
    return (
        Count("tokens", f"({size} / {patch})² + 1", side * side + 1),
        Count("patch to token", f"{width} × (3 × {patch} × {patch} + 1)", width * (3 * patch * patch + 1)),
        Count("attention of a block", f"4 × {width} × ({width} + 1)", 4 * width * (width + 1)),
        Count(
            "dense layers of a block", f"2 × {width} × {inner} + {inner} + {width}", 2 * width * inner + inner + width
        ),
    )


_FAMILIES: dict[str, Callable[[Any], tuple[Count, ...]]] = {
    "AlexNet": _alexnet,
    "VGG": _vgg,
    "Inception": _inception,
    "ResNet": _resnet,
    "Wide ResNet": _resnet,
    "ResNeXt": _resnet,
    "DenseNet": _densenet,
    "FCN": _fcn,
    "DeepLab v3": _deeplab,
    "Video ResNet": _video,
    "Faster R-CNN": _two_stage,
    "Mask R-CNN": _two_stage,
    "Keypoint R-CNN": _two_stage,
    "RetinaNet": _retinanet,
    "SSD": _ssd,
    "ViT": _vit,
}
