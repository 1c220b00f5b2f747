"""One object in the detector panel: where it is in the picture, its maps, and which class it was given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from guiapp.ui.panels import detector_words as words
from guiapp.ui.widgets.detector_plots import ClassRows, ObjectMaps
from guiapp.ui.widgets.image_layers import BoxesLayer
from guiapp.ui.widgets.image_view import ImageView

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.detector_object import ObjectView
    from guiapp.ui.theme import Theme

_MARGIN = 0.15


class ObjectPage(QWidget):
    """A part of the picture beside or above the maps and classes.

    Attributes:
        crop: The object in the picture, with the box that it started from, ``detector.crop``.
        maps: What the second stage reads and answers of it, ``detector.maps``.
        classes: Probabilities of classes, ``detector.classes``.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: ObjectView | None = None
        self.crop = ImageView(theme, "detector object", self)
        self.crop.setObjectName("detector.crop")
        self.crop.setMinimumSize(90, 80)
        self.crop.corner_text = False
        self.maps = ObjectMaps(theme, "detector.maps")
        self.classes = ClassRows(theme, "detector.classes")
        self._sides = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._sides.setContentsMargins(0, 0, 0, 0)
        self._sides.setSpacing(6)
        self._sides.addWidget(self.crop, 3)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.maps, 1)
        right.addWidget(self.classes)
        self._sides.addLayout(right, 4)

    def set_direction(self, direction: QBoxLayout.Direction) -> None:
        """Stand beside each other or above."""
        self._sides.setDirection(direction)

    def show_object(self, found: ObjectView | None, picture: Picture) -> None:
        """Show an object of a picture, or nothing."""
        self._shown = found
        if found is None:
            self.crop.set_image(None)
            self.maps.show_maps(())
            self.classes.show_classes((), "")
            return
        both = np.stack([found.box, found.start])
        low, high = both[:, :2].min(0), both[:, 2:].max(0)
        side = high - low
        room = np.maximum(side * _MARGIN + 2, (side.max() / 2 - side) / 2)  # no slit, however narrow the box
        height, width = picture.pixels.shape[:2]
        left, top = (max(0, math.floor(v)) for v in (low - room).tolist())
        right, bottom = (math.ceil(v) for v in (high + room).tolist())
        left, top = min(left, width - 1), min(top, height - 1)
        right, bottom = max(left + 1, min(right, width)), max(top + 1, min(bottom, height))
        self.crop.set_image(np.ascontiguousarray(picture.pixels[top:bottom, left:right]))
        shift, theme = np.array((left, top) * 2, np.float32), self._theme
        self.crop.set_layers(
            [
                BoxesLayer((found.start - shift)[None], theme.warning, dashed=True),
                BoxesLayer((found.box - shift)[None], theme.accent),
            ]
        )
        channel = "mean |x|" if found.channel < 0 else f"channel {found.channel}"
        maps: list[tuple[str, Any]] = []
        if found.pooled is not None:
            maps.append((f"RoIAlign 7×7, {channel}", found.pooled))
        if found.mask is not None:
            maps.append(("mask 28×28", found.mask))
        if found.points is not None:
            maps.append(("key points 56×56", found.points))
        self.maps.setVisible(bool(maps))
        self.maps.show_maps(maps)
        self.classes.show_classes(found.classes, found.label)

    def value(self) -> words.Wordings | None:
        """The number under the pointer among the maps."""
        if self.maps.hover is None or self.maps.pointer is None:
            return None
        found = self.maps.value_at(self.maps.pointer)
        if found is None:
            return None
        index, channel, row, column, value = found
        name = self.maps.maps[index][0]
        thing = self._shown
        if thing is not None and thing.peaks is not None and self.maps.maps[index][1] is thing.points:
            name = f"{thing.names[channel]} (best cell {100 * float(thing.peaks[channel]):.1f} %)"
        return f"{name} · row {row}, column {column}: {value:.3f}", (f"{name}: {value:.3f}",)
