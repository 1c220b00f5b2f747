"""Pages of the compare panel: parallel coordinates, differences of recipe, mean and spread, bias and variance."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from guiapp.core.notices import UserError
from guiapp.training.run_groups import Group
from guiapp.training.run_records import RunRecord, differing, short_name
from guiapp.ui.panel import Panel
from guiapp.ui.panels.compare_table import cell_text
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.theme import Theme
from guiapp.ui.widgets.group_plots import PartsPlot, Row, SpreadPlot
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.parallel_plot import ParallelPlot
from guiapp.ui.widgets.plain_table import Cell, PlainTable

_MOST_AXES = 12
_MOST_COLUMNS = 12
_FIGURES = ("validation.accuracy", "validation.loss", "train.accuracy", "gap", "best.epoch", "epochs.done", "seconds")


def _hint(parent: QWidget, name: str) -> QLabel:
    label = QLabel(parent)
    label.setObjectName(name)
    label.setProperty("faint", True)
    label.setWordWrap(True)
    return label


class ParallelPage(QWidget):
    """Lines of runs over what differs between them and how good they are.

    Attributes:
        plot: ``compare.parallel``.
        opened: Emitted with the folder of a clicked line.
        kept: Emitted with the folders inside the brushes when the person keeps them.
    """

    opened = Signal(object)
    kept = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._records: list[RunRecord] = []
        self.plot = ParallelPlot(theme, "compare.parallel", self)
        self.plot.clicked.connect(lambda row: self.opened.emit(self._records[row].folder))
        self.plot.brushed.connect(self._brushed)
        self.plot.hovered.connect(self._tell)
        self.hint = _hint(self, "compare.parallel-hint")
        self.keep = QPushButton("Choose these", self)
        self.keep.setObjectName("compare.keep")
        self.keep.setToolTip("Choose the runs inside the brushes, in every page")
        self.keep.clicked.connect(lambda: self.kept.emit({self._records[row].folder for row in self.plot.inside()}))
        row = QHBoxLayout()
        row.addWidget(self.hint, 1)
        row.addWidget(self.keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.plot, 1)
        column.addLayout(row)
        self._brushed(None)

    def show_records(self, records: Sequence[RunRecord], columns: Sequence[str]) -> None:
        """Show these runs; ``columns`` are axes that the person chose beside what differs."""
        self._records = list(records)
        varied = differing(records)[: _MOST_AXES - 3]
        wanted = [c for c in columns if c in _FIGURES and c not in ("validation.accuracy", "seconds")]
        axes = [*varied, *wanted, "validation.accuracy"][-_MOST_AXES:] if records else []
        self.plot.set_runs(
            [record.name for record in records], [(short_name(name), [r.value(name) for r in records]) for name in axes]
        )
        self._brushed(self.plot.inside() if self.plot.brushes else None)

    def _tell(self, row: int | None) -> None:
        if row is None:
            self._brushed(self.plot.inside() if self.plot.brushes else None)
        else:
            record = self._records[row]
            self.hint.setText(f"{record.name}, {record.about['state']}: click opens it.")

    def _brushed(self, rows: list[int] | None) -> None:
        self.keep.setVisible(rows is not None)
        if rows is not None:
            self.hint.setText(f"{len(rows)} of {len(self._records)} runs are inside the brushes.")
        elif len(self._records) < 2:
            self.hint.setText("Parallel coordinates need at least two runs.")
        else:
            self.hint.setText("Drag along an axis to brush it; click a line to open its run. Colour: the last axis.")


class DifferencesPage(QWidget):
    """A row for each setting in which the chosen runs differ, a column a run."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.hint = _hint(self, "compare.differences-hint")
        self.model: PlainTable | None = None
        self.table: NumberTable | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._room = QWidget(self)
        self._column.addWidget(self._room, 1)
        self._column.addWidget(self.hint)

    def show_records(self, records: Sequence[RunRecord]) -> None:
        """Compare these runs; the first is what the others differ from."""
        shown = list(records[:_MOST_COLUMNS])
        if self.table is not None:
            self._column.removeWidget(self.table)
            self.table.deleteLater()
            self.table = self.model = None
        self._room.setVisible(len(shown) < 2)
        if len(shown) < 2:
            self.hint.setText("Choose two or more runs in the table to see in what their recipes differ.")
            return
        varied = differing(shown)
        words = (
            f"{len(varied)} settings differ; marked: other than the first run." if varied else "The recipes are equal."
        )
        more = f" The first {_MOST_COLUMNS} of {len(records)} runs." if len(records) > _MOST_COLUMNS else ""
        self.hint.setText(words + more)
        heads = ["setting", *(record.name for record in shown)]
        self.model = PlainTable(self._theme, heads, list(heads), self)
        rows = []
        for name in [*varied, *_FIGURES]:
            first = shown[0].value(name)
            cells = [
                Cell(cell_text(name, v := r.value(name)), float(v) if isinstance(v, (int, float)) else None,
                     name in varied and v != first)
                for r in shown
            ]  # fmt: skip
            rows.append((Cell(name), *cells))
        self.table = NumberTable(self, "compare.differences", "Differences of recipe", self.model)
        self.table.setSortingEnabled(False)
        self.table.names = max(self.fontMetrics().horizontalAdvance(str(row[0].text)) for row in rows) + 24
        self.model.set_rows(rows, [*varied, *_FIGURES])
        self._column.insertWidget(0, self.table, 1)
        self.table.fit()


