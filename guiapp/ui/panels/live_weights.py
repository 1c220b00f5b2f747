"""Which weights a network is opened with: its published sets, files that go by its name, one chosen by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QComboBox, QFileDialog, QWidget

from guiapp.ui.icons import icon

if TYPE_CHECKING:
    from guiapp.models.zoo.base import ZooModel, ZooWeights
    from guiapp.models.zoo.weights import Here
    from guiapp.ui.theme import Theme

_FILE = "file"


class LiveWeights(QComboBox):
    """A list of weights for the chosen network, ``live.weights``; hidden where there is nothing to choose.

    Attributes:
        picked: Emitted with ``"best"``, a published name or a ``Path`` when the person has chosen something else.
    """

    picked = Signal(object)

    def __init__(self, theme: Theme, settings: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("live.weights")
        self.setAccessibleName("Weights")
        self.setToolTip("Weights of this network: published sets (those with a tick are here), or a file of your own")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self._theme, self._settings = theme, settings
        self._model: ZooModel | None = None
        self._here: Here | None = None
        self._last = 0
        self.activated.connect(self._activated)
        self.hide()  # until there is a network

    def show_model(self, model: ZooModel | None, here: Here | None) -> None:
        """List the weights of a network; what was chosen stays while it is the same network."""
        if model is self._model and here == self._here:
            return
        known = (
            self.chosen() if model is not None and self._model is not None and model.name == self._model.name else ""
        )
        self._model, self._here = model, here
        self.clear()
        if model is not None:
            for weights in model.weights:
                ready = here is not None and weights.name in here.published
                figure = f" · {weights.accuracy}" if weights.accuracy else ""
                mark = icon("check", self._theme.text) if ready else QIcon()
                self.addItem(mark, f"{weights.name}{figure}", weights.name)
            for path in here.others if here is not None else ():
                self.addItem(icon("check", self._theme.text), path.name, path)
            self.addItem("A file …", _FILE)
            places = [i for i in range(self.count()) if known and self.itemData(i) == known]
            self._last = places[0] if places else self._first()
            self.setCurrentIndex(self._last)
        self.setVisible(model is not None and model.draws)

    def chosen(self) -> str | Path:
        """A published name or a file."""
        data = self.currentData()
        return data if isinstance(data, (str, Path)) and data != _FILE else "best"

    @property
    def weights(self) -> ZooWeights | None:
        """The published set that is chosen; None for a file."""
        if self._model is None:
            return None
        return next((one for one in self._model.weights if one.name == self.chosen()), None)

    @property
    def is_here(self) -> bool:
        """Whether what is chosen is on this machine."""
        chosen = self.chosen()
        return isinstance(chosen, Path) or (self._here is not None and chosen in self._here.published)

    @property
    def wanted(self) -> str | Path:
        """What to open: ``"best"`` where the person has not chosen anything else than what that would be."""
        return "best" if self.currentIndex() == self._first() else self.chosen()

    def _first(self) -> int:
        """What ``"best"`` would open: the first published set that is here, a file, else the recommended set."""
        if self._model is None or self._here is None:
            return 0
        for place, weights in enumerate(self._model.weights):
            if weights.name in self._here.published:
                return place
        return len(self._model.weights) if self._here.others else 0

    def _activated(self, index: int) -> None:
        if self.itemData(index) == _FILE:
            self.setCurrentIndex(self._last)
            self._ask()
            return
        if index != self._last:
            self._last = index
            self.picked.emit(self.chosen())

    def _ask(self) -> None:
        start = str(self._settings.value("last-folder", str(Path.home())))
        patterns = "Weights (*.pth *.pt *.th *.safetensors *.bin *.onnx);;All files (*)"
        name, _ = QFileDialog.getOpenFileName(self, "Weights of this network", start, patterns)
        if name:
            self._settings.setValue("last-folder", str(Path(name).parent))
            self.picked.emit(Path(name))
