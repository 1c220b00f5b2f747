"""Objects over a picture: masks, boxes, key points, and labels that leave each other room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor

from guiapp.ui.painters import boxes, skeletons
from guiapp.ui.painters.labels import place_labels
from guiapp.ui.painters.layer import DrawnLayer
from guiapp.ui.painters.look import Hit
from guiapp.ui.painters.masks import MaskImages
from guiapp.ui.painters.text import Face, face, ink, name_of
from guiapp.ui.widgets.painting import hairline

if TYPE_CHECKING:
    from guiapp.tasks.predictions import Detections
    from guiapp.ui.painters.canvas import Canvas

_SUPPRESSED = QColor(255, 255, 255, 230)
_GRADES = 4  # opacities that scores of dashed boxes are painted with


class DetectionsLayer(DrawnLayer):
    """Paints ``Detections``: masks at the bottom, then dashed boxes, boxes, skeletons, labels."""

    drawn: Detections
    prepared_by = frozenset({"masks", "opacity", "suppressed", "proposals", "most_dashed"})

    def _prepare(self) -> None:
        drawn, look = self.drawn, self.look
        count = len(drawn.labels)
        self._colours = [self.theme.class_colour(int(c), count) for c in drawn.classes]
        self._texts = [
            f"{name_of(drawn.labels, int(c))} {score:.2f}" for c, score in zip(drawn.classes, drawn.scores, strict=True)
        ]
        self._masks = None
        if look.masks and drawn.masks is not None:
            self._masks = MaskImages(drawn.masks, self._colours, look.opacity, self.scale, self.ratio)
        self._sure = None if drawn.keypoints is None else skeletons.probabilities(drawn.keypoints[..., 2])
        self._suppressed = self._dashed(drawn.suppressed if look.suppressed else None, _SUPPRESSED)
        self._proposals = self._dashed(drawn.proposals if look.proposals else None, self.theme.accent.lighter(130))
        self._places: dict[tuple[object, ...], tuple[list[list[int]], list[bool]]] = {}

    def _dashed(
        self, scored: npt.NDArray[np.float32] | None, colour: QColor
    ) -> tuple[npt.NDArray[np.float32], list[QColor]] | None:
        """The best of them, worst first so that the best lie on top, fainter where the score is low."""
        if scored is None or not len(scored):
            return None
        best = scored[np.argsort(-scored[:, 4], kind="stable")[: self.look.most_dashed]][::-1]
        grades = []
        for grade in range(1, _GRADES + 1):
            faded = QColor(colour)
            faded.setAlphaF(colour.alphaF() * (0.25 + 0.75 * grade / _GRADES))
            grades.append(faded)
        levels = np.clip(np.ceil(best[:, 4] * _GRADES) - 1, 0, _GRADES - 1).astype(int)
        return best[:, :4], [grades[level] for level in levels]

    def _paint(self, canvas: Canvas) -> None:
        look, drawn, painter = self.look, self.drawn, canvas.painter
        if self._masks is not None:
            self._masks.paint(canvas)
        for scored in (self._proposals, self._suppressed):
            if scored is not None:
                boxes.dashed(painter, canvas.corners(scored[0]), scored[1], canvas.length(1))
        if not len(drawn):
            return
        corners = canvas.corners(drawn.boxes)
        if look.boxes:
            width = canvas.length(1.5)
            worst_first = slice(None, None, -1)
            boxes.solid(painter, corners[worst_first], self._colours[worst_first], width)
        if look.keypoints and drawn.keypoints is not None and self._sure is not None:
            skeletons.paint(canvas, drawn.keypoints, self._sure, drawn.skeleton, self._colours, look.weakest)
        if look.marked is not None and look.marked < len(drawn):
            self._mark(canvas, corners[look.marked])
        if look.labels:
            self._labels(canvas, corners, face(canvas.ratio))

    def _mark(self, canvas: Canvas, corners: npt.NDArray[np.int64]) -> None:
        """A light frame around the one that is meant."""
        around = canvas.length(2)
        outer = corners + np.array([-around, -around, around, around])
        boxes.solid(canvas.painter, outer[None], [QColor("#ffffff")], around)

    def _labels(self, canvas: Canvas, corners: npt.NDArray[np.int64], font: Face) -> None:
        places, apart = self._placed(canvas, corners, font)
        painter = canvas.painter
        painter.setFont(font.font)
        for (left, top, right, _), alone, box, colour in zip(
            places, apart, corners.tolist(), self._colours, strict=True
        ):
            if alone and right > left:
                start = QPoint(left if left > box[0] else right - 1, top + font.height // 2)
                painter.setPen(hairline(colour))
                painter.drawLine(
                    start, QPoint(min(max(start.x(), box[0]), box[2]), min(max(start.y(), box[1]), box[3]))
                )
        for (left, top, right, bottom), text, colour in zip(places, self._texts, self._colours, strict=True):
            if right > left:
                painter.fillRect(left, top, right - left, bottom - top, colour)
                painter.setPen(ink(colour))
                painter.drawText(left + font.pad, top + font.baseline, text)

    def _placed(self, canvas: Canvas, corners: npt.NDArray[np.int64], font: Face) -> tuple[list[list[int]], list[bool]]:
        """Where the labels go; found once for each zoom and position."""
        found = self._places.get(canvas.key)
        if found is None:
            sizes = np.array([(font.width(text) + 2 * font.pad, font.height) for text in self._texts], np.int64)
            places, apart = place_labels(corners, sizes, canvas.area, canvas.taken)
            if len(self._places) > 8:  # while a person zooms there is a place after another
                self._places.clear()
            found = self._places[canvas.key] = (places.tolist(), apart.tolist())
        return found

    def label_rects(self, canvas: Canvas) -> npt.NDArray[np.int64]:
        """Left, top, right, bottom of the labels in device pixels (N, 4), zero for those that are left out."""
        places, _ = self._placed(canvas, canvas.corners(self.drawn.boxes), face(canvas.ratio))
        return np.array(places, np.int64).reshape(-1, 4)

    def object_at(self, x: float, y: float) -> Hit | None:
        """The object with the smallest box that holds the point."""
        found = boxes.smallest_at(self.drawn.boxes, x, y)
        if found is None:
            return None
        x1, y1, x2, y2 = (float(v) for v in self.drawn.boxes[found])
        text = f"{self._texts[found]}  ·  {x2 - x1:.0f} × {y2 - y1:.0f} px"
        return Hit(found, text, (x1, y1, x2 - x1, y2 - y1))
