"""Predictions painted into the frames of a video, one after the other: for files. Needs no window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guiapp.ui.painters import prepare
from guiapp.ui.painters.look import PaintOptions
from guiapp.ui.painters.pairs import Pair, PairPainter
from guiapp.ui.painters.still import line_ratio, painted

if TYPE_CHECKING:
    from guiapp.tasks.predictions import Drawn
    from guiapp.ui.painters.layer import DrawnLayer
    from guiapp.ui.theme import Theme

Pixels = npt.NDArray[np.uint8]


class FramePainter:
    """Paints at the size of the frame; what is shown over time goes on from frame to frame.

    Used by one thread at a time, which need not be the window's.

    Attributes:
        look: What is on.
    """

    def __init__(self, theme: Theme, look: PaintOptions | None = None) -> None:
        self.look = look or PaintOptions()
        self._theme = theme
        self._layer: DrawnLayer | None = None
        self._paint_pair = PairPainter(theme)

    def __call__(self, pixels: Pixels, drawn: Drawn | Pair | None, over: Sequence[Any] = ()) -> Pixels:
        """The frame, uint8 (H, W, 3), with the prediction and further layers ``over`` it: a new array of the same size.

        Without a prediction the frame as it is; two answers side by side make it twice as wide.
        """
        if drawn is None:
            return pixels
        ratio = line_ratio((pixels.shape[1], pixels.shape[0]))
        if isinstance(drawn, Pair):
            return self._paint_pair(pixels, drawn, self.look, ratio)
        self._layer = prepare(drawn, self._theme, self.look, previous=self._layer, ratio=ratio)
        return painted(pixels, [self._layer, *over], ratio)
