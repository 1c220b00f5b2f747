"""Pictures side by side in one image: samples that were chosen together, where their data set is not at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QApplication

from guiapp.core.picture import Picture

_SIDE, _GAP = 72, 4
_ACROSS = 14
_INK = QColor("#858b95")  # read on light and on dark


def contact_sheet(pictures: Sequence[Picture], names: Sequence[str] = ()) -> QImage:
    """All pictures in rows on a transparent ground, each fitted into a square of 72 pixels; at least one is needed.

    Args:
        pictures: What is shown.
        names: What stands below each; nothing where there are none.
    """
    across = min(_ACROSS, math.ceil(math.sqrt(2 * len(pictures))))
    rows = math.ceil(len(pictures) / across)
    line = QFontMetrics(QApplication.font()).height() if any(names) else 0
    pitch, down = _SIDE + _GAP, _SIDE + _GAP + line
    sheet = QImage(across * pitch - _GAP, rows * down - _GAP, QImage.Format.Format_ARGB32_Premultiplied)
    sheet.fill(Qt.GlobalColor.transparent)
    painter = QPainter(sheet)
    painter.setPen(_INK)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for number, picture in enumerate(pictures):
        height, width = picture.pixels.shape[:2]
        image = QImage(picture.pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        large = QSize(width, height).scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio)
        size = large.expandedTo(QSize(1, 1))
        if size.width() < width:  # one step down would leave out most pixels
            image = image.scaled(size, mode=Qt.TransformationMode.SmoothTransformation)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, size.width() < width)
        column, row = number % across * pitch, number // across * down
        if line and number < len(names):
            name = painter.fontMetrics().elidedText(names[number], Qt.TextElideMode.ElideMiddle, _SIDE)
            painter.drawText(QRect(column, row + _SIDE, _SIDE, line), Qt.AlignmentFlag.AlignCenter, name)
        target = QRect(column, row, size.width(), size.height())
        target.translate((_SIDE - size.width()) // 2, (_SIDE - size.height()) // 2)
        painter.drawImage(target, image)
    painter.end()
    return sheet
