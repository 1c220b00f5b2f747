"""A panel that shows what a short study of the open experiment's network finds, anew whenever that comes to rest."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QStackedWidget, QVBoxLayout, QWidget

from guiapp.core.notices import UserError
from guiapp.engine.state import EngineState
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.study import Study


class StudyPanel(Panel):
    """Subclasses build their widgets into ``column``, say what is studied, and show what was found.

    Attributes:
        run: The study.
        line: What was found in one line, ``<id>.line``.
        column: Layout between the line and the bar of the study.
    """

    empty_text = "Open an experiment to see this."
    words = "looking"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._studied: object = None
        self.run = StudyRun(self)
        self.run.done.connect(self._found)
        self.progress = StudyBar(self.run, self.id, context.theme, self)
        self.line = QuietLabel(f"{self.id}.line", self, context.theme.faint)
        self.empty = EmptyState(self.empty_text, (), self)
        body = QWidget(self)
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(4)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._pages)
        context.theme.changed.connect(self._restyle)
        self.build()
        self.column.addWidget(self.line)
        self.column.addWidget(self.progress)
        self.show_state(self.seen)

    # ------------------------------------------------------------------ for subclasses

    def build(self) -> None:
        """Make the widgets."""
        raise NotImplementedError

    def work(self) -> Any:
        """A function of a ``Study`` that is a generator of shares and words and returns what is shown."""
        raise NotImplementedError

    def take(self, found: Any) -> None:
        """Show what was found."""
        raise NotImplementedError

    def refused(self, state: EngineState) -> str:
        """Why there is nothing to see of what is open; empty where there is."""
        return ""

    def opened_changed(self) -> None:
        """Another network is open."""

    # ------------------------------------------------------------------

    def choice(self, name: str, tip: str, items: tuple[tuple[str, str], ...]) -> QComboBox:
        """A box of (words, value); choosing studies anew."""
        box = QComboBox(self)
        box.setObjectName(f"{self.id}.{name}")
        box.setAccessibleName(tip)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(6)
        for words, value in items:
            box.addItem(words, value)
        box.activated.connect(lambda _row: self.study())
        return box

    def show_state(self, state: EngineState) -> None:
        """Study anew where another network is open, or the run has come to rest at another step."""
        opened = state.opened
        trained = opened is not None and getattr(opened, "dataset", None) is not None
        reason = self.refused(state) if trained else self.empty_text
        self.empty.set_text(reason)
        self._pages.setCurrentIndex(0 if reason else 1)
        if opened is None or reason or state.phase in ("opening", "running"):
            return
        now = (id(opened), state.step)
        if now != self._studied and self.isVisible():
            if self._studied is None or self._studied[0] != now[0]:  # type: ignore[index]
                self.opened_changed()
            self._studied = now
            self.study()

    def study(self) -> None:
        """Begin."""
        if self._pages.currentIndex() == 0:
            return
        inner = self.work()

        def work(study: Study, _tell: Any) -> Generator[Any, None, Any]:
            if study.dataset is None or study.model.origin != "trained":
                raise UserError("open an experiment: its training part gives the samples")
            return (yield from inner(study))

        self.run.start(work, self.words, "experiment")

    def _found(self, found: Any) -> None:
        self.progress.say("")
        self.take(found)

    def _restyle(self) -> None:
        self.line.ink = self.context.theme.faint
        self.line.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(220, 200)


def samples_of(study: Study, count: int, part: str = "train") -> tuple[Any, Any]:
    """Evenly taken samples of a part: inputs (N, C, H, W) on the study's device, and class indices (N,)."""
    import numpy as np
    import torch

    assert study.dataset is not None
    samples = study.dataset.part(part)  # type: ignore[arg-type]
    rows = np.unique(np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(np.int64))
    device = study.model.device
    inputs = study.inspected.preprocessing(np.asarray(samples.images[rows]), device)
    return inputs, torch.from_numpy(np.asarray(samples.labels[rows], np.int64)).to(device)
