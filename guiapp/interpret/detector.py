"""The detector probe: pyramid, anchors, scores and one object inside torchvision's detectors, for the newest picture.

Faster R-CNN (Ren et al. 2015), feature pyramids (Lin et al. 2017a), Mask and Keypoint R-CNN (He et al. 2017),
RetinaNet (Lin et al. 2017b), FCOS (Tian et al. 2019), SSD (Liu et al. 2016). It reads the calls of the network's own
modules; only the few operations between them that torchvision does not keep apart are done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
from torchvision.ops import box_iou

from guiapp.core.notices import UserError
from guiapp.interpret.atlas import Atlas, make_atlas
from guiapp.interpret.base import Look
from guiapp.interpret.detector_heads import Heads, heads_of, proposals
from guiapp.interpret.detector_object import ObjectView, look_at, mapped_levels
from guiapp.interpret.detector_options import NEEDED, DetectorOptions
from guiapp.interpret.detector_pyramid import Part, pyramid_maps
from guiapp.models.zoo.candidates import KEEP

Floats = npt.NDArray[np.float32]
BEST = 100  # boxes of the first stage that are given, before suppression and after


@dataclass(frozen=True, eq=False)
class Level:
    """One map of the pyramid with its anchors.

    Attributes:
        name: ``"P2"`` for a map 2² times smaller than the picture; ``"map 1"`` where that names no single one.
        rows, columns: Of the map; ``channels`` its channels.
        stride: Pixels of the input, across and down, from one cell's anchors to the next's.
        base: float32 (A, 4), anchors of the first cell: x1, y1, x2, y2 in pixels of the input.
        scores: float32 (rows, columns, A), 0 to 1: objectness, or the best class score; empty unless asked for.
        heat: The best score of each cell, or None.
        fired: Anchors with a score above ``DetectorView.fires``.
        kept: Of two stages, and where scores are asked for: how many go into suppression; ``left`` those after it.
        matching: Anchors that would be positive in training if the looked-at object were annotated; None without one.
        maps: By part: the mean magnitude or strongest channel; ``strongest`` gives the channels.
        objects: How many shown objects came from here.
    """

    name: str
    rows: int
    columns: int
    channels: int
    stride: tuple[float, float]
    base: Floats
    scores: Floats
    heat: Atlas | None = None
    fired: int = 0
    kept: int | None = None
    left: int | None = None
    matching: int | None = None
    maps: Mapping[Part, Atlas] = field(default_factory=dict)
    strongest: Mapping[Part, int] = field(default_factory=dict)
    objects: int = 0

    @property
    def anchors(self) -> int:
        """All anchors of the level."""
        return self.rows * self.columns * len(self.base)

    def anchors_at(self, row: int, column: int) -> Floats:
        """The anchors of one cell, float32 (A, 4) in pixels of the input."""
        moved: Floats = self.base + np.array((column * self.stride[0], row * self.stride[1]) * 2, np.float32)
        return moved


@dataclass(frozen=True, eq=False)
class DetectorView:
    """Result of the detector probe. Boxes are x1, y1, x2, y2 in pixels of the picture unless said otherwise.

    Attributes:
        view: What was asked for.
        kind: Two stages or one.
        network: Class of the network, such as ``"FasterRCNN"``.
        scoring: Where a score comes from.
        size: Width and height of the picture.
        extent: Height and width of the picture as the network saw it; ``padded`` with the padding.
        levels: From fine to coarse.
        steps: What was left after each step, in words with numbers.
        threshold: Score from which objects are shown; ``fires`` that from which an anchor counts as fired: the same for
            one stage, an objectness of a half for two.
        positive: Overlap with an object from which an anchor is positive in training; None for FCOS.
        boxes: float32 (N, 4), the shown objects; ``places`` (N,) the level of each, -1 where it is not known.
        before: float32 (M, 6), the best boxes of the first stage before suppression, with objectness and level.
        after: The same after it.
        object: The chosen object, else the best; None where the network gave no box at all.
    """

    view: str
    kind: Literal["two-stage", "one-stage"]
    network: str
    scoring: str
    size: tuple[int, int]
    extent: tuple[int, int]
    padded: tuple[int, int]
    levels: tuple[Level, ...]
    steps: tuple[tuple[str, int], ...]
    threshold: float
    fires: float
    positive: float | None
    boxes: Floats
    places: npt.NDArray[np.int64]
    before: Floats
    after: Floats
    object: ObjectView | None

    @property
    def scale(self) -> Floats:
        """float32 (2,): pixels of the picture for one of the input, across and down."""
        return np.array([self.size[0] / self.extent[1], self.size[1] / self.extent[0]], np.float32)

    @property
    def area(self) -> tuple[float, float, float, float]:
        """Left, top, width, height in the picture of what the maps lie over: with the padding."""
        across, down = self.scale.tolist()
        return 0.0, 0.0, self.padded[1] * across, self.padded[0] * down


@torch.inference_mode()
def run(look: Look, options: DetectorOptions | None = None) -> DetectorView:
    """Look inside the detector.

    Args:
        look: Its ``calls`` hold those that ``detector_layers`` names, ``run`` the boxes before suppression.
        options: What is looked at.

    Raises:
        UserError: If the network is none of torchvision's detectors.
    """
    options = options or DetectorOptions()
    found = getattr(look.run, "candidates", None)
    if not look.calls or found is None or found.origins is None or look.picture is None:
        raise UserError(f"this looks into {NEEDED}, as it runs in the Live room")
    heads = heads_of(look)
    threshold = float(look.shown_by.score)
    width, height = look.picture.size
    scale = np.array([width / heads.extent[1], height / heads.extent[0]], np.float32)
    shown = _places_among(found, look.shown, scale)
    places = _levels_of(heads, found.origins[shown])
    looked_at = look_at(look.model, heads, found, shown, look.shown, options, scale)
    fires = threshold if heads.regions is None else 0.5
    levels = _levels(heads, options, fires, places, looked_at)
    before = after = np.zeros((0, 6), np.float32)
    steps = [("anchors", sum(level.anchors for level in levels))]
    if heads.regions is not None and options.view == "scores":
        kept = proposals(look.model.rpn, heads)
        levels = tuple(
            replace(level, kept=int((kept.levels == i).sum()), left=int((kept.levels[kept.passed] == i).sum()))
            for i, level in enumerate(levels)
        )
        before, after = kept.best(BEST, scale)
        steps += [("best of each level", len(kept.boxes)), ("after suppression", int(kept.passed.sum()))]
        steps += [("regions for the second stage", len(heads.regions))]
    elif options.view == "scores":
        steps += [(f"with a score above {fires:.2f}", sum(level.fired for level in levels))]
    above = int((found.scores > threshold).sum())
    kept_words = f"boxes with a class above {threshold:.2f}"
    steps += [(f"{kept_words} (no more are kept)" if above >= KEEP else kept_words, above), ("shown", len(look.shown))]
    return DetectorView(
        options.view, "one-stage" if heads.regions is None else "two-stage", type(look.model).__name__, heads.scoring,
        (width, height), heads.extent, heads.padded, levels, tuple(steps), threshold, fires, heads.positive,
        look.shown.boxes, places, before, after, looked_at,
    )  # fmt: skip


def _levels(
    heads: Heads,
    options: DetectorOptions,
    fires: float,
    places: npt.NDArray[np.int64],
    looked_at: ObjectView | None,
) -> tuple[Level, ...]:
    maps = pyramid_maps(heads.laterals, heads.features, options.channel) if options.view == "pyramid" else None
    positive = None
    if options.view == "anchors" and looked_at is not None and heads.positive is not None:
        overlap = box_iou(torch.from_numpy(looked_at.seen[None]).to(heads.anchors), heads.anchors)[0]
        positive = (overlap >= heads.positive) | (overlap == overlap.max())  # the nearest is one in any case
    scores = heads.scores() if options.view in ("anchors", "scores") else None
    names = _names(heads)
    levels, start = [], 0
    for index, (feature, count) in enumerate(zip(heads.features, heads.counts, strict=True)):
        channels, rows, columns = feature.shape[1:]
        each = count // (rows * columns)
        own = heads.anchors[start : start + count].reshape(rows, columns, each, 4)
        of = np.zeros((0, 0, 0), np.float32)
        heat = None
        if scores is not None:
            part = scores[start : start + count].reshape(rows, columns, each)
            of = part.float().cpu().numpy()
            heat = make_atlas(part.amax(-1)[None].float(), signed=False)
        levels.append(
            Level(
                names[index], rows, columns, channels, _stride(own, heads.padded), own[0, 0].float().cpu().numpy(),
                of, heat, int((of > fires).sum()),
                matching=None if positive is None else int(positive[start : start + count].sum()),
                maps={} if maps is None else {part: atlas for part, (atlas, _) in maps[index].items()},
                strongest={} if maps is None else {part: best for part, (_, best) in maps[index].items()},
                objects=int((places == index).sum()),
            )
        )  # fmt: skip
        start += count
    return tuple(levels)


def _stride(anchors: torch.Tensor, padded: tuple[int, int]) -> tuple[float, float]:
    """From one cell's anchors to the next's; a single cell takes the whole input."""
    rows, columns = anchors.shape[:2]
    across = float(anchors[0, 1, 0, 0] - anchors[0, 0, 0, 0]) if columns > 1 else float(padded[1])
    down = float(anchors[1, 0, 0, 1] - anchors[0, 0, 0, 1]) if rows > 1 else float(padded[0])
    return across, down


def _names(heads: Heads) -> list[str]:
    """``P`` and the power of two by which each map is smaller, where these follow one another; else counted."""
    powers = [round(float(np.log2(heads.padded[0] / feature.shape[2]))) for feature in heads.features]
    if heads.merges and powers == list(range(powers[0], powers[0] + len(powers))):
        return [f"P{power}" for power in powers]
    return [f"map {index + 1}" for index in range(len(powers))]


def _places_among(found: Any, shown: Any, scale: Floats) -> torch.Tensor:
    """Where each shown object is among the boxes before suppression, int64 (N,)."""
    if not len(shown):
        return torch.zeros(0, dtype=torch.int64)
    boxes = found.boxes.numpy() * np.tile(scale, 2)
    apart = np.abs(boxes[None] - shown.boxes[:, None]).sum(-1) + np.abs(
        found.scores.numpy()[None] - shown.scores[:, None]
    )
    apart[found.classes.numpy()[None] != shown.classes[:, None]] = np.inf
    return torch.from_numpy(apart.argmin(1))


def _levels_of(heads: Heads, origins: Sequence[int] | torch.Tensor) -> npt.NDArray[np.int64]:
    """The level that the features of each object were taken from, or on which its anchor stands."""
    origins = torch.as_tensor(origins, dtype=torch.int64)
    if heads.regions is not None:
        return mapped_levels(heads.mapper, heads.regions[origins.to(heads.regions.device)])
    ends = torch.tensor(heads.counts).cumsum(0)
    return torch.bucketize(origins, ends, right=True).numpy()
