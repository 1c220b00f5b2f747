"""The live picture: the newest answer painted over it, what is under the pointer told, what is clicked followed."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QCursor, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from guiapp.tasks.predictions import ClipScores, Detections
from guiapp.ui.painters import DrawnLayer, Hit, PaintOptions, prepare
from guiapp.ui.widgets.image_view import ImageView

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.live import LiveResult
    from guiapp.engine.live_records import LiveState
    from guiapp.ui.painters.canvas import View
    from guiapp.ui.theme import Theme

_HERE = 0.5  # intersection over union by which an object is taken for the one that was chosen there
_SAME = 0.3  # intersection over union by which a chosen object is found again in the next picture
RANDOM = "random weights: these answers mean nothing"
FLAWED = "weights with NaN: no answer is to be expected"


class NoteLayer:
    """A line over the upper edge of the picture, in snapshots too."""

    def __init__(self, text: str, theme: Theme) -> None:
        self.text, self._theme = text, theme

    def paint(self, painter: QPainter, view: View) -> None:
        """Paint at the picture's upper edge, or that of the widget where the picture reaches beyond."""
        place = view.to_widget(QRectF(0, 0, view.image_size[0], 1))
        width = painter.fontMetrics().horizontalAdvance(self.text) + 16
        box = QRectF(max(0.0, place.x()), max(0.0, place.y()), width, painter.fontMetrics().height() + 6)
        painter.fillRect(box, self._theme.warning)
        painter.setPen(self._theme.background)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.text)


def note_of(state: LiveState) -> str:
    """What has to be known of a network's answers, over each of them; mostly nothing."""
    if state.phase != "ready":
        return ""
    return RANDOM if state.weights == "random" else FLAWED if state.flaws else ""


@dataclass(frozen=True, eq=False)
class Objects:
    """What can be chosen in a picture.

    Attributes:
        numbers: (N,), as the layer numbers them.
        classes: (N,), numbers that mean the same class in each picture.
        boxes: (N, 4), left, top, right, bottom in pixels.
        seen: (N,), whether the answer is shown at the middle of the box.
    """

    numbers: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]
    seen: npt.NDArray[np.bool_]

    def box(self, place: int) -> tuple[float, float, float, float]:
        """The box at a place of these arrays."""
        left, top, right, bottom = (float(v) for v in self.boxes[place])
        return left, top, right, bottom


