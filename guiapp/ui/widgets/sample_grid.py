"""A grid of thumbnails of any number of samples: only the visible ones are read and painted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from guiapp.datasets.base import UNLABELLED
from guiapp.ui.widgets.painting import hairline, image_of
from guiapp.ui.widgets.tips import Tips

if TYPE_CHECKING:
    from guiapp.datasets.base import Samples
    from guiapp.ui.theme import Theme

_GAP = 6
_EDGE = 2  # room for the frame of the current sample


class SampleGrid(QAbstractScrollArea):
    """Thumbnails with the true class and, once known, the predicted one in green or red.

    Attributes:
        chosen: Emitted with the index (in the part) of a clicked sample.
        visible_changed: Emitted when other samples came into sight.
        paint_ms: Time of the last repaint.
        predictions: Predicted class of each sample of the part, -1 where not known, shape (N,).
    """

    chosen = Signal(int)
    visible_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.paint_ms = 0.0
        self._samples: Samples | None = None
        self._classes: tuple[str, ...] = ()
        self._shown: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.predictions: npt.NDArray[np.int16] = np.empty(0, np.int16)
        self._current: int | None = None
        self._side = 56
        self._lines = 1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 96)
        self.setAccessibleName("Samples")
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.verticalScrollBar().valueChanged.connect(self.visible_changed)
        theme.changed.connect(self.viewport().update)
        Tips(self, self.viewport())

    # ------------------------------------------------------------------ content

    def set_samples(self, samples: Samples | None, classes: tuple[str, ...]) -> None:
        """Show a part of a data set from its beginning."""
        self._samples, self._classes = samples, classes
        count = len(samples) if samples is not None else 0
        self.predictions = np.full(count, -1, np.int16)
        self._current = None
        if count:
            height = samples.images.shape[1]
            self._side = height * max(1, round(56 / height)) if height <= 64 else 72
        widest = max((self.fontMetrics().horizontalAdvance(name) for name in classes), default=0)
        self._lines = 1 if widest < self._side // 3 else 2
        self.set_shown(np.arange(count))

    def set_shown(self, indices: npt.NDArray[np.int64]) -> None:
        """Show these samples of the part, in this order."""
        self._shown = indices
        self.verticalScrollBar().setValue(0)
        self._scroll()
        self.viewport().update()
        self.visible_changed.emit()

    @property
    def shown(self) -> npt.NDArray[np.int64]:
        """Indices of all samples that can be scrolled to."""
        return self._shown

    @property
    def samples(self) -> Samples | None:
        """The part that is shown."""
        return self._samples

    def set_predictions(self, indices: npt.NDArray[np.int64], classes: npt.NDArray[np.integer]) -> None:
        """Keep the predicted classes of samples and repaint if they differ."""
        if not np.array_equal(self.predictions[indices], classes):
            self.predictions[indices] = classes
            self.viewport().update()

    def visible_indices(self) -> npt.NDArray[np.int64]:
        """Indices of the samples in sight, in their order."""
        first, last = self._visible_places()
        return self._shown[first:last]

    def set_current(self, index: int | None) -> None:
        """Frame a sample and bring it into sight."""
        if index == self._current:
            return
        self._current = index
        if index is not None:
            at = np.flatnonzero(self._shown == index)
            if len(at):
                self._reveal(int(at[0]))
        self.viewport().update()

    # ------------------------------------------------------------------ geometry

    @property
    def _cell(self) -> tuple[int, int]:
        return self._side + _GAP, self._side + self._lines * self.fontMetrics().height() + _GAP + 2

    @property
    def columns(self) -> int:
        """Thumbnails in a row."""
        return max(1, (self.viewport().width() - 2 * _EDGE + _GAP) // self._cell[0])

    @property
    def _pitch(self) -> float:
        """Distance of two columns: what is left over is shared out, within bounds."""
        columns = self.columns
        if columns == 1 or len(self._shown) < columns:
            return float(self._cell[0])
        return min(self._cell[0] * 1.3, (self.viewport().width() - 2 * _EDGE - self._side) / (columns - 1))

    def _visible_places(self) -> tuple[int, int]:
        height = self._cell[1]
        top = self.verticalScrollBar().value()
        first, last = top // height, -(-(top + self.viewport().height()) // height)
        return min(first * self.columns, len(self._shown)), min(last * self.columns, len(self._shown))

    def cell_rect(self, place: int) -> QRect:
        """Where the thumbnail at a place of the order stands in the viewport."""
        row, column = divmod(place, self.columns)
        height = self._cell[1]
        left = _EDGE + round(column * self._pitch)
        return QRect(left, _EDGE + row * height - self.verticalScrollBar().value(), self._side, height - _GAP)

    def index_at(self, x: int, y: int) -> int | None:
        """Index in the part of the sample at a point of the viewport."""
        column = int((x - _EDGE) // self._pitch)
        row = (y - _EDGE + self.verticalScrollBar().value()) // self._cell[1]
        place = row * self.columns + column
        if not 0 <= column < self.columns or not 0 <= place < len(self._shown):
            return None
        return int(self._shown[place])

    def _scroll(self) -> None:
        rows = -(-len(self._shown) // self.columns)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, rows * self._cell[1] + 2 * _EDGE - _GAP - self.viewport().height()))
        bar.setPageStep(max(1, self.viewport().height()))
        bar.setSingleStep(max(1, self._cell[1] // 2))

    def _reveal(self, place: int) -> None:
        area = self.cell_rect(place)
        bar = self.verticalScrollBar()
        if area.top() < 0:
            bar.setValue(bar.value() + area.top())
        elif area.bottom() > self.viewport().height():
            bar.setValue(bar.value() + area.bottom() - self.viewport().height() + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scroll()
        self.visible_changed.emit()

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        painter = QPainter(self.viewport())
        first, last = self._visible_places()
        inks = self.theme.faint, self.theme.good, self.theme.error, self.theme.accent
        for place in range(first, last):
            area = self.cell_rect(place)
            if area.intersects(event.rect()):
                self._paint_cell(painter, area, int(self._shown[place]), inks)
        painter.end()
        self.paint_ms = (time.perf_counter() - started) * 1e3

    def _paint_cell(self, painter: QPainter, area: QRect, index: int, inks: tuple[object, ...]) -> None:
        assert self._samples is not None
        faint, good, bad, accent = inks
        pixels = np.asarray(self._samples.images[index])
        image = image_of(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        picture = QRect(area.left(), area.top(), self._side, self._side)
        smooth = max(image.width(), image.height()) > self._side
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        if image.width() != image.height():
            fitted = image.size().scaled(picture.size(), Qt.AspectRatioMode.KeepAspectRatio)
            frame = QRect(picture.topLeft(), fitted)
            frame.moveCenter(picture.center())
            painter.drawImage(frame, image)
        else:
            painter.drawImage(picture, image)
        if index == self._current:
            painter.setPen(hairline(accent))
            painter.drawRect(picture.adjusted(-1, -1, 0, 0))
            painter.drawRect(picture.adjusted(-2, -2, 1, 1))
        truth, predicted = int(self._samples.labels[index]), int(self.predictions[index])
        metrics = painter.fontMetrics()
        line = QRect(area.left(), picture.bottom() + 2, self._side, metrics.height())
        painter.setPen(faint)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, self._name(truth, metrics))
        if predicted < 0:
            return
        known = self._classes[truth] != UNLABELLED  # else nobody can say whether it is right
        painter.setPen((good if predicted == truth else bad) if known else faint)
        name = self._name(predicted, metrics)
        if self._lines == 1:
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, name)
        else:
            line.translate(0, metrics.height())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, name)

    def _name(self, index: int, metrics: object) -> str:
        name = self._classes[index]
        return name if len(name) < 3 else metrics.elidedText(name, Qt.TextElideMode.ElideRight, self._side)

    # ------------------------------------------------------------------ hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(round(event.position().x()), round(event.position().y()))
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def _choose(self, index: int) -> None:
        self.set_current(index)
        self.chosen.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, page keys, Home and End move the choice."""
        page = max(1, self.viewport().height() // self._cell[1]) * self.columns
        moves = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -self.columns, Qt.Key.Key_Down: self.columns,
            Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -len(self._shown), Qt.Key.Key_End: len(self._shown),
        }  # fmt: skip
        move = moves.get(Qt.Key(event.key()))
        if move is None or not len(self._shown):
            super().keyPressEvent(event)
            return
        at = np.flatnonzero(self._shown == self._current) if self._current is not None else []
        place = int(at[0]) + move if len(at) else 0
        self._choose(int(self._shown[max(0, min(len(self._shown) - 1, place))]))

    def tip_at(self, at: QPoint) -> str:
        """Number, classes and file of the sample at a point of the viewport."""
        index = self.index_at(at.x(), at.y())
        if index is None or self._samples is None:
            return ""
        truth, predicted = int(self._samples.labels[index]), int(self.predictions[index])
        text = f"sample {index}\ntrue class: {self._classes[truth]}"
        if predicted >= 0:
            text += f"\npredicted: {self._classes[predicted]}"
        if len(self._samples.paths) > index:
            text += f"\n{self._samples.paths[index]}"
        return text
