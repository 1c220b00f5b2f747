"""The gradients panel: histograms of oriented gradients over the live picture, and why a window is a person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from guiapp.engine.state import LookResult
from guiapp.interpret.classic_options import GradientOptions
from guiapp.tasks.predictions import Detections
from guiapp.ui.context import Context
from guiapp.ui.panels.window_panel import Place, WindowPanel
from guiapp.ui.widgets.hog_plots import STROKES, CellPlot, StarLayer, WindowPlot, directions, signed_image, stars
from guiapp.ui.widgets.image_layers import Layer, MapLayer, RectLayer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.gradients import GradientView

_CELL, _HIGH = 8, 128
_SAME = 0.06  # of its height: a person who moved less is looked at where he was
_INNER, _LEAN = 0.75, 0.7  # of the window's height and width are the person's: see models.zoo.opencv
_AROUND = 2  # cells beyond the picture in which windows lie, too
_FULL = 2.0  # margin of the strongest colours of the map of scores


class GradientsPanel(WindowPanel):
    """Picture above or at the left; the window with the weights, and the cell under the pointer.

    Attributes:
        window_plot: The window and the weights, ``gradients.window``.
        cell_plot: One cell, ``gradients.cell``.
        cell: Row and column of that cell.
    """

    id = "gradients"
    title = "Gradients"
    exhibit = "hog"
    modes = (("Cells", "cells"), ("Direction", "direction"), ("Magnitude", "magnitude"), ("Scores", "scores"))
    modes_tip = (
        "Cells: each histogram as a star of strokes along the edges\n"
        "Direction: of the gradient, as a colour\n"
        "Magnitude: length of the gradient\n"
        "Scores: of the window of this size about each place"
    )
    found = ("Person", "Look at the person found with the highest score; off, the window stays where it is")
    extent_name = ("height", "Height of the window: the picture is shrunk to make it 128")
    aspect = 0.5
    view: GradientView | None

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.view = None
        self.cell: tuple[int, int] | None = None
        self.image = ImageView(theme, "gradients", self)
        self.window_plot = WindowPlot(theme, "gradients.window")
        self.cell_plot = CellPlot(theme, "gradients.cell")
        self.about_block = QuietLabel("gradients.about-block", self, theme.faint)
        self.about_cell = QuietLabel("gradients.about-cell", self)
        right = QVBoxLayout()
        right.addWidget(self.window_plot, 5)
        right.addWidget(self.about_block)
        right.addSpacing(4)
        right.addWidget(self.cell_plot, 4)
        right.addWidget(self.about_cell)
        self._build(right)
        self.image.hovered.connect(self._hover)
        self.window_plot.hovered.connect(lambda _item: self._tell_block())
        self.cell_plot.hovered.connect(lambda _item: self._tell_cell())

    # ------------------------------------------------------------------ answers

    def options(self, place: Place | None) -> GradientOptions:
        """The chosen window."""
        if place is None:
            return GradientOptions()
        left, top, height = place
        return GradientOptions(left=left, top=top, height=height)

    def _take(self, view: GradientView) -> None:
        rows, columns = view.histograms.shape[:2]
        if self.cell is None or self.cell[0] >= rows or self.cell[1] >= columns:
            self.cell = min(max(0, view.cell[0] + 3), rows - 1), min(max(0, view.cell[1] + 3), columns - 1)

    def show_look(self, result: LookResult) -> None:
        """Show the picture with the answer for it, and follow the person found in it."""
        super().show_look(result)
        answered = result.picture is not None and result.results.get(self.id) is not None
        if answered and self.follow.isChecked() and result.opened.model.name == "hog-person":
            self._go_after(result.prediction, result.picture.size)

    def _go_after(self, prediction: object, size: tuple[int, int]) -> None:
        """Ask for the window of the best person found, so that the probe need not search once more."""
        wanted: Place | None = None
        if isinstance(prediction, Detections) and len(prediction):
            wanted = _window_of(prediction.boxes[int(np.argmax(prediction.scores))].tolist(), size)
        elif self._place is None:  # nobody: the middle, where it stays
            height = min(0.9 * size[1], 2.0 * size[0])
            wanted = size[0] / 2 - height / 4, (size[1] - height) / 2, height
        old = self._place
        if wanted is None or (
            old is not None and max(abs(a - b) for a, b in zip(wanted, old, strict=True)) <= _SAME * old[2]
        ):
            return
        self._place = wanted
        self.request_changed.emit()

    def _show_mode(self, picture: Picture) -> None:
        """The picture, or its gradients."""
        view = self.view
        assert view is not None
        if self.mode == "direction":
            shade = np.clip(view.lengths / max(float(np.percentile(view.lengths, 99)), 1e-9), 0, 1)[..., None]
            colours = directions()[np.rint(np.degrees(view.angles)).astype(np.intp)]
            self.image.set_image(np.rint(colours * shade).astype(np.uint8))
        elif self.mode == "magnitude":
            most = max(float(np.percentile(view.lengths, 99.5)), 1e-9)
            self.image.set_image(np.clip(np.rint(view.lengths / most * 255), 0, 255).astype(np.uint8))
        elif self.image.array is not picture.pixels:
            self.image.set_image(picture.pixels)

    def _scale(self) -> tuple[float, float]:
        """Pixels of the picture to one of what is shown."""
        assert self.view is not None
        return self.view.scale if self.mode in ("direction", "magnitude") else (1.0, 1.0)

    def _lay(self) -> None:
        """Stars or scores, the window, and the cell that is looked at."""
        view, theme = self.view, self.context.theme
        if view is None:
            return
        (x, y), (across, down) = view.scale, self._scale()
        layers: list[Layer] = []
        if self.mode == "cells":
            rows, columns = view.histograms.shape[:2]
            picture = view.cells.values[0].astype(np.uint8)
            layers.append(StarLayer(stars(picture, STROKES), (0.0, 0.0, columns * _CELL * x, rows * _CELL * y)))
        elif self.mode == "scores":
            scores = view.scores.values[0]
            area = (
                (_HIGH / 4 - _CELL * (_AROUND + 0.5)) * x, (_HIGH / 2 - _CELL * (_AROUND + 0.5)) * y,
                scores.shape[1] * _CELL * x, scores.shape[0] * _CELL * y,
            )  # fmt: skip
            layers.append(MapLayer(signed_image(scores, _FULL), 0.65, area))
        left, top, width, height = view.area
        layers.append(RectLayer((left / across, top / down, width / across, height / down), theme.accent))
        if self.cell is not None:
            row, column = self.cell
            layers.append(
                RectLayer(
                    (column * _CELL * x / across, row * _CELL * y / down, _CELL * x / across, _CELL * y / down),
                    theme.good,
                )
            )
        self.image.set_layers(layers)

    def _show_window(self) -> None:
        view, picture = self.view, self._picture
        if view is None or picture is None:
            return
        self.window_plot.show_window(view, picture.pixels)
        total = float(view.contributions.sum())
        from guiapp.interpret.gradients import probability

        share = probability(view.score)
        verdict = "a person" if view.score > 0 else "no person"
        parts = f"blocks {total:.2f} − {abs(view.bias):.2f} = {view.score:.2f}".replace("-", "−")
        score = f"{verdict}, score {share:.2f}"
        self.verdict.set_text(f"{parts}: {score}", (f"{view.score:.2f}: {score}".replace("-", "−"),))
        self._tell_block()
        self._show_cell()
        self._show_extent()

    def _extents(self) -> tuple[float, float]:
        """Least and greatest height of a window in pixels of the picture."""
        assert self.view is not None
        width, height = self.view.size
        low = max(float(_HIGH), _HIGH * max(width, height) / GradientOptions().longest)
        return low, max(low + 1, min(float(height), 2.0 * width))

    # ------------------------------------------------------------------ selection

    def _cell_at(self, column: int, row: int) -> tuple[int, int] | None:
        """The cell under a pixel of what is shown."""
        view = self.view
        if view is None:
            return None
        (x, y), (across, down) = view.scale, self._scale()
        found = math.floor((row + 0.5) * down / y / _CELL), math.floor((column + 0.5) * across / x / _CELL)
        rows, columns = view.histograms.shape[:2]
        return found if found[0] < rows and found[1] < columns else None

    def _hover(self, where: tuple[int, int] | None) -> None:
        found = self._cell_at(*where) if where is not None else None
        if found is not None and found != self.cell:
            self.cell = found
            self._lay()
            self._show_cell()

    # ------------------------------------------------------------------ words

    def _show_cell(self) -> None:
        view = self.view
        if view is None or self.cell is None:
            return
        row, column = self.cell
        rows, columns = view.normalised.shape[:2]
        shares = [
            view.normalised[row - i, column - j, i, j]
            for i in (0, 1)
            for j in (0, 1)
            if 0 <= row - i < rows and 0 <= column - j < columns
        ]
        self.cell_plot.show_cell(view.histograms[row, column], np.array(shares).reshape(-1, 9))
        self._tell_cell()

    def _tell_cell(self) -> None:
        view, hover = self.view, self.cell_plot.hover
        if view is None or self.cell is None:
            return
        votes = view.histograms[self.cell]
        index = int(votes.argmax()) if hover is None else hover
        low, high = index * 20, index * 20 + 20
        name = f"cell {self.cell[0]}, {self.cell[1]}"
        strongest = "strongest " if hover is None else ""
        text = f"{strongest}{low}° to {high}°: {votes[index]:.2f}"
        total = float(votes.sum())
        share = f" = {votes[index] / total * 100:.0f} % of {total:.1f}" if total > 0 else ""
        self.about_cell.set_text(f"{name} · {text}{share}", (f"{name} · {text}", text))

    def _tell_block(self) -> None:
        view, hover = self.view, self.window_plot.hover
        if view is None:
            return
        values = view.contributions
        if hover is not None and hover < values.size:
            row, column = divmod(hover, values.shape[1])
            text = f"block {row}, {column} adds {values[row, column]:.3f}".replace("-", "−")
            self.about_block.set_text(text)
        else:
            text = f"red speaks for a person, blue against · best window of this size {view.best:.2f}".replace("-", "−")
            self.about_block.set_text(text, ("red speaks for a person, blue against",))

    def _tell(self) -> None:
        """The line below the picture."""
        view = self.view
        if view is None:
            return
        rows, columns = view.histograms.shape[:2]
        size = f"{view.shrunk[0]} × {view.shrunk[1]}"
        if self.mode == "scores":
            text = f"score of the window about each place: red above 0, blue below, full at ±{_FULL:.0f}"
            self.says.set_text(text, ("score of the window about each place",))
        else:
            text = f"{columns} × {rows} cells of the picture at {size}"
            self.says.set_text(f"{text} · a click chooses the window", (text,))

    def _describe(self, column: int, row: int) -> str:
        """Gradient or cell under the pointer."""
        view = self.view
        assert view is not None
        if self.mode in ("direction", "magnitude"):
            length, angle = float(view.lengths[row, column]), math.degrees(float(view.angles[row, column]))
            return f"x {column}  y {row}  ·  length {length:.2f}, {angle:.0f}°"
        found = self._cell_at(column, row)
        if self.mode == "scores" and found is not None:
            at = found[0] - 8 + _AROUND, found[1] - 4 + _AROUND
            scores = view.scores.values[0]
            if 0 <= at[0] < scores.shape[0] and 0 <= at[1] < scores.shape[1]:
                return f"window about here {scores[at]:.2f}".replace("-", "−")
            return "no window about here: it would reach over the edge"
        return f"x {column}  y {row}" + ("" if found is None else f"  ·  cell {found[0]}, {found[1]}")

    def _faint(self) -> tuple[QuietLabel, ...]:
        return (*super()._faint(), self.about_block)


def _window_of(box: list[float], size: tuple[int, int]) -> Place:
    """Left, top and height of the window that a box was found with; boxes end with the picture, windows may not."""
    x1, y1, x2, y2 = box
    width, height = size
    tall = (y2 - y1) / _INNER if y1 > 0 and y2 < height else 2 * (x2 - x1) / _LEAN
    half_high, half_wide = tall * _INNER / 2, tall / 2 * _LEAN / 2
    x = x2 - half_wide if x1 <= 0 else x1 + half_wide if x2 >= width else (x1 + x2) / 2
    y = y2 - half_high if y1 <= 0 else y1 + half_high if y2 >= height else (y1 + y2) / 2
    return x - tall / 4, y - tall / 2, tall
