"""Buttons made from commands, so that tip, shortcut, icon and state are the command's own."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from guiapp.ui.commands import Command, Commands
from guiapp.ui.icons import icon


def declare(commands: Commands, command: Command) -> QAction:
    """Add a command, or return the one that has its id: two views of one thing share it."""
    if command.id in commands.records:  # asking the mapping itself would build the panel
        return commands[command.id]
    action = commands.add(command)
    if command.icon:
        action.setIcon(icon(command.icon))
    return action


def icon_button(parent: QWidget, action: QAction, name: str) -> QToolButton:
    """A small button with the icon of an action."""
    button = QToolButton(parent)
    button.setObjectName(name)
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setIconSize(QSize(16, 16))
    button.setAutoRaise(True)
    button.setAccessibleName(action.text())
    return button


def text_button(parent: QWidget, action: QAction, name: str, primary: bool = False) -> QPushButton:
    """A button with the title of an action; it follows the action's state."""
    button = QPushButton(action.text(), parent)
    button.setObjectName(name)
    button.setProperty("primary", primary)
    button.setCheckable(action.isCheckable())
    button.clicked.connect(lambda _=False: action.trigger())

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())
        if action.isCheckable():
            button.setChecked(action.isChecked())

    action.changed.connect(follow)
    follow()
    return button
