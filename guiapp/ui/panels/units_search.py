"""Looks at a layer over pictures for the unit inspector: when, with what, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from guiapp.ui.panel import Panel
from guiapp.ui.panels import units_words as words
from guiapp.ui.panels.units_data import DataRow
from guiapp.ui.panels.units_pages import PATCHES, PatchesPage
from guiapp.ui.study_run import StudyBar, StudyRun

if TYPE_CHECKING:
    from guiapp.engine.units import Found
    from guiapp.interpret.layers import LayerInfo

_CHOOSE = "choose over which pictures: a folder of photographs, or a data set"


class UnitSearch(QObject):
    """Knows what of the layer is known.

    Args:
        panel: The unit inspector.
        data: Over which pictures.
        page: Where patches are shown.
        asked: Says the layer and the unit that are looked at.

    Attributes:
        found: What is known, or None.
        run: The study; ``bar``: how far it is.
        shown: Emitted with what is known of the layer now, or None.
    """

    shown = Signal(object)

    def __init__(
        self, panel: Panel, data: DataRow, page: PatchesPage, asked: Callable[[], tuple[LayerInfo | None, int]]
    ) -> None:
        super().__init__(panel)
        self.found: Found | None = None
        self._panel, self._data, self._page, self._asked = panel, data, page, asked
        self._unit = 0
        self._found_for: tuple[Any, ...] = ()
        self._sought: tuple[Any, ...] = ()
        self._stopped_for: tuple[Any, ...] = ()
        self.run = StudyRun(panel)
        self.bar = StudyBar(self.run, "units.search", panel.context.theme, panel)
        self.run.partly.connect(self._take)
        self.run.done.connect(self._take_all)
        self.run.stopped.connect(self._remember_stop)
        self.run.failed.connect(lambda _why: self._remember_stop())
        page.changed.connect(self._cut_anew)
        page.grid.clicked.connect(self._look_at)

    def _key(self) -> tuple[Any, ...]:
        """What decides the answer."""
        state, (layer, _) = self._panel.seen, self._asked()
        chosen = self._panel.context.workspace.step
        step = state.step if chosen is None else chosen
        return state.opened, step, layer.name if layer is not None else "", self._data.chosen, self._data.count

    def forget(self) -> None:
        """Another layer or network is looked at."""
        if self.run.running:
            self.run.stop()
        self.found = None
        self._found_for = self._sought = self._stopped_for = ()
        self.bar.say("")
        self._page.show_found(None)
        self.shown.emit(None)

    def refresh(self, wanted: bool) -> None:
        """Look at the layer where that is ``wanted`` and nothing is known; while a network trains only by hand."""
        layer, unit = self._asked()
        self._unit = unit
        self._data.find.setEnabled(self._data.chosen is not None and layer is not None)
        if not wanted or layer is None:
            return
        if self._data.chosen is None:
            self.bar.say(_CHOOSE)
            return
        key = self._key()
        if key == self._found_for and self.found is not None:
            if not self.run.running and self.found.unit != unit:
                self._cut()
        elif self._panel.seen.phase == "running":
            of = f"these are the weights of step {self.found.step:,}; " if self.found is not None else ""
            self.bar.say(f"training: {of}Find looks at them as they are now")
        elif key != self._stopped_for and not (self.run.running and key == self._sought):
            self.find()

    def find(self) -> None:
        """Look at every unit of the layer over the chosen pictures, with the weights as they are."""
        (layer, self._unit), source = self._asked(), self._data.chosen
        if layer is None or source is None:
            return
        self._sought, self._stopped_for = self._key(), ()
        name, most, rule = layer.name, self._data.count, self._page.wanted

        def unit() -> int:
            return self._unit  # asked for on the work lane, where no widget may be read

        def work(study: Any, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.engine.units import find_patches

            return find_patches(study, tell, name, unit, source, most, PATCHES, rule)

        self.run.start(work, f"Units of {name}")

    def _cut(self) -> None:
        """Patches of another unit, or with other projections, of a layer that is known."""
        found, unit, rule = self.found, self._asked()[1], self._page.wanted
        if found is None:
            return
        self._sought = self._found_for

        def work(study: Any, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.engine.units import more_patches

            return more_patches(study, tell, found, unit, PATCHES, rule)

        self.run.start(work, f"Patches of unit {unit}")

    def _cut_anew(self) -> None:
        if self._found_for and self.found is not None:
            self._cut()

    # ------------------------------------------------------------------ answers

    def _take(self, found: Found) -> None:
        fresh = self.found is None or found.scan is not self.found.scan
        self.found = found
        self._page.show_found(found if found.unit == self._asked()[1] else None)
        if fresh:
            self.shown.emit(found)

    def _take_all(self, found: Found) -> None:
        self._found_for = self._sought
        self._take(found)
        of = f" · weights of step {found.step:,}" if found.step else ""
        self.bar.say(words.of_scan(found.scan, found.pictures.title) + of)
        if found.unit != self._asked()[1]:
            self._cut()

    def _remember_stop(self) -> None:
        """What a person stopped, or what failed, is not begun again by itself."""
        self._stopped_for = self._sought

    def _look_at(self, index: int) -> None:
        """Look at the picture that a patch was cut from."""
        found = self.found
        if found is None or index >= len(found.patches):
            return
        sample, pictures, bridge = found.patches[index].sample, found.pictures, self._panel.context.bridge
        dataset = getattr(pictures, "dataset", None)
        if dataset is not None:
            own = getattr(self._panel.seen.opened, "dataset", None) is dataset
            bridge.look_at(pictures.picture(sample), (pictures.part, sample) if own else None)
            return

        def read() -> Generator[None, None, Any]:
            yield
            return pictures.picture(sample)

        bridge.call(bridge.engine.submit(read, title="Reading the picture"), bridge.look_at)
