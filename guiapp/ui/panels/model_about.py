"""What the model panel says of a network: its name, where it is described, what it is fed and what it gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from guiapp.ui.widgets.colour_bar import number
from guiapp.ui.widgets.layer_chooser import shape_text
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.state import Inspected
    from guiapp.models.base import Preprocessing
    from guiapp.ui.theme import Theme

_ABOUT_FROM, _SCALE_FROM = 260, 360  # heights of the panel from which there is room for these lines


class AboutNetwork(QWidget):
    """Lines on a network; the panel puts the first, its name, elsewhere.

    Attributes:
        heading: Its name, ``model.title``.
        about: What it is and who describes it, ``model.about``.
        input: What it is fed and what it gives, ``model.input``.
        scale: How pixels become the numbers that it is fed, ``model.scale``, also the tip of ``input``.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.heading = QuietLabel("model.title", parent)
        bold = self.heading.font()
        bold.setWeight(bold.Weight.DemiBold)
        self.heading.setFont(bold)
        self.about = QuietLabel("model.about", self, theme.faint)
        self.input = QuietLabel("model.input", self, theme.faint)
        self.scale = QuietLabel("model.scale", self, theme.faint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for label in (self.about, self.input, self.scale):
            column.addWidget(label)
        theme.changed.connect(self._restyle)

    def say(self, opened: Inspected) -> None:
        """Say what there is to say of a network."""
        model, source = opened.model, source_text(opened.model.source)
        self.heading.set_text(model.title)
        self.heading.tip = f"{model.description}\n{source}".strip()
        self.about.set_text(" · ".join(text for text in (model.description.rstrip("."), source) if text))
        self.input.set_text(input_text(opened))
        self.input.tip = scale_text(opened.preprocessing)
        self.scale.set_text(scale_text(opened.preprocessing))

    def arrange(self, height: int, brief: bool) -> None:
        """Show the lines that a panel of this height has room for; ``brief`` leaves it to the rows below."""
        shown = {
            self.about: height >= _ABOUT_FROM and not brief,
            self.input: not brief,
            self.scale: height >= _SCALE_FROM,
        }
        for label, wanted in shown.items():
            label.setVisible(wanted)
        self.setVisible(any(shown.values()))

    def _restyle(self) -> None:
        for label in (self.about, self.input, self.scale):
            label.ink = self._theme.faint
            label.update()


def input_text(opened: Inspected) -> str:
    """What a network is fed and how many classes it tells apart."""
    size, classes = opened.preprocessing.size, len(opened.labels)
    fed = f"input {shape_text(size)}" if all(size) else "input: pictures of any size"
    return fed if not classes else f"{fed} · {classes} class{'es' if classes != 1 else ''}"


def scale_text(preprocessing: Preprocessing) -> str:
    """How the pixels of a picture become the numbers that a network is fed."""

    def values(numbers: tuple[float, ...]) -> str:
        return number(numbers[0]) if len(numbers) == 1 else f"({', '.join(map(number, numbers))})"

    return f"fed (pixel / 255 − {values(preprocessing.mean)}) / {values(preprocessing.std)}"


def source_text(source: str) -> str:
    """Where a network is described; ``"T2"`` is the second of the course texts."""
    return re.sub(r"\bT(\d)\b", r"course text \1", source)
