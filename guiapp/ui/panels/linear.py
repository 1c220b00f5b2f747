"""A linear classifier seen three ways: as numbers, as templates, and as regions in a plane of pictures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QModelIndex, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.options import LinearOptions, only_dense_layer
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import linear_words
from guiapp.ui.widgets.atlas_view import AtlasView, palette_table
from guiapp.ui.widgets.buttons import declare
from guiapp.ui.widgets.colour_bar import ColourBar
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.painting import image_of
from guiapp.ui.widgets.plane_view import PlaneView
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.score_table import ScoreTable

if TYPE_CHECKING:
    from guiapp.interpret.linear_views import LinearView

_PAGES = (
    ("algebraic", "Algebraic", "Scores = W x + b as numbers, and what each pixel adds to the score of a class"),
    ("visual", "Visual", "The weights of each class as a picture: its template"),
    ("geometric", "Geometric", "Samples, regions and their borders in the plane of the two main directions"),
)
_OPEN = "linear-classifier"
_NO_PICTURE = "no picture: draw on the pad or choose a sample"
_WORDS_S = 0.35  # numbers change at a rate that can be read while the weights move
_BESIDE_TABLE = 200  # height of all but the table where it stands above the contributions
_BESIDE_FROM = 520  # width from which table and contributions stand side by side in a panel that is wider than high


class LinearPanel(Panel):
    """Three pages under one row of buttons, for networks of one dense layer on the pixels.

    Attributes:
        page: Which of ``"algebraic"``, ``"visual"``, ``"geometric"`` is shown.
        table: Scores as numbers, ``linear.scores``.
        contributions: Weight times pixel for the chosen class, ``linear.contributions``.
        atlas: Templates, ``linear.atlas``.
        plane: The plane, ``linear.plane``.
    """

    id = "linear"
    title = "Linear views"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.page = "algebraic"
        self._view: LinearView | None = None
        self._opened: object = None
        self._words_at = 0.0
        self._hovered: int | None = None
        theme = context.theme
        self.scores = ScoreTable(theme, self)
        self.table = NumberTable(self, "linear.scores", "Scores of the classes", self.scores.ordered)
        self.table.least, self.table.names, self.table.padding = "−0.00", 48, 15
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 3)
        self.table.setIconSize(QSize(10, 10))
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setSelectionMode(self.table.SelectionMode.SingleSelection)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.clicked.connect(self._choose_row)
        self.table.activated.connect(self._choose_row)
        self.contributions = ImageView(theme, "contributions", self)
        self.contributions.setObjectName("linear.contributions")
        self.contributions.corner_text = False
        self.contributions.values = self._contributions_csv
        self.contributions.hovered.connect(lambda _place: self._describe())
        self.atlas = AtlasView(theme, "templates", self)
        self.atlas.setObjectName("linear.atlas")
        self.atlas.hovered.connect(lambda _place: self._describe())
        self.atlas.tile_clicked.connect(self._choose_class)
        self.atlas.aspect_changed.connect(self.request_changed)
        self.plane = PlaneView(theme, self)
        self.plane.setObjectName("linear.plane")
        self.plane.hovered.connect(self._hover_place)
        self.plane.clicked.connect(self._click_place)
        self.plane.shape_changed.connect(self.request_changed)
        self.statistics = QuietLabel("linear.statistics", self, theme.faint)
        self.hover = QuietLabel("linear.hover", self)
        self.bar = ColourBar(theme, "linear.range", self)
        action = declare(context.commands, Command(
            "linear.open", "Open the linear classifier", self._open, "Open the experiment that these views are for", "",
            "open", menu="Model",
        ))  # fmt: skip
        self.empty = EmptyState("", ((action, "linear.open"),), self)
        self._build()
        for field, call in (
            ("class_index", self._follow_class), ("picture", lambda _p: self.plane.set_hover(None)),
            ("switched_off", lambda _off: self.request_changed.emit()),
        ):  # fmt: skip
            stop = context.workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        theme.changed.connect(self._restyle)
        self.show_page(self.page)
        self.show_state(context.bridge.state)

    def _build(self) -> None:
        self._buttons = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        for name, title, tip in _PAGES:
            button = QPushButton(title, self)
            button.setObjectName(f"linear.{name}")
            button.setToolTip(tip)
            button.setCheckable(True)
            button.clicked.connect(lambda _on=False, n=name: self.show_page(n))
            self._buttons.addButton(button)
            row.addWidget(button, 1)
        algebraic = QWidget(self)
        self._sides = QBoxLayout(QBoxLayout.Direction.TopToBottom, algebraic)
        self._sides.setContentsMargins(0, 0, 0, 0)
        self._sides.setSpacing(8)
        self._sides.addWidget(self.table, 3)
        self._sides.addWidget(self.contributions, 2)
        self.contributions.setMinimumHeight(88)
        self._views = QStackedWidget(self)
        for page in (algebraic, self.atlas, self.plane):
            self._views.addWidget(page)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.statistics)
        column.addWidget(self._views, 1)
        column.addWidget(self.bar)
        column.addWidget(self.hover)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._pages)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 150)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= max(_BESIDE_FROM, self.height())
        way = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        self._sides.setDirection(way)
        self._fit_table()

    def _fit_table(self) -> None:
        """All rows where there is room, and no more, so that the contributions get the rest."""
        self.table.fit()
        rows = self.table.verticalHeader().defaultSectionSize() * max(1, self.scores.rowCount())
        high = rows + self.table.horizontalHeader().sizeHint().height() + 4
        if self._sides.direction() == QBoxLayout.Direction.LeftToRight:
            self.table.setMinimumHeight(0)
            self.table.setMaximumHeight(16_777_215)
        else:
            self.table.setFixedHeight(max(60, min(high, self.height() - _BESIDE_TABLE)))

    # ------------------------------------------------------------------ asking

    def suits(self) -> bool:
        """Whether the open network is one dense layer on the pixels."""
        opened = self.context.bridge.state.opened
        return opened is not None and only_dense_layer(opened.layers, opened.preprocessing.size) is not None

    def request(self) -> Request | None:
        """What the page in front needs; the plane is left out where it is not seen."""
        if not self.suits():
            return None
        off = self._off()
        if self.page == "geometric":
            aspect = round(self.plane.aspect, 3)
            options = LinearOptions(resolution=self.plane.cells, aspect=aspect, switched_off=off)
        else:
            options = LinearOptions(sample_limit=0, aspect=self.atlas.aspect, switched_off=off)
        return Request("linear-views", options)

    def _off(self) -> dict[str, frozenset[int]]:
        """What is switched off in the open network."""
        return dict(self.context.workspace.switched_off)

    def _off_classes(self) -> frozenset[int]:
        """Classes that are switched off, in the dense layer or after it."""
        opened, off = self.context.bridge.state.opened, self._off()
        dense = only_dense_layer(opened.layers, opened.preprocessing.size) if opened is not None else None
        if opened is None or dense is None:
            return frozenset()
        after = opened.layers[[layer is dense for layer in opened.layers].index(True) :]
        return frozenset().union(*(off.get(layer.name, frozenset()) for layer in after))

    def show_state(self, state: EngineState) -> None:
        """Say what to open where the network is another."""
        if state.opened is self._opened and state.opened is not None:
            return
        self._opened = state.opened
        self._view = None
        self._pages.setCurrentIndex(1 if self.suits() else 0)
        self.empty.set_text(linear_words.why_not(state))
        self.atlas.set_captions(self._labels())
        self.request_changed.emit()

    def _open(self) -> None:
        self.context.workspace.experiment = _OPEN
        self.context.bridge.engine.open_experiment(_OPEN)

    # ------------------------------------------------------------------ showing

    def show_page(self, name: str) -> None:
        """Show one of the three views."""
        self.page = name
        for button in self._buttons.buttons():
            button.setChecked(button.objectName() == f"linear.{name}")
        self._views.setCurrentIndex([page for page, _, _ in _PAGES].index(name))
        self.bar.setVisible(name != "geometric")
        self._words_at = 0.0
        self._show()
        self.request_changed.emit()

    def show_look(self, result: LookResult) -> None:
        """Show the newest weights and picture."""
        view = result.results.get(self.id)
        if view is not None:
            self._view = view
            self._show()

    def _show(self) -> None:
        """Bring the page in front up to date: pictures at every look, words at a rate that can be read."""
        view = self._view
        if view is None:
            return
        {"algebraic": self._show_terms, "visual": self._show_templates, "geometric": self._show_plane}[self.page](view)
        now = time.monotonic()
        if self.context.bridge.state.phase == "running" and now - self._words_at < _WORDS_S:
            return
        self._words_at = now
        if self.page == "algebraic":
            self._show_numbers(view)
        if self.page == "visual":
            self._say("each class has one weight a pixel: its template")
            self.bar.set_range(*view.templates.range_of(0), True)
        if self.page == "geometric" and view.plane is not None:
            self._say(linear_words.of_plane(view.plane))
        self._describe()

    def _say(self, text: str) -> None:
        """Words on the page, and that the network was modified."""
        modified = linear_words.as_modified(sum(map(len, self._off().values())))
        self.statistics.set_text(text + modified, (modified.removeprefix(" · "),) if modified else ())

    def _show_terms(self, view: LinearView) -> None:
        if view.algebra is None:
            self.contributions.set_image(None)
            return
        atlas, index = view.algebra.contributions, self._class()
        left, top, width, height = atlas.tile_rect(index)
        tile = np.ascontiguousarray(atlas.pixels[top : top + height, left : left + width])
        self.contributions.set_image(tile, palette_table(True))

    def _show_numbers(self, view: LinearView) -> None:
        self.scores.show_scores(view.algebra, self._labels())
        self._fit_table()
        self._mark_row()
        if view.algebra is not None:
            self._say(linear_words.of_formula(view.algebra))
            self.bar.set_range(*view.algebra.contributions.range_of(0), True)
        else:
            self.statistics.set_text(_NO_PICTURE)

    def _show_templates(self, view: LinearView) -> None:
        self.atlas.set_atlas(view.templates)
        self.atlas.set_crossed(self._off_classes())
        self.atlas.set_chosen(self.context.workspace.class_index)

    def _show_plane(self, view: LinearView) -> None:
        if view.plane is not None:
            self.plane.set_plane(view.plane, self._labels())

    def _class(self) -> int:
        """The chosen class; where none is chosen, the one that wins."""
        chosen = self.context.workspace.class_index
        scores = self._view.algebra.outputs if self._view is not None and self._view.algebra is not None else ()
        if chosen is not None and chosen < len(scores):
            return chosen
        return int(np.argmax(scores)) if len(scores) else 0

    def _follow_class(self, index: int | None) -> None:
        self.atlas.set_chosen(index)
        self._words_at = 0.0
        self._show()

    def _mark_row(self) -> None:
        chosen = self.context.workspace.class_index
        if chosen is None or chosen >= self.scores.rowCount():
            self.table.clearSelection()
            return
        row = self.scores.ordered.mapFromSource(self.scores.index(chosen, 0)).row()
        if [index.row() for index in self.table.selectionModel().selectedRows()] != [row]:
            self.table.selectRow(row)

    # ------------------------------------------------------------------ words and choices

    def _labels(self) -> tuple[str, ...]:
        opened = self.context.bridge.state.opened
        return opened.labels if opened is not None else ()

    def _describe(self) -> None:
        """What is under the pointer, or the sum of the chosen class."""
        view = self._view
        if view is None:
            self.hover.set_text("")
        elif self.page == "algebraic":
            self._describe_terms(view)
        elif self.page == "visual":
            self.hover.set_text(
                linear_words.of_template(view.templates, self._labels(), self.atlas.pointer, self._off_classes())
            )
        elif self._hovered is None and self.plane.pointer is None:
            self.hover.set_text("a point is a training sample · click opens it")

    def _describe_terms(self, view: LinearView) -> None:
        if view.algebra is None:
            self.hover.set_text("")
            return
        index = self._class()
        self.hover.set_text(
            linear_words.of_terms(view.algebra, index, self._labels()[index], self.contributions.pointer)
        )

    def _hover_place(self, place: tuple[int, int] | None) -> None:
        """The sample under the pointer, else winner and runner-up at a place of the plane."""
        opened = self.context.bridge.state.opened
        if self._view is None or self.plane.plane is None or opened is None:
            return
        plane, labels = self.plane.plane, self._labels()
        row = self.plane.sample_at(place[0] + 0.5, place[1] + 0.5) if place is not None else None
        if row != self._hovered:
            self._hovered = row
            pixels = np.asarray(opened.dataset.train.images[plane.indices[row]]) if row is not None else None
            if pixels is not None and pixels.shape[2] == 1:
                pixels = pixels[:, :, 0]
            self.plane.set_hover(row, image_of(pixels) if pixels is not None else None)
        if row is not None:
            self.hover.set_text(linear_words.of_sample(plane, row, labels))
        elif place is not None and len(labels) > 1:
            scores = self.plane.scores_at(*self.plane.to_plane(place[0] + 0.5, place[1] + 0.5))
            self.hover.set_text(linear_words.of_scores(scores, labels))
        else:
            self._describe()

    def _choose_row(self, index: QModelIndex) -> None:
        self._choose_class(self.scores.ordered.mapToSource(index).row())

    def _choose_class(self, index: int) -> None:
        self.context.workspace.class_index = index

    def _click_place(self, x: float, y: float) -> None:
        """Look at the sample that was clicked."""
        opened, row = self.context.bridge.state.opened, self.plane.sample_at(x, y)
        if opened is not None and row is not None and self.plane.plane is not None:
            index = int(self.plane.plane.indices[row])
            self.context.workspace.sample = ("train", index)
            self.context.workspace.picture = opened.dataset.picture("train", index)

    def _contributions_csv(self) -> str:
        """The scores of all classes, then weight times pixel of the chosen one, row by row."""
        algebra = self._view.algebra if self._view is not None else None
        index, labels = self._class(), self._labels()
        label = labels[index] if index < len(labels) else ""
        return linear_words.contributions_csv(self.scores.csv_rows(), algebra, index, label)

    def _restyle(self) -> None:
        self.statistics.ink = self.context.theme.faint
        self.statistics.update()
