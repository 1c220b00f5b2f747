"""What the two networks of a comparison take and differ by: a line in words, and a meter for each side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from guiapp.tasks.compare import in_words
from guiapp.tasks.predictions import ClassScores, ClipScores, Depth, Detections, Flow, LabelMap
from guiapp.ui.painters.sides import FIRST, SECOND
from guiapp.ui.status_bar import milliseconds
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.live import LiveResult
    from guiapp.ui.theme import Theme

_READABLE_MS = 400
_PARTS = {
    "preprocess": "Time to bring the picture to the network's input",
    "forward": "Time of the network itself",
    "postprocess": "Time from the network's output to boxes, masks, classes",
}
_KINDS = {Detections: "boxes", LabelMap: "a label map", ClassScores: "class scores", ClipScores: "class scores of a "
          "clip", Flow: "motion", Depth: "depth"}  # fmt: skip


def words_of(result: LiveResult) -> str:
    """One line on what the two answers differ by, or why that cannot be said."""
    other = result.other
    if other is None:
        return ""
    if other.difference is not None:
        return in_words(other.difference)
    kinds = [_KINDS.get(type(drawn), "something else") for drawn in (result.drawn, other.drawn)]
    if kinds[0] == kinds[1] == "depth":
        return "one depth grows towards the camera or is in metres, the other not: there is no difference to show"
    if kinds[0] == kinds[1]:
        return "a difference comes with the next pictures"
    return f"A gives {kinds[0]}, B {kinds[1]}: there is no difference to show"


class SideMeter(QWidget):
    """Milliseconds of one network: before it, in it, after it."""

    def __init__(self, side: str, colour: QColor, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.values: dict[str, QuietLabel] = {}
        self._captions: list[QLabel] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        tag = QLabel(side, self)
        tag.setAlignment(Qt.AlignmentFlag.AlignCenter)
        tag.setFixedSize(tag.fontMetrics().horizontalAdvance("M") + 8, tag.fontMetrics().height() + 2)
        tag.setStyleSheet(f"background: {colour.name()}; color: #000000; border-radius: 2px;")
        row.addWidget(tag)
        for part, tip in _PARTS.items():
            value = QuietLabel(f"live.{name}-{part}", self)
            value.set_room("00.0")
            value.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.tip = tip
            caption = self._faint(part, tip)
            self._captions.append(caption)
            row.addSpacing(4)
            row.addWidget(caption)
            row.addWidget(value)
            self.values[part] = value
        row.addWidget(self._faint("ms", "Milliseconds"))
        row.addStretch(1)
        self.clear()

    def _faint(self, text: str, tip: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("faint", True)
        label.setToolTip(tip)
        return label

    def set_narrow(self, narrow: bool) -> None:
        """In little room the network's own time alone: numbers without names say nothing."""
        for caption, (part, value) in zip(self._captions, self.values.items(), strict=True):
            for widget in (caption, value):
                widget.setVisible(not narrow or part == "forward")

    def clear(self) -> None:
        """There is nothing to measure."""
        for value in self.values.values():
            value.set_text("–")

    def show_times(self, times: dict[str, float]) -> None:
        """Show the milliseconds of a run."""
        for part, value in self.values.items():
            value.set_text(milliseconds(times.get(part)))


class CompareStrip(QWidget):
    """The line in words and both meters, at a rate that can be read.

    Attributes:
        words: ``live.compare-words``.
        meters: Of the first and of the second, ``live.first-forward`` … ``live.second-postprocess``.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QuietLabel("live.compare-words", self)
        self.meters = (SideMeter("A", FIRST, "first", self), SideMeter("B", SECOND, "second", self))
        self._newest: LiveResult | None = None
        self._times: tuple[dict[str, float], dict[str, float]] = ({}, {})
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.setInterval(_READABLE_MS)
        self._due.timeout.connect(self._write)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(4)
        for meter in self.meters:
            row.addWidget(meter, 1)
        column.addLayout(row)
        column.addWidget(self.words)

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)
        self._due.stop()

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what matters less."""
        for meter in self.meters:
            meter.set_narrow(narrow)

    def clear(self) -> None:
        """There is nothing to compare."""
        self._due.stop()
        self._newest, self._times = None, ({}, {})
        self.words.set_text("")
        for meter in self.meters:
            meter.clear()

    def show_result(self, result: LiveResult, times: tuple[dict[str, float], dict[str, float]]) -> None:
        """Tell of an answer: at once if the last one was a while ago, else when that has been read.

        Args:
            result: The answer.
            times: Milliseconds of the last run of each network.
        """
        first = self._newest is None
        self._newest, self._times = result, times
        if first:
            self._write()
        if not self._due.isActive():
            self._due.start()

    def _write(self) -> None:
        if self._newest is None:
            return
        self.words.set_text(words_of(self._newest))
        for meter, times in zip(self.meters, self._times, strict=True):
            meter.show_times(times)
