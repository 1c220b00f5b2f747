"""Small networks of every family, as cases about which something is asked."""

import numpy as np
import torch
from torch import nn
from torchvision.models import SwinTransformer, VisionTransformer
from torchvision.models.detection import (
    FCOS,
    FasterRCNN,
    RetinaNet,
)
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD
from torchvision.models.resnet import BasicBlock, ResNet

from guiapp.core.picture import Origin, Picture
from guiapp.interpret.case import Case
from guiapp.interpret.layers import layers_of_run
from guiapp.tasks.live_options import make_live_task

SIDE = 32


class Net(nn.Module):
    """Two convolutions, a pooling, two dense layers; each module is called once, nothing works in place."""

    def __init__(self, classes=5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
        )
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, classes))

    def forward(self, x):
        return self.fc(self.pool(self.features(x)))


class Segmenter(nn.Module):
    """A map of scores a quarter as large as the picture."""

    def __init__(self, classes=4):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU(inplace=True)
        )
        self.classifier = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        return {"out": self.classifier(self.backbone(x))}


class Body(nn.Sequential):
    """A backbone of one level for the detectors of torchvision."""

    def __init__(self, channels=16):
        super().__init__(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(8, channels, 3, 2, 1), nn.ReLU(inplace=True)
        )
        self.out_channels = channels


def _anchors():
    return AnchorGenerator(((8, 16),), ((0.5, 1.0),))


def _faster():
    return FasterRCNN(
        Body(), 5, min_size=SIDE, max_size=2 * SIDE, rpn_anchor_generator=_anchors(), rpn_pre_nms_top_n_test=30,
        rpn_post_nms_top_n_test=8, box_score_thresh=0.0,
    )  # fmt: skip


def _retina():
    return RetinaNet(Body(), 5, min_size=SIDE, max_size=2 * SIDE, anchor_generator=_anchors())


def _fcos():
    return FCOS(Body(32), 5, min_size=SIDE, max_size=2 * SIDE, anchor_generator=AnchorGenerator(((8,),), ((1.0,),)))


def _ssd():
    body = Body()
    body.out_channels = [16]  # of each level
    return SSD(body, DefaultBoxGenerator([[2]]), (SIDE, SIDE), 5)


FAMILIES = {
    "cnn": ("classification", Net),
    "resnet": ("classification", lambda: ResNet(BasicBlock, [1, 1, 1, 1], 5)),
    "vit": ("classification", lambda: VisionTransformer(SIDE, 8, 2, 2, 16, 32, num_classes=5)),
    "swin": ("classification", lambda: SwinTransformer([4, 4], 16, [2, 2], [2, 2], [4, 4], num_classes=5)),
    "segmenter": ("segmentation", Segmenter),
    "faster-rcnn": ("detection", _faster),
    "retinanet": ("detection", _retina),
    "fcos": ("detection", _fcos),
    "ssd": ("detection", _ssd),
}


def case(name, seed=0, size=(SIDE, SIDE)):
    """A network of a family with random weights on a random picture; its preprocessing is x / 128 - 1."""
    task, build = FAMILIES[name]
    random = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = build().eval().requires_grad_(False)
        for weight in module.parameters():
            if weight.ndim > 1 or not bool(weight.any()):
                weight.copy_(torch.randn(weight.shape) * (2.0 / max(1, weight[0].numel())) ** 0.5)
    height, width = size
    picture = Picture(random.integers(0, 256, (height, width, 3), np.uint8), Origin("file", "noise"))
    return of(module, task, picture)


def of(module, task, picture, labels=("a", "b", "c", "d", "e")):
    """A network as a case."""

    def prepare(shown):
        found = torch.from_numpy(shown.pixels).permute(2, 0, 1).float()
        return [found / 255] if task == "detection" else (found / 128 - 1)[None]

    inputs = prepare(picture)
    live = make_live_task(task, labels)
    layers, _ = layers_of_run(module, lambda: live.run(module, inputs, picture.size))
    return Case(module, task, inputs, labels, layers, picture, None, prepare)


def state_of(module):
    """Everything that a method could leave behind: hooks, flags, attributes, modules, weights."""
    parts = []
    for name, part in module.named_modules():
        hooks = [
            len(part.__dict__[kind])
            for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
        ]
        parts.append((name, id(part), hooks, part.training, sorted(part.__dict__)))
    weights = [(name, w.requires_grad, w._version, float(w.sum())) for name, w in module.named_parameters()]
    return parts, weights, torch.is_grad_enabled(), torch.is_inference_mode_enabled()


def run(steps):
    """The result of a generator."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
