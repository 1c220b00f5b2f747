"""What two answers differ by, over their picture: a painter for each type of difference."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QRegion

from guiapp.tasks.predictions import Detections, Flow, Masks
from guiapp.ui.colour_maps import sequential
from guiapp.ui.painters import boxes, skeletons
from guiapp.ui.painters.cards import Row, paint_card
from guiapp.ui.painters.detections import DetectionsLayer
from guiapp.ui.painters.flow import full_length
from guiapp.ui.painters.layer import DrawnLayer
from guiapp.ui.painters.look import Hit
from guiapp.ui.painters.masks import MaskImages
from guiapp.ui.painters.pixels import argb_image, coloured, premultiplied
from guiapp.ui.painters.sides import FIRST, SECOND
from guiapp.ui.painters.text import face, name_of

if TYPE_CHECKING:
    from guiapp.tasks.compare import (
        DepthDifference,
        FlowDifference,
        ObjectDifference,
        PixelDifference,
        ScoreDifference,
    )
    from guiapp.tasks.predictions import LabelMap
    from guiapp.ui.painters.canvas import Canvas

_BOTH = QColor("#d4d8de")
_DIFFERS = QColor("#ff3ea5")
_STRIPE = 5.0  # device pixels
_MOST_CLASSES = 10
_LEAST = {"px": 1.0, "m": 0.1, "%": 1.0}  # differences up to here are not worth the full colour


class ObjectDifferenceLayer(DetectionsLayer):
    """Paints an ``ObjectDifference``: dashed and in its side's colour what one alone found, thin what both found."""

    drawn: ObjectDifference
    prepared_by = frozenset({"masks", "opacity"})

    def _prepare(self) -> None:
        found = self.drawn
        one, two = found.first, found.second
        self._counts = (len(found.pairs), len(found.only_first), len(found.only_second))
        self._boxes = np.concatenate(
            [one.boxes[found.pairs[:, 0]], one.boxes[found.only_first], two.boxes[found.only_second]]
        )
        self._colours = [_BOTH] * self._counts[0] + [FIRST] * self._counts[1] + [SECOND] * self._counts[2]
        self._names = [
            *(name_of(one.labels, int(one.classes[i])) for i in (*found.pairs[:, 0], *found.only_first)),
            *(name_of(two.labels, int(two.classes[i])) for i in found.only_second),
        ]
        before, after = one.scores[found.pairs[:, 0]], two.scores[found.pairs[:, 1]]
        scores = [
            *(f"{p:.2f} → {q:.2f}" for p, q in zip(before, after, strict=True)),
            *(f"{score:.2f}" for score in (*one.scores[found.only_first], *two.scores[found.only_second])),
        ]
        sides = [""] * self._counts[0] + ["A "] * self._counts[1] + ["B "] * self._counts[2]
        self._texts = [f"{s}{n} {t}" for s, n, t in zip(sides, self._names, scores, strict=True)]
        self._alone = [
            images
            for answer, index, colour in ((one, found.only_first, FIRST), (two, found.only_second, SECOND))
            if (images := self._masks_of(answer, index, colour)) is not None
        ]
        self._places = {}

    def _masks_of(self, answer: Detections, index: npt.NDArray[np.int64], colour: QColor) -> MaskImages | None:
        if not self.look.masks or answer.masks is None or not len(index):
            return None
        masks = Masks(tuple(answer.masks.bits[i] for i in index), answer.masks.corners[index])
        return MaskImages(masks, [colour] * len(index), self.look.opacity, self.scale, self.ratio)

    def _paint(self, canvas: Canvas) -> None:
        look, painter, both = self.look, canvas.painter, self._counts[0]
        for images in self._alone:
            images.paint(canvas)
        corners = canvas.corners(self._boxes)
        if look.boxes and len(corners):
            boxes.solid(painter, corners[:both], self._colours[:both], canvas.length(1))
            boxes.dashed(painter, corners[both:], self._colours[both:], canvas.length(2))
        if look.keypoints:
            for answer, colour in ((self.drawn.first, FIRST), (self.drawn.second, SECOND)):
                if answer.keypoints is not None and len(answer):
                    sure = skeletons.probabilities(answer.keypoints[..., 2])
                    colours = [colour] * len(answer)
                    skeletons.paint(canvas, answer.keypoints, sure, answer.skeleton, colours, look.weakest)
        if look.marked is not None and look.marked < len(corners):
            self._mark(canvas, corners[look.marked])
        card = paint_card(canvas, self.theme, self._rows()) if look.legend else QRect()
        if look.labels and len(corners):
            self._labels_beside(card, canvas, corners)

    def _labels_beside(self, card: QRect, canvas: Canvas, corners: npt.NDArray[np.int64]) -> None:
        """Labels, and the lines that join them with their boxes, keep clear of the legend."""
        painter = canvas.painter
        painter.save()
        if not card.isEmpty():
            canvas.taken = (*canvas.taken, (card.left(), card.top(), card.right() + 1, card.bottom() + 1))
            left, top, right, bottom = canvas.area
            area = QRegion(left, top, right - left, bottom - top).subtracted(QRegion(card))
            painter.setClipRegion(area, Qt.ClipOperation.IntersectClip)
        self._labels(canvas, corners, face(canvas.ratio))
        painter.restore()

    def _rows(self) -> list[Row]:
        both, first, second = self._counts
        return [
            Row("only A", str(first), FIRST), Row("only B", str(second), SECOND), Row("in both", str(both), _BOTH),
        ]  # fmt: skip

    def object_at(self, x: float, y: float) -> Hit | None:
        """The object with the smallest box at the point, and who found it."""
        index = boxes.smallest_at(self._boxes, x, y)
        if index is None:
            return None
        x1, y1, x2, y2 = (float(v) for v in self._boxes[index])
        found, name = self.drawn, self._names[index]
        if index < self._counts[0]:
            one, two = found.pairs[index]
            parts = [
                f"{name}: A {found.first.scores[one]:.2f}, B {found.second.scores[two]:.2f}",
                f"IoU {found.overlaps[index]:.2f}",
            ]
            if found.mask_overlaps is not None and np.isfinite(found.mask_overlaps[index]):
                parts.append(f"of the masks {found.mask_overlaps[index]:.2f}")
            if found.distances is not None and np.isfinite(found.distances[index]):
                parts.append(f"key points {found.distances[index]:.1f} px apart")
        else:
            side = "A" if index < self._counts[0] + self._counts[1] else "B"
            parts = [f"only {side}: {self._texts[index].removeprefix(f'{side} ')}", f"{x2 - x1:.0f} × {y2 - y1:.0f} px"]
        return Hit(index, "  ·  ".join(parts), (x1, y1, x2 - x1, y2 - y1))


