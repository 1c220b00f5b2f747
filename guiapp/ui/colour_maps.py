"""Colour maps for atlases of indices: entry 0 is transparent, entries 1 to 255 carry the values."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.uint8]
"""uint8, shape (256, 4), red, green, blue, alpha."""

# Anchors of the signed map at -1, -0.55, 0, 0.55, 1: blue is negative, red positive, lightness falls alike on both
# sides so that values of equal size look equally strong.
_SIGNED = ("#173c9c", "#6f8ff0", "#f6f6f6", "#f07f66", "#8f1220")
_AT = (-1.0, -0.55, 0.0, 0.55, 1.0)


def oklab_from_rgb(rgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """OKLab (Ottosson, 2020) of sRGB values in 0 to 1, shape (..., 3)."""
    value = np.asarray(rgb, np.float64)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    cone = linear @ np.array(
        [[0.4122214708, 0.2119034982, 0.0883024619], [0.5363325363, 0.6806995451, 0.2817188376],
         [0.0514459929, 0.1073969566, 0.6299787005]]
    )  # fmt: skip
    return np.cbrt(cone) @ np.array(
        [[0.2104542553, 1.9779984951, 0.0259040371], [0.7936177850, -2.4285922050, 0.7827717662],
         [-0.0040720468, 0.4505937099, -0.8086757660]]
    )  # fmt: skip


def rgb_from_oklab(lab: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Colours (sRGB) in 0 to 1 of OKLab values, clipped to the gamut, shape (..., 3)."""
    cone = np.asarray(lab, np.float64) @ np.array(
        [[1.0, 1.0, 1.0], [0.3963377774, -0.1055613458, -0.0894841775], [0.2158037573, -0.0638541728, -1.2914855480]]
    )
    linear = cone**3 @ np.array(
        [[4.0767416621, -1.2684380046, -0.0041960863], [-3.3077115913, 2.6097574011, -0.7034186147],
         [0.2309699292, -0.3413193965, 1.7076147010]]
    )  # fmt: skip
    linear = np.clip(linear, 0.0, 1.0)
    return np.clip(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055), 0.0, 1.0)


def _table(rgb: npt.NDArray[np.float64]) -> Table:
    """Entries 1 to 255 from (255, 3) values in 0 to 1, entry 0 transparent."""
    result = np.zeros((256, 4), np.uint8)
    result[1:, :3] = np.round(rgb * 255)
    result[1:, 3] = 255
    result.setflags(write=False)
    return result


@cache
def signed() -> Table:
    """Diverging map: 1 is the most negative (blue), 128 zero (neutral), 255 the most positive (red)."""
    anchors = oklab_from_rgb([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in _SIGNED])
    at = np.arange(-127, 128) / 127
    return _table(rgb_from_oklab(np.stack([np.interp(at, _AT, anchors[:, k]) for k in range(3)], axis=1)))


@cache
def sequential(name: str = "viridis") -> Table:
    """``"viridis"``, ``"magma"`` (van der Walt and Smith, as pyqtgraph ships them) or ``"grey"``: 1 low, 255 high."""
    if name == "grey":
        return _table(np.repeat(np.linspace(0, 1, 255)[:, None], 3, axis=1))
    from pyqtgraph import colormap  # loaded with the first map, not with the window

    return _table(colormap.get(name).map(np.linspace(0, 1, 255), mode="float")[:, :3])


def colour_table(table: Table) -> list[int]:
    """The map as ``QImage.setColorTable`` takes it: 256 integers 0xAARRGGBB."""
    wide = table.astype(np.uint32)
    return [int(v) for v in (wide[:, 3] << 24) | (wide[:, 0] << 16) | (wide[:, 1] << 8) | wide[:, 2]]
