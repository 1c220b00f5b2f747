"""ROC and precision-recall curves; a point of a curve is a threshold, the wheel goes into a corner."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from guiapp.ui.widgets.painting import hairline, polygon
from guiapp.ui.widgets.small_plot import SmallPlot
from guiapp.ui.widgets.ticks import linear_ticks, tick_step, tick_text

if TYPE_CHECKING:
    from guiapp.training.metrics.ranking import Curve
    from guiapp.ui.theme import Theme

Floats = npt.NDArray[np.float64]
_NEAR = 14.0  # pixels from a curve at which the pointer is on it


class RatePlot(SmallPlot):
    """Curves of some classes, one of them chosen, and a mark on it at the threshold.

    Attributes:
        picked: Emitted with class and index of the point that was clicked.
        pointed: Emitted with those of the point under the pointer, or None.
        chosen: The class in front, or None.
        mark: Index of the point on its curve that is marked, or None.
        shown: The part of the unit square that is seen: lowest x and y, width and height.
    """

    picked = Signal(int, int)
    pointed = Signal(object)

    def __init__(self, theme: Theme, name: str, kind: str, parent: QWidget | None = None) -> None:
        """Make it empty; ``kind`` is ``"roc"`` or ``"pr"``."""
        super().__init__(theme, name, "ROC" if kind == "roc" else "Precision and recall", parent)
        self._kind = kind
        self._curves: Mapping[int, Curve] = {}
        self._colours: Mapping[int, QColor] = {}
        self._names: tuple[str, ...] = ()
        self.chosen: int | None = None
        self.mark: int | None = None
        self._near: tuple[int, int] | None = None
        self.shown = QRectF(0, 0, 1, 1)
        self.setToolTip("The wheel zooms, a double click shows all")

    def show_curves(
        self,
        curves: Mapping[int, Curve],
        colours: Mapping[int, QColor],
        names: tuple[str, ...],
        chosen: int | None,
        mark: int | None,
    ) -> None:
        """Show curves by class."""
        self._curves, self._colours, self._names = curves, colours, names
        self.chosen, self.mark = chosen, mark
        self._near = None
        self.update()

    @property
    def filled(self) -> bool:
        """Whether there is something to save."""
        return bool(self._curves)

    def sizeHint(self) -> QSize:
        return QSize(240, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(110, 100)

    def values(self, curve: Curve) -> tuple[Floats, Floats]:
        """What lies across and up: rates of false and true positives, or recall and precision."""
        if self._kind == "roc":
            return curve.fpr, curve.tpr
        return curve.tpr, curve.precision

    def csv_text(self) -> str:
        """Every point of every curve."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        heads = ("false positive rate", "true positive rate") if self._kind == "roc" else ("recall", "precision")
        writer.writerow(["class", "threshold", *heads])
        for index, curve in self._curves.items():
            for threshold, x, y in zip(curve.thresholds, *self.values(curve), strict=True):
                writer.writerow([self._names[index], f"{threshold:.7g}", f"{x:.7g}", f"{y:.7g}"])
        return stream.getvalue()

    # ------------------------------------------------------------------ geometry

    def area(self) -> QRectF:
        """The unit square on the widget."""
        line = self.fontMetrics().height()
        left = self.fontMetrics().horizontalAdvance("0.50") + 6
        width, height = self.width() - left - 14, self.height() - 2 * line - 6 - line
        side = max(20.0, min(width, height * 1.5))
        return QRectF(left, line + 2, side, max(20.0, min(height, side)))

    def place(self, x: float, y: float) -> QPointF:
        """Where a point of the unit square is."""
        left, top = self._pixels(np.array([x]), np.array([y]))
        return QPointF(float(left[0]), float(top[0]))

    def _pixels(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        area, shown = self.area(), self.shown
        across, up = (x - shown.x()) / shown.width(), (y - shown.y()) / shown.height()
        return area.left() + across * area.width(), area.bottom() - up * area.height()

    def zoom(self, where: QPointF, factor: float) -> None:
        """Draw the part that is seen together about a point of the widget; 1 is the whole square."""
        area, shown = self.area(), self.shown
        across = min(1.0, max(0.0, (where.x() - area.left()) / area.width()))
        up = min(1.0, max(0.0, (area.bottom() - where.y()) / area.height()))
        side = min(1.0, max(0.01, shown.width() * factor))
        x = min(1 - side, max(0.0, shown.x() + across * (shown.width() - side)))
        y = min(1 - side, max(0.0, shown.y() + up * (shown.height() - side)))
        self.shown = QRectF(x, y, side, side)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(event.position(), 0.8 ** (event.angleDelta().y() / 120))
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.shown = QRectF(0, 0, 1, 1)
        self.update()

    def _nearest(self, where: QPointF) -> tuple[int, int] | None:
        """Class and index of the point nearest to the pointer; the chosen curve first."""
        order = sorted(self._curves, key=lambda index: index != self.chosen)
        best, found = _NEAR, None
        for index in order:
            x, y = self.values(self._curves[index])
            left, top = self._pixels(x, y)
            distance = np.hypot(left - where.x(), top - where.y())
            if not np.isfinite(distance).any():
                continue
            at = int(np.nanargmin(distance))
            if distance[at] < best - 0.5:
                best, found = float(distance[at]), (index, at)
        return found

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        near = self._nearest(event.position())
        if near != self._near:
            self._near = near
            self.pointed.emit(near)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        near = self._nearest(event.position())
        if near is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(*near)

    def leaveEvent(self, event: object) -> None:
        if self._near is not None:
            self._near = None
            self.pointed.emit(None)
            self.update()

    # ------------------------------------------------------------------ painting

    def paint_to(self, painter: QPainter) -> None:
        """Paint grid, curves and marks."""
        painter.setFont(self.font())
        theme, area, metrics = self.theme, self.area(), self.fontMetrics()
        painter.fillRect(self.rect(), theme.panel)
        line = metrics.height()
        self._paint_grid(painter, area)
        painter.setPen(theme.faint)
        across, up = ("false positive rate", "true positive rate") if self._kind == "roc" else ("recall", "precision")
        painter.drawText(
            QRectF(area.left(), 0, self.width() - area.left(), line), Qt.AlignmentFlag.AlignLeft, f"{up} ↑"
        )
        under = QRectF(area.left(), area.bottom() + line + 2, self.width() - area.left(), line)
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, f"{across} →")
        if self._kind == "roc":
            painter.setClipRect(area)
            painter.setPen(hairline(theme.faint, style=Qt.PenStyle.DashLine))
            painter.drawLine(self.place(0, 0), self.place(1, 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(area.adjusted(-6, -6, 6, 6) if self.shown.width() == 1 else area)
        for index in sorted(self._curves, key=lambda at: at == self.chosen):
            front = index == self.chosen or (self._near is not None and self._near[0] == index)
            colour = self._colours.get(index, theme.other)
            painter.setPen(QPen(colour, 2) if front else hairline(colour, 0.55 if self.chosen is not None else 1.0))
            self._paint_curve(painter, self._curves[index])
        for point, filled in ((self._marked(), True), (self._near, False)):
            if point is None:
                continue
            x, y = (float(values[point[1]]) for values in self.values(self._curves[point[0]]))
            if np.isfinite(x) and np.isfinite(y):
                painter.setPen(QPen(theme.text, 1.5))
                painter.setBrush(self._colours.get(point[0], theme.other) if filled else theme.panel)
                painter.drawEllipse(self.place(x, y), 4.5, 4.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_grid(self, painter: QPainter, area: QRectF) -> None:
        theme, shown, line = self.theme, self.shown, self.fontMetrics().height()
        most = 2 if shown.width() == 1 else 3
        step = tick_step(shown.width(), most)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for share in linear_ticks(shown.left(), shown.right(), most):
            x = self.place(share, shown.y()).x()
            painter.setPen(hairline(theme.border))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(theme.faint)
            below = QRectF(x - 25, area.bottom() + 2, 50, line)
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, tick_text(share, step))
        for share in linear_ticks(shown.top(), shown.bottom(), most):
            y = self.place(shown.x(), share).y()
            painter.setPen(hairline(theme.border))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.faint)
            painter.drawText(QRectF(0, y - line / 2, area.left() - 4, line), right, tick_text(share, step))

    def _marked(self) -> tuple[int, int] | None:
        if self.mark is None or self.chosen not in self._curves:
            return None
        return self.chosen, self.mark

    def _paint_curve(self, painter: QPainter, curve: Curve) -> None:
        x, y = self.values(curve)
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            return
        left, top = self._pixels(x, y)
        # points closer than half a pixel are one: a curve of 50,000 samples is no longer than the screen needs
        cells = np.stack([np.round(2 * left), np.round(2 * top)])
        keep = np.ones(len(left), bool)
        keep[1:-1] = (np.diff(cells[:, :-1], axis=1) != 0).any(0)
        painter.drawPolyline(polygon(left[keep], top[keep]))
