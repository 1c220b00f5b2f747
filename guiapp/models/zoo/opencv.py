"""Detectors that OpenCV ships, in the place of networks: faces by the Haar cascade, people by HOG and a linear SVM."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from guiapp.models.zoo.candidates import Candidates, best

LONGEST = 640  # pixels of the longer side that is searched: about a sixth of a second on one core
CASCADE = "haarcascade_frontalface_alt.xml"  # stumps, as Viola and Jones describe; the fewest false faces of OpenCV's
VOTES = 5  # windows that say "face" for a score of one half; OpenCV's own default asks for more than 3
SIMILAR = 0.2  # of a side: how far corners of two windows on one face lie apart, OpenCV's own figure
SLOPE, MIDDLE = 3.0, 0.8  # of the SVM's margin to a probability, see HogPeople
ASIDE, ABOVE = 0.15, 0.125  # of the window's width and height: what lies around a person, see HogPeople

Windows = npt.NDArray[np.float64]
Inputs = torch.Tensor | Sequence[torch.Tensor]


class HaarFaces(nn.Module):
    """Upright faces by a cascade of boosted Haar features (Viola, Jones 2001; this one: Lienhart, Maydt 2002).

    Pictures are searched with at most 640 pixels on the longer side, in steps of a tenth of size from 24 pixels on. A
    face makes many windows fire. Windows that lie alike form one candidate with their mean as its box, just as OpenCV
    groups them, and its score says how many they are: n / (n + 5). So a score threshold of k / (k + 5) is OpenCV's
    ``minNeighbors`` k. The windows themselves come as ``proposals``. They are scored by the margin of the cascade's
    last stage: 1 / (1 + exp(-2 margin)), as a sum of boosted votes is half a log-odds (Friedman, Hastie,
    Tibshirani 2000).
    """

    smallest = 24  # pixels, the least face in the picture that is searched

    def __init__(self) -> None:
        super().__init__()
        self._cascade: Any = None
        self._last = 0.0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cascade": None}  # OpenCV's object cannot be copied; a copy makes its own

    def candidates(self, inputs: Inputs, keep: int) -> Candidates:
        """Faces before suppression.

        Args:
            inputs: One picture, float (3, H, W) in a list or (1, 3, H, W), values 0 to 1.
            keep: How many candidates, and how many windows, at most.
        """
        import cv2

        pixels = _pixels(inputs)
        grey, scale = _searched(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        windows, margins = self._fired(grey)
        boxes, votes = grouped(windows)
        scores = torch.from_numpy(1 / (1 + np.exp(-2 * margins)))
        values, places = best(scores, keep)
        proposals = torch.cat([_placed(windows, scale, pixels)[places], values.float()[:, None]], 1)
        return _candidates(_placed(boxes, scale, pixels), votes / (votes + VOTES), pixels, keep, proposals=proposals)

    def _fired(self, grey: npt.NDArray[np.uint8]) -> tuple[Windows, Windows]:
        """Windows that pass every stage: left, top, width, height; and by how much they pass the last one."""
        import cv2

        if self._cascade is None:
            path = str(Path(cv2.__file__).parent / "data" / CASCADE)
            self._cascade = cv2.CascadeClassifier(path)
            file = cv2.FileStorage(path, cv2.FILE_STORAGE_READ)
            stages = file.getNode("cascade").getNode("stages")
            self._last = stages.at(stages.size() - 1).getNode("stageThreshold").real()
        if min(grey.shape) < self.smallest:
            return np.zeros((0, 4)), np.zeros(0)
        found, _, sums = self._cascade.detectMultiScale3(
            grey, 1.1, 0, 0, (self.smallest, self.smallest), outputRejectLevels=True
        )
        return _ordered(found, sums, self._last)


class HogPeople(nn.Module):
    """Upright people by histograms of oriented gradients and a linear SVM (Dalal, Triggs 2005), OpenCV's coefficients.

    Pictures are searched with at most 640 pixels on the longer side, in steps of 8 pixels and of 8 % of size, by a
    window of 64 x 128; persons from about 96 pixels of height on are found. Each window with a positive margin is a
    candidate:

    - Its score is 1 / (1 + exp(-3 (margin - 0.8))) (Platt 1999): how often a window with that margin, left after
      suppression, lay on an annotated person, fitted on the 28 pictures of Penn-Fudan in the project's data folder
      and rounded.
    - Its box is the window (made whole where OpenCV cut it off at the border of the picture) without what the
      training windows show around a person: an eighth above and below and
      0.15 of the width at each side, with which the most boxes of the same pictures were met. The whole window is
      its anchor.
    """

    def __init__(self) -> None:
        super().__init__()
        self._hog: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_hog": None}

    def candidates(self, inputs: Inputs, keep: int) -> Candidates:
        """People before suppression; arguments as for ``HaarFaces.candidates``."""
        import cv2

        if self._hog is None:
            self._hog = cv2.HOGDescriptor()
            self._hog.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())
        pixels = _pixels(inputs)
        searched, scale = _searched(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        # Pictures under the window's size are made up to it: OpenCV writes beyond its memory with some of them.
        below, beside = max(0, 128 - searched.shape[0]), max(0, 64 - searched.shape[1])
        if below or beside:
            searched = np.pad(searched, ((0, below), (0, beside), (0, 0)), mode="edge")
        found, sums = self._hog.detectMultiScale(searched, 0, (8, 8), (16, 16), 1.08, 0)
        windows, margins = _ordered(found, sums, 0.0)
        windows = whole(windows)
        left, top, width, height = windows.T
        inner = np.stack(
            [left + ASIDE * width, top + ABOVE * height, (1 - 2 * ASIDE) * width, (1 - 2 * ABOVE) * height]
        )
        scores = 1 / (1 + np.exp(-SLOPE * (margins - MIDDLE)))
        anchors = _placed(windows, scale, pixels)
        return _candidates(_placed(inner.T, scale, pixels), scores, pixels, keep, anchors=anchors)


def grouped(windows: Windows) -> tuple[Windows, Windows]:
    """Windows that lie alike as one, as OpenCV's ``groupRectangles`` does it.

    Two belong together if none of their borders differ by more than 0.2 of the smaller one's side, and so do all that
    are joined by a chain of such pairs. A group inside one of more windows, and of more than three, is part of that
    and goes.

    Args:
        windows: (N, 4): left, top, width, height.

    Returns:
        The mean of each group (G, 4), not rounded, and its number of windows (G,).
    """
    borders = np.concatenate([windows[:, :2], windows[:, :2] + windows[:, 2:]], 1)
    group = np.full(len(windows), -1)
    for first in range(len(windows)):
        if group[first] >= 0:
            continue
        group[first] = first
        waiting = [first]
        while waiting:
            at = waiting.pop()
            near = SIMILAR * 0.5 * np.minimum(windows[at, 2:], windows[:, 2:]).sum(1)
            alike = (np.abs(borders - borders[at]).max(1) <= near) & (group < 0)
            group[alike] = first
            waiting.extend(np.flatnonzero(alike).tolist())
    _, place, votes = np.unique(group, return_inverse=True, return_counts=True)
    sums = np.zeros((len(votes), 4))
    np.add.at(sums, place, windows)
    means = sums / votes[:, None]
    stays = np.array([not _within(means, votes, i) for i in range(len(votes))], bool)
    return means[stays], votes[stays].astype(np.float64)


def whole(windows: Windows) -> Windows:
    """Windows of people twice as high as wide again, where OpenCV has cut them off at the border of the picture.

    Args:
        windows: (N, 4): left, top, width, height. What is cut off at the left or above begins at 0.
    """
    left, top, width, height = windows.T.copy()
    narrow, low = 2 * width < height - 2, height < 2 * width - 2  # more than rounding makes of them
    left = np.where(narrow & (left <= 0), left + width - height / 2, left)
    top = np.where(low & (top <= 0), top + height - 2 * width, top)
    return np.stack([left, top, np.where(narrow, height / 2, width), np.where(low, 2 * width, height)], 1)


def _within(means: Windows, votes: npt.NDArray[np.int64], i: int) -> bool:
    """Whether a group lies in one of more windows; both as OpenCV rounds them."""
    corner, size = np.split(np.rint(means), 2, axis=1)
    slack = np.rint(size * SIMILAR)
    begins = np.all(corner[i] >= corner - slack, axis=1)
    ends = np.all(corner[i] + size[i] <= corner + size + slack, axis=1)
    return bool(np.any(begins & ends & (votes > max(3, int(votes[i])))))


def _pixels(inputs: Inputs) -> npt.NDArray[np.uint8]:
    """uint8 (H, W, 3) of the one picture."""
    picture = inputs[0].detach().float().cpu()
    pixels: npt.NDArray[np.uint8] = (picture * 255).round_().clamp_(0, 255).byte().permute(1, 2, 0).contiguous().numpy()
    return pixels


def _searched(picture: Any) -> tuple[npt.NDArray[np.uint8], tuple[float, float]]:
    """The picture as it is searched, and how many of its pixels are one of the original, across and down."""
    import cv2

    height, width = picture.shape[:2]
    factor = min(1.0, LONGEST / max(height, width))
    if factor == 1:
        return picture, (1.0, 1.0)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8), (size[0] / width, size[1] / height)


def _ordered(found: Any, sums: Any, threshold: float) -> tuple[Windows, Windows]:
    """Windows in an order of their own: OpenCV's threads leave them in any."""
    windows = np.asarray(found, np.float64).reshape(-1, 4)
    order = np.lexsort(windows.T)
    return windows[order], np.asarray(sums, np.float64).reshape(-1)[order] - threshold


def _placed(windows: Windows, scale: tuple[float, float], pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Corners float32 (N, 4) in pixels of the picture, cut to it."""
    height, width = pixels.shape[:2]
    corners = np.concatenate([windows[:, :2], windows[:, :2] + windows[:, 2:]], 1) / np.tile(scale, 2)
    return torch.from_numpy(np.clip(corners, 0, [width, height, width, height])).float()


def _candidates(
    boxes: torch.Tensor,
    scores: Windows,
    pixels: npt.NDArray[np.uint8],
    keep: int,
    anchors: torch.Tensor | None = None,
    proposals: torch.Tensor | None = None,
) -> Candidates:
    values, places = best(torch.from_numpy(scores).float(), keep)
    return Candidates(
        boxes[places],
        values,
        torch.zeros(len(places), dtype=torch.int64),
        (pixels.shape[0], pixels.shape[1]),
        anchors=None if anchors is None else anchors[places],
        proposals=proposals,
    )
