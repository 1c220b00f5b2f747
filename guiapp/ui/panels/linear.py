"""A linear classifier seen three ways: term by term, as templates, and as regions in a plane of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.options import LinearOptions
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.widgets.atlas_view import AtlasView
from guiapp.ui.widgets.colour_bar import ColourBar, number
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.plane_view import PlaneView
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.interpret.linear_views import LinearView

_PAGES = (
    ("terms", "Terms", "Weight times pixel for each class: the sum, with the bias, is the score"),
    ("templates", "Templates", "The weights of each class as a picture"),
    ("plane", "Plane", "Regions of the classes in the plane of the two main directions of the training pictures"),
)


class LinearPanel(Panel):
    """Three pages under one row of buttons, for networks of one dense layer.

    Attributes:
        atlas: Contributions or templates, ``linear.atlas``.
        plane: The plane, ``linear.plane``.
        page: Which of ``"terms"``, ``"templates"``, ``"plane"`` is shown.
    """

    id = "linear"
    title = "Linear views"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.page = "terms"
        self._view: LinearView | None = None
        self._opened: object = None
        theme = context.theme
        self.atlas = AtlasView(theme, "linear views", self)
        self.atlas.setObjectName("linear.atlas")
        self.atlas.hovered.connect(lambda _place: self._describe())
        self.atlas.tile_clicked.connect(self._choose_class)
        self.plane = PlaneView(theme, self)
        self.plane.setObjectName("linear.plane")
        self.plane.hovered.connect(self._describe_place)
        self.plane.clicked.connect(self._choose_sample)
        self.statistics = QuietLabel("linear.statistics", self, theme.faint)
        self.hover = QuietLabel("linear.hover", self)
        self.bar = ColourBar(theme, "linear.range", self)
        self.empty = EmptyState("", parent=self)
        self._views = QStackedWidget(self)
        self._views.addWidget(self.atlas)
        self._views.addWidget(self.plane)
        self._buttons = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        for name, title, tip in _PAGES:
            button = QPushButton(title, self)
            button.setObjectName(f"linear.{name}")
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setChecked(name == self.page)
            button.clicked.connect(lambda _on=False, n=name: self.show_page(n))
            self._buttons.addButton(button)
            row.addWidget(button, 1)
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
        stop = context.workspace.subscribe("class_index", self.atlas.set_chosen)
        self.destroyed.connect(lambda _=None: stop())
        theme.changed.connect(self._restyle)
        self.show_state(context.bridge.state)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 150)

    def suits(self) -> bool:
        """Whether the open network is one dense layer on the pixels."""
        opened = self.context.bridge.state.opened
        found = [layer for layer in opened.layers if layer.has_weights] if opened is not None else []
        return len(found) == 1 and found[0].kind == "dense"

    def request(self) -> Request | None:
        """The views, for networks that have them."""
        return Request("linear-views", LinearOptions()) if self.suits() else None

    def show_state(self, state: EngineState) -> None:
        """Say what to open where the network is another."""
        if state.opened is self._opened and state.opened is not None:
            return
        self._opened = state.opened
        self._view = None
        self._pages.setCurrentIndex(1 if self.suits() else 0)
        self.empty.set_text(
            "These views are for a network of one dense layer: open the linear classifier in the catalogue."
        )
        self.request_changed.emit()

    def show_page(self, name: str) -> None:
        """Show one of the three views."""
        self.page = name
        for button in self._buttons.buttons():
            button.setChecked(button.objectName() == f"linear.{name}")
        self._show()

    def show_look(self, result: LookResult) -> None:
        """Show the newest weights and picture."""
        view = result.results.get(self.id)
        if view is not None:
            self._view = view
            self._show()

    def _show(self) -> None:
        view = self._view
        if view is None:
            return
        plane = self.page == "plane"
        self._views.setCurrentWidget(self.plane if plane else self.atlas)
        self.bar.setVisible(not plane)
        if plane:
            self.plane.set_plane(view.plane)
            if view.plane is not None:
                first, second = view.plane.explained
                away = (
                    f" · picture {number(view.plane.distance)} off the plane" if view.plane.distance is not None else ""
                )
                self.statistics.set_text(f"{first * 100:.0f} % and {second * 100:.0f} % of the variance{away}")
            self._describe_place(None)
            return
        atlas = view.templates if self.page == "templates" else view.algebra.contributions if view.algebra else None
        self.atlas.set_atlas(atlas)
        self.atlas.set_chosen(self.context.workspace.class_index)
        if atlas is not None:
            self.bar.set_range(*atlas.range_of(0), True)
        words = "weights of each class" if self.page == "templates" else "weight × pixel; sum + bias = score"
        self.statistics.set_text(words if atlas is not None else "no picture: draw on the pad or choose a sample")
        self._describe()

    # ------------------------------------------------------------------ words and choices

    def _labels(self) -> tuple[str, ...]:
        opened = self.context.bridge.state.opened
        return opened.labels if opened is not None else ()

    def _describe(self) -> None:
        """The class under the pointer with its sum; the winning class without one."""
        view, place, atlas = self._view, self.atlas.pointer, self.atlas.atlas
        if view is None or atlas is None or self.page == "plane":
            return
        tile = atlas.tile_at(place[0] + 0.5, place[1] + 0.5) if place is not None else None
        text = ""
        if view.algebra is not None:
            index = tile if tile is not None else int(view.algebra.scores.argmax())
            product, bias, score = (
                float(v[index]) for v in (view.algebra.products, view.algebra.bias, view.algebra.scores)
            )
            sign = "+" if bias >= 0 else "−"
            text = f"{self._labels()[index]}: {number(product)} {sign} {number(abs(bias))} = {number(score)}"
        value = atlas.value_at(place[0] + 0.5, place[1] + 0.5) if place is not None else None
        if value is not None:
            text += f" · row {value[1]}, column {value[2]}: {number(value[3])}"
        self.hover.set_text(text or "a tile is a class")

    def _describe_place(self, place: tuple[float, float] | None) -> None:
        """Winner and runner-up at a place of the plane."""
        if self._view is None or self._view.plane is None:
            self.hover.set_text("")
        elif place is None:
            self.hover.set_text("a point is a training sample · click looks at it")
        else:
            scores = self.plane.scores_at(*place)
            first, second = scores.argsort()[::-1][:2]
            labels = self._labels()
            self.hover.set_text(
                f"{labels[first]} {number(float(scores[first]))}, then {labels[second]} {number(float(scores[second]))}"
            )

    def _choose_class(self, tile: int) -> None:
        self.context.workspace.class_index = tile

    def _choose_sample(self, index: int) -> None:
        opened = self.context.bridge.state.opened
        if opened is not None:
            self.context.workspace.sample = ("train", index)
            self.context.workspace.picture = opened.dataset.picture("train", index)

    def _restyle(self) -> None:
        self.statistics.ink = self.context.theme.faint
        self.statistics.update()
