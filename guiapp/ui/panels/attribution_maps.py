"""The maps of the attribution panel: tiles with their heads, how they are painted, what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from guiapp.interpret.attribution import METHODS, Attribution
from guiapp.interpret.targets import BoxTarget, SimilarityTarget, UnitTarget
from guiapp.ui.panels import attribution_words as words
from guiapp.ui.panels.attribution_choices import Answer, class_of, row_of
from guiapp.ui.panels.attribution_settings import StyleRow
from guiapp.ui.widgets.attribution_grid import Area, MapGrid, Tile
from guiapp.ui.widgets.attribution_image import MapStyle, sign_of
from guiapp.ui.widgets.colour_bar import ColourBar

if TYPE_CHECKING:
    from guiapp.ui.panels.attribution_study import Found, Question
    from guiapp.ui.theme import Theme


class MapsPage(QWidget):
    """The grid of maps, and below it all about their colours.

    Attributes:
        grid: The maps, ``attribution.maps``; ``colours``: the range of the front one, ``attribution.range``.
        style_row: How they are painted.
        found: What they show, or None.
        front: Index of the map that is told of.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.found: Found | None = None
        self.front = 0
        self._answer = Answer()
        self._ground: tuple[npt.NDArray[np.uint8], Area | None] | None = None
        self._columns: int | None = None
        self.grid = MapGrid(theme, "attribution.maps", self)
        self.style_row = StyleRow(theme, self)
        self.colours = ColourBar(theme, "attribution.range", self)
        self.style_row.put(self.colours)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.grid, 1)
        column.addWidget(self.style_row)

    def clear(self) -> None:
        """Show nothing."""
        self.found, self.front = None, 0
        self.grid.show_tiles(())

    def show_found(
        self,
        found: Found,
        ground: tuple[npt.NDArray[np.uint8], Area | None],
        answer: Answer,
        columns: int | None = None,
    ) -> None:
        """Show maps, one tile each.

        Args:
            found: The maps.
            ground: The picture, and what of it maps lie over that do not say so themselves.
            answer: What the network said of the picture, for names and figures.
            columns: Maps in a row where targets stand side by side.
        """
        self.found, self._ground, self._answer = found, ground, answer
        count = len(found.questions)
        self._columns = columns if columns is not None and count % columns == 0 else None
        self.front = min(self.front, count - 1)
        self.grid.show_tiles([self._tile(number) for number in range(count)], self._columns)
        shown = found.answers[self.front]
        if isinstance(shown, Attribution):
            full = self.grid.ranges()[self.front]
            signed = sign_of(self._values(shown), self.style_row.signs.currentData()) == "signed"
            self.colours.set_range(-full if signed else 0.0, full, signed)

    def again(self, answer: Answer | None = None) -> None:
        """Show the same anew, in other colours or with other names."""
        if self.found is not None and self._ground is not None:
            self.show_found(self.found, self._ground, answer or self._answer, self._columns)

    def set_style(self, style: MapStyle) -> None:
        """Paint the maps in another style."""
        self.grid.set_style(style)
        self.again()

    @property
    def shown(self) -> Attribution | str | None:
        """What is known of the front map."""
        return self.found.answers[self.front] if self.found is not None and self.grid.tiles else None

    def values_text(self, column: int, row: int) -> str:
        """The values of all maps at a place of the picture."""
        values = self.grid.values_at(column, row)
        parts = [
            f"{tile.title.partition(' · ')[0]} {words.number(value)}"
            for tile, value in zip(self.grid.tiles, values, strict=True)
            if value is not None
        ]
        return f"x {column}  y {row} · " + " · ".join(parts)

    def _tile(self, number: int) -> Tile:
        assert self.found is not None and self._ground is not None
        (pixels, area), question, answer = self._ground, self.found.questions[number], self.found.answers[number]
        label, share = self._label_of(question, answer)
        title, shorter = words.caption(question.title, label, share, answer)
        values = self._values(answer) if isinstance(answer, Attribution) else None
        own = answer.area if isinstance(answer, Attribution) else None
        kind = answer.class_index if isinstance(answer, Attribution) else class_of(question.target)
        colour = None
        if kind is not None and self._answer.labels:
            colour = self._theme.class_colour(kind, len(self._answer.labels))
        box = None
        if isinstance(question.target, BoxTarget) and question.target.box is not None:
            height, width = pixels.shape[:2]
            left, top, right, bottom = question.target.box
            box = left * width, top * height, (right - left) * width, (bottom - top) * height
        coarse = isinstance(answer, Attribution) and answer.values is None
        front = number == self.front
        return Tile(title, pixels, values, own or area, colour, box, coarse, front, shorter)

    def _values(self, answer: Attribution) -> npt.NDArray[np.float32]:
        """The map as it is shown: of plain gradients the sizes, summed over the colours, unless signs are wanted."""
        suited = self.style_row.signs.currentData() == "suited"
        if suited and METHODS[answer.method].by_size and answer.values is not None:
            sizes: npt.NDArray[np.float32] = np.abs(answer.values).sum(0)
            return sizes
        return answer.map

    def _label_of(self, question: Question, answer: object) -> tuple[str, str]:
        """What is explained in words, and its figure in the list of answers."""
        index = answer.class_index if isinstance(answer, Attribution) else class_of(question.target)
        if not METHODS[question.method].by_target:
            return "", ""
        if isinstance(question.target, UnitTarget):
            return f"unit {question.target.unit} of {question.target.layer}", ""
        if isinstance(question.target, SimilarityTarget):
            return "likeness", ""
        if index is None:
            return "", ""
        target = question.target
        if not isinstance(target, BoxTarget) or target.box is None:
            target = replace(target, class_index=index)
        row = row_of(self._answer.choices, target)
        labels = self._answer.labels
        label = labels[index] if index < len(labels) else f"class {index}"
        if row is None:
            return label, ""
        return self._answer.choices[row].title, self._answer.choices[row].figure
