"""A page of the attack panel: accuracy over many pictures against the size of the change, as curves."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtGui import QDoubleValidator, QIntValidator
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from guiapp.interpret.attack.options import METHODS
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.curve_plot import CurvePlot

if TYPE_CHECKING:
    from guiapp.engine.state import Inspected
    from guiapp.engine.study import Study
    from guiapp.interpret.attack.options import AttackOptions
    from guiapp.interpret.attack.robust import RobustCurves
    from guiapp.ui.panel import Panel

_POINTS = 8
_FOLDER = "folder"


class RobustPlot(CurvePlot):
    """Curves whose numbers are saved with counts and intervals.

    Attributes:
        curves: What is drawn, or None.
    """

    curves: RobustCurves | None = None

    def csv_text(self) -> str:
        """One line a method and size: how many are right, of how many, share and 95 % interval."""
        return self.curves.csv_text() if self.curves is not None else super().csv_text()


class RobustPage(QWidget):
    """Which pictures, how many, up to which size; the curves; how far it is.

    Attributes:
        pictures, count, most, go: ``attack.pictures``, ``attack.count``, ``attack.most``, ``attack.measure``.
        plot: The curves, ``attack.robust``.
        run: The study.
        curves: What is shown, or None.
    """

    def __init__(self, panel: Panel, parent: QWidget) -> None:
        super().__init__(parent)
        theme = panel.context.theme
        self._panel, self._theme = panel, theme
        self._options: AttackOptions | None = None
        self._folder: Path | None = None
        self._typed = False
        self.curves: RobustCurves | None = None
        self.pictures = QComboBox(self)
        self.pictures.setObjectName("attack.pictures")
        self.pictures.setAccessibleName("Pictures")
        self.pictures.setToolTip("Pictures that are attacked; a folder may hold one folder for each class")
        self.pictures.setMinimumContentsLength(10)
        self.pictures.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.count = self._number("attack.count", "Pictures, drawn at random", "100", 48)
        self.count.setValidator(QIntValidator(1, 100_000, self))
        self.most = self._number("attack.most", "Largest size of the change, in the chosen norm", "", 48)
        self.most.setValidator(QDoubleValidator(0.0, 255.0, 4, self))
        self.most.textEdited.connect(self._typing)
        self.go = QPushButton("Measure", self)
        self.go.setObjectName("attack.measure")
        self.go.setToolTip("Attack each picture with FGSM, PGD and plain noise of growing size")
        self.plot = RobustPlot(theme, "still right", "ε of 255", "%", self)
        self.plot.setObjectName("attack.robust")
        self.plot.whole = False
        self.plot.set_limits(0.0, 100.0)
        for method, colour in (("fgsm", theme.warning), ("pgd", theme.error), ("noise", theme.other)):
            self.plot.add_series(method, METHODS[method].partition(",")[0], colour, dots=True)
        self.run = StudyRun(panel)
        self.bar = StudyBar(self.run, "attack.robust-bar", theme, self)
        self.run.partly.connect(self._show)
        self.run.done.connect(self._done)
        self.go.clicked.connect(self._start)
        self.pictures.activated.connect(self._picked)
        theme.changed.connect(self._restyle)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.pictures, 1)
        row.addWidget(self.count)
        row.addWidget(self._word("up to"))
        row.addWidget(self.most)
        row.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.plot, 1)
        column.addWidget(self.bar)

    def _word(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("faint", True)
        return label

    def _number(self, name: str, tip: str, text: str, width: int) -> QLineEdit:
        line = QLineEdit(text, self)
        line.setObjectName(name)
        line.setAccessibleName(tip)
        line.setToolTip(tip)
        line.setFixedWidth(width)
        return line

    # ------------------------------------------------------------------ what is asked

    def set_network(self, opened: Inspected | None) -> None:
        """Another network: the pictures that it can be measured on."""
        self.run.stop()
        self.curves = self.plot.curves = None
        self.plot.clear()
        self.bar.say("")
        self.pictures.clear()
        dataset = getattr(opened, "dataset", None)
        if dataset is not None:
            for part in ("test", "validation"):
                self.pictures.addItem(f"{dataset.title}, {part} part", ("", part))
        else:
            from guiapp.datasets import DATASETS

            if self._folder is not None:
                self.pictures.addItem(self._folder.name, _FOLDER)
            self.pictures.addItem("A folder of pictures…", _FOLDER + "?")
            for name, entry in DATASETS.items():
                if entry.available():
                    self.pictures.addItem(f"{entry.title}, test part", (name, "test"))

    def set_options(self, options: AttackOptions) -> None:
        """Norm, steps and size that are chosen."""
        before, self._options = self._options, options
        other = before is None or before.norm != options.norm
        if other:
            self._typed = False
            self.plot.x_title = "ε of 255" if options.norm == "L-infinity" else "radius r"
            self.curves = self.plot.curves = None
            self.plot.clear()
        size = options.epsilon if options.norm == "L-infinity" else options.radius
        if not self._typed and size is not None:
            self.most.setText(f"{size:.4g}")

    def _typing(self) -> None:
        self._typed = True

    def _picked(self, _row: int) -> None:
        if self.pictures.currentData() == _FOLDER + "?":
            self.ask_folder()

    def ask_folder(self) -> bool:
        """Ask for a folder of pictures; whether one is chosen."""
        last = str(self._panel.context.settings.value("attack/folder", str(Path.home())))
        name = QFileDialog.getExistingDirectory(self, "A folder of pictures", last)
        if name:
            self.use_folder(Path(name))
        return bool(name)

    def use_folder(self, folder: Path) -> None:
        """Measure on the pictures of a folder."""
        self._folder = folder
        self._panel.context.settings.setValue("attack/folder", str(folder))
        row = self.pictures.findData(_FOLDER)
        if row < 0:
            self.pictures.insertItem(0, "", _FOLDER)
            row = 0
        self.pictures.setItemText(row, folder.name)
        self.pictures.setCurrentIndex(row)

    # ------------------------------------------------------------------ the study

    def _start(self) -> None:
        if self.pictures.currentData() == _FOLDER + "?" and not self.ask_folder():
            return
        options, chosen = self._options, self.pictures.currentData()
        if options is None or chosen is None:
            return
        count = int(self.count.text() or 100)
        most = float(self.most.text().replace(",", ".") or 0.0)
        if most <= 0:
            self.bar.say("say up to which size of the change")
            return
        folder = self._folder if chosen == _FOLDER else None
        if options.method not in ("pgd", "iterated"):  # the steps of another attack are not those of PGD
            options = replace(options, method="pgd", steps=None)

        def work(study: Study, tell: Any) -> Generator[Any, None, RobustCurves]:
            from guiapp.engine.attacks import Pictures, robustness
            from guiapp.interpret.attack.robust import sizes_up_to

            name, part = ("", "test") if folder is not None else chosen
            asked = Pictures(part, name, folder, count)
            return (yield from robustness(study, asked, options, sizes_up_to(most, _POINTS), tell))

        self.run.start(work, "accuracy under attack")

    def _show(self, curves: RobustCurves) -> None:
        self.curves = self.plot.curves = curves
        word = "still right" if curves.labelled else "unchanged predictions"
        if word != self.plot.title:
            self.plot.title = self.plot.head.title = word
            self.plot.refresh()
        for method in curves.right:
            share = curves.accuracy(method)
            known = ~np.isnan(share)
            x = curves.sizes[known]
            self.plot.set_data(method, x, 100 * share[known])

    def _done(self, curves: RobustCurves) -> None:
        self._show(curves)
        widest = max(
            float(np.nanmax(high - low)) / 2 for low, high in (curves.interval(method) for method in curves.right)
        )
        self.bar.say(f"{curves.name} · 95 % intervals within ± {100 * widest:.1f} % (in the CSV)")

    def _restyle(self) -> None:
        theme = self._theme
        for method, colour in (("fgsm", theme.warning), ("pgd", theme.error), ("noise", theme.other)):
            self.plot.series[method].colour = colour
        self.plot.refresh()
