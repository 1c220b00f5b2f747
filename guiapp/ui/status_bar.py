"""The honest runtime meter: device, what the engine does, time of each part of a look, dropped pictures, memory."""

from __future__ import annotations

import time
from collections import deque

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStatusBar, QWidget

from guiapp.engine.state import EngineState, LookResult
from guiapp.ui.theme import Theme
from guiapp.ui.widgets.quiet_label import QuietLabel

_READABLE_S = 0.4
_PARTS = ("capture", "preprocess", "forward", "postprocess", "draw")
_TIPS = {
    "device": "Where the network runs, and the threads that training uses",
    "activity": "What the engine does now; steps a second are measured over the last second",
    "looking": "Looks a second at the picture: prediction and open panels. At most 10 while a network trains",
    "capture": "Time to get the newest picture from its source",
    "preprocess": "Time to bring the picture to the size and scale of the network's input",
    "forward": "Time of the forward pass of the inspection twin",
    "postprocess": "Time to turn outputs into what the panels show, all open panels together",
    "draw": "Time to paint the newest result",
    "dropped": "Pictures overwritten by a newer one before they were looked at: the newest wins, nothing queues",
    "memory": "Resident memory of this process",
}


def milliseconds(value: float | None) -> str:
    """A time of at most four characters: ``1.2``, ``240``, ``1.5k``, ``24k``."""
    if value is None:
        return "–"
    if value >= 999.5:
        return f"{value / 1000:.1f}k" if value < 9950 else f"{value / 1000:.0f}k"
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}"


def size(count: float) -> str:
    """A number of bytes with a unit: ``"612 MB"``, ``"1.24 GB"``."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= power * 0.9995:
            scaled = count / power
            return f"{scaled:.2f} {unit}" if unit == "GB" else f"{scaled:.0f} {unit}"
    return f"{count:.0f} bytes"


class _Field(QWidget):
    """A faint name, a value of fixed width and a faint unit."""

    def __init__(self, name: str, widest: str, caption: str = "", unit: str = "") -> None:
        super().__init__()
        self.setObjectName(f"status.{name}")
        self.setToolTip(_TIPS[name])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        if caption:
            row.addWidget(self._faint(caption))
        # A QLabel would lay out the whole window again whenever its text changes, ten times a second.
        self.value = QuietLabel(f"status.{name}-value", self)
        self.value.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.value.set_room(widest)
        self.value.setAutoFillBackground(False)  # the bar has another ground than panels
        row.addWidget(self.value)
        if unit:
            row.addWidget(self._faint(unit))

    def _faint(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("faint", True)
        return label

    def show_text(self, text: str) -> None:
        self.value.set_text(text)


class StatusBar(QStatusBar):
    """One row of fields of fixed width, so that nothing jumps."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setObjectName("status")
        self._looks: deque[float] = deque(maxlen=256)
        self._look: LookResult | None = None
        self._draw: float | None = None
        self._shown_at = 0.0
        self._process: object | None = None
        self.device = QLabel("starting", self)
        self.device.setObjectName("status.device")
        self.device.setToolTip(_TIPS["device"])
        self.activity = QuietLabel("status.activity", self)
        self.activity.tip = _TIPS["activity"]
        self.activity.setAutoFillBackground(False)
        self.fields = {
            "looking": _Field("looking", "00.0", "looking", "Hz"),
            **{part: _Field(part, "00.0", part) for part in _PARTS[:-1]},
            "draw": _Field("draw", "00.0", "draw", "ms"),
            "dropped": _Field("dropped", "0000", "dropped"),
            "memory": _Field("memory", "0.00 GB", "memory"),
        }
        body = QWidget(self)
        row = QHBoxLayout(body)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(14)
        row.addWidget(self.device)
        row.addWidget(self.activity, 1)
        for field in self.fields.values():
            row.addWidget(field)
        self.addWidget(body, 1)
        self.setContentsMargins(0, 0, 0, 0)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tick)
        for name in (*_PARTS, "looking"):
            self.fields[name].show_text("–")
        self.fields["dropped"].show_text("0")

    def start(self) -> None:
        """Begin to measure, after the first paint."""
        import psutil

        self._process = psutil.Process()
        self._clock.start()
        self._tick()

    def show_state(self, state: EngineState) -> None:
        """Show device and activity."""
        if state.opened is not None:
            device = "CPU" if state.opened.device == "cpu" else state.opened.device.upper()
            threads = f" · {state.threads} thread{'s' if state.threads != 1 else ''}" if device == "CPU" else ""
            self.device.setText(device + threads)
        self.activity.set_text(activity(state))

    def show_look(self, look: LookResult) -> None:
        """Show the times of one look, at a rate that can be read; the clock shows the last one."""
        now = time.monotonic()
        self._looks.append(now)
        self._look = look
        if now - self._shown_at >= _READABLE_S:
            self._show_times(now)

    def set_looking(self, on: bool) -> None:
        """Leave the times of looks out while only the live room is looked at, which has a meter of its own."""
        for name, field in self.fields.items():
            if name != "memory":
                field.setVisible(on)

    def show_draw(self, value: float) -> None:
        """Show how long painting the newest result took, in milliseconds."""
        self._draw = value

    def _show_times(self, now: float) -> None:
        self._shown_at = now
        if self._look is not None:
            for part in _PARTS[:-1]:
                self.fields[part].show_text(milliseconds(self._look.milliseconds.get(part)))
            self.fields["dropped"].show_text(f"{self._look.dropped}")
        self.fields["draw"].show_text(milliseconds(self._draw))

    def _tick(self) -> None:
        now = time.monotonic()
        self._show_times(now)
        recent = [moment for moment in self._looks if now - moment < 2.0]
        self.fields["looking"].show_text(f"{len(recent) / 2:.1f}" if recent else "–")
        if self._process is not None:
            self.fields["memory"].show_text(size(self._process.memory_info().rss))


def activity(state: EngineState) -> str:
    """What the engine does, in words: ``"training LeNet-5 · 212 steps/s"``."""
    title = state.opened.experiment.title if state.opened is not None else ""
    if state.phase == "running":
        what = f"{state.activity or 'training'} {title}".strip()
        return f"{what} · {state.steps_per_second:.0f} steps/s" if state.steps_per_second else what
    if state.activity:
        share = f" · {state.share:.0%}" if state.share is not None else ""
        return f"{state.activity}{share}"
    words = {"empty": "nothing open", "opening": "opening", "paused": "paused", "finished": "finished",
             "ready": "ready", "failed": "failed"}  # fmt: skip
    return " ".join(w for w in (title, f"· {words[state.phase]}" if title else words[state.phase]) if w)
