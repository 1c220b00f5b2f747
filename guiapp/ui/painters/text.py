"""Text over a picture: one small font, widths measured once."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication

from guiapp.ui.widgets.painting import tabular

PIXELS = 12
"""Height of the font in the window's pixels."""
_LONGEST = 30  # characters of a name


class Face:
    """A font in device pixels and what is known of it.

    Attributes:
        font: To be set on a painter whose unit is a device pixel.
        height: Of a line with room around it, device pixels.
        baseline: From the top of such a line to the baseline.
        pad: Room left and right of the text.
    """

    def __init__(self, family: str, pixels: int) -> None:
        font = QFont(family) if family else QFont()
        font.setPixelSize(pixels)
        self.font = tabular(font)
        self._metrics = QFontMetricsF(self.font)
        self.pad = max(2, pixels // 3)
        self.height = round(self._metrics.ascent() + self._metrics.descent()) + max(2, pixels // 6)
        self.baseline = round((self.height + self._metrics.ascent() - self._metrics.descent()) / 2)
        self._widths: dict[str, int] = {}

    def width(self, text: str) -> int:
        """Device pixels of a text."""
        found = self._widths.get(text)
        if found is None:
            if len(self._widths) > 4096:  # scores differ from picture to picture
                self._widths.clear()
            found = self._widths[text] = round(self._metrics.horizontalAdvance(text) + 0.5)
        return found

    def elided(self, text: str, room: int) -> str:
        """The text cut with an ellipsis to ``room`` device pixels; nothing where not even that fits."""
        if self.width(text) <= room:
            return text
        for count in range(len(text) - 1, 0, -1):
            if self.width(text[:count] + "…") <= room:
                return text[:count] + "…"
        return ""


def face(ratio: float) -> Face:
    """The font of what is painted over pictures, for device pixels of one window pixel."""
    return _face(QGuiApplication.font().family(), round(PIXELS * ratio))


@lru_cache(maxsize=16)
def _face(family: str, pixels: int) -> Face:
    return Face(family, pixels)


@lru_cache(maxsize=512)
def _ink(rgb: int) -> QColor:
    colour = QColor.fromRgb(rgb)
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour.getRgbF()[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # equal contrast to black and to white (WCAG 2) lies at 0.179
    return QColor("#000000") if luminance > 0.179 else QColor("#ffffff")


def ink(ground: QColor) -> QColor:
    """Black or white, whichever is read better on the ground."""
    return _ink(ground.rgb())


def name_of(labels: tuple[str, ...], index: int) -> str:
    """Name of a class, its number where there is none, cut where it is long."""
    name = labels[index] if 0 <= index < len(labels) else f"class {index}"
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
