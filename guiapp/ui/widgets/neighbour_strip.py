"""The nearest training samples with their distances: what a nearest-neighbour classifier decides by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.painting import image_of, tabular

if TYPE_CHECKING:
    from guiapp.datasets.base import Samples
    from guiapp.ui.theme import Theme

_SIDE, _GAP = 44, 6


class NeighbourStrip(QWidget):
    """Thumbnails, nearest first, with class and distance.

    Attributes:
        chosen: Index into the training part of a clicked neighbour.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setObjectName(name)
        self.setAutoFillBackground(True)
        self._samples: Samples | None = None
        self._classes: tuple[str, ...] = ()
        self._indices: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._distances: npt.NDArray[np.float32] = np.empty(0, np.float32)
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("Nearest training samples: class, and distance below; a click looks at one")
        theme.changed.connect(self.update)

    def set_neighbours(
        self,
        neighbours: tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]] | None,
        samples: Samples | None,
        classes: tuple[str, ...],
    ) -> None:
        """Show training samples by index with their distances, nearest first; None hides the strip."""
        self.setVisible(neighbours is not None)
        if neighbours is None:
            return
        same = np.array_equal(neighbours[0], self._indices) and np.array_equal(neighbours[1], self._distances)
        if not same or samples is not self._samples:
            self._indices, self._distances = neighbours
            self._samples, self._classes = samples, classes
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(5 * (_SIDE + _GAP), _SIDE + 2 * self.fontMetrics().height() + 4)

    def index_at(self, x: float) -> int | None:
        """Training index of the neighbour at a horizontal position."""
        place = int(x // (_SIDE + _GAP))
        return int(self._indices[place]) if 0 <= place < len(self._indices) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().x())
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._samples is None:
            return
        painter = QPainter(self)
        line = self.fontMetrics().height()
        for place, (index, distance) in enumerate(zip(self._indices, self._distances, strict=True)):
            left = place * (_SIDE + _GAP)
            if left > self.width() or index >= len(self._samples):
                break
            pixels = np.asarray(self._samples.images[index])
            painter.drawImage(
                QRect(left, 0, _SIDE, _SIDE), image_of(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
            )
            label = int(self._samples.labels[index])
            painter.setPen(self.theme.text)
            name = self.fontMetrics().elidedText(self._classes[label], Qt.TextElideMode.ElideRight, _SIDE)
            painter.drawText(QRect(left, _SIDE + 1, _SIDE, line), Qt.AlignmentFlag.AlignHCenter, name)
            painter.setPen(self.theme.faint)
            text = f"{float(distance):.3g}"
            painter.drawText(QRect(left, _SIDE + line, _SIDE, line), Qt.AlignmentFlag.AlignHCenter, text)
        painter.end()
