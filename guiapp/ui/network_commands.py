"""Actions on the network that several panels offer."""

from __future__ import annotations

from PySide6.QtGui import QAction

from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.widgets.buttons import declare


def restore_network(context: Context) -> QAction:
    """The action that switches every channel on again."""

    def restore() -> None:
        context.workspace.switched_off = {}

    action = declare(
        context.commands,
        Command(
            "model.restore", "Restore network", restore, "Switch every channel on again", "", "reset", menu="Model"
        ),
    )
    action.setEnabled(bool(context.workspace.switched_off))
    return action
