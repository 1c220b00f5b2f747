"""The drawing pad: what is drawn becomes the picture at once, beside it the small sample that the network sees."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from guiapp.core.picture import Picture
from guiapp.engine.state import EngineState
from guiapp.sources.drawing import drawing_picture
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.drawing_canvas import DrawingCanvas
from guiapp.ui.widgets.image_view import ImageView

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset

_INTERVAL_MS = 33  # a picture for every frame of the display would be more than a network can look at


class DrawingPad(QWidget):
    """Canvas, tools and the sample that the network is fed.

    Attributes:
        canvas: The paper, ``source.pad``.
        sample: The small sample, ``source.sample``.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._dataset: Dataset | None = None
        self._last_put = 0.0
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self._put)
        self.canvas = DrawingCanvas(self)
        self.canvas.setObjectName("source.pad")
        self.canvas.setToolTip("Draw with the left button or a pen; the right button erases")
        self.sample = ImageView(context.theme, "sample", self)
        self.sample.setObjectName("source.sample")
        self.sample.corner_text = False
        self.sample.margin = 0
        self.sample.setFixedSize(64, 64)
        self.sample.setToolTip("The sample that the network is fed")
        self.size_label = QLabel(self)
        self.size_label.setObjectName("source.sample-size")
        self.size_label.setProperty("faint", True)
        self.note = QLabel(self)
        self.note.setObjectName("source.note")
        self.note.setWordWrap(True)
        self.note.setProperty("faint", True)
        self._build()
        self.canvas.changed.connect(self._touched)
        self.canvas.history_changed.connect(self._enable)
        context.bridge.state_changed.connect(self._follow)
        self._follow(context.bridge.state)
        self._enable()

    def _build(self) -> None:
        commands = self.context.commands
        undo = declare(commands, Command(
            "source.undo", "Undo stroke", self.canvas.undo, "Take back the last stroke", "Ctrl+Z", "undo",
            menu="Source",
        ))  # fmt: skip
        redo = declare(commands, Command(
            "source.redo", "Redo stroke", self.canvas.redo, "Draw again what was taken back", "Ctrl+Shift+Z", "redo",
            menu="Source",
        ))  # fmt: skip
        clear = declare(commands, Command(
            "source.clear", "Clear the pad", self.clear, "Take all ink away", "Ctrl+Backspace", "clear", menu="Source",
        ))  # fmt: skip
        erase = declare(commands, Command(
            "source.eraser", "Erase", self._set_erasing, "Erase instead of drawing; the right button does too", "",
            "eraser", checkable=True, menu="Source",
        ))  # fmt: skip
        declare(commands, Command(
            "source.look-at-pad", "Look at the pad", self.look, "Show what is on the pad in the viewer, be it empty",
            "", "eye", menu="Source",
        ))  # fmt: skip
        self._undo, self._redo = undo, redo
        self.brush = QSlider(Qt.Orientation.Horizontal, self)
        self.brush.setObjectName("source.brush")
        self.brush.setRange(6, 60)
        self.brush.setValue(round(self.canvas.brush))
        self.brush.setToolTip("Width of the brush")
        self.brush.setAccessibleName("Width of the brush")
        self.brush.setMinimumWidth(40)
        self.brush.valueChanged.connect(lambda width: self.canvas.set_brush(float(width)))
        tools = QHBoxLayout()
        tools.setSpacing(2)
        for action, name in ((erase, "eraser"), (undo, "undo"), (redo, "redo"), (clear, "clear")):
            tools.addWidget(icon_button(self, action, f"source.{name}"))
        tools.addWidget(self.brush, 1)
        seen = QLabel("what the network sees", self)
        seen.setProperty("faint", True)
        seen.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(seen)
        words.addWidget(self.size_label)
        words.addStretch(1)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self.sample)
        below.addLayout(words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.canvas, 1)
        column.addLayout(tools)
        column.addLayout(below)
        column.addWidget(self.note)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 150)

    # ------------------------------------------------------------------ drawing

    def look(self) -> None:
        """Let the paper as it is be the picture."""
        self._due.stop()
        self._put()

    def clear(self) -> None:
        """Take all ink away; the confidence history of the viewer begins anew."""
        self.canvas.clear()

    def _set_erasing(self, on: bool) -> None:
        self.canvas.erasing = on

    def _enable(self) -> None:
        self._undo.setEnabled(self.canvas.can_undo)
        self._redo.setEnabled(self.canvas.can_redo)

    def _touched(self) -> None:
        """Put the newest state of the paper soon, at most once a display frame; nothing queues."""
        if not self._due.isActive():
            since = (time.monotonic() - self._last_put) * 1000
            self._due.start(max(0, round(_INTERVAL_MS - since)))

    def _put(self) -> None:
        self._last_put = time.monotonic()
        picture = drawing_picture(self.canvas.canvas(), self._dataset)
        self._show_sample(picture)
        self.context.workspace.picture = picture

    def _show_sample(self, picture: Picture) -> None:
        sample = picture.network_pixels
        grey = sample[:, :, 0] if sample.shape[2] == 1 else sample
        self.sample.set_image(grey, None)
        height, width = sample.shape[:2]
        text = f"{width} × {height}"
        if self.size_label.text() != text:
            self.size_label.setText(text)

    # ------------------------------------------------------------------ following the experiment

    def _follow(self, state: EngineState) -> None:
        dataset = state.opened.dataset if state.opened is not None else None
        if dataset is self._dataset and dataset is not None:
            return
        self._dataset = dataset
        note = ""
        if dataset is not None and dataset.from_drawing is None:
            note = (
                f"{dataset.title} has no drawings: the network is fed yours as it is, and will read it badly. "
                "Open an experiment on digits to draw what it knows."
            )
        self.note.setText(note)
        self.note.setVisible(bool(note))
        picture = self.context.workspace.picture
        if picture is not None and picture.origin.kind == "drawing" and dataset is not None:
            self._touched()  # the same ink, brought to the way of the other data set
