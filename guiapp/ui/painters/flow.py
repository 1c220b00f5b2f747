"""Motion over a picture: direction as hue and speed as strength, with the wheel that explains them, or as arrows."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from guiapp.ui.painters.cards import ground
from guiapp.ui.painters.layer import DrawnLayer
from guiapp.ui.painters.look import Hit
from guiapp.ui.painters.pixels import argb_image
from guiapp.ui.painters.text import face

if TYPE_CHECKING:
    from guiapp.tasks.predictions import Flow
    from guiapp.ui.painters.canvas import Canvas

# Steps between red, yellow, green, cyan, blue, magenta and red again (Baker et al., 2011, "A Database and Evaluation
# Methodology for Optical Flow"): about as many as the eye tells apart.
_STEPS = (15, 6, 4, 11, 13, 6)
_CORNERS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))
_HALF = 127  # entries of the table from the centre to its rim
_MOST_VALUES = 400_000  # motion is smooth: more vectors are not seen
_WHEEL = 64
_SPACING = 28


@lru_cache(maxsize=1)
def hues() -> npt.NDArray[np.float64]:
    """The 55 colours of the wheel, (55, 3) in 0 to 1; the first, red, is motion to the right (Baker et al., 2011)."""
    parts = []
    for steps, low, high in zip(_STEPS, _CORNERS, _CORNERS[1:], strict=False):
        share = np.floor(255 * np.arange(steps) / steps)[:, None] / 255
        start, end = np.array(low, np.float64), np.array(high, np.float64)
        # towards a corner that is darker in one channel, that channel falls from full
        parts.append(np.where(end < start, start - share * (start - end), start + share * (end - start)))
    return np.concatenate(parts)


def hue_at(right: npt.ArrayLike, down: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Colour (..., 3) in 0 to 1 of a direction at full strength, between the two nearest colours of the wheel."""
    wheel = hues()
    angle = np.arctan2(-np.asarray(down, np.float64), -np.asarray(right, np.float64)) / np.pi
    place = (angle + 1) / 2 * (len(wheel) - 1)
    low = np.floor(place).astype(np.int64)
    share = (place - low)[..., None]
    return wheel[low] * (1 - share) + wheel[(low + 1) % len(wheel)] * share


@lru_cache(maxsize=8)
def flow_table(opacity: float) -> npt.NDArray[np.uint32]:
    """Premultiplied ARGB by (down, right) from -1 to 1 in 255 steps each, flat: still is clear, full speed ``opacity``.

    Over white and opaque these are the colours of Baker et al.: there the strength pales the hue towards white, here
    towards the picture.
    """
    at = np.arange(-_HALF, _HALF + 1) / _HALF
    right, down = np.meshgrid(at, at)
    alpha = np.minimum(1.0, np.hypot(right, down)) * opacity
    value = np.round(hue_at(right, down) * alpha[..., None] * 255).astype(np.uint32)
    table = np.round(alpha * 255).astype(np.uint32) << 24 | value[..., 0] << 16 | value[..., 1] << 8 | value[..., 2]
    return table.ravel()


