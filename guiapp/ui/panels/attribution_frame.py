"""The frame of the attribution panel: its controls and views, and where they stand in a low, a high or a wide panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.attribution_controls import MethodRow, TargetRow
from guiapp.ui.panels.attribution_curves import CurvesPage
from guiapp.ui.panels.attribution_maps import MapsPage
from guiapp.ui.panels.attribution_sanity import SanityPage
from guiapp.ui.panels.attribution_settings import SettingsPage, scrolled
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.choice_list import ChoiceList
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.settled import settled

if TYPE_CHECKING:
    from guiapp.ui.panels.attribution_study import Found
    from guiapp.ui.widgets.attribution_grid import MapGrid

_WIDE = 640  # pixels from which the controls stand beside the maps, where it is no taller than wide
_COLUMN = 300  # pixels of the controls there
_ONE_LINE = 520  # pixels of the maps from which all about their colours stands in one line
_MORE_FROM = 560  # height from which five rows of choices have room
_FULL_FROM = 400  # height of a wide panel from which eight have
_EMPTY = "Open an experiment, or a network in the Live room, to see what in a picture its answer rests on."


class AttributionFrame(Panel):
    """Controls above the maps, or beside them where it is wide.

    Attributes:
        row: View and methods; ``target_row``: what is explained; ``page``: parameters.
        choices: The best answers, ``attribution.choices``; ``listed``: whether there are answers to choose from.
        maps, curves, sanity: The views.
        run: The study in the background; ``bar``: how far it is, and what was found in words.
    """

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.listed = False
        self.row = MethodRow(self)
        self.target_row = TargetRow(theme, self)
        self.choices = ChoiceList(theme, "attribution.choices", "Answers")
        self.page = SettingsPage(self)
        self.maps = MapsPage(theme, self)
        self.curves, self.sanity = CurvesPage(theme, self), SanityPage(theme, self)
        self.run = StudyRun(self)
        self.bar = StudyBar(self.run, "attribution", theme, self)
        self._build()

    def _build(self) -> None:
        self._controls = QVBoxLayout()
        self._controls.setSpacing(4)
        self._settings = scrolled(self.page, self)
        for widget in (self.row, self.target_row, self.choices, self._settings):
            self._controls.addWidget(widget)
        self._filler = QWidget(self)
        self._controls.addWidget(self._filler, 1)
        self.views = QStackedWidget(self)
        for page in (self.maps, self.curves, self.sanity):
            self.views.addWidget(page)
        shown = QVBoxLayout()
        shown.setSpacing(4)
        shown.addWidget(self.views, 1)
        shown.addWidget(self.bar)
        body = QWidget(self)
        self._sides = QBoxLayout(QBoxLayout.Direction.TopToBottom, body)
        self._sides.setContentsMargins(8, 4, 8, 4)
        self._sides.setSpacing(6)
        self._sides.addLayout(self._controls)
        self._sides.addLayout(shown, 1)
        self.empty = EmptyState(_EMPTY, parent=self)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.empty)
        self.pages.addWidget(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)  # it has another shape where it is narrow
        whole.addWidget(self.pages)

    @property
    def found(self) -> Found | None:
        """What the maps show, or None."""
        return self.maps.found

    @property
    def grid(self) -> MapGrid:
        """The maps."""
        return self.maps.grid

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 220)

    @settled
    def arrange(self, _on: object = None) -> None:
        """Controls beside the maps or above them; parameters take the place of the answers where it is low."""
        wide = self.width() >= max(_WIDE, self.height())
        self._sides.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        for widget in (self.row, self.target_row, self.choices, self._settings):
            widget.setFixedWidth(_COLUMN) if wide else widget.setMaximumWidth(16777215)
            if not wide:
                widget.setMinimumWidth(0)
        settings, high = self.row.settings.isChecked(), wide or self.height() >= _MORE_FROM
        self._settings.setVisible(settings)
        self._settings.setFixedHeight(min(self.page.sizeHint().height() + 2, max(60, self.height() // 3)))
        before, most = self.choices.most, 8 if wide and self.height() >= _FULL_FROM else 5 if high else 3
        self.choices.set_most(most)
        self.choices.setVisible(self.target_row.subject == "answer" and self.listed and (high or not settings))
        self._filler.setVisible(wide)
        self.maps.style_row.set_wide(self.width() - (_COLUMN if wide else 0) >= _ONE_LINE)
        if most != before:
            self.rows_changed()

    def rows_changed(self) -> None:
        """There is room for more answers, or for fewer."""
