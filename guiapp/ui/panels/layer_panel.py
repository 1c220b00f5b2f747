"""What the filters and the activations panel share: layers, an atlas that fills the rest, lines of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.paged import why_no_layers
from guiapp.ui.widgets.atlas_view import AtlasView
from guiapp.ui.widgets.colour_bar import ColourBar
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.layer_chooser import LayerChooser
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.readable import Readable

if TYPE_CHECKING:
    from guiapp.engine.state import Inspected
    from guiapp.interpret.layers import LayerInfo

_TREE_FROM = 330  # height of the panel from which the tree stands above the atlas
_WORDS_S = 0.35
_KEEPS = " It keeps the training samples themselves."
_BESIDE_FROM = 560  # width from which it stands beside it


class LayerPanel(Panel):
    """Layers, atlas, colour bar, scale, statistics, and a line on what is under the pointer.

    Attributes:
        chooser: The layers, ``<id>.layers`` or ``<id>.layer``.
        atlas: The maps, ``<id>.atlas``.
        scale: One range for the layer or for each, ``<id>.scale``.
    """

    scales: tuple[tuple[str, str], ...] = (("one scale", "layer"),)
    none_text = "This network has no layers to look into."
    follows_live = True
    empty_text = "Choose an experiment in the catalogue to look inside its network."

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._opened: object = None
        self._words = Readable(_WORDS_S, self.say, self)
        self._arrangement: tuple[object, ...] = ()
        theme = context.theme
        self.chooser = LayerChooser(self.id, self.usable, self)
        self.chooser.chosen.connect(self._chosen_by_hand)
        self.atlas = AtlasView(theme, f"{self.id} atlas", self)
        self.atlas.setObjectName(f"{self.id}.atlas")
        self.atlas.tile_hovered.connect(lambda _tile: self.describe_hover())
        self.atlas.hovered.connect(lambda _place: self.describe_hover())
        self.atlas.tile_clicked.connect(self.tile_clicked)
        self.atlas.aspect_changed.connect(self.request_changed)
        self.statistics = QuietLabel(f"{self.id}.statistics", self, theme.faint)
        self.hover = QuietLabel(f"{self.id}.hover", self)
        self.bar = ColourBar(theme, f"{self.id}.range", self)
        self.scale = QComboBox(self)
        self.scale.setObjectName(f"{self.id}.scale")
        self.scale.setAccessibleName("Scale of the colours")
        self.scale.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.scale.setMinimumContentsLength(6)
        self.scale.setToolTip("One range of values for all tiles, or one for each")
        for title, value in self.scales:
            self.scale.addItem(title, value)
        self.scale.currentIndexChanged.connect(lambda _=0: self.request_changed.emit())
        self.tools = QHBoxLayout()
        self.tools.setSpacing(4)
        self.tools.addWidget(self.scale)
        self.tools.addWidget(self.bar, 1)
        self._build()
        theme.changed.connect(self._restyle)
        for field, call in (("layer", self._follow_layer), ("unit", self._follow_unit)):
            stop = context.workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        self._arrange()

    def _build(self) -> None:
        self._pages = QStackedWidget(self)
        actions, context = (), self.context
        if "catalogue.find" in context.commands.records:
            actions = ((context.commands["catalogue.find"], f"{self.id}.open"),)
        self.empty = EmptyState(self.empty_text, actions, parent=self)
        self._body = QWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self._body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._pages)
        self._sides = QHBoxLayout(self._body)
        self._sides.setContentsMargins(0, 0, 0, 0)
        self._sides.setSpacing(8)
        self._column = QVBoxLayout()
        self._column.setSpacing(4)
        self.words = QHBoxLayout()
        self.words.setSpacing(0)
        self.words.addWidget(self.statistics, 1)
        self._column.addLayout(self.words)
        self._column.addWidget(self.atlas, 1)
        self._column.addLayout(self.tools)
        self._column.addWidget(self.hover)
        self._sides.addLayout(self._column, 1)

    # ------------------------------------------------------------------ for the two panels

    @staticmethod
    def usable(layer: LayerInfo) -> bool:
        """Whether a layer can be shown here."""
        return True

    def tile_clicked(self, tile: int) -> None:
        """A tile was chosen by hand."""

    def describe_hover(self) -> None:
        """Say what is under the pointer."""

    def say(self) -> None:
        """Range and statistics of what is shown, in words."""

    def layer_changed(self) -> None:
        """The shown layer is another one."""

    # ------------------------------------------------------------------ layers

    @property
    def layer(self) -> str | None:
        """Name of the layer that is shown: the chosen one, else the first in it, before or after it that can be."""
        state = self.seen
        if state.opened is None:
            return None
        layers = list(state.opened.layers)
        names = [layer.name for layer in layers]
        wanted = self.context.workspace.layer
        at = names.index(wanted) if wanted in names else 0
        inside = [layer for layer in layers if layer.name.startswith(f"{wanted}.")]
        for layer in [*layers[at : at + 1], *inside, *reversed(layers[:at]), *layers[at + 1 :]]:
            if self.usable(layer):
                return layer.name
        return None

    def refresh_words(self, at_once: bool = False) -> None:
        """Bring texts up to date: at a rate that can be read while the weights move."""
        if at_once or self.seen.phase != "running":
            self._words.now()
        else:
            self._words.soon()

    def info(self) -> LayerInfo | None:
        """The layer that is shown."""
        state, name = self.seen, self.layer
        return next((x for x in state.opened.layers if x.name == name), None) if state.opened is not None else None

    def _chosen_by_hand(self, name: str) -> None:
        self.context.workspace.unit = None
        self.context.workspace.layer = name

    def _follow_layer(self, _name: str | None) -> None:
        self.chooser.set_current(self.layer)
        self.layer_changed()
        self.request_changed.emit()

    def _follow_unit(self, unit: int | None) -> None:
        self.mark_unit(unit)

    def mark_unit(self, unit: int | None) -> None:
        """Frame the tile of the chosen unit."""
        self.atlas.set_chosen(unit)

    def show_state(self, state: EngineState) -> None:
        """List the layers of a newly opened network."""
        if state.opened is self._opened:
            return
        self._opened = state.opened
        self._words.drop()
        self.atlas.set_atlas(None)
        self.statistics.set_text("")
        self.hover.set_text("")
        self.chooser.set_layers(state.opened.layers if state.opened is not None else ())
        self.chooser.set_current(self.layer)
        none = state.opened is not None and self.layer is None
        self.empty.set_text(self._why_none(state.opened) if none and state.opened is not None else self.empty_text)
        self._pages.setCurrentIndex(0 if none or state.opened is None else 1)
        self._arrange()
        self.layer_changed()
        self.request_changed.emit()

    def _why_none(self, opened: Inspected) -> str:
        keeps = _KEEPS if opened.model.trained_by == "memory" else ""
        return why_no_layers(opened) or self.none_text + keeps

    # ------------------------------------------------------------------ room

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 150)

    def _arrange(self) -> None:
        """The tree beside the atlas in a wide panel, above it in a high one, a box in a small one."""
        width, height = self.width(), self.height()
        beside = width >= _BESIDE_FROM and height >= 140
        compact = not beside and height < _TREE_FROM
        tree_height = min(self.chooser.rows_height(), int(height * 0.36))
        tree_width = min(300, int(width * 0.42))
        arrangement = (beside, compact, tree_width if beside else tree_height)
        if arrangement == self._arrangement:
            return
        if self._arrangement[:1] != (beside,):
            self._sides.removeWidget(self.chooser)
            self._column.removeWidget(self.chooser)
            if beside:
                self._sides.insertWidget(0, self.chooser)
            else:
                self._column.insertWidget(0, self.chooser)
        self._arrangement = arrangement
        self.chooser.set_compact(compact)
        self.chooser.setMinimumSize(0, 0)
        self.chooser.setMaximumSize(16777215, 16777215)
        if beside:
            self.chooser.setFixedWidth(tree_width)
        elif compact:
            self.chooser.setFixedHeight(self.chooser.box.sizeHint().height())
        else:
            self.chooser.setFixedHeight(tree_height)

    def _restyle(self) -> None:
        self.statistics.ink = self.context.theme.faint
        self.statistics.update()