def full_length(lengths: npt.NDArray[np.floating], least: float = 1.0) -> float:
    """What 99 % of the lengths stay below, but not less than ``least``: it gets the full colour."""
    few = lengths.ravel()[:: max(1, lengths.size // 20_000)]
    few = few[np.isfinite(few)]
    return max(least, float(np.quantile(few, 0.99))) if few.size else least


class FlowLayer(DrawnLayer):
    """Paints a ``Flow``.

    Attributes:
        longest: Motion of this length, in pixels of the picture, has the full colour.
    """

    drawn: Flow
    prepared_by = frozenset({"opacity", "longest", "colours"})
    longest: float

    def _prepare(self) -> None:
        vectors = self.drawn.vectors
        rows, columns = vectors.shape[:2]
        step = max(1, round((rows * columns / _MOST_VALUES) ** 0.5))
        # a missing vector would otherwise be cast to any number
        self._vectors = np.nan_to_num(vectors[::step, ::step], posinf=0, neginf=0)
        length = np.hypot(self._vectors[..., 0], self._vectors[..., 1])
        self.longest = self.look.longest if self.look.longest > 0 else full_length(length)
        self._image = self._coloured(length) if self.look.colours and length.size else None
        self._shown = (columns / step, rows / step)
        self._arrows: dict[tuple[float, ...], list[QLineF]] = {}

    def _coloured(self, length: npt.NDArray[np.float32]) -> QImage:
        shrink = (_HALF / np.maximum(length, np.float32(self.longest)))[..., None]
        place = np.rint(self._vectors * shrink).astype(np.int32)
        place += _HALF
        index = place[..., 1] * (2 * _HALF + 1)
        index += place[..., 0]
        return argb_image(flow_table(min(1.0, self.look.opacity * 1.6)).take(index))

    def _paint(self, canvas: Canvas) -> None:
        if self._image is not None:
            width, height = self._shown  # the last sample may stand for less than a whole step
            canvas.painter.drawImage(canvas.rect(0, 0, *canvas.size), self._image, QRectF(0, 0, width, height))
        if self.look.arrows:
            self._paint_arrows(canvas)
        if self.look.legend:
            self._paint_wheel(canvas)

    def _paint_arrows(self, canvas: Canvas) -> None:
        lines = self._arrows.get(canvas.key)
        if lines is None:
            self._arrows.clear()
            lines = self._arrows[canvas.key] = self._arrow_lines(canvas)
        painter = canvas.painter
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        width = canvas.length(1)
        flat = Qt.PenCapStyle.FlatCap
        for colour, pen in ((QColor(0, 0, 0, 150), width * 2.6), (QColor("#ffffff"), width * 1.2)):
            painter.setPen(QPen(colour, pen, Qt.PenStyle.SolidLine, flat))
            painter.drawLines(lines)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def gain(self, canvas: Canvas) -> float:
        """How many times longer than the motion arrows are: a power of two, so that the longest fill their cell."""
        cell = _SPACING * canvas.ratio / canvas.scale
        return float(2.0 ** np.floor(np.log2(max(1e-6, cell / self.longest))))

    def _arrow_lines(self, canvas: Canvas) -> list[QLineF]:
        """A shaft and two barbs for the vector at the centre of each cell that can be seen and moves."""
        left, top, right, bottom = canvas.area
        cell = canvas.length(_SPACING)
        # cells are fixed to the picture, so that arrows stay where they are while a person pans
        first_x = left + (round(canvas.left) - left) % cell
        first_y = top + (round(canvas.top) - top) % cell
        x, y = np.meshgrid(np.arange(first_x - cell // 2, right, cell), np.arange(first_y - cell // 2, bottom, cell))
        x, y = x.ravel(), y.ravel()
        inside = (x >= left) & (y >= top)
        x, y = x[inside], y[inside]
        rows, columns = self._vectors.shape[:2]
        column = ((x + 0.5 - canvas.left) / (canvas.size[0] * canvas.scale) * columns).astype(np.int64)
        row = ((y + 0.5 - canvas.top) / (canvas.size[1] * canvas.scale) * rows).astype(np.int64)
        moved = self._vectors[np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)].astype(np.float64)
        moved *= canvas.scale * self.gain(canvas)
        length = np.hypot(moved[:, 0], moved[:, 1])
        most = 2.0 * cell  # outliers would cross the picture
        moved *= np.minimum(1.0, most / np.maximum(length, 1e-6))[:, None]
        length = np.minimum(length, most)
        there = length >= canvas.length(2)
        x, y, moved, length = x[there], y[there], moved[there], length[there]
        tip = np.stack([x, y], 1) + moved
        back = moved / length[:, None] * np.minimum(length * 0.5, canvas.length(5))[:, None]
        side = np.stack([-back[:, 1], back[:, 0]], 1) * 0.55
        tail = np.stack([x, y], 1)
        ends = np.concatenate(
            [np.hstack([tail, tip]), np.hstack([tip, tip - back + side]), np.hstack([tip, tip - back - side])]
        )
        return [QLineF(*four) for four in ends.tolist()]

    def _paint_wheel(self, canvas: Canvas) -> None:
        """The wheel of colours and the length at its rim; for arrows how much longer than the motion they are."""
        font, painter = face(canvas.ratio), canvas.painter
        left, top, right, bottom = canvas.area
        side = canvas.length(_WHEEL) if self.look.colours else 0
        said = [f"{self.longest:.3g} px"] if side else []
        if self.look.arrows:
            said.append(f"arrows × {self.gain(canvas):g}")
        if not said:
            return
        gap, edge = font.pad, canvas.length(4)
        width = max(side, *(font.width(line) for line in said)) + 2 * gap
        height = side + font.height * len(said) + 2 * gap
        if width + 2 * edge > right - left or height + 2 * edge > bottom - top:
            return
        box = QRect(right - edge - width, bottom - edge - height, width, height)
        painter.fillRect(box, ground(self.theme))
        if side:
            painter.drawImage(box.left() + (width - side) // 2, box.top() + gap, wheel_image(side, self.theme.dark))
        painter.setFont(font.font)
        painter.setPen(self.theme.text)
        for number, line in enumerate(said):
            y = box.top() + gap + side + number * font.height
            painter.drawText(box.left() + (width - font.width(line)) // 2, y + font.baseline, line)

    def object_at(self, x: float, y: float) -> Hit | None:
        """How far what is at the point has moved."""
        width, height = self.drawn.size
        rows, columns = self.drawn.vectors.shape[:2]
        if not (0 <= x < width and 0 <= y < height) or not rows * columns:
            return None
        row, column = min(rows - 1, int(y / height * rows)), min(columns - 1, int(x / width * columns))
        right, down = (float(v) for v in self.drawn.vectors[row, column])
        across = f"{abs(right):.1f} px {'right' if right >= 0 else 'left'}"
        along = f"{abs(down):.1f} px {'down' if down >= 0 else 'up'}"
        return Hit(0, f"moves {across}, {along}  ·  {np.hypot(right, down):.1f} px")


@lru_cache(maxsize=8)
def wheel_image(side: int, dark: bool) -> QImage:
    """The colours of all directions, full at the rim and the ground's own in the middle; clear outside of the disc."""
    at = (np.arange(side) + 0.5 - side / 2) / (side / 2)
    right, down = np.meshgrid(at, at)
    radius = np.hypot(right, down)
    middle = 0.2 if dark else 1.0
    colour = middle + (hue_at(right, down) - middle) * np.minimum(1, radius)[..., None]
    alpha = np.clip((1 - radius) * side / 2 + 0.5, 0, 1)  # a smooth rim
    value = np.round(colour * alpha[..., None] * 255).astype(np.uint32)
    return argb_image(
        np.round(alpha * 255).astype(np.uint32) << 24 | value[..., 0] << 16 | value[..., 1] << 8 | value[..., 2]
    )
