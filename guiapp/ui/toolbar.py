"""The one row above the docks: back and forward, layouts, the newest message, search, messages, theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QPushButton, QToolBar, QToolButton, QWidget

from guiapp.ui import layouts
from guiapp.ui.icons import icon

if TYPE_CHECKING:
    from guiapp.ui.main_window import MainWindow


def make_toolbar(window: MainWindow) -> QToolBar:
    """The toolbar of ``window``; its commands must be declared."""
    bar = QToolBar("Layouts", window)
    bar.setObjectName("toolbar")
    bar.setMovable(False)
    bar.setFloatable(False)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    bar.setIconSize(QSize(16, 16))
    bar.setContentsMargins(0, 2, 0, 6)
    bar.addWidget(_gap(6))
    for name in ("view.back", "view.forward"):
        bar.addWidget(_icon_button(window, bar, name))
    bar.addWidget(_gap(8))
    for known in layouts.LAYOUTS:
        button = QToolButton(bar)
        button.setObjectName(f"toolbar.{known.id}")
        button.setDefaultAction(window.commands[f"layout.{known.id}"])
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        button.setProperty("text-button", True)
        button.ensurePolished()
        button.setMinimumWidth(button.sizeHint().width())
        bar.addWidget(button)
        bar.addWidget(_gap(4))
    bar.addWidget(window.notices)
    search = QPushButton(
        icon("search", role=QPalette.ColorRole.PlaceholderText), " Find an action, experiment, layer …   Ctrl+K", bar
    )
    search.setObjectName("toolbar.search")
    search.setProperty("search", True)
    search.setIconSize(QSize(14, 14))
    search.setToolTip(window.commands["palette.open"].toolTip())
    search.clicked.connect(window.commands["palette.open"].trigger)
    bar.addWidget(search)
    for name in ("help.messages", "view.theme-toggle"):
        bar.addWidget(_gap(4))
        bar.addWidget(_icon_button(window, bar, name))
    bar.addWidget(_gap(2))
    return bar


def _icon_button(window: MainWindow, bar: QToolBar, name: str) -> QToolButton:
    button = QToolButton(bar)
    button.setObjectName(f"toolbar.{name}")
    button.setDefaultAction(window.commands[name])
    return button


def _gap(width: int) -> QWidget:
    gap = QWidget()
    gap.setFixedWidth(width)
    return gap
