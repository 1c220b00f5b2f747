"""Pictures from arrays: the clipboard, screenshots, other programs' pixels."""

import numpy as np
import numpy.typing as npt

from guiapp.core.decode import over_white
from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, OriginKind, Picture, rgb


def picture_from_array(
    array: npt.NDArray[np.uint8], name: str = "Pasted picture", kind: OriginKind = "clipboard"
) -> Picture:
    """Make a picture of uint8 grey (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA (H, W, 4), the last laid on white.

    The pixels are copied: whoever gave them may change them.

    Raises:
        UserError: For an empty array, or one of another type or shape.
    """
    array = np.asarray(array)
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise UserError(f"{name} holds {array.dtype} values of shape {array.shape}, not a grey, RGB or RGBA picture")
    if array.size == 0:
        raise UserError(f"{name} has no pixels")
    pixels = over_white(array) if channels == 4 else rgb(np.array(array))
    return Picture(pixels, Origin(kind, name))
