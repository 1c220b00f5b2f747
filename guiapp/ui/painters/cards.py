"""A small card in a corner of the picture: names with colours, shares and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor

from guiapp.ui.painters.text import face

if TYPE_CHECKING:
    from guiapp.ui.painters.canvas import Canvas
    from guiapp.ui.theme import Theme


@dataclass(frozen=True)
class Row:
    """One line of a card.

    Attributes:
        text: Name on the left.
        value: Figure on the right.
        colour: Of the swatch and the bar.
        share: Length of the bar below the text, 0 to 1; None has no bar.
        other: Colour and length of a second bar below the first; such a row has no swatch.
    """

    text: str
    value: str
    colour: QColor
    share: float | None = None
    other: tuple[QColor, float] | None = None


def ground(theme: Theme) -> QColor:
    """What lies under text over a picture: the panel's colour, through which the picture is only felt."""
    colour = theme.panel
    colour.setAlpha(225)
    return colour


def paint_card(canvas: Canvas, theme: Theme, rows: Sequence[Row]) -> QRect:
    """Paint as many rows as there is room for, bottom right in what can be seen of the picture.

    Bottom left the view tells the value under the pointer.

    Returns:
        Where the card is, in device pixels; an empty rectangle where not even one row fits.
    """
    font, painter = face(canvas.ratio), canvas.painter
    left, top, end, bottom = canvas.area
    edge, gap = canvas.length(4), font.pad
    bar = canvas.length(3) if any(row.share is not None for row in rows) else 0
    twice = any(row.other is not None for row in rows)
    line = font.height + (bar * (2 if twice else 1) + canvas.length(2) if bar else 0)
    rows = rows[: max(0, (bottom - top - 2 * edge - 2 * gap) // line)]
    room = end - left - 2 * edge
    value = max((font.width(row.value) for row in rows), default=0)
    inset = 0 if twice else font.height
    fixed = inset + value + 4 * gap  # swatch, figure, room between
    if not rows or room < fixed + font.width("m…"):
        return QRect()
    names = [font.elided(row.text, room - fixed) for row in rows]
    width = max(font.width(name) for name in names) + fixed
    if bar:
        width = min(room, max(width, canvas.length(150)))
    height = line * len(rows) + 2 * gap
    box = QRect(end - edge - width, bottom - edge - height, width, height)
    painter.fillRect(box, ground(theme))
    painter.setFont(font.font)
    painter.setPen(theme.text)
    swatch = font.height * 2 // 3
    for number, (row, name) in enumerate(zip(rows, names, strict=True)):
        x, y = box.left() + gap, box.top() + gap + number * line
        if not twice:
            painter.fillRect(x, y + (font.height - swatch) // 2, swatch, swatch, row.colour)
        painter.drawText(x + inset, y + font.baseline, name)
        painter.drawText(box.right() + 1 - gap - font.width(row.value), y + font.baseline, row.value)
        full = width - 2 * gap
        bars = [] if row.share is None else [(row.colour, row.share)]
        for place, (colour, share) in enumerate(bars if row.other is None else [*bars, row.other]):
            down = y + font.height + place * bar
            painter.fillRect(x, down, full, bar, theme.hover)
            painter.fillRect(x, down, round(full * min(1.0, max(0.0, share))), bar, colour)
    return box
