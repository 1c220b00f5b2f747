"""The parameters of the attribution panel's methods and views, and how its maps are painted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QCheckBox, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from guiapp.interpret.attribution import METHODS, CurveOptions, SanityOptions
from guiapp.interpret.targets import Measure
from guiapp.ui.panels.attribution_controls import combo
from guiapp.ui.widgets.attribution_image import MapStyle
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.option_form import OptionForm

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo
    from guiapp.ui.theme import Theme

CHOSEN_LAYER = "@chosen"
"""In the place of a layer: the one that is chosen in the window."""

_SIGNS = (
    ("suited", "suited"),
    ("signed", "signed"),
    ("absolute", "absolute"),
    ("for it", "positive"),
    ("against", "negative"),
)
_SIGN_TIP = (
    "suited: sizes of plain gradients, summed over the colours, as their sign says nothing; else signed values\n"
    "signed: what speaks for it red, against it blue\n"
    "absolute: sizes\n"
    "for it, against: one side"
)
_GROUNDS = (("picture", "picture"), ("grey", "grey"), ("map alone", "alone"))


class SettingsPage(QWidget):
    """The parameters of the first method, the layer of CAMs, what of a class counts, how maps are enlarged.

    Attributes:
        form: The method's own parameters, ``attribution.<name>``, or None where it has none.
        layers: ``attribution.layer``; ``measures``: ``attribution.measure``.
        curves, sanity: Options of these views, set in the forms ``attribution.<view>.<name>``.
        smooth: ``attribution.smooth``; ``own_range``: ``attribution.own-range``.
        changed: Emitted when the network is to be asked anew.
        style_changed: Emitted when maps are to be painted anew.
        rejected: Emitted with what is wrong with a number that was typed, or ``""``.
    """

    changed = Signal()
    style_changed = Signal()
    rejected = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.form: OptionForm | None = None
        self._method = ""
        self.curves, self.sanity = CurveOptions(), SanityOptions()
        self._options: dict[str, Any] = {name: method.options() for name, method in METHODS.items()}
        self.layers = combo(self, "attribution.layer", "Layer of CAMs", "Layer whose maps are weighted")
        self.layers.setMinimumContentsLength(10)
        measures = [(name, name) for name in get_args(Measure)]
        self.measures = combo(
            self, "attribution.measure", "What of a class counts",
            "The number before the soft-max, after it, or its logarithm", measures,
        )  # fmt: skip
        self.smooth = QCheckBox("smooth", self)
        self.smooth.setObjectName("attribution.smooth")
        self.smooth.setChecked(True)
        self.smooth.setToolTip("Coarse maps enlarged linearly, as papers show them, or as the blocks that they are")
        self.own_range = QCheckBox("own range", self)
        self.own_range.setObjectName("attribution.own-range")
        self.own_range.setChecked(True)
        self.own_range.setToolTip(
            "Colours of each map over its own range, or over one range for all maps that are seen"
        )
        self._layer_caption = QLabel("layer", self)
        measure_caption = QLabel("score", self)
        for caption in (self._layer_caption, measure_caption):
            caption.setProperty("faint", True)
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(4)
        first.addWidget(self._layer_caption)
        first.addWidget(self.layers, 1)
        second.addWidget(measure_caption)
        second.addWidget(self.measures, 1)
        second.addWidget(self.smooth)
        second.addWidget(self.own_range)
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(first)
        column.addLayout(second)
        column.addLayout(self._place)
        self._forms = {
            name: OptionForm(options, f"attribution.{name}", parent=self)
            for name, options in (("curves", self.curves), ("sanity", self.sanity))
        }
        for form in self._forms.values():
            form.edited.connect(lambda _field, _value: self._view_edited())
            form.rejected.connect(self.rejected)
            form.hide()
            column.addWidget(form)
        self.layers.activated.connect(lambda _row: self.changed.emit())
        self.measures.activated.connect(lambda _row: self.changed.emit())
        self.smooth.toggled.connect(lambda _on: self.style_changed.emit())
        self.own_range.toggled.connect(lambda _on: self.style_changed.emit())

    @property
    def measure(self) -> Measure:
        """What of a class counts."""
        found: Measure = self.measures.currentData()
        return found

    @property
    def layer(self) -> str:
        """The layer of CAMs: empty for the one that is chosen well, ``CHOSEN_LAYER`` for the window's."""
        return str(self.layers.currentData() or "")

    def set_layers(self, layers: Sequence[LayerInfo], best: str) -> None:
        """List the layers that have maps or tokens, the one that is chosen well first."""
        kept = self.layer
        self.layers.clear()
        self.layers.addItem(f"chosen well: {best}" if best else "chosen well", "")
        self.layers.addItem("the layer chosen in the window", CHOSEN_LAYER)
        for info in layers:
            if len(info.output_shape) >= 2:
                self.layers.addItem(f"{info.name}   {' × '.join(map(str, info.output_shape))}", info.name)
        self.layers.setCurrentIndex(max(0, self.layers.findData(kept)))

    def show_method(self, name: str) -> None:
        """Show the parameters of a method."""
        if name == self._method:
            return
        self._method = name
        if self.form is not None:
            self._place.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
            self.form = None
            self.rejected.emit("")
        options = self._options[name]
        fields = [field.name for field in dataclasses.fields(options) if field.name != "layer"]
        if fields:
            self.form = OptionForm(options, "attribution", fields, parent=self)
            self.form.edited.connect(self._edited)
            self.form.rejected.connect(self.rejected)
            self._place.addWidget(self.form)
        layered = METHODS[name].layered
        self.layers.setVisible(layered)
        self._layer_caption.setVisible(layered)

    def show_view(self, view: str) -> None:
        """Show what a view beside the maps has to be set, too."""
        for name, form in self._forms.items():
            form.setVisible(name == view)

    def of_view(self, view: str) -> Any:
        """The options of a view, or None."""
        return {"curves": self.curves, "sanity": self.sanity}.get(view)

    def _view_edited(self) -> None:
        self.curves, self.sanity = self._forms["curves"].options, self._forms["sanity"].options
        self.changed.emit()

    def _edited(self, _field: str, _value: object) -> None:
        if self.form is not None:
            self._options[self._method] = self.form.options
            self.changed.emit()

    def options_of(self, name: str, layer: str) -> Any:
        """The options of a method, with the layer where it has one."""
        options = self._options[name]
        return dataclasses.replace(options, layer=layer) if METHODS[name].layered else options


