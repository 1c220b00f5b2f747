"""Two answers to one live picture: side by side, divided by a wipe, or what they differ by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from guiapp.tasks.compare import ObjectDifference, in_common
from guiapp.tasks.predictions import Detections
from guiapp.ui.painters import DrawnLayer, PaintOptions, prepare
from guiapp.ui.painters.pairs import Pair, shared_length
from guiapp.ui.painters.sides import TaggedLayer, WipeLayer, tags_of
from guiapp.ui.panels.live_picture import LivePicture, Objects

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.live import LiveResult
    from guiapp.ui.theme import Theme

MODES = ("beside", "wipe", "difference")
_NEAR = 8.0  # pixels from the handle at which it can be taken
_STEP = 0.02
_WORTH = 1.25  # times larger, from which two pictures are better one above the other


class ComparedPicture(LivePicture):
    """The live picture, with the second answer where there is one.

    Attributes:
        mode: One of ``MODES``, or ``""`` for the first answer alone.
        at: Where the wipe's handle is, as a share of the picture's width.
        twin: The second picture; it shows the second answer while ``mode`` is ``"beside"``.
        wiped: Emitted when the handle was moved.
        reshaped: Emitted when the picture has another size.
    """

    wiped = Signal(float)
    reshaped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.mode = ""
        self.at = 0.5
        self.twin: LivePicture | None = None
        self._names = ("", "")
        self._held = False
        self._key: tuple[object, ...] = ()
        self._tagged: tuple[object, ...] = ()

    # ------------------------------------------------------------------ content

    def set_image(self, array: npt.NDArray[np.uint8] | None, table: list[int] | None = None) -> None:
        before = self.image_size
        super().set_image(array, table)
        if self.image_size != before:
            self.reshaped.emit()

    def set_mode(self, mode: str, names: tuple[str, str]) -> None:
        """Show the answers in another way; ``names`` of the two networks stand over the picture."""
        if (mode, names) == (self.mode, self._names):
            return
        if mode != self.mode and self.chosen is not None:
            self.unchoose()
        self.mode, self._names = mode, names
        self._held = False
        self.unsetCursor()
        if self.result is not None:
            self.show_result(self.result)
        self._lay()

    def show_raw(self, picture: Picture | None) -> None:
        super().show_raw(picture)
        if self.twin is not None:
            self.twin.show_raw(picture)

    def show_result(self, result: LiveResult) -> None:
        self._share_scale(result)
        super().show_result(result)
        twin, other = self.twin, result.other
        if twin is None or self.mode != "beside":
            return
        if other is None:
            twin.show_raw(result.picture)
            return
        again = "forward" not in other.milliseconds
        twin.show_result(
            replace(
                result,
                drawn=in_common(result.drawn, other.drawn)[1],
                model=other.model,
                milliseconds=other.milliseconds,
                again=again,
                other=None,
            )
        )

    def pair_of(self, result: LiveResult) -> Pair | None:
        """Both answers of a result as they are shown, for a recording; None without a comparison."""
        other = result.other
        if not self.mode or other is None:
            return None
        return Pair(result.drawn, other.drawn, other.difference, self.mode, self.at, self._names)

    def set_look(self, look: PaintOptions) -> None:
        super().set_look(replace(look, longest=self._look.longest))
        if self.twin is not None:
            self.twin.set_look(self._look)

    def _share_scale(self, result: LiveResult) -> None:
        """The same motion has the same colour in both answers."""
        other = result.other
        longest = shared_length(result.drawn, other.drawn) if self.mode and other is not None else 0.0
        if longest != self._look.longest:
            self._look = replace(self._look, longest=longest)
            if self.twin is not None:
                self.twin.set_look(self._look)

    def _layer_of(self, result: LiveResult, last: DrawnLayer | None) -> DrawnLayer:
        other = result.other
        if self.mode == "difference" and other is not None and other.difference is not None:
            ratio = self.devicePixelRatioF()
            return prepare(other.difference, self.theme, self._look, scale=self.scale * ratio, ratio=ratio)
        before = last if isinstance(last, WipeLayer) else None
        last = last if before is None else before.first
        if not self.mode or other is None:
            return super()._layer_of(result, last)
        one, two = in_common(result.drawn, other.drawn)
        first = super()._layer_of(replace(result, drawn=one), last)
        if self.mode != "wipe":
            return first
        last = None if before is None else before.second
        return WipeLayer(first, super()._layer_of(replace(result, drawn=two), last), self.at)

    @property
    def layers(self) -> tuple[object, ...]:
        """What lies over the picture; in a comparison the tags name the networks, and the note is part of them."""
        if self.layer is None or not self.mode:
            return super().layers
        key = (self.layer, self._over, self.mode, self._names, self.at)
        if key != self._key:  # equal layers are not painted again
            side = 0 if self.mode == "beside" else None
            tags = tags_of(self._names, self.at if self.mode == "wipe" else 0.5, side)
            self._key, self._tagged = key, (*self._over, TaggedLayer(self.layer, tags))
        return self._tagged

    def seen(self) -> list[tuple[npt.NDArray[np.uint8], tuple[object, ...]]]:
        """Pictures with their layers as they stand beside each other, for a snapshot; empty without a picture."""
        own = [] if self.array is None else [(self.array, self.layers)]
        if self.mode == "beside" and self.twin is not None and self.twin.array is not None:
            own.append((self.twin.array, self.twin.layers))
        return own

    # ------------------------------------------------------------------ hand

    @property
    def _wipes(self) -> bool:
        return isinstance(self.layer, WipeLayer)

    def _handle(self) -> float:
        """Column of the handle in the widget."""
        return self.to_widget(QRectF(self.at * self.image_size[0], 0, 0, 0)).x()

    def move_handle(self, at: float) -> None:
        """Put the wipe's handle at a share of the picture's width."""
        self.at = min(1.0, max(0.0, at))
        if isinstance(self.layer, WipeLayer):
            self.layer = self.layer.moved(self.at)
            self._lay()
        self.wiped.emit(self.at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        near = self._wipes and abs(event.position().x() - self._handle()) <= _NEAR
        if near and event.button() == Qt.MouseButton.LeftButton:
            self._held = True
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        where = event.position()
        if self._held and event.buttons() & Qt.MouseButton.LeftButton:
            self.move_handle(self.to_image(QPointF(where.x(), 0))[0] / max(1, self.image_size[0]))
            return
        if not event.buttons():
            near = self._wipes and abs(where.x() - self._handle()) <= _NEAR
            if near:
                self.setCursor(Qt.CursorShape.SplitHCursor)
            else:
                self.unsetCursor()
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held:
            self._held = False
            return
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrow keys move the handle; Escape shows the whole picture again."""
        way = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(event.key(), 0)
        if way and self._wipes:
            self.move_handle(self.at + way * _STEP)
        elif event.key() == Qt.Key.Key_Escape and self.mode in ("wipe", "difference") and not self.fitted:
            self.fit()
        else:
            super().keyPressEvent(event)

    def _objects(self) -> Objects | None:
        """Where two answers share the picture the objects of both, with one number for each class."""
        other = self.result.other if self.result is not None else None
        if self.mode not in ("wipe", "difference") or self.result is None or other is None:
            return super()._objects()
        one, two = in_common(self.result.drawn, other.drawn)
        if not isinstance(one, Detections) or not isinstance(two, Detections):
            return None
        if self.mode == "difference":
            found = other.difference
            return _different(found, one, two) if isinstance(found, ObjectDifference) else super()._objects()
        numbers = np.concatenate([np.arange(len(one)), -1 - np.arange(len(two))])
        boxes = np.concatenate([one.boxes, two.boxes])
        left = boxes[:, ::2].mean(1) < self.at * self.image_size[0]
        return Objects(numbers, np.concatenate([one.classes, two.classes]), boxes, left == (numbers >= 0))

    def _click(self, x: float, y: float) -> None:
        """As for one answer; where two share the picture a click on the ground shows the whole again."""
        if self.mode not in ("wipe", "difference") or self.result is None or self.result.other is None:
            super()._click(x, y)
            return
        hit = self.layer.object_at(x, y) if self.layer is not None else None
        if hit is not None and self._objects() is not None:
            super()._click(x, y)
        elif hit is not None and hit.area is not None and self.fitted:
            self.show_area(QRectF(*hit.area))
        else:
            self.fit()


