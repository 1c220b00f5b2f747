"""Class names of the data sets that the zoo was trained on, from torchvision's own metadata: nothing is fetched."""

from __future__ import annotations

from functools import cache

from guiapp.core.registry import resolve

# Weights whose metadata hold the names.
_WHERE = {
    "imagenet": ("torchvision.models:ResNet18_Weights", "IMAGENET1K_V1"),
    "coco": ("torchvision.models.detection:FasterRCNN_ResNet50_FPN_Weights", "COCO_V1"),
    "coco-person": ("torchvision.models.detection:KeypointRCNN_ResNet50_FPN_Weights", "COCO_V1"),
    "voc": ("torchvision.models.segmentation:FCN_ResNet50_Weights", "COCO_WITH_VOC_LABELS_V1"),
    "kinetics": ("torchvision.models.video:R3D_18_Weights", "KINETICS400_V1"),
}

_MACHINE = "__background__"  # as torchvision calls it

KEYS = ("imagenet", "coco", "coco-80", "coco-person", "voc", "kinetics", "face", "person")
"""Known sets of class names."""


@cache
def labels(key: str) -> tuple[str, ...]:
    """Class names in the order of the network's outputs.

    Args:
        key: ``"imagenet"`` (1000), ``"coco"`` (91: the background first, ``"N/A"`` where an index is not used),
            ``"coco-80"`` (the same without those), ``"coco-person"`` (2), ``"voc"`` (21, the background first),
            ``"kinetics"`` (400), ``"face"``, ``"person"``, or ``""`` for none.
    """
    if key in ("face", "person"):  # detectors of one class, which have no background
        return (key,)
    if not key:
        return ()
    if key == "coco-80":
        return tuple(name for name in labels("coco") if name not in ("background", "N/A"))
    enum, name = _WHERE[key]
    return tuple("background" if name == _MACHINE else name for name in getattr(resolve(enum), name).meta["categories"])


@cache
def keypoint_names() -> tuple[str, ...]:
    """The 17 key points of COCO's people, from the nose to the right ankle."""
    enum, name = _WHERE["coco-person"]
    return tuple(getattr(resolve(enum), name).meta["keypoint_names"])
