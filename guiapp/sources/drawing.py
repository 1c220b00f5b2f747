"""A drawing as a picture: shown as it was drawn, fed to the network the way the open data set was made."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from guiapp.core.picture import Origin, Picture, rgb


class Drawable(Protocol):
    """The part of a data set that a drawing needs; rooms of one layer do not import one another."""

    @property
    def from_drawing(self) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] | None:
        """Turns a drawing into a sample, or None where a drawing makes no sense."""
        ...


def drawing_picture(canvas: npt.NDArray[np.uint8], dataset: Drawable | None = None) -> Picture:
    """Make a picture of a drawing.

    Args:
        canvas: uint8 (S, S), ink 255 on black; copied.
        dataset: Says how a drawing becomes one of its samples; without it, or where it does not say, the network is
            fed the drawing as it is.
    """
    convert = dataset.from_drawing if dataset is not None else None
    sample = convert(canvas) if convert is not None else None
    return Picture(rgb(np.array(canvas)), Origin("drawing", "Drawing"), sample=sample)
