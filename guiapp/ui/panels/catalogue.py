"""The catalogue: chapters and experiments; one click opens one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QPalette, QShowEvent
from PySide6.QtWidgets import QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.icons import icon
from guiapp.ui.panel import Panel

_ID = Qt.ItemDataRole.UserRole


class CataloguePanel(Panel):
    """Tree of chapters and experiments with a filter; the open experiment is the chosen row.

    Attributes:
        tree: The tree, ``catalogue.tree``.
        filter: The filter line, ``catalogue.filter``.
    """

    id = "catalogue"
    title = "Catalogue"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.filter = QLineEdit(self)
        self.filter.setObjectName("catalogue.filter")
        self.filter.setPlaceholderText("Filter")
        self.filter.setAccessibleName("Filter the catalogue")
        self.filter.setClearButtonEnabled(True)
        self.filter.addAction(
            icon("search", role=QPalette.ColorRole.PlaceholderText), QLineEdit.ActionPosition.LeadingPosition
        )
        self.tree = QTreeWidget(self)
        self.tree.setObjectName("catalogue.tree")
        self.tree.setAccessibleName("Experiments")
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(10)
        self.tree.setUniformRowHeights(True)
        self.tree.setExpandsOnDoubleClick(False)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 8)
        column.setSpacing(4)
        column.addWidget(self.filter)
        column.addWidget(self.tree, 1)
        self.setFocusProxy(self.tree)
        self._items: dict[str, QTreeWidgetItem] = {}
        self._fill()
        self.tree.itemClicked.connect(self._clicked)
        self.tree.itemActivated.connect(self._activated)
        self.filter.textChanged.connect(self._narrow)
        self.filter.returnPressed.connect(self._open_first)
        context.workspace.subscribe("experiment", self._mark)
        context.commands.add(
            Command(
                "catalogue.open",
                "Open experiment",
                self.open_chosen,
                "Open the experiment chosen in the catalogue",
                icon="open",
                menu="File",
            )
        )
        context.commands.add(
            Command(
                "catalogue.find",
                "Find in the catalogue",
                self._find,
                "Filter the list of experiments",
                "Ctrl+Shift+E",
                "search",
                menu="View",
            )
        )
        self._mark(context.workspace.experiment)

    def _fill(self) -> None:
        from guiapp.catalogue import CHAPTERS, EXPERIMENTS

        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        for chapter, title in CHAPTERS.items():
            entries = [e for e in EXPERIMENTS.values() if e.chapter == chapter]
            if not entries:
                continue
            heading = QTreeWidgetItem(self.tree, [title])
            heading.setFont(0, bold)
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
            for entry in entries:
                item = QTreeWidgetItem(heading, [entry.title])
                item.setData(0, _ID, entry.id)
                item.setToolTip(0, f"{entry.title}\n{entry.summary}")
                self._items[entry.id] = item
            heading.setExpanded(True)

    def shown(self) -> list[str]:
        """Ids of the experiments that the filter lets through, from above."""
        return [name for name, item in self._items.items() if not item.isHidden()]

    def open(self, name: str) -> None:
        """Open the experiment ``name``."""
        self.context.bridge.open_experiment(name)

    def open_chosen(self) -> None:
        """Open the chosen row, the first that is shown if none is."""
        item = self.tree.currentItem()
        name = item.data(0, _ID) if item is not None else None
        shown = self.shown()
        if name is not None or shown:
            self.open(name or shown[0])

    def _clicked(self, item: QTreeWidgetItem) -> None:
        name = item.data(0, _ID)
        if name is None:
            item.setExpanded(not item.isExpanded())
        elif name != self.context.workspace.experiment:
            self.open(name)

    def _activated(self, item: QTreeWidgetItem) -> None:
        name = item.data(0, _ID)
        if name is not None and name != self.context.workspace.experiment:
            self.open(name)

    def _narrow(self, text: str) -> None:
        words = text.casefold().split()
        for row in range(self.tree.topLevelItemCount()):
            heading = self.tree.topLevelItem(row)
            seen = 0
            for index in range(heading.childCount()):
                item = heading.child(index)
                said = f"{heading.text(0)} {item.text(0)} {item.toolTip(0)} {item.data(0, _ID)}".casefold()
                item.setHidden(not all(word in said for word in words))
                seen += not item.isHidden()
            heading.setHidden(seen == 0)
            heading.setExpanded(True)

    def _open_first(self) -> None:
        shown = self.shown()
        if shown:
            self.open(shown[0])

    def _find(self) -> None:
        dock = self.window().findChild(QWidget, "catalogue-panel")
        if dock is not None:
            dock.show()
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    def _mark(self, name: str | None) -> None:
        item = self._items.get(name or "")
        if item is None:
            self.tree.setCurrentItem(None)
            self.tree.clearSelection()
            return
        self.tree.setCurrentItem(item)
        if self.isVisible():
            self.tree.scrollToItem(item)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        item = self.tree.currentItem()
        if item is not None:
            self.tree.scrollToItem(item)
