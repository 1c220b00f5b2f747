"""Views that were pinned: what a panel showed, as a picture, and the selection that it showed."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from guiapp.core.history import Moment
    from guiapp.ui.main_window import MainWindow
    from guiapp.ui.panel import Panel


@dataclass(frozen=True, eq=False)
class Pin:
    """One pinned view.

    Attributes:
        title: Name of the panel.
        lines: What it showed: network and step, picture, layer and channel, class.
        image: The panel as it looked, in device pixels.
        moment: The selection.
        show: Brings that selection back; False where it cannot now.
        time: When.
    """

    title: str
    lines: tuple[str, ...]
    image: QImage
    moment: Moment
    show: Callable[[], bool]
    time: datetime.datetime

    @property
    def text(self) -> str:
        """Everything in one line."""
        return " · ".join((self.title, *self.lines))


def pin_of(window: MainWindow, panel: Panel, title: str) -> Pin:
    """A panel as it is now."""
    time = datetime.datetime.now().replace(microsecond=0)
    moment = window.looked_at.now()
    again = partial(window.looked_at.show, moment)
    return Pin(title, words_of(window), panel.grab().toImage(), moment, again, time)


def words_of(window: MainWindow) -> tuple[str, ...]:
    """What is selected, in words: network and step, picture, layer and channel, class."""
    workspace, bridge = window.workspace, window.bridge
    live = bridge.subject == "live"
    opened = bridge.engine.live.newest.inside if live else bridge.state.opened
    lines = []
    if live:
        newest = bridge.engine.live.newest
        name = newest.model.title if newest.model is not None else ""
        lines.append(f"{name}, {'random weights' if newest.weights == 'random' else newest.weights}" if name else "")
    elif bridge.state.opened is not None:
        step = workspace.step if workspace.step is not None else bridge.state.step
        lines.append(f"{bridge.state.opened.experiment.title}, step {step:,}")
    picture = workspace.picture
    if live:
        look = bridge.live_look
        picture = look.picture if look is not None else None
    if picture is not None:
        place = f", frame {picture.origin.index}" if picture.origin.kind == "video" else ""
        lines.append(f"{picture.origin.name}{place}")
    if workspace.layer:
        lines.append(workspace.layer + (f", channel {workspace.unit}" if workspace.unit is not None else ""))
    labels = opened.labels if opened is not None else ()
    if workspace.class_index is not None and workspace.class_index < len(labels):
        lines.append(f"class {labels[workspace.class_index]}")
    off = sum(len(channels) for channels in workspace.switched_off.values())
    if off:
        lines.append(f"{off} channel{'s' if off > 1 else ''} off")
    boosted = sum(len(factors) for factors in workspace.boosted.values())
    if boosted:
        lines.append(f"{boosted} channel{'s' if boosted > 1 else ''} boosted")
    return tuple(line for line in lines if line)
