"""The unit inspector: what one unit of the network responds to, and what happens without it or with more of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.units.options import UnitOptions
from guiapp.tasks.predictions import ClassScores
from guiapp.ui.context import Context
from guiapp.ui.network_commands import is_changed
from guiapp.ui.panel import Panel
from guiapp.ui.panels import units_words as words
from guiapp.ui.panels.paged import why_no_layers
from guiapp.ui.panels.units_data import DataRow
from guiapp.ui.panels.units_head import UnitHead, usable
from guiapp.ui.panels.units_pages import GrownPage, PatchesPage, PicturePage, TracedPage, ValuesPage
from guiapp.ui.panels.units_search import UnitSearch
from guiapp.ui.panels.units_studies import NO_PICTURE, Growth, Tracing
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.readable import Readable

if TYPE_CHECKING:
    from guiapp.engine.units import Found
    from guiapp.interpret.layers import LayerInfo
    from guiapp.interpret.units.probe import UnitView

_WORDS_S = 0.2
PICTURE, PATCHES, GROWN, TRACED, VALUES = range(5)
PAGES = (
    ("Picture", "The unit's map on the picture, and what it sees there"),
    ("Patches", "Pieces of pictures that excite it most"),
    ("Grown", "A picture grown to excite it"),
    ("Traced", "The response followed back to the pixels"),
    ("Values", "Its outputs over the pictures, and the dead units of the layer"),
)
_OPENS_ON = {"top-patches": PATCHES, "activation-maximisation": GROWN, "deconvnet": TRACED}
"""The page on which an exhibit opens."""
_NOTHING = "Choose an experiment in the catalogue, or a network in the live room, to look at its units."
_NO_LAYERS = "This network has no layers whose units can be looked at."


class UnitsPanel(Panel):
    """A layer, a unit of it, a slider for its strength, and pages on what it responds to.

    Attributes:
        head: Layer, unit and strength; ``unit`` its box of units, ``gain`` its slider.
        tabs: ``units.pages``; ``picture``, ``patches``, ``grown``, ``traced``, ``values``: the pages.
        data: Over which pictures; ``search``: looks at them, ``growth``: grows, ``tracing``: traces.
    """

    id = "units"
    title = "Units"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._opened: object = None
        self._view: UnitView | None = None
        self._viewed: LookResult | None = None
        self._look: LookResult | None = None
        self._pointed: tuple[int, int] | None = None
        self._words = Readable(_WORDS_S, self._say, self)
        theme = context.theme
        self.head = UnitHead(context, self)
        self.unit, self.gain = self.head.unit, self.head.gain
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("units.pages")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 4px 7px; }")  # all five fit the narrowest column
        for title, tip in PAGES:
            self.tabs.setTabToolTip(self.tabs.addTab(title), tip)
        self.picture = PicturePage(theme, self)
        self.patches = PatchesPage(theme, self)
        self.grown = GrownPage(theme, self)
        self.traced = TracedPage(theme, self)
        self.values = ValuesPage(theme, self)
        self.data = DataRow(context, self)
        self.search = UnitSearch(self, self.data, self.patches, self._asked)
        self.growth = Growth(self, self.grown, self._asked, lambda: self.search.found)
        self.tracing = Tracing(self, self.traced, self._asked)
        self._build()
        self.head.layer_chosen.connect(self._choose_layer)
        self.head.unit_chosen.connect(self._choose_unit)
        self.tabs.currentChanged.connect(self._turn)
        self.picture.pointed.connect(self._point)
        self.values.chosen.connect(self.unit.setValue)
        self.data.changed.connect(self._refresh)
        self.data.again.connect(self.search.find)
        self.search.shown.connect(self._show_found)
        for field, call in (
            ("layer", lambda _layer: self._follow_layer()), ("unit", lambda _unit: self._follow_unit()),
            ("switched_off", lambda _off: self._follow_change()), ("boosted", lambda _by: self._follow_change()),
            ("class_index", self._follow_class), ("experiment", self._open_on), ("step", lambda _step: self._refresh()),
        ):  # fmt: skip
            stop = context.workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        theme.changed.connect(self._restyle)
        self._open_on(context.workspace.experiment)
        self.show_state(self.seen)

    def _build(self) -> None:
        actions = ()
        if "catalogue.find" in self.context.commands.records:
            actions = ((self.context.commands["catalogue.find"], "units.open"),)
        self.empty = EmptyState(_NOTHING, actions, self)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.head)
        column.addWidget(self.tabs)
        self._pages = QStackedWidget(self)
        for page in (self.picture, self.patches, self.grown, self.traced, self.values):
            self._pages.addWidget(page)
        column.addWidget(self._pages, 1)
        for part in (self.data, self.search.bar, self.growth.bar, self.tracing.bar):
            column.addWidget(part)
        self._outer = QStackedWidget(self)
        self._outer.addWidget(self.empty)
        self._outer.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._outer)
        self._turn(PICTURE)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 220)

    # ------------------------------------------------------------------ what is looked at

    @property
    def layer(self) -> LayerInfo | None:
        """The layer that is shown: the chosen one, else the first in it, before or after it that has units."""
        opened = self.seen.opened
        layers = list(opened.layers) if opened is not None else []
        wanted = self.context.workspace.layer
        at = next((place for place, found in enumerate(layers) if found.name == wanted), 0)
        inside = [found for found in layers if found.name.startswith(f"{wanted}.")]
        near = [*layers[at : at + 1], *inside, *reversed(layers[:at]), *layers[at + 1 :]]
        return next((found for found in near if usable(found)), None)

    @property
    def chosen(self) -> int:
        """The unit that is shown."""
        return self.unit.value()

    def _asked(self) -> tuple[LayerInfo | None, int]:
        return self.layer, self.chosen

    def _names(self) -> tuple[str, ...]:
        """Names of the units, where each stands for a class."""
        opened, layer = self.seen.opened, self.layer
        if opened is None or layer is None or layer.output_shape != (len(opened.labels),):
            return ()
        return tuple(opened.labels)

    def show_state(self, state: EngineState) -> None:
        """List the layers of a newly opened network."""
        if state.opened is self._opened:
            self._refresh()
            return
        self._opened = state.opened
        self.tracing.forget()
        self._look = self._view = None
        self.head.effect.set_text("")
        self.picture.show_view(None, None, (0, 0, 1, 1))
        self.picture.words.set_text(self.no_look(NO_PICTURE))
        self.head.chooser.set_layers(state.opened.layers if state.opened is not None else ())
        self.data.list_for(state.opened)
        self.empty.set_text(_NOTHING if state.opened is None else why_no_layers(state.opened) or _NO_LAYERS)
        self._outer.setCurrentIndex(int(self.layer is not None))
        self._follow_layer()

    def request(self) -> Request | None:
        """The unit's map for the picture; and the plain prediction where channels are changed."""
        layer = self.layer
        if layer is None:
            return None
        compare = self.context.bridge.subject == "live" and is_changed(self.context.workspace)
        return Request("unit", UnitOptions(layer.name, self.chosen, compare))

    def _choose_layer(self, name: str) -> None:
        self.context.workspace.unit = 0
        self.context.workspace.layer = name

    def _choose_unit(self, unit: int) -> None:
        workspace, layer = self.context.workspace, self.layer
        if layer is not None and workspace.layer != layer.name:
            workspace.layer = layer.name
        workspace.unit = unit
        if self._names():
            workspace.class_index = unit

    def _follow_layer(self) -> None:
        self.head.show_layer(self.layer)
        self.search.forget()
        self._follow_unit()

    def _follow_unit(self) -> None:
        workspace, layer = self.context.workspace, self.layer
        wanted = workspace.unit if layer is not None and workspace.layer == layer.name else None
        self.head.show_unit(wanted or 0)
        self._pointed = self._view = None
        self.growth.forget()
        self.values.show_unit(self.chosen)
        found = self.search.found
        if found is not None and found.unit != self.chosen:
            self.patches.show_found(None)
        self.request_changed.emit()
        self._turn(self.tabs.currentIndex())

    def _follow_change(self) -> None:
        self.head.show_change()
        self.request_changed.emit()

    def _follow_class(self, index: int | None) -> None:
        if index is not None and index < len(self._names()) and index != self.chosen:
            self.unit.setValue(index)
        self._say()

    def _open_on(self, exhibit: str | None) -> None:
        if exhibit in _OPENS_ON:
            self.tabs.setCurrentIndex(_OPENS_ON[exhibit])

    def _turn(self, page: int) -> None:
        """Show a page, and find out what it needs."""
        self._pages.setCurrentIndex(page)
        over_pictures = page in (PATCHES, VALUES)
        self.data.setVisible(over_pictures)
        self.search.bar.setVisible(over_pictures)
        self.growth.bar.setVisible(page == GROWN)
        self.tracing.bar.setVisible(page == TRACED)
        if page == PICTURE:
            self._show_picture()
        elif page == TRACED and self.isVisible():
            self.tracing.follow(self._look)
        self._refresh()

    def _refresh(self) -> None:
        self.search.refresh(self.isVisible() and self.tabs.currentIndex() in (PATCHES, VALUES))

    def _show_found(self, found: Found | None) -> None:
        self.values.show_scan(found.scan if found is not None else None, self._names())
        self.values.show_unit(self.chosen)

    # ------------------------------------------------------------------ looks

    def show_look(self, result: LookResult) -> None:
        """Show the unit's map, and what the network says."""
        self._look = result
        view: UnitView | None = result.results.get(self.id)
        layer = self.layer
        if view is not None and layer is not None and (view.layer, view.unit) == (layer.name, self.chosen):
            self._view, self._viewed = view, result
        page = self.tabs.currentIndex()
        if page == PICTURE:
            self._show_picture()
        elif page == TRACED:
            self.tracing.follow(result)
        if self.seen.phase == "running":
            self._words.soon()
        else:
            self._words.now()

    def _show_picture(self) -> None:
        result = self._look
        if self._view is not None and result is not None and result.area is not None:
            result = self._viewed  # between two answers the live picture moves on: the map belongs to the one before
        if result is None or result.picture is None:
            self.picture.show_view(None, None, (0, 0, 1, 1))
            return
        pixels = result.picture.pixels
        if result.area is not None:
            area = result.area
        else:
            from guiapp.ui.panels.viewer import network_area

            pixels = result.fed if result.fed is not None else result.picture.network_pixels
            area = network_area(result.opened.preprocessing, pixels.shape[1], pixels.shape[0])
            pixels = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
        self.picture.field = self._field(area)
        self.picture.show_view(self._view, pixels, area)

    def _field(self, area: tuple[float, float, float, float]) -> tuple[float, float, float, float] | None:
        """What the unit sees where it is strongest, or under the pointer, in pixels of the picture."""
        layer, opened, view = self.layer, self.seen.opened, self._view
        if layer is None or layer.receptive_field is None or view is None or opened is None:
            return None
        if view.flat and self._pointed is None:
            return None
        rows, columns = opened.preprocessing.size[1:]
        left, top, width, height = layer.receptive_field.area(*(self._pointed or view.peak), (rows, columns))
        across, down = area[2] / columns, area[3] / rows
        return area[0] + left * across, area[1] + top * down, width * across, height * down

    def _point(self, place: tuple[int, int] | None) -> None:
        """The pointer is over another place of the map: other panels draw what it sees, too."""
        layer = self.layer
        if place == self._pointed or layer is None:
            return
        self._pointed = place
        self.context.workspace.place = (layer.name, *place) if place is not None else None
        self._show_picture()

    def _say(self) -> None:
        """The words on the newest look."""
        result, view, opened = self._look, self._view, self.seen.opened
        if result is None or opened is None:
            return
        if view is not None:
            whole, *shorter = words.on_picture(view, self.layer, opened.preprocessing.size[1:])
            self.picture.words.set_text(whole, shorter)
            self.values.plot.set_mark(view.value)
        now = result.prediction
        if not isinstance(now, ClassScores):
            self.head.effect.set_text("")
            return
        plain = result.plain.probabilities if isinstance(result.plain, ClassScores) else None
        if plain is None and view is not None and result.modified:
            plain = view.plain
        self.head.effect.set_text(words.effect(now, plain, self.context.workspace.class_index))

    # ------------------------------------------------------------------ coming and going

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._turn(self.tabs.currentIndex())

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        if self._pointed is not None:
            self._pointed = self.context.workspace.place = None

    def put_away(self) -> None:
        """Grow nothing more; what is found in a data set is kept on disk and goes on."""
        self.growth.run.stop()

    def shut(self) -> None:
        """Stop what runs."""
        for run in (self.search.run, self.growth.run, self.tracing.run):
            run.stop()

    def _restyle(self) -> None:
        theme = self.context.theme
        for label in (self.picture.words, self.patches.words, self.grown.words, self.traced.words, self.values.words):
            label.ink = theme.faint
            label.update()
