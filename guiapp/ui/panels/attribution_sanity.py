"""The sanity check of a map: how alike it stays while the network's layers are made random, from the last one down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget

from guiapp.interpret.attribution import Attribution
from guiapp.ui.panels.attribution_words import number
from guiapp.ui.widgets.attribution_grid import MapGrid, Tile
from guiapp.ui.widgets.curve_data import Marker
from guiapp.ui.widgets.curve_plot import CurvePlot

if TYPE_CHECKING:
    import numpy.typing as npt

    from guiapp.interpret.attribution.randomised import Stage
    from guiapp.ui.panels.attribution_study import SanityFound
    from guiapp.ui.theme import Theme

Area = tuple[float, float, float, float]

_KEY = "likeness"
_ALIKE, _PARTLY = 0.5, 0.2
"""Rank correlations with the map of a network that has learnt nothing, from which a map is said to show the picture."""


class SanityPage(QWidget):
    """The likeness as a curve over the layers that are random, and the maps below it.

    Attributes:
        plot: ``attribution.likeness-curve``.
        grid: The maps, ``attribution.stages``; a click marks its stage in the curve.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.found: SanityFound | None = None
        self._ground: tuple[npt.NDArray[np.uint8], Area | None] | None = None
        self._chosen = 0
        self.plot = CurvePlot(theme, "likeness of the maps", "layers made random", "", self)
        self.plot.setObjectName("attribution.likeness-curve")
        self.plot.add_series(_KEY, "rank correlation", theme.accent, dots=True)
        self.plot.setMinimumHeight(80)
        self.plot.setMaximumHeight(180)
        self.grid = MapGrid(theme, "attribution.stages", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.plot, 2)
        column.addWidget(self.grid, 3)
        self.grid.chosen.connect(self._choose)
        self.plot.clicked.connect(self._choose_at)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 180)

    def clear(self) -> None:
        """Show nothing."""
        self.found = None
        self._chosen = 0
        self.plot.clear()
        self.grid.show_tiles(())

    def show_sanity(self, found: SanityFound, pixels: npt.NDArray[np.uint8], area: Area | None) -> None:
        """Show the stages known so far, over a picture."""
        self.found, self._ground = found, (pixels, area)
        known = [stage for stage in found.sanity.stages if stage.likeness is not None]
        self.plot.set_data(
            _KEY,
            np.array([stage.layers for stage in known], np.float64),
            np.array([stage.likeness for stage in known], np.float64),
        )
        self._lay()

    def words(self) -> str:
        """What follows from the maps."""
        return verdict(self.found) if self.found is not None else ""

    def _lay(self) -> None:
        if self.found is None or self._ground is None:
            return
        pixels, area = self._ground
        stages = self.found.sanity.stages
        self._chosen = min(self._chosen, len(stages) - 1)
        tiles = []
        for place, stage in enumerate(stages):
            title, shorter = caption(stage)
            answer = stage.found
            values = answer.map if isinstance(answer, Attribution) else None
            own = answer.area if isinstance(answer, Attribution) else None
            coarse = isinstance(answer, Attribution) and answer.values is None
            tiles.append(Tile(title, pixels, values, own or area, None, None, coarse, place == self._chosen, shorter))
        self.grid.show_tiles(tiles)
        self.plot.set_markers((Marker(float(stages[self._chosen].layers), caption(stages[self._chosen])[0], True),))

    def _choose(self, place: int) -> None:
        self._chosen = place
        self._lay()

    def _choose_at(self, layers: float) -> None:
        """The stage nearest to a click in the curve."""
        if self.found is not None:
            stages = self.found.sanity.stages
            self._choose(min(range(len(stages)), key=lambda place: abs(stages[place].layers - layers)))


def caption(stage: Stage) -> tuple[str, tuple[str, ...]]:
    """The head of a stage's map, and wordings for less room."""
    if not stage.layer:
        return "as it is", ()
    where = f"random from {stage.layer} on"
    if isinstance(stage.found, str):
        return f"{where}: {stage.found}", (stage.layer,)
    if stage.likeness is None:
        return f"{where}: a flat map", (stage.layer,)
    value = number(round(stage.likeness, 2))
    return f"{where} · {value}", (f"{stage.layer} · {value}", stage.layer)


def verdict(found: SanityFound) -> str:
    """What the maps of the random networks say of the method."""
    sanity = found.sanity
    last = sanity.stages[-1]
    if len(sanity.stages) < 2 or sanity.share < 1:
        return f"{last.layers} of {sanity.total} layers made random"
    if last.likeness is None:
        return "all layers random: the map is flat or there is none"
    value = number(round(last.likeness, 2))
    if last.likeness >= _ALIKE:
        return f"all layers random: likeness {value}, the map shows the picture more than what was learnt"
    if last.likeness >= _PARTLY:
        return f"all layers random: likeness {value}, the map shows the picture, too, not only what was learnt"
    return f"all layers random: likeness {value}, the map rests on what was learnt"
