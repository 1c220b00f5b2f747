"""Arrays to what Qt draws, without a Python loop."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QImage, QPen, QPolygonF

Floats = npt.NDArray[np.float64]


def polygon(x: npt.ArrayLike, y: npt.ArrayLike) -> QPolygonF:
    """Points (x, y), each of length n, as a polygon in one copy."""
    count = len(x)  # type: ignore[arg-type]
    points = QPolygonF()
    points.resize(count)
    if count:
        buffer = np.frombuffer(shiboken6.VoidPtr(points.data(), count * 16, True), np.float64)
        buffer[0::2] = x
        buffer[1::2] = y
    return points


def decimate(
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    columns: int,
    edges: npt.NDArray[np.intp] | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Lowest and highest value in each of at most ``columns`` groups of neighbours: every peak stays.

    Args:
        x: Shape (n,), ascending.
        y: Shape (n,). NaN is left out unless a group has nothing else.
        columns: Number of groups, at least 1.
        edges: First index of each group, ascending; groups of one length without it.

    Returns:
        x of the groups (their first value), lowest, highest: each as long as there are groups.
    """
    count = len(x)
    if count <= columns:
        values = np.asarray(y, np.float64)
        return np.asarray(x, np.float64), values, values
    if edges is None:
        edges = (np.arange(columns) * count) // columns
    return (
        np.asarray(x, np.float64)[edges],
        np.fmin.reduceat(np.asarray(y, np.float64), edges),
        np.fmax.reduceat(np.asarray(y, np.float64), edges),
    )


def zigzag(low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]) -> Floats:
    """``low`` and ``high`` (n,) in turn, low first in even groups and high first in odd ones, shape (2 n,).

    One polyline through them paints the band between both with one stroke a column.
    """
    both = np.empty(2 * len(low))
    both[0::2] = low
    both[1::2] = high
    both[2::4], both[3::4] = high[1::2], low[1::2]
    return both


def image_of(array: npt.NDArray[np.uint8], table: list[int] | None = None) -> QImage:
    """A QImage over uint8 (H, W, 3 or 4), or (H, W) with a colour table (grey without one). No copy is made."""
    array = np.ascontiguousarray(array)
    height, width = array.shape[:2]
    if array.ndim == 3:
        kind = QImage.Format.Format_RGB888 if array.shape[2] == 3 else QImage.Format.Format_RGBA8888
        image = QImage(array.data, width, height, array.shape[2] * width, kind)
    elif table is None:
        image = QImage(array.data, width, height, width, QImage.Format.Format_Grayscale8)
    else:
        image = QImage(array.data, width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(table)
    image.array = array  # the image reads this memory as long as it lives
    return image


def hairline(colour: QColor, alpha: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """A pen of one device pixel, which Qt draws many times faster than any wider one. Not to be changed."""
    return _hairline(colour.rgba(), alpha, style)


@lru_cache(maxsize=512)
def _hairline(rgba: int, alpha: float, style: Qt.PenStyle) -> QPen:
    colour = QColor.fromRgba(rgba)
    colour.setAlphaF(alpha * colour.alphaF())
    pen = QPen(colour, 1, style)
    pen.setCosmetic(True)
    return pen


def tabular(font: QFont) -> QFont:
    """The font with figures of one width, so that changing numbers stay where they are."""
    result = QFont(font)
    if hasattr(result, "setFeature"):
        result.setFeature(QFont.Tag("tnum"), 1)
    return result


def blend(first: QColor, second: QColor, share: float) -> QColor:
    """``share`` of the second colour on the first."""
    a, b = first.getRgbF(), second.getRgbF()
    return QColor.fromRgbF(*(x + (y - x) * share for x, y in zip(a, b, strict=True)))
