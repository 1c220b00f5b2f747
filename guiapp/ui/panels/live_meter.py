"""The meter of the live lane: what each part of a picture's way costs, and how old the picture was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from guiapp.ui.status_bar import milliseconds
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.live import LiveResult
    from guiapp.ui.theme import Theme

_READABLE_S = 0.4
_FIELDS = {
    "source": ("source", "Hz", "Pictures a second that the source gives"),
    "answers": ("answers", "Hz", "Pictures a second that the network answers"),
    "age": ("age", "", "Time from the making of the picture to the begin of the work on it"),
    "preprocess": ("preprocess", "", "Time to bring the picture to the network's input"),
    "forward": ("forward", "", "Time of the network itself"),
    "postprocess": ("postprocess", "", "Time from the network's output to boxes, masks, classes"),
    "draw": ("draw", "ms", "Time to prepare and paint the newest answer in the window"),
    "dropped": ("dropped", "", "Pictures of this source that were overtaken by a newer one: nothing queues"),
}
_FIRST = ("answers", "age", "forward", "draw", "dropped")


class LiveMeter(QWidget):
    """One row of fields of fixed width, filled a few times a second.

    Attributes:
        values: Labels by field, ``live.<field>``.
        device: Where the network runs, ``live.device``; a warning where a GPU stands idle.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._at = 0.0
        self.values: dict[str, QuietLabel] = {}
        self._parts: dict[str, list[QWidget]] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.device = QuietLabel("live.device", self)
        row.addWidget(self.device, 1)
        for name, (caption, unit, tip) in _FIELDS.items():
            value = QuietLabel(f"live.{name}", self)
            value.set_room("00000" if name == "dropped" else "00.0")
            value.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.tip = tip
            parts = [self._faint(caption, tip), value, *([self._faint(unit, tip)] if unit else [])]
            for part in parts:
                row.addWidget(part)
            row.addSpacing(8)
            self._parts[name] = parts
            self.values[name] = value
        self.clear()

    def _faint(self, text: str, tip: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("faint", True)
        label.setToolTip(tip)
        return label

    def set_narrow(self, narrow: bool) -> None:
        """Leave the parts out that are seldom the slow ones."""
        for name, parts in self._parts.items():
            for part in parts:
                part.setVisible(not narrow or name in _FIRST)

    def clear(self) -> None:
        """There is nothing to measure."""
        self._at = 0.0
        for name, value in self.values.items():
            value.set_text("0" if name == "dropped" else "–")

    def set_device(self, device: str, idle_gpu: bool) -> None:
        """Say where the network runs."""
        self.device.ink = self._theme.error if idle_gpu else None
        text = device.upper().replace("CUDA:0", "GPU").replace("CUDA", "GPU")
        warned = f"{text}, though there is a GPU"
        self.device.set_text(warned if idle_gpu else text, (text,))
        self.device.tip = "Where the network runs"

    def show_answer(self, result: LiveResult, source: float, draw: float) -> None:
        """Show the figures of an answer, at a rate that can be read.

        Args:
            result: The answer.
            source: Pictures a second of the source, 0 where it stands still.
            draw: Milliseconds.
        """
        now = time.monotonic()
        if result.again or now - self._at < _READABLE_S:
            return
        self._at = now
        put = {name: label.set_text for name, label in self.values.items()}
        put["source"](f"{source:.1f}" if source else "–")
        put["answers"](f"{result.rate:.1f}" if result.rate else "–")
        put["age"](milliseconds(result.waited) if source else "–")
        for part in ("preprocess", "forward", "postprocess"):
            put[part](milliseconds(result.milliseconds.get(part)))
        put["draw"](milliseconds(draw))
        put["dropped"](f"{result.dropped:d}")
