"""Patches of pictures, best first, each with its value and, where there is one, its projection beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.colour_bar import number
from guiapp.ui.widgets.grid_shape import grid_shape
from guiapp.ui.widgets.painting import hairline, image_of
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.tips import Tips

if TYPE_CHECKING:
    from guiapp.interpret.units.patches import Patch
    from guiapp.ui.theme import Theme

_GAP = 6
_LEAST = 28


class PatchGrid(SmallPlot):
    """As large as they fit; the one under the pointer is framed, a click chooses it.

    Attributes:
        patches: What is shown.
        names: Where each comes from, for its tip.
    """

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "Top patches", parent)
        Tips(self)
        self.patches: Sequence[Patch] = ()
        self.names: Sequence[str] = ()
        self._images: list[tuple[QImage, QImage | None]] = []

    def set_patches(self, patches: Sequence[Patch], names: Sequence[str]) -> None:
        """Show others; ``names`` say where they come from."""
        self.patches, self.names = patches, names
        self._images = [
            (image_of(patch.pixels), None if patch.projection is None else image_of(patch.projection))
            for patch in patches
        ]
        self.hover = None
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.patches)

    def csv_text(self) -> str:
        """Where each was found and its value."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("from", "sample", "row", "column", "response"))
        for patch, name in zip(self.patches, self.names, strict=True):
            writer.writerow((name, patch.sample, patch.row, patch.column, f"{patch.value:.6g}"))
        return text.getvalue()

    # ------------------------------------------------------------------ places

    @property
    def _pairs(self) -> int:
        return 2 if any(projection is not None for _, projection in self._images) else 1

    def _shape(self) -> tuple[int, int]:
        """Columns, and side of one picture, so that all fit as large as they can."""
        line = self.fontMetrics().height() + 2
        best = grid_shape(max(len(self.patches), 1), self.width(), self.height(), _GAP, line, self._pairs)
        return best if best[1] > _LEAST else (1, _LEAST)

    def cell(self, index: int) -> QRect:
        """Where a patch stands, its projection included, its value left out."""
        columns, side = self._shape()
        row, column = divmod(index, columns)
        pitch = side + self.fontMetrics().height() + 2 + _GAP
        spare = self.width() - columns * side * self._pairs - (columns - 1) * _GAP
        left = max(0, spare // 2) if len(self.patches) >= columns else 0
        return QRect(left + column * (side * self._pairs + _GAP), row * pitch, side * self._pairs, side)

    def item_at(self, where: QPointF) -> int | None:
        """Index of the patch at a point."""
        point = where.toPoint()
        return next((i for i in range(len(self.patches)) if self.cell(i).contains(point)), None)

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint all of them."""
        metrics = self.fontMetrics()
        for index, (pixels, projection) in enumerate(self._images):
            area = self.cell(index)
            side = area.height()
            self._fit(painter, pixels, QRect(area.left(), area.top(), side, side))
            if projection is not None:
                self._fit(painter, projection, QRect(area.left() + side, area.top(), side, side))
            if index == self.hover:
                painter.setPen(hairline(self.theme.accent))
                painter.drawRect(area.adjusted(0, 0, -1, -1))
            painter.setPen(self.theme.text if index == self.hover else self.theme.faint)
            line = QRect(area.left(), area.bottom() + 1, area.width(), metrics.height())
            text = metrics.elidedText(number(self.patches[index].value), Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignHCenter, text)

    @staticmethod
    def _fit(painter: QPainter, image: QImage, area: QRect) -> None:
        size = image.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        frame = QRectF(
            area.left() + (area.width() - size.width()) / 2, area.top() + (area.height() - size.height()) / 2,
            size.width(), size.height(),
        )  # fmt: skip
        smooth = image.width() > size.width() or image.width() > 64
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(frame, image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)

    def sizeHint(self) -> QSize:
        return QSize(280, 280)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def tip_at(self, at: QPoint) -> str:
        """Name, place and response of the patch at a point."""
        index = self.item_at(QPointF(at))
        if index is None:
            return ""
        patch = self.patches[index]
        place = f"row {patch.row}, column {patch.column}: {number(patch.value)}"
        return f"{self.names[index]}\n{place}\na click looks at it"
