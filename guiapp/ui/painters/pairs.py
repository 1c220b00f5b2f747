"""Two answers to one picture as they are shown together: for recordings, where there is no widget that shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from guiapp.tasks.compare import Difference, in_common
from guiapp.tasks.predictions import Flow
from guiapp.ui.painters import DrawnLayer, prepare
from guiapp.ui.painters.flow import full_length
from guiapp.ui.painters.sides import TaggedLayer, WipeLayer, tags_of
from guiapp.ui.painters.still import painted

if TYPE_CHECKING:
    from guiapp.tasks.predictions import Drawn
    from guiapp.ui.painters.look import PaintOptions
    from guiapp.ui.theme import Theme

Mode = Literal["beside", "wipe", "difference"]
GAP = 4
"""Pixels between two pictures."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two answers, and how they are shown.

    Attributes:
        first, second: The answers.
        difference: What they differ by, or None.
        mode: Side by side, by a wipe, or as a difference; the first answer alone where there is none.
        at: Where the wipe's handle is, as a share of the picture's width.
        names: What the tags call the networks.
    """

    first: Drawn
    second: Drawn
    difference: Difference | None
    mode: Mode
    at: float
    names: tuple[str, str]


class PairPainter:
    """Paints pairs into frames; what is shown over time goes on from frame to frame."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._before: tuple[DrawnLayer | None, DrawnLayer | None] = (None, None)

    def __call__(
        self, pixels: npt.NDArray[np.uint8], pair: Pair, look: PaintOptions, ratio: float
    ) -> npt.NDArray[np.uint8]:
        """The frame with both answers, uint8 (H, W, 3); side by side (H, 2 W + ``GAP``, 3)."""
        tags = tags_of(pair.names, pair.at if pair.mode == "wipe" else 0.5)
        if pair.mode == "difference" and pair.difference is not None:
            found = prepare(pair.difference, self._theme, look, ratio=ratio)
            return painted(pixels, [TaggedLayer(found, tags)], ratio)
        look = replace(look, longest=shared_length(pair.first, pair.second))
        answers = in_common(pair.first, pair.second)
        first, second = self._before = tuple(
            prepare(drawn, self._theme, look, previous=before, ratio=ratio)
            for drawn, before in zip(answers, self._before, strict=True)
        )
        if pair.mode == "wipe":
            return painted(pixels, [TaggedLayer(WipeLayer(first, second, pair.at), tags)], ratio)
        if pair.mode == "difference":
            return painted(pixels, [TaggedLayer(first, tags)], ratio)
        return side_by_side(
            [painted(pixels, [TaggedLayer(layer, tags_of(pair.names, 0.5, side))], ratio)
             for side, layer in enumerate((first, second))]
        )  # fmt: skip


def shared_length(first: Drawn, second: Drawn) -> float:
    """The length of motion that has the full colour in both answers; 0 where they are not about motion."""
    if not isinstance(first, Flow) or not isinstance(second, Flow):
        return 0.0
    every_other = (flow.vectors[::2, ::2] for flow in (first, second))
    return max(full_length(np.hypot(vectors[..., 0], vectors[..., 1])) for vectors in every_other)


def side_by_side(pictures: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Pictures (H, W, 3) in one, with a white line of ``GAP`` pixels between them."""
    line = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (line, picture)]
    return np.ascontiguousarray(np.concatenate(parts[1:], axis=1))
