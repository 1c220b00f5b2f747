"""The cascade panel: how boosted Haar features tell a face, window by window and stage by stage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.classic_options import CascadeOptions
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import cascade_words
from guiapp.ui.panels.sample_page import sample_page
from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.haar_plots import FeatureView, StageChart, VoteBars
from guiapp.ui.widgets.image_layers import Layer, RectLayer
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.rectangle_view import CornerLayer, Rectangle, RectangleView

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.cascade import CascadeView

_WIDE = 620  # pixels from which the plots stand beside the picture, where it is no taller than wide
_PAUSE = 0.25
_STEPS = 200
_VIEWS = (("Picture", "picture"), ("Integral image", "integral"), ("How far windows get", "reached"))
_VIEW_TIP = (
    "Picture: a click chooses the window\n"
    "Integral image: drag a rectangle; its sum comes from four numbers\n"
    "How far windows get: the most stages that a window about each place passes"
)


class CascadePanel(Panel):
    """Picture above or at the left; the window with a feature, votes and stages.

    Attributes:
        image: The picture, ``cascade.picture``.
        views: What is shown of it, ``cascade.view``.
        follow: Whether the window follows a found face, ``cascade.follow``.
        side: Size of the window, ``cascade.size``.
        feature: The window with a feature, ``cascade.feature``.
        votes: Votes of a stage, ``cascade.votes``.
        stages: All stages, ``cascade.stages``.
        view: What is shown now, or None.
    """

    id = "cascade"
    title = "Cascade"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.view: CascadeView | None = None
        self._picture: Picture | None = None
        self._face = 0
        self._place: tuple[float, float, float] | None = None
        self._rectangle: Rectangle | None = None
        self._stage: int | None = None
        self._stump: int | None = None
        self.image = RectangleView(theme, "cascade", self)
        self.image.setObjectName("cascade.picture")
        self.image.setMinimumSize(120, 60)
        self.views = QComboBox(self)
        self.views.setObjectName("cascade.view")
        self.views.setAccessibleName("What is shown of the picture")
        self.views.setToolTip(_VIEW_TIP)
        self.views.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.views.setMinimumContentsLength(9)
        for title, value in _VIEWS:
            self.views.addItem(title, value)
        self.follow = QPushButton("Face", self)
        self.follow.setObjectName("cascade.follow")
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.follow.setToolTip("Look at the window that speaks most for a face; off, it stays where it is")
        self.side = JumpSlider(theme, "cascade.size", "Size of the window", self)
        self.side.setRange(0, _STEPS)
        self.side.setToolTip("Size of the window")
        self.size_text = QuietLabel("cascade.size-text", self, theme.faint)
        self.size_text.set_room("0000 px")
        self.feature = FeatureView(theme, "cascade.feature")
        self.votes = VoteBars(theme, "cascade.votes")
        self.stages = StageChart(theme, "cascade.stages")
        self.told = QuietLabel("cascade.told", self)
        self.verdict = QuietLabel("cascade.verdict", self)
        self.about_feature = QuietLabel("cascade.about-feature", self)
        self.about_stage = QuietLabel("cascade.about-stage", self)
        self.scan = QuietLabel("cascade.scan", self, theme.faint)
        self._build()
        self.views.currentIndexChanged.connect(self._show_picture)
        self.follow.clicked.connect(self._follow)
        self.side.sliderMoved.connect(self._resize)
        self.image.clicked.connect(self._click)
        self.image.drawn.connect(self._draw)
        self.image.hovered.connect(lambda _where: self._tell())
        self.image.describe = self._describe
        self.votes.clicked.connect(self._choose_stump)
        self.votes.hovered.connect(lambda _item: self._tell_feature())
        self.stages.clicked.connect(self._choose_stage)
        self.stages.hovered.connect(lambda _item: self._tell_stage())
        theme.changed.connect(self._restyle)

    def _build(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(4)
        tools.addWidget(self.views)
        tools.addWidget(self.follow)
        tools.addWidget(self.side, 1)
        tools.addWidget(self.size_text)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addLayout(tools)
        left.addWidget(self.image, 1)
        left.addWidget(self.told)
        window = QHBoxLayout()
        window.setSpacing(8)
        window.addWidget(self.feature)
        window.addWidget(self.votes, 1)
        right = QVBoxLayout()
        right.setSpacing(4)
        right.addWidget(self.verdict)
        right.addLayout(window, 3)
        right.addWidget(self.about_feature)
        right.addSpacing(4)
        right.addWidget(self.stages, 4)
        right.addWidget(self.about_stage)
        right.addWidget(self.scan)
        page = QWidget(self)
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom, page)
        self._columns.setContentsMargins(8, 4, 8, 6)
        self._columns.setSpacing(8)
        self._columns.addLayout(left, 5)
        self._columns.addLayout(right, 6)
        self.empty = sample_page(self, "viola-jones")
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._pages)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= max(_WIDE, self.height())
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._columns.setDirection(across if beside else down)
        share = self.width() // 6 if beside else self.width() // 3
        self.feature.setFixedWidth(min(300, max(80, share, self.height() // 5 if not beside else 0), self.width() // 3))

    # ------------------------------------------------------------------ answers

    def request(self) -> Request | None:
        """The chosen window, or that of the face that is followed; nothing of the small samples of an experiment."""
        if self.context.bridge.subject != "live":
            return None
        if self._place is None:
            return Request("cascade", CascadeOptions(face=self._face), _PAUSE)
        left, top, side = self._place
        return Request("cascade", CascadeOptions(left=left, top=top, side=side), _PAUSE)

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
        if self.view is not None and view.searched != self.view.searched:
            self._rectangle = None
        self.view, self._picture = view, result.picture
        self._pages.setCurrentIndex(1)
        self._show_picture()
        self._show_window()

    @property
    def mode(self) -> str:
        """``"picture"``, ``"integral"`` or ``"reached"``."""
        return str(self.views.currentData())

    def _show_picture(self) -> None:
        """The picture, its integral image or how far windows get, with what lies over it."""
        view, picture = self.view, self._picture
        if view is None or picture is None:
            return
        self.image.drawing = self.mode == "integral"
        if self.mode == "integral":
            self.image.set_image(view.integral.pixels, palette_table(False))
        elif self.mode == "reached":
            self.image.set_image(view.reached.pixels, palette_table(False))
        elif self.image.array is not picture.pixels:
            self.image.set_image(picture.pixels)
        self._lay()
        self._tell()

    def _scale(self) -> tuple[float, float]:
        """Pixels of what is shown to one of the picture."""
        assert self.view is not None
        (width, height), (across, down) = self.image.image_size, self.view.size
        if self.mode == "integral":  # it has a row and a column of zeros before the first
            width, height = width - 1, height - 1
        return width / across, height / down

    def _lay(self) -> None:
        """Window, faces and the rectangle over what is shown."""
        view, theme = self.view, self.context.theme
        if view is None:
            return
        x, y = self._scale()
        layers: list[Layer] = []
        if self.mode != "integral":
            for left, top, width, height, votes in view.faces.tolist():
                colour = theme.good if votes > cascade_words.ALONE else theme.other
                layers.append(RectLayer((left * x, top * y, width * x, height * y), colour))
        left, top, width, height = view.area
        layers.append(RectLayer((left * x, top * y, width * x, height * y), theme.accent))
        if self.mode == "integral" and self._rectangle is not None:
            layers.append(CornerLayer(self._rectangle))
        self.image.set_layers(layers)

    def _show_window(self) -> None:
        view = self.view
        if view is None:
            return
        stage, stump = self.stage, self.stump
        begin, end = (int(n) for n in view.cascade.begins[stage : stage + 2])
        passage = view.passage
        self.feature.show_feature(view, stump)
        self.votes.show_votes(
            passage.votes[begin:end], passage.fired[begin:end], float(view.wanted[stage]), stump - begin
        )
        self.stages.show_stages(view, stage)
        self.verdict.set_text(*cascade_words.of_window(view))
        self.scan.set_text(*cascade_words.of_scan(view))
        self._tell_feature()
        self._tell_stage()
        side = view.area[2]
        self.size_text.set_text(f"{side:.0f} px")
        if not self.side.isSliderDown():
            low, high = self._sides()
            share = math.log(max(side, low) / low) / max(1e-9, math.log(high / low))
            self.side.blockSignals(True)
            self.side.setValue(round(share * _STEPS))
            self.side.blockSignals(False)

    def _sides(self) -> tuple[float, float]:
        """Least and greatest window in pixels of the picture."""
        assert self.view is not None
        scale = self.view.size[0] / self.view.searched[0]
        return 24 * scale, max(25 * scale, min(self.view.size))

    # ------------------------------------------------------------------ selection

    @property
    def stage(self) -> int:
        """The stage that is looked at: the one chosen, else the one that refuses the window, else the first."""
        if self._stage is not None:
            return self._stage
        return self.view.passed if self.view is not None and not self.view.face else 0

    @property
    def stump(self) -> int:
        """The feature that is looked at, among those of all stages."""
        assert self.view is not None
        begin, end = (int(n) for n in self.view.cascade.begins[self.stage : self.stage + 2])
        return min(begin + (self._stump or 0), end - 1)

    def _choose_stage(self, stage: int) -> None:
        self._stage, self._stump = stage, None
        self._show_window()

    def _choose_stump(self, index: int) -> None:
        self._stage, self._stump = self.stage, index
        self._show_window()

    def _ask(self, place: tuple[float, float, float] | None) -> None:
        """Look at another window."""
        self._place = place
        self._stage = self._stump = None
        self.follow.setChecked(place is None)
        self.request_changed.emit()

    def _follow(self, on: bool) -> None:
        if on or self.view is None:
            self._face = 0
            self._ask(None)
        else:
            self._ask(self.view.area[:3])

    def _click(self, x: float, y: float) -> None:
        """Follow the face that was clicked, else look at the window about that place."""
        view = self.view
        if view is None:
            return
        across, down = self._scale()
        x, y = x / across, y / down
        for index, (left, top, width, height, _) in enumerate(view.faces.tolist()):
            if left <= x < left + width and top <= y < top + height:
                self._face = index
                self._ask(None)
                return
        side = view.area[2]
        self._ask((x - side / 2, y - side / 2, side))

    def _resize(self, value: int) -> None:
        """Another size about the same middle."""
        view = self.view
        if view is None:
            return
        low, high = self._sides()
        side = low * (high / low) ** (value / _STEPS)
        x, y = view.area[0] + view.area[2] / 2, view.area[1] + view.area[3] / 2
        self._ask((x - side / 2, y - side / 2, side))

    def _draw(self, area: Rectangle) -> None:
        """A rectangle over the integral image, in pixels of the searched picture."""
        view = self.view
        if view is None:
            return
        left, top = min(area[0], view.searched[0] - 1), min(area[1], view.searched[1] - 1)
        self._rectangle = (
            left, top, min(area[2], view.searched[0] - left), min(area[3], view.searched[1] - top),
        )  # fmt: skip
        self._lay()
        self._tell()

    # ------------------------------------------------------------------ words

    def _describe(self, column: int, row: int) -> str:
        """What is under the pointer."""
        assert self.view is not None and self.image.array is not None
        if self.mode == "integral":
            total = int(self.view.table[row, column])
            return f"x {column}  y {row}  ·  {total:,} above and to the left"
        if self.mode == "reached":
            return f"{int(self.view.reached.values[0, row, column])} of {len(self.view.wanted)} stages"
        return f"x {column}  y {row}  ·  {' '.join(map(str, self.image.array[row, column].tolist()))}"

    def _tell(self) -> None:
        """The line below the picture."""
        view = self.view
        if view is None:
            return
        if self.mode == "integral":
            if self._rectangle is None:
                text = "drag a rectangle: its sum comes from four numbers"
                self.told.set_text(text, ("drag a rectangle",))
            else:
                self.told.set_text(*cascade_words.of_rectangle(view, self._rectangle))
        elif self.mode == "reached":
            text = f"yellow: a window about here passes all {len(view.wanted)} stages"
            self.told.set_text(f"{text}; violet: none", (text,))
        else:
            self.told.set_text(*cascade_words.of_faces(view))

    def _tell_feature(self) -> None:
        view = self.view
        if view is None:
            return
        begin = int(view.cascade.begins[self.stage])
        stump = self.stump if self.votes.hover is None else begin + self.votes.hover
        if begin <= stump < int(view.cascade.begins[self.stage + 1]):
            self.about_feature.set_text(*cascade_words.of_feature(view, self.stage, stump))
            self.feature.show_feature(view, stump)

    def _tell_stage(self) -> None:
        if self.view is not None:
            stage = self.stage if self.stages.hover is None else self.stages.hover
            self.about_stage.set_text(*cascade_words.of_stage(self.view, stage))

    def _restyle(self) -> None:
        for label in (self.scan, self.size_text):
            label.ink = self.context.theme.faint
            label.update()
        self._lay()
