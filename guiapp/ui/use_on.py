"""Use on …: the chosen run, or the experiment that is open, on a camera, a video or a folder, with one click."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from guiapp.ui.commands import Command
from guiapp.ui.icons import icon
from guiapp.ui.widgets.buttons import declare

if TYPE_CHECKING:
    from guiapp.ui.commands import Commands
    from guiapp.ui.main_window import MainWindow
    from guiapp.ui.panels.live import LivePanel
    from guiapp.ui.panels.own import OwnPanel

KINDS = {"camera": ("Use on the camera", "camera"), "video": ("Use on a video…", "video"),
         "folder": ("Use on a folder of pictures…", "folder")}  # fmt: skip
_TIP = "Run the chosen run, or the open experiment's network, on {} in the live room"


class UseOn(QObject):
    """Declares ``run.use-on-camera``, ``run.use-on-video`` and ``run.use-on-folder`` and carries them out.

    Args:
        window: The window, whose live room is used.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._follows_own = False
        what = {"camera": "a camera", "video": "a video", "folder": "the pictures of a folder"}
        for kind, (title, symbol) in KINDS.items():
            action = declare(window.commands, Command(
                f"run.use-on-{kind}", title, getattr(self, f"on_{kind}"), _TIP.format(what[kind]), "", symbol,
                menu="Run",
            ))  # fmt: skip
            action.setEnabled(False)
        window.bridge.state_changed.connect(lambda _state: self.follow())
        window.files.network_elsewhere = self.take_file

    def follow(self) -> None:
        """There must be something to use."""
        for kind in KINDS:
            self._window.commands[f"run.use-on-{kind}"].setEnabled(bool(self.network))

    @property
    def network(self) -> str:
        """Name of what would be used: the folder of the one run that is chosen in the list of runs, else the open one.

        Empty where nothing is open.
        """
        from guiapp.engine.open_trained import OPEN

        runs = self._window.built("runs")
        chosen = runs.chosen() if runs is not None and runs.isVisible() else []
        if len(chosen) == 1 and chosen[0].folder != self._window.bridge.state.run:
            return str(chosen[0].folder)
        return OPEN if self._window.bridge.state.opened is not None else ""

    def on_camera(self) -> None:
        """Use it on the first camera; the live room's Camera button lists the others."""
        from guiapp.sources.camera import list_cameras

        found = list_cameras()
        if found == []:
            self._window.context.notices.post(
                "warning", "No camera is plugged in; plug one in, or use a video or a folder.", topic="live source"
            )
            return
        self.use(f"camera:{found[0].index if found else 0}")

    def on_video(self) -> None:
        """Ask for a video."""
        from guiapp.sources.open import VIDEO_SUFFIXES

        patterns = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Use on a video", self._last(), f"Videos ({patterns});;All files (*)"
        )
        self._take(name)

    def on_folder(self) -> None:
        """Ask for a folder of pictures."""
        self._take(QFileDialog.getExistingDirectory(self._window, "Use on a folder of pictures", self._last()))

    def take_file(self, path: Path) -> bool:
        """A file with a network that is dropped.

        ONNX runs at once; all others are looked into in the panel for one's own networks. Weights of no architecture
        that is known are compared with the network that is chosen in the live room.
        """
        if path.suffix.lower() != ".onnx":
            hidden = self._window.docks["live"].isHidden()
            chosen = None if hidden else self._window.panel("live").models.chosen
            self.own.open_file(path, otherwise=chosen.name if chosen is not None and chosen.draws else "")
            return True
        self._room().models.want(str(path))
        return True

    @property
    def own(self) -> OwnPanel:
        """The panel for one's own networks, shown."""
        panel = self._window.show_panel("own")
        if not self._follows_own:
            self._follows_own = True
            panel.wanted.connect(self._use_own)
        return panel

    def _use_own(self, path: Path) -> None:
        """Open a person's own network in the live room, with what shows its layers beside it."""
        if self._window.layout_id not in ("live", "live-inside"):
            self._window.use_layout("live-inside")
        self._room().models.want(str(path))
        self._window.show_panel("own")

    def _room(self) -> LivePanel:
        """The live room, shown."""
        if self._window.docks["live"].isHidden():
            self._window.use_layout("live")
        return self._window.show_panel("live")

    def use(self, source: str) -> None:
        """Open the network in the live room, and a source there: a path, an address or ``camera:0``."""
        network = self.network
        if not network:
            return
        panel = self._room()
        panel.models.want(network)
        panel.open_source(source)

    def _take(self, name: str) -> None:
        if name:
            self._window.settings.setValue("last-folder", str(Path(name).parent))
            self.use(name)

    def _last(self) -> str:
        return str(self._window.settings.value("last-folder", str(Path.home())))


def use_on_button(parent: QWidget, commands: Commands, name: str) -> QToolButton:
    """A small button that opens the menu of what a network can be used on."""
    button = QToolButton(parent)
    button.setObjectName(name)
    button.setIcon(icon("camera"))
    button.setToolTip("Use on … a camera, a video or a folder of pictures")
    button.setAccessibleName("Use on …")
    button.setAutoRaise(True)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(button)
    menu.setObjectName(f"{name}-menu")
    menu.addActions(actions(commands))
    button.setMenu(menu)
    return button


def actions(commands: Commands) -> list[QAction]:
    """What a network can be used on; none before the window has declared it."""
    return [commands[f"run.use-on-{kind}"] for kind in KINDS if f"run.use-on-{kind}" in commands.records]
