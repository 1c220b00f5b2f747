"""The pages of the unit inspector: the picture, the best patches, the grown picture, the projection, the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from guiapp.interpret.units.options import GrowOptions, Rule
from guiapp.ui.panels import units_words as words
from guiapp.ui.panels.units_table import UnitTable
from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.colour_bar import number
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.export import ask_save_text
from guiapp.ui.widgets.image_layers import Layer, MapLayer, RectLayer
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.option_form import OptionForm
from guiapp.ui.widgets.painting import image_of
from guiapp.ui.widgets.patch_grid import PatchGrid
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.unit_plots import HistogramPlot, ResponsePlot

if TYPE_CHECKING:
    from guiapp.engine.units import Found, Traced
    from guiapp.interpret.units.grow import Grown
    from guiapp.interpret.units.probe import UnitView
    from guiapp.interpret.units.scan import LayerScan
    from guiapp.ui.theme import Theme

Area = tuple[float, float, float, float]
PATCHES = 12
_OPACITY = 0.55
_GROW = "Press Grow: a picture is grown from noise that excites this unit. A class is a unit of the last layer."


def _column(page: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    return column


def _row(*parts: QWidget, stretch: int = -1) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for place, part in enumerate(parts):
        row.addWidget(part, int(place == stretch))
    return row


def rule_box(parent: QWidget, name: str) -> QComboBox:
    """A box of the ways back through a ReLU."""
    box = QComboBox(parent)
    box.setObjectName(name)
    box.setAccessibleName("Way back")
    box.addItems(list(get_args(Rule)))
    box.setToolTip(
        "How a signal goes back through a ReLU: what of it is positive (deconvnet), what is positive where the ReLU "
        "let something through (guided), or all of it there (gradient)"
    )
    return box


class PicturePage(QWidget):
    """The picture with the unit's map over it, and what it sees at its strongest place or under the pointer.

    Attributes:
        image: ``units.picture``.
        overlaid: Whether the map lies over it, ``units.map``.
        pointed: Emitted with row and column in the map under the pointer, or None.
    """

    pointed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._view: UnitView | None = None
        self._area: Area = (0.0, 0.0, 1.0, 1.0)
        self.image = ImageView(theme, "unit on picture", self)
        self.image.setObjectName("units.picture")
        self.image.hovered.connect(lambda _at: self._point())
        self.image.describe = self._describe
        self.words = QuietLabel("units.strongest", self, theme.faint)
        self.overlaid = QCheckBox("map", self)
        self.overlaid.setObjectName("units.map")
        self.overlaid.setToolTip("Lay the unit's map over the picture")
        self.overlaid.setChecked(True)
        self.overlaid.toggled.connect(lambda _on: self.lay())
        self.field: Area | None = None
        column = _column(self)
        column.addWidget(self.image, 1)
        column.addLayout(_row(self.words, self.overlaid, stretch=0))

    def show_view(self, view: UnitView | None, pixels: np.ndarray | None, area: Area) -> None:
        """Show a look: the picture's pixels, and left, top, width, height in them of what the network sees."""
        self._view, self._area = view, area
        self.image.set_image(pixels)
        self.lay()

    def place_at(self, x: int, y: int) -> tuple[int, int] | None:
        """Row and column in the map over a pixel of the picture."""
        if self._view is None:
            return None
        rows, columns = self._view.atlas.values.shape[1:]
        left, top, width, height = self._area
        row, column = int((y + 0.5 - top) / height * rows), int((x + 0.5 - left) / width * columns)
        inside = 0 <= row < rows and 0 <= column < columns and y + 0.5 >= top and x + 0.5 >= left
        return (row, column) if inside else None

    def lay(self) -> None:
        """Paint map and field."""
        layers: list[Layer] = []
        if self._view is not None:
            atlas = self._view.atlas
            if self.overlaid.isChecked() and atlas.values.shape[1:] != (1, 1) and not self._view.flat:
                layers.append(MapLayer(image_of(atlas.pixels, palette_table(atlas.signed)), _OPACITY, self._area))
            if self.field is not None:
                layers.append(RectLayer(self.field, self._theme.warning))
        self.image.set_layers(tuple(layers))

    def _point(self) -> None:
        at = self.image.pointer
        self.pointed.emit(self.place_at(*at) if at is not None else None)

    def _describe(self, x: int, y: int) -> str:
        place = self.place_at(x, y)
        if place is None or self._view is None:
            return "outside of what the network sees"
        return f"row {place[0]}, column {place[1]}: {number(float(self._view.atlas.values[0][place]))}"