class PixelDifferenceLayer(DrawnLayer):
    """Paints a ``PixelDifference``: pixels of different classes striped, and how far the classes agree."""

    drawn: PixelDifference
    prepared_by = frozenset({"opacity"})

    def _prepare(self) -> None:
        found = self.drawn
        rows, columns = found.differs.shape
        self._image = None
        if found.differs.size:
            fine = self.scale * found.first.size[0] / columns  # device pixels for one of the map's
            wide = max(1, round(_STRIPE / max(fine, 1e-6)))
            stripe = (np.arange(rows)[:, None] + np.arange(columns)[None]) // wide % 2
            index = (stripe + 1).astype(np.uint8) * found.differs
            tint, line = QColor(_DIFFERS), QColor(_DIFFERS)
            tint.setAlphaF(min(1.0, 0.4 * self.look.opacity))
            line.setAlphaF(min(1.0, 1.6 * self.look.opacity))
            self._image = coloured(index, [0, tint.rgba(), line.rgba()])
        labels = found.first.labels
        self._rows = [Row("differ", f"{found.share:.1%}", _DIFFERS, found.share)]
        for name, overlap in list(found.overlaps.items())[:_MOST_CLASSES]:
            known = labels.index(name) if name in labels else len(labels)
            colour = self.theme.class_colour(known, max(len(labels), known + 1))
            self._rows.append(Row(name, f"IoU {overlap:.2f}", colour, overlap))

    def _paint(self, canvas: Canvas) -> None:
        if self._image is not None:
            canvas.painter.drawImage(canvas.rect(0, 0, *canvas.size), self._image, QRectF(self._image.rect()))
        if self.look.legend:
            paint_card(canvas, self.theme, self._rows)

    def object_at(self, x: float, y: float) -> Hit | None:
        """What both say of the pixel."""
        names = [_class_at(answer, x, y) for answer in (self.drawn.first, self.drawn.second)]
        if None in names:
            return None
        differs = _value_at(self.drawn.differs, self.drawn.first.size, x, y)
        return Hit(0, f"A {names[0]}  ·  B {names[1]}" if differs else f"both {names[0]}")


