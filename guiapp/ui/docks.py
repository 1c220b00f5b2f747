"""Docks with one tidy title row: name, pin, menu, help, float, close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from guiapp.ui.icons import icon
from guiapp.ui.panel_table import PanelEntry

if TYPE_CHECKING:
    from guiapp.ui.panel import Panel

_TITLE_HEIGHT = 28


def small_button(parent: QWidget, name: str, symbol: str, tip: str) -> QToolButton:
    """A frameless icon button of a title row, named for tests and screen readers."""
    button = QToolButton(parent)
    button.setObjectName(name)
    button.setIcon(icon(symbol))
    button.setIconSize(QSize(14, 14))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


class _Title(QWidget):
    """Title row of a dock; dragging it moves the dock because the events it ignores reach the dock."""

    def __init__(self, dock: Dock, entry: PanelEntry) -> None:
        super().__init__(dock)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.label = QLabel(entry.title, self)
        self.label.setProperty("heading", True)
        self.pin = small_button(self, f"{entry.id}.pin", "pin", f"Pin what {entry.title} shows now, to compare")
        self.pin.setVisible(entry.pins)
        self.more = small_button(self, f"{entry.id}.more", "more", "Pin, copy or save what is seen")
        self.help = small_button(self, f"{entry.id}.help", "help", f"What {entry.title} shows")
        self.float = small_button(self, f"{entry.id}.float", "float", "Float in a window of its own, or dock again")
        self.close_button = small_button(self, f"{entry.id}.close", "close", "Close; the View menu brings it back")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 4, 2)
        row.setSpacing(0)
        row.addWidget(self.label, 1)
        for button in (self.pin, self.more, self.help, self.float, self.close_button):
            row.addWidget(button)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setFixedHeight(_TITLE_HEIGHT)
        self.pin.clicked.connect(lambda: dock.pin_asked.emit(entry.id))
        self.more.clicked.connect(lambda: dock.menu_asked.emit(entry.id, self.more))
        self.help.clicked.connect(lambda: dock.help_asked.emit(entry.id))
        self.float.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        self.close_button.clicked.connect(dock.close)
        self.shown = True
        dock.topLevelChanged.connect(lambda floating: self.float.setIcon(icon("dock" if floating else "float")))

    def sizeHint(self) -> QSize:
        return QSize(120, _TITLE_HEIGHT if self.shown else 0)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class Dock(QDockWidget):
    """One dock of the window; its panel arrives later.

    Attributes:
        entry: The line of the panel table.
        panel: What stands in it, once it is there.
        help_asked: Emitted with the panel id when the help button is pressed.
        pin_asked: Likewise for the pin.
        menu_asked: Likewise for the menu, with the button below which it opens.
    """

    help_asked = Signal(str)
    pin_asked = Signal(str)
    menu_asked = Signal(str, object)

    def __init__(self, entry: PanelEntry, parent: QWidget) -> None:
        super().__init__(entry.title, parent)
        self.entry = entry
        self.panel: Panel | None = None
        self.setObjectName(f"{entry.id}-panel")
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
            | QDockWidget.DockWidgetFeature.DockWidgetClosable
        )
        self._title = _Title(self, entry)
        self.setTitleBarWidget(self._title)
        self.setWidget(QWidget(self))
        self.topLevelChanged.connect(lambda floating: floating and self.widget().setFocus())
        if entry.area in ("top", "bottom"):  # the middle takes the room that a larger window gives
            self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def filled(self) -> bool:
        """Whether the panel itself is there."""
        return self.widget().objectName() == self.entry.id

    def fill(self, panel: Panel) -> None:
        """Put the panel in."""
        self.panel, empty = panel, self.widget()
        panel.setObjectName(self.entry.id)
        panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWidget(panel)
        empty.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if self.panel is not None:
            self.panel.put_away()

    def show_title(self, shown: bool) -> None:
        """Show the title row, or take it away where a tab says the same."""
        if self._title.shown != shown:
            self._title.shown = shown
            self._title.setFixedHeight(_TITLE_HEIGHT if shown else 0)
            self._title.setVisible(shown)
