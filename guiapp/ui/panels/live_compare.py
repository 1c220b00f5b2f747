"""The comparison of two networks in the Live room: its switch, the second network, and how both answers are shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from guiapp.ui.commands import Command
from guiapp.ui.panels.live_compare_model import RANDOM, SecondModel
from guiapp.ui.panels.live_compare_view import MODES, ComparedPicture, CompareViews
from guiapp.ui.panels.live_compare_words import CompareStrip
from guiapp.ui.widgets.buttons import declare, text_button

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from guiapp.engine.live import LiveLane, LiveResult, LiveState
    from guiapp.models.zoo.base import ZooModel
    from guiapp.models.zoo.weights import Here
    from guiapp.ui.context import Context

_TITLES = {
    "beside": ("Side by side", "Both answers in two pictures that zoom and move together"),
    "wipe": ("Wipe", "Left of the handle the first answer, right of it the second; drag the handle"),
    "difference": ("Difference", "Boxes that only one found, pixels and scores that differ"),
}


class LiveCompare(QWidget):
    """The part of the side column that is about a second network; it is let go of when the switch is off.

    Attributes:
        views: The live picture, with the second one beside it.
        strip: Words and meters, to be put under the picture.
        model: The second network's lists.
        switch: Action ``live.compare``.
        mode: One of ``MODES``; how both are shown while the switch is on.
    """

    def __init__(self, context: Context, lane: LiveLane, image: ComparedPicture, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lane, self._image = lane, image
        self._state: LiveState | None = None
        self._notices = context.notices
        self._times: tuple[dict[str, float], dict[str, float]] = ({}, {})
        self._timed: tuple[ZooModel | None, ZooModel | None] = (None, None)
        self.mode = "beside"
        self.views = CompareViews(image, context.theme, parent)
        self.strip = CompareStrip(context.theme, parent)
        self.model = SecondModel(context.theme, self)
        self.switch = declare(context.commands, Command(
            "live.compare", "Compare with another network", self._switched,
            "Run a second network on the same pictures and show what differs", "", "compare", True, "Model",
        ))  # fmt: skip
        box = QCheckBox("Compare with …", self)
        box.setObjectName("live.compare")
        box.setToolTip(self.switch.toolTip())
        box.toggled.connect(self.switch.setChecked)
        self.switch.toggled.connect(box.setChecked)
        self._modes = QWidget(self)
        self._modes.setObjectName("live.compare-mode")
        self._modes.setAccessibleName("How both answers are shown")
        row = QHBoxLayout(self._modes)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.actions_by_mode = {}
        for mode, (title, tip) in _TITLES.items():
            action = declare(
                context.commands, Command(f"live.compare-{mode}", title, partial(self.set_mode, mode), tip)
            )
            action.setCheckable(True)
            self.actions_by_mode[mode] = action
            row.addWidget(text_button(self._modes, action, f"live.compare-mode-{mode}"), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(box, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.model)
        column.addWidget(self._modes)
        self.model.wanted.connect(self._open)
        self.model.stopped.connect(partial(lane.close_model, 1))
        self._arrange()

    @property
    def on(self) -> bool:
        """Whether two networks are compared."""
        return self.switch.isChecked()

    def fill(self, listed: tuple[Mapping[str, ZooModel], dict[str, Here]]) -> None:
        """Take the list of networks."""
        self.model.fill(*listed)

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what matters less."""
        self.strip.set_narrow(narrow)

    def set_mode(self, mode: str) -> None:
        """Show both answers side by side, with a wipe, or as their difference."""
        if mode not in MODES:
            raise ValueError(f"a mode is one of {', '.join(MODES)}, not {mode!r}")
        self.mode = mode
        self._arrange()

    def _switched(self, on: bool) -> None:
        """Open a second network where one suggests itself; let go of it when the comparison ends."""
        if not on:
            self._lane.close_model(1)
            self.model.show_state(None)
            self.strip.clear()
        elif self.model.chosen is None:
            first = self._lane.newest.model
            suggested = self.model.suggestion(first.name if first is not None else "")
            if suggested is not None:
                self.model.choose(*suggested)
                self._open(*suggested)
        else:
            self.model.weights.activated.emit(self.model.weights.currentIndex())
        self._arrange()

    def _open(self, name: str, weights: str | Path) -> None:
        self._notices.settle("live")
        self._lane.open_model(name, weights, place=1)

    def show_state(self, state: LiveState) -> None:
        """Show what the lane does."""
        self._state = state
        if state.model is not None:
            self.model.set_task(state.model.task)
        if self.on:
            self.model.show_state(state.other)
        if state.phase != "ready" or state.other is None or state.other.phase != "ready":
            self.strip.clear()
        self._arrange()

    def show_result(self, result: LiveResult) -> None:
        """Tell of an answer in words and milliseconds; of what was not done again the last times stay."""
        other = result.other
        models = result.model, None if other is None else other.model
        before = [
            old if model is known else {} for old, model, known in zip(self._times, models, self._timed, strict=True)
        ]
        fresh = result.milliseconds, {} if other is None else other.milliseconds
        self._times = {**before[0], **fresh[0]}, {**before[1], **fresh[1]}
        self._timed = models
        if self.on and other is not None:
            self.strip.show_result(result, self._times)

    def _arrange(self) -> None:
        """Show what belongs to the mode; without a second answer the picture stays as it is without a comparison."""
        state = self._state
        both = self.on and state is not None and state.phase == "ready"
        both = both and state.other is not None and state.other.phase == "ready"
        self.model.setVisible(self.on)
        self._modes.setVisible(self.on)
        self.strip.setVisible(both)
        for mode, action in self.actions_by_mode.items():
            action.setChecked(mode == self.mode)
            action.setEnabled(self.on)
        names = (_told(state, state.other), _told(state.other, state)) if both else ("", "")
        if both and (numbers := self.model.precision.currentData()) is not None:
            names = names[0], f"{names[1]}, {numbers}"
        self.views.set_mode(self.mode if both else "", names)


def _told(state: LiveState, other: LiveState) -> str:
    """What a side is called: with its weights where both are the same network, and with a warning where random."""
    assert state.model is not None
    title = state.model.title
    if state.weights == RANDOM:
        return f"{title}, random weights: means nothing"
    if state.flaws:
        return f"{title}, weights with NaN: means nothing"
    return f"{title}, {state.weights}" if other.model is state.model else title
