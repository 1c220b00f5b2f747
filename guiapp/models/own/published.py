"""Published weight files whose authors say what the file itself does not: how pictures were prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_IMAGENET = {"mean": "0.485, 0.456, 0.406", "std": "0.229, 0.224, 0.225"}
_CIFAR10 = "airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck"

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8": {
        "architecture": "resnet20",
        "labels": _CIFAR10,
        **_IMAGENET,
    },
    "4bfd97631478d6b638d2764fd2baff3edb1d7d82252d54439343b6596b9b5367": {
        "architecture": "resnet56",
        "labels": _CIFAR10,
        **_IMAGENET,
    },
}
"""SHA-256 of a file to fields of ``OwnSettings``: ResNets for CIFAR-10 by akamaster (github.com/akamaster/
pytorch_resnet_cifar10), whose ``trainer.py`` normalises as for ImageNet."""