class SpreadPage(QWidget):
    """Groups of runs that differ in seed, fold or draw alone, with mean and deviation."""

    _HEADS = ("configuration", "runs", "over", "accuracy", "±", "loss", "±", "gap", "±")
    _TIPS = (
        "Settings in which the groups differ", "Runs of the group", "What its runs differ in",
        "Mean validation accuracy", "Standard deviation over the runs (n - 1)", "Mean validation loss",
        "Standard deviation over the runs", "Mean of training less validation accuracy", "Standard deviation",
    )  # fmt: skip

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint = _hint(self, "compare.spread-hint")
        self.plot = SpreadPlot(theme, "compare.spread", self)
        self.model = PlainTable(theme, self._HEADS, self._TIPS, self)
        self.table = NumberTable(self, "compare.groups", "Groups of runs", self.model)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.addWidget(_scrolled(self.plot, split))
        split.addWidget(self.table)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(split, 1)
        column.addWidget(self.hint)

    def show_groups(self, groups: Sequence[Group]) -> None:
        """Show these groups, best mean accuracy first."""
        ranked = sorted(groups, key=lambda g: -_or(g.figures["validation.accuracy"].mean, -1.0))
        rows = []
        for group in ranked:
            cells = [Cell(group.label, None), Cell(str(len(group.runs)), len(group.runs)), Cell(_over(group))]
            for name in ("validation.accuracy", "validation.loss", "gap"):
                found = group.figures[name]
                cells += [_number(found.mean), _number(found.deviation)]
            rows.append(tuple(cells))
        self.model.set_rows(rows, [group.label for group in ranked])
        self.table.fit()
        self.plot.set_rows([_row(group) for group in ranked], "validation accuracy")
        repeated = sum(len(group.runs) > 1 for group in ranked)
        self.hint.setText(
            f"{repeated} of {len(ranked)} groups have runs that differ in seed, fold or draw alone. "
            "Bar: mean ± standard deviation of the runs."
            if repeated
            else "No two of these runs differ in seed, fold or draw alone: search with seeds or folds to see a spread."
        )


