"""The window: docks, toolbar, menus, status bar, and what ties them to the engine."""

from __future__ import annotations

import traceback
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QMainWindow,
    QMenu,
    QPushButton,
    QSizePolicy,
    QTabWidget,
    QToolBar,
    QToolButton,
    QWidget,
)

from guiapp.catalogue import DEFAULT, EXPERIMENTS
from guiapp.core import paths
from guiapp.core.notices import NoticeBoard
from guiapp.core.registry import resolve
from guiapp.core.workspace import Workspace
from guiapp.engine.engine import Engine
from guiapp.engine.state import EngineState, LookResult, Opened
from guiapp.ui import layouts
from guiapp.ui.bridge import EngineBridge
from guiapp.ui.commands import Command, Commands
from guiapp.ui.context import Context
from guiapp.ui.docks import Dock
from guiapp.ui.drop import DropTarget
from guiapp.ui.icons import icon
from guiapp.ui.notice_bar import NoticeBar
from guiapp.ui.open_files import OpenFiles
from guiapp.ui.panel import Panel
from guiapp.ui.panel_table import PANELS, entry
from guiapp.ui.selection import follow
from guiapp.ui.status_bar import StatusBar
from guiapp.ui.tabs import TabStrips
from guiapp.ui.theme import MODES, Mode, Theme
from guiapp.ui.window_commands import LAST, declare

_STATE_VERSION = 1
_MENUS = ("File", "View", "Source", "Model", "Run", "Help")
_SHUTDOWN_SECONDS = 5.0


def session_settings() -> QSettings:
    """The remembered session: an INI file in the user's data folder."""
    return QSettings(str(paths.user_data() / "session.ini"), QSettings.Format.IniFormat)


