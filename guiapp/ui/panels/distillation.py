"""The distillation panel: softened answers of teacher and student, the temperature, runs with a teacher and alone."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from guiapp.core import paths
from guiapp.core.notices import UserError
from guiapp.engine.state import EngineState
from guiapp.tasks.predictions import ClassScores
from guiapp.training.recipe import as_dict
from guiapp.training.run_groups import spread
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels.run_reader import RunReader
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.class_bars import ClassBars
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.plain_table import Cell, PlainTable
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.training.run_records import RunRecord

_LOW, _HIGH = 0.5, 20.0
_TICKS = 200
_EVERY_S = 1.0
_FREE = ("distillation.", "seed", "device", "threads", "checkpoint_seconds", "loading.", "observe.")
"""Beginnings of the settings in which runs may differ that are compared."""
_TEACHER, _TEMPERATURE, _SHARE = "distillation.teacher", "distillation.temperature", "distillation.share"


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of one sample.

    Attributes:
        sample: Part and index.
        label: Its class.
        classes: Names of the classes.
        student, teacher: Scores before the soft-max, float64 (K,); of several teachers one row each, (M, K).
    """

    sample: tuple[str, int]
    label: int
    classes: tuple[str, ...]
    student: npt.NDArray[np.float64]
    teacher: npt.NDArray[np.float64] | None