class PatchesPage(QWidget):
    """The best patches.

    Attributes:
        grid: ``units.patches``.
        traced: Whether each has its projection beside it, ``units.trace-patches``; ``rule``: how, ``units.patch-rule``.
        changed: Emitted when other projections are wanted.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.grid = PatchGrid(theme, "units.patches", self)
        self.words = QuietLabel("units.best", self, theme.faint)
        self.traced = QCheckBox("traced back", self)
        self.traced.setObjectName("units.trace-patches")
        self.traced.setToolTip("Beside each patch what of it the response came from")
        self.rule = rule_box(self, "units.patch-rule")
        self.rule.setEnabled(False)
        self.traced.toggled.connect(self.rule.setEnabled)
        self.traced.toggled.connect(lambda _on: self.changed.emit())
        self.rule.activated.connect(lambda _row: self.changed.emit())
        column = _column(self)
        column.addWidget(self.grid, 1)
        column.addLayout(_row(self.words, self.traced, self.rule, stretch=0))

    @property
    def wanted(self) -> Rule | None:
        """How patches are traced back; None where they are not."""
        return self.rule.currentText() if self.traced.isChecked() else None  # type: ignore[return-value]

    def show_found(self, found: Found | None) -> None:
        """Show patches and where they come from."""
        if found is None:
            self.grid.set_patches((), ())
            self.words.set_text("")
            return
        classes = found.pictures.classes
        names = []
        for patch in found.patches:
            label = found.pictures.label(patch.sample)
            of = f"{classes[label]} · " if 0 <= label < len(classes) else ""
            names.append(f"{of}picture {patch.sample}")
        self.grid.set_patches(found.patches, names)
        whole = words.of_patches(found, classes)
        self.words.set_text(whole, (whole.partition(" · ")[0], f"best of {found.scan.pictures:,}"))


class GrownPage(QWidget):
    """A picture that is grown.

    Attributes:
        grow: ``units.grow``; ``form``: options, ``units.grow.<field>``; ``image``: ``units.grown``; ``hint``: what
            stands there before.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.image = ImageView(theme, "grown picture", self)
        self.image.setObjectName("units.grown")
        self.image.corner_text = False
        self.plot = ResponsePlot(theme, "units.response", self)
        self.words = QuietLabel("units.grown-words", self, theme.faint)
        self.grow = QPushButton("Grow", self)
        self.grow.setObjectName("units.start")
        self.grow.setProperty("primary", True)
        self.grow.setToolTip("Climb from noise to a picture that excites the unit; once more begins anew")
        self.more = QPushButton("Options", self)
        self.more.setObjectName("units.grow-options")
        self.more.setCheckable(True)
        self.more.setToolTip("How the picture is grown")
        self.form = OptionForm(GrowOptions(), "units.grow", parent=self)
        self.form.rejected.connect(self.words.set_text)
        scroll = QScrollArea(self)
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.hint = EmptyState(_GROW, (), self)
        self._pages = QStackedWidget(self)
        for page in (self.hint, self.image, scroll):
            self._pages.addWidget(page)
        self.more.toggled.connect(lambda _on: self._turn())
        column = _column(self)
        column.addWidget(self._pages, 1)
        column.addWidget(self.plot)
        column.addLayout(_row(self.words, self.more, self.grow, stretch=0))
        self.plot.setFixedHeight(52)

    def _turn(self) -> None:
        """Show the options, else what has grown, else what to do."""
        self._pages.setCurrentIndex(2 if self.more.isChecked() else int(self.image.image is not None))

    def show_grown(self, grown: Grown | None, best: float | None, field: Area | None) -> None:
        """Show a picture on its way; ``best``: of the data, ``field``: what the unit in the middle sees of it."""
        if grown is None:
            self.image.set_image(None)
            self._turn()
            self.plot.set_trace(np.zeros(0, np.float32), None)
            self.words.set_text("")
            return
        self.image.set_image(grown.pixels)
        self._turn()
        self.image.set_layers((RectLayer(field, self._theme.warning),) if field is not None else ())
        self.plot.set_trace(grown.trace, best)
        value = float(grown.trace[-1]) if np.isnan(grown.value) else grown.value
        text = f"response {number(value)}" + (f" · best patch {number(best)}" if best is not None else "")
        self.words.set_text(text, (f"response {number(value)}",))


