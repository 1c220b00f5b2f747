"""Segmentation: a class for every pixel with its probability; classes that cannot win are not enlarged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
from torch.nn import functional
from torchvision.models.segmentation import FCN, LRASPP, DeepLabV3

from guiapp.tasks.live_options import LiveOptions
from guiapp.tasks.predictions import LabelMap

MARGIN = 4.0  # of logits: a class so far behind the best everywhere has at most e^-4 of its probability

_NEVER = -1e4  # a score by which a class does not win
BAND = 3_000_000  # bytes of enlarged scores that are worked on at once


@dataclass(frozen=True, eq=False)
class SegmentationRun:
    """What one run of a network gave.

    Attributes:
        logits: float32 (C, h, w) as the classifier gives them, often an eighth of the input.
        extent: Height and width of the network's input.
        size: Width and height of the picture.
        maps: The label maps that were asked for, without class filter, by their height and width.
    """

    logits: torch.Tensor
    extent: tuple[int, int]
    size: tuple[int, int]
    maps: dict[tuple[int, int], LabelMap] = field(default_factory=dict)


class SegmentationTask:
    """The most probable class of each pixel.

    Takes FCN (Long et al. 2015), DeepLab v3 (Chen et al. 2017) and LR-ASPP (Howard et al. 2019) of torchvision, whose
    last step (enlarging the scores of all classes to the size of the input) and auxiliary classifier are left out; of
    any other module the output as it is, a tensor (1, C, h, w) or the entry ``"out"`` of a mapping.

    Attributes:
        labels: Class names by index, the background first.
    """

    frames = 1

    def __init__(self, labels: tuple[str, ...], entry: Any = None) -> None:
        self.labels = tuple(labels)

    def reset(self) -> None:
        """Nothing: each picture stands for itself."""

    @torch.inference_mode()
    def run(self, module: Any, inputs: torch.Tensor | Sequence[torch.Tensor], size: tuple[int, int]) -> SegmentationRun:
        """Run the network up to its scores; see ``LiveTask.run``."""
        batch = inputs if isinstance(inputs, torch.Tensor) else torch.stack(list(inputs))
        if isinstance(module, (FCN, DeepLabV3)):
            logits = module.classifier(module.backbone(batch)["out"])
        elif isinstance(module, LRASPP):
            logits = module.classifier(module.backbone(batch))
        else:
            output = module(batch)
            logits = output["out"] if isinstance(output, Mapping) else output
        return SegmentationRun(logits[0].float(), (batch.shape[-2], batch.shape[-1]), size)

    again = run

    @torch.inference_mode()
    def drawn(self, raw: SegmentationRun, options: LiveOptions, previous: Any = None) -> LabelMap:
        """The label map; pixels of classes that are not shown become class 0 with confidence 0; see ``LiveTask``."""
        shape = raw.extent if options.resolution == "network" else (raw.size[1], raw.size[0])
        found = raw.maps.get(shape)
        if found is None:
            classes, confidence = enlarged(raw.logits, shape)
            found = LabelMap(classes.cpu().numpy(), self.labels, raw.size, confidence=confidence.cpu().numpy())
            raw.maps[shape] = found
        if options.classes is None:
            return found
        shown = np.zeros(max(raw.logits.shape[0], *options.classes, 0) + 1, np.bool_)
        shown[list(options.classes)] = True
        keep = shown[found.classes]
        assert found.confidence is not None
        return replace(
            found,
            classes=np.where(keep, found.classes, found.classes.dtype.type(0)),
            confidence=np.where(keep, found.confidence, np.float32(0)),
        )


def enlarged(logits: torch.Tensor, shape: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Best class and its probability, with the scores enlarged bilinearly to a shape.

    Between four neighbouring scores a class can win only if its highest reaches the highest of the lowest scores of the
    classes. Classes that miss that by ``MARGIN`` everywhere, most of 21 on real pictures, are not enlarged: the class
    map is the same, and in the probability's denominator what they share is interpolated as one.

    Of 21 classes that can all win this takes as long as torchvision's enlargement alone.

    Args:
        logits: float32 (C, h, w).
        shape: Height and width wanted.

    Returns:
        Classes (height, width), uint8, or int16 from 257 classes on; probabilities, float32. Where scores are NaN there
        is no answer: class 0 with probability 0.
    """
    kind = torch.uint8 if len(logits) <= 256 else torch.int16
    device = logits.device
    able = _able(logits)
    if not bool(able.any()):  # NaN everywhere
        return torch.zeros(shape, dtype=kind, device=device), torch.zeros(shape, device=device)
    planes = logits[able]
    count = len(planes)
    if count < len(logits):
        planes = torch.cat([planes, torch.logsumexp(logits[~able], 0, keepdim=True)])
    # the first of equal classes is the answer: the highest of numbers that count down
    numbers = (len(logits) - 1 - torch.where(able)[0]).to(kind)[:, None, None]
    down, across = (_weights(n, m) for n, m in zip(logits.shape[1:], shape, strict=True))
    wide = planes @ across.T.to(device)
    classes = torch.empty(shape, dtype=kind, device=device)
    total = torch.empty(shape, device=device)
    # band by band, so that what is enlarged stays in the cache of a core
    rows = max(8, BAND // (4 * len(planes) * shape[1])) if device.type == "cpu" else shape[0]
    for top in range(0, shape[0], rows):
        band = slice(top, min(top + rows, shape[0]))
        used = torch.where(down[band].any(0))[0]
        source = slice(int(used[0]), int(used[-1]) + 1)
        scores = down[band, source].to(device) @ wide[:, source]
        scores.sub_(scores[:count].amax(0))
        best = (scores[:count] >= 0).to(kind).mul_(numbers).amax(0)
        classes[band] = (len(logits) - 1) - best
        torch.sum(scores.exp_(), 0, out=total[band])
    if bool(total.reciprocal_().isnan().any()):
        return _with_gaps(logits, shape)
    return classes, total


def _with_gaps(logits: torch.Tensor, shape: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """``enlarged`` where some scores are no numbers: no answer where one of them has a part in it."""
    gaps = (logits.isnan() | logits.isposinf()).any(0)
    classes, confidence = enlarged(torch.nan_to_num(logits.masked_fill(gaps, 0.0), neginf=_NEVER), shape)
    down, across = (_weights(n, m).to(logits.device) for n, m in zip(gaps.shape, shape, strict=True))
    unknown = down @ gaps.float() @ across.T > 0
    return classes.masked_fill_(unknown, 0), confidence.masked_fill_(unknown, 0.0)


def _able(logits: torch.Tensor) -> torch.Tensor:
    """Which classes, bool (C,), can be near the best anywhere between the given pixels."""
    if min(logits.shape[1:]) < 2:
        return torch.ones(len(logits), dtype=torch.bool, device=logits.device)
    highest = functional.max_pool2d(logits[None], 2, 1)[0]
    lowest = -functional.max_pool2d(-logits[None], 2, 1)[0]
    return (highest >= lowest.amax(0) - MARGIN).flatten(1).any(1)


def _weights(given: int, wanted: int) -> torch.Tensor:
    """Bilinear enlargement of one axis as a matrix (wanted, given), as ``interpolate`` without aligned corners."""
    place = ((torch.arange(wanted) + 0.5) * (given / wanted) - 0.5).clamp_min_(0)
    low = place.long().clamp_max_(given - 1)
    part = (place - low)[:, None]
    weights = torch.zeros(wanted, given).scatter_(1, low[:, None], 1 - part)
    return weights.scatter_add_(1, (low + 1).clamp_max_(given - 1)[:, None], part)
