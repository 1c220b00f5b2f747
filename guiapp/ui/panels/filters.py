"""The filters panel: the weights of a layer as images, following training and the time machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QComboBox, QWidget

from guiapp.engine.state import LookResult, Request
from guiapp.interpret.options import FilterOptions
from guiapp.ui.context import Context
from guiapp.ui.panels.layer_panel import LayerPanel
from guiapp.ui.widgets.colour_bar import number, short

if TYPE_CHECKING:
    from guiapp.interpret.filters import FilterView
    from guiapp.interpret.layers import LayerInfo


_PAUSE = 0.25  # seconds: filters move slowly, and each look takes both cores from the training


class FiltersPanel(LayerPanel):
    """Filters of the chosen layer; of a deep layer all inputs of one filter, or all filters side by side.

    Attributes:
        inputs: Which filter's inputs are shown, ``filters.inputs``.
        view: What is shown now.
    """

    id = "filters"
    title = "Filters"
    none_text = "This network has no weights to look at."
    scales = (("one scale", "layer"), ("per filter", "filter"))

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.view: FilterView | None = None
        self.inputs = QComboBox(self)
        self.inputs.setObjectName("filters.inputs")
        self.inputs.setAccessibleName("Filters shown")
        self.inputs.setToolTip("All filters, or the input channels of one filter")
        self.inputs.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.inputs.setMinimumContentsLength(8)
        self.inputs.currentIndexChanged.connect(lambda _=0: self.request_changed.emit())
        self.tools.insertWidget(0, self.inputs)
        self.inputs.hide()
        self.show_state(self.seen)

    @staticmethod
    def usable(layer: LayerInfo) -> bool:
        """Layers with weights of their own."""
        return layer.has_weights

    def request(self) -> Request | None:
        """The weights of the layer; None for a network without weights."""
        layer = self.layer
        if layer is None:
            return None
        chosen = self.inputs.currentData() if not self.inputs.isHidden() else None
        return Request("filters", FilterOptions(layer, chosen, self.scale.currentData(), self.atlas.aspect), _PAUSE)

    def layer_changed(self) -> None:
        """Begin with all filters of another layer."""
        self.view = None
        self.inputs.blockSignals(True)
        self.inputs.clear()
        self.inputs.blockSignals(False)
        self.inputs.hide()

    def show_look(self, result: LookResult) -> None:
        """Show the newest weights."""
        view = result.results.get(self.id)
        if view is None or view.layer != self.layer:
            return
        fresh = self.view is None
        self.view = view
        self._list_inputs(view)
        self.atlas.set_atlas(view.atlas)
        self.refresh_words(at_once=fresh)
        self.mark_unit(self.context.workspace.unit)

    def say(self) -> None:
        """Range and statistics in words."""
        view = self.view
        if view is None:
            return
        self.bar.set_range(*view.atlas.range_of(0), True)
        moments = f"{view.film.pictures} × " if view.film is not None else ""
        size = f"{moments}{view.size[0]} × {view.size[1]}"
        inputs = f" × {view.inputs}" if view.inputs > 1 else ""
        low, high = float(view.minimum.min()), float(view.maximum.max())
        what = f"{view.filters} filters {size}{inputs}"
        moments = f"mean {short(float(view.mean.mean()))} · std {short(_total_deviation(view))}"
        # The colour bar shows the range too.
        self.statistics.set_text(f"{what} · {moments} · {short(low)} … {short(high)}", (f"{what} · {moments}", what))
        self.describe_hover()

    def _list_inputs(self, view: FilterView) -> None:
        """Offer the inputs of single filters where a filter has more than a picture can show at once."""
        offered = view.filters if view.inputs > 1 and view.view in ("inputs", "mean") else 0
        if self.inputs.count() == (offered + 1 if offered else 0):
            return
        self.inputs.blockSignals(True)
        self.inputs.clear()
        if offered:
            self.inputs.addItem("all filters", None)
            for index in range(offered):
                self.inputs.addItem(f"inputs of {index}", index)
        self.inputs.blockSignals(False)
        self.inputs.setVisible(bool(offered))

    def mark_unit(self, unit: int | None) -> None:
        """Frame the first tile of the chosen filter."""
        view = self.view
        tile = None
        if view is not None and unit is not None and self.context.workspace.layer == view.layer:
            tile = (unit - view.first) * view.inputs_shown
            tile = tile if 0 <= tile < view.atlas.count else None
        if tile is not None and self.atlas.enlarged is not None:
            shown = view.filter_of(self.atlas.enlarged)[0]
            tile = self.atlas.enlarged if shown == unit else tile
        self.atlas.set_chosen(tile)

    def tile_clicked(self, tile: int) -> None:
        """Choose the filter of a tile as the unit that every panel looks at."""
        if self.view is not None:
            workspace = self.context.workspace
            workspace.layer = self.view.layer
            workspace.unit = self.view.filter_of(tile)[0]

    def describe_hover(self) -> None:
        """Filter, input, place and value under the pointer, or what the tiles are."""
        view, place = self.view, self.atlas.pointer
        if view is None:
            self.hover.set_text("")
            return
        tile = self.atlas.atlas.tile_at(place[0] + 0.5, place[1] + 0.5) if place and self.atlas.atlas else None
        if tile is None:
            film = () if view.film is None else (f"a tile is a filter's {view.film.pictures} moments",)
            self.hover.set_text(f"a tile is {view.tile} · click enlarges", (f"a tile is {view.tile}", *film))
            return
        index, channel = view.filter_of(tile)
        text = f"filter {index}" + ("" if channel is None else f", input {channel}")
        value = view.atlas.value_at(place[0] + 0.5, place[1] + 0.5)
        place_of = view.film.place(*value[1:3]) if value is not None and view.film is not None else None
        if place_of is not None:
            text += f" · moment {place_of[0] + 1} of {view.film.pictures}, row {place_of[1]}, column {place_of[2]}"
        elif value is not None and view.film is None:
            text += f" · row {value[1]}, column {value[2]}"
        if value is not None and value[3] == value[3]:  # gaps between moments are no numbers
            text += f": {number(value[3])}"
        text += f" · mean {number(float(view.mean[index]))}, std {number(float(view.deviation[index]))}"
        text += f", norm {number(float(view.norm[index]))}"
        if view.bias is not None:
            text += f", bias {number(float(view.bias[index]))}"
        self.hover.set_text(text)


def _total_deviation(view: Any) -> float:
    """Deviation over all weights from that within the filters and that of their means."""
    return float((view.deviation.astype(float) ** 2 + (view.mean - view.mean.mean()) ** 2).mean() ** 0.5)
