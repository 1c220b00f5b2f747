"""Small pictures of samples for browsers and scatter plots."""

import numpy as np
import numpy.typing as npt

from guiapp.core.picture import rgb
from guiapp.datasets.base import Dataset, Part


def thumbnail(dataset: Dataset, part: Part, index: int, limit: int = 96) -> npt.NDArray[np.uint8]:
    """One sample as RGB, uint8 (h, w, 3).

    A sample larger than ``limit`` is thinned by a whole step: a thumbnail must cost next to nothing.

    Raises:
        IndexError: If there is no such sample.
    """
    image = dataset.part(part).images[index]
    step = -(-max(image.shape[:2]) // limit)
    return rgb(np.array(image[::step, ::step]))
