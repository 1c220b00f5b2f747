"""What a panel on a classical detector says while there is no live picture: a button that brings one."""

from __future__ import annotations

from PySide6.QtGui import QAction

from guiapp.ui.panel import Panel
from guiapp.ui.widgets.empty_state import EmptyState

_TEXT = "No live picture yet: open a camera, a video or a picture in the Live room, or look at a street that is drawn."


def sample_page(panel: Panel, exhibit: str) -> EmptyState:
    """The page of a panel without a picture.

    Args:
        panel: Its panel; the button is named ``<id>.sample``.
        exhibit: The catalogue entry that is opened with the sample picture.
    """

    def show() -> None:
        panel.context.commands["live.open-sample"].trigger()
        panel.context.bridge.open_experiment(exhibit)  # after it, as the sample opens a network where none is

    action = QAction("Sample picture", panel)
    action.setToolTip("A street with faces and people, drawn by the program, in the Live room")
    action.triggered.connect(lambda _checked=False: show())
    return EmptyState(_TEXT, ((action, f"{panel.id}.sample"),), panel)
