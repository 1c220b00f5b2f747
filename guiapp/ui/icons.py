"""Line icons of one family, drawn from SVG in the text colour of the palette at the moment they are painted."""

from __future__ import annotations

from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from guiapp.core.paths import resources


def names() -> list[str]:
    """Names of all icons, sorted."""
    return sorted(path.stem for path in (resources() / "icons").glob("*.svg"))


@cache
def _source(name: str) -> str:
    path = resources() / "icons" / f"{name}.svg"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LookupError(f"no icon is named {name!r}") from None


@lru_cache(maxsize=512)
def pixmap(name: str, colour: str, pixels: int) -> QPixmap:
    """Icon ``name`` as a square pixmap of ``pixels`` device pixels in ``colour`` (``"#rrggbb"``)."""
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))
    result = QPixmap(pixels, pixels)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    return result


class _Engine(QIconEngine):
    """Paints one icon in the colour that the palette has now, so icons follow a change of theme by themselves."""

    def __init__(self, name: str, colour: QColor | None, role: QPalette.ColorRole) -> None:
        super().__init__()
        self._name = name
        self._colour = colour
        self._role = role

    def _ink(self, mode: QIcon.Mode) -> str:
        if self._colour is not None and mode != QIcon.Mode.Disabled:
            return self._colour.name()
        group = QPalette.ColorGroup.Disabled if mode == QIcon.Mode.Disabled else QPalette.ColorGroup.Active
        role = QPalette.ColorRole.HighlightedText if mode == QIcon.Mode.Selected else self._role
        return QGuiApplication.palette().color(group, role).name()

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        side = min(rect.width(), rect.height())
        scale = painter.device().devicePixelRatio()
        drawn = pixmap(self._name, self._ink(mode), max(1, round(side * scale)))
        left, top = rect.x() + (rect.width() - side) // 2, rect.y() + (rect.height() - side) // 2
        painter.drawPixmap(QRect(left, top, side, side), drawn)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return pixmap(self._name, self._ink(mode), max(1, min(size.width(), size.height())))

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        # The size is in logical pixels; Qt versions that give it in device pixels take a larger pixmap as well.
        drawn = QPixmap(self.pixmap(size * scale, mode, state))
        drawn.setDevicePixelRatio(scale)
        return drawn

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._colour, self._role)


def icon(name: str, colour: QColor | None = None, role: QPalette.ColorRole = QPalette.ColorRole.WindowText) -> QIcon:
    """Icon ``name``, sharp at every scale; in the theme's ``role`` colour unless a fixed ``colour`` is given.

    Raises:
        LookupError: If there is no such icon.
    """
    _source(name)
    return QIcon(_Engine(name, colour, role))
