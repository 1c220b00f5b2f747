"""Attribution maps in colours: what is painted of their values, how strongly, and how coarse ones are enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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


def indexed(values: Floats, sign: Sign, full: float) -> npt.NDArray[np.uint8]:
    """Places of values in a colour table: 0 for what is not finite, else 1 to 255.

    Args:
        values: (h, w), signed.
        sign: What of them is shown.
        full: The size at which colours are full, above 0.

    Returns:
        uint8 (h, w): of signed values 128 is zero, else 1 is.
    """
    sign = sign_of(values, sign)
    shares = np.clip(part_of(values, sign) * np.float32(1 / full), -1, 1)
    places = shares * 127 + 128 if sign == "signed" else shares * 254 + 1
    known = np.isfinite(places)
    if known.all():
        return np.rint(places).astype(np.uint8)
    return np.where(known, np.rint(np.where(known, places, 0)), 0).astype(np.uint8)


@lru_cache(maxsize=64)
def colours_of(signed: bool, ground: Ground, opacity: float, threshold: float) -> npt.NDArray[np.uint8]:
    """The colour table of a style, uint8 (256, 4): red, green, blue, alpha, not premultiplied.

    Over a picture the opacity grows with a value's size, so that what says nothing hides nothing.
    """
    shares = (np.arange(256) - 128) / 127 if signed else (np.arange(256) - 1) / 254
    strength = np.abs(np.clip(shares, -1, 1))
    source, neutral = (colour_maps.signed(), 128) if signed else (colour_maps.sequential(), 1)
    table = source.copy()
    seen = strength >= threshold
    if ground == "alone":
        table[~seen] = source[neutral]  # what is left out looks as zero does
        alpha = np.full(256, 255.0)
    else:
        if signed:  # pale by letting the picture through, not by its own whiteness
            pale = np.sign(shares) * (_PALEST + (1 - _PALEST) * strength)
            table = source[np.clip(np.rint(128 + 127 * pale), 1, 255).astype(np.intp)].copy()
        alpha = np.where(seen, 255 * opacity * strength**_FADES, 0)
    table[:, 3] = np.rint(alpha)
    table[0] = 0
    table.setflags(write=False)
    return table


def coloured(values: Floats, style: MapStyle, full: float) -> npt.NDArray[np.uint8]:
    """Colours of a map, uint8 (h, w, 4): red, green, blue, alpha, not premultiplied.

    Args:
        values: (h, w), signed; what is not finite is left out.
        style: How.
        full: The size at which colours are full, above 0.
    """
    found: npt.NDArray[np.uint8] = _table(values, style)[indexed(values, style.sign, full)]
    return found


def _table(values: Floats, style: MapStyle) -> npt.NDArray[np.uint8]:
    return colours_of(sign_of(values, style.sign) == "signed", style.ground, style.opacity, style.threshold)


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
    return image_of(indexed(values, style.sign, full), colour_maps.colour_table(_table(values, style)))


def without_colours(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The luma (Rec. 601) of a picture (H, W, 3) as grey, fainter, so that colours over it stand out."""
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    grey = np.rint(luma * 0.8 + 25).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
