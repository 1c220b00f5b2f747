"""Skeletons: what joins the key points of an object, stronger where the network is surer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from guiapp.ui.painters.canvas import Canvas
from guiapp.ui.widgets.painting import blend

_GRADES = 4  # opacities that scores are painted with


def probabilities(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Scores of key points as 0 to 1: logits, as Keypoint R-CNN gives them, through the logistic function.

    Scores that all lie in 0 to 1 stay. What was not computed (-inf or NaN) becomes 0.
    """
    scores = np.nan_to_num(np.asarray(scores, np.float64), nan=-np.inf, neginf=-np.inf)
    known = scores[np.isfinite(scores)]
    if known.size and (known.min() < 0 or known.max() > 1):
        return 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
    return np.clip(scores, 0, 1)


def paint(
    canvas: Canvas,
    keypoints: npt.NDArray[np.floating],
    sure: npt.NDArray[np.floating],
    skeleton: Sequence[tuple[int, int]],
    colours: Sequence[QColor],
    weakest: float,
) -> None:
    """Paint the skeletons of all objects, then their key points.

    Args:
        canvas: Where.
        keypoints: float (N, K, 3), x and y in pixels of the picture.
        sure: float (N, K), scores as ``probabilities`` gives them.
        skeleton: Pairs of key points that are joined.
        colours: One for each object.
        weakest: Key points below it are left out, and what would join them.
    """
    x = keypoints[..., 0] * canvas.scale + canvas.left
    y = keypoints[..., 1] * canvas.scale + canvas.top
    beyond = 4096  # a great zoom would leave Qt's range of numbers
    near = (np.abs(x - canvas.area[0]) < beyond + canvas.area[2]) & (
        np.abs(y - canvas.area[1]) < beyond + canvas.area[3]
    )
    shown = (sure >= weakest) & near
    grade = np.clip(np.ceil((sure - weakest) / max(1e-6, 1 - weakest) * _GRADES), 1, _GRADES).astype(np.int64)
    painter = canvas.painter
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    if skeleton:
        _bones(canvas, x, y, shown, grade, np.asarray(skeleton), colours)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    side = canvas.length(3.5)
    places = np.stack([x, y], -1)
    for number, colour in enumerate(colours):
        points = places[number][shown[number]].tolist()
        for (px, py), level in zip(points, grade[number][shown[number]].tolist(), strict=True):
            dot = _dot(colour.rgb(), side, level)
            painter.drawImage(round(px - dot.width() / 2), round(py - dot.height() / 2), dot)


def _bones(canvas, x, y, shown, grade, skeleton, colours) -> None:
    first, second = skeleton[:, 0], skeleton[:, 1]
    both = shown[:, first] & shown[:, second]
    level = np.minimum(grade[:, first], grade[:, second])
    ends = np.stack([x[:, first], y[:, first], x[:, second], y[:, second]], -1)
    groups: dict[tuple[int, int], list[QLineF]] = {}
    for number, colour in enumerate(colours):
        for line, strength in zip(
            ends[number][both[number]].tolist(), level[number][both[number]].tolist(), strict=True
        ):
            groups.setdefault((colour.rgb(), strength), []).append(QLineF(*line))
    for (rgb, strength), lines in groups.items():
        # darker where less sure: smooth translucent lines take six times as long
        colour = blend(QColor("#000000"), QColor.fromRgb(rgb), _opacity(strength))
        canvas.painter.setPen(QPen(colour, canvas.length(2), Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        canvas.painter.drawLines(lines)


def _opacity(grade: int) -> float:
    return 0.35 + 0.65 * grade / _GRADES


@lru_cache(maxsize=512)
def _dot(rgb: int, radius: int, grade: int) -> QImage:
    """A disc with a light rim, drawn once: copying it is several times faster than drawing a circle."""
    side = 2 * radius + 2
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setOpacity(_opacity(grade))
    painter.setPen(QPen(QColor("#ffffff"), max(1.0, radius / 3)))
    painter.setBrush(QColor.fromRgb(rgb))
    painter.drawEllipse(QPointF(side / 2, side / 2), radius - 0.5, radius - 0.5)
    painter.end()
    return image
