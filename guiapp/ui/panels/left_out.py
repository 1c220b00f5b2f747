"""The left-out panel: what random layers leave out at a step, and the gap between training and validation."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QSplitter

from guiapp.engine.state import EngineState
from guiapp.ui.panels.study_panel import StudyPanel
from guiapp.ui.widgets.heat_map import HeatMap
from guiapp.ui.widgets.profile_plot import Profile, ProfilePlot
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.left_out import Draw

_NONE = "nothing is left out here: set dropout, DropConnect, stochastic depth or fractional pooling in the recipe"
_ROWS, _COLUMNS = 24, 64
_PAUSE_MS = 1000
"""Between two looks at a run that goes on beside this one."""


class LeftOutPanel(StudyPanel):
    """The draws of one layer at one step; below them the gap by epoch, of this run and of those compared with it.

    Attributes:
        layer: Layer that draws, ``left-out.layer``.
        step: Step whose draws are shown, ``left-out.step``.
        map: What is kept, ``left-out.map``.
        quantity: Gap of accuracy or of loss, ``left-out.quantity``.
        gap: The gap by epoch, ``left-out.gap``.
        found: Draws that are shown.
    """

    id = "left-out"
    title = "Left out"
    empty_text = "Open an experiment to see what its network leaves out at random."
    words = "draws of a step"

    def build(self) -> None:
        """Make the widgets."""
        theme = self.context.theme
        self.found: tuple[Draw, ...] = ()
        self._rows: Sequence[Mapping[str, Any]] = ()
        self.layer = self.choice("layer", "Layer that draws", ())
        self.layer.activated.disconnect()
        self.layer.activated.connect(lambda _row: self._draw())
        self.step = QSpinBox(self)
        self.step.setObjectName(f"{self.id}.step")
        self.step.setAccessibleName("Step")
        self.step.setToolTip("Step of training whose draws are shown: the seed's own")
        self.step.setPrefix("step ")
        self.step.setRange(0, 2**31 - 1)
        self.step.setKeyboardTracking(False)
        self.step.valueChanged.connect(lambda _value: self.study())
        self.map = HeatMap(theme, f"{self.id}.map", "What is kept", ("sample", "unit"), self)
        self.map.hovered.connect(self._describe)
        self.quantity = self.choice("quantity", "Gap of", (("gap of accuracy", "accuracy"), ("gap of loss", "loss")))
        self.quantity.activated.disconnect()
        self.quantity.activated.connect(lambda _row: self._draw_gap())
        self.gap = ProfilePlot(theme, f"{self.id}.gap", "Gap by epoch", ("epoch", "gap"), self)
        self.gap_line = QuietLabel(f"{self.id}.gap-line", self, theme.faint)
        second = QHBoxLayout()
        second.setSpacing(4)
        second.addWidget(self.step, 1)
        second.addWidget(self.quantity, 1)
        self.column.addWidget(self.layer)
        self.column.addLayout(second)
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(self.map)
        split.addWidget(self.gap)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setSizes([300, 300])
        self.column.addWidget(split, 1)
        self.column.addWidget(self.gap_line)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_PAUSE_MS)
        self._later.timeout.connect(self._draw_gap)
        stop = self.context.workspace.subscribe("compared", lambda _runs: self._draw_gap())
        self.destroyed.connect(lambda _=None: stop())

    def opened_changed(self) -> None:
        """Begin with the first step."""
        self.step.blockSignals(True)
        self.step.setValue(self.seen.step)
        self.step.blockSignals(False)

    def show_state(self, state: EngineState) -> None:
        """The gap follows every epoch."""
        super().show_state(state)
        if state.epoch_rows != self._rows:
            self._rows = state.epoch_rows
            self._draw_gap()

    def work(self) -> Any:
        """The draws of the chosen step."""
        opened, step = self.seen.opened, self.step.value()

        def work(study: Study) -> Generator[Any, None, tuple[Draw, ...]]:
            import torch

            from guiapp.interpret.left_out import draws
            from guiapp.training import seeds

            yield 0.1, "drawing"
            assert opened is not None
            recipe, device = opened.recipe, torch.device(study.model.device)
            batch = min(recipe.batch, len(opened.dataset.train))
            return draws(
                study.module, (batch, *study.inspected.preprocessing.size),
                lambda: seeds.seed_global(device, seeds.mix(recipe.seed, seeds.STEP, step)),
            )  # fmt: skip

        return work

    def take(self, found: tuple[Draw, ...]) -> None:
        """Show them."""
        self.found = found
        shown = self.layer.currentText()
        self.layer.clear()
        self.layer.addItems([f"{one.layer} · {one.type}" for one in found])
        self.layer.setCurrentIndex(max(self.layer.findText(shown), 0) if found else -1)
        self._draw()
        self._draw_gap()

    def _draw(self) -> None:
        row = self.layer.currentIndex()
        if not 0 <= row < len(self.found):
            self.map.show_matrix(np.zeros((0, 0), np.float32), (), ())
            self.line.set_text(_NONE, ("nothing is left out here",))
            return
        kept = self.found[row].kept[:_ROWS, :_COLUMNS]
        rows, columns = ([str(number) for number in range(length)] for length in kept.shape)
        self.map.show_matrix(kept, rows, columns)
        self._describe(None)

    def _describe(self, item: int | None) -> None:
        row = self.layer.currentIndex()
        if not 0 <= row < len(self.found):
            return
        one = self.found[row]
        if item is not None and self.map.matrix.size:
            at, to = self.map.cell(item)
            value = self.map.matrix[at, to]
            words = f"read by {value:.0f} windows" if "Pool" in one.type else "kept" if value else "left out"
            self.line.set_text(f"{one.rows} {at}, {one.columns} {to}: {words}")
        elif "Pool" in one.type:
            self.line.set_text("bright rows are read by several windows; where these lie is drawn for each sample")
        else:
            self.line.set_text(f"{one.share:.1%} left out: dark · {one.rows}s by {one.columns}s")

    # ------------------------------------------------------------------ the gap

    def _draw_gap(self) -> None:
        """Training minus validation for accuracy, validation minus training for loss: above 0 it remembers."""
        what, theme = self.quantity.currentData(), self.context.theme
        lines = []
        for number, folder in enumerate(self.context.workspace.compared):
            name, going, rows = _read(folder)
            values = _gaps(rows, what)
            if len(values):
                lines.append(Profile(name, values, theme.class_colour(number + 1)))
            if going and self.isVisible():
                self._later.start()
        own = _gaps(self._rows, what)
        if len(own):
            lines.append(Profile("this run", own, theme.training, strong=True))
        most = max((len(line.values) for line in lines), default=0)
        self.gap.axes = ("epoch", f"gap of {what}")
        self.gap.show_lines(lines, [f"epoch {number + 1}" for number in range(most)])
        if len(own):
            self.gap_line.set_text(f"gap of {what} after epoch {len(own)}: {own[-1]:.3f}")
        else:
            self.gap_line.set_text("train, and another run by Beside …, to see the gap", ("no epoch yet",))


def _gaps(rows: Sequence[Mapping[str, Any]], what: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    sign = 1.0 if what == "accuracy" else -1.0
    return np.array([sign * (row["train"][what] - row["validation"][what]) for row in rows], np.float64)


def _read(folder: Path) -> tuple[str, bool, list[dict[str, Any]]]:
    """Name of another run, whether it goes on, its epochs; none where its folder is gone or unreadable."""
    try:
        info = json.loads((folder / "run.json").read_text("utf-8"))
        lines = (folder / "epochs.jsonl").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return folder.name, folder.is_dir(), []
    going = info.get("state") in ("new", "running")
    return str(info.get("name") or folder.name), going, [row for row in rows if "train" in row and "validation" in row]
