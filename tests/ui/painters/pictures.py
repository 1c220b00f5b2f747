"""Predictions made by hand, and pixels of what was painted."""

import numpy as np
from PySide6.QtGui import QImage

from guiapp.tasks.predictions import Detections, Masks
from guiapp.ui.painters import PaintOptions

GREY = 96


def pixels_of(image):
    """uint8 (H, W, 3) of a QImage."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def detections(boxes, size, masks=None, classes=None, labels=("cat", "dog", "bird"), **more):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    count = len(boxes)
    if masks is not None:
        masks = Masks(tuple(masks), boxes[:, :2].astype(np.int32))
    classes = np.arange(count) % len(labels) if classes is None else np.array(classes, np.int64)
    scores = np.linspace(0.95, 0.5, count, dtype=np.float32)
    return Detections(boxes, scores, classes, labels, size, masks=masks, **more)


BOXES = PaintOptions(labels=False)
"""Boxes and masks without labels, which would cover them."""


def rgb(colour):
    return np.array([colour.red(), colour.green(), colour.blue()])
