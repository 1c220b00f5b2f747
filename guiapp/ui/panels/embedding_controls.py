"""What is chosen in the embedding panel: method, layer, pictures, how many, colours, and the method's own options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QVBoxLayout, QWidget

from guiapp.datasets import DATASETS
from guiapp.datasets.base import PARTS
from guiapp.interpret.embedding.options import INPUT, METHODS, OUTPUT, Method, Source, default_layer
from guiapp.ui.panels.embedding_colours import MODES
from guiapp.ui.widgets.layer_chooser import shape_text
from guiapp.ui.widgets.option_form import OptionForm

if TYPE_CHECKING:
    from guiapp.engine.state import Inspected
    from guiapp.ui.context import Context

_FOLDER, _VIDEO = "embedding/folder", "embedding/video"
_MOST = (500, 2000, 10_000, 0)
_POOLS = {
    "mean": ("mean over places", "Each channel's mean over the places of the picture"),
    "max": ("maximum over places", "Each channel's largest value over the places of the picture"),
    "class token": ("class token", "Of tokens the class token alone; of maps the mean"),
    "all": ("every number", "Every number of the layer's output"),
}
_METHOD_TIPS = {
    "PCA": "Principal components: the plane of the largest variance, at once",
    "t-SNE": "Keeps neighbours together; moves while it converges",
    "UMAP": "Keeps neighbours together; in a process of its own",
    "plane": "Two units of the layer against each other",
}


class Controls(QWidget):
    """Two rows of boxes, and a form of options below them when it is asked for.

    Attributes:
        changed: Emitted when something was chosen by hand that asks for another map.
        recoloured: Emitted when another colouring was chosen by hand.
        layer_chosen: Emitted with the layer that was chosen by hand.
        method: ``embedding.method``; ``layer``: ``embedding.layer``; ``source``: ``embedding.pictures``;
        most: ``embedding.most``; ``colour``: ``embedding.colour``; ``pool``: ``embedding.pool``.
    """

    changed = Signal()
    recoloured = Signal()
    layer_chosen = Signal(str)

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self.method = self._box("method", "Method", "How the pictures are laid out", 5)
        for name in METHODS:
            self.method.addItem(name, name)
            self.method.setItemData(self.method.count() - 1, _METHOD_TIPS[name], 3)
        self.layer = self._box("layer", "Layer", "Layer whose output is laid out", 8)
        self.source = self._box("pictures", "Pictures", "Which pictures are laid out", 8)
        self.most = self._box("most", "Number of pictures", "At most so many pictures, drawn at random", 5)
        for count in _MOST:
            self.most.addItem(f"{count:,}" if count else "all", count)
        self.most.setCurrentIndex(1)
        self.colour = self._box("colour", "Colours", "What the colours mean", 7)
        self.pool = self._box("pool", "Of maps and tokens", "What is taken of maps and tokens: one number a channel", 8)
        for name, (title, tip) in _POOLS.items():
            self.pool.addItem(title, name)
            self.pool.setItemData(self.pool.count() - 1, tip, 3)
        self.more = QWidget(self)
        self.forms: dict[str, OptionForm] = {}
        below = QVBoxLayout(self.more)
        below.setContentsMargins(0, 4, 0, 4)
        below.setSpacing(4)
        below.addWidget(self.pool)
        for name, kind in METHODS.items():
            form = OptionForm(kind(), "embedding.options", inline=False, parent=self.more)
            form.edited.connect(lambda _field, _value: self.changed.emit())
            self.forms[name] = form
            below.addWidget(form)
        self.more.hide()
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setSpacing(4)
        for place, box in enumerate((self.method, self.layer, self.most)):
            self.grid.addWidget(box, 0, place)
        self.tools = QGridLayout()
        self.tools.setSpacing(2)
        self.grid.addWidget(self.source, 1, 0, 1, 1)
        self.grid.addWidget(self.colour, 1, 1)
        self.grid.addLayout(self.tools, 1, 2)
        self.grid.addWidget(self.more, 2, 0, 1, 3)
        self.grid.setColumnStretch(0, 1)
        self.grid.setColumnStretch(1, 1)
        self.method.activated.connect(lambda _row: self._method_chosen())
        self.layer.activated.connect(lambda row: self.layer_chosen.emit(self.layer.itemData(row)))
        self.source.activated.connect(self._source_chosen)
        self.most.activated.connect(lambda _row: self.changed.emit())
        self.pool.activated.connect(lambda _row: self.changed.emit())
        self.colour.activated.connect(lambda _row: self.recoloured.emit())
        self._last = 0
        self._show_form()

    def _box(self, name: str, title: str, tip: str, letters: int) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(f"embedding.{name}")
        box.setAccessibleName(title)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(letters)
        return box

    # ------------------------------------------------------------------ what is chosen

    @property
    def chosen_method(self) -> Method:
        """The method."""
        return self.method.currentData()

    @property
    def options(self) -> Any:
        """Its options."""
        return self.forms[self.chosen_method].options

    @property
    def chosen_layer(self) -> str | None:
        """Name of the layer that is laid out."""
        name = self.layer.currentData()
        return str(name) if name is not None else None

    @property
    def chosen_source(self) -> Source | None:
        """The pictures; None while nothing is chosen."""
        found = self.source.currentData()
        return replace(found, most=int(self.most.currentData())) if found is not None else None

    def told(self) -> dict[str, Any]:
        """What is chosen, by name, for a report."""
        boxes = {"method": self.method, "layer": self.layer, "pictures": self.source, "colours": self.colour}
        chosen = {name: " ".join(box.currentText().split()) for name, box in boxes.items() if box.currentText()}
        return {**chosen, **{name.replace("_", " "): value for name, value in asdict(self.options).items()}}

    def set_method(self, method: Method) -> None:
        """Choose a method as by hand."""
        self.method.setCurrentIndex(self.method.findData(method))
        self._method_chosen()

    def _method_chosen(self) -> None:
        self._show_form()
        self.changed.emit()

    def _show_form(self) -> None:
        for name, form in self.forms.items():
            form.setVisible(name == self.chosen_method)

    def show_more(self, shown: bool) -> None:
        """Show what is set seldom."""
        self.more.setVisible(shown)

    # ------------------------------------------------------------------ what there is

    def list_layers(self, opened: Inspected | None) -> None:
        """List the layers of another network; the usual one is chosen."""
        self.layer.clear()
        if opened is None:
            return
        for info in opened.layers:
            if info.output_shape:
                self.layer.addItem(f"{info.name}   {shape_text(info.output_shape)}", info.name)
        self.layer.addItem("(input)   the picture itself", INPUT)
        self.layer.addItem("(output)   what the network gives", OUTPUT)
        self.set_layer(default_layer(opened.layers))
        shape = next((info.output_shape for info in opened.layers if info.name == self.layer.currentData()), ())
        if shape == (2,) or self.chosen_method == "plane":  # a plane needs no map
            self.method.setCurrentIndex(self.method.findData("plane" if shape == (2,) else "PCA"))
            self._show_form()

    def set_layer(self, name: str | None) -> bool:
        """Choose a layer; whether it is another one that there is."""
        row = self.layer.findData(name)
        if row < 0 or row == self.layer.currentIndex():
            return False
        self.layer.setCurrentIndex(row)
        return True

    def list_sources(self, opened: Inspected | None) -> None:
        """List the pictures that there are for a network; what was chosen stays where it is still there."""
        before = self.source.currentData()
        self.source.clear()
        dataset = getattr(opened, "dataset", None)
        if dataset is not None:
            there = [part for part in ("validation", "train", "test") if len(dataset.part(part))]
            for part in there:
                self.source.addItem({"train": "training"}.get(part, part), Source("data", part))
            if len(there) == len(PARTS):
                self.source.addItem("all parts", Source("data", "all"))
        for kind, key in (("folder", _FOLDER), ("video", _VIDEO)):
            path = str(self._context.settings.value(key, ""))
            if path and Path(path).exists():
                self.source.addItem(Path(path).name, Source(kind, path=Path(path)))
        for name in DATASETS:
            if (dataset is None or dataset.name != name) and DATASETS[name].available():
                self.source.addItem(f"{DATASETS[name].title}, test part", Source("set", name=name))
        self.source.addItem("Folder …", None)
        self.source.addItem("Video …", None)
        rows = range(self.source.count()) if before is not None else ()
        kept = next((row for row in rows if self.source.itemData(row) == before), 0)
        nothing = dataset is None and (before is None or self.source.itemData(kept) != before)
        self.source.setCurrentIndex(-1 if nothing else kept)
        self.source.setPlaceholderText("choose pictures")
        self._last = self.source.currentIndex()

    def set_modes(self, modes: Sequence[str], usual: str) -> str:
        """List the colourings that tell something; what was chosen stays where it is still there."""
        before = self.colour.currentData()
        if [self.colour.itemData(row) for row in range(self.colour.count())] != list(modes):
            self.colour.clear()
            for mode in modes:
                self.colour.addItem(MODES[mode][0], mode)
                self.colour.setItemData(self.colour.count() - 1, MODES[mode][1], 3)
        chosen = before if before in modes else usual
        self.colour.setCurrentIndex(max(0, self.colour.findData(chosen)))
        return chosen

    def choose_path(self, path: Path) -> None:
        """Take the pictures of a folder or of a video, and remember it."""
        kind = "folder" if path.is_dir() else "video"
        self._context.settings.setValue(_FOLDER if kind == "folder" else _VIDEO, str(path))
        wanted = Source(kind, path=path)
        if not self.source.count():
            self.list_sources(None)
        for row in range(self.source.count()):
            known = self.source.itemData(row)
            if known is not None and known.kind == kind:
                self.source.removeItem(row)
                break
        self.source.insertItem(self.source.count() - 2, path.name, wanted)
        self._last = self.source.count() - 3
        self.source.setCurrentIndex(self._last)
        self.changed.emit()

    def ask_path(self, kind: str) -> None:
        """Ask for a folder or a video."""
        if kind == "folder":
            chosen = QFileDialog.getExistingDirectory(
                self, "Folder of pictures", str(self._context.settings.value(_FOLDER, ""))
            )
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, "Video", str(self._context.settings.value(_VIDEO, "")))
        if chosen:
            self.choose_path(Path(chosen))

    def _source_chosen(self, row: int) -> None:
        if self.source.itemData(row) is None:
            kind = "folder" if row == self.source.count() - 2 else "video"
            self.source.setCurrentIndex(self._last)
            self.ask_path(kind)
            return
        self._last = row
        self.changed.emit()
