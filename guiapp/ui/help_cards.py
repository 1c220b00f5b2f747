"""Help on cards over the window: of a panel, of the open experiment, of the program itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QWidget

from guiapp.catalogue import EXPERIMENTS
from guiapp.core import paths

if TYPE_CHECKING:
    from guiapp.ui.main_window import MainWindow


class HelpCards:
    """Shows one card at a time."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def show(self, topic: str, title: str | None = None, beside: QWidget | None = None) -> None:
        """Show the help text of a panel or an experiment on a card; once more closes it."""
        from guiapp.ui import help as helps

        window = self._window
        shown = [card for card in window.findChildren(helps.HelpCard) if not card.isHidden()]
        for card in shown:
            card.dismiss()
        if any(card.topic == topic for card in shown):
            return
        dock = window.docks.get(topic)
        heading = title or (dock.entry.title if dock is not None else topic)
        markdown = helps.text(topic)
        if markdown is None:
            window.context.notices.post("info", f"There is no help text for {heading} yet.")
            return
        helps.HelpCard(window, topic, heading, markdown).show_beside(beside or dock or window.notices)

    def show_experiment(self) -> None:
        """Show the help text of the open experiment."""
        opened = EXPERIMENTS.get(self._window.workspace.experiment or "")
        if opened is not None:
            self.show(opened.help or opened.id, opened.title, self._window.docks["catalogue"])

    def show_panel(self) -> None:
        """Show the help text of the panel that has the focus, of the viewer where none has."""
        focus = QApplication.focusWidget()
        for name, dock in self._window.docks.items():
            if focus is not None and dock.isAncestorOf(focus):
                self.show(name)
                return
        self.show("viewer")

    def show_about(self) -> None:
        """Say what this program is, with its versions and licence."""
        import platform

        import PySide6

        import guiapp
        from guiapp.ui.help import HelpCard

        text = (
            f"Version {guiapp.__version__}, MIT licence.\n\nTrain vision networks and look inside them while they "
            f"learn.\n\nPython {platform.python_version()}, Qt {PySide6.__version__}, {platform.platform()}\n\n"
            f"Runs, downloads and settings: `{paths.user_data()}`"
        )
        HelpCard(self._window, "about", "Vision Explorer", text).show_beside(self._window.notices)
