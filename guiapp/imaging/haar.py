"""The face cascade of Viola and Jones, step by step: integral image, features, votes of the stumps, stages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from guiapp.core import paths
from guiapp.core.notices import UserError

Sums = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

FLATTEST = 10.0  # grey values: OpenCV refuses windows of no more standard deviation unseen
SLACK = 1e-5  # below a stage's threshold, OpenCV's allowance for rounding


@dataclass(frozen=True, eq=False)
class Cascade:
    """Stages of stumps over sums of rectangles.

    Attributes:
        size: Width and height of the window in pixels.
        rectangles: float64 (F, 3, 5): left, top, width, height, weight of up to three rectangles of each feature; zeros
            where there are fewer.
        feature: int64 (S,): the feature that each stump reads; stumps of all stages one after another.
        threshold: float64 (S,): of the normalised feature.
        votes: float64 (S, 2): what a stump says below its threshold, and from it on.
        begins: int64 (T + 1,): the first stump of each of T stages, and S.
        wanted: float64 (T,): the least sum of votes that passes a stage.
    """

    size: tuple[int, int]
    rectangles: Numbers
    feature: npt.NDArray[np.int64]
    threshold: Numbers
    votes: Numbers
    begins: npt.NDArray[np.int64]
    wanted: Numbers

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.wanted)


@dataclass(frozen=True, eq=False)
class Passage:
    """How one window fares.

    All stages are worked out, also those that the cascade would no longer look at.

    Attributes:
        values: float64 (S,): the normalised feature of each stump.
        fired: bool (S,): whether it reached the stump's threshold.
        votes: float64 (S,): what each stump says.
        sums: float64 (T,): sum of the votes of each stage.
        passed: Number of stages passed before the first that refuses; 0 also for a window without contrast.
        face: Whether every stage is passed.
        deviation: Standard deviation of the grey values inside the window's border of one pixel.
    """

    values: Numbers
    fired: npt.NDArray[np.bool_]
    votes: Numbers
    sums: Numbers
    passed: int
    face: bool
    deviation: float


def integral_image(grey: npt.NDArray[np.uint8]) -> Sums:
    """Sums over all that lies above and to the left (Viola, Jones 2001, section 2.1).

    Args:
        grey: uint8 (H, W).

    Returns:
        int64 (H + 1, W + 1): element (y, x) is the sum of ``grey[:y, :x]``; first row and column are zero.
    """
    sums = np.zeros((grey.shape[0] + 1, grey.shape[1] + 1), np.int64)
    sums[1:, 1:] = grey.astype(np.int64).cumsum(0).cumsum(1)
    return sums


def rectangle_sums(integral: Sums, left: Any, top: Any, width: Any, height: Any) -> Sums:
    """The sum of any rectangle by four look-ups, whatever its size.

    Args:
        integral: From ``integral_image``.
        left: Column of its first pixel; a number or an array, as the others.
        top: Row of its first pixel.
        width: In pixels.
        height: In pixels.
    """
    right, bottom = left + width, top + height
    sums: Sums = integral[bottom, right] - integral[top, right] - integral[bottom, left] + integral[top, left]
    return sums


@cache
def shipped_cascade(name: str = "haarcascade_frontalface_alt.xml") -> Cascade:
    """A cascade that OpenCV ships; the default is the one that the zoo's ``haar-face`` uses.

    Raises:
        UserError: If it is not installed.
    """
    path = paths.of_package("cv2", f"data/{name}")
    if path is None:
        raise UserError(f"{name} is missing: install opencv-python-headless again, below version 5")
    return read_cascade(path)


def read_cascade(path: Path) -> Cascade:
    """Read a cascade of stumps over upright Haar features in OpenCV's format.

    Raises:
        UserError: If the file cannot be read, or its features are tilted or its classifiers deeper than stumps.
    """
    try:
        root = ElementTree.parse(path).getroot().find("cascade")
    except (OSError, ElementTree.ParseError) as error:
        raise UserError(f"{path} cannot be read as a cascade: {error}") from None
    if root is None or root.findtext("featureType") != "HAAR":
        raise UserError(f"{path} is not a cascade of Haar features in OpenCV's format")
    features = root.findall("features/_")
    rectangles = np.zeros((len(features), 3, 5))
    for row, feature in enumerate(features):
        if feature.findtext("tilted", "0").strip() == "1":
            raise UserError(f"{path} has tilted features; only upright ones are explained")
        for column, rectangle in enumerate(feature.findall("rects/_")):
            rectangles[row, column] = [float(number) for number in (rectangle.text or "").split()]
    stages = root.findall("stages/_")
    nodes, votes, begins = [], [], [0]
    for stage in stages:
        for weak in stage.findall("weakClassifiers/_"):
            nodes.append([float(number) for number in weak.findtext("internalNodes", "").split()])
            votes.append([float(number) for number in weak.findtext("leafValues", "").split()])
        begins.append(len(nodes))
    if any(len(node) != 4 for node in nodes):  # left, right, feature, threshold
        raise UserError(f"{path} has classifiers deeper than stumps; only stumps are explained")
    table = np.array(nodes)
    return Cascade(
        (int(root.findtext("width", "")), int(root.findtext("height", ""))),
        rectangles,
        table[:, 2].astype(np.int64),
        table[:, 3],
        np.array(votes),
        np.array(begins),
        np.array([float(stage.findtext("stageThreshold", "")) for stage in stages]),
    )


def examine(cascade: Cascade, window: npt.NDArray[np.uint8]) -> Passage:
    """Put one window through every stage, as OpenCV does it.

    Features are divided by area times standard deviation of the window, so that light and contrast do not matter
    (Viola, Jones 2001, section 4.1); both without its border of one pixel.

    Args:
        cascade: The stages.
        window: uint8 (height, width) of the cascade's size: a part of a picture, brought to that size.

    Raises:
        ValueError: If the window has another size.
    """
    width, height = cascade.size
    if window.shape != (height, width):
        raise ValueError(f"the window is {window.shape}, the cascade's {(height, width)}")
    inner = window[1:-1, 1:-1].astype(np.int64)
    spread = int(inner.size * (inner**2).sum() - inner.sum() ** 2)  # (area * deviation) ** 2
    norm = np.sqrt(spread) if spread > 0 else 1.0
    deviation = float(np.sqrt(max(spread, 0))) / inner.size
    left, top, across, down = cascade.rectangles[..., :4].astype(np.int64).transpose(2, 0, 1)
    sums = rectangle_sums(integral_image(window), left, top, across, down)
    features = (sums * cascade.rectangles[..., 4]).sum(1) / norm
    values = features[cascade.feature]
    fired = values >= cascade.threshold
    votes = np.where(fired, cascade.votes[:, 1], cascade.votes[:, 0])
    totals = np.add.reduceat(votes, cascade.begins[:-1])
    refused = np.flatnonzero(totals < cascade.wanted - SLACK)
    passed = int(refused[0]) if len(refused) else cascade.stages
    if deviation <= FLATTEST:
        passed = 0
    return Passage(values, fired, votes, totals, passed, passed == cascade.stages, deviation)
