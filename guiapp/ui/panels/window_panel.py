"""What panels on classical detectors share: the live picture, and a window in it that is chosen, followed and sized."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.sample_page import sample_page
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.core.picture import Picture

WIDE = 620
"""Pixels from which the plots stand beside the picture, where it is no taller than wide."""
_PAUSE = 0.25
_STEPS = 200

Place = tuple[float, float, float]
"""Left, top and height of a window in pixels of the picture."""


class WindowPanel(Panel):
    """Picture above or at the left; what a detector makes of a window in it below or at the right.

    Sub-classes make ``image``, call ``_build`` with what stands beside it, and say what ``options`` ask of the probe.

    Attributes:
        exhibit: Catalogue entry that is opened where there is no picture.
        modes: What can be shown of the picture: title and value.
        modes_tip: What they are.
        found: What the window can follow, as the button says, and the tip of that button.
        extent_name: Name of the slider, and its tip.
        aspect: Width of a window to its height.
        measured: Which of left, top, width and height the slider sets: they are rounded on their own.
        image: The picture, ``<id>.picture``.
        views: What is shown of it, ``<id>.view``.
        follow: Whether the window follows what is found, ``<id>.follow``.
        extent: Height of the window, ``<id>.<extent name>``.
        extent_text: The same in pixels.
        says: The line below the picture.
        verdict: What is said of the window.
        view: What is shown now, or None.
    """

    follows_live = True
    exhibit: ClassVar[str]
    modes: ClassVar[tuple[tuple[str, str], ...]]
    modes_tip: ClassVar[str]
    found: ClassVar[tuple[str, str]]
    extent_name: ClassVar[tuple[str, str]]
    aspect: ClassVar[float] = 1.0
    measured: ClassVar[int] = 3
    image: ImageView
    view: Any

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self._picture: Picture | None = None
        self._place: Place | None = None
        self.views = QComboBox(self)
        self.views.setObjectName(f"{self.id}.view")
        self.views.setAccessibleName("What is shown of the picture")
        self.views.setToolTip(self.modes_tip)
        for title, value in self.modes:
            self.views.addItem(title, value)
        self.follow = QPushButton(self.found[0], self)
        self.follow.setObjectName(f"{self.id}.follow")
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.follow.setToolTip(self.found[1])
        name, tip = self.extent_name
        self.extent = JumpSlider(theme, f"{self.id}.{name}", f"{name.capitalize()} of the window", self)
        self.extent.setRange(0, _STEPS)
        self.extent.setToolTip(tip)
        self.extent_text = QuietLabel(f"{self.id}.{name}-text", self, theme.faint)
        self.extent_text.set_room("0000 px")
        self.says = QuietLabel(f"{self.id}.told", self)
        self.verdict = QuietLabel(f"{self.id}.verdict", self)
        self.views.currentIndexChanged.connect(self._show_picture)
        self.follow.clicked.connect(self._follow)
        self.extent.sliderMoved.connect(self._resize)
        theme.changed.connect(self._restyle)

    def _build(self, right: QVBoxLayout) -> None:
        """Lay the panel out; ``right`` holds what is told of the window, below its verdict."""
        self.image.setObjectName(f"{self.id}.picture")
        self.image.setMinimumSize(120, 60)
        self.image.clicked.connect(self._click)
        self.image.describe = self._describe
        tools = QHBoxLayout()
        tools.setSpacing(4)
        tools.addWidget(self.views)
        tools.addWidget(self.follow)
        tools.addWidget(self.extent, 1)
        tools.addWidget(self.extent_text)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addLayout(tools)
        left.addWidget(self.image, 1)
        left.addWidget(self.says)
        right.setSpacing(4)
        right.insertWidget(0, self.verdict)
        page = QWidget(self)
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom, page)
        self._columns.setContentsMargins(8, 4, 8, 6)
        self._columns.setSpacing(8)
        self._columns.addLayout(left, 5)
        self._columns.addLayout(right, 6)
        self.empty = sample_page(self, self.exhibit)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._pages)

    @property
    def _beside(self) -> bool:
        """Whether the plots stand beside the picture."""
        return self.width() >= max(WIDE, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._columns.setDirection(across if self._beside else down)

    # ------------------------------------------------------------------ answers

    def options(self, place: Place | None) -> object:
        """What is asked of the probe for a window; None follows what is found."""
        raise NotImplementedError

    def request(self) -> Request | None:
        """The chosen window, or the one that is followed; nothing of the small samples of an experiment."""
        if self.context.bridge.subject != "live":
            return None
        return Request(self.id, self.options(self._place), _PAUSE)

    def show_state(self, state: EngineState) -> None:
        """Say what to do while the live room is not looked at."""
        if self.context.bridge.subject != "live" or state.opened is None:
            self.view = self._picture = None
            self._pages.setCurrentWidget(self.empty)

    def show_look(self, result: LookResult) -> None:
        """Show the picture with the answer for it."""
        view = result.results.get(self.id)
        if result.picture is None or view is None:
            return
        self._take(view)
        self.view, self._picture = view, result.picture
        self._pages.setCurrentIndex(1)
        self._show_picture()
        self._show_window()

    def _take(self, view: Any) -> None:
        """An answer comes; ``view`` is still the one before."""

    @property
    def mode(self) -> str:
        """Value of what is shown of the picture, one of ``modes``."""
        return str(self.views.currentData())

    def _show_picture(self) -> None:
        """The picture, or what the detector makes of it, with what lies over it."""
        if self.view is None or self._picture is None:
            return
        self._show_mode(self._picture)
        self._lay()
        self._tell()

    def _show_mode(self, picture: Picture) -> None:
        """Show what is chosen of the picture."""
        raise NotImplementedError

    def _scale(self) -> tuple[float, float]:
        """Pixels of the picture to one of what is shown, across and down."""
        raise NotImplementedError

    def _lay(self) -> None:
        """Put over the picture what belongs there."""
        raise NotImplementedError

    def _show_window(self) -> None:
        """Show what the detector makes of the window."""
        raise NotImplementedError

    def _tell(self) -> None:
        """Write the line below the picture."""
        raise NotImplementedError

    def _describe(self, column: int, row: int) -> str:
        """What is under the pointer."""
        raise NotImplementedError

    def _faint(self) -> tuple[QuietLabel, ...]:
        """Labels in the faint colour."""
        return (self.extent_text,)

    def _restyle(self) -> None:
        for label in self._faint():
            label.ink = self.context.theme.faint
            label.update()
        self._lay()

    # ------------------------------------------------------------------ selection

    def _extents(self) -> tuple[float, float]:
        """Least and greatest height of a window in pixels of the picture."""
        raise NotImplementedError

    def _show_extent(self) -> None:
        """Put the slider where the window is."""
        height = self.view.area[self.measured]
        self.extent_text.set_text(f"{height:.0f} px")
        if not self.extent.isSliderDown():
            low, high = self._extents()
            share = math.log(max(height, low) / low) / max(1e-9, math.log(high / low))
            self.extent.blockSignals(True)
            self.extent.setValue(round(share * _STEPS))
            self.extent.blockSignals(False)

    def _ask(self, place: Place | None) -> None:
        """Look at another window."""
        self._place = place
        self.follow.setChecked(place is None)
        self.request_changed.emit()

    def _follow(self, on: bool) -> None:
        view = self.view
        self._ask(None if on or view is None else (*view.area[:2], view.area[self.measured]))

    def _click(self, x: float, y: float) -> None:
        """Look at the window about that place of what is shown."""
        if self.view is not None:
            across, down = self._scale()
            self._look_about(x * across, y * down, self.view.area[self.measured])

    def _look_about(self, x: float, y: float, height: float) -> None:
        """Look at the window with this middle, in pixels of the picture."""
        self._ask((x - height * self.aspect / 2, y - height / 2, height))

    def _resize(self, value: int) -> None:
        """Another size about the same middle."""
        if self.view is not None:
            low, high = self._extents()
            left, top, width, height = self.view.area
            self._look_about(left + width / 2, top + height / 2, low * (high / low) ** (value / _STEPS))