class TracedPage(QWidget):
    """What the network saw, and what of it the response came from.

    Attributes:
        left: The input, ``units.input``; ``right``: the projection, ``units.projection``.
        rule: ``units.rule``; ``cut``: whether only what the unit sees is shown, ``units.cut``.
        changed: Emitted when another projection is wanted.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._traced: Traced | None = None
        self._theme = theme
        self.left = ImageView(theme, "input", self)
        self.left.setObjectName("units.input")
        self.right = ImageView(theme, "projection", self)
        self.right.setObjectName("units.projection")
        self.right.describe = self._describe
        self.words = QuietLabel("units.traced", self, theme.faint)
        self.rule = rule_box(self, "units.rule")
        self.cut = QCheckBox("what it sees", self)
        self.cut.setObjectName("units.cut")
        self.cut.setToolTip("Show only the part of the input that the unit sees")
        self.cut.setChecked(True)
        self.rule.activated.connect(lambda _row: self.changed.emit())
        self.cut.toggled.connect(lambda _on: self._show())
        self._pair = _row(self.left, self.right)
        column = _column(self)
        column.addLayout(self._pair, 1)
        column.addWidget(self.words)
        row = _row(self.rule, self.cut)
        row.addStretch(1)
        column.addLayout(row)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One above the other where that leaves them larger."""
        super().resizeEvent(event)
        ways = QBoxLayout.Direction
        high = self.height() > self.width() + 2 * self.rule.height()
        self._pair.setDirection(ways.TopToBottom if high else ways.LeftToRight)

    @property
    def wanted(self) -> Literal["deconvnet", "guided", "gradient"]:
        """How the signal goes back."""
        return self.rule.currentText()  # type: ignore[return-value]

    def show_traced(self, traced: Traced | None) -> None:
        """Show a projection."""
        self._traced = traced
        self._show()

    def _box(self) -> tuple[int, int, int, int]:
        assert self._traced is not None
        if self.cut.isChecked():
            return self._traced.projection.area
        height, width = self._traced.pixels.shape[:2]
        return 0, 0, width, height

    def _show(self) -> None:
        if self._traced is None:
            self.left.set_image(None)
            self.right.set_image(None)
            self.words.set_text("")
            return
        from guiapp.interpret.units.project import as_picture

        found = self._traced
        left, top, width, height = self._box()
        self.left.set_image(np.ascontiguousarray(found.pixels[top : top + height, left : left + width]))
        self.right.set_image(as_picture(found.projection.values, (left, top, width, height)))
        x, y, w, h = found.projection.area
        frame = () if self.cut.isChecked() else (RectLayer((x, y, w, h), self._theme.warning),)
        self.left.set_layers(frame)
        self.right.set_layers(frame)
        whole = words.of_trace(found, self.wanted)
        self.words.set_text(whole, (whole.partition(" · ")[0],))

    def _describe(self, x: int, y: int) -> str:
        if self._traced is None:
            return ""
        left, top, _, _ = self._box()
        values = self._traced.projection.values[:, top + y, left + x]
        return " ".join(number(float(value)) for value in values)


class ValuesPage(QWidget):
    """How one unit's outputs lie over the data, and the figures of all units of the layer.

    Attributes:
        plot: ``units.histogram``; ``table``: ``units.table``.
        chosen: Emitted with a unit that was chosen in the table.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._unit: int | None = None
        self._filling = False
        self.plot = HistogramPlot(theme, "units.histogram", self)
        self.plot.hovered.connect(lambda _bin: self._say())
        self.words = QuietLabel("units.values", self, theme.faint)
        self.model = UnitTable(theme, self)
        self.table = NumberTable(self, "units.table", "Units of the layer", self.model)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.setSelectionMode(NumberTable.SelectionMode.SingleSelection)
        self.table.selectionModel().currentRowChanged.connect(self._picked)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.layer_words = QuietLabel("units.dead", self)
        self._scan: LayerScan | None = None
        column = _column(self)
        column.addWidget(self.plot, 2)
        column.addWidget(self.words)
        column.addWidget(self.table, 3)
        column.addWidget(self.layer_words)

    def show_scan(self, scan: LayerScan | None, names: tuple[str, ...]) -> None:
        """Show another layer."""
        self._filling = True
        self._scan = scan
        self.model.set_scan(scan, names)
        self._filling = False
        self.table.fit()
        if scan is None:
            self.layer_words.set_text("")
        else:
            text, rule = words.of_layer(scan)
            self.layer_words.set_text(text)
            self.layer_words.tip = rule
        self.show_unit(self._unit)

    def show_unit(self, unit: int | None) -> None:
        """Show one unit of it."""
        self._unit = unit
        scan = self._scan
        if scan is None or unit is None or unit >= scan.units:
            self.plot.set_counts(np.zeros(0, np.int64), np.zeros(0))
            self.words.set_text("")
            return
        self.plot.set_counts(*scan.histogram(unit))
        row = self.model.row_of(unit)
        self._filling = True
        index = self.model.index(row, 0)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.table.selectionModel().setCurrentIndex(index, flags)
        self.table.scrollTo(index)
        self._filling = False
        self._say()

    def _say(self) -> None:
        if self._scan is None or self._unit is None or self._unit >= self._scan.units:
            return
        at = self.plot.hover
        if at is not None:
            low, high, count = self.plot.bin(at)
            self.words.set_text(f"{number(low)} … {number(high)}: {count:,} of {self._scan.outputs:,} outputs")
        else:
            text = words.of_unit(self._scan, self._unit)
            self.words.set_text(text, (text.partition(" · ")[2],))

    def _picked(self, now: object, _before: object) -> None:
        row = self.table.currentIndex().row()
        if not self._filling and 0 <= row < len(self.model.order):
            self.chosen.emit(self.model.order[row])

    def _menu(self, where: object) -> None:
        menu = QMenu(self)
        menu.addAction(
            "Save values as CSV …", lambda: ask_save_text(self, "units.csv", self.model.csv_text())
        ).setEnabled(self._scan is not None)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.table.viewport().mapToGlobal(where))
