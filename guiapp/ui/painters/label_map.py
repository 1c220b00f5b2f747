"""A class for every pixel: its colour over the picture, and the names of those that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage

from guiapp.ui.painters.cards import Row, paint_card
from guiapp.ui.painters.layer import DrawnLayer
from guiapp.ui.painters.look import Hit
from guiapp.ui.painters.pixels import argb_image, coloured, premultiplied
from guiapp.ui.painters.text import name_of

if TYPE_CHECKING:
    from guiapp.tasks.predictions import LabelMap
    from guiapp.ui.painters.canvas import Canvas

_NOTHING = {"background", "void", "unlabelled", "unlabeled", "ignore"}
_GRADES = 8  # opacities that confidence is painted with
_MOST_ROWS = 12


class LabelMapLayer(DrawnLayer):
    """Paints a ``LabelMap``; a first class that is called background stays clear."""

    drawn: LabelMap
    prepared_by = frozenset({"opacity", "by_confidence"})

    def _prepare(self) -> None:
        drawn = self.drawn
        classes = drawn.classes
        counts = np.bincount(classes.ravel(), minlength=len(drawn.labels))
        self._there = np.flatnonzero(counts)
        shares = counts / max(1, classes.size)
        self._image = None
        if classes.size:
            graded = self.look.by_confidence and drawn.confidence is not None
            self._image = self._graded(drawn.confidence) if graded else self._plain()
        order = sorted(self._there.tolist(), key=lambda i: -shares[i])
        self._rows = [
            Row(name_of(drawn.labels, i), f"{shares[i]:.1%}", self._colour(i)) for i in order if not self._clear(i)
        ]

    def _clear(self, index: int) -> bool:
        labels = self.drawn.labels
        return index == 0 and bool(labels) and labels[0].lower().strip("_ ") in _NOTHING

    def _colour(self, index: int) -> QColor:
        return self.theme.class_colour(index, len(self.drawn.labels))

    def _plain(self) -> QImage:
        """Indices into a colour table where a byte holds the classes, else each pixel looked up."""
        last, classes = int(self._there[-1]), self.drawn.classes
        colours = [QColor(0, 0, 0, 0)] * (last + 1)
        for index in self._there.tolist():
            if not self._clear(index):
                colours[index] = QColor(self._colour(index))
                colours[index].setAlphaF(min(1.0, max(0.0, self.look.opacity)))
        if last < 256:
            return coloured(classes.astype(np.uint8, copy=False), [colour.rgba() for colour in colours])
        table = np.array([premultiplied(colour, colour.alphaF()) for colour in colours], np.uint32)
        return argb_image(table.take(classes))

    def _graded(self, confidence: npt.NDArray[np.float32]) -> QImage:
        """As above, with an opacity for each eighth of the confidence."""
        table = np.zeros((int(self._there[-1]) + 1, _GRADES), np.uint32)
        for index in self._there.tolist():
            if not self._clear(index):
                opacities = (self.look.opacity * (level + 1) / _GRADES for level in range(_GRADES))
                table[index] = [premultiplied(self._colour(index), opacity) for opacity in opacities]
        grade = np.clip(confidence * _GRADES, 0, _GRADES - 1).astype(np.int64)
        return argb_image(table.take(self.drawn.classes * np.int64(_GRADES) + grade))

    def _paint(self, canvas: Canvas) -> None:
        if self._image is not None:
            canvas.painter.drawImage(canvas.rect(0, 0, *canvas.size), self._image, QRectF(self._image.rect()))
        if self.look.legend and self._rows:
            paint_card(canvas, self.theme, self._shown_rows())

    def _shown_rows(self) -> list[Row]:
        if len(self._rows) <= _MOST_ROWS:
            return self._rows
        rest = len(self._rows) - _MOST_ROWS + 1
        return [*self._rows[: _MOST_ROWS - 1], Row(f"and {rest} more", "", self.theme.panel)]

    def object_at(self, x: float, y: float) -> Hit | None:
        """The class of the pixel, with its share of the picture and its confidence."""
        drawn = self.drawn
        width, height = drawn.size
        if not (0 <= x < width and 0 <= y < height) or not drawn.classes.size:
            return None
        rows, columns = drawn.classes.shape
        row, column = min(rows - 1, int(y / height * rows)), min(columns - 1, int(x / width * columns))
        index = int(drawn.classes[row, column])
        share = float((drawn.classes == index).mean())
        sure = "" if drawn.confidence is None else f"  ·  sure {float(drawn.confidence[row, column]):.2f}"
        return Hit(index, f"{name_of(drawn.labels, index)}{sure}  ·  {share:.1%} of the picture")