class DistillationPanel(Panel):
    """Teacher and temperature above, both answers to the chosen sample, runs with a teacher and alone below.

    Attributes:
        teacher: ``distillation.teacher``: who teaches from the next start on; the first item is nobody.
        temperature: ``distillation.temperature``, a slider on a logarithmic scale.
        bars: Answers of teacher and student, softened.
        table: ``distillation.runs``: mean and spread over the runs of this network on these data.
        scored: What is shown, or None.
    """

    id = "distillation"
    title = "Distillation"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.scored: Scored | None = None
        self._runs = RunReader(context, self._arrived)
        self._listed: object = None
        self._studied: object = None
        self._at = 0.0
        self._make_head(context)
        self._make_answers(context)
        self.run = StudyRun(self)
        self.run.done.connect(self.take)
        self.bar = StudyBar(self.run, "distillation.bar", context.theme, self)
        self._lay_out()
        context.theme.changed.connect(self._restyle)
        stops = [context.workspace.subscribe("sample", lambda _sample: self._ask(True))]
        context.draft.changed.connect(self._follow_draft)
        self.destroyed.connect(lambda _=None: [stop() for stop in stops])
        self._follow_draft()

    def _make_head(self, context: Context) -> None:
        self.teacher = QComboBox(self)
        self.teacher.setObjectName("distillation.teacher")
        self.teacher.setAccessibleName("Teacher")
        self.teacher.setToolTip("Who teaches from the next start on: a run, or weights that came with the program")
        self.teacher.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.teacher.setMinimumContentsLength(12)
        self.teacher.activated.connect(self._choose_teacher)
        self.temperature = QSlider(Qt.Orientation.Horizontal, self)
        self.temperature.setObjectName("distillation.temperature")
        self.temperature.setAccessibleName("Temperature")
        self.temperature.setToolTip("Scores are divided by it; during a run it holds from the next step on")
        self.temperature.setRange(0, _TICKS)
        self.temperature.valueChanged.connect(lambda _value: self._show_bars())
        self.temperature.sliderReleased.connect(self._set_temperature)
        self.temperature.actionTriggered.connect(self._stepped)
        self.value = QLabel(self)
        self.value.setObjectName("distillation.value")

    def _make_answers(self, context: Context) -> None:
        self.heads = (QLabel("Teacher", self), QLabel("Student", self))
        self.bars = (ClassBars(context.theme, self), ClassBars(context.theme, self))
        for bars, name in zip(self.bars, ("teacher", "student"), strict=True):
            bars.setObjectName(f"distillation.{name}-answer")
            bars.class_clicked.connect(lambda index: setattr(context.workspace, "class_index", index))
        self.line = QuietLabel("distillation.line", self, context.theme.faint)
        heads = ("taught by", "runs", "accuracy", "loss")
        tips = (
            "Who taught, and at what temperature; runs with this network and recipe",
            "Runs that are done",
            "On validation: mean over the runs and standard deviation",
            "On validation, of the labels: mean over the runs",
        )
        self._table = PlainTable(context.theme, heads, tips, self)
        self.table = NumberTable(self, "distillation.runs", "With a teacher and alone", self._table)
        self.table.setSortingEnabled(False)
        self.table.setMinimumHeight(4 * (self.fontMetrics().height() + 8))

    def _lay_out(self) -> None:
        top, second, answers = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for row in (top, second, answers):
            row.setSpacing(6)
        top.addWidget(QLabel("taught by", self))
        top.addWidget(self.teacher, 1)
        second.addWidget(QLabel("temperature", self))
        second.addWidget(self.temperature, 1)
        second.addWidget(self.value)
        for head, bars in zip(self.heads, self.bars, strict=True):
            head.setProperty("heading", True)
            side = QVBoxLayout()
            side.setSpacing(0)
            side.addWidget(head)
            side.addWidget(bars, 1)
            answers.addLayout(side, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(second)
        column.addLayout(answers, 4)
        column.addWidget(self.line)
        column.addWidget(self.table, 1)
        column.addWidget(self.bar)

    # ------------------------------------------------------------------ the recipe

    @property
    def degrees(self) -> float:
        """The temperature of the slider."""
        return float(f"{_LOW * (_HIGH / _LOW) ** (self.temperature.value() / _TICKS):.2g}")

    def _follow_draft(self) -> None:
        draft = self.context.draft
        if draft.opened is None:
            return
        wanted = draft.recipe.distillation
        if not self.temperature.isSliderDown():
            at = math.log(min(max(wanted.temperature, _LOW), _HIGH) / _LOW) / math.log(_HIGH / _LOW)
            if abs(self.degrees - wanted.temperature) > 0.02 * wanted.temperature:
                self.temperature.setValue(round(at * _TICKS))
        self._list_teachers()
        self._show_bars()
        self._ask(False)

    def _choose_teacher(self, row: int) -> None:
        if not self.context.draft.edit({_TEACHER: self.teacher.itemData(row)}):
            self.bar.say("holds from the next start or reset on")
        self._ask(True)

    def _stepped(self, _action: int) -> None:
        if not self.temperature.isSliderDown():  # by a key or a click beside the handle
            self.temperature.setValue(self.temperature.sliderPosition())
            self._set_temperature()

    def _set_temperature(self) -> None:
        self.context.draft.edit({_TEMPERATURE: self.degrees})

    def _list_teachers(self) -> None:
        """Nobody, weights that came with the program, runs on these data; what the recipe names is chosen."""
        opened = self.seen.opened
        if opened is None:
            return
        wanted = self.context.draft.recipe.distillation.teacher if self.context.draft.opened is not None else ""
        items: list[tuple[str, str]] = [("nobody: the labels alone", "")]
        folder = paths.resources() / "weights"
        items += [(file.stem, file.stem) for file in sorted(folder.glob(f"*-{opened.dataset.name}.safetensors"))]
        for record in self._runs.records:
            if record.value("dataset") == opened.dataset.name and record.folder != self.seen.run:
                accuracy = record.value("validation.accuracy")
                right = f" · {100 * accuracy:.2f} %" if isinstance(accuracy, float) else ""
                items.append((f"{record.name}{right}", str(record.folder)))
        if wanted not in [value for _, value in items]:
            items.insert(1, (wanted, wanted))
        if items != [(self.teacher.itemText(i), self.teacher.itemData(i)) for i in range(self.teacher.count())]:
            self.teacher.clear()
            for text, value in items:
                self.teacher.addItem(text, value)
        self.teacher.setCurrentIndex([value for _, value in items].index(wanted))

    # ------------------------------------------------------------------ answers

    def show_state(self, state: EngineState) -> None:
        """Ask anew where the weights are others; read the runs anew where one has come to rest."""
        opened = state.opened
        now = None if opened is None else (id(opened), state.run, state.phase == "running")
        if now != self._listed:
            self._listed = now
            self._follow_draft()
            self.refresh()
        self._ask(False)

    def _ask(self, at_once: bool) -> None:
        """Work out both answers where something has changed; at most once a second while the network learns."""
        opened, draft = self.seen.opened, self.context.draft
        if opened is None or draft.opened is None or not self.isVisible() or self.seen.phase == "opening":
            return
        sample = self.context.workspace.sample or ("validation", 0)
        teacher = draft.recipe.distillation.teacher
        now = (id(opened), self.seen.step, sample, teacher)
        if now == self._studied or (not at_once and (self.run.running or time.monotonic() - self._at < _EVERY_S)):
            return
        self._studied, self._at = now, time.monotonic()

        def work(study: Study, _tell: Any) -> Generator[Any, None, Scored]:
            yield 0.0, "asking both"
            return scores_of(study, sample, teacher)

        self.run.start(work, "teacher and student", "experiment")

    def take(self, found: Scored) -> None:
        """Show both answers."""
        self.scored = found
        self.bar.say("")
        self._show_bars()

    def _show_bars(self) -> None:
        degrees = self.degrees
        self.value.setText(f"{degrees:g}")
        found = self.scored
        if found is None:
            return
        answers = [
            None if found.teacher is None else softened(found.teacher, degrees),
            softened(found.student, degrees),
        ]
        for bars, answer in zip(self.bars, answers, strict=True):
            shown = None if answer is None else ClassScores(answer.astype(np.float32), found.classes)
            bars.set_prediction(shown, found.label)
        part, index = found.sample
        words = f"{part} {index}: {found.classes[found.label]}"
        if answers[0] is not None and answers[1] is not None:
            apart = float((answers[0] * (np.log(answers[0] + 1e-30) - np.log(answers[1] + 1e-30))).sum())
            words += f" · T² KL(teacher, student) = {degrees**2 * apart:.3g}"
        self.line.set_text(words)

    # ------------------------------------------------------------------ runs

    def refresh(self) -> None:
        """Read which runs there are, on the work lane."""
        if self.seen.opened is not None:
            self._runs.read()

    def _arrived(self) -> None:
        records = self._runs.records
        self._list_teachers()
        opened = self.seen.opened
        if opened is None:
            return
        mine = [
            record
            for record in records
            if (record.value("dataset"), record.value("model"), record.value("state"))
            == (opened.dataset.name, opened.model.name, "done")
        ]
        from guiapp.training.recipe_file import flat

        options = {**(opened.model.options or {}), **opened.model_options}
        wanted = {**flat(as_dict(opened.recipe)), **{f"model.{name}": value for name, value in options.items()}}
        rows = compared(mine, wanted)
        self._table.set_rows(rows, [row[0].text for row in rows])
        self.table.fit()

    def told(self) -> dict[str, Any]:
        """Who teaches, and how warm."""
        return {"teacher": self.teacher.currentText(), "temperature": self.degrees}

    def shut(self) -> None:
        """Stop asking."""
        self.run.stop()

    def _restyle(self) -> None:
        self.line.ink = self.context.theme.faint
        self.line.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 240)


