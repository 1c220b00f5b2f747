"""Which part of the graph of a network is seen: its scale and place, fitting, zooming, pixels to places and back."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSizeF

from guiapp.ui.widgets.architecture_painting import TEXT_FROM

_LEAST, _MOST = 0.03, 4.0
_READABLE = 0.8  # at most so large is a graph whose foot is out of sight, so that its texts can be read


@dataclass
class GraphView:
    """The part of a graph that is seen in a widget.

    Attributes:
        scale: Pixels of the widget for one of the graph.
        offset: Where the corner of the graph lies in the widget.
        fitted: Whether it follows the size of the widget.
    """

    scale: float = 1.0
    offset: QPointF = field(default_factory=QPointF)
    fitted: bool = True

    def to_widget(self, area: QRectF) -> QRectF:
        """A rectangle of the graph in pixels of the widget."""
        return QRectF(area.topLeft() * self.scale + self.offset, area.size() * self.scale)

    def to_graph(self, where: QPointF) -> QPointF:
        """A point of the widget in the graph."""
        return (where - self.offset) / self.scale

    def fit(self, graph: tuple[float, float], widget: QSizeF) -> None:
        """Show the whole width from the top; a graph that is small shows at its own size."""
        self.fitted = True
        wide, high = graph
        room = max(1.0, widget.width() - 8.0) / max(1.0, wide)
        whole = min(room, max(1.0, widget.height() - 8.0) / max(1.0, high))
        self.scale = min(1.0, max(whole, min(room, _READABLE) if room >= TEXT_FROM else whole, _LEAST))
        self.offset = QPointF((widget.width() - wide * self.scale) / 2, 4.0)

    def fit_all(self, graph: tuple[float, float], widget: QSizeF) -> None:
        """Show the whole graph."""
        self.fitted = False
        wide, high = graph
        self.scale = max(_LEAST, min(1.0, widget.width() / max(1.0, wide), widget.height() / max(1.0, high)))
        self.offset = QPointF((widget.width() - wide * self.scale) / 2, (widget.height() - high * self.scale) / 2)

    def zoom(self, about: QPointF, factor: float) -> None:
        """Enlarge, keeping what is under ``about`` where it is."""
        before = self.to_graph(about)
        self.scale = min(_MOST, max(_LEAST, self.scale * factor))
        self.offset = about - before * self.scale
        self.fitted = False

    def move(self, step: QPointF) -> None:
        """Move what is seen by pixels of the widget."""
        self.offset += step
        self.fitted = False

    def look_at(self, where: QPointF, middle: QPointF) -> None:
        """Bring a place of the graph to the middle of the widget."""
        self.offset = middle - where * self.scale
        self.fitted = False
