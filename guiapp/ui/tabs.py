"""Tabs of docks that share a place: the tab row takes over the title row's buttons, so there is one row, not two."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QCursor, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QTabBar, QWidget

from guiapp.ui.docks import Dock, small_button

_PADDING = 20  # pixels beside the name of a tab, as in the theme
_CLOSE = 10  # likewise where tabs stand close
_END = 4  # pixels behind the last button
_PULL = 24
"""Pixels by which a tab must be dragged out of its row to float."""


class _Corner(QWidget):
    """Menu, help, float and close at the right end of a tab row, for the dock in front."""

    def __init__(self, bar: QTabBar, strips: TabStrips) -> None:
        super().__init__(bar)
        self._bar = bar
        self._count = 0
        self._spared: list[QWidget] = []
        self.setObjectName("tabs.corner")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, _END, 0)
        row.setSpacing(0)
        self.more = small_button(self, "tabs.more", "more", "Pin, copy or save what is seen")
        self.more.clicked.connect(
            lambda: (dock := strips.front(bar)) is not None and dock.menu_asked.emit(dock.entry.id, self.more)
        )
        row.addWidget(self.more)
        for name, symbol, tip, act in (
            ("tabs.help", "help", "What this panel shows", lambda dock: dock.help_asked.emit(dock.entry.id)),
            ("tabs.float", "float", "Float in a window of its own", lambda dock: dock.setFloating(True)),
            ("tabs.close", "close", "Close; the View menu brings it back", lambda dock: dock.close()),
        ):
            button = small_button(self, name, symbol, tip)
            button.clicked.connect(lambda _=False, a=act: (dock := strips.front(bar)) is not None and a(dock))
            row.addWidget(button)
            self._spared.append(button)

    def fit(self) -> None:
        """Stand at the right end of the row; where tabs have no room beside it, names are cut off, not covered.

        Before a name is cut off, tabs move closer, and all buttons but the menu go: what they do, the View menu, F1 and
        dragging a tab out of its row do too.
        """
        bar = self._bar
        if bar.count() != self._count:
            self._count = bar.count()
            _find_last(bar)
        wide = bar.fontMetrics().horizontalAdvance
        names = [wide(bar.tabText(tab)) for tab in range(bar.count())]
        sizes = [button.sizeHint().width() for button in (self.more, *self._spared)]
        crowded = sum(names) + _CLOSE * len(names) + sum(sizes) + _END > bar.width() > 0
        for button in self._spared:
            button.setVisible(not crowded)
        size = QSize((sizes[0] if crowded else sum(sizes)) + _END, self.more.sizeHint().height())
        style = f"QTabBar::tab:last, QTabBar::tab:only-one {{ margin-right: {size.width()}px; }}"
        if sum(names) + _PADDING * len(names) + size.width() > bar.width() > 0:
            whole = names[bar.currentIndex()] + 2 if bar.currentIndex() >= 0 else 0
            beside = 4 if not crowded else 2
            style += f"QTabBar::tab {{ padding: 6px {beside}px; }} QTabBar::tab:selected {{ min-width: {whole}px; }}"
        if style != bar.styleSheet():
            bar.setStyleSheet(style)
        self.setGeometry(bar.width() - size.width(), (bar.height() - size.height()) // 2, size.width(), size.height())
        self.raise_()


def _find_last(bar: QTabBar) -> None:
    """Let Qt find the last tab: after one was put in before others it takes an earlier one for the last.

    That one then has the margin at the end of the row, and those behind it stand under the buttons.
    """
    last, front = bar.count() - 1, bar.currentIndex()
    if last < 1:
        return
    before = bar.blockSignals(True)
    bar.setTabVisible(last, False)
    bar.setTabVisible(last, True)
    bar.setCurrentIndex(front)
    bar.blockSignals(before)


class TabStrips(QObject):
    """Keeps title rows and tab rows of a window in step."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, Dock]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = {dock.windowTitle(): dock for dock in docks.values()}
        self._corners: dict[QTabBar, _Corner] = {}
        self._pressed: tuple[QPoint, Dock] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.refresh)
        for dock in docks.values():
            dock.visibilityChanged.connect(self._soon.start)
            dock.topLevelChanged.connect(self._soon.start)
            dock.dockLocationChanged.connect(self._soon.start)

    def front(self, bar: QTabBar) -> Dock | None:
        """The dock whose tab is in front."""
        return self._docks.get(bar.tabText(bar.currentIndex()))

    def refresh(self) -> None:
        """Hide the title rows of docks that have a tab, show the others."""
        for dock in self._docks.values():
            fellows = self._window.tabifiedDockWidgets(dock)
            dock.show_title(dock.isFloating() or all(fellow.isHidden() for fellow in fellows))
        bars = self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        for bar in bars:
            if bar not in self._corners:
                bar.setDrawBase(False)
                bar.setElideMode(Qt.TextElideMode.ElideRight)
                bar.setUsesScrollButtons(False)
                bar.installEventFilter(self)
                corner = self._corners[bar] = _Corner(bar, self)
                bar.currentChanged.connect(lambda _tab: self._soon.start())
                corner.show()
            self._corners[bar].fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(watched, QTabBar):
            return False
        kind = event.type()
        if kind in (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.LayoutRequest) and watched in self._corners:
            self._corners[watched].fit()
        elif isinstance(event, QMouseEvent) and kind == QEvent.Type.MouseButtonPress:
            dock = self._docks.get(watched.tabText(watched.tabAt(event.position().toPoint())))
            self._pressed = (event.position().toPoint(), dock) if dock is not None else None
        elif kind == QEvent.Type.MouseButtonRelease:
            self._pressed = None
        elif isinstance(event, QMouseEvent) and kind == QEvent.Type.MouseMove and self._pressed is not None:
            away = event.position().toPoint().y()
            if away < -_PULL or away > watched.height() + _PULL:
                dock, self._pressed = self._pressed[1], None
                dock.setFloating(True)
                dock.move(QCursor.pos() - QPoint(40, 12))
        return False
