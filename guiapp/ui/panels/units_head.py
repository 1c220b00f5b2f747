"""Head of the unit inspector: the layer, the unit, and how strong it is in the network that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QSpinBox, QVBoxLayout, QWidget

from guiapp.interpret.units.options import can_be_changed, unit_count
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.network_commands import is_changed, restore_network
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.layer_chooser import LayerChooser
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

_STEPS = 10  # of the slider for a factor of 1
_MOST_GAIN = 5


def usable(layer: LayerInfo) -> bool:
    """Whether a layer has units."""
    return unit_count(layer) > 0 and layer.kind != "shape"


class UnitHead(QWidget):
    """Chooses a unit for the whole window and changes its strength.

    Attributes:
        chooser: ``units.layer``; ``unit``: ``units.unit``; ``gain``: ``units.gain``; ``effect``: ``units.effect``,
            what the network says.
        layer_chosen: Emitted with the name of a layer that was chosen by hand; ``unit_chosen`` with a unit.
    """

    layer_chosen = Signal(str)
    unit_chosen = Signal(int)

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace = context.workspace
        self._layer: LayerInfo | None = None
        self.chooser = LayerChooser("units", usable, self)
        self.chooser.set_compact(True)
        self.chooser.setFixedHeight(self.chooser.box.sizeHint().height())
        self.chooser.chosen.connect(self.layer_chosen)
        self.unit = QSpinBox(self)
        self.unit.setObjectName("units.unit")
        self.unit.setAccessibleName("Unit")
        self.unit.setPrefix("unit ")
        self.unit.setKeyboardTracking(False)
        self.unit.setToolTip("Channel of the layer, or unit of a dense one; arrow keys go to the next")
        self.unit.valueChanged.connect(self.unit_chosen)
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
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.chooser, 1)
        top.addWidget(self.unit)
        strength = QHBoxLayout()
        strength.setSpacing(4)
        strength.addWidget(icon_button(self, self._off, "units.switch-off"))
        strength.addWidget(self.gain, 1)
        strength.addWidget(self.factor)
        strength.addWidget(icon_button(self, self._restore, "units.restore"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(strength)
        column.addWidget(self.effect)

    def show_layer(self, layer: LayerInfo | None) -> None:
        """Show another layer; its unit follows with ``show_unit``."""
        self._layer = layer
        self.chooser.set_current(layer.name if layer is not None else None)
        count = unit_count(layer) if layer is not None else 0
        with QSignalBlocker(self.unit):
            self.unit.setRange(0, max(0, count - 1))
            self.unit.setSuffix(f" of {count:,}" if count else "")
        changeable = layer is not None and can_be_changed(layer)
        for part in (self.gain, self.factor, self._off):
            part.setEnabled(changeable)

    def show_unit(self, unit: int) -> None:
        """Show another unit."""
        with QSignalBlocker(self.unit):
            self.unit.setValue(unit)
        self.show_change()

    # ------------------------------------------------------------------ strength

    def show_change(self) -> None:
        """Show how strong the unit is now."""
        name, unit = self._layer.name if self._layer is not None else "", self.unit.value()
        factor = self._workspace.boosted.get(name, {}).get(unit, 1.0)
        if unit in self._workspace.switched_off.get(name, ()):
            factor = 0.0
        with QSignalBlocker(self.gain):
            self.gain.setValue(round(factor * _STEPS))
        self.factor.set_text("off" if factor == 0 else f"× {factor:.1f}")
        self._restore.setEnabled(is_changed(self._workspace))

    def _change(self, place: int) -> None:
        """Multiply the unit by what the slider says."""
        layer, workspace, unit = self._layer, self._workspace, self.unit.value()
        if layer is None or not can_be_changed(layer):
            return
        factors = {u: f for u, f in workspace.boosted.get(layer.name, {}).items() if u != unit}
        off = workspace.switched_off.get(layer.name, frozenset()) - {unit}
        if place == 0:
            off |= {unit}
        elif place != _STEPS:
            factors[unit] = place / _STEPS
        boosted = {n: f for n, f in workspace.boosted.items() if n != layer.name}
        switched = {n: f for n, f in workspace.switched_off.items() if n != layer.name}
        workspace.boosted = {**boosted, layer.name: factors} if factors else boosted
        workspace.switched_off = {**switched, layer.name: off} if off else switched

    def toggle(self) -> None:
        """Switch the unit off, or on as strong as it is."""
        self.gain.setValue(_STEPS if self.gain.value() == 0 else 0)
