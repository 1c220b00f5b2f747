"""Pictures as large as they fit, each with a line below it; a click chooses one."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.grid_shape import grid_shape
from guiapp.ui.widgets.painting import hairline, image_of
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.tips import Tips

if TYPE_CHECKING:
    from guiapp.ui.theme import Theme

_GAP = 4
_LEAST = 24
_LARGEST = 160


class CaptionGrid(SmallPlot):
    """A grid without scroll bars: the more pictures, the smaller each.

    Attributes:
        pictures: What is shown, uint8 (H, W, C).
        captions: The lines below them.
    """

    def __init__(self, theme: Theme, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, title, parent)
        Tips(self)
        self.pictures: Sequence[npt.NDArray[np.uint8]] = ()
        self.captions: Sequence[str] = ()
        self._images: list[QImage] = []
        self._inks: Sequence[QColor | None] = ()

    def show_pictures(
        self,
        pictures: Sequence[npt.NDArray[np.uint8]],
        captions: Sequence[str],
        inks: Sequence[QColor | None] = (),
    ) -> None:
        """Show others.

        Args:
            pictures: uint8 (H, W, C), C 1 or 3.
            captions: A line for each.
            inks: Colours of the lines; the faint one where there is none.
        """
        self.pictures, self.captions = pictures, captions
        self._inks = list(inks) or [None] * len(pictures)
        self._images = [image_of(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels) for pixels in pictures]
        self.hover = None
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self.pictures)

    def csv_text(self) -> str:
        """The lines below the pictures."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("picture", "caption"))
        writer.writerows(enumerate(self.captions))
        return text.getvalue()

    # ------------------------------------------------------------------ places

    def _shape(self) -> tuple[int, int]:
        """Columns, and side of one picture, so that all fit as large as they can."""
        line = self.fontMetrics().height() + 2
        best = grid_shape(max(len(self.pictures), 1), self.width(), self.height(), _GAP, line, largest=_LARGEST)
        return best if best[1] >= _LEAST else (max(1, (self.width() + _GAP) // (_LEAST + _GAP)), _LEAST)

    def cell(self, index: int) -> QRect:
        """Where a picture stands, its caption left out."""
        columns, side = self._shape()
        row, column = divmod(index, columns)
        spare = self.width() - columns * side
        across = side + (min(spare / (columns - 1), side * 0.5) if columns > 1 else 0)
        return QRect(round(column * across), row * (side + self.fontMetrics().height() + 2 + _GAP), side, side)

    def item_at(self, where: QPointF) -> int | None:
        """Index of the picture at a point."""
        point = where.toPoint()
        return next((i for i in range(len(self.pictures)) if self.cell(i).contains(point)), None)

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint all of them."""
        metrics = self.fontMetrics()
        pitch = self.cell(1).left() if len(self._images) > 1 and self._shape()[0] > 1 else self.width()
        for index, image in enumerate(self._images):
            area = self.cell(index)
            if area.top() > self.height():
                break
            size = image.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
            frame = QRectF(
                area.left() + (area.width() - size.width()) / 2, area.top() + (area.height() - size.height()) / 2,
                size.width(), size.height(),
            )  # fmt: skip
            smooth = image.width() > size.width() or image.width() > 64
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(frame, image)
            if index == self.hover:
                painter.setPen(hairline(self.theme.accent))
                painter.drawRect(area.adjusted(0, 0, -1, -1))
            ink = self._inks[index]
            painter.setPen(self.theme.text if index == self.hover else ink or self.theme.faint)
            line = QRect(area.left(), area.bottom() + 1, max(pitch - 4, area.width()), metrics.height())
            text = metrics.elidedText(self.captions[index], Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, text)

    def sizeHint(self) -> QSize:
        return QSize(280, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def tip_at(self, at: QPoint) -> str:
        """The whole caption of the picture at a point."""
        index = self.item_at(QPointF(at))
        return "" if index is None else f"{self.captions[index]}\na click looks at it"
