"""What every panel is given: the selection, the engine, the commands, the messages and the look of the window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings

from guiapp.core.notices import NoticeBoard
from guiapp.core.workspace import Workspace
from guiapp.ui.recipe_draft import RecipeDraft

if TYPE_CHECKING:
    from guiapp.ui.bridge import EngineBridge
    from guiapp.ui.commands import Commands
    from guiapp.ui.theme import Theme


@dataclass
class Context:
    """Handed to every panel by the window.

    Attributes:
        workspace: The shared selection; used on the window's thread alone.
        bridge: The engine, its signals ``state_changed(EngineState)`` and ``looked(LookResult)``, its newest ``state``.
        commands: Every action of the window by id.
        notices: Where messages to the person go.
        theme: Colours of the current theme and its ``changed`` signal.
        settings: Remembered session.
    """

    workspace: Workspace
    bridge: EngineBridge
    commands: Commands
    notices: NoticeBoard
    theme: Theme
    settings: QSettings

    @cached_property
    def draft(self) -> RecipeDraft:
        """The recipe as every form of it shows it."""
        return RecipeDraft(self.bridge)
