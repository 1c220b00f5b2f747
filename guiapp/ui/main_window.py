"""The window: docks, toolbar, menus, status bar, and what ties them to the engine."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QSizePolicy, QTabWidget, QWidget

from guiapp.core.notices import NoticeBoard
from guiapp.core.picture import Picture
from guiapp.core.registry import resolve
from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.engine.state import EngineState, LookResult, Opened
from guiapp.ui import layouts, session
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Commands
from guiapp.ui.context import Context
from guiapp.ui.docks import Dock
from guiapp.ui.drop import DropTarget
from guiapp.ui.help_cards import HelpCards
from guiapp.ui.looked_at import LookedAt
from guiapp.ui.menus import Menus
from guiapp.ui.notice_bar import NoticeBar
from guiapp.ui.open_files import OpenFiles
from guiapp.ui.panel import Panel
from guiapp.ui.panel_table import PANELS, PanelEntry, entry
from guiapp.ui.rooms import Rooms
from guiapp.ui.selection import follow
from guiapp.ui.status_bar import StatusBar
from guiapp.ui.studies import Studies
from guiapp.ui.tabs import TabStrips
from guiapp.ui.theme import MODES, Mode, Theme
from guiapp.ui.toolbar import make_toolbar
from guiapp.ui.window_commands import declare

_SHUTDOWN_SECONDS = 5.0
_BREATH_MS = 30  # between two panels that are built out of sight: what is going on goes on
_ROOM = "live"  # the layout that shows the live room alone


class MainWindow(QMainWindow):
    """The whole window. Panels are built after the first paint, one at a time, or when they are first asked for.

    Attributes:
        workspace: The shared selection.
        engine: The engine; shut down with the window.
        commands: Every action by id.
        context: What panels are given.
        docks: Docks by panel id.
        menus: The menus, which list commands.
        helps: Help texts on cards.
        layout_id: Id of the layout that was used last.
        first_painted: Emitted once, after the first completed paint.
        panels_built: Emitted once, when every panel that is open has been built.
    """

    first_painted = Signal()
    panels_built = Signal()

    def __init__(
        self, workspace: Workspace | None = None, engine: Engine | None = None, settings: QSettings | None = None
    ) -> None:
        super().__init__()
        self.setWindowTitle("Vision Explorer")
        self.setObjectName("window")
        self.workspace = workspace or Workspace()
        notices = engine.notices if engine is not None else NoticeBoard()
        self.engine = engine or Engine(notices)
        self.bridge = EngineBridge(self.engine, self.workspace, self)
        self.settings = settings or session.session_settings()
        self.theme = Theme(session.wanted_mode(self.settings), self)
        self.theme.apply()
        self.menus, self.helps = Menus(self), HelpCards(self)
        self.commands = Commands(self, self.menus.put, self._build_for)
        self.context = Context(self.workspace, self.bridge, self.commands, notices, self.theme, self.settings)
        self._panels: dict[str, Panel] = {}
        self._broken: set[str] = set()
        self._guests: set[str] = set()
        self._painted = self._closing = False
        self.installEventFilter(self)
        self._opened: Opened | None = None
        self._phase = "empty"
        self.layout_id = layouts.LAYOUTS[0].id

        self._prepare_frame()
        self.docks = {p.id: self._dock(p) for p in PANELS}
        self._tabs = TabStrips(self, self.docks)
        self.status = StatusBar(self.theme, self)
        self.setStatusBar(self.status)
        self.notices = NoticeBar(notices, self.theme, self)
        self.files = OpenFiles(self.context, self)
        self.files.folder_chosen.connect(lambda folder: self.show_panel("source").show_folder(folder))
        self.files.pictures_chosen.connect(lambda paths: self.show_panel("source").show_pictures(paths))
        self.files.live_chosen.connect(self.open_live)
        self.files.elsewhere = self._take_live
        self.bridge.picture_wanted.connect(lambda picture: self.show_panel("live").show_picture(picture))
        self.bridge.panel_wanted.connect(self.show_panel)
        DropTarget(self, self.files)
        declare(self)
        self.looked_at = LookedAt(self)
        self.studies = Studies(self)
        self.files.study_chosen.connect(self.studies.open)
        self.files.recipe_chosen.connect(lambda path: self.show_panel("recipe").open_file(path))
        self.files.events_chosen.connect(lambda folder: self.show_panel("events").open(folder))
        self.addToolBar(make_toolbar(self))
        self._mark_theme()
        self.bridge.state_changed.connect(self._show_state)
        self.bridge.looked.connect(self._show_look)
        self.rooms = Rooms(self)
        for p in PANELS:
            if p.early:
                self.panel(p.id)
        self._arranged = session.restore(self)

    def _prepare_frame(self) -> None:
        self.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AnimatedDocks
        )
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        for corner in (Qt.Corner.TopLeftCorner, Qt.Corner.BottomLeftCorner):
            self.setCorner(corner, Qt.DockWidgetArea.LeftDockWidgetArea)
        for corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, Qt.DockWidgetArea.RightDockWidgetArea)
        # Docks fill the window. A centre of no height lets the middle column take what a larger window gives; without
        # any, Qt goes back to size hints whenever a panel changes.
        centre = QWidget(self)
        centre.setMaximumHeight(0)
        centre.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.setCentralWidget(centre)

    def _dock(self, line: PanelEntry) -> Dock:
        dock = Dock(line, self)
        dock.help_asked.connect(self.helps.show)
        dock.pin_asked.connect(self.pin)
        dock.menu_asked.connect(self._show_view_menu)
        dock.visibilityChanged.connect(lambda shown: shown and self._painted and self._try_panel(line.id))
        return dock

    # ------------------------------------------------------------------ panels

    def panel(self, name: str) -> Panel:
        """The panel ``name``, built now if it is not there yet.

        Raises:
            LookupError: If there is no such panel.
        """
        if name not in self._panels:
            made: Panel = resolve(entry(name).reference)(self.context, self.docks[name])
            self._panels[name] = made
            self.docks[name].fill(made)
            self.bridge.add_panel(made)
        return self._panels[name]

    def built(self, name: str) -> Panel | None:
        """The panel ``name`` where it is there already."""
        return self._panels.get(name)

    def build_all(self) -> None:
        """Build every panel that is not there yet."""
        for p in PANELS:
            self._try_panel(p.id)

    def _try_panel(self, name: str) -> None:
        """Build a panel; one that cannot be built says so in its place and leaves the others alone."""
        if name in self._broken:
            return
        try:
            self.panel(name)
        except Exception as error:  # noqa: BLE001 - a broken panel must not take the window with it
            self._broken.add(name)
            title = entry(name).title
            self.context.notices.post("error", f"The panel {title} cannot be shown: {error}", traceback.format_exc())
            self.docks[name].setWidget(_apology(f"{title} cannot be shown; see the message above."))

    def show_panel(self, name: str) -> Panel:
        """Show the dock of panel ``name`` in front and return the panel."""
        panel = self.panel(name)
        dock = self.docks[name]
        closed = dock.isHidden()
        dock.show()
        dock.raise_()
        if closed and self._painted:
            layouts.restore(self, self.docks, layouts.layout(self.layout_id), name)
        return panel

    def pin(self, name: str) -> None:
        """Keep what a panel shows beside what was pinned before."""
        from guiapp.ui.pins import pin_of

        made = pin_of(self, self.panel(name), entry(name).title)
        self.show_panel("pinned").add(made)

    def _show_view_menu(self, name: str, button: QWidget) -> None:
        from guiapp.ui.view_menu import view_menu

        pin = partial(self.pin, name) if entry(name).pins else None
        menu = view_menu(self.context, self.built(name), self, pin)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def _build_for(self, command: str) -> None:
        """Build the panel that declares a command."""
        name = command.partition(".")[0]
        if name in self.docks:
            self.panel(name)

    def _build_next(self) -> None:
        """Build one more panel, those in sight first, then let the window breathe."""
        if self._closing:
            return
        waiting = [p for p in PANELS if p.id not in self._panels and p.id not in self._broken]
        if not self._arranged and not any(self.layout_id in p.layouts for p in waiting):
            self._arranged = True  # the panels have come with widths of their own
            layouts.resize(self, self.docks, layouts.layout(self.layout_id))
        in_sight = [p for p in waiting if not self.docks[p.id].visibleRegion().isEmpty()]
        if waiting:
            self._try_panel((in_sight or waiting)[0].id)
            QTimer.singleShot(0 if in_sight else _BREATH_MS, self, self._build_next)
        else:
            self.panels_built.emit()

    # ------------------------------------------------------------------ frame

    def open_palette(self) -> None:
        """Open the command palette."""
        from guiapp.ui.palette import Palette
        from guiapp.ui.palette_entries import entries

        for card in self.findChildren(Palette):
            card.dismiss()
        self.build_all()
        Palette(self, self.theme, entries(self)).open()

    def set_panel_shown(self, name: str, shown: bool) -> None:
        """Show a panel in front, or close it."""
        dock = self.docks[name]
        if shown and dock.isHidden():
            self.show_panel(name)
        elif not shown and not dock.isHidden():
            dock.close()

    def set_theme(self, mode: Mode) -> None:
        """Follow the system, or stay light or dark."""
        self.theme.set_mode(mode)
        self._mark_theme()

    def toggle_theme(self) -> None:
        """Switch between light and dark."""
        self.set_theme("light" if self.theme.dark else "dark")

    def _mark_theme(self) -> None:
        for mode in MODES:
            self.commands[f"view.theme-{mode}"].setChecked(mode == self.theme.mode)

    def reset_layout(self) -> None:
        """Put every panel of the current layout back to its place."""
        self.use_layout(self.layout_id)

    def use_layout(self, name: str) -> None:
        """Arrange the docks as the layout ``name`` says."""
        self.layout_id = name
        layouts.arrange(self, self.docks, layouts.layout(name))
        for known in layouts.LAYOUTS:
            action = self.commands[f"layout.{known.id}"]
            action.setChecked(known.id == name)

    # ------------------------------------------------------------------ engine

    def open_experiment(self, name: str) -> None:
        """Open a catalogue entry."""
        self.rooms.open(name)

    def open_live(self, text: str) -> None:
        """Open a video, an address or a camera in the live room."""
        if self.docks["live"].isHidden():
            self.use_layout(_ROOM)
        self.show_panel("live").open_source(text)

    def _take_live(self, picture: Picture) -> bool:
        """A picture that is dropped or pasted while the live room is there and no viewer belongs to it."""
        taken = not self.docks["live"].isHidden() and self.docks["viewer"].isHidden()
        if taken:
            self.panel("live").show_picture(picture)
        return taken

    def _show_state(self, state: EngineState) -> None:
        self.status.show_state(state)
        if state.opened is not self._opened or (state.phase == "running") > (self._phase == "running"):
            self.context.notices.settle("learn")
        self._phase = state.phase
        if state.opened is not None and state.opened is not self._opened:
            old, self._opened = self._opened, state.opened
            follow(self.workspace, old, state.opened, str(self.settings.value("layer", "")))
            self.setWindowTitle(f"{state.opened.experiment.title} · Vision Explorer")
            alone = old is None and self.layout_id == _ROOM  # it was not chosen there: it brings nothing into the room
            if not alone and (old is None or old.experiment.id != state.opened.experiment.id):
                self.raise_panels(state.opened.experiment.panels, front=old is not None)

    def raise_panels(self, wanted: Sequence[str], front: bool = True) -> None:
        """Bring the panels of an experiment to the front.

        Panels that the layout does not show come and go with the experiments that name them; others stay closed where
        the person has closed them.
        """
        for name in self._guests - set(wanted):
            self.docks[name].close()
        self._guests &= set(wanted)
        for name in wanted:
            dock = self.docks.get(name)
            if dock is None:
                continue
            if dock.isHidden() and self.layout_id not in dock.entry.layouts:
                self._guests.add(name)
                self.show_panel(name)
            elif front and not dock.isHidden():
                dock.raise_()

    def _show_meter(self) -> None:
        """No meter twice: the live room has its own."""
        live, viewer = (name in self._panels and self._panels[name].isVisible() for name in ("live", "viewer"))
        self.status.set_looking(viewer or not live)

    def _show_look(self, look: LookResult) -> None:
        self.status.show_look(look)
        viewer = self._panels.get("viewer")
        if viewer is not None and viewer.isVisible():
            self.status.show_draw(viewer.draw_ms)

    # ------------------------------------------------------------------ events

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's own events from outside: no painting runs inside of a Python call, see ``Tips``."""
        if event.type() == QEvent.Type.StatusTip:
            return True  # tips would cover the runtime meter
        if event.type() == QEvent.Type.Paint and not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self._after_first_paint)
        return False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._arranged:  # sizes given to docks before the window has its own are lost
            layouts.resize(self, self.docks, layouts.layout(self.layout_id))

    def _after_first_paint(self) -> None:
        self.first_painted.emit()
        self.status.start()
        self._tabs.refresh()
        self._meter_soon = QTimer(self)  # goes with the window, as its docks are hidden
        self._meter_soon.setSingleShot(True)
        self._meter_soon.timeout.connect(self._show_meter)
        for name in ("live", "viewer"):
            self.docks[name].visibilityChanged.connect(self._meter_soon.start)
        self.panels_built.connect(self._show_meter)
        self.panel("catalogue").setFocus()
        self._build_next()
        if self.workspace.experiment and self.bridge.state.phase == "empty":
            self.rooms.open_first(self.workspace.experiment)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closing:
            self._closing = True
            session.remember(self)
            for panel in self._panels.values():
                panel.shut()
            self.bridge.close()
            self.notices.close_board()
            self.engine.shutdown(_SHUTDOWN_SECONDS)
        super().closeEvent(event)


def _apology(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("faint", True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    return label
