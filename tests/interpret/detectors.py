"""Small detectors of torchvision with fixed random weights, run as the live lane runs them."""

import warnings

import numpy as np
import torch
from torchvision.models import detection

from guiapp.core.picture import Origin, Picture
from guiapp.imaging.street import street
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layers_of_run
from guiapp.interpret.listen import listening
from guiapp.tasks.detection import DetectionTask
from guiapp.tasks.live_options import LiveOptions

LABELS = ("background", "cat", "dog", "cow")
SMALL = {"min_size": 120, "max_size": 200}


def build(name, **options):
    """A network without weights from elsewhere; thresholds of its own low enough for random ones."""
    torch.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sizes that differ from the trained ones are said
        made = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=len(LABELS), **options)
    return made.eval().requires_grad_(False)


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

    def look(self, options):
        """What the lane gives to a probe."""
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
