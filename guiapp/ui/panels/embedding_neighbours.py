"""The nearest pictures under each distance, one row a distance, so that the distances can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from guiapp.ui.widgets.painting import image_of, tabular
from guiapp.ui.widgets.tips import Tips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guiapp.interpret.embedding.distance import Metric, Neighbours
    from guiapp.ui.theme import Theme

NAMES: dict[str, str] = {"euclidean": "Euclidean", "cosine": "cosine", "mahalanobis": "Mahalanobis"}
_GAP = 4


class NeighbourRows(QWidget):
    """Rows of thumbnails, nearest first; the frame of each has the colour of its point.

    Attributes:
        clicked: Index of a clicked point.
        metric_chosen: The distance whose name was clicked: the map shows ties to its neighbours.
        tied: That distance (``metric`` is a function of every widget).
        thumbnail: Gives the picture of a point, uint8 (h, w, 3), or None.
        colour: Gives the colour of a point.
        describe: Gives what is told of a point.
    """

    clicked = Signal(int)
    metric_chosen = Signal(str)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        Tips(self)
        self.theme = theme
        self.tied: Metric = "euclidean"
        self.thumbnail: Callable[[int], object] = lambda index: None
        self.colour: Callable[[int], QColor] = lambda index: theme.faint
        self.describe: Callable[[int], Sequence[str]] = lambda index: ()
        self._found: dict[Metric, Neighbours] = {}
        self._agreement: dict[Metric, float] = {}
        self._side = 30
        self._images: dict[int, QImage | None] = {}
        self.setObjectName(name)
        self.setAccessibleName("Nearest pictures")
        self.setAutoFillBackground(True)
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def found(self) -> Mapping[Metric, Neighbours]:
        """What is shown."""
        return self._found

    def set_found(self, found: Mapping[Metric, Neighbours], agreement: Mapping[Metric, float] | None = None) -> None:
        """Show neighbours; ``agreement`` says how often the neighbours vote for the class that a picture has."""
        self._found, self._agreement = dict(found), dict(agreement or {})
        self.update()

    def forget(self) -> None:
        """Other pictures come."""
        self._images.clear()
        self._found = {}
        self.update()

    def set_side(self, side: int) -> None:
        """How large the pictures are."""
        if side != self._side:
            self._side = side
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, len(NAMES) * (self._side + _GAP))

    minimumSizeHint = sizeHint

    @property
    def _head(self) -> int:
        return self.fontMetrics().horizontalAdvance("Mahalanobis ") + 6

    def index_at(self, point: QPointF) -> int | None:
        """The point of the map whose picture is there."""
        row, column = int(point.y() // (self._side + _GAP)), int((point.x() - self._head) // (self._side + _GAP))
        metrics = list(NAMES)
        if point.x() < self._head or not 0 <= row < len(metrics):
            return None
        near = self._found.get(metrics[row])  # type: ignore[call-overload]
        return int(near.indices[column]) if near is not None and column < len(near.indices) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position())
        row = int(event.position().y() // (self._side + _GAP))
        if index is not None:
            self.clicked.emit(index)
        elif event.position().x() < self._head and 0 <= row < len(NAMES):
            self.tied = list(NAMES)[row]  # type: ignore[assignment]
            self.metric_chosen.emit(self.tied)
            self.update()

    def tip_at(self, at: QPoint) -> str:
        """What is said of the picture, or of the distance, at a point."""
        index = self.index_at(QPointF(at))
        metric = list(NAMES)[min(len(NAMES) - 1, at.y() // (self._side + _GAP))]
        if index is not None:
            near = self._found[metric]  # type: ignore[index]
            away = float(near.distances[np.flatnonzero(near.indices == index)[0]])
            return "\n".join([*self.describe(index), f"{NAMES[metric]} distance {away:.4g}"])
        text = f"{NAMES[metric]} distance. A click ties its nearest pictures to the point in the map."
        share = self._agreement.get(metric)  # type: ignore[call-overload]
        return (
            text
            if share is None
            else f"{text}\nIn {100 * share:.1f} % the five nearest vote for the picture's own class."
        )

    def _image(self, index: int) -> QImage | None:
        if index not in self._images:
            pixels = self.thumbnail(index)
            self._images[index] = None if pixels is None else image_of(np.ascontiguousarray(pixels))
        return self._images[index]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        side, metrics = self._side, self.fontMetrics()
        for row, (metric, name) in enumerate(NAMES.items()):
            top = row * (side + _GAP)
            share = self._agreement.get(metric)  # type: ignore[call-overload]
            two = share is not None and side >= 2 * metrics.height() - 4
            painter.setPen(self.theme.text if metric == self.tied else self.theme.faint)
            box = QRectF(0, top, self._head, side / 2 if two else side)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
            if two:
                painter.setPen(self.theme.faint)
                box = QRectF(0, top + side / 2, self._head, side / 2)
                painter.drawText(
                    box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, f"{100 * share:.1f} %"
                )
            near = self._found.get(metric)  # type: ignore[call-overload]
            for column, index in enumerate(near.indices.tolist() if near is not None else ()):
                left = self._head + column * (side + _GAP)
                if left + side > self.width():
                    break
                self._paint_one(painter, QRectF(left, top, side, side), index)
        painter.end()

    def _paint_one(self, painter: QPainter, box: QRectF, index: int) -> None:
        image = self._image(index)
        inner = box.adjusted(1, 1, -1, -1)
        if image is not None:
            fitted = image.size().scaled(inner.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF(0, 0, fitted.width(), fitted.height())
            place.moveCenter(inner.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > inner.width())
            painter.drawImage(place, image)
        painter.setPen(QPen(self.colour(index), 2))
        painter.drawRect(inner)
