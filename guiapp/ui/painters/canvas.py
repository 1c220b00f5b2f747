"""Where painters paint: from pixels of the picture to device pixels of a widget or of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPixmap

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter


class View(Protocol):
    """What painters need to know of an ``ImageView``, or of anything else that shows a picture."""

    def to_widget(self, area: QRectF) -> QRectF:
        """A rectangle of the picture in the painter's coordinates."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the picture in its own pixels."""


class Canvas:
    """A painter in device pixels, so that lines are sharp at any scale of the screen; it keeps to the picture.

    Attributes:
        painter: Its unit is one device pixel between ``__enter__`` and ``__exit__``.
        ratio: Device pixels for one of the window's pixels.
        scale: Device pixels for one pixel of the picture.
        left, top: Where the picture's upper left corner lies, in device pixels.
        size: Width and height of the picture in its own pixels.
        area: Left, top, right, bottom of what can be seen of the picture, device pixels; of a view with a ``part``
            (left, top, right, bottom in pixels of the picture) no more than that.
        taken: Left, top, right, bottom of what is painted over the layer, device pixels: no place for labels.
    """

    def __init__(self, painter: QPainter, view: View) -> None:
        self.painter = painter
        self.ratio = painter.device().devicePixelRatio()
        unit = view.to_widget(QRectF(0, 0, 1, 1))
        self.scale = unit.width() * self.ratio
        self.left, self.top = unit.x() * self.ratio, unit.y() * self.ratio
        self.size = view.image_size
        device = painter.device()
        # an image counts its device pixels, a widget those of the window
        unit_size = 1.0 if isinstance(device, QImage | QPixmap) else self.ratio
        part = getattr(view, "part", None) or (0, 0, *self.size)  # of two answers each has its part
        seen = (
            max(0.0, self.left + part[0] * self.scale),
            max(0.0, self.top + part[1] * self.scale),
            min(device.width() * unit_size, self.left + part[2] * self.scale),
            min(device.height() * unit_size, self.top + part[3] * self.scale),
        )
        self.area = (round(seen[0]), round(seen[1]), round(seen[2]), round(seen[3]))
        self.taken: tuple[tuple[int, int, int, int], ...] = tuple(getattr(view, "taken", ()))

    def __enter__(self) -> Canvas:
        self.painter.save()
        self.painter.scale(1 / self.ratio, 1 / self.ratio)
        left, top, right, bottom = self.area
        self.painter.setClipRect(left, top, right - left, bottom - top)
        return self

    def __exit__(self, *error: object) -> None:
        self.painter.restore()

    @property
    def empty(self) -> bool:
        """Whether nothing of the picture can be seen."""
        return self.area[2] <= self.area[0] or self.area[3] <= self.area[1]

    @property
    def key(self) -> tuple[float, ...]:
        """Equal for equal places: what was laid out for one holds for the other."""
        return (self.ratio, self.scale, self.left, self.top, *self.area, *(n for rect in self.taken for n in rect))

    def length(self, pixels: float) -> int:
        """Device pixels, at least one, for a width in the window's pixels."""
        return max(1, int(pixels * self.ratio + 0.5))

    def rect(self, x: float, y: float, width: float, height: float) -> QRectF:
        """A rectangle of the picture in device pixels."""
        return QRectF(x * self.scale + self.left, y * self.scale + self.top, width * self.scale, height * self.scale)

    def point(self, x: float, y: float) -> QPointF:
        """A point of the picture in device pixels."""
        return QPointF(x * self.scale + self.left, y * self.scale + self.top)

    def corners(self, boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
        """Borders (N, 4) x1, y1, x2, y2 of the picture as device pixels.

        They are cut a little outside of what can be seen, because a great zoom would leave Qt's range of numbers; what
        is no number becomes 0, what has no end ends far outside.
        """
        offset = np.array([self.left, self.top, self.left, self.top])
        placed = np.floor(
            np.nan_to_num(np.asarray(boxes, np.float64)[:, :4], posinf=1e9, neginf=-1e9) * self.scale + offset + 0.5
        )
        beyond = 64
        low = np.array([self.area[0], self.area[1]] * 2) - beyond
        high = np.array([self.area[2], self.area[3]] * 2) + beyond
        return np.clip(placed, low, high).astype(np.int64)
