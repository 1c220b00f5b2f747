"""Small detectors of torchvision with fixed random weights, run as the live lane runs them."""

import warnings

import numpy as np
import torch
from torchvision.models import detection
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from guiapp.core.picture import Origin, Picture
from guiapp.imaging.street import street
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layers_of_run
from guiapp.interpret.listen import listening
from guiapp.tasks.detection import DetectionTask
from guiapp.tasks.live_options import LiveOptions

LABELS = ("background", "cat", "dog", "cow")
SMALL = {"min_size": 96, "max_size": 128}
FEATURES, HIDDEN = 256, 32


def build(name, **options):
    """A detector on ResNet-18 with narrow heads and fixed random weights."""
    torch.manual_seed(3)
    if name == "SSDlite":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torchvision says that the sizes are fixed
            made = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=len(LABELS))
        made.eval().requires_grad_(False)
        for layers in made.head.classification_head.module_list:
            layers[-1].bias.normal_(0, 2)  # so that now the background wins, now a class
        return made
    stages = {}
    if name in ("RetinaNet", "FCOS"):
        stages = {"returned_layers": [2, 3, 4], "extra_blocks": LastLevelP6P7(FEATURES, FEATURES)}
    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=5, **stages)
    if stages:
        made = getattr(detection, name)(backbone, len(LABELS), **{**SMALL, **options}).eval().requires_grad_(False)
        made.head.classification_head.cls_logits.weight.mul_(30)
        return made
    heads = {
        "box_head": TwoMLPHead(FEATURES * 49, HIDDEN),
        "box_predictor": FastRCNNPredictor(HIDDEN, len(LABELS)),
        "rpn_post_nms_top_n_test": 100,
    }
    if name == "MaskRCNN":
        heads["mask_head"] = MaskRCNNHeads(FEATURES, (HIDDEN, HIDDEN), 1)
        heads["mask_predictor"] = MaskRCNNPredictor(HIDDEN, HIDDEN, len(LABELS))
    if name == "KeypointRCNN":
        heads["keypoint_head"] = KeypointRCNNHeads(FEATURES, (HIDDEN, HIDDEN))
        heads["keypoint_predictor"] = KeypointRCNNPredictor(HIDDEN, 17)
    made = getattr(detection, name)(backbone, **{**heads, **SMALL, **options}).eval().requires_grad_(False)
    for layer in (heads["box_predictor"].cls_score, heads["box_predictor"].bbox_pred):
        layer.weight.mul_(30)  # random weights decide nothing: answers are to differ from region to region
    return made


def scene(width=200, height=150):
    """The drawn street, or a part of it."""
    return Picture(np.ascontiguousarray(street().pixels[:height, :width]), Origin("file", "street"))


class Ran:
    """A network that was run once on a picture; probes can be asked about that run."""

    def __init__(self, module, picture=None, **thresholds):
        self.module, self.picture = module, picture or scene()
        task = DetectionTask(LABELS)
        self.inputs = [torch.from_numpy(self.picture.pixels / np.float32(255)).permute(2, 0, 1)]
        self.layers, _ = layers_of_run(module, lambda: task.run(module, self.inputs, self.picture.size))
        self.options = LiveOptions(**{"score": 0.2, "iou": 0.5, "top": 20} | thresholds)
        self.task = task
        self._looks = {}

    def look(self, options):
        """What the lane gives to a probe; kept, because the run is always the same."""
        if options not in self._looks:
            self._looks[options] = self._look(options)
        return self._looks[options]

    def _look(self, options):
        probe = PROBES["detector"]
        wanted = probe.layers(self.layers, options)
        with torch.inference_mode(), listening(self.module, wanted) as kept:
            raw = self.task.run(self.module, self.inputs, self.picture.size)
        look = Look(self.module, self.layers, None, picture=self.picture)
        look.calls = {name.removesuffix("()"): calls for name, calls in kept.items()}
        look.run, look.shown, look.shown_by = raw, self.task.drawn(raw, self.options), self.options
        return look

    def view(self, options):
        """The probe's answer."""
        return PROBES["detector"].run(self.look(options), options)
