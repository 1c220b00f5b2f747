"""Where the time of a step goes: one bar a stage, with its share and its milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.small_plot import SmallPlot

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme


class StageBars(SmallPlot):
    """Bars from the left; the longest fills the width.

    Attributes:
        stages: Name, seconds, and whether it stands out, of each stage.
    """

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, title, parent)
        self.stages: tuple[tuple[str, float, bool], ...] = ()

    def sizeHint(self) -> QSize:
        return QSize(260, 8 * self.fontMetrics().height())

    minimumSizeHint = sizeHint

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.stages)

    def show_stages(self, stages: Sequence[tuple[str, float, bool]]) -> None:
        """Show these."""
        if tuple(stages) != self.stages:
            self.stages = tuple(stages)
            self.update()

    def csv_text(self) -> str:
        """A line a stage."""
        return "stage,seconds\n" + "".join(f"{name},{seconds:.6g}\n" for name, seconds, _ in self.stages)

    def paint_to(self, painter: QPainter) -> None:
        """Paint names, bars and figures."""
        theme, metrics = self.theme, self.fontMetrics()
        painter.fillRect(self.rect(), theme.panel)
        if not self.stages:
            return
        line = metrics.height()
        row = min(2.0 * line, self.height() / len(self.stages))
        left = max(metrics.horizontalAdvance(name) for name, _, _ in self.stages) + 8
        right = metrics.horizontalAdvance("100 %  0000.0 ms") + 8
        total = sum(seconds for _, seconds, _ in self.stages) or 1.0
        longest = max(seconds for _, seconds, _ in self.stages) or 1.0
        room = max(10.0, self.width() - left - right)
        for place, (name, seconds, marked) in enumerate(self.stages):
            top = place * row
            box = QRectF(0, top, left - 8, row)
            painter.setPen(theme.warning if marked else theme.text)
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
            bar = QRectF(left, top + row * 0.25, room * seconds / longest, row * 0.5)
            painter.fillRect(bar, theme.warning if marked else theme.training)
            painter.setPen(theme.faint)
            text = QRectF(self.width() - right, top, right - 8, row)
            words = f"{seconds / total:.0%}  {1e3 * seconds:.1f} ms"
            painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
