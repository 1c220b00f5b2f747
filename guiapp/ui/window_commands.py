"""The commands of the window itself; panels declare their own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from guiapp.ui import layouts, report
from guiapp.ui.commands import Command
from guiapp.ui.panel_table import PANELS

if TYPE_CHECKING:
    from guiapp.ui.main_window import MainWindow


def declare(window: MainWindow) -> None:
    """Declare every command of ``window``."""
    _files(window)
    _views(window)
    _helps(window)


def _files(window: MainWindow) -> None:
    add, files = window.commands.add, window.files
    add(
        Command(
            "file.open-picture",
            "Open picture…",
            files.ask_picture,
            "Look at a picture file",
            "Ctrl+O",
            "image",
            menu="File",
        )
    )
    add(
        Command(
            "file.open-folder",
            "Open folder…",
            files.ask_folder,
            "Look through the pictures of a folder",
            "Ctrl+Shift+O",
            "folder",
            menu="File",
        )
    )
    add(
        Command(
            "file.open-run",
            "Open run folder…",
            files.ask_run,
            "Open a run that lies anywhere on the disk",
            icon="open",
            menu="File",
        )
    )
    add(
        Command(
            "file.open-network",
            "Open network file…",
            partial(_own, window, "ask"),
            "Open a network of your own: weights, TorchScript, torch.export, Python",
            "Ctrl+Shift+N",
            "open",
            menu="File",
        )
    )
    add(
        Command(
            "file.save-network",
            "Save network as…",
            partial(_own, window, "ask_save"),
            "Write the open network as safetensors, ONNX or torch.export program, checked to answer the same",
            icon="save",
            menu="File",
        )
    )
    add(
        Command(
            "file.paste",
            "Paste picture",
            files.paste,
            "Look at the picture or the file in the clipboard",
            "Ctrl+V",
            "paste",
            menu="Source",
        )
    )
    add(
        Command(
            "file.save-window",
            "Save picture of the window…",
            files.ask_save_window,
            "Save the window as it is now as a PNG file",
            "Ctrl+Shift+S",
            "save",
            menu="File",
        )
    )
    add(
        Command(
            "file.save-report",
            "Save report…",
            partial(report.ask_save, window),
            "Picture, answer, every view in sight and pinned, settings and versions as one HTML file",
            "Ctrl+Shift+R",
            "save",
            menu="File",
        )
    )
    add(
        Command(
            "file.quit",
            "Quit",
            window.close,
            "Close the window; a run that was training can be resumed",
            "Ctrl+Q",
            "quit",
            menu="File",
        )
    )


def _own(window: MainWindow, verb: str) -> None:
    """Let the panel for a person's own networks do something; it is built for that."""
    getattr(window.rooms.use_on.own, verb)()


def _views(window: MainWindow) -> None:
    add = window.commands.add
    for number, layout in enumerate(layouts.LAYOUTS, 1):
        action = add(
            Command(
                f"layout.{layout.id}",
                layout.title,
                partial(window.use_layout, layout.id),
                layout.tip,
                f"Ctrl+{number}",
                menu="View",
            )
        )
        action.setCheckable(True)
    add(
        Command(
            "layout.reset",
            "Reset layout",
            window.reset_layout,
            "Put every panel of this layout back to its place",
            "Ctrl+0",
            "layout",
            menu="View",
        )
    )
    for panel in PANELS:
        action = add(
            Command(
                f"view.{panel.id}",
                panel.title,
                partial(window.set_panel_shown, panel.id),
                f"Show or close the panel {panel.title}",
                panel.shortcut,
                checkable=True,
                menu="View",
            )
        )
        window.docks[panel.id].toggleViewAction().toggled.connect(action.setChecked)
    for mode, title in (("system", "Theme of the system"), ("light", "Light theme"), ("dark", "Dark theme")):
        action = add(Command(f"view.theme-{mode}", title, partial(window.set_theme, mode), menu="View"))
        action.setCheckable(True)
    add(
        Command(
            "view.theme-toggle",
            "Switch light and dark",
            window.toggle_theme,
            "Switch between light and dark",
            "Ctrl+Shift+L",
            "contrast",
        )
    )
    add(
        Command(
            "palette.open",
            "Find…",
            window.open_palette,
            "Find an action, experiment, layer, class or run",
            "Ctrl+K",
            "search",
            menu="View",
        )
    )


def _helps(window: MainWindow) -> None:
    add = window.commands.add
    add(
        Command(
            "help.experiment",
            "About this experiment",
            window.helps.show_experiment,
            "What the open experiment shows, its formula, what to look for",
            "F1",
            "help",
            menu="Help",
        )
    )
    add(
        Command(
            "help.panel",
            "About this panel",
            window.helps.show_panel,
            "What the panel with the focus shows",
            "Shift+F1",
            "info",
            menu="Help",
        )
    )
    add(
        Command(
            "help.messages",
            "Messages",
            window.notices.show_history,
            "All messages of this session",
            icon="bell",
            menu="Help",
        )
    )
    add(Command("help.about", "About Vision Explorer", window.helps.show_about, icon="info", menu="Help"))
