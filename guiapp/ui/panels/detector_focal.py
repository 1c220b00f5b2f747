"""The focal loss in the detector panel: its curve for an exponent, and how much of the loss easy anchors carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from guiapp.ui.panels import detector_words as words
from guiapp.ui.widgets.detector_plots import FocalPlot
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.interpret.detector import DetectorView
    from guiapp.ui.theme import Theme


class FocalPart(QWidget):
    """A slider, a curve and a line.

    Attributes:
        gamma: Exponent in tenths, ``detector.gamma``; ``gamma_text``: the exponent.
        plot: The curve, ``detector.focal``.
        told: What is under the pointer, else what the anchors of the view carry, ``detector.focus``.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._view: DetectorView | None = None
        self.plot = FocalPlot(theme, "detector.focal")
        self.gamma = JumpSlider(theme, "detector.gamma", "Exponent of the focal loss", self)
        self.gamma.setRange(0, 50)
        self.gamma.setValue(20)
        self.gamma.setToolTip("γ of the focal loss −(1 − p)^γ log p: how little easy anchors count")
        self.gamma_text = QuietLabel("detector.gamma-text", self, theme.faint)
        self.gamma_text.set_room("γ = 0.0")
        self.told = QuietLabel("detector.focus", self)
        exponent = QHBoxLayout()
        exponent.setSpacing(4)
        exponent.addWidget(self.gamma, 1)
        exponent.addWidget(self.gamma_text)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(exponent)
        column.addWidget(self.plot, 1)
        column.addWidget(self.told)
        self.gamma.valueChanged.connect(lambda _=0: self._tell())
        self.plot.hovered.connect(lambda _item: self._tell())
        theme.changed.connect(self._restyle)

    def show_view(self, view: DetectorView | None) -> None:
        """Tell of the scores of a view, where they are trained with this loss; None for none."""
        self._view = view
        self._tell()

    def _tell(self) -> None:
        gamma, view = self.gamma.value() / 10, self._view
        self.plot.set_gamma(gamma)
        self.gamma_text.set_text(f"γ = {gamma:.1f}")
        if self.plot.hover is not None:
            self.told.set_text(*words.of_loss(gamma, self.plot.hover))
        elif view is not None and view.view == "scores" and view.scoring in ("sigmoid", "centred"):
            self.told.set_text(*words.of_focus(view, gamma))

    def _restyle(self) -> None:
        self.gamma_text.ink = self._theme.faint
        self.gamma_text.update()
