"""A clock that reads anew while a panel is shown, and at once when it is shown again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

if TYPE_CHECKING:
    from guiapp.ui.panel import Panel


class WhileShown(QTimer):
    """Ticks while a panel is shown.

    Args:
        panel: The panel.
        call: What is called when the panel is shown, and at each tick.
        milliseconds: Between two ticks.
    """

    def __init__(self, panel: Panel, call: Callable[[], object], milliseconds: int) -> None:
        super().__init__(panel)
        self._call = call
        self.setInterval(milliseconds)
        self.timeout.connect(call)
        panel.visibility_changed.connect(self._follow)

    def _follow(self, shown: bool) -> None:
        if shown:
            self._call()
            self.start()
        else:
            self.stop()
