"""A picture, its change enlarged and the result, side by side; a patch on the result can be dragged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from guiapp.ui import colour_maps
from guiapp.ui.widgets.image_layers import Layer, RectLayer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]

FACTORS = (1, 2, 5, 10, 20, 50, 100, 200)
"""By how much a change can be enlarged."""


def suited(largest: float) -> int:
    """The factor that makes the largest change, of 255, just visible at its full strength."""
    fits = [factor for factor in FACTORS if factor * largest <= 128]
    return fits[-1] if fits else 1


def enlarged(change: Floats, factor: float) -> tuple[Bytes, list[int] | None]:
    """A change (H, W, C), of 255, as a picture with middle grey for none; and its colours where it has one channel.

    One channel is shown in the diverging colours, three as what is added to each colour.
    """
    if change.shape[2] == 1:
        indices = np.clip(np.rint(128 + change[:, :, 0] * factor), 1, 255).astype(np.uint8)
        return np.ascontiguousarray(indices), colour_maps.colour_table(colour_maps.signed())
    return np.clip(np.rint(128 + change * factor), 0, 255).astype(np.uint8), None


class PatchView(ImageView):
    """A picture on which a rectangle can be dragged.

    Attributes:
        box: Left, top, width, height of it in pixels of the picture, or None.
        dragged: Emitted with the middle of the rectangle as shares of the picture while it moves.
    """

    dragged = Signal(float, float)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent)
        self.box: Box | None = None
        self._held: tuple[float, float] | None = None

    @property
    def holds(self) -> bool:
        """Whether the rectangle is being dragged."""
        return self._held is not None

    def set_box(self, box: Box | None) -> None:
        """Outline a rectangle that can be dragged; None for none."""
        self.box = box
        layers: tuple[Layer, ...] = ()
        if box is not None:
            left, top, width, height = box
            layers = (RectLayer((float(left), float(top), float(width), float(height)), self.theme.accent),)
        self.set_layers(layers)

    def _inside(self, event: QMouseEvent) -> bool:
        return self.box is not None and self.to_widget(QRectF(*self.box)).contains(event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.box is not None and self._inside(event):
            x, y = self.to_image(event.position())
            left, top, width, height = self.box
            self._held = left + width / 2 - x, top + height / 2 - y
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None and self.box is not None:
            x, y = self.to_image(event.position())
            width, height = self.image_size
            middle_x, middle_y = x + self._held[0], y + self._held[1]
            if width and height:
                self.dragged.emit(min(1.0, max(0.0, middle_x / width)), min(1.0, max(0.0, middle_y / height)))
            return
        if self._inside(event):
            self.setCursor(Qt.CursorShape.SizeAllCursor)
        else:
            self.unsetCursor()
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self._held = None
            return
        super().mouseReleaseEvent(event)


class AttackPictures(QWidget):
    """Original, change and result with a caption above each.

    Attributes:
        original, change, result: The pictures, ``<name>.original``, ``<name>.change``, ``<name>.result``.
        factor: By how much the change is enlarged, ``<name>.factor``.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.original = ImageView(theme, "original", self)
        self.change = ImageView(theme, "change", self)
        self.result = PatchView(theme, "result", self)
        self._views = (self.original, self.change, self.result)
        self._change: Floats | None = None
        self.factor = QComboBox(self)
        self.factor.setObjectName(f"{name}.factor")
        self.factor.setAccessibleName("Factor by which the change is enlarged")
        self.factor.setToolTip("How much the change is enlarged; auto makes the largest one just fill the colours")
        self.factor.addItem("auto", 0)
        for value in FACTORS:
            self.factor.addItem(f"× {value}", value)
        self.factor.currentIndexChanged.connect(self._show_change)
        self.heads = [QuietLabel(f"{name}.head-{i}", self, theme.faint) for i in range(3)]
        self.captions = [QuietLabel(f"{name}.caption-{i}", self) for i in range(3)]
        self.captions[1].ink = theme.faint
        for caption in self.captions[::2]:
            caption.cut = Qt.TextElideMode.ElideMiddle  # of a long name the probability stays
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for column, view in enumerate(self._views):
            view.setObjectName(f"{name}.{('original', 'change', 'result')[column]}")
            view.setMinimumSize(72, 60)
            view.margin = 0
            grid.addWidget(self.heads[column], 0, column)
            grid.addWidget(view, 1, column)
            grid.addWidget(self.captions[column], 2, column)
            grid.setColumnStretch(column, 1)
            view.zoomed.connect(lambda v=view: self._zoom_like(v))
        grid.setRowStretch(1, 1)
        self.heads[0].set_text("original")
        self.heads[2].set_text("result")
        self.change.describe = self._describe
        self.change.values = self._csv
        theme.changed.connect(self._restyle)

    def sizeHint(self) -> QSize:
        return QSize(420, 180)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._limit()

    def _limit(self) -> None:
        """No higher than the pictures are at this width, so that words stand below them, not far away."""
        width, height = self.original.image_size
        if width and self.original.width():
            lines = self.heads[0].sizeHint().height() + self.captions[0].sizeHint().height() + 6
            self.setMaximumHeight(max(self._LEAST, math.ceil(self.original.width() * height / width)) + lines)

    def show_pictures(self, original: Bytes, change: Floats, result: Bytes, box: Box | None = None) -> None:
        """Show uint8 (H, W, C) and a change (H, W, C), of 255."""
        self._change = change
        self.original.set_image(_flat(original))
        self._limit()
        self.result.set_image(_flat(result))
        self.result.set_box(box)
        self._show_change()

    def show_words(self, original: str, change: tuple[str, ...], result: str, good: bool | None = None) -> None:
        """What stands below each, of the change with shorter wordings.

        ``good`` tells whether the result is what was wanted, None where nothing was.
        """
        self.captions[0].set_text(original)
        self.captions[1].set_text(change[0], change[1:])
        self.captions[2].set_text(result)
        self._good = good
        self._restyle()

    _good: bool | None = None
    _LEAST = 60

    @property
    def shown_factor(self) -> int:
        """By how much the change is enlarged now."""
        chosen = int(self.factor.currentData())
        largest = float(np.abs(self._change).max(initial=0)) if self._change is not None else 0.0
        return chosen or suited(largest)

    def _show_change(self) -> None:
        if self._change is not None:
            self.change.set_image(*enlarged(self._change, self.shown_factor))
            self.heads[1].set_text(f"change × {self.shown_factor}" if self._change.any() else "change")

    def _describe(self, column: int, row: int) -> str:
        assert self._change is not None
        values = [f"{value:+.2f}".replace("-", "−") for value in self._change[row, column].tolist()]
        return f"x {column}  y {row}  ·  {' '.join(values)} of 255"

    def _csv(self) -> str:
        assert self._change is not None
        names = ("value",) if self._change.shape[2] == 1 else ("red", "green", "blue")
        lines = ["channel,row," + ",".join(f"x{i}" for i in range(self._change.shape[1]))]
        for channel, name in enumerate(names):
            for row, line in enumerate(self._change[:, :, channel].tolist()):
                lines.append(f"{name},{row}," + ",".join(f"{value:.6g}" for value in line))
        return "\n".join(lines) + "\n"

    def _zoom_like(self, moved: ImageView) -> None:
        for view in self._views:
            if view is not moved and view.image_size == moved.image_size:
                view.show_like(moved)

    def _restyle(self) -> None:
        theme = self.theme
        inks = (None, theme.faint, None if self._good is None else theme.good if self._good else theme.warning)
        for label, ink in zip(self.captions, inks, strict=True):
            label.ink = ink
            label.update()
        for head in self.heads:
            head.ink = theme.faint
            head.update()


def _flat(pixels: Bytes) -> Bytes:
    return np.ascontiguousarray(pixels[:, :, 0]) if pixels.shape[2] == 1 else pixels


def scale_to(value: float, low: float, high: float, steps: int) -> int:
    """Place on a logarithmic slider of ``steps`` of a value from ``low`` to ``high``."""
    share = math.log(min(max(value, low), high) / low) / math.log(high / low)
    return round(share * steps)


def scale_from(place: int, low: float, high: float, steps: int) -> float:
    """The inverse of ``scale_to``, to two significant figures."""
    value = low * (high / low) ** (place / steps)
    digits = 1 - math.floor(math.log10(value))
    return round(value, digits)