def softened(scores: npt.NDArray[np.float64], temperature: float) -> npt.NDArray[np.float64]:
    """softmax(z / T) of scores (K,), or the mean of several, (M, K)."""
    parts = np.exp((scores - scores.max(-1, keepdims=True)) / temperature)
    parts /= parts.sum(-1, keepdims=True)
    return np.asarray(parts if parts.ndim == 1 else parts.mean(0))


def scores_of(study: Study, sample: tuple[str, int], teacher: str) -> Scored:
    """What student and teachers give for a sample; for the work lane.

    Raises:
        UserError: If nothing is open, or a teacher cannot be asked.
    """
    import torch

    from guiapp.training.teachers import names_of, open_teacher

    dataset = study.dataset
    if dataset is None or study.model.origin != "trained":
        raise UserError("open an experiment: its samples are asked about")
    samples = dataset.part(sample[0])  # type: ignore[arg-type]
    index = min(sample[1], len(samples) - 1)
    picture = np.asarray(samples.images[index])
    rows = []
    with torch.no_grad():
        inputs = study.inspected.preprocessing(picture, study.model.device)
        student = study.module(inputs)[0].double().cpu().numpy()
        for name in names_of(teacher):
            asked = open_teacher(name)
            if tuple(asked.classes) != tuple(dataset.classes):
                raise UserError(f"{name} tells other classes apart: choose another teacher")
            rows.append(asked.module(asked.preprocessing(picture))[0].double().numpy())
    given = np.stack(rows) if rows else None
    return Scored((sample[0], index), int(samples.labels[index]), tuple(dataset.classes), student, given)


def compared(records: Sequence[RunRecord], wanted: Mapping[str, Any]) -> list[tuple[Cell, ...]]:
    """Rows of runs that differ from the open recipe in teacher, temperature, share and seed alone; the best first.

    Args:
        records: Runs of one network on the same data.
        wanted: Settings of the open recipe by dotted name; what decides no figure is passed over.
    """
    groups: dict[tuple[Any, ...], list[RunRecord]] = {}
    for record in records:
        settings = {name: value for name, value in record.settings.items() if not name.startswith(_FREE)}
        if any(wanted.get(name, value) != value for name, value in settings.items()):
            continue
        teacher = str(record.value(_TEACHER) or "")
        key = (teacher, record.value(_TEMPERATURE), record.value(_SHARE)) if teacher else ("", None, None)
        groups.setdefault(key, []).append(record)
    rows = []
    for (teacher, degrees, share), mine in groups.items():
        right = spread([v for one in mine if isinstance(v := one.value("validation.accuracy"), float)])
        loss = spread([v for one in mine if isinstance(v := one.value("validation.loss"), float)])
        name = f"{teacher.rpartition('/')[2]}, T {degrees:g}" if teacher else "nobody"
        tip = f"{teacher} at temperature {degrees:g}, share {share:g}" if teacher else "the labels alone"
        reach = f" ± {100 * right.deviation:.2f}" if math.isfinite(right.deviation) else ""
        cells = (Cell(f"{100 * right.mean:.2f}{reach} %", right.mean), Cell(f"{loss.mean:.3f}", loss.mean))
        rows.append((Cell(name, tip=tip), Cell(str(right.count), right.count), *cells))
    return sorted(rows, key=lambda row: -(row[2].value or 0.0))