def _class_at(answer: LabelMap, x: float, y: float) -> str | None:
    index = _value_at(answer.classes, answer.size, x, y) if answer.classes.size else None
    return None if index is None else name_of(answer.labels, int(index))


class ScoreDifferenceLayer(DrawnLayer):
    """Paints a ``ScoreDifference``: two bars for each class that is among the best of one of the two."""

    drawn: ScoreDifference
    prepared_by = frozenset({"top"})

    def _prepare(self) -> None:
        best = self.drawn.rows[: 2 * self.look.top]
        self._rows = [
            Row(name, f"{_percent(p)} → {_percent(q)}", FIRST, _share(p), other=(SECOND, _share(q)))
            for name, p, q in best
        ]

    def _paint(self, canvas: Canvas) -> None:
        if self.look.legend and self._rows:
            paint_card(canvas, self.theme, self._rows)


def _percent(share: float) -> str:
    return f"{share:.1%}" if np.isfinite(share) else "unknown"


def _share(share: float) -> float:
    return share if np.isfinite(share) else 0.0


class FieldDifferenceLayer(DrawnLayer):
    """Paints a ``FlowDifference`` or a ``DepthDifference``: brighter where the two are farther apart.

    Attributes:
        longest: The difference that has the full colour: 99 % of them stay below.
    """

    drawn: FlowDifference | DepthDifference
    prepared_by = frozenset({"opacity"})
    longest: float

    def _prepare(self) -> None:
        lengths = np.nan_to_num(self.drawn.lengths, posinf=0)
        step = max(1, round((lengths.size / 400_000) ** 0.5))
        lengths = lengths[::step, ::step]
        self._shown = (self.drawn.lengths.shape[1] / step, self.drawn.lengths.shape[0] / step)
        self.longest = full_length(lengths, _LEAST.get(self._unit, 1.0))
        grade = np.minimum(lengths * np.float32(255 / self.longest), 255).astype(np.uint8)
        self._image = argb_image(_glow(round(100 * min(1.0, self.look.opacity * 1.8))).take(grade))

    @property
    def _unit(self) -> str:
        return getattr(self.drawn, "unit", "px")

    def _paint(self, canvas: Canvas) -> None:
        width, height = self._shown
        canvas.painter.drawImage(canvas.rect(0, 0, *canvas.size), self._image, QRectF(0, 0, width, height))
        if self.look.legend:
            colours = [QColor(*(int(v) for v in sequential("magma")[k, :3])) for k in (150, 250)]
            paint_card(canvas, self.theme, [
                Row("mean difference", f"{self.drawn.mean:.2f} {self._unit}", colours[0]),
                Row("full colour from", f"{self.longest:.3g} {self._unit}", colours[1]),
            ])  # fmt: skip

    def object_at(self, x: float, y: float) -> Hit | None:
        """How far the two are apart at the point."""
        apart = _value_at(self.drawn.lengths, self.drawn.first.size, x, y)
        if apart is None:
            return None
        if not np.isfinite(apart):
            return Hit(0, "unknown to one of the two")
        both = (self.drawn.first, self.drawn.second)
        if isinstance(both[0], Flow):
            one, two = (float(np.hypot(*_value_at(flow.vectors, flow.size, x, y))) for flow in both)
            return Hit(0, f"differs by {apart:.1f} px  ·  A moves {one:.1f} px, B {two:.1f} px")
        if self._unit == "%":
            return Hit(0, f"differs by {apart:.1f} % of the range")
        one, two = (float(_value_at(depth.values, depth.size, x, y)) for depth in both)
        return Hit(0, f"differs by {apart:.2f} {self._unit}  ·  A {one:.2f} {self._unit}, B {two:.2f} {self._unit}")


def _value_at(field: npt.NDArray[Any], size: tuple[int, int], x: float, y: float) -> Any:
    """What a field laid over a picture of this width and height has at a point; None outside."""
    (width, height), (rows, columns) = size, field.shape[:2]
    return field[int(y / height * rows), int(x / width * columns)] if 0 <= x < width and 0 <= y < height else None


@lru_cache(maxsize=8)
def _glow(percent: int) -> npt.NDArray[np.uint32]:
    """Premultiplied ARGB of 256 grades: nothing for none, magma and so many percent opaque for the most."""
    table = sequential("magma")[:, :3].tolist()
    grades = [premultiplied(QColor(*table[max(1, k)]), percent / 100 * (k / 255) ** 0.5) for k in range(256)]
    return np.array(grades, np.uint32)
