"""Paints the graph of a network: frames of open blocks, ways, and nodes with what is written in them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from guiapp.ui.widgets.painting import blend

if TYPE_CHECKING:
    from guiapp.interpret.flow_graph import Drawing, Frame, Node
    from guiapp.ui.theme import Theme

TEXT_FROM = 0.45
"""Scale from which texts are painted."""
_TINTS = {"conv": 0, "dense": 1, "pool": 2, "norm": 9, "activation": 5, "attention": 4, "dropout": 7}
"""Places of the kinds in the colour-blind safe set; other kinds are grey."""


@dataclass(frozen=True)
class Caption:
    """What is written in a node.

    Attributes:
        title: Its short name; ``lines``: what it does, and what it gives.
        kind: As ``LayerInfo.kind``; gives the colour at the left.
        share: Of the whole, 0 to 1, as a bar at the foot; ``tip``: everything in words.
    """

    title: str
    lines: Sequence[str] = ()
    kind: str = "other"
    share: float = 0.0
    tip: str = ""


@dataclass(frozen=True)
class Told:
    """What is said of a drawing beside its places.

    Attributes:
        captions: What is written, by layer.
        layer: Layer that a node is a call of.
        current: The chosen layer; ``standing``: what is drawn for it, itself or the closed block around it.
        hover: The layer under the pointer.
        marked: Those that a search has found.
    """

    captions: Mapping[str, Caption]
    layer: Callable[[str], str]
    current: str | None = None
    standing: str | None = None
    hover: str | None = None
    marked: Collection[str] = ()


def node_area(node: Node) -> QRectF:
    """Where a node lies in the graph."""
    return QRectF(node.x - node.width / 2, node.y - node.height / 2, node.width, node.height)


def title_area(frame: Frame) -> QRectF:
    """Where the title of an open block lies in the graph."""
    left, top, width, _ = frame.area
    return QRectF(left, top, width, 18.0)


class GraphPainter:
    """Paints what of a drawing is seen.

    Args:
        painter: In the coordinates of the graph.
        theme: Its colours.
        font: Of the texts.
        told: What is written and what stands out.
        scale: Pixels of the widget for one of the graph; small graphs have no texts.
    """

    def __init__(self, painter: QPainter, theme: Theme, font: QFont, told: Told, scale: float = 1.0) -> None:
        self._painter, self._theme, self._told = painter, theme, told
        self._texts = scale >= TEXT_FROM
        font = QFont(font)
        font.setPixelSize(11)
        self._small = font
        self._bold = QFont(font)
        self._bold.setPixelSize(12)
        self._bold.setWeight(QFont.Weight.DemiBold)
        self._metrics = {False: QFontMetricsF(self._small), True: QFontMetricsF(self._bold)}

    def paint(self, drawing: Drawing, seen: QRectF) -> None:
        """Frames, ways, nodes."""
        for frame in drawing.frames:
            if seen.intersects(QRectF(*frame.area)):
                self._frame(frame)
        for start, end, points in drawing.ways:
            self._way(drawing.nodes[start], drawing.nodes[end], points, seen)
        for node in drawing.nodes.values():
            if seen.intersects(node_area(node).adjusted(-3, -3, 3, 3)):
                self._node(node)

    def _frame(self, frame: Frame) -> None:
        area = QRectF(*frame.area)
        painter = self._painter
        chosen = frame.name == self._told.current
        painter.setPen(QPen(self._theme.accent if chosen else self._theme.border, 1.5 if chosen else 1.0))
        painter.setBrush(blend(self._theme.panel, self._theme.background, 0.55))
        painter.drawRoundedRect(area, 6, 6)
        if self._texts:
            painter.setFont(self._small)
            painter.setPen(self._theme.faint)
            caption = self._told.captions.get(frame.name)
            words = frame.name if caption is None else " · ".join((frame.name, *caption.lines[-1:]))
            room = area.adjusted(8, 2, -8, 0)
            shown = self._metrics[False].elidedText(words, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(QRectF(room.left(), room.top(), room.width(), 16), Qt.AlignmentFlag.AlignVCenter, shown)

    def _way(self, start: Node, end: Node, points: Sequence[tuple[float, float]], seen: QRectF) -> None:
        begin = QPointF(start.x, start.y + start.height / 2)
        finish = QPointF(end.x, end.y - end.height / 2)
        corners = [begin, *(QPointF(x, y) for x, y in points), finish]
        xs, ys = [p.x() for p in corners], [p.y() for p in corners]
        area = QRectF(min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)
        if not seen.intersects(area.adjusted(-4, -4, 4, 4)):
            return
        hover, layer = self._told.hover, self._told.layer
        near = hover is not None and hover in (layer(start.name), layer(end.name))
        colour = self._theme.accent if near else blend(self._theme.panel, self._theme.text, 0.42)
        path = QPainterPath(begin)
        if finish.y() < begin.y():  # back to what came earlier
            side = max(start.x + start.width / 2, end.x + end.width / 2) + 24
            path.cubicTo(QPointF(side, begin.y() + 30), QPointF(side, finish.y() - 30), finish)
        else:
            for before, after in itertools.pairwise(corners):
                half = (before.y() + after.y()) / 2
                path.cubicTo(QPointF(before.x(), half), QPointF(after.x(), half), after)
        painter = self._painter
        painter.setPen(QPen(colour, 1.8 if near else 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        tip = [finish, finish + QPointF(-3.2, -6.5), finish + QPointF(3.2, -6.5)]
        painter.drawPolygon(tip)

    def _node(self, node: Node) -> None:
        area, painter, theme = node_area(node), self._painter, self._theme
        if node.kind in ("sign", "input", "output"):
            painter.setPen(QPen(theme.faint, 1.0))
            painter.setBrush(theme.panel)
            painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
            if self._texts:
                painter.setFont(self._bold if len(node.text) == 1 else self._small)
                painter.setPen(theme.text)
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, node.text)
            return
        told = self._told
        name = told.layer(node.name)
        caption = told.captions.get(name) or Caption(name.rpartition(".")[2])
        chosen, hover, marked = told.standing == name, told.hover == name, name in told.marked
        painter.setPen(Qt.PenStyle.NoPen)
        ground = theme.selection if chosen else theme.hover if hover else theme.field
        if node.kind == "block":  # a closed block is a pile
            painter.setBrush(blend(theme.panel, theme.border, 0.8))
            painter.drawRoundedRect(area.translated(3, 3), 4, 4)
        painter.setBrush(ground)
        painter.setPen(QPen(theme.accent if chosen or marked else theme.border, 1.5 if chosen or marked else 1.0))
        painter.drawRoundedRect(area, 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        tint = self._tint(caption.kind)
        painter.setBrush(tint)
        painter.drawRoundedRect(QRectF(area.left(), area.top(), 4, area.height()), 2, 2)
        if caption.share > 0:
            painter.setBrush(theme.accent)
            painter.drawRect(QRectF(area.left() + 8, area.bottom() - 4, (area.width() - 14) * caption.share, 2.5))
        if not self._texts:
            return
        room = area.adjusted(10, 2, -6, -4)
        again = node.name[len(name) :].replace("#", ", call ")
        self._line(QRectF(room.left(), room.top(), room.width(), 15), caption.title + again, True, theme.text)
        for number, line in enumerate(caption.lines[:2]):
            place = QRectF(room.left(), room.top() + 14 + 11.5 * number, room.width(), 12)
            self._line(place, line, False, theme.faint)

    def _line(self, place: QRectF, text: str, bold: bool, ink: QColor) -> None:
        self._painter.setFont(self._bold if bold else self._small)
        self._painter.setPen(ink)
        shown = self._metrics[bold].elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        self._painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)

    def _tint(self, kind: str) -> QColor:
        place = _TINTS.get(kind)
        return self._theme.other if place is None else self._theme.class_colour(place)