class StyleRow(QWidget):
    """How maps are painted.

    Attributes:
        signs: ``attribution.sign``; ``grounds``: ``attribution.ground``.
        opacity: ``attribution.opacity``; ``threshold``: ``attribution.threshold``, both in percent.
        changed: Emitted when one is another.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.signs = combo(self, "attribution.sign", "Which values", _SIGN_TIP, _SIGNS)
        self.grounds = combo(self, "attribution.ground", "Ground of the maps", "What lies below the maps", _GROUNDS)
        self.opacity = JumpSlider(theme, "attribution.opacity", "Opacity of the strongest values", self)
        self.threshold = JumpSlider(theme, "attribution.threshold", "Threshold", self)
        for slider, value in ((self.opacity, 75), (self.threshold, 0)):
            slider.setRange(0, 100)
            slider.setValue(value)
        self._first, second = QHBoxLayout(), QHBoxLayout()
        self._first.setSpacing(4)
        second.setSpacing(4)
        for box in (self.signs, self.grounds):
            box.setMinimumContentsLength(8)
            box.currentIndexChanged.connect(lambda _row: self.changed.emit())
            self._first.addWidget(box)
        for title, slider in (("opacity", self.opacity), ("from", self.threshold)):
            caption = QLabel(title, self)
            caption.setProperty("faint", True)
            second.addWidget(caption)
            second.addWidget(slider, 1)
            slider.valueChanged.connect(lambda _value: self._told())
        self._rows = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)
        self._rows.addLayout(self._first, 1)
        self._rows.addLayout(second, 1)
        self._told()

    def put(self, colours: QWidget) -> None:
        """Set the colour bar beside what it depends on."""
        self._first.addWidget(colours, 1)

    def set_wide(self, wide: bool) -> None:
        """All in one line, or in two."""
        self._rows.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    def _told(self) -> None:
        self.opacity.setToolTip(f"Opacity of the strongest values: {self.opacity.value()} %; of weaker ones less")
        self.threshold.setToolTip(f"Weaker than {self.threshold.value()} % of the range is not painted")
        self.changed.emit()

    def style_of(self, settings: SettingsPage) -> MapStyle:
        """The style that is set."""
        return MapStyle(
            self.signs.currentData(), self.grounds.currentData(), self.opacity.value() / 100,
            self.threshold.value() / 100, settings.smooth.isChecked(), settings.own_range.isChecked(),
        )  # fmt: skip


def scrolled(page: QWidget, parent: QWidget) -> QScrollArea:
    """A page that scrolls where there is little room, without a frame."""
    area = QScrollArea(parent)
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
