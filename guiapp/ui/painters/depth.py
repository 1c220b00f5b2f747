"""Depth over a picture: near is bright and far is dark, with the scale that says what the colours mean."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QImage

from guiapp.ui.colour_maps import sequential
from guiapp.ui.painters.cards import ground
from guiapp.ui.painters.layer import DrawnLayer
from guiapp.ui.painters.look import Hit
from guiapp.ui.painters.pixels import coloured
from guiapp.ui.painters.text import face

if TYPE_CHECKING:
    from guiapp.tasks.predictions import Depth
    from guiapp.ui.painters.canvas import Canvas

_SCALE = (132, 8)  # the bar of colours, width and height in the window's pixels
_ENDS = (0.01, 0.99)  # quantiles at the ends of the colours: a few odd pixels would take the contrast of all others
_CALM = 0.8  # share of the ends before that stays: colours of a video must not flicker
_ENOUGH = 50_000  # values that the ends are taken from


@lru_cache(maxsize=16)
def depth_table(opacity: float, turned: bool) -> tuple[int, ...]:
    """Magma as 0xAARRGGBB not premultiplied, so opaque: 0 is clear, 1 to 255 go from dark to bright, or back."""
    alpha = round(255 * min(1.0, max(0.0, opacity)))
    table = sequential("magma")[1:, :3].astype(int)
    rows = table[::-1] if turned else table
    return (0, *(alpha << 24 | red << 16 | green << 8 | blue for red, green, blue in rows.tolist()))


class DepthLayer(DrawnLayer):
    """Paints a ``Depth``.

    Attributes:
        ends: Values that have the first and the last colour.
    """

    drawn: Depth
    prepared_by = frozenset({"opacity"})
    ends: tuple[float, float] = (0.0, 0.0)

    def _follow(self, previous: DrawnLayer | None) -> None:
        known = isinstance(previous, DepthLayer) and previous.drawn.unit == self.drawn.unit
        before = previous.ends if known and previous.drawn.near == self.drawn.near else None
        self.ends = _ends(self.drawn.values)
        if before is not None and before[1] > before[0]:
            low, high = (_CALM * old + (1 - _CALM) * new for old, new in zip(before, self.ends, strict=True))
            self.ends = (low, high)

    def _prepare(self) -> None:
        low, high = self.ends
        values = self.drawn.values
        self._image: QImage | None = None
        if values.size:
            place = (values - np.float32(low)) * np.float32(254 / max(high - low, 1e-12))
            known = np.isfinite(place)
            index = np.where(known, np.clip(np.where(known, place, 0), 0, 254) + 1.5, 0).astype(np.uint8)
            opacity = min(1.0, self.look.opacity * 1.6)
            self._image = coloured(index, list(depth_table(opacity, not self.drawn.near)))

    def _paint(self, canvas: Canvas) -> None:
        if self._image is not None:
            painter = canvas.painter
            hint = painter.RenderHint.SmoothPixmapTransform
            before = painter.testRenderHint(hint)
            painter.setRenderHint(hint, True)  # depth is smooth: its pixels are larger than the picture's
            painter.drawImage(canvas.rect(0, 0, *canvas.size), self._image, QRectF(self._image.rect()))
            painter.setRenderHint(hint, before)
        if self.look.legend:
            self._paint_scale(canvas)

    def _paint_scale(self, canvas: Canvas) -> None:
        """The colours from near to far with the values at their ends, bottom right."""
        font, painter = face(canvas.ratio), canvas.painter
        left, top, right, bottom = canvas.area
        gap, edge = font.pad, canvas.length(4)
        width, height = canvas.length(_SCALE[0]), canvas.length(_SCALE[1])
        low, high = self.ends
        near, far = (high, low) if self.drawn.near else (low, high)
        unit = f" {self.drawn.unit}" if self.drawn.unit else ""
        words = (f"near {_short(near)}{unit}", f"{_short(far)}{unit} far")
        width = max(width, font.width(words[0]) + font.width(words[1]) + 3 * gap)
        box = QRect(
            right - edge - width - 2 * gap, bottom - edge - height - font.height - 2 * gap,
            width + 2 * gap, height + font.height + 2 * gap,
        )  # fmt: skip
        if box.left() < left + edge or box.top() < top + edge:
            return
        painter.fillRect(box, ground(self.theme))
        bar = scale_image()
        painter.drawImage(QRectF(box.left() + gap, box.top() + gap, width, height), bar, QRectF(bar.rect()))
        painter.setFont(font.font)
        painter.setPen(QColor(self.theme.text))
        y = box.top() + gap + height + font.baseline
        painter.drawText(box.left() + gap, y, words[0])
        painter.drawText(box.right() + 1 - gap - font.width(words[1]), y, words[1])

    def object_at(self, x: float, y: float) -> Hit | None:
        """The value of what is at the point."""
        width, height = self.drawn.size
        rows, columns = self.drawn.values.shape
        if not (0 <= x < width and 0 <= y < height) or not rows * columns:
            return None
        value = float(
            self.drawn.values[min(rows - 1, int(y / height * rows)), min(columns - 1, int(x / width * columns))]
        )
        if not np.isfinite(value):
            return Hit(0, "depth unknown")
        if self.drawn.unit:
            return Hit(
                0, f"{value:.3g} {self.drawn.unit} away" if not self.drawn.near else f"{value:.3g} {self.drawn.unit}"
            )
        low, high = self.drawn.range()
        share = (value - low) / (high - low) if high > low else 0.0
        share = share if self.drawn.near else 1 - share
        return Hit(0, f"relative depth {value:.4g}  ·  {share:.0%} of the way from the farthest to the nearest")


@lru_cache(maxsize=1)
def scale_image() -> QImage:
    """One row of the colours, near at the left."""
    return coloured(np.arange(255, 0, -1, dtype=np.uint8)[None], list(depth_table(1.0, False)))


def _ends(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    few = values.ravel()[:: max(1, values.size // _ENOUGH)]
    few = few[np.isfinite(few)]
    if not few.size:
        return 0.0, 0.0
    low, high = np.quantile(few, _ENDS)
    return float(low), float(high)


def _short(value: float) -> str:
    return f"{value:.3g}"
