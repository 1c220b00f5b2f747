"""The box with every field of the recipe and the options of the network, made when it is first opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from guiapp.engine.state import Opened
from guiapp.ui.panels.network_options import network_form, options_of
from guiapp.ui.panels.training_status import remembers
from guiapp.ui.widgets.option_form import OptionForm

LABELS = {
    "preprocessing.name": "input", "preprocessing.components": "principal axes", "preprocessing.epsilon": "epsilon",
    "preprocessing.back": "turned back", "initialisation.name": "first weights",
    "initialisation.deviation": "small deviation", "initialisation.distribution": "drawn as",
    "normalisation.name": "normalisation", "normalisation.groups": "groups", "leave_out.dropout": "dropout",
    "leave_out.dropconnect": "DropConnect", "leave_out.depth": "stochastic depth", "leave_out.pooling": "pooling",
    "leave_out.pool_share": "pooled size",
    "augmentation.name": "augmentation",
    "loading.memory": "kept on the device", "loading.ahead": "batches ahead", "loading.workers": "reading processes",
    **{f"augmentation.{name}": name.replace("_", " ") for name in (
        "flip", "flip_vertical", "shift", "crop", "rotation", "scale", "shear", "brightness", "contrast", "saturation",
        "hue", "cutout", "cutout_chance", "mixup", "cutmix",
    )}, "augmentation.pca": "PCA colour",
    "data.folds": "folds", "data.fold": "validated fold", "data.share": "share of samples", "data.draw": "draw",
    "observe.name": "observation", "observe.every": "observe every",
    "optimiser.name": "optimiser", "optimiser.lr": "rate", "optimiser.momentum": "momentum",
    "optimiser.weight_decay": "weight decay", "optimiser.beta1": "beta 1", "optimiser.beta2": "beta 2",
    "transfer.name": "layers that learn", "transfer.every": "join every", "transfer.groups": "groups of layers",
    "transfer.decay": "rate per group", "transfer.statistics": "statistics", "transfer.views": "kept versions",
    "schedule.name": "schedule", "schedule.every": "drop every", "schedule.factor": "drop to",
    "optimiser.damping": "damping", "optimiser.iterations": "Hessian products", "schedule.points": "drop after",
    "schedule.power": "power", "schedule.gamma": "gamma", "schedule.rho": "rho", "schedule.cycles": "cycles",
    "schedule.warmup": "warm-up", "schedule.warmup_from": "warm-up from", "schedule.rise": "rising share",
    "schedule.start": "share at start", "schedule.momentum_low": "momentum at peak", "schedule.curve": "one-cycle form",
    "accumulate": "parts of a step", "clipping.name": "clipping", "clipping.limit": "clip at",
    "penalty.name": "penalty", "penalty.strength": "lambda", "penalty.beta": "elastic beta",
    "loss.smoothing": "label smoothing", "balance.name": "balance classes", "stopping.patience": "stop after",
    "stopping.watch": "stop by", "stopping.margin": "least gain", "schedule.final": "final share",
    "keep": "keep weights", "checkpoint_seconds": "checkpoint every",
}  # fmt: skip
_NOTE = "Changes hold from the next run on; the rate also during a run."
_NOTE_MEMORY = "Changes hold from the next run on. It only remembers the samples: it has no rate."
_FOR_MEMORY = ("device",)  # all that a recipe decides for a network that keeps the training part


def augmentations() -> tuple[str, ...]:
    """Names of the augmentations that can be chosen."""
    import sys

    # The module draws with torch, which must not be loaded from the window's thread.
    module = sys.modules.get("guiapp.training.augmentation")
    return ("default", *(module.AUGMENTATIONS if module is not None else ("none",)))


class RecipeBox(QFrame):
    """A popup that stays until one clicks beside it.

    Attributes:
        edited: Dotted name and value of a field that was changed; options of the network begin with ``model.``.
        form: All fields of the recipe, ``recipe.<field>``; None until the box is first opened.
        network_form: The options of the network, ``recipe.model.<option>``; None where it has none.
        error: What a field takes, ``recipe.message``; None until the box is first opened.
    """

    edited = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("recipe-panel")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 12, 12, 12)
        self.form: OptionForm | None = None
        self.network_form: OptionForm | None = None
        self.error: QLabel | None = None
        self._opened: Opened | None = None
        self._network: str | None = None
        self._free: Sequence[str] | None = None

    def set_opened(self, opened: Opened) -> None:
        """Show the recipe and the network of what was opened."""
        self._opened = opened
        if self.form is not None:
            self.form.set_options(opened.recipe)
            self._suit(self.form, opened)

    def set_free(self, free: Sequence[str] | None) -> None:
        """Enable these fields alone, and no option of the network; None enables all."""
        self._free = free
        if self.form is not None:
            self.form.set_enabled(free)
        if self.network_form is not None:
            self.network_form.set_enabled(None if free is None else ())

    def set_field(self, dotted: str, value: Any) -> None:
        """Show another value of a field that was changed elsewhere."""
        if self.form is not None:
            from guiapp.training.recipe import change

            self.form.set_options(change(self.form.options, {dotted: value}))

    def open(self, recipe: Any, button: QWidget) -> None:
        """Stand below the button; ``recipe`` is shown where the box was never open."""
        if self._opened is None:
            return
        if self.form is None:
            self._make(recipe, self._opened)
        self.adjustSize()
        corner = button.mapToGlobal(QPoint(button.width(), button.height() + 4))
        room = button.screen().availableGeometry()
        left = max(room.left(), min(corner.x(), room.right()) - self.width())
        self.move(left, max(room.top(), min(corner.y(), room.bottom() - self.height())))
        self.show()

    def _make(self, recipe: Any, opened: Opened) -> None:
        self.form = OptionForm(
            recipe, "recipe", labels=LABELS, choices={"augmentation.name": augmentations}, parent=self
        )
        self.form.edited.connect(self.edited)
        self.error = QLabel(self)
        self.error.setObjectName("recipe.message")
        self.error.setProperty("error", True)
        self.error.setWordWrap(True)
        self.form.rejected.connect(self.error.setText)
        self._heading, training = QLabel("Network", self), QLabel("Training", self)
        self._note = QLabel(self)
        self._note.setObjectName("recipe.note")
        self._note.setProperty("faint", True)
        for heading in (self._heading, training):
            heading.setProperty("heading", True)
        for widget in (self._heading, training, self.form, self._note, self.error):
            self._column.addWidget(widget)
        self._suit(self.form, opened)

    def _suit(self, form: OptionForm, opened: Opened) -> None:
        """Leave out what the open network does not take."""
        memory = remembers(opened)
        form.show_only(_FOR_MEMORY if memory else None)
        self._note.setText(_NOTE_MEMORY if memory else _NOTE)
        self._show_network(opened)
        self.set_free(self._free)

    def _show_network(self, opened: Opened) -> None:
        """The options of the open network; the form is made anew when it is another network."""
        options = options_of(opened.model, opened.model_options)
        if self.network_form is not None and self._network == opened.model.name:
            self.network_form.set_options(options)
            return
        if self.network_form is not None:
            self.network_form.deleteLater()
        self.network_form, self._network = None, opened.model.name
        self._heading.setVisible(options is not None)
        if options is not None:
            self.network_form = network_form(opened.model, options, "recipe.model", self)
            self.network_form.edited.connect(lambda name, value: self.edited.emit(f"model.{name}", value))
            self.network_form.rejected.connect(self.error.setText)
            self._column.insertWidget(1, self.network_form)
        self.adjustSize()