class BiasPage(QWidget):
    """The squared error of repeated fits split into bias and variance, measured on the validation part.

    Attributes:
        run: The measurement that goes on.
        plot: ``compare.bias``.
    """

    def __init__(self, panel: Panel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._groups: list[Group] = []
        theme = panel.context.theme
        self.run = StudyRun(panel)
        self.bar = StudyBar(self.run, "compare.bias-bar", theme, self)
        self.button = QPushButton("Measure", self)
        self.button.setObjectName("compare.measure-bias")
        self.button.setToolTip("Let every chosen run predict the validation part, and split the error of each group")
        self.button.clicked.connect(self.measure)
        self.plot = PartsPlot(
            theme, "compare.bias", "Bias and variance", (("bias²", "training"), ("variance", "validation")), self
        )
        self.hint = _hint(self, "compare.bias-hint")
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.bar, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(_scrolled(self.plot, self), 1)
        column.addWidget(self.hint)

    def show_groups(self, groups: Sequence[Group]) -> None:
        """Offer these groups; what was measured of others is taken away."""
        repeated = [group for group in groups if len(group.runs) > 1 and "data.fold" not in group.repeats]
        same = [_folders(g) for g in repeated] == [_folders(g) for g in self._groups]
        self._groups = repeated
        self.button.setEnabled(bool(repeated))
        if not same:
            self.run.stop()
            self.plot.set_rows((), "")
        self.hint.setText(
            f"{len(repeated)} groups of repeated fits, {sum(len(g.runs) for g in repeated)} runs. "
            "bias²: the mean prediction against the truth; variance: the fits about their mean."
            if repeated
            else "Repeated fits are runs that differ in seed or draw of the training part alone: search with draws or "
            "seeds, or choose such runs."
        )

    def measure(self) -> None:
        """Measure on the work lane."""
        from guiapp.training.bias_variance import measure

        groups = list(self._groups)

        def work() -> Generator[Any, None, Any]:
            try:
                return (yield from measure([_folders(group) for group in groups]))
            except (UserError, OSError, RuntimeError, ValueError, LookupError) as error:
                return " ".join(str(error).split())

        bridge = self._panel.context.bridge
        job = bridge.engine.submit(work, title="bias and variance")
        self.run.follow(job)
        bridge.call(job, lambda found: self._arrived(job, groups, found))

    def _arrived(self, job: Any, groups: list[Group], found: Any) -> None:
        if not self.run.leave(job):
            return
        if isinstance(found, str):
            self.run.failed.emit(found)
            return
        self.run.done.emit(found)
        rows = []
        for group, one in zip(groups, found, strict=True):
            text = f"wrong {100 * one.wrong:.1f} %, together {100 * one.wrong_together:.1f} %"
            tip = (
                f"{group.label}\n{one.fits} fits on {one.samples} samples\nsquared error {one.error:.4f} = "
                f"bias² {one.bias:.4f} + variance {one.variance:.4f}\nA fit says another class than the mean of all "
                f"for {100 * one.disagreement:.1f} % of the samples."
            )
            rows.append(Row(group.label, (one.bias, one.variance), text, tip))
        self.plot.set_rows(rows, "squared error of the probabilities")


def _scrolled(widget: QWidget, parent: QWidget) -> QScrollArea:
    area = QScrollArea(parent)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(widget)
    return area


def _folders(group: Group) -> list[Path]:
    return [record.folder for record in group.runs]


def _over(group: Group) -> str:
    return ", ".join(name.removeprefix("data.") for name in group.repeats) or "–"


def _row(group: Group) -> Row:
    found = group.figures["validation.accuracy"]
    values = tuple(v for r in group.runs if isinstance(v := r.figures["validation.accuracy"], float))
    text = f"{found.mean:.4f}" + (f" ± {found.deviation:.4f}" if math.isfinite(found.deviation) else "")
    return Row(group.label, values, text, f"{group.label}\n{len(values)} runs: {text}")


def _number(value: float) -> Cell:
    return Cell(f"{value:.4f}", value) if math.isfinite(value) else Cell("–", None)


def _or(value: float, other: float) -> float:
    return value if math.isfinite(value) else other
