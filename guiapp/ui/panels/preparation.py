"""The input panel: the training part before and after each way of preparing it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter

from guiapp.engine.state import EngineState
from guiapp.ui.panels.study_panel import StudyPanel
from guiapp.ui.widgets.profile_plot import Profile, ProfilePlot
from guiapp.ui.widgets.stage_rows import StageRows

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.prepared import Stage

_SAMPLES, _PICTURES, _SHOWN_AXES = 500, 8, 64
_NAMES = {
    "pixels": "none", "minus channel mean": "centre", "per channel": "channels", "minus mean image": "mean-image",
    "PCA": "pca", "whitened": "whitening",
}  # fmt: skip


class PreparationPanel(StudyPanel):
    """Rows of stages, and the variances along principal axes.

    Attributes:
        rows: Stages, ``preparation.stages``.
        axes: Variances, ``preparation.variances``.
        use: Trains with the chosen one, ``preparation.use``.
        found: Stages that are shown.
    """

    id = "preparation"
    title = "Input"
    empty_text = "Open an experiment to see how its pictures can be prepared."
    words = "data before and after"

    def build(self) -> None:
        """Make the widgets."""
        theme = self.context.theme
        self.found: list[Stage] = []
        self.rows = StageRows(theme, f"{self.id}.stages", self)
        self.rows.clicked.connect(self._choose)
        self.rows.hovered.connect(self._describe)
        self.axes = ProfilePlot(
            theme, f"{self.id}.variances", "Variance along principal axes", ("principal axis", "variance"), self
        )
        self.use = QPushButton("Train so", self)
        self.use.setObjectName(f"{self.id}.use")
        self.use.setToolTip("Begin anew with the input prepared as in the chosen row")
        self.use.clicked.connect(self._use)
        self.now = QLabel(self)
        self.now.setObjectName(f"{self.id}.now")
        self.now.setProperty("faint", True)
        top = QHBoxLayout()
        top.addWidget(self.now, 1)
        top.addWidget(self.use)
        self.column.addLayout(top)
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(self.rows)
        split.addWidget(self.axes)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 1)
        self.column.addWidget(split, 1)

    def opened_changed(self) -> None:
        """Mark what the recipe names."""
        opened = self.seen.opened
        name = opened.recipe.preprocessing.name if opened is not None else "own"
        words = {value: key for key, value in _NAMES.items()}
        self.now.setText(f"The network is fed: {words.get(name, 'as its family has it, per channel')}")
        keys = list(_NAMES.values())
        self.rows.chosen = keys.index(name) if name in keys else keys.index("channels")
        self.rows.update()

    def work(self) -> Any:
        """Every stage, fitted to the whole training part, shown on some samples of it."""
        opened = self.seen.opened
        wanted = opened.recipe.preprocessing if opened is not None else None

        def work(study: Study) -> Generator[Any, None, list[Stage]]:
            import dataclasses

            import torch

            from guiapp.interpret.prepared import stages
            from guiapp.models.changed_input import MOST_NUMBERS
            from guiapp.models.changed_layers import PrincipalAxes
            from guiapp.training.preparation import fill, inputs_of, mean_picture, principal_axes

            dataset, size = study.dataset, study.inspected.preprocessing.size
            assert dataset is not None and wanted is not None
            images = dataset.train.images
            ones, zeros = (1.0,) * size[0], (0.0,) * size[0]
            feed = dataclasses.replace(study.inspected.preprocessing, mean=zeros, std=ones)
            rows = np.unique(np.linspace(0, len(images) - 1, min(_SAMPLES, len(images))).astype(np.int64))
            plain = inputs_of(images, rows, feed)
            yield 0.1, "the mean picture"
            mean = mean_picture(images, feed)
            deviation = torch.tensor(dataset.std if len(dataset.std) == size[0] else (float(np.mean(dataset.std)),))
            middle = torch.tensor(dataset.mean if len(dataset.mean) == size[0] else (float(np.mean(dataset.mean)),))
            middle, deviation = middle.reshape(-1, 1, 1), deviation.reshape(-1, 1, 1)
            made: dict[str, Any] = {
                "minus channel mean": lambda x: x - middle,
                "per channel": lambda x: (x - middle) / deviation,
                "minus mean image": lambda x: x - mean,
            }
            numbers = int(np.prod(size))
            if numbers <= MOST_NUMBERS:
                yield 0.3, "principal axes of the training part"
                axes = principal_axes(images, feed, wanted.components)
                for name, whiten in (("PCA", False), ("whitened", True)):
                    layer = PrincipalAxes(size, min(wanted.components, numbers), wanted.back)
                    with torch.no_grad():
                        fill(layer, axes, whiten, wanted.epsilon)
                    made[name] = layer
            yield 0.8, "samples before and after"
            return stages(plain, made, _PICTURES)

        return work

    def take(self, found: list[Stage]) -> None:
        """Show them."""
        self.found = found
        self.rows.show_stages(found)
        theme = self.context.theme
        lines = [
            Profile(
                one.name, one.variances[:_SHOWN_AXES], theme.class_colour(number), strong=number == self.rows.chosen
            )
            for number, one in enumerate(found)
        ]
        count = max((len(line.values) for line in lines), default=0)
        self.axes.show_lines(lines, [f"axis {number + 1}" for number in range(count)], log=True)
        self._describe(None)

    def _describe(self, item: int | None) -> None:
        chosen = item if item is not None else self.rows.chosen
        if chosen is None or chosen >= len(self.found):
            return
        one = self.found[chosen]
        self.line.set_text(
            f"{one.name}: mean {one.mean:.3f}, deviation {one.deviation:.3f}; two pixels side by side correlate by "
            f"{one.correlation:.2f}",
            (f"{one.name}: mean {one.mean:.3f}, deviation {one.deviation:.3f}",),
        )

    def _choose(self, row: int) -> None:
        self.rows.chosen = row
        self.take(self.found)

    def _use(self) -> None:
        """Begin anew with the chosen stage."""
        row = self.rows.chosen
        if row is not None and row < len(self.found):
            self.context.bridge.engine.configure({"preprocessing.name": _NAMES[self.found[row].name]})

    def refused(self, state: EngineState) -> str:
        """Any experiment has pictures."""
        return ""
