"""Two answers over one picture: the colours of both sides, their tags, and the wipe between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from guiapp.ui.painters.canvas import Canvas, View
from guiapp.ui.painters.look import Hit, PaintOptions
from guiapp.ui.painters.text import face, ink

if TYPE_CHECKING:
    from guiapp.ui.painters.layer import DrawnLayer

FIRST, SECOND = QColor("#e69f00"), QColor("#56b4e9")
"""Colours of the two sides: Okabe and Ito's orange and sky blue, told apart by every eye and on any picture."""
_GRIP = 9.0  # half the width of the grip in the window's pixels


class Part:
    """A view of which only a part of the picture is painted.

    Attributes:
        part: Left, top, right, bottom in pixels of the picture.
        taken: What lies over it, as ``Canvas.taken``.
    """

    def __init__(
        self,
        view: View,
        part: tuple[float, float, float, float],
        taken: Sequence[tuple[int, int, int, int]] = (),
    ) -> None:
        self._view, self.part = view, part
        self.taken = (*getattr(view, "taken", ()), *taken)

    @property
    def image_size(self) -> tuple[int, int]:
        """Of the whole picture."""
        return self._view.image_size

    def to_widget(self, area: QRectF) -> QRectF:
        """As the view itself."""
        return self._view.to_widget(area)


class WipeLayer:
    """Left of the handle the first answer, right of it the second.

    Attributes:
        first, second: Layers of the answers.
        at: Where the handle is, as a share of the picture's width.
    """

    def __init__(self, first: DrawnLayer, second: DrawnLayer, at: float) -> None:
        self.first, self.second, self.at = first, second, at

    def paint(self, painter: QPainter, view: View) -> None:
        """Paint both, each in its part, and the handle."""
        width, height = view.image_size
        x = self.at * width
        self.first.paint(painter, Part(view, (0, 0, x, height)))
        self.second.paint(painter, Part(view, (x, 0, width, height)))
        canvas = Canvas(painter, view)
        if canvas.empty:
            return
        with canvas:
            self._paint_handle(canvas)

    def _paint_handle(self, canvas: Canvas) -> None:
        painter, (_, top, _, bottom) = canvas.painter, canvas.area
        x, line = round(canvas.left + self.at * canvas.size[0] * canvas.scale), canvas.length(2)
        light, dark = QColor("#ffffff"), QColor(0, 0, 0, 150)
        painter.fillRect(x - line // 2 - 1, top, line + 2, bottom - top, dark)
        painter.fillRect(x - line // 2, top, line, bottom - top, light)
        half = canvas.length(_GRIP)
        middle = (top + bottom) // 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(dark, canvas.length(1)))
        painter.setBrush(light)
        painter.drawEllipse(QRectF(x - half, middle - half, 2 * half, 2 * half))
        painter.setPen(QPen(QColor("#202020"), 1.6 * canvas.ratio, c=Qt.PenCapStyle.RoundCap))
        inner, arm = 0.25 * half, 0.34 * half
        for way in (-1, 1):  # an arrow head to each side
            tip = x + way * (inner + arm)
            for up in (-1, 1):
                painter.drawLine(round(tip), middle, round(x + way * inner), round(middle + up * arm))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def object_at(self, x: float, y: float) -> Hit | None:
        """What the answer of that side has there; the second's objects are numbered from -1 down."""
        width = getattr(self.first.drawn, "size", (0, 0))[0]
        if x < self.at * width:
            hit = self.first.object_at(x, y)
            return None if hit is None else Hit(hit.index, f"A · {hit.text}", hit.area)
        hit = self.second.object_at(x, y)
        return None if hit is None else Hit(-1 - hit.index, f"B · {hit.text}", hit.area)

    def with_look(self, look: PaintOptions) -> WipeLayer:
        """The same answers with other options; what is marked is numbered as ``object_at`` does."""
        marked = look.marked
        one = marked if marked is not None and marked >= 0 else None
        two = -1 - marked if marked is not None and marked < 0 else None
        first, second = (
            self.first.with_look(replace(look, marked=one)),
            self.second.with_look(replace(look, marked=two)),
        )
        same = first is self.first and second is self.second
        return self if same else WipeLayer(first, second, self.at)

    def moved(self, at: float) -> WipeLayer:
        """The handle at another place."""
        return WipeLayer(self.first, self.second, at)


class TagLayer:
    """Which network a side shows, over the upper edge of its part of the picture.

    Attributes:
        text: Such as ``"A · SSDlite320"``.
        colour: Of the ground.
    """

    def __init__(self, text: str, colour: QColor, on_right: bool = False, most: float = 1.0) -> None:
        self.text, self.colour = text, colour
        self._on_right, self._most = on_right, most

    def rect(self, canvas: Canvas) -> QRect:
        """The upper left or right corner of what can be seen of the picture; no wider than ``most`` of that."""
        font, (left, top, right, _) = face(canvas.ratio), canvas.area
        width = min(font.width(self.text) + 2 * font.pad, round((right - left) * self._most) - canvas.length(2))
        return QRect(right - width if self._on_right else left, top, max(0, width), font.height + canvas.length(2))

    def paint(self, painter: QPainter, view: View) -> None:
        """Paint the text on its ground, cut off where it is too long."""
        canvas = Canvas(painter, view)
        if canvas.empty:
            return
        with canvas:
            font, box = face(canvas.ratio), self.rect(canvas)
            painter.fillRect(box, self.colour)
            painter.setFont(font.font)
            painter.setPen(ink(self.colour))
            text = font.elided(self.text, box.width() - 2 * font.pad)
            painter.drawText(box.left() + font.pad, box.top() + canvas.length(1) + font.baseline, text)


class TaggedLayer:
    """A layer under tags: its labels keep out of their way.

    Attributes:
        layer: What lies below.
        tags: What lies above.
    """

    def __init__(self, layer: DrawnLayer | WipeLayer, tags: Sequence[TagLayer]) -> None:
        self.layer, self.tags = layer, tuple(tags)

    def paint(self, painter: QPainter, view: View) -> None:
        """Paint the layer, then the tags."""
        canvas = Canvas(painter, view)
        taken = [tag.rect(canvas).getCoords() for tag in self.tags]
        self.layer.paint(painter, Part(view, (0, 0, *view.image_size), taken))
        for tag in self.tags:
            tag.paint(painter, view)


def tags_of(names: Sequence[str], at: float = 0.5, side: int | None = None) -> tuple[TagLayer, ...]:
    """Tags with the names of both networks; the one whose part is wider has more room.

    Args:
        names: Of the first and the second network.
        at: Where the parts meet, as a share of the picture's width.
        side: 0 or 1 for a picture of that answer alone.
    """
    if side is not None:
        return (TagLayer(f"{'AB'[side]} · {names[side]}", (FIRST, SECOND)[side]),)
    share = min(0.75, max(0.25, at))
    return (
        TagLayer(f"A · {names[0]}", FIRST, most=share),
        TagLayer(f"B · {names[1]}", SECOND, on_right=True, most=1 - share),
    )
