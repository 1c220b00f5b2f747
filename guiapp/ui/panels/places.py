"""The places panel: which class a network sees at every place, where it ends in the mean of its maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.places_options import PlacesOptions
from guiapp.tasks.predictions import LabelMap
from guiapp.ui import painters
from guiapp.ui.context import Context
from guiapp.ui.painters import PaintOptions
from guiapp.ui.panels.paged import PagedPanel
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.interpret.places import PlacesView

_NO_PICTURE = "no picture: open one to see a class for every place"
_TIMES = (1, 2, 4, 8)
_LOOK = PaintOptions(by_confidence=True, opacity=0.7)


class PlacesPanel(PagedPanel):
    """The picture with the class of every place over it, fainter where the network is unsure.

    Attributes:
        size_box: How much larger the picture is fed, ``places.size``.
        picture: Picture and classes, ``places.picture``; ``reason`` stands in its place where there are none.
        view: What is shown now, or None.
    """

    id = "places"
    title = "Places"
    nothing_open = "Open an experiment, such as Network in network, to see a class for every place."

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.view: PlacesView | None = None
        self._opened: object = None
        self.size_box = QComboBox(self)
        self.size_box.setObjectName("places.size")
        self.size_box.setAccessibleName("Size of the input")
        self.size_box.setToolTip("How much larger than the network's own input the picture is fed: more places")
        for times in _TIMES:
            self.size_box.addItem("its own size" if times == 1 else f"{times} times as large", times)
        self.size_box.setCurrentIndex(_TIMES.index(4))
        self.size_box.activated.connect(lambda _row: self.request_changed.emit())
        self.picture = ImageView(context.theme, "classes of places", self)
        self.picture.setObjectName("places.picture")
        self.picture.describe = self._describe
        self.picture.clicked.connect(self._choose)
        self.line = QuietLabel("places.line", self, context.theme.faint)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.size_box)
        top.addWidget(self.line, 1)
        self.reason = EmptyState("", (), self)
        self._shown = QStackedWidget(self)
        self._shown.addWidget(self.picture)
        self._shown.addWidget(self.reason)
        self.lay_out(top, (self._shown, 1), faint=(self.line,))
        self.show_state(self.seen)

    def request(self) -> Request | None:
        """The classes of the places."""
        opened = self.seen.opened
        if opened is None or not opened.layers:
            return None
        return Request("places", PlacesOptions(int(self.size_box.currentData())))

    # ------------------------------------------------------------------ showing

    def show_state(self, state: EngineState) -> None:
        """Begin anew with another network."""
        if state.opened is self._opened:
            return
        self._opened = state.opened
        self._clear(self.no_look(_NO_PICTURE))
        if state.opened is None or not state.opened.layers:
            self.show_nothing(state.opened)
        else:
            self.show_something()
        self.request_changed.emit()

    def _clear(self, text: str) -> None:
        self.view = None
        self.picture.set_layers(())
        self._shown.setCurrentWidget(self.picture)
        self.line.set_text(text)

    def show_look(self, result: LookResult) -> None:
        """Show the classes for the newest picture, or why there are none."""
        view: PlacesView | None = result.results.get(self.id)
        if result.picture is None:
            return
        if view is None:  # a look from before it was asked
            if self.view is None and not self.reason.isVisible():
                self.line.set_text("finding the class of every place …")
            return
        if view.reason:
            self._clear("")
            self.reason.set_text(f"{view.reason[:1].upper()}{view.reason[1:]}.")
            self._shown.setCurrentWidget(self.reason)
            return
        self._shown.setCurrentWidget(self.picture)
        self.view = view
        self.picture.set_image(result.picture.pixels)
        self._draw()
        best, rows, columns = int(view.whole.argmax()), *view.classes.shape
        words = f"{rows} x {columns} places"
        mean = f"their mean: {view.labels[best]}, {view.whole[best]:.0%}"
        self.line.set_text(f"{words} · {mean}", (mean,))

    def _draw(self) -> None:
        view = self.view
        if view is None:
            return
        classes, confidence = self._over_picture(view)
        drawn = LabelMap(classes, view.labels, self.picture.image_size, confidence)
        ratio = self.picture.devicePixelRatioF()
        layer = painters.prepare(drawn, self.context.theme, _LOOK, scale=self.picture.scale * ratio, ratio=ratio)
        self.picture.set_layers((layer,))

    def _over_picture(self, view: PlacesView) -> tuple[np.ndarray, np.ndarray]:
        """Classes and their probabilities laid over the whole picture; probability 0 where the network saw nothing."""
        width, height = self.picture.image_size
        left, top, across, down = view.area or (0.0, 0.0, float(width), float(height))
        rows, columns = view.classes.shape
        fine = max(1.0, columns / across, rows / down)  # so that no place is lost
        x = (np.arange(round(width * fine)) + 0.5) / fine
        y = (np.arange(round(height * fine)) + 0.5) / fine
        column, row = np.floor((x - left) / across * columns), np.floor((y - top) / down * rows)
        inside = ((row >= 0) & (row < rows))[:, None] & ((column >= 0) & (column < columns))[None]
        at = np.ix_(np.clip(row, 0, rows - 1).astype(int), np.clip(column, 0, columns - 1).astype(int))
        classes = view.classes[at]
        return classes, np.where(inside, view.confidence[at], 0).astype(np.float32)

    def _place(self, column: int, row: int) -> tuple[int, int] | None:
        """Row and column of the place over a pixel of the picture."""
        view = self.view
        if view is None or view.reason:
            return None
        left, top, across, down = view.area or (0.0, 0.0, *map(float, self.picture.image_size))
        rows, columns = view.classes.shape
        at = int((row + 0.5 - top) / down * rows), int((column + 0.5 - left) / across * columns)
        return at if 0 <= at[0] < rows and 0 <= at[1] < columns else None

    def _describe(self, column: int, row: int) -> str:
        at, view = self._place(column, row), self.view
        if at is None or view is None:
            return ""
        return f"{view.labels[view.classes[at]]} {view.confidence[at]:.0%}"

    def _choose(self, x: float, y: float) -> None:
        """A click chooses the class of the place, so that other panels follow."""
        at, view = self._place(int(x), int(y)), self.view
        if at is not None and view is not None:
            self.context.workspace.class_index = int(view.classes[at])

    def _restyle(self) -> None:
        super()._restyle()
        self._draw()
