"""Networks that others have trained, in the live room: classifiers, detectors, segmentation, skeletons, clips, flow."""

from guiapp.catalogue.entry import Experiment

_INSIDE = ("live", "filters", "model", "activations")
_FILTERS = ("live", "model", "filters", "activations")


def _exhibit(
    id: str,
    chapter: str,
    title: str,
    model: str,
    task: str,
    summary: str,
    layer: str | None = None,
    systems: tuple[str, ...] = (),
    panels: tuple[str, ...] = _INSIDE,
    help: str | None = None,
    detector: str = "pyramid",
) -> Experiment:
    return Experiment(
        id=id, chapter=chapter, title=title, systems=systems or (id,), model=model, dataset="", summary=summary,
        task=task, panels=panels, layer=layer, live=True, help=help,
        begin={"detector.view": detector} if "detector" in panels else {},
    )  # fmt: skip


EXPERIMENTS = (
    _exhibit(
        "viola-jones", "image-structure", "Faces by Viola and Jones", "haar-face", "detection",
        "The cascade that put face detection into cameras: integral image, Haar features, stages, nothing downloaded",
        panels=("live", "boosting", "cascade"),
    ),
    _exhibit(
        "hog", "image-structure", "People by gradient histograms", "hog-person", "detection",
        "Histograms of oriented gradients and one linear classifier find people, nothing downloaded",
        panels=("live", "gradients"),
    ),
    _exhibit(
        "alexnet", "architectures", "AlexNet", "alexnet", "classification",
        "Five convolutions and three dense layers: the network of 2012 that began it", layer="features.0",
        panels=_FILTERS,
    ),
    _exhibit(
        "zfnet", "architectures", "ZFNet", "zfnet", "classification",
        "AlexNet after a look inside: a first layer that looks closer, layer sizes side by side", layer="conv1",
        panels=("live", "model", "filters", "activations", "units", "sizes"),
    ),
    _exhibit(
        "vgg", "architectures", "VGG-16", "vgg16", "classification",
        "Thirteen convolutions of 3x3 and 138 million parameters, most of them in one dense layer",
        layer="features.0",
    ),
    _exhibit(
        "googlenet", "architectures", "GoogLeNet", "googlenet", "classification",
        "Nine inception modules: four branches beside each other, joined map by map", layer="inception3a",
    ),
    _exhibit(
        "architecture-tables", "architectures", "Tables of AlexNet", "alexnet-paper", "classification",
        "Course text 1 counts AlexNet layer by layer: the same table from the live network, every figure equal",
        layer="conv1", panels=("live", "activations", "model"),
    ),
    _exhibit(
        "architecture-tables-inception", "architectures", "Tables of Inception v1", "googlenet-paper", "classification",
        "The paper's own GoogLeNet beside course text 1's table: what is equal, and what explains the rest",
        layer="inception3a", systems=("architecture-tables",), panels=("live", "activations", "model"),
        help="architecture-tables",
    ),
    _exhibit(
        "resnet", "architectures", "ResNet-50", "resnet50", "classification",
        "Residual units: what a unit adds to its input is learned, so that depth does no harm", layer="conv1",
    ),
    _exhibit(
        "resnext", "architectures", "ResNeXt-50", "resnext50_32x4d", "classification",
        "A residual unit of 32 groups of 4 channels: cardinality beside depth and width", layer="layer1.0.conv2",
        panels=("live", "filters", "model", "groups", "activations"),
    ),
    _exhibit(
        "densenet", "architectures", "DenseNet-121", "densenet121", "classification",
        "Every layer of a block sees the maps of all layers before it", layer="features.denseblock1.denselayer6",
        panels=(*_INSIDE, "connections"),
    ),
    _exhibit(
        "grouped-convolution", "architectures", "Grouped convolutions", "mobilenet_v2", "classification",
        "One filter a channel: MobileNet v2's depthwise convolutions, their cost against the dense ones",
        layer="features.2.conv.1.0", panels=(*_INSIDE, "groups"),
    ),
    _exhibit(
        "vit-b-16", "architectures", "ViT-B/16", "vit_b_16", "classification",
        "196 patches of 16x16 pixels and a class token through twelve layers of twelve heads",
        layer="encoder.layers.encoder_layer_11.self_attention", systems=("vision-transformer",),
        panels=(*_INSIDE, "attention"), help="vision-transformer",
    ),
    _exhibit(
        "faster-rcnn", "detection", "Faster R-CNN", "fasterrcnn_resnet50_fpn", "detection",
        "A region proposal network with anchors and objectness, then a classifier on each region",
        layer="backbone.fpn.layer_blocks.0", panels=(*_INSIDE, "detector"), detector="scores",
    ),
    _exhibit(
        "feature-pyramid", "detection", "Feature pyramid", "fasterrcnn_resnet50_fpn", "detection",
        "Coarse maps that know what, added level by level to fine maps that know where",
        layer="backbone.fpn.layer_blocks.0", panels=(*_INSIDE, "detector"),
    ),
    _exhibit(
        "ssd", "detection", "SSD", "ssd300_vgg16", "detection",
        "8,732 default boxes on six maps, all judged in one pass",
        layer="backbone.features.0", panels=(*_INSIDE, "detector"), detector="anchors",
    ),
    _exhibit(
        "retinanet", "detection", "RetinaNet", "retinanet_resnet50_fpn", "detection",
        "One stage, a sigmoid for each class, and the focal loss against a hundred thousand easy anchors",
        layer="backbone.fpn.layer_blocks.0", panels=(*_INSIDE, "detector"), detector="scores",
    ),
    _exhibit(
        "mask-rcnn", "dense", "Mask R-CNN", "maskrcnn_resnet50_fpn", "instances",
        "Faster R-CNN with one more branch: a mask of 28x28 pixels for each object",
        layer="roi_heads.mask_predictor.mask_fcn_logits", panels=(*_INSIDE, "detector"), detector="object",
    ),
    _exhibit(
        "fcn", "dense", "FCN with ResNet-50", "fcn_resnet50", "segmentation",
        "A classifier without dense layers gives a class for every place", layer="classifier.4",
    ),
    _exhibit(
        "deeplab", "dense", "DeepLab v3", "deeplabv3_mobilenet_v3_large", "segmentation",
        "Dilated convolutions see far without losing resolution", layer="classifier.0.convs.1.0",
    ),
    _exhibit(
        "optical-flow", "dense", "Optical flow", "dis-flow", "flow",
        "Where each pixel has moved to: classical flow at once, RAFT beside it", panels=("live",),
    ),
    _exhibit(
        "optical-flow-raft", "dense", "Optical flow by RAFT", "raft_small", "flow",
        "All pairs of pixels compared once, then a small recurrent network refines the flow",
        layer="feature_encoder.convnormrelu", systems=("optical-flow",), help="optical-flow",
    ),
    _exhibit(
        "keypoint-rcnn", "pose", "Keypoint R-CNN", "keypointrcnn_resnet50_fpn", "keypoints",
        "Seventeen heat maps for each person give a skeleton",
        layer="roi_heads.keypoint_predictor.kps_score_lowres", panels=(*_INSIDE, "detector"), detector="object",
    ),
    _exhibit(
        "conv-3d", "sequences", "3-D convolutions", "r3d_18", "clip",
        "Filters that reach over time as well say what happens in sixteen frames", layer="stem.0",
        panels=_FILTERS,
    ),
)  # fmt: skip