def _different(found: ObjectDifference, one: Detections, two: Detections) -> Objects:
    """Objects of a difference, in the order of its layer: those of both, only the first's, only the second's."""
    first = np.concatenate([found.pairs[:, 0], found.only_first])
    boxes = np.concatenate([one.boxes[first], two.boxes[found.only_second]])
    classes = np.concatenate([one.classes[first], two.classes[found.only_second]])
    return Objects(np.arange(len(boxes)), classes, boxes, np.ones(len(boxes), bool))


class TwinPicture(LivePicture):
    """The picture of the second answer, with its tag.

    Attributes:
        network: What the tag calls the network.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setObjectName("live.second-picture")
        self.setAccessibleName("live picture of the second network")
        self.network = ""
        self._key: tuple[object, ...] = ()
        self._tagged: tuple[object, ...] = ()

    @property
    def layers(self) -> tuple[object, ...]:
        """What lies over the picture."""
        if self.layer is None:
            self._key = self._tagged = ()
            return ()
        if (self.layer, self.network) != self._key:
            self._key = self.layer, self.network
            self._tagged = (TaggedLayer(self.layer, tags_of(("", self.network), side=1)),)
        return self._tagged

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape lets go of the chosen object."""
        if event.key() == Qt.Key.Key_Escape and self.chosen is not None:
            self.unchoose()
        else:
            super().keyPressEvent(event)


class CompareViews(QWidget):
    """One picture, or two that zoom and move together.

    Attributes:
        first: The picture that is always there.
        second: The second answer's, while the mode is ``"beside"``.
    """

    def __init__(self, first: ComparedPicture, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first = first
        self.second = TwinPicture(theme, self)
        first.twin = self.second
        self.second.hide()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(first, 1)
        self._row.addWidget(self.second, 1)
        first.reshaped.connect(self._turn)
        first.zoomed.connect(lambda: self._follow(self.second, first))
        self.second.zoomed.connect(lambda: self._follow(first, self.second))

    def _follow(self, view: LivePicture, moved: LivePicture) -> None:
        if self.second.isVisible():
            view.show_like(moved)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        """One above the other where that makes both pictures much larger."""
        width, height = self.first.image_size
        if not width or not height:
            return
        across = min(self.width() / 2 / width, self.height() / height)
        down = min(self.width() / width, self.height() / 2 / height)
        stacked = down > _WORTH * across
        way = QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight
        if way != self._row.direction():
            self._row.setDirection(way)

    def set_mode(self, mode: str, names: tuple[str, str]) -> None:
        """Show the answers in another way."""
        self._turn()
        beside = mode == "beside"
        self.second.network = names[1]
        if not beside:
            self.second.show_raw(None)  # it keeps no picture and no answer
        self.second.setVisible(beside)
        self.first.set_mode(mode, names)
        if beside:
            self.second.show_like(self.first)
