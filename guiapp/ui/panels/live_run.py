"""How the networks of the Live room are run: precision, order in memory, compiled or not, threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from guiapp.core.live_run import LiveRun, Precision


class LiveRunBox(QWidget):
    """A line of controls; each change opens the network again.

    Args:
        told: Called with a ``LiveRun`` when it is another.
        parent: Its parent.

    Attributes:
        changed: Emitted with a ``LiveRun``.
        precision: ``live.precision``.
        channels_last: ``live.channels-last``.
        fused: ``live.fused``.
        compile: ``live.compile``.
        threads: ``live.threads``.
    """

    changed = Signal(object)

    def __init__(self, told: Callable[[LiveRun], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.changed.connect(told)
        self.precision, self.threads = QComboBox(self), QComboBox(self)
        for name in get_args(Precision):
            self.precision.addItem(name, name)
        self.threads.addItem("all cores", None)
        for count in _counts(os.cpu_count() or 1):
            self.threads.addItem(f"{count} thread{'s' if count > 1 else ''}", count)
        self.channels_last, self.compile = QCheckBox("Channels last", self), QCheckBox("Compiled", self)
        self.fused = QCheckBox("Fused", self)
        self.channels_last.setChecked(True)
        self.fused.setChecked(True)
        for widget, name, tip in (
            (self.precision, "precision", "Numbers that classifiers and segmenters count with: half ones are up to "
             "four times as fast on processors made for them, and differ in the third digit"),
            (self.threads, "threads", "Cores that one operation of the network is split over; all cores: fewer beside "
             "busy programs"),
            (self.channels_last, "channels-last", "The channels of a pixel lie beside each other in memory: the same "
             "answers, up to twice as fast"),
            (self.fused, "fused", "A convolution, its normalisation and its activation are one operation while nobody "
             "looks into the network: the same answers, up to a third sooner on the CPU"),
            (self.compile, "compile", "Let torch compile the network for this machine: takes about a minute and a C++ "
             "compiler"),
        ):  # fmt: skip
            widget.setObjectName(f"live.{name}")
            widget.setToolTip(tip)
            widget.setAccessibleName(tip.split(":")[0])
        heading = QLabel("Run with", self)
        heading.setProperty("heading", True)
        first, second = QHBoxLayout(), QHBoxLayout()
        for row, parts in (
            (first, (self.precision, self.threads)),
            (second, (self.channels_last, self.fused, self.compile)),
        ):
            row.setSpacing(8)
            for part in parts:
                row.addWidget(part, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(heading)
        column.addLayout(first)
        column.addLayout(second)
        self.precision.activated.connect(self._tell)
        self.threads.activated.connect(self._tell)
        self.channels_last.clicked.connect(self._tell)
        self.fused.clicked.connect(self._tell)
        self.compile.clicked.connect(self._tell)

    @property
    def run(self) -> LiveRun:
        """What is set."""
        return LiveRun(
            self.precision.currentData(),
            None if self.channels_last.isChecked() else False,
            self.compile.isChecked(),
            self.threads.currentData(),
            self.fused.isChecked(),
        )

    def _tell(self, *_value: object) -> None:
        self.changed.emit(self.run)


def _counts(cores: int) -> list[int]:
    """1, 2, 4 … below the number of cores, and that."""
    counts = [1]
    while counts[-1] * 2 < cores:
        counts.append(counts[-1] * 2)
    return counts if counts[-1] == cores else [*counts, cores]
