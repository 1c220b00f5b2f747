"""Pictures side by side in one image: samples that were chosen together, where their data set is not at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from guiapp.core.picture import Picture

_SIDE, _GAP = 72, 4
_ACROSS = 14


def contact_sheet(pictures: Sequence[Picture]) -> QImage:
    """All pictures in rows on a transparent ground, each fitted into a square of 72 pixels; at least one is needed."""
    across = min(_ACROSS, math.ceil(math.sqrt(2 * len(pictures))))
    rows = math.ceil(len(pictures) / across)
    pitch = _SIDE + _GAP
    sheet = QImage(across * pitch - _GAP, rows * pitch - _GAP, QImage.Format.Format_ARGB32_Premultiplied)
    sheet.fill(Qt.GlobalColor.transparent)
    painter = QPainter(sheet)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for number, picture in enumerate(pictures):
        height, width = picture.pixels.shape[:2]
        image = QImage(picture.pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        large = QSize(width, height).scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio)
        size = large.expandedTo(QSize(1, 1))
        if size.width() < width:  # one step down would leave out most pixels
            image = image.scaled(size, mode=Qt.TransformationMode.SmoothTransformation)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, size.width() < width)
        target = QRect(number % across * pitch, number // across * pitch, size.width(), size.height())
        target.translate((_SIDE - size.width()) // 2, (_SIDE - size.height()) // 2)
        painter.drawImage(target, image)
    painter.end()
    return sheet
