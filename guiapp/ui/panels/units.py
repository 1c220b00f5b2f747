"""The unit inspector: what one unit of the network responds to, and what happens without it or with more of it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSlider,
    QSpinBox,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.units.options import UnitOptions, can_be_changed, unit_count
from guiapp.tasks.predictions import ClassScores
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.network_commands import is_changed, restore_network
from guiapp.ui.panel import Panel
from guiapp.ui.panels import units_words as words
from guiapp.ui.panels.units_data import DataRow
from guiapp.ui.panels.units_pages import PATCHES, GrownPage, PatchesPage, PicturePage, TracedPage, ValuesPage
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.layer_chooser import LayerChooser
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.readable import Readable

if TYPE_CHECKING:
    from guiapp.engine.units import Found, Traced
    from guiapp.interpret.layers import LayerInfo
    from guiapp.interpret.units.grow import Grown
    from guiapp.interpret.units.probe import UnitView

_STEPS = 10  # of the slider for a factor of 1
_MOST_GAIN = 5
_WORDS_S = 0.2
PAGES = ("Picture", "Patches", "Grown", "Traced", "Values")
_NOTHING = "Choose an experiment in the catalogue, or a network in the live room, to look at its units."
_NO_LAYERS = "This network has no layers whose units can be looked at."


class UnitsPanel(Panel):
    """A layer, a unit of it, a slider for its strength, and pages on what it responds to.

    Attributes:
        chooser: ``units.layer``; ``unit``: ``units.unit``; ``gain``: ``units.gain``.
        tabs: ``units.pages``; ``effect``: what the network says now, and before, ``units.effect``.
        data: Over which pictures; ``search``: looks at them, ``growth``: grows, ``tracing``: traces.
        found: What is known of the layer over the pictures, or None.
    """

    id = "units"
    title = "Units"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.found: Found | None = None
        self._found_for: tuple[Any, ...] = ()
        self._sought: tuple[Any, ...] = ()
        self._grown: Grown | None = None
        self._opened: object = None
        self._view: UnitView | None = None
        self._look: LookResult | None = None
        self._pointed: tuple[int, int] | None = None
        self._traced_of: tuple[Any, ...] = ()
        self._stopped_for: tuple[Any, ...] = ()
        self._words = Readable(_WORDS_S, self._say, self)
        self._make(context)
        self._build()
        for field, call in (
            ("layer", lambda _layer: self._follow_layer()), ("unit", lambda _unit: self._follow_unit()),
            ("switched_off", lambda _off: self._follow_change()), ("boosted", lambda _by: self._follow_change()),
            ("class_index", self._follow_class), ("step", lambda _step: self._refresh()),
        ):  # fmt: skip
            stop = context.workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        context.theme.changed.connect(self._restyle)
        self.show_state(self.seen)

    def _make(self, context: Context) -> None:
        theme = context.theme
        self.chooser = LayerChooser(self.id, self.usable, self)
        self.chooser.set_compact(True)
        self.chooser.chosen.connect(self._choose_layer)
        self.unit = QSpinBox(self)
        self.unit.setObjectName("units.unit")
        self.unit.setAccessibleName("Unit")
        self.unit.setPrefix("unit ")
        self.unit.setKeyboardTracking(False)
        self.unit.setToolTip("Channel of the layer, or unit of a dense one; arrow keys go to the next")
        self.unit.valueChanged.connect(self._choose_unit)
        self.gain = QSlider(Qt.Orientation.Horizontal, self)
        self.gain.setObjectName("units.gain")
        self.gain.setAccessibleName("Strength of the unit")
        self.gain.setRange(0, _MOST_GAIN * _STEPS)
        self.gain.setPageStep(_STEPS)
        self.gain.setValue(_STEPS)
        self.gain.setToolTip("The unit's output is multiplied by this, in the network that is looked at alone")
        self.gain.valueChanged.connect(self._change)
        self.factor = QuietLabel("units.factor", self)
        self.factor.set_room("× 5.0")
        self._off = declare(context.commands, Command(
            "units.switch-off", "Switch unit off or on", self.toggle,
            "Set the unit to zero in the network that is looked at, and see the prediction change", "", "power",
            menu="Model",
        ))  # fmt: skip
        self._restore = restore_network(context)
        self.effect = QuietLabel("units.effect", self)
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("units.pages")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 4px 7px; }")  # all five fit the narrowest column
        for title in PAGES:
            self.tabs.addTab(title)
        for place, tip in enumerate((
            "The unit's map on the picture, and what it sees there",
            "Pieces of pictures that excite it most",
            "A picture grown to excite it",
            "The response followed back to the pixels",
            "Its outputs over the pictures, and the dead units of the layer",
        )):  # fmt: skip
            self.tabs.setTabToolTip(place, tip)
        self.picture = PicturePage(theme, self)
        self.patches = PatchesPage(theme, self)
        self.grown = GrownPage(theme, self)
        self.traced = TracedPage(theme, self)
        self.values = ValuesPage(theme, self)
        self.data = DataRow(context, self)
        self.search, self.growth, self.tracing = StudyRun(self), StudyRun(self), StudyRun(self)
        self.search_bar = StudyBar(self.search, "units.search", theme, self)
        self.growth_bar = StudyBar(self.growth, "units.growth", theme, self)
        self.tracing_bar = StudyBar(self.tracing, "units.tracing", theme, self)
        self.tabs.currentChanged.connect(self._turn)
        self.picture.pointed.connect(self._point)
        self.patches.changed.connect(self._trace_patches)
        self.patches.grid.clicked.connect(self._look_at_patch)
        self.values.chosen.connect(self.unit.setValue)
        self.grown.grow.clicked.connect(self.grow)
        self.grown.form.edited.connect(lambda _field, _value: self.grown.words.set_text(""))
        self.traced.changed.connect(self._trace)
        self.data.changed.connect(self._refresh)
        self.data.again.connect(self.find)
        self.search.partly.connect(self._take_found)
        self.search.done.connect(self._take_all)
        self.search.stopped.connect(self._remember_stop)
        self.search.failed.connect(lambda _why: self._remember_stop())
        self.growth.partly.connect(self._take_grown)
        self.growth.done.connect(self._take_grown)
        self.tracing.done.connect(self._take_traced)

    def _build(self) -> None:
        actions = ()
        if "catalogue.find" in self.context.commands.records:
            actions = ((self.context.commands["catalogue.find"], "units.open"),)
        self.empty = EmptyState(_NOTHING, actions, self)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.chooser, 1)
        top.addWidget(self.unit)
        self.chooser.setFixedHeight(self.chooser.box.sizeHint().height())
        strength = QHBoxLayout()
        strength.setSpacing(4)
        strength.addWidget(icon_button(self, self._off, "units.switch-off"))
        strength.addWidget(self.gain, 1)
        strength.addWidget(self.factor)
        strength.addWidget(icon_button(self, self._restore, "units.restore"))
        column.addLayout(top)
        column.addLayout(strength)
        column.addWidget(self.effect)
        column.addWidget(self.tabs)
        self._pages = QStackedWidget(self)
        for page in (self.picture, self.patches, self.grown, self.traced, self.values):
            self._pages.addWidget(page)
        column.addWidget(self._pages, 1)
        for part in (self.data, self.search_bar, self.growth_bar, self.tracing_bar):
            column.addWidget(part)
        self._outer = QStackedWidget(self)
        self._outer.addWidget(self.empty)
        self._outer.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._outer)
        self._turn(0)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 220)

    # ------------------------------------------------------------------ what is looked at

    @staticmethod
    def usable(layer: LayerInfo) -> bool:
        """Layers with units."""
        return unit_count(layer) > 0 and layer.kind != "shape"

    @property
    def layer(self) -> LayerInfo | None:
        """The layer that is shown: the chosen one, else the first in it, before or after it that has units."""
        opened = self.seen.opened
        layers = list(opened.layers) if opened is not None else []
        wanted = self.context.workspace.layer
        at = next((place for place, found in enumerate(layers) if found.name == wanted), 0)
        inside = [found for found in layers if found.name.startswith(f"{wanted}.")]
        near = [*layers[at : at + 1], *inside, *reversed(layers[:at]), *layers[at + 1 :]]
        return next((found for found in near if self.usable(found)), None)

    @property
    def chosen(self) -> int:
        """The unit that is shown."""
        return self.unit.value()

    def _names(self) -> tuple[str, ...]:
        """Names of the units, where each stands for a class."""
        opened, layer = self.seen.opened, self.layer
        if opened is None or layer is None or layer.output_shape != (len(opened.labels),):
            return ()
        return tuple(opened.labels)

    def show_state(self, state: EngineState) -> None:
        """List the layers of a newly opened network."""
        if state.opened is self._opened:
            self._refresh_if_stood(state)
            return
        self._opened = state.opened
        for run in (self.search, self.growth, self.tracing):
            run.stop()
        self._look = self._view = None
        self.effect.set_text("")
        self.picture.show_view(None, None, (0, 0, 1, 1))
        self.picture.words.set_text("no picture: choose a sample, draw one, or open a picture")
        self.chooser.set_layers(state.opened.layers if state.opened is not None else ())
        self.data.list_for(state.opened)
        layer = self.layer
        self.empty.set_text(_NOTHING if state.opened is None else _NO_LAYERS)
        self._outer.setCurrentIndex(int(layer is not None))
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
        layer = self.layer
        self.chooser.set_current(layer.name if layer is not None else None)
        count = unit_count(layer) if layer is not None else 0
        with QSignalBlocker(self.unit):
            self.unit.setRange(0, max(0, count - 1))
            self.unit.setSuffix(f" of {count:,}" if count else "")
        changeable = layer is not None and can_be_changed(layer)
        for part in (self.gain, self.factor, self._off):
            part.setEnabled(changeable)
        self._show_found(None)
        self._follow_unit()

    def _follow_unit(self) -> None:
        workspace, layer = self.context.workspace, self.layer
        wanted = workspace.unit if layer is not None and workspace.layer == layer.name else None
        with QSignalBlocker(self.unit):
            self.unit.setValue(wanted or 0)
        self._pointed = None
        self._view = None
        self.growth.stop()
        self._grown = None
        self.grown.show_grown(None, None, None)
        self.growth_bar.say("")
        self._follow_change()
        self.values.show_unit(self.chosen)
        if self.found is not None and self.found.unit != self.chosen:
            self.patches.show_found(None)
        self.request_changed.emit()
        self._refresh()

    def _follow_class(self, index: int | None) -> None:
        names = self._names()
        if index is not None and index < len(names) and index != self.chosen:
            self.unit.setValue(index)
        self._say()

    # ------------------------------------------------------------------ strength

    def _follow_change(self) -> None:
        workspace, layer = self.context.workspace, self.layer
        name, unit = layer.name if layer is not None else "", self.chosen
        factor = workspace.boosted.get(name, {}).get(unit, 1.0)
        if unit in workspace.switched_off.get(name, ()):
            factor = 0.0
        with QSignalBlocker(self.gain):
            self.gain.setValue(round(factor * _STEPS))
        self.factor.set_text("off" if factor == 0 else f"× {factor:.1f}")
        self._restore.setEnabled(is_changed(workspace))
        self.request_changed.emit()

    def _change(self, place: int) -> None:
        """Multiply the unit by what the slider says."""
        layer = self.layer
        if layer is None or not can_be_changed(layer):
            return
        workspace, unit, name = self.context.workspace, self.chosen, layer.name
        factors = {u: f for u, f in workspace.boosted.get(name, {}).items() if u != unit}
        off = workspace.switched_off.get(name, frozenset()) - {unit}
        if place == 0:
            off |= {unit}
        elif place != _STEPS:
            factors[unit] = place / _STEPS
        others = {n: f for n, f in workspace.boosted.items() if n != name}
        workspace.boosted = {**others, name: factors} if factors else others
        rest = {n: f for n, f in workspace.switched_off.items() if n != name}
        workspace.switched_off = {**rest, name: off} if off else rest

    def toggle(self) -> None:
        """Switch the unit off, or on as strong as it is."""
        self.gain.setValue(_STEPS if self.gain.value() == 0 else 0)

    # ------------------------------------------------------------------ looks

    def show_look(self, result: LookResult) -> None:
        """Show the unit's map, and what the network says."""
        self._look = result
        view: UnitView | None = result.results.get(self.id)
        layer = self.layer
        if view is not None and layer is not None and (view.layer, view.unit) == (layer.name, self.chosen):
            self._view = view
        if self.tabs.currentIndex() == 0:
            self._show_picture()
        if self.seen.phase == "running":
            self._words.soon()
        else:
            self._words.now()
        if self.tabs.currentIndex() == 3:
            self._trace()

    def _show_picture(self) -> None:
        result = self._look
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
        self._place_field(area)
        self.picture.show_view(self._view, pixels, area)

    def _place_field(self, area: tuple[float, float, float, float]) -> None:
        """What the unit sees where it is strongest, or under the pointer, in pixels of the picture."""
        layer, opened = self.layer, self.seen.opened
        self.picture.field = None
        if layer is None or layer.receptive_field is None or self._view is None or opened is None:
            return
        rows, columns = opened.preprocessing.size[1:]
        if self._view.flat and self._pointed is None:
            return
        at = self._pointed or self._view.peak
        left, top, width, height = layer.receptive_field.area(*at, (rows, columns))
        across, down = area[2] / columns, area[3] / rows
        self.picture.field = area[0] + left * across, area[1] + top * down, width * across, height * down

    def _point(self, place: tuple[int, int] | None) -> None:
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
        if isinstance(now, ClassScores):
            plain = result.plain.probabilities if isinstance(result.plain, ClassScores) else None
            if plain is None and view is not None and result.modified:
                plain = view.plain
            self.effect.set_text(words.effect(now, plain, self.context.workspace.class_index))
        else:
            self.effect.set_text("")

    # ------------------------------------------------------------------ over pictures

    def _turn(self, page: int) -> None:
        self._pages.setCurrentIndex(page)
        self.data.setVisible(page in (1, 4))
        self.search_bar.setVisible(page in (1, 4))
        self.growth_bar.setVisible(page == 2)
        self.tracing_bar.setVisible(page == 3)
        if page == 0:
            self._show_picture()
        elif page == 3:
            self._trace()
        self._refresh()

    def _key(self) -> tuple[Any, ...]:
        """What decides a scan of the layer."""
        state, layer = self.seen, self.layer
        step = self.context.workspace.step if self.context.workspace.step is not None else state.step
        return state.opened, step, layer.name if layer is not None else "", self.data.chosen, self.data.count

    def _refresh_if_stood(self, state: EngineState) -> None:
        if state.phase != "running":
            self._refresh()

    def _refresh(self) -> None:
        """Look at the layer where a page needs it and nothing is known; while a network trains only when asked to."""
        self.data.find.setEnabled(self.data.chosen is not None and self.layer is not None)
        if self.tabs.currentIndex() not in (1, 4) or not self.isVisible() or self.layer is None:
            return
        if self.data.chosen is None:
            self.search_bar.say("choose over which pictures: a folder of photographs, or a data set")
            return
        key = self._key()
        if key == self._found_for and self.found is not None:
            if self.found.unit != self.chosen and not self.search.running:
                self._cut()
            return
        if self.seen.phase == "running":
            step = f" of step {self.found.step:,}" if self.found is not None else ""
            self.search_bar.say(f"training: these are the weights{step}; Find looks anew" if step else "")
            if not step:
                self.search_bar.say("training: Find looks at the layer as it is now")
            return
        if key not in (self._sought if self.search.running else (), self._stopped_for):
            self.find()

    def find(self) -> None:
        """Look at every unit of the layer over the chosen pictures, with the weights as they are."""
        layer, source = self.layer, self.data.chosen
        if layer is None or source is None:
            return
        self._sought, self._stopped_for = self._key(), ()
        name, most, rule, unit = layer.name, self.data.count, self.patches.wanted, self.unit.value

        def work(study: Any, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.engine.units import find_patches

            return find_patches(study, tell, name, unit, source, most, PATCHES, rule)

        self.search.start(work, f"Units of {name}")

    def _cut(self) -> None:
        """Patches of another unit, of a layer that is known."""
        found, unit, rule = self.found, self.chosen, self.patches.wanted
        if found is None:
            return

        def work(study: Any, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.engine.units import more_patches

            return more_patches(study, tell, found, unit, PATCHES, rule)

        self.search.start(work, f"Patches of unit {unit}")

    def _trace_patches(self) -> None:
        if self.found is not None and self.tabs.currentIndex() == 1 and not self.search.running:
            self._cut()

    def _take_found(self, found: Found) -> None:
        self._show_found(found)

    def _take_all(self, found: Found) -> None:
        self._found_for = self._sought
        self._show_found(found)
        self.search_bar.say(words.of_scan(found.scan, found.pictures.title) + self._weights_of(found))
        if found.unit != self.chosen or (self.patches.wanted is None) == any(
            patch.projection is not None for patch in found.patches
        ):
            self._cut()

    def _weights_of(self, found: Found) -> str:
        return f" · weights of step {found.step:,}" if found.step else ""

    def _show_found(self, found: Found | None) -> None:
        fresh = found is None or self.found is None or found.scan is not self.found.scan
        self.found = found
        if found is None:
            self._found_for = self._stopped_for = ()
            if self.search.running:
                self.search.stop()
                self._stopped_for = ()
            self.search_bar.say("")
        self.patches.show_found(found if found is None or found.unit == self.chosen else None)
        if fresh:
            self.values.show_scan(found.scan if found is not None else None, self._names())
            self.values.show_unit(self.chosen)

    def _remember_stop(self) -> None:
        """What a person stopped, or what failed, is not begun again by itself."""
        self._stopped_for = self._sought

    def _look_at_patch(self, index: int) -> None:
        """Look at the picture that a patch was cut from."""
        found = self.found
        if found is None or index >= len(found.patches):
            return
        sample, pictures, bridge = found.patches[index].sample, found.pictures, self.context.bridge
        dataset = getattr(pictures, "dataset", None)
        if dataset is not None:
            own = getattr(self.seen.opened, "dataset", None) is dataset
            bridge.look_at(pictures.picture(sample), (pictures.part, sample) if own else None)
            return

        def read() -> Generator[None, None, Any]:
            yield
            return pictures.picture(sample)

        bridge.call(bridge.engine.submit(read, title="Reading the picture"), bridge.look_at)

    # ------------------------------------------------------------------ growing and tracing

    def grow(self) -> None:
        """Grow a picture for the unit."""
        layer, unit, options = self.layer, self.chosen, self.grown.form.options
        if layer is None:
            return
        self.grown.more.setChecked(False)
        name = layer.name

        def work(study: Any, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.engine.units import grow_unit

            return grow_unit(study, tell, name, unit, options)

        self.growth.start(work, f"Growing a picture for unit {unit}")

    def _take_grown(self, grown: Grown) -> None:
        self._grown = grown
        layer, options, opened = self.layer, self.grown.form.options, self.seen.opened
        best = field = None
        comparable = options.wants == "unit" or (layer is not None and len(layer.output_shape) == 1)
        if self.found is not None and comparable and options.sign == "most":
            best = float(self.found.scan.high[self.chosen])
        if layer is not None and opened is not None and options.wants == "unit" and layer.receptive_field is not None:
            rows, columns = layer.output_shape[1:] if len(layer.output_shape) == 3 else (1, 1)
            size = opened.preprocessing.size[1:]
            left, top, width, height = layer.receptive_field.area(rows // 2, columns // 2, size)
            if (width, height) != (size[1], size[0]):
                field = float(left), float(top), float(width), float(height)
        self.grown.show_grown(grown, best, field)

    def _trace(self) -> None:
        """Trace the response to the newest picture back, unless that is known or under way."""
        layer, result = self.layer, self._look
        if layer is None or result is None or result.picture is None or self.tabs.currentIndex() != 3:
            if self.tabs.currentIndex() == 3 and layer is not None:
                self.tracing_bar.say("no picture: choose a sample, draw one, or open a picture")
            return
        name, unit, rule = layer.name, self.chosen, self.traced.wanted
        wanted = (result.opened, result.step, result.picture, name, unit, rule)
        same = len(self._traced_of) == len(wanted) and all(
            a is b or (isinstance(a, str | int) and a == b) for a, b in zip(wanted, self._traced_of, strict=True)
        )
        if same or (self.tracing.running and self._traced_of[3:] == wanted[3:]):
            return
        self._traced_of = wanted

        def work(study: Any, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.engine.units import trace_unit

            return trace_unit(study, tell, name, unit, None, rule)

        self.tracing.start(work, f"Tracing unit {unit} back")

    def _take_traced(self, traced: Traced) -> None:
        self.traced.show_traced(traced)
        self._trace()  # the picture may be another one by now

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._refresh()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        if self._pointed is not None:
            self._pointed = self.context.workspace.place = None

    def shut(self) -> None:
        """Stop what runs."""
        for run in (self.search, self.growth, self.tracing):
            run.stop()

    def _restyle(self) -> None:
        theme = self.context.theme
        for label in (self.picture.words, self.patches.words, self.grown.words, self.traced.words, self.values.words):
            label.ink = theme.faint
            label.update()
