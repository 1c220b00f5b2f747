"""What of a network's answer is shown: thresholds, classes and layers, which act at once on the last answer."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from guiapp.tasks.live_options import LiveOptions
from guiapp.ui.card import Card
from guiapp.ui.context import Context
from guiapp.ui.painters import PaintOptions
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.quiet_label import QuietLabel

_TOPS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 300)
_BOXES = ("detection", "instances", "keypoints")
_SLIDERS = {  # name: caption, tip, tasks
    "score": ("score ≥", "Objects are shown whose score is above this", _BOXES),
    "iou": ("overlap ≤", "Of two boxes of one class that overlap by more (intersection over union), the worse goes",
            _BOXES),
    "top": ("at most", "So many objects are shown, the best", _BOXES),
    "bars": ("classes", "So many of the best classes have a bar", ("classification", "clip")),
    "opacity": ("opacity", "Of what lies over the picture", ("instances", "segmentation", "flow", "depth")),
}  # fmt: skip
_CHECKS = {  # name: caption, tip, tasks
    "labels": ("Names", "Class and score beside each object", _BOXES),
    "masks": ("Masks", "Masks of the objects", ("instances",)),
    "keypoints": ("Skeletons", "Key points and what joins them", ("keypoints",)),
    "suppressed": ("Before suppression", "Dashed: boxes above the threshold that a better one took away", _BOXES),
    "proposals": ("Proposals", "Dashed: the regions, anchors or cells that the detector looked at closer", _BOXES),
    "by_confidence": ("Fade where unsure", "Pixels fade where the network is unsure", ("segmentation",)),
    "arrows": ("Arrows", "Flow as arrows", ("flow",)),
}  # fmt: skip
_UNNAMED = {"N/A", "__background__", "background"}


class LiveShown(QWidget):
    """Controls of the open network's task; those of other tasks are hidden.

    Attributes:
        changed: Emitted when ``options`` or ``look`` are others.
        options: What the task shows of an answer.
        look: How it is painted.
        classes_button: Opens the list of classes, ``live.classes``.
    """

    changed = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.options = LiveOptions()
        self.look = PaintOptions()
        self._labels: tuple[str, ...] = ()
        self._task = ""
        self._heading = QLabel("Shown", self)
        self._heading.setProperty("heading", True)
        self.sliders: dict[str, JumpSlider] = {}
        self.checks: dict[str, QCheckBox] = {}
        self._values: dict[str, QuietLabel] = {}
        self._captions: dict[str, QLabel] = {}
        grid = self._build_sliders(context)
        self.classes_button = QPushButton("All classes", self)
        self.classes_button.setObjectName("live.classes")
        self.classes_button.setToolTip("Choose the classes that are shown")
        self.classes_button.clicked.connect(self._open_classes)
        self._checks = self._build_checks()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        top = QHBoxLayout()
        top.addWidget(self._heading, 1)
        top.addWidget(self.classes_button)
        column.addLayout(top)
        column.addLayout(grid)
        column.addLayout(self._checks)
        self.set_task("", ())

    def _build_sliders(self, context: Context) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for row, (name, (caption, tip, _)) in enumerate(_SLIDERS.items()):
            slider = JumpSlider(context.theme, f"live.{name}", caption, self)
            slider.setToolTip(tip)
            slider.setRange(*{"top": (0, len(_TOPS) - 1), "bars": (1, 10)}.get(name, (0, 100)))
            label = QLabel(caption, self)
            label.setProperty("faint", True)
            value = QuietLabel(f"live.{name}-value", self)
            value.set_room("0.00")
            value.set_alignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(label, row, 0)
            grid.addWidget(slider, row, 1)
            grid.addWidget(value, row, 2)
            self.sliders[name], self._captions[name], self._values[name] = slider, label, value
        self._follow_values()
        for name, slider in self.sliders.items():
            slider.valueChanged.connect(lambda _value, n=name: self._moved(n))
        return grid

    def _build_checks(self) -> QGridLayout:
        checks = QGridLayout()
        checks.setContentsMargins(0, 0, 0, 0)
        checks.setHorizontalSpacing(12)
        checks.setVerticalSpacing(4)
        for name, (caption, tip, _) in _CHECKS.items():
            box = QCheckBox(caption, self)
            box.setObjectName(f"live.{name}")
            box.setToolTip(tip)
            box.setChecked(bool(getattr(self.look, name)))
            box.toggled.connect(lambda on, n=name: self._ticked(n, on))
            self.checks[name] = box
        return checks

    def set_task(self, task: str, labels: tuple[str, ...]) -> None:
        """Show the controls of a task; another set of classes ends the choice among the classes of the last."""
        self._task = task
        for name, (_, _, tasks) in _SLIDERS.items():
            for widget in (self.sliders[name], self._captions[name], self._values[name]):
                widget.setVisible(task in tasks)
        shown = [box for name, box in self.checks.items() if task in _CHECKS[name][2]]
        for box in self.checks.values():
            self._checks.removeWidget(box)
            box.setVisible(box in shown)
        for place, box in enumerate(shown):
            self._checks.addWidget(box, place // 2, place % 2)
        self._heading.setVisible(bool(task))
        if labels != self._labels:
            self._labels = labels
            self.set_classes(None)
        self.classes_button.setVisible(task in (*_BOXES, "segmentation") and len(self.named()) > 1)

    def set_classes(self, classes: frozenset[int] | None) -> None:
        """Show these classes alone; None shows all."""
        count = len(self.named())
        text = "All classes" if classes is None else f"{len(classes)} of {count} classes"
        if classes is not None and len(classes) == 1:
            text = f"only {self._labels[next(iter(classes))]}"
        self.classes_button.setText(text)
        if classes != self.options.classes:
            self.options = replace(self.options, classes=classes)
            self.changed.emit()

    def named(self) -> list[int]:
        """Indices of the classes that can be chosen."""
        return [index for index, label in enumerate(self._labels) if label not in _UNNAMED]

    # ------------------------------------------------------------------ hand

    def _follow_values(self) -> None:
        top = _TOPS.index(self.options.top)
        for name, value in (
            ("score", round(self.options.score * 100)), ("iou", round(self.options.iou * 100)), ("top", top),
            ("bars", self.look.top), ("opacity", round(self.look.opacity * 100)),
        ):  # fmt: skip
            self.sliders[name].setValue(value)
            self._write(name)

    def _write(self, name: str) -> None:
        value = self.sliders[name].value()
        texts = {"top": str(_TOPS[value]) if name == "top" else "", "bars": str(value)}
        self._values[name].set_text(texts.get(name, f"{value / 100:.2f}"))

    def _moved(self, name: str) -> None:
        value = self.sliders[name].value()
        self._write(name)
        if name == "top":
            self.options = replace(self.options, top=_TOPS[value])
        elif name == "bars":
            self.look = replace(self.look, top=value)
        elif name == "opacity":
            self.look = replace(self.look, opacity=value / 100)
        else:
            self.options = replace(self.options, **{name: value / 100})
        self.changed.emit()

    def _ticked(self, name: str, on: bool) -> None:
        self.look = replace(self.look, **{name: on})
        if name == "proposals":
            self.options = replace(self.options, proposals=on)
        self.changed.emit()

    def _open_classes(self) -> None:
        window = self.window()
        card = ClassesCard(window, self)
        corner = self.classes_button.mapTo(window, self.classes_button.rect().topLeft())
        height = 110 + (card.list.sizeHintForRow(0) + 1) * len(self.named())
        card.place(corner.x() - 260, corner.y() - 60, 250, min(420, height))


class ClassesCard(Card):
    """The list of classes with a tick each; every tick acts at once."""

    def __init__(self, window: QWidget, shown: LiveShown) -> None:
        super().__init__(window, "Classes shown", "live.classes")
        self._shown = shown
        self.list = QListWidget(self)
        self.list.setObjectName("live.class-list")
        chosen = shown.options.classes
        for index in sorted(shown.named(), key=lambda i: shown._labels[i].lower()):
            item = QListWidgetItem(shown._labels[index], self.list)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setData(Qt.ItemDataRole.UserRole, index)
            on = chosen is None or index in chosen
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.list.itemChanged.connect(lambda _item: self._take())
        row = QHBoxLayout()
        row.setSpacing(4)
        for name, title, state in (("all", "All", Qt.CheckState.Checked), ("none", "None", Qt.CheckState.Unchecked)):
            button = QPushButton(title, self)
            button.setObjectName(f"live.classes-{name}")
            button.clicked.connect(lambda _=False, s=state: self._set_all(s))
            row.addWidget(button)
        row.addStretch(1)
        self.body.addWidget(self.list, 1)
        self.body.addLayout(row)

    def _set_all(self, state: Qt.CheckState) -> None:
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            self.list.item(row).setCheckState(state)
        self.list.blockSignals(False)
        self.list.viewport().update()
        self._take()

    def _take(self) -> None:
        items = [self.list.item(row) for row in range(self.list.count())]
        on = {i.data(Qt.ItemDataRole.UserRole) for i in items if i.checkState() == Qt.CheckState.Checked}
        self._shown.set_classes(None if len(on) == len(items) else frozenset(on))
