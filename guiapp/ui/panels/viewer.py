"""The viewer: the picture with what is painted over it, the prediction, and how it came about."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from guiapp.core.picture import Picture
from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.options import ActivationOptions
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.network_commands import is_changed, restore_network
from guiapp.ui.panel import Panel
from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.class_bars import ROW, ClassBars
from guiapp.ui.widgets.confidence_history import ConfidenceHistory
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.image_layers import Layer, MapLayer, RectLayer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.neighbour_strip import NeighbourStrip
from guiapp.ui.widgets.painting import image_of
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.readable import Readable
from guiapp.ui.widgets.settled import settled

if TYPE_CHECKING:
    from guiapp.datasets.as_drawing import Reading
    from guiapp.models.base import Preprocessing

_WORDS_S = 0.18
_READ_AS = {"picture": "", "drawing": " · read as a drawing", "negative": " · read as a negative"}
_READ_TIP = (
    "The network reads light ink on black: what is drawn on this picture is brought to the way its data set was made"
)
_EMPTY = "No picture yet: draw on the pad, choose a sample, or drop a picture on the window."


class ViewerPanel(Panel):
    """Picture at the left, prediction at the right.

    Attributes:
        image: The picture, ``viewer.picture``.
        bars: The classes, ``viewer.classes``.
        history: Probabilities over the last looks, ``viewer.history``.
        neighbours: Nearest training samples, ``viewer.neighbours``.
        draw_ms: Time to show and paint the newest result, in milliseconds.
        drawn: Emitted with that time, once a look.
    """

    drawn = Signal(float)

    id = "viewer"
    title = "Viewer"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme, commands, workspace = context.theme, context.commands, context.workspace
        self._show_ms = 0.0
        self._words = Readable(_WORDS_S, self._show_words, self)
        self._words_of: Picture | None = None
        self._live = True
        self._shown: Picture | None = None
        self._pixels: np.ndarray | None = None
        self._history_of: object = None
        self._result: LookResult | None = None
        self._map: tuple[Layer, ...] = ()
        self.image = ImageView(theme, "picture", self)
        self.image.setObjectName("viewer.picture")
        self.bars = ClassBars(theme, self)
        self.bars.setObjectName("viewer.classes")
        self.history = ConfidenceHistory(theme, "viewer.history", self)
        self.neighbours = NeighbourStrip(theme, "viewer.neighbours", self)
        self.neighbours.hide()
        self.source = QuietLabel("viewer.source", self, theme.faint)
        self.truth = QuietLabel("viewer.truth", self)
        self.uncertainty = QuietLabel("viewer.uncertainty", self, theme.faint)
        self.step = QuietLabel("viewer.step", self, theme.accent)
        strong = self.step.font()
        strong.setBold(True)
        self.step.setFont(strong)
        self.step.tip = "These are not the newest weights: the time machine under the curves goes back to them"
        self._sort = declare(commands, Command(
            "viewer.sort", "Best class first", self.bars.set_sorted, "Order classes by probability, not by index", "",
            "sort", checkable=True, menu="View",
        ))  # fmt: skip
        self._restore = restore_network(context)
        for verb, title, call, symbol in (
            ("copy", "Copy picture", self.image.copy, "copy"),
            ("save-png", "Save picture as PNG …", self.image.ask_save, "save"),
            ("save-csv", "Save pixel values as CSV …", self.image.ask_save_values, "csv"),
            ("fit", "Fit picture", self.image.fit, "fit"),
        ):
            declare(commands, Command(f"viewer.{verb}", title, call, "", "", symbol, menu="View"))
        declare(commands, Command(
            "viewer.save-classes", "Save class probabilities as CSV …", self._save_classes, "", "", "csv", menu="View",
        ))  # fmt: skip
        self._build()
        self.bars.class_clicked.connect(self._choose_class)
        self.neighbours.chosen.connect(self._choose_neighbour)
        theme.changed.connect(self._restyle)
        for field, call in (
            ("picture", self._show_picture), ("class_index", self.bars.set_chosen), ("overlay", self._follow_overlay),
            ("switched_off", self._follow_switched), ("boosted", self._follow_switched),
            ("place", self._follow_place),
        ):  # fmt: skip
            stop = workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        self.bars.set_chosen(workspace.class_index)
        self._follow_switched(workspace.switched_off)
        self._show_picture(workspace.picture)

    def _build(self) -> None:
        self._heading = QLabel("Prediction", self)
        self._heading.setProperty("heading", True)
        self.badge = QPushButton("modified · restore", self)
        self.badge.setObjectName("viewer.modified")
        self.badge.setToolTip(
            "Channels are switched off or boosted in the network that is looked at; one click makes it as it was"
        )
        self.badge.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.badge.clicked.connect(self._restore.trigger)
        self.badge.hide()
        sort = icon_button(self, self._sort, "viewer.sort")
        self.badge.setFixedHeight(sort.sizeHint().height())  # in the place of the heading: nothing below it moves
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self._heading)
        top.addWidget(self.badge)
        top.addWidget(self.step, 1)
        top.addWidget(sort)
        self._side = QWidget(self)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(4)
        side.addLayout(top)
        side.addWidget(self.bars, 1)
        for widget in (self.truth, self.uncertainty, self.neighbours, self.history):
            side.addWidget(widget)
        self.empty = EmptyState(_EMPTY, parent=self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.image)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(self._pages, 1)
        left.addWidget(self.source)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(12)
        row.addLayout(left, 1)
        row.addWidget(self._side)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = max(170, min(320, round(self.width() * 0.4)))
        if self._side.width() != width:
            self._side.setFixedWidth(width)
        self._share_height()

    @settled
    def _share_height(self) -> None:
        """All classes first (up to twelve), then the history where there is room left."""
        rows = min(12, max(3, self.bars.count)) * ROW
        words = 3 * (self.fontMetrics().height() + 8) + 16
        left = self.height() - words - rows - (0 if self.neighbours.isHidden() else self.neighbours.sizeHint().height())
        self.history.setVisible(left >= 48)
        self.history.setFixedHeight(max(44, min(110, left - 4)))

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 180)

    @property
    def draw_ms(self) -> float:
        """Time to show and paint the newest result, in milliseconds."""
        return self._show_ms + self.image.paint_ms + self.bars.paint_ms + self.history.paint_ms

    # ------------------------------------------------------------------ picture

    def request(self) -> Request | None:
        """The map that lies over the picture."""
        overlay = self.context.workspace.overlay
        return None if overlay is None else Request("activations", ActivationOptions(overlay[0], "map"))

    def _show_picture(self, picture: Picture | None) -> None:
        """Show a picture at once; its prediction follows with the next look."""
        # Maps and fields belong to what the network was fed: under them a drawing is shown as its sample.
        fed = self.context.workspace.overlay is not None or self._field_area() is not None
        pixels = None if picture is None else self._fed(picture) if fed else picture.pixels
        if picture is self._shown and pixels is self._pixels:
            return
        self._shown, self._pixels = picture, pixels
        if picture is None or pixels is None:
            self._pages.setCurrentWidget(self.empty)
            self.source.set_text("")
            self._clear_prediction()
            return
        grey = pixels.shape[2] == 1
        self.image.set_image(np.ascontiguousarray(pixels[:, :, 0]) if grey else pixels)
        self._pages.setCurrentWidget(self.image)
        self._name_source(picture, "picture")
        if self._blank(picture):
            self._clear_prediction()

    def _fed(self, picture: Picture) -> np.ndarray:
        """What the network was fed for a picture, as far as a look has told."""
        result = self._result
        known = result is not None and result.picture is picture and result.fed is not None
        return result.fed if known else picture.network_pixels

    def _name_source(self, picture: Picture, read_as: Reading) -> None:
        """The picture's name and size, and that the network was fed something else than these pixels."""
        width, height = self.image.image_size
        how = "" if picture.origin.kind == "drawing" else _READ_AS[read_as]
        name, size = picture.origin.name, f"{width} × {height}{how}"
        self.source.set_text(f"{name} · {size}", (f"{name.rpartition(' · ')[2]} · {size}", size))
        self.source.tip = _READ_TIP if how else ""

    @staticmethod
    def _blank(picture: Picture) -> bool:
        return picture.origin.kind == "drawing" and not picture.pixels.any()

    def _clear_prediction(self) -> None:
        self._words.drop()
        self.history.clear()
        self.bars.set_prediction(None)
        self.neighbours.hide()
        self.truth.set_text("")
        self.uncertainty.set_text("")

    # ------------------------------------------------------------------ prediction

    def show_state(self, state: EngineState) -> None:
        """Another network begins another history."""
        if state.opened is not self._history_of:
            self._history_of = state.opened
            self.history.clear()

    def show_look(self, result: LookResult) -> None:
        """Show a prediction; what looks the same is not painted again."""
        self.drawn.emit(self.draw_ms)  # of the look before this one, which has been painted by now
        started = time.perf_counter()
        self._result = result
        picture, prediction = result.picture, result.prediction
        self.step.set_text("" if result.live else f"at step {result.step:,}", (f"step {result.step:,}",))
        if picture is None or prediction is None or self._blank(picture):
            self._clear_prediction()
            self.step.set_text("")
            return
        if picture is self.context.workspace.picture:
            self._show_picture(picture)
            self._name_source(picture, result.read_as)
        self._begin_history(picture)
        had = self.bars.count, self.neighbours.isHidden()
        self.bars.set_prediction(prediction, picture.label, result.plain)
        self.history.add(prediction.probabilities, prediction.labels, repaint=False)
        # Words and curves change at a rate that can be read, bars at every look.
        if self.context.bridge.state.phase != "running" or picture is not self._words_of or self._live != result.live:
            self._words_of, self._live = picture, result.live
            self._words.now()
        else:
            self._words.soon()
        self.neighbours.set_neighbours(prediction.neighbours, result.opened.dataset.train, result.opened.labels)
        if had != (self.bars.count, self.neighbours.isHidden()):
            self._share_height()
        self._show_overlay(result)
        self._show_ms = (time.perf_counter() - started) * 1e3

    def _begin_history(self, picture: Picture) -> None:
        """Strokes of one drawing share a history; every other picture has its own."""
        key = picture.origin.kind if picture.origin.kind == "drawing" else id(picture)
        if getattr(self, "_history_key", None) != key:
            self._history_key = key
            self.history.clear()

    def _show_words(self) -> None:
        """What the newest look says, and its point in the history."""
        prediction = self._result.prediction if self._result is not None else None
        picture = self._result.picture if self._result is not None else None
        if prediction is None or picture is None:
            return
        self.history.update()
        if not prediction.known:
            self.truth.ink = self.context.theme.error
            self.truth.set_text("no answer: the network gives NaN")
            return
        best = prediction.best
        text = prediction.labels[best]
        if picture.label is not None and picture.label < len(prediction.labels):
            right = best == picture.label
            text = f"reads {text}: right" if right else f"reads {text}, true class {prediction.labels[picture.label]}"
            self.truth.ink = self.context.theme.good if right else self.context.theme.error
        else:
            text, self.truth.ink = f"reads {text}", None
        self.truth.set_text(text)
        words, shorter = f"entropy {self.bars.entropy():.3f} nats", ()
        loss = self.bars.cross_entropy()
        if loss is not None:  # of one true class, whose own entropy is 0
            entropy = f"entropy {self.bars.entropy():.3f}"
            words = f"{entropy} · KL = cross-entropy {loss:.3f} nats"
            shorter = (f"{entropy} · KL = loss {loss:.3f} nats", f"{entropy} · KL {loss:.3f}")
        self.uncertainty.set_text(words, shorter)
        most = len(prediction.labels)
        self.uncertainty.tip = (
            f"entropy of the prediction Q, at most log {most} = {math.log(most):.3f} nats; cross-entropy of the truth "
            "P and Q is the loss of this picture: H(P) + KL(P‖Q), and H(P) = 0 for one true class"
        )

    # ------------------------------------------------------------------ overlay and changes to the network

    def _follow_overlay(self, _overlay: tuple[str, int] | None) -> None:
        self._map = ()
        self._show_picture(self.context.workspace.picture)
        self._lay()
        self.request_changed.emit()

    def _follow_place(self, _place: tuple[str, int, int] | None) -> None:
        self._show_picture(self.context.workspace.picture)
        self._lay()

    def _field_area(self) -> tuple[int, int, int, int] | None:
        """Left, top, width, height of what the unit under the pointer sees, in pixels of the network's input."""
        place, result = self.context.workspace.place, self._result
        if place is None or result is None or result.picture is not self.context.workspace.picture:
            return None
        field = next((x.receptive_field for x in result.opened.layers if x.name == place[0]), None)
        return None if field is None else field.area(*place[1:], result.opened.preprocessing.size[1:])

    def _lay(self) -> None:
        """Paint the map, and the receptive field of the unit under the pointer, over the picture."""
        layers, field, result = self._map, self._field_area(), self._result
        if field is not None and result is not None and result.picture is not None:
            sample, (_, rows, columns) = self._fed(result.picture), result.opened.preprocessing.size
            left, top, width, height = network_area(result.opened.preprocessing, sample.shape[1], sample.shape[0])
            across, down = width / columns, height / rows
            area = left + field[0] * across, top + field[1] * down, field[2] * across, field[3] * down
            layers = (*layers, RectLayer(area, self.context.theme.warning))
        self.image.set_layers(layers)

    def _show_overlay(self, result: LookResult) -> None:
        overlay, view = self.context.workspace.overlay, result.results.get(self.id)
        if overlay is None or view is None or result.picture is None:
            self._map = ()
        elif (atlas := view.atlases.get(overlay[0])) is not None and overlay[1] < atlas.count:
            left, top, width, height = atlas.tile_rect(overlay[1])
            tile = np.ascontiguousarray(atlas.pixels[top : top + height, left : left + width])
            sample = self._fed(result.picture)
            area = network_area(result.opened.preprocessing, sample.shape[1], sample.shape[0])
            self._map = (MapLayer(image_of(tile, palette_table(atlas.signed)), 0.6, area),)
        self._lay()

    def _follow_switched(self, _channels: object) -> None:
        changed = is_changed(self.context.workspace)
        self.badge.setVisible(changed)
        self._heading.setVisible(not changed)
        self._restore.setEnabled(changed)

    # ------------------------------------------------------------------ hand

    def _choose_class(self, index: int) -> None:
        workspace = self.context.workspace
        workspace.class_index = None if workspace.class_index == index else index

    def _choose_neighbour(self, index: int) -> None:
        if self._result is not None:
            self.context.workspace.sample = ("train", index)
            self.context.workspace.picture = self._result.opened.dataset.picture("train", index)

    def _save_classes(self) -> None:
        from guiapp.ui.widgets.export import ask_save_text

        prediction = self._result.prediction if self._result is not None else None
        if prediction is not None:
            lines = ["index,class,probability"]
            for index, (label, p) in enumerate(zip(prediction.labels, prediction.probabilities, strict=True)):
                quoted = label.replace('"', '""')
                lines.append(f'{index},"{quoted}",{float(p):.7g}')
            ask_save_text(self, "classes.csv", "\n".join(lines) + "\n")

    def keyPressEvent(self, event: object) -> None:
        """Escape takes an overlay away."""
        if event.key() == Qt.Key.Key_Escape and self.context.workspace.overlay is not None:
            self.context.workspace.overlay = None
        else:
            super().keyPressEvent(event)

    def _restyle(self) -> None:
        theme = self.context.theme
        for label, ink in ((self.source, theme.faint), (self.uncertainty, theme.faint), (self.step, theme.accent)):
            label.ink = ink
            label.update()
        if self._result is not None and self.isVisible():
            self.show_look(self._result)


def network_area(preprocessing: Preprocessing, width: int, height: int) -> tuple[float, float, float, float]:
    """The part of a picture that a network's input covers: left, top, width, height in pixels of the picture.

    It reaches over the edge where the picture is padded, and leaves the sides out where it is cropped.
    """
    _, rows, columns = preprocessing.size
    right, down = columns - width, rows - height
    if preprocessing.fit == "pad" and 0 <= right <= columns / 4 and 0 <= down <= rows / 4:
        return -float(right // 2), -float(down // 2), float(columns), float(rows)
    if preprocessing.fit == "crop":
        factor = max(rows / height, columns / width)
        covered_x, covered_y = columns / factor, rows / factor
        return (width - covered_x) / 2, (height - covered_y) / 2, covered_x, covered_y
    return 0.0, 0.0, float(width), float(height)
