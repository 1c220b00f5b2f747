"""The remembered session: geometry, docks, layout, theme, experiment, layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QApplication

from guiapp.catalogue import DEFAULT, EXPERIMENTS
from guiapp.core import paths
from guiapp.ui import layouts
from guiapp.ui.theme import MODES, Mode

if TYPE_CHECKING:
    from guiapp.ui.main_window import MainWindow

VERSION = 3
"""Counted up when the docks of an older session would not fit any more."""


def session_settings() -> QSettings:
    """An INI file in the user's data folder."""
    return QSettings(str(paths.user_data() / "session.ini"), QSettings.Format.IniFormat)


def wanted_mode(settings: QSettings) -> Mode:
    """The theme that the command line forces, else the remembered one."""
    forced = QApplication.instance().property("theme")
    mode = str(forced or settings.value("theme", "system"))
    return mode if mode in MODES else "system"


def restore(window: MainWindow) -> bool:
    """Bring back the last session; return whether the docks have their places from it."""
    settings = window.settings
    window.resize(1280, 800)
    geometry = settings.value("geometry")
    if isinstance(geometry, QByteArray):
        window.restoreGeometry(geometry)
    name = str(settings.value("layout", ""))
    known = [layout.id for layout in layouts.LAYOUTS]
    window.use_layout(name if name in known else known[0])
    if window.workspace.experiment is None:
        name = str(settings.value("experiment", DEFAULT))
        window.workspace.experiment = name if name in EXPERIMENTS else DEFAULT
    state = settings.value("docks")
    return isinstance(state, QByteArray) and window.restoreState(state, VERSION)


def remember(window: MainWindow) -> None:
    """Write the session down."""
    settings = window.settings
    settings.setValue("geometry", window.saveGeometry())
    settings.setValue("docks", window.saveState(VERSION))
    settings.setValue("layout", window.layout_id)
    settings.setValue("theme", window.theme.mode)
    if window.workspace.experiment:
        settings.setValue("experiment", window.workspace.experiment)
    settings.setValue("layer", window.workspace.layer or "")
    settings.sync()