class MainWindow(QMainWindow):
    """The whole window. Panels are built after the first paint, one at a time, or when they are first asked for.

    Attributes:
        workspace: The shared selection.
        engine: The engine; shut down with the window.
        commands: Every action by id.
        context: What panels are given.
        docks: Docks by panel id.
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
        self.settings = settings or session_settings()
        self.theme = Theme(self._wanted_mode(), self)
        self.theme.apply()
        self.commands = Commands(self, self._list_command, self._build_for)
        self.context = Context(self.workspace, self.bridge, self.commands, notices, self.theme, self.settings)
        self._panels: dict[str, Panel] = {}
        self._broken: set[str] = set()
        self._painted = self._closing = False
        self._opened: Opened | None = None
        self._layout = layouts.LAYOUTS[0].id

        self.setDockNestingEnabled(True)
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
        self.docks = {p.id: Dock(p, self) for p in PANELS}
        for dock in self.docks.values():
            dock.help_asked.connect(self.show_help)
            dock.visibilityChanged.connect(
                lambda shown, d=dock: shown and self._painted and self._try_panel(d.entry.id)
            )
        self._tabs = TabStrips(self, self.docks)
        self._menus = {name: self._menu(name) for name in _MENUS}
        self.status = StatusBar(self.theme, self)
        self.setStatusBar(self.status)
        self.notices = NoticeBar(notices, self.theme, self)
        self.files = OpenFiles(self.context, self)
        self.files.folder_chosen.connect(self._show_folder)
        DropTarget(self, self.files)
        declare(self)
        self._make_toolbar()
        self._mark_theme()
        self.bridge.state_changed.connect(self._show_state)
        self.bridge.looked.connect(self._show_look)
        for p in PANELS:
            if p.early:
                self.panel(p.id)
        self._restore()

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
        dock.show()
        dock.raise_()
        return panel

    def show_help(self, topic: str, title: str | None = None, beside: QWidget | None = None) -> None:
        """Show the help text of a panel or an experiment on a card; once more closes it."""
        from guiapp.ui import help as helps

        shown = [card for card in self.findChildren(helps.HelpCard) if not card.isHidden()]
        for card in shown:
            card.dismiss()
        if any(card.topic == topic for card in shown):
            return
        dock = self.docks.get(topic)
        heading = title or (dock.entry.title if dock is not None else topic)
        markdown = helps.text(topic)
        if markdown is None:
            self.context.notices.post("info", f"There is no help text for {heading} yet.")
            return
        helps.HelpCard(self, topic, heading, markdown).show_beside(beside or dock or self.notices)

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
        if not self._arranged and not any(self._layout in p.layouts for p in waiting):
            self._arranged = True  # the panels have come with widths of their own
            layouts.resize(self, self.docks, layouts.layout(self._layout))
        in_sight = [p for p in waiting if not self.docks[p.id].visibleRegion().isEmpty()]
        if waiting:
            self._try_panel((in_sight or waiting)[0].id)
            QTimer.singleShot(0 if in_sight else 30, self, self._build_next)
        else:
            self.panels_built.emit()

    # ------------------------------------------------------------------ frame

    def _menu(self, name: str) -> QMenu:
        menu = self.menuBar().addMenu(f"&{name}")
        menu.setToolTipsVisible(True)
        menu.setObjectName(f"menu.{name.lower()}")
        return menu

    def _list_command(self, command: Command, action: QAction) -> None:
        if command.icon:
            action.setIcon(icon(command.icon))
            action.setIconVisibleInMenu(True)
        self.addAction(action)
        if not command.menu:
            return
        menu = self._menus[command.menu]
        group = command.id.partition(".")[0]
        there = menu.actions()
        own = [
            i for i, a in enumerate(there) if a.objectName().partition(".")[0] == group and a.objectName() not in LAST
        ]
        last = next((i for i, a in enumerate(there) if a.objectName() in LAST), len(there))
        place = len(there) if command.id in LAST else (own[-1] + 1 if own else last)
        before = there[place] if place < len(there) else None
        menu.insertAction(before, action)
        if not own and len(there) > 0:
            menu.insertSeparator(action)

    def _make_toolbar(self) -> None:
        bar = QToolBar("Layouts", self)
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.setIconSize(QSize(16, 16))
        bar.setContentsMargins(0, 2, 0, 6)
        bar.addWidget(_gap(6))
        for known in layouts.LAYOUTS:
            button = QToolButton(bar)
            button.setObjectName(f"toolbar.{known.id}")
            button.setDefaultAction(self.commands[f"layout.{known.id}"])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setProperty("text-button", True)
            button.ensurePolished()
            button.setMinimumWidth(button.sizeHint().width())
            bar.addWidget(button)
            bar.addWidget(_gap(4))
        bar.addWidget(self.notices)
        search = QPushButton(icon("search", self.theme.faint), " Find an action, experiment, layer …   Ctrl+K", bar)
        search.setObjectName("toolbar.search")
        search.setProperty("search", True)
        search.setIconSize(QSize(14, 14))
        search.setToolTip(self.commands["palette.open"].toolTip())
        search.clicked.connect(self.commands["palette.open"].trigger)
        bar.addWidget(search)
        for name in ("help.messages", "view.theme-toggle"):
            button = QToolButton(bar)
            button.setObjectName(f"toolbar.{name}")
            button.setDefaultAction(self.commands[name])
            bar.addWidget(_gap(4))
            bar.addWidget(button)
        bar.addWidget(_gap(2))
        self.addToolBar(bar)

    def open_palette(self) -> None:
        """Open the command palette."""
        from guiapp.ui.palette import Palette
        from guiapp.ui.palette_entries import entries

        for card in self.findChildren(Palette):
            card.dismiss()
        self.build_all()
        Palette(self, self.theme, entries(self)).open()

    def help_experiment(self) -> None:
        """Show the help text of the open experiment."""
        opened = EXPERIMENTS.get(self.workspace.experiment or "")
        if opened is not None:
            self.show_help(opened.help or opened.id, opened.title, self.docks["catalogue"])

    def help_panel(self) -> None:
        """Show the help text of the panel that has the focus, of the viewer where none has."""
        focus = QApplication.focusWidget()
        for name, dock in self.docks.items():
            if focus is not None and dock.isAncestorOf(focus):
                self.show_help(name)
                return
        self.show_help("viewer")

    def about(self) -> None:
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
        HelpCard(self, "about", "Vision Explorer", text).show_beside(self.notices)

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

    def _wanted_mode(self) -> Mode:
        forced = QApplication.instance().property("theme")
        mode = str(forced or self.settings.value("theme", "system"))
        return mode if mode in MODES else "system"

    def reset_layout(self) -> None:
        """Put every panel of the current layout back to its place."""
        self.use_layout(self._layout)

    def use_layout(self, name: str) -> None:
        """Arrange the docks as the layout ``name`` says."""
        self._layout = name
        layouts.arrange(self, self.docks, layouts.layout(name))
        for known in layouts.LAYOUTS:
            action = self.commands[f"layout.{known.id}"]
            action.setChecked(known.id == name)

    # ------------------------------------------------------------------ session

    def _restore(self) -> None:
        self.resize(1280, 800)
        geometry = self.settings.value("geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        name = str(self.settings.value("layout", self._layout))
        self.use_layout(name if any(known.id == name for known in layouts.LAYOUTS) else self._layout)
        state = self.settings.value("docks")
        self._arranged = isinstance(state, QByteArray) and self.restoreState(state, _STATE_VERSION)
        if self.workspace.experiment is None:
            name = str(self.settings.value("experiment", DEFAULT))
            self.workspace.experiment = name if name in EXPERIMENTS else DEFAULT

    def _remember(self) -> None:
        self.settings.setValue("geometry", self.saveGeometry())
        self.settings.setValue("docks", self.saveState(_STATE_VERSION))
        self.settings.setValue("layout", self._layout)
        self.settings.setValue("theme", self.theme.mode)
        if self.workspace.experiment:
            self.settings.setValue("experiment", self.workspace.experiment)
        self.settings.setValue("layer", self.workspace.layer or "")
        self.settings.sync()

    # ------------------------------------------------------------------ engine

    def open_experiment(self, name: str) -> None:
        """Open a catalogue entry."""
        self.workspace.experiment = name
        self.engine.open_experiment(name)

    def _show_state(self, state: EngineState) -> None:
        self.status.show_state(state)
        if state.opened is not None and state.opened is not self._opened:
            old, self._opened = self._opened, state.opened
            follow(self.workspace, old, state.opened, str(self.settings.value("layer", "")))
            self.setWindowTitle(f"{state.opened.experiment.title} · Vision Explorer")
            if old is not None and old.experiment.id != state.opened.experiment.id:
                for name in state.opened.experiment.panels:
                    if name in self.docks and not self.docks[name].isHidden():
                        self.docks[name].raise_()

    def _show_look(self, look: LookResult) -> None:
        self.status.show_look(look)
        viewer = self._panels.get("viewer")
        if viewer is not None and viewer.isVisible():
            self.status.show_draw(viewer.draw_ms)

    def _show_folder(self, folder: Path, first: Path | None) -> None:
        self.show_panel("source").show_folder(folder, first)

    # ------------------------------------------------------------------ events

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.StatusTip:
            return True  # tips would cover the runtime meter
        handled = super().event(event)
        if event.type() == QEvent.Type.Paint and not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self._after_first_paint)
        return handled

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._arranged:  # sizes given to docks before the window has its own are lost
            layouts.resize(self, self.docks, layouts.layout(self._layout))

    def _after_first_paint(self) -> None:
        self.first_painted.emit()
        self.status.start()
        self._tabs.refresh()
        self.panel("catalogue").setFocus()
        self._build_next()
        if self.workspace.experiment and self.bridge.state.phase == "empty":
            self.engine.open_experiment(self.workspace.experiment)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closing:
            self._closing = True
            self._remember()
            self.bridge.close()
            self.notices.close_board()
            self.engine.shutdown(_SHUTDOWN_SECONDS)
        super().closeEvent(event)


def _gap(width: int) -> QWidget:
    gap = QWidget()
    gap.setFixedWidth(width)
    return gap


def _apology(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("faint", True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    return label
