"""The button of the Live room by which the screen, or a region of it, becomes the source."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from guiapp.core.notices import UserError
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.icons import icon
from guiapp.ui.widgets.buttons import declare
from guiapp.ui.widgets.region_selector import RegionChoice

EXAMPLE = "screen:0,0,640,480"


class LiveScreen(QPushButton):
    """Opens a menu: the whole screen, a region by mouse, a region by numbers.

    Attributes:
        chosen: Emitted with ``screen:`` or ``screen:X,Y,WIDTH,HEIGHT``.
        numbers: Emitted where the person wants to write the numbers.
        choice: The selectors that are open, or None.
    """

    chosen = Signal(str)
    numbers = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(icon("screen"), "Screen", parent)
        self._context = context
        self.choice: RegionChoice | None = None
        self.setObjectName("live.screen")
        self.setToolTip("The whole screen, or a region of it")
        commands = context.commands
        whole = declare(commands, Command(
            "live.open-screen", "Whole screen", lambda: self.chosen.emit("screen:"),
            "Look at the whole screen, all screens together", "", "screen", menu="Source",
        ))  # fmt: skip
        region = declare(commands, Command(
            "live.open-region", "Region of the screen…", self.ask_region,
            "Choose a region of the screen with the mouse and look at it", "", "screen", menu="Source",
        ))  # fmt: skip
        ways = QMenu(self)
        ways.addAction(whole)
        ways.addAction(region)
        ways.addAction("Region by numbers…", self.numbers.emit)
        self.setMenu(ways)

    def ask_region(self) -> None:
        """Let the person choose a region of the screen with the mouse."""
        from guiapp.sources.screen import check_session

        try:
            check_session()
        except UserError as error:
            self._context.notices.post("error", str(error), topic="live source")
            return
        self.choice = RegionChoice(self._context.theme.accent, lambda region: self.chosen.emit(f"screen:{region}"))
