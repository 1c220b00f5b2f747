"""The cascade probe: one window taken apart into features, votes and stages, and what becomes of all the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.imaging.haar import Cascade, Passage, examine, integral_image, shipped_cascade
from guiapp.imaging.haar_scan import Layer, Scan, layers, scan

if TYPE_CHECKING:
    from guiapp.interpret.atlas import Atlas
    from guiapp.interpret.base import Look
    from guiapp.interpret.classic_options import CascadeOptions

Area = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class CascadeView:
    """How the face cascade sees a picture.

    Attributes:
        size: Width and height of the picture.
        searched: Width and height of what is searched: the picture, made smaller where it is larger than asked.
        windows: How many windows that has.
        looked: How many were looked at; beside one that the first stage refuses, OpenCV leaves out the next.
        flat: How many of these have no contrast and are refused unseen.
        survivors: int64 (T + 1,): how many are left before each stage, and at the end.
        features: Features worked out for a window in the mean, of ``features_of_all``.
        features_of_all: Features of all stages together.
        faces: float64 (N, 5): left, top, width, height in the picture, and how many windows lie there alike; most
            first.
        area: Left, top, width, height of the chosen window in the picture.
        face: Whether it passes every stage.
        passed: How many it passes before the first that refuses it.
        sums: float64 (T,): votes of each stage for it.
        wanted: float64 (T,): what each stage asks for.
        deviation: Standard deviation of its grey values.
        integral: The sums above and to the left, a map.
        reached: The most stages that a window about each place passed, a map of the picture.
        window: Its 20 x 20 grey values, a map.
    """

    size: tuple[int, int]
    searched: tuple[int, int]
    windows: int
    looked: int
    flat: int
    survivors: npt.NDArray[np.int64]
    features: float
    features_of_all: int
    faces: npt.NDArray[np.float64]
    area: Area
    face: bool
    passed: int
    sums: npt.NDArray[np.float64]
    wanted: npt.NDArray[np.float64]
    deviation: float
    integral: Atlas
    reached: Atlas
    window: Atlas
    _parts: tuple[Cascade, Passage, npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.int64]]

    @property
    def cascade(self) -> Cascade:
        """The stages."""
        return self._parts[0]

    @property
    def passage(self) -> Passage:
        """How the window fares, feature by feature."""
        return self._parts[1]

    @property
    def crop(self) -> npt.NDArray[np.uint8]:
        """uint8 (20, 20): the window as the cascade has it."""
        return self._parts[2]

    @property
    def grey(self) -> npt.NDArray[np.uint8]:
        """uint8 (h, w): the picture that is searched."""
        return self._parts[3]

    @property
    def table(self) -> npt.NDArray[np.int64]:
        """int64 (h + 1, w + 1): its integral image."""
        return self._parts[4]


def run(look: Look, options: CascadeOptions) -> CascadeView:
    """Answer for ``look.picture``; the network is not asked.

    Raises:
        UserError: If there is no picture, or it is smaller than the smallest window.
    """
    if look.picture is None:
        raise UserError("the cascade looks at a picture: show one")
    import torch

    from guiapp.interpret.atlas import make_atlas

    cascade = shipped_cascade()
    grey = searched(look.picture.pixels, options.longest)
    height, width = grey.shape
    pictures = layers(grey, cascade.size[0], options.smallest)
    if not pictures:
        across, down = look.picture.size
        raise UserError(
            f"the picture is {across} x {down}, too small for windows of {options.smallest} pixels: show a larger one"
        )
    found = scan(cascade, pictures, (height, width))
    scale = look.picture.size[0] / width, look.picture.size[1] / height
    faces, members = _faces(found)
    where = _chosen(options, found, pictures, members, scale)
    layer, left, top = where
    crop = np.ascontiguousarray(pictures[layer].grey[top : top + cascade.size[1], left : left + cascade.size[0]])
    passage = examine(cascade, crop)
    table = integral_image(grey)

    def atlas(values: npt.NDArray[np.generic]) -> Atlas:
        return make_atlas(torch.from_numpy(values.astype(np.float32))[None], signed=False)

    return CascadeView(
        look.picture.size, (width, height), found.windows, found.looked, found.flat, found.survivors, found.features,
        len(cascade.feature), faces * [*scale, *scale, 1], _scaled(pictures[layer].area(left, top), scale),
        passage.face, passage.passed, passage.sums, cascade.wanted, passage.deviation,
        atlas(table), atlas(found.reached), atlas(crop), (cascade, passage, crop, grey, table),
    )  # fmt: skip


def searched(pixels: npt.NDArray[np.uint8], longest: int) -> npt.NDArray[np.uint8]:
    """The picture in grey, uint8 (h, w), its longer side at most ``longest``: shrunk by averaging, as for detection."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    factor = min(1.0, longest / max(height, width))
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def _faces(found: Scan) -> tuple[npt.NDArray[np.float64], list[npt.NDArray[np.intp]]]:
    """Windows that lie alike as one face (N, 5), and which windows those are; most windows first."""
    from guiapp.models.zoo.opencv import grouped

    boxes, votes = grouped(found.areas.astype(np.float64))
    order = np.argsort(-votes, kind="stable")
    boxes, votes = boxes[order], votes[order]
    members = []
    middles = found.areas[:, :2] + found.areas[:, 2:] / 2
    for left, top, width, height in boxes:
        away = np.abs(middles - [left + width / 2, top + height / 2]).max(1)
        members.append(np.flatnonzero(away <= width / 2))
    return np.concatenate([boxes, votes[:, None]], 1), members


def _chosen(
    options: CascadeOptions,
    found: Scan,
    pictures: list[Layer],
    members: list[npt.NDArray[np.intp]],
    scale: tuple[float, float],
) -> tuple[int, int, int]:
    """Layer, left and top of the window that is asked for."""
    if options.side is not None:
        side = options.side / scale[0]
        sides = np.log([picture.side for picture in pictures])
        layer = int(np.abs(sides - np.log(max(side, 1.0))).argmin())
        picture = pictures[layer]
        # the middle of the window stays where it is when its size is brought to one of those searched
        middle = [
            ((begin or 0.0) + options.side / 2) / along
            for begin, along in zip((options.left, options.top), scale, strict=True)
        ]
        place = [
            int(np.clip(round((at - picture.side / 2) / picture.factor), 0, length - 20))
            for at, length in zip(middle, picture.grey.shape[::-1], strict=True)
        ]
        return layer, place[0], place[1]
    if members and len(members[min(options.face, len(members) - 1)]):
        mine = members[min(options.face, len(members) - 1)]
        best = mine[found.margins[mine].argmax()]
        return int(found.layer[best]), int(found.left[best]), int(found.top[best])
    return found.nearest or (0, 0, 0)


def _scaled(area: tuple[int, int, int, int], scale: tuple[float, float]) -> Area:
    return area[0] * scale[0], area[1] * scale[1], area[2] * scale[0], area[3] * scale[1]
