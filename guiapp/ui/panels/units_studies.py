"""Grows pictures and traces responses back for the unit inspector, on the work lane."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from guiapp.engine.state import LookResult
from guiapp.ui.panel import Panel
from guiapp.ui.panels.units_pages import GrownPage, TracedPage
from guiapp.ui.study_run import StudyBar, StudyRun

if TYPE_CHECKING:
    from guiapp.engine.units import Found, Traced
    from guiapp.interpret.layers import LayerInfo
    from guiapp.interpret.units.grow import Grown

NO_PICTURE = "no picture: choose a sample, draw one, or open a picture"

Asked = Callable[[], "tuple[LayerInfo | None, int]"]


class Growth(QObject):
    """Grows a picture when it is asked to.

    Args:
        panel: The unit inspector.
        page: Where it is shown.
        asked: Says the layer and the unit that are looked at.
        known: What is known of the layer over pictures, to compare with.

    Attributes:
        run: The study; ``bar``: how far it is.
    """

    def __init__(self, panel: Panel, page: GrownPage, asked: Asked, known: Callable[[], Found | None]) -> None:
        super().__init__(panel)
        self._panel, self._page, self._asked, self._known = panel, page, asked, known
        self.run = StudyRun(panel)
        self.bar = StudyBar(self.run, "units.growth", panel.context.theme, panel)
        self.run.partly.connect(self._take)
        self.run.done.connect(self._take)
        page.grow.clicked.connect(self.grow)

    def forget(self) -> None:
        """Another unit is looked at."""
        self.run.stop()
        self._page.show_grown(None, None, None)
        self.bar.say("")

    def grow(self) -> None:
        """Grow a picture for the unit."""
        (layer, unit), options = self._asked(), self._page.form.options
        if layer is None:
            return
        self._page.more.setChecked(False)
        name = layer.name

        def work(study: Any, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.engine.units import grow_unit

            return grow_unit(study, tell, name, unit, options)

        self.run.start(work, f"Growing a picture for unit {unit}")

    def _take(self, grown: Grown) -> None:
        (layer, unit), options, opened = self._asked(), self._page.form.options, self._panel.seen.opened
        found, best, field = self._known(), None, None
        comparable = options.wants == "unit" or (layer is not None and len(layer.output_shape) == 1)
        if found is not None and comparable and options.sign == "most":
            best = float(found.scan.high[unit])
        if layer is not None and opened is not None and options.wants == "unit" and layer.receptive_field is not None:
            rows, columns = layer.output_shape[1:] if len(layer.output_shape) == 3 else (1, 1)
            size = opened.preprocessing.size[1:]
            left, top, width, height = layer.receptive_field.area(rows // 2, columns // 2, size)
            if (width, height) != (size[1], size[0]):
                field = float(left), float(top), float(width), float(height)
        self._page.show_grown(grown, best, field)


class Tracing(QObject):
    """Traces the response to the newest picture back, as long as its page is shown.

    Args:
        panel: The unit inspector.
        page: Where it is shown.
        asked: Says the layer and the unit that are looked at.

    Attributes:
        run: The study; ``bar``: how far it is.
    """

    def __init__(self, panel: Panel, page: TracedPage, asked: Asked) -> None:
        super().__init__(panel)
        self._panel, self._page, self._asked = panel, page, asked
        self._look: LookResult | None = None
        self._done: tuple[Any, ...] = ()
        self.run = StudyRun(panel)
        self.bar = StudyBar(self.run, "units.tracing", panel.context.theme, panel)
        self.run.done.connect(self._take)
        page.changed.connect(lambda: self.follow(self._look))

    def forget(self) -> None:
        """Another network is looked at."""
        self.run.stop()
        self._look, self._done = None, ()
        self._page.show_traced(None)
        self.bar.say("")

    def follow(self, look: LookResult | None) -> None:
        """Trace the response to a look's picture back, unless that is known or under way."""
        self._look = look
        layer, unit = self._asked()
        if layer is None:
            return
        if look is None or look.picture is None:
            self.bar.say(self._panel.no_look(NO_PICTURE))
            return
        name, rule = layer.name, self._page.wanted
        wanted = (id(look.opened), look.step, look.picture, name, unit, rule)
        if self._is(wanted) or (self.run.running and self._done[3:] == wanted[3:]):
            return
        self._done = wanted

        def work(study: Any, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.engine.units import trace_unit

            return trace_unit(study, tell, name, unit, None, rule)

        self.run.start(work, f"Tracing unit {unit} back")

    def _is(self, wanted: tuple[Any, ...]) -> bool:
        done = self._done
        return bool(done) and done[2] is wanted[2] and (*done[:2], *done[3:]) == (*wanted[:2], *wanted[3:])

    def _take(self, traced: Traced) -> None:
        self._page.show_traced(traced)
        self.follow(self._look)  # the picture may be another one by now
