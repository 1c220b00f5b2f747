"""The augmentation panel: what the recipe makes of real samples, its strengths, and views that vote."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture, rgb
from guiapp.engine.state import EngineState
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.recipe_words import LABELS, augmentations
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.caption_grid import CaptionGrid
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.option_form import OptionForm
from guiapp.ui.widgets.plain_table import Cell, PlainTable
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset, Part
    from guiapp.engine.state import Opened
    from guiapp.engine.study import Study
    from guiapp.training.augmentation_preview import Measured, Shown

_MODES = (
    ("draws", "One sample"),
    ("step", "Batch of a step"),
    ("vote", "Views that vote"),
)
_NAMED = ("name",)
_LEFT = ("flip", "flip_vertical", "shift", "crop", "rotation", "scale", "shear")
_RIGHT = ("brightness", "contrast", "saturation", "hue", "pca", "cutout", "cutout_chance", "mixup", "cutmix")
_VIEWS = (
    ("flip", "mirror image"),
    ("crops", "middle and corners"),
    ("ten", "both: ten crops"),
    ("draws", "own augmentation"),
)
_WORDS = {"alone": "no vote", **dict(_VIEWS)}
_DRAWS = 11  # with the sample as it is, three rows of four
_STEP_SAMPLES = 24
_VOTES = 8
_DELAY_MS = 120
_STILL = ("ready", "finished", "failed")


class AugmentationPanel(Panel):
    """Pictures above, strengths or figures below.

    Attributes:
        mode: What is shown, ``augmentation.mode``.
        number: First draw, or step, ``augmentation.number``.
        views: Kind of the views that vote, ``augmentation.views``.
        pictures: ``augmentation.pictures``; a click looks at one.
        forms: The strengths, ``augmentation.<field>``; None until an experiment is open.
        measure: Measures every kind of voting on the validation part, ``augmentation.measure``.
        table: What was measured, ``augmentation.table``.
        run: What is being worked out.
    """

    id = "augmentation"
    title = "Augmentation"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.shown: Shown | None = None
        self.forms: tuple[OptionForm, ...] = ()
        self._opened: Opened | None = None
        self._sample: tuple[Part, int] = ("train", 0)
        self._of = ""
        self.mode = self._box("mode", "What is shown", _MODES)
        self.mode.activated.connect(lambda _row: self._choose_mode())
        self.number = QSpinBox(self)
        self.number.setObjectName("augmentation.number")
        self.number.setAccessibleName("Number of the first draw, or of the step")
        self.number.setRange(0, 10_000_000)
        self.number.setKeyboardTracking(False)
        self.number.valueChanged.connect(lambda _value: self._later())
        self.views = self._box("views", "Views that vote", _VIEWS)
        self.views.setCurrentIndex(2)
        self.views.activated.connect(lambda _row: self._later())
        self.pictures = CaptionGrid(theme, "augmentation.pictures", "Augmented samples", self)
        self.pictures.clicked.connect(self._look)
        self.line = QuietLabel("augmentation.line", self, theme.faint)
        self.message = QuietLabel("augmentation.message", self, theme.error)
        self.message.hide()
        self.measure = QPushButton("Measure on validation", self)
        self.measure.setObjectName("augmentation.measure")
        self.measure.setToolTip("Accuracy on the validation part: alone, and by every kind of vote")
        self.measure.clicked.connect(self._measure)
        self._table = PlainTable(theme, ("views", "number", "votes", "mean"), (
            "What the network sees of a sample", "How many views",
            "Accuracy where the class with most votes wins; a tie goes to the larger mean",
            "Accuracy of the mean of the probabilities",
        ), self)  # fmt: skip
        self.table = NumberTable(self, "augmentation.table", "Accuracy by vote", self._table)
        self.table.setSortingEnabled(False)
        self.run = StudyRun(self)
        self.run.done.connect(self._take)
        self.run.partly.connect(self._take)
        self.bar = StudyBar(self.run, "augmentation.bar", theme, self)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_DELAY_MS)
        self._delay.timeout.connect(self.compute)
        self._build()
        theme.changed.connect(self._restyle)
        stop = context.workspace.subscribe("sample", self._follow)
        self.destroyed.connect(lambda _=None: stop())
        self._follow(context.workspace.sample, again=False)
        self._choose_mode()
        self.show_state(self.seen)

    def _box(self, name: str, title: str, items: tuple[tuple[str, str], ...]) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(f"augmentation.{name}")
        box.setAccessibleName(title)
        box.setToolTip(title)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(13)
        for value, text in items:
            box.addItem(text, value)
        return box

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.mode, 3)
        top.addWidget(self.number, 1)
        top.addWidget(self.views, 2)
        self._forms = QHBoxLayout()
        self._forms.setContentsMargins(0, 0, 4, 0)
        self._forms.setSpacing(8)
        inner = QWidget(self)
        self._strengths = QVBoxLayout(inner)
        self._strengths.setContentsMargins(0, 0, 0, 0)
        self._strengths.setSpacing(4)
        self._strengths.addLayout(self._forms)
        self._strengths.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        voting = QWidget(self)
        below = QVBoxLayout(voting)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addWidget(self.table, 1)
        below.addWidget(self.measure)
        self._below = QStackedWidget(self)
        self._below.addWidget(scroll)
        self._below.addWidget(voting)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.pictures, 3)
        column.addWidget(self.line)
        column.addWidget(self._below, 2)
        column.addWidget(self.message)
        column.addWidget(self.bar)
        self.empty = EmptyState("Open an experiment to see what its recipe makes of samples.", (), self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 4, 8, 4)
        whole.addWidget(self._pages)

    def minimumSizeHint(self) -> QSize:
        return QSize(280, 240)

    # ------------------------------------------------------------------ what is shown

    def show_state(self, state: EngineState) -> None:
        """Follow the open experiment and its recipe."""
        opened = state.opened
        for form in self.forms:
            form.set_enabled(None if state.phase in _STILL else ())
        if opened is self._opened:
            return
        new_data = self._opened is None or opened is None or opened.dataset is not self._opened.dataset
        self._opened = opened
        self._pages.setCurrentIndex(1 if opened is not None else 0)
        self.message.hide()
        if opened is None:
            return
        if new_data:
            self._sample = ("train", 0)
            self._follow(self.context.workspace.sample, again=False)
            self._table.set_rows((), ())
        if not self.forms:
            self._make_forms(opened)
            for form in self.forms:
                form.set_enabled(None if state.phase in _STILL else ())
        for form in self.forms:
            form.set_options(opened.recipe.augmentation)
        self._later()

    def _make_forms(self, opened: Opened) -> None:
        """The name beside what is shown, the strengths in two columns below the pictures."""
        labels = {name: LABELS.get(f"augmentation.{name}", name) for name in (*_LEFT, *_RIGHT)}
        made = []
        for fields in (_NAMED, _LEFT, _RIGHT):
            form = OptionForm(
                opened.recipe.augmentation, "augmentation", only=fields, labels={**labels, "name": "named"},
                choices={"name": augmentations}, parent=self,
            )  # fmt: skip
            for name in fields if fields is not _NAMED else ():
                form.editor(name).setFixedWidth(50)
            form.leave_out_units()
            form.edited.connect(self._edited)
            form.rejected.connect(self._reject)
            if fields is _NAMED:
                self._strengths.insertWidget(0, form)
            else:
                self._forms.addWidget(form, 1, Qt.AlignmentFlag.AlignTop)
            made.append(form)
        self.forms = tuple(made)

    def _edited(self, name: str, value: Any) -> None:
        """A strength was changed: the open experiment takes it, and the pictures follow once it has."""
        self.message.hide()
        self.context.bridge.engine.configure({f"augmentation.{name}": value})

    def _reject(self, message: str) -> None:
        self.message.set_text(message)
        self.message.setVisible(bool(message))

    def _follow(self, sample: tuple[str, int] | None, again: bool = True) -> None:
        """Take the chosen sample, and keep it where none is chosen."""
        dataset = self._dataset()
        if sample is None or (dataset is not None and sample[1] >= len(dataset.part(cast("Part", sample[0])))):
            return
        self._sample = cast("Part", sample[0]), sample[1]
        if again and self.mode.currentData() != "step":
            self._later()

    def _dataset(self) -> Dataset | None:
        return self._opened.dataset if self._opened is not None else None

    def _choose_mode(self) -> None:
        mode = self.mode.currentData()
        self.number.setVisible(mode != "vote")
        self.number.setPrefix("step " if mode == "step" else "from draw ")
        tip = "Step of the run: its very batch" if mode == "step" else "Number of the first draw"
        self.number.setToolTip(tip)
        self.number.setSingleStep(1 if mode == "step" else _DRAWS)
        self.views.setVisible(mode == "vote")
        self._below.setCurrentIndex(1 if mode == "vote" else 0)
        self.number.setValue(0)
        self._later()

    def _later(self) -> None:
        self._delay.start()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        if self._of != self._wanted():
            self._later()

    def _wanted(self) -> str:
        """What decides the pictures, in short, so that nothing is worked out twice."""
        recipe = self._opened.recipe if self._opened is not None else None
        return f"{id(self._opened)} {recipe} {self._sample} {self.mode.currentData()} {self.number.value()} " + str(
            (self.views.currentData(), self.context.workspace.step, self.seen.step if self._voting else 0)
        )

    @property
    def _voting(self) -> bool:
        return self.mode.currentData() == "vote"

    # ------------------------------------------------------------------ working it out

    def compute(self) -> None:
        """Work out the pictures on the work lane."""
        opened = self._opened
        if opened is None or not self.isVisible():
            return
        self._of = self._wanted()
        (part, index), mode, number, kind = (
            self._sample, self.mode.currentData(), self.number.value(), self.views.currentData(),
        )  # fmt: skip

        def work(study: Study, _tell: Any) -> Generator[Any, None, Any]:
            yield 0.0, "drawing"
            from guiapp.training.augmentation_preview import ballot, draws, setup_of, step_batch

            setup = setup_of(opened)
            if mode == "draws":
                return draws(setup, part, index, _DRAWS, number)
            if mode == "step":
                return step_batch(setup, number, _STEP_SAMPLES)
            return ballot(study.module, setup, opened.dataset.part(part).images[index], kind, _VOTES)

        self.run.start(work, "augmentation", "experiment")

    def _measure(self) -> None:
        opened = self._opened
        if opened is None:
            return
        self._table.set_rows((), ())

        def work(study: Study, tell: Any) -> Generator[Any, None, Any]:
            from guiapp.training.augmentation_preview import measuring, setup_of

            if study.dataset is None:
                raise UserError("open an experiment: its data set gives the samples")
            return (yield from measuring(study.module, setup_of(opened), "validation", _VOTES, tell))

        self.run.start(work, "accuracy by vote", "experiment")

    def _take(self, found: Any) -> None:
        if isinstance(found, list):
            self._show_measured(found)
            return
        self.shown = found
        good, bad = self.context.theme.good, self.context.theme.error
        opened = self._opened
        inks: list[Any] = []
        if self._voting and opened is not None:
            truth = int(opened.dataset.part(self._sample[0]).labels[self._sample[1]])
            inks = [good if label == truth else bad for label in found.labels]
        self.pictures.show_pictures(found.pictures, found.captions, inks)
        self.line.set_text(found.text, tuple(found.text.split(" · ")[1:2]))
        self.bar.say("")

    def _show_measured(self, rows: list[Measured]) -> None:
        best = max(found.accuracy for row in rows for found in row.found.values())
        lines = []
        for row in rows:
            cells = [Cell(_WORDS[row.kind]), Cell(str(row.count), row.count)]
            for rule in ("majority", "mean"):
                found = row.found[rule]  # type: ignore[index]
                low, high = found.interval
                tip = f"95 % interval {100 * low:.2f} % to {100 * high:.2f} %, {found.count:,} samples"
                value = found.accuracy
                cells.append(Cell(f"{100 * value:.2f} %", value, value == best and len(rows) > 1, tip))
            lines.append(tuple(cells))
        self._table.set_rows(lines, [row.kind for row in rows])
        self.table.fit()

    def _look(self, item: int) -> None:
        """Look at an augmented picture with every other panel."""
        if self.shown is None or self._opened is None:
            return
        image, caption = self.shown.pictures[item], self.shown.captions[item]
        step = self.mode.currentData() == "step"
        name = f"{self._opened.dataset.title} · " + (
            f"step {self.number.value()}" if step else " ".join(map(str, self._sample))
        )
        origin = Origin("sample", f"{name} · {caption}")
        label = self.shown.labels[item] if not self._voting else None
        picture = Picture(rgb(image), origin, label, sample=image)
        kept = self._sample
        self.context.bridge.look_at(picture)
        self._sample = kept

    def told(self) -> dict[str, Any]:
        """What the pictures were made with."""
        return {"shown": self.mode.currentText(), "number": self.number.value(), "sample": self._sample}

    def _restyle(self) -> None:
        self.line.ink, self.message.ink = self.context.theme.faint, self.context.theme.error
        self.line.update()
        self.message.update()
