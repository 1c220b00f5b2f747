"""The cascade panel: how boosted Haar features tell a face, window by window and stage by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from guiapp.interpret.classic_options import CascadeOptions
from guiapp.ui.context import Context
from guiapp.ui.panels import cascade_words
from guiapp.ui.panels.window_panel import Place, WindowPanel
from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.haar_plots import FeatureView, StageChart, VoteBars
from guiapp.ui.widgets.image_layers import Layer, RectLayer
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.rectangle_view import CornerLayer, Rectangle, RectangleView

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.cascade import CascadeView


class CascadePanel(WindowPanel):
    """Picture above or at the left; the window with a feature, votes and stages.

    Attributes:
        feature: The window with a feature, ``cascade.feature``.
        votes: Votes of a stage, ``cascade.votes``.
        stages: All stages, ``cascade.stages``.
    """

    id = "cascade"
    title = "Cascade"
    exhibit = "viola-jones"
    modes = (("Picture", "picture"), ("Integral image", "integral"), ("How far windows get", "reached"))
    modes_tip = (
        "Picture: a click chooses the window\n"
        "Integral image: drag a rectangle; its sum comes from four numbers\n"
        "How far windows get: the most stages that a window about each place passes"
    )
    found = ("Face", "Look at the window that speaks most for a face; off, it stays where it is")
    extent_name = ("size", "Size of the window")
    measured = 2
    image: RectangleView
    view: CascadeView | None

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.view = None
        self._face = 0
        self._rectangle: Rectangle | None = None
        self._stage: int | None = None
        self._stump: int | None = None
        self.image = RectangleView(theme, "cascade", self)
        self.views.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.views.setMinimumContentsLength(9)
        self.feature = FeatureView(theme, "cascade.feature")
        self.votes = VoteBars(theme, "cascade.votes")
        self.stages = StageChart(theme, "cascade.stages")
        self.about_feature = QuietLabel("cascade.about-feature", self)
        self.about_stage = QuietLabel("cascade.about-stage", self)
        self.scan = QuietLabel("cascade.scan", self, theme.faint)
        window = QHBoxLayout()
        window.setSpacing(8)
        window.addWidget(self.feature)
        window.addWidget(self.votes, 1)
        right = QVBoxLayout()
        right.addLayout(window, 3)
        right.addWidget(self.about_feature)
        right.addSpacing(4)
        right.addWidget(self.stages, 4)
        right.addWidget(self.about_stage)
        right.addWidget(self.scan)
        self._build(right)
        self.image.drawn.connect(self._draw)
        self.image.hovered.connect(lambda _where: self._tell())
        self.votes.clicked.connect(self._choose_stump)
        self.votes.hovered.connect(lambda _item: self._tell_feature())
        self.stages.clicked.connect(self._choose_stage)
        self.stages.hovered.connect(lambda _item: self._tell_stage())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        share = self.width() // 6 if self._beside else max(self.width() // 3, self.height() // 5)
        self.feature.setFixedWidth(min(300, max(80, share), self.width() // 3))

    # ------------------------------------------------------------------ answers

    def options(self, place: Place | None) -> CascadeOptions:
        """The chosen window, or that of the face that is followed."""
        if place is None:
            return CascadeOptions(face=self._face)
        left, top, side = place
        return CascadeOptions(left=left, top=top, side=side)

    def _take(self, view: CascadeView) -> None:
        if self.view is not None and view.searched != self.view.searched:
            self._rectangle = None

    def _show_mode(self, picture: Picture) -> None:
        """The picture, its integral image or how far windows get."""
        assert self.view is not None
        self.image.drawing = self.mode == "integral"
        if self.mode == "integral":
            self.image.set_image(self.view.integral.pixels, palette_table(False))
        elif self.mode == "reached":
            self.image.set_image(self.view.reached.pixels, palette_table(False))
        elif self.image.array is not picture.pixels:
            self.image.set_image(picture.pixels)

    def _scale(self) -> tuple[float, float]:
        """Pixels of the picture to one of what is shown."""
        assert self.view is not None
        (width, height), (across, down) = self.image.image_size, self.view.size
        if self.mode == "integral":  # it has a row and a column of zeros before the first
            width, height = width - 1, height - 1
        return across / width, down / height

    def _lay(self) -> None:
        """Window, faces and the rectangle over what is shown."""
        view, theme = self.view, self.context.theme
        if view is None:
            return
        across, down = self._scale()
        x, y = 1 / across, 1 / down
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
        self._show_extent()

    def _extents(self) -> tuple[float, float]:
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

    def _ask(self, place: Place | None) -> None:
        self._stage = self._stump = None
        super()._ask(place)

    def _follow(self, on: bool) -> None:
        if on:
            self._face = 0
        super()._follow(on)

    def _click(self, x: float, y: float) -> None:
        """Follow the face that was clicked, else look at the window about that place."""
        view = self.view
        if view is None:
            return
        across, down = self._scale()
        for index, (left, top, width, height, _) in enumerate(view.faces.tolist()):
            if left <= x * across < left + width and top <= y * down < top + height:
                self._face = index
                self._ask(None)
                return
        super()._click(x, y)

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
                self.says.set_text(text, ("drag a rectangle",))
            else:
                self.says.set_text(*cascade_words.of_rectangle(view, self._rectangle))
        elif self.mode == "reached":
            text = f"yellow: a window about here passes all {len(view.wanted)} stages"
            self.says.set_text(f"{text}; violet: none", (text,))
        else:
            self.says.set_text(*cascade_words.of_faces(view))

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

    def _faint(self) -> tuple[QuietLabel, ...]:
        return (*super()._faint(), self.scan)
