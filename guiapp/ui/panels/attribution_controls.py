"""The controls of the attribution panel: view, methods, target, the method's own parameters, how maps are painted."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from guiapp.interpret.attribution import METHODS, CurveOptions, SanityOptions
from guiapp.interpret.targets import Likeness, Measure
from guiapp.ui.icons import icon
from guiapp.ui.widgets.attribution_image import MapStyle
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.option_form import OptionForm
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo
    from guiapp.ui.theme import Theme

VIEWS = (("Maps", "maps"), ("Curves", "curves"), ("Sanity", "sanity"))
_VIEW_TIP = (
    "Maps: what in the picture counts for the answer\n"
    "Curves: how the answer changes as the pixels that count most come in, or go\n"
    "Sanity: whether the map changes when the weights are made random, layer by layer"
)
SUBJECTS = (("class", "answer"), ("unit", "unit"), ("likeness", "likeness"))
_SUBJECT_TIP = (
    "class: one of the network's answers, a box of a detector, a class of a segmentation network\n"
    "unit: the unit that is chosen in Activations or Filters\n"
    "likeness: how alike the embeddings of this picture and of one that is held are"
)
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
_CHOSEN = "@chosen"
CHOSEN_LAYER = _CHOSEN
"""In the place of a layer: the one that is chosen in the window."""


def _box(parent: QWidget, name: str, title: str, tip: str, items: Sequence[tuple[str, str]] = ()) -> QComboBox:
    box = QComboBox(parent)
    box.setObjectName(name)
    box.setAccessibleName(title)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(5)
    for text, value in items:
        box.addItem(text, value)
    return box


def _tool(parent: QWidget, name: str, symbol: str, tip: str, checkable: bool = False) -> QToolButton:
    button = QToolButton(parent)
    button.setObjectName(name)
    button.setIcon(icon(symbol))
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setAccessibleName(tip.partition(":")[0])
    button.setCheckable(checkable)
    return button


class MethodRow(QWidget):
    """What is shown, by which method, which others stand beside it.

    Attributes:
        views: ``attribution.view``; ``methods``: ``attribution.method``; ``more``: ``attribution.compare``.
        settings: Shows the parameters, ``attribution.settings``; ``again``: asks once more, ``attribution.explain``.
        changed: Emitted when other methods are chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.views = _box(self, "attribution.view", "What is shown", _VIEW_TIP, VIEWS)
        self.methods = _box(self, "attribution.method", "Method", "Method of attribution")
        self.methods.setMinimumContentsLength(9)
        self.methods.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.more = _tool(self, "attribution.compare", "compare", "Compare: other methods beside this one")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.more)
        self.menu.setToolTipsVisible(True)
        self.more.setMenu(self.menu)
        self.settings = _tool(self, "attribution.settings", "settings", "Parameters: of the method, its layer", True)
        self.again = _tool(self, "attribution.explain", "play", "Explain: this picture, now")
        self._beside: dict[str, Any] = {}
        for name, method in METHODS.items():
            self.methods.addItem(method.title, name)
            self.methods.setItemData(
                self.methods.count() - 1, f"{method.about} · {method.source}", Qt.ItemDataRole.ToolTipRole
            )
            action = self.menu.addAction(method.title)
            action.setObjectName(f"attribution.compare.{name}")
            action.setCheckable(True)
            action.setToolTip(method.about)
            action.toggled.connect(lambda _on: self.changed.emit())
            self._beside[name] = action
        self.menu.addSeparator()
        self.menu.addAction("None", self.alone)
        self.methods.setCurrentIndex(self.methods.findData("grad-cam"))
        self.methods.activated.connect(lambda _row: self.changed.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for widget in (self.views, self.methods, self.more, self.settings, self.again):
            row.addWidget(widget, 1 if widget is self.methods else 0)

    @property
    def method(self) -> str:
        """The first method."""
        return str(self.methods.currentData())

    def chosen(self) -> tuple[str, ...]:
        """The first method, then those beside it, in the order of the list."""
        return (
            self.method,
            *(n for n, a in self._beside.items() if a.isChecked() and a.isEnabled() and n != self.method),
        )

    def choose(self, method: str, beside: Sequence[str] = ()) -> None:
        """Choose methods."""
        self.methods.setCurrentIndex(self.methods.findData(method))
        self.blockSignals(True)
        for name, action in self._beside.items():
            action.setChecked(name in beside)
        self.blockSignals(False)
        self.changed.emit()

    def alone(self) -> None:
        """Leave the first method alone."""
        self.choose(self.method)

    def allow(self, reasons: Mapping[str, str]) -> None:
        """Methods with a reason cannot be chosen; the reason is their tip."""
        model = self.methods.model()
        for row in range(self.methods.count()):
            name = str(self.methods.itemData(row))
            reason, method = reasons.get(name, ""), METHODS[name]
            model.item(row).setEnabled(not reason)  # type: ignore[attr-defined]
            tip = reason or f"{method.about} · {method.source}"
            self.methods.setItemData(row, tip, Qt.ItemDataRole.ToolTipRole)
            self._beside[name].setEnabled(not reason)
            self._beside[name].setToolTip(tip)


class TargetRow(QWidget):
    """What is explained: a class by name, the chosen unit, or the likeness to a picture that is held.

    Attributes:
        subjects: Kind of target, ``attribution.target``.
        names: Any class by its name, ``attribution.class``.
        hold: Holds the picture, ``attribution.hold``; ``held`` shows it.
        class_named: Emitted with the index of a class that was typed.
        changed: Emitted when the kind of target or of likeness is another one.
    """

    class_named = Signal(int)
    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._indices: dict[str, int] = {}
        self.subjects = _box(self, "attribution.target", "What is explained", _SUBJECT_TIP, SUBJECTS)
        self.names = QLineEdit(self)
        self.names.setObjectName("attribution.class")
        self.names.setPlaceholderText("any class by name")
        self.names.setAccessibleName("Class by name")
        self.names.setToolTip("Type part of a name and choose: also a class that the network does not see")
        self.names.setClearButtonEnabled(True)
        self._model = QStringListModel(self)
        self._completer = QCompleter(self._model, self)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setMaxVisibleItems(12)
        self.names.setCompleter(self._completer)
        self._completer.activated[str].connect(self._take)
        self.names.returnPressed.connect(self._take_first)
        self.unit = QuietLabel("attribution.unit", self)
        self.hold = QPushButton("Hold this picture", self)
        self.hold.setObjectName("attribution.hold")
        self.hold.setToolTip("The picture to be like: hold one, then choose another")
        self.held = ImageView(theme, "held picture", self)
        self.held.setObjectName("attribution.held")
        self.held.setMinimumSize(32, 24)
        self.held.setFixedSize(48, 26)
        self.held.corner_text = False
        self.held.margin = 0
        self.likenesses = _box(
            self,
            "attribution.likeness",
            "Likeness",
            "How alike two embeddings are",
            [(n, n) for n in get_args(Likeness)],
        )
        like = QWidget(self)
        across = QHBoxLayout(like)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(4)
        for widget in (self.held, self.hold, self.likenesses):
            across.addWidget(widget, 1 if widget is self.likenesses else 0)
        self._pages = QStackedWidget(self)
        self._pages.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for page in (self.names, self.unit, like):
            self._pages.addWidget(page)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.subjects)
        row.addWidget(self._pages, 1)
        self.subjects.currentIndexChanged.connect(self._turn)
        self.likenesses.activated.connect(lambda _row: self.changed.emit())

    @property
    def subject(self) -> str:
        """``"answer"``, ``"unit"`` or ``"likeness"``."""
        return str(self.subjects.currentData())

    @property
    def likeness(self) -> Likeness:
        """How alikeness is measured."""
        found: Likeness = self.likenesses.currentData()
        return found

    def _turn(self, row: int) -> None:
        self._pages.setCurrentIndex(row)
        self.changed.emit()

    def set_labels(self, labels: Sequence[str], noun: str) -> None:
        """The classes that can be named; ``noun`` is what a network's answers are."""
        self.subjects.setItemText(0, noun or "class")
        times = Counter(labels)
        texts = [name if times[name] == 1 else f"{name} ({index})" for index, name in enumerate(labels)]
        indices = {text: index for index, text in enumerate(texts)}
        if indices != self._indices:
            self._indices = indices
            self._model.setStringList(texts)
            self.names.clear()
        self.names.setEnabled(bool(labels))

    def _take(self, text: str) -> None:
        if text in self._indices:
            self.class_named.emit(self._indices[text])
            self.names.selectAll()

    def _take_first(self) -> None:
        """Enter takes the name that was typed, else the first that has it in it."""
        typed = self.names.text().strip().lower()
        if typed:
            exact = self.names.text() if self.names.text() in self._indices else ""
            self._take(exact or next((text for text in self._indices if typed in text.lower()), ""))


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
        self.layers = _box(self, "attribution.layer", "Layer of CAMs", "Layer whose maps are weighted")
        self.layers.setMinimumContentsLength(10)
        measures = [(name, name) for name in get_args(Measure)]
        self.measures = _box(
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
        self.layers.addItem("the layer chosen in the window", _CHOSEN)
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
        self.signs = _box(self, "attribution.sign", "Which values", _SIGN_TIP, _SIGNS)
        self.grounds = _box(self, "attribution.ground", "Ground of the maps", "What lies below the maps", _GROUNDS)
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
