"""The two rooms of the window, training and live: where a catalogue entry belongs, what is chosen in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from guiapp.catalogue import EXPERIMENTS
from guiapp.engine.samples import WALK, for_task
from guiapp.ui import layouts
from guiapp.ui.selection import Exchange, follow_inside
from guiapp.ui.use_on import UseOn

if TYPE_CHECKING:
    from guiapp.engine.live_records import LiveState
    from guiapp.engine.state import Inspected
    from guiapp.ui.main_window import MainWindow

LIVE_LAYOUTS = ("live", "live-inside")
_OWN_WIDTH = 420  # of the panel of an exhibit without layers, in a window of 1280


class Rooms(QObject):
    """Opens catalogue entries in their room and keeps the selection of the other one.

    Args:
        window: The window; its layout says which room is shown.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._exchange = Exchange(window.workspace)
        self.use_on = UseOn(window)
        self._inside: Inspected | None = None
        self._first = ""  # layer of an exhibit that is being opened
        bridge = window.bridge
        bridge.experiment_wanted.connect(self.open)
        bridge.subject_changed.connect(self._exchange.to)
        bridge.live_state.connect(self._follow)

    @property
    def live(self) -> bool:
        """Whether the live room is shown."""
        return self._window.layout_id in LIVE_LAYOUTS

    def open(self, name: str) -> None:
        """Open a catalogue entry; an experiment that is open behind the live room is only shown again."""
        window, entry = self._window, EXPERIMENTS[name]
        another, window.workspace.experiment = window.workspace.experiment != name, name
        if entry.live:
            window.use_layout("live-inside")
            window.raise_panels(entry.panels)
            self._make_room(entry.panels)
            live = window.show_panel("live")
            self._first = entry.layer or "" if another else ""
            live.open_network(entry.model)
            newest = window.engine.live.newest
            if newest.inside is not None and newest.model is not None and newest.model.name == entry.model:
                self._begin(newest.inside)  # it is open already, and stays so
            sample, kind = for_task(entry.task), live.feed.kind
            if not kind or (kind == "picture" and sample == WALK):  # there is something to see at once
                live.show_sample(sample)
            window.setWindowTitle(f"{entry.title} · Vision Explorer")
            return
        behind, opened = self.live, window.bridge.state.opened
        if behind:
            window.use_layout(layouts.LAYOUTS[0].id)
        if behind and opened is not None and opened.experiment.id == name:
            window.setWindowTitle(f"{entry.title} · Vision Explorer")
            window.raise_panels(entry.panels)
        else:
            window.engine.open_experiment(name)

    def _make_room(self, wanted: Sequence[str]) -> None:
        """A panel of its own, or a table that an exhibit is about, gets a wider column.

        What shows layers goes for an exhibit that has none.
        """
        window = self._window
        docks = [window.docks[name] for name in wanted if name in window.docks]
        own = [dock for dock in docks if dock.entry.area == "right" and window.layout_id not in dock.entry.layouts]
        if not own and wanted[-1] == "model":
            own = [window.docks["model"]]
        if not own:
            return
        if "model" not in wanted:
            for name, dock in window.docks.items():
                if dock.entry.area == "right" and name not in wanted:
                    dock.close()
        wide = round(_OWN_WIDTH * max(1.0, window.width() / 1280))
        window.resizeDocks(own[:1], [wide], Qt.Orientation.Horizontal)

    def open_first(self, name: str) -> None:
        """Open the entry of the last session in the layout of that session."""
        if not EXPERIMENTS[name].live:
            self._window.engine.open_experiment(name)
        else:
            self._window.status.device.setText("")  # no experiment starts
            if self.live:
                self.open(name)

    def _begin(self, inside: Inspected) -> None:
        """Choose the layer that an exhibit begins with, whatever was looked at before."""
        first, self._first = self._first, ""
        if first in {info.name for info in inside.layers} and self._window.bridge.subject == "live":
            workspace = self._window.workspace
            workspace.unit = workspace.overlay = None
            workspace.layer = first

    def _follow(self, state: LiveState) -> None:
        """Choose a layer of a network of the live room when its layers have become known."""
        if state.inside is self._inside:
            return
        self._inside = state.inside
        workspace = self._window.workspace
        if state.inside is not None and self._window.bridge.subject == "live":
            exhibit = EXPERIMENTS.get(workspace.experiment or "")
            first = exhibit.layer if exhibit is not None and exhibit.live else None
            follow_inside(workspace, state.inside, first or "")
            self._begin(state.inside)
