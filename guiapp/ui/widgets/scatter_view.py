"""Which part of a map a scatter plot shows: its centre and scale, fitting, zooming, places to pixels and back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect

from guiapp.ui.widgets.scatter_raster import Window

_MARGIN = 0.05


@dataclass
class MapView:
    """The part of a map that is seen in a widget.

    Attributes:
        width: Of the widget in pixels.
        height: Of the widget in pixels.
        centre: Place of the map in the middle of the widget.
        scale: Pixels for a unit of the map, to the right and upwards.
        equal: Whether a unit is as long upwards as to the right.
        fitted: Whether every point is kept in sight.
    """

    width: int = 1
    height: int = 1
    centre: QPointF = field(default_factory=QPointF)
    scale: QPointF = field(default_factory=lambda: QPointF(1, 1))
    equal: bool = True
    fitted: bool = True

    @property
    def rect(self) -> QRect:
        """The whole widget."""
        return QRect(0, 0, self.width, self.height)

    def window(self, ratio: float = 1.0) -> Window:
        """What is seen, with ``ratio`` pixels for one of the widget's."""
        width, height = max(1, self.width), max(1, self.height)
        return Window(
            self.centre.x() - width / 2 / self.scale.x(), self.centre.y() + height / 2 / self.scale.y(),
            self.scale.x() * ratio, self.scale.y() * ratio, max(1, round(width * ratio)), max(1, round(height * ratio)),
        )  # fmt: skip

    def to_widget(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Places of the map in pixels of the widget, (n, 2)."""
        across = (np.asarray(x, np.float64) - self.centre.x()) * self.scale.x() + self.width / 2
        down = self.height / 2 - (np.asarray(y, np.float64) - self.centre.y()) * self.scale.y()
        return np.stack([across, down], -1)

    def to_map(self, point: QPointF) -> tuple[float, float]:
        """A point of the widget in the map."""
        return (
            self.centre.x() + (point.x() - self.width / 2) / self.scale.x(),
            self.centre.y() - (point.y() - self.height / 2) / self.scale.y(),
        )

    def fit(self, low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]) -> None:
        """Show the rectangle from ``low`` to ``high``, both (2,), with a margin around it."""
        (left, bottom), (right, top) = low.tolist(), high.tolist()
        self.centre = QPointF((left + right) / 2, (bottom + top) / 2)
        room = 1 - 2 * _MARGIN
        self._set_scale(max(1, self.width) * room / (right - left), max(1, self.height) * room / (top - bottom))

    def set_range(self, left: float, bottom: float, right: float, top: float) -> None:
        """Show a rectangle of the map; with equal units all of it and what lies beside it."""
        self.centre = QPointF((left + right) / 2, (bottom + top) / 2)
        self._set_scale(self.width / max(right - left, 1e-12), self.height / max(top - bottom, 1e-12))
        self.fitted = False

    def zoom(self, factor: float, about: QPointF) -> None:
        """Enlarge, keeping what is under ``about`` where it is."""
        x, y = self.to_map(about)
        self.scale = self.scale * min(1e9, factor)
        across, up = self.to_map(about)
        self.centre += QPointF(x - across, y - up)
        self.fitted = False

    def _set_scale(self, across: float, up: float) -> None:
        least = min(across, up)
        self.scale = QPointF(least, least) if self.equal else QPointF(across, up)
