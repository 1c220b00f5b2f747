"""Actions on the network that several panels offer."""

from __future__ import annotations

from PySide6.QtGui import QAction

from guiapp.core.workspace import Workspace
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.widgets.buttons import declare


def restore_network(context: Context) -> QAction:
    """The action that switches every channel on again."""

    def restore() -> None:
        context.workspace.switched_off = {}
        context.workspace.boosted = {}

    action = declare(
        context.commands,
        Command(
            "model.restore",
            "Restore network",
            restore,
            "Switch every channel on, as it was",
            "",
            "reset",
            menu="Model",
        ),
    )
    action.setEnabled(is_changed(context.workspace))
    return action


def is_changed(workspace: Workspace) -> bool:
    """Whether channels of the network that is looked at are switched off, or stronger or weaker than they are."""
    return bool(workspace.switched_off or workspace.boosted)
