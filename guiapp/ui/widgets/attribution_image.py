"""Attribution maps in colours: what is painted of their values, how strongly, and how coarse ones are enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from guiapp.ui import colour_maps

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

Floats = npt.NDArray[np.float32]

Sign = Literal["suited", "signed", "absolute", "positive", "negative"]
Ground = Literal["picture", "grey", "alone"]

_FINE = 4096
"""Values from which a map is one of pixels, where single ones stand out and a quantile is the range."""
_QUANTILE = 0.99
_PALEST = 0.5
"""Share of the signed colours at which small values begin over a picture."""


@dataclass(frozen=True)
class MapStyle:
    """How maps are painted.

    Attributes:
        sign: Signed values in two colours, their sizes, or only what speaks for or against; ``"suited"`` is signed
            where there are negative values, else positive.
        ground: Over the picture, over the picture without colours, or alone.
        opacity: 0 to 1, of the strongest values; weaker ones let more of the picture through. Alone it has no part.
        threshold: 0 to 1: what is weaker than this share of the range is not painted.
        smooth: Whether coarse maps are enlarged linearly, as papers show them, or as the blocks that they are.
        own_range: Whether each map has its own range, or all that are seen together have one.
    """

    sign: Sign = "suited"
    ground: Ground = "picture"
    opacity: float = 0.75
    threshold: float = 0.0
    smooth: bool = True
    own_range: bool = True


_FADES = 0.75
"""Power of a value's share by which opacity grows over a picture: weak values are seen, but hide little."""


def part_of(values: Floats, sign: Sign) -> Floats:
    """What of the values is shown: as they are, their sizes, or one side with the other at zero."""
    if sign == "absolute":
        return np.abs(values)
    if sign == "positive":
        return np.maximum(values, 0)
    if sign == "negative":
        return np.maximum(-values, 0)
    return values


def sign_of(values: Floats, sign: Sign) -> Sign:
    """The way in which values are shown, where it is left to them."""
    if sign != "suited":
        return sign
    return "signed" if bool((values < 0).any()) else "positive"


def range_of(values: Floats) -> float:
    """The size at which colours are full: the largest; of a map of pixels the 99th percentile of the sizes.

    The gradient of single pixels may be many times that of all others (Smilkov et al. 2017 cut it likewise).
    What is not finite does not count; 1 where nothing differs from zero.
    """
    sizes = np.abs(values[np.isfinite(values)])
    if not sizes.size:
        return 1.0
    full = float(np.quantile(sizes, _QUANTILE)) if sizes.size >= _FINE else 0.0
    return full or float(sizes.max()) or 1.0


def enlarged(values: Floats, rows: int, columns: int) -> Floats:
    """A coarse map with linear values between the middles of its cells, as torch's ``interpolate`` gives it.

    Args:
        values: (h, w).
        rows: Wanted height.
        columns: Wanted width.

    Returns:
        float32 (rows, columns).
    """
    return (_between(values.shape[0], rows) @ values @ _between(values.shape[1], columns).T).astype(np.float32)


def _between(count: int, wanted: int) -> Floats:
    """The matrix (wanted, count) of linear interpolation between middles of cells."""
    at = np.clip((np.arange(wanted) + 0.5) * count / wanted - 0.5, 0, count - 1)
    low = np.minimum(at.astype(np.intp), max(count - 2, 0))
    share = (at - low).astype(np.float32)
    matrix = np.zeros((wanted, count), np.float32)
    rows = np.arange(wanted)
    matrix[rows, low] = 1 - share
    matrix[rows, np.minimum(low + 1, count - 1)] += share
    return matrix


def coloured(values: Floats, style: MapStyle, full: float) -> npt.NDArray[np.uint8]:
    """Colours of a map.

    Over a picture the opacity grows with a value's size, so that what says nothing hides nothing.

    Args:
        values: (h, w), signed; what is not finite is left out.
        style: How.
        full: The size at which colours are full, above 0.

    Returns:
        uint8 (h, w, 4), red, green, blue, alpha, not premultiplied.
    """
    known = np.isfinite(values)
    sign = sign_of(values, style.sign)
    shown = part_of(np.where(known, values, 0.0).astype(np.float32), sign)
    shares = np.clip(shown / full, -1, 1)
    strength = np.abs(shares)
    if sign == "signed":
        table = colour_maps.signed()
        if style.ground != "alone":  # pale by letting the picture through, not by its own whiteness
            shares = np.sign(shares) * (_PALEST + (1 - _PALEST) * strength)
        places = np.rint(128 + 127 * shares)
    else:
        table, places = colour_maps.sequential(), np.rint(1 + 254 * strength)
    colours = table[places.astype(np.intp)]
    seen = known & (strength >= style.threshold)
    if style.ground == "alone":
        if style.threshold > 0:  # what is left out looks as zero does
            colours = np.where(seen[..., None], colours, table[128 if sign == "signed" else 1])
        seen, alpha = known, np.full(shares.shape, 255.0)
    else:
        alpha = 255 * style.opacity * strength**_FADES
    colours[..., 3] = np.rint(np.where(seen, alpha, 0))
    return colours


def map_image(values: Floats, style: MapStyle, full: float, size: tuple[float, float], coarse: bool = False) -> QImage:
    """The map as an image to be stretched over the picture.

    Args:
        values: (h, w).
        style: How.
        full: The size at which colours are full.
        size: Width and height in pixels that the image will cover.
        coarse: Whether its values are those of a layer, not of pixels: where that is wanted they are enlarged to about
            half of the size, at most to 256.
    """
    from guiapp.ui.widgets.painting import image_of

    rows, columns = values.shape
    if style.smooth and coarse:
        width, height = (max(1, min(256, round(n / 2))) for n in size)
        if height > rows or width > columns:
            values = enlarged(values, max(rows, height), max(columns, width))
    return image_of(np.ascontiguousarray(coloured(values, style, full)))


def without_colours(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The luma (Rec. 601) of a picture (H, W, 3) as grey, fainter, so that colours over it stand out."""
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    grey = np.rint(luma * 0.8 + 25).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
