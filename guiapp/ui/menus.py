"""The menus of the window: each command in the one that it names, beside the others of its panel."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from guiapp.ui.commands import Command
from guiapp.ui.icons import icon

_NAMES = ("File", "View", "Source", "Model", "Run", "Help")
_LAST = ("file.quit", "help.about")
"""Commands that stay at the end of their menus."""


class Menus:
    """Menus by name: ``menus["File"]``."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._menus = {name: self._menu(name) for name in _NAMES}

    def __getitem__(self, name: str) -> QMenu:
        return self._menus[name]

    def _menu(self, name: str) -> QMenu:
        menu = self._window.menuBar().addMenu(f"&{name}")
        menu.setToolTipsVisible(True)
        menu.setObjectName(f"menu.{name.lower()}")
        return menu

    def actions(self) -> list[QAction]:
        """What all menus list."""
        return [action for menu in self._menus.values() for action in menu.actions()]

    def put(self, command: Command, action: QAction) -> None:
        """List a command where it belongs; its keys work in the whole window."""
        if command.icon:
            action.setIcon(icon(command.icon))
            action.setIconVisibleInMenu(True)
        self._window.addAction(action)
        if not command.menu:
            return
        menu = self._menus[command.menu]
        group = command.id.partition(".")[0]
        there = menu.actions()
        own = [
            i for i, a in enumerate(there) if a.objectName().partition(".")[0] == group and a.objectName() not in _LAST
        ]
        last = next((i for i, a in enumerate(there) if a.objectName() in _LAST), len(there))
        place = len(there) if command.id in _LAST else (own[-1] + 1 if own else last)
        before = there[place] if place < len(there) else None
        menu.insertAction(before, action)
        if not own and len(there) > 0:
            menu.insertSeparator(action)
