"""What the Live room says of a network before it is opened: size, cost, classes, terms, where its weights come from."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guiapp.models.zoo.papers import UNTRAINED
from guiapp.ui.status_bar import size

if TYPE_CHECKING:
    from guiapp.models.zoo.base import ZooModel, ZooWeights

_CLASSES = {
    "imagenet": "1000 classes of ImageNet", "coco": "80 classes of COCO", "coco-80": "80 classes of COCO",
    "coco-person": "persons with 17 key points", "voc": "20 classes of PASCAL VOC", "kinetics": "400 actions",
    "face": "faces", "person": "persons",
}  # fmt: skip

_MEASURED = {"S3D": "Its figure is of clips of 128 frames; here it answers to the last 16. "}
"""By family: where a figure was measured in another way than the network is run here."""


def count(number: int) -> str:
    """``"25.6 M"``, ``"144 M"``, ``"6.4 k"``; a dash for none."""
    if not number:
        return "–"
    value, unit = (number / 1e6, "M") if number >= 1e5 else (number / 1e3, "k")
    return f"{value:.0f} {unit}" if value >= 99.5 else f"{value:.1f} {unit}"


def size_of(weights: ZooWeights) -> str:
    """Size of the weight file; a dash where there is none of its own."""
    return size(weights.bytes) if weights.bytes else "–"


def classes_of(model: ZooModel, weights: ZooWeights) -> str:
    """What it tells apart, such as ``"80 classes of COCO"``; empty where it tells no classes."""
    said = weights.labels or getattr(getattr(model, "description", None), "labels", "")
    if isinstance(said, tuple):
        return f"{len(said)} classes" if len(said) > 1 else "".join(said)
    return _CLASSES.get(said, "")


def offer(weights: ZooWeights) -> str:
    """What would be fetched, from where and on what terms."""
    if weights.name == UNTRAINED:
        return "No weights are published: it opens with random ones, or with a file of your own"
    if not weights.url:
        return f"Opening it says where its weights can be had and where they go; licence {weights.licence}"
    return (
        f"Downloads {weights.file}, {size(weights.bytes)}, from {urlsplit(weights.url).hostname}; "
        f"licence {weights.licence}, trained on {weights.trained_on}"
    )


def facts(model: ZooModel, weights: ZooWeights | None, here: bool, file: str = "") -> str:
    """What is known of a network with the weights that are chosen.

    Args:
        model: The network.
        weights: The published set that is chosen, or None for a file.
        here: Whether it is on this machine.
        file: Name of the file that is chosen.
    """
    best = weights or model.best
    if best.shipped:
        return f"Comes with OpenCV; trained on {best.trained_on}, licence {best.licence}."
    known = [f"{count(best.parameters)} parameters" if best.parameters else ""]
    known += [f"{best.gflops:.1f} G multiply-adds" if best.gflops else "", classes_of(model, best)]
    told = ", ".join(part for part in known if part)
    told = f"{told[0].upper()}{told[1:]}. " if told else ""
    told += _MEASURED.get(model.family, "")
    if file:
        return f"{told}Here: {file}."
    terms = "; ".join(
        part for part in (f"trained on {best.trained_on}" if best.trained_on else "", f"licence {best.licence}") if part
    )
    if here:
        return f"{told}{best.name} is here; {terms}."
    there = "" if best.name == UNTRAINED else "Not on this machine. "
    return f"{told}{there}{offer(best)}."