class LivePicture(ImageView):
    """Shows pictures with or without an answer.

    Attributes:
        answer_painted: Emitted when an answer was painted, with the milliseconds since its picture was made.
        result: The answer that is painted, or None.
        layer: How it is painted, or None.
        chosen: The object that was clicked, followed from picture to picture: class and box; or None.
        prepare_ms: Time to prepare the newest layer.
        painted: How many answers were painted so far.
        chosen_changed: Emitted when another object is chosen, or none.
    """

    answer_painted = Signal(float)
    chosen_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "live picture", parent)
        self.setObjectName("live.picture")
        self.result: LiveResult | None = None
        self.layer: DrawnLayer | None = None
        self.chosen: tuple[int, tuple[float, float, float, float]] | None = None
        self.prepare_ms = 0.0
        self.painted = 0
        self._painted: LiveResult | None = None
        self._look = PaintOptions()
        self._note: NoteLayer | None = None
        self._over: tuple[object, ...] = ()
        self._tip = ""
        self.describe = self._describe
        self.hovered.connect(lambda _where: self._mark())
        self.clicked.connect(self._click)
        self.zoomed.connect(self._when_fitted)

    # ------------------------------------------------------------------ content

    def show_raw(self, picture: Picture | None) -> None:
        """Show a picture without an answer."""
        self.result = self.layer = None
        self.set_image(None if picture is None else picture.pixels)
        self._lay()

    def show_result(self, result: LiveResult) -> None:
        """Show an answer over its picture."""
        started = time.perf_counter()
        if self.array is not result.picture.pixels:
            self.set_image(result.picture.pixels)
        last = self.layer if self.result is not None and self.result.model is result.model else None
        self.result = result
        if not (result.again and last is not None and isinstance(result.drawn, ClipScores)):  # its strip goes on once
            self.layer = self._layer_of(result, last)
        self._follow_chosen()
        self._mark()
        self.prepare_ms = (time.perf_counter() - started) * 1e3

    def _layer_of(self, result: LiveResult, last: DrawnLayer | None) -> DrawnLayer:
        """How an answer is painted; ``last`` is the layer of the same network's answer before."""
        ratio = self.devicePixelRatioF()
        return prepare(result.drawn, self.theme, self._look, previous=last, scale=self.scale * ratio, ratio=ratio)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.result is not None and self.result is not self._painted:
            self._painted = self.result
            self.painted += 1
            if not self.result.again:
                self.answer_painted.emit((time.monotonic() - self.result.picture.time) * 1e3)

    def set_look(self, look: PaintOptions) -> None:
        """Paint the answer in another way."""
        self._look = look
        self._mark()

    def set_note(self, text: str) -> None:
        """A line over the picture, ``""`` for none."""
        self._note = NoteLayer(text, self.theme) if text else None
        self._lay()
        self.update()

    @property
    def layers(self) -> tuple[object, ...]:
        """What lies over the picture."""
        own = self._over if self.layer is None else (*self._over, self.layer)
        return own if self._note is None or self.layer is None else (*own, self._note)

    def set_over(self, layers: tuple[object, ...]) -> None:
        """Lay maps and rectangles between the picture and the answer."""
        if layers or self._over:
            self._over = layers
            self._lay()

    def _lay(self) -> None:
        self.set_layers(self.layers)

    def _repaint(self) -> None:
        """The picture alone: answers stay within it, and the ground around it costs a tenth of the painting."""
        if self.image is None or self.pointer is not None:
            self.update()
        else:
            self.update(self.to_widget(QRectF(0, 0, *self.image_size)).toAlignedRect())

    # ------------------------------------------------------------------ objects

    def hit(self) -> Hit | None:
        """What is under the pointer."""
        if self.layer is None or self.pointer is None:
            return None
        return self.layer.object_at(self.pointer[0] + 0.5, self.pointer[1] + 0.5)

    def _describe(self, column: int, row: int) -> str:
        assert self.array is not None
        red, green, blue = self.array[row, column, :3].tolist()
        hit = self.hit()
        place = f"x {column}  y {row}  ·  {red} {green} {blue}"
        return place if hit is None else f"{hit.text}  ·  {place}"

    def _mark(self) -> None:
        """A frame around the object under the pointer, else around the chosen one; its text beside the pointer."""
        hit = self.hit()
        marked = hit.index if hit is not None and hit.area is not None else self._chosen_index()
        if self.layer is not None:
            self.layer = self.layer.with_look(replace(self._look, marked=marked))
        self._lay()
        text = hit.text if hit is not None else ""
        if text != self._tip and self.underMouse():
            QToolTip.showText(QCursor.pos(), text, self) if text else QToolTip.hideText()
        self._tip = text

    def _objects(self) -> Objects | None:
        """The objects that can be chosen; None where the answer is about something else."""
        drawn = self.result.drawn if self.result is not None else None
        if not isinstance(drawn, Detections):
            return None
        count = len(drawn)
        return Objects(np.arange(count), drawn.classes, drawn.boxes, np.ones(count, bool))

    def _chosen_index(self) -> int | None:
        """The number of the chosen object in the newest answer."""
        found = self._chosen_place()
        return None if found is None else int(found[0].numbers[found[1]])

    def _chosen_place(self) -> tuple[Objects, int] | None:
        """Where it is among the objects: what is seen comes before what is not."""
        objects = self._objects()
        if self.chosen is None or objects is None or not len(objects.numbers):
            return None
        kind, box = self.chosen
        overlaps = np.where(objects.classes == kind, _overlaps(objects.boxes, box), 0.0)
        best = int(np.where(objects.seen & (overlaps >= _SAME), overlaps + 1.0, overlaps).argmax())
        return (objects, best) if overlaps[best] >= _SAME else None

    def _follow_chosen(self) -> None:
        found = self._chosen_place()
        if found is not None and self.chosen is not None:
            self.chosen = (self.chosen[0], found[0].box(found[1]))

    def _click(self, x: float, y: float) -> None:
        """Choose and zoom to an object; the chosen one or the ground let go of it."""
        hit = self.layer.object_at(x, y) if self.layer is not None else None
        objects = self._objects()
        if hit is None or hit.area is None or objects is None or hit.index == self._chosen_index():
            self.unchoose()
            return
        self._choose(objects, int(np.flatnonzero(objects.numbers == hit.index)[0]), QRectF(*hit.area))

    def _choose(self, objects: Objects, place: int, area: QRectF) -> None:
        self.chosen = (int(objects.classes[place]), objects.box(place))
        self.show_area(area)
        self._mark()
        self.chosen_changed.emit()

    def choose_at(self, box: tuple[float, float, float, float]) -> bool:
        """Choose the object that lies about where ``box`` does, in pixels; whether there is one."""
        objects = self._objects()
        if objects is None or not len(objects.numbers):
            return False
        overlaps = np.where(objects.seen, _overlaps(objects.boxes, box), 0.0)
        best = int(overlaps.argmax())
        if overlaps[best] < _HERE:
            return False
        left, top, right, bottom = objects.box(best)
        self._choose(objects, best, QRectF(left, top, right - left, bottom - top))
        return True

    def unchoose(self) -> None:
        """Let go of the chosen object and show the whole picture."""
        if self.chosen is not None:
            self.chosen = None
            self.fit()
            self._mark()
            self.chosen_changed.emit()

    def _when_fitted(self) -> None:
        if self.fitted and self.chosen is not None:
            self.chosen = None
            self._mark()
            self.chosen_changed.emit()


def _overlaps(boxes: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Intersection over union of boxes (N, 4) with one."""
    left, top = np.maximum(boxes[:, 0], box[0]), np.maximum(boxes[:, 1], box[1])
    right, bottom = np.minimum(boxes[:, 2], box[2]), np.minimum(boxes[:, 3], box[3])
    common = np.clip(right - left, 0, None) * np.clip(bottom - top, 0, None)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    union = areas + (box[2] - box[0]) * (box[3] - box[1]) - common
    return np.divide(common, union, out=np.zeros(len(boxes)), where=union > 0)
