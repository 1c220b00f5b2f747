"""The graph of a network: layers, closed and open blocks, signs and ways, with what each costs; zooms, pans, opens."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from guiapp.ui.widgets import export
from guiapp.ui.widgets.painting import blend, tabular

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent

    from guiapp.interpret.flow_graph import Architecture, Drawing, Frame, Node
    from guiapp.ui.theme import Theme

_LEAST, _MOST = 0.03, 4.0
_TEXT_FROM = 0.45  # scale from which texts are painted
_DRAG = 4
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


class ArchitectureGraph(QWidget):
    """Wheel zooms, drag pans, a click chooses, a double click opens or closes a block.

    Attributes:
        chosen: Name of the layer or block that was clicked.
        changed: Emitted when blocks were opened or closed.
        opened: Names of the open blocks.
    """

    chosen = Signal(str)
    changed = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.file_name = "architecture"
        self.setObjectName(name)
        self.setAccessibleName("Graph of the network")
        self.setFont(tabular(self.font()))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.opened: frozenset[str] = frozenset()
        self._architecture: Architecture | None = None
        self._drawing: Drawing | None = None
        self._captions: Mapping[str, Caption] = {}
        self._current: str | None = None
        self._marked: frozenset[str] = frozenset()
        self._scale, self._offset, self._fitted = 1.0, QPointF(), True
        self._pressed: QPointF | None = None
        self._dragged = False
        self._hover: str | None = None
        theme.changed.connect(self.update)

    # ------------------------------------------------------------------ what is shown

    @property
    def drawing(self) -> Drawing | None:
        """Nodes and ways with their places."""
        return self._drawing

    def set_architecture(self, architecture: Architecture | None, captions: Mapping[str, Caption]) -> None:
        """Show another network, outer blocks open."""
        self._architecture, self._captions = architecture, captions
        self.opened = architecture.start() if architecture is not None else frozenset()
        self._lay()
        self.fit()

    def set_captions(self, captions: Mapping[str, Caption]) -> None:
        """Say other things of the same nodes."""
        self._captions = captions
        self.update()

    def set_current(self, name: str | None) -> None:
        """Frame the node that stands for a layer, and bring it into sight."""
        self._current = name
        area = self._area_of(self._stands(name))
        if area is not None and not self.rect().toRectF().intersects(self._to_widget(area)):
            self._fitted = False
            self._offset = QPointF(self.width() / 2, self.height() / 2) - area.center() * self._scale
        self.update()

    def set_marked(self, names: Sequence[str]) -> None:
        """Mark those that a search has found, opened or not."""
        found = {self._stands(name) for name in names} if self._architecture is not None else set()
        self._marked = frozenset(name for name in found if name)
        self.update()

    def set_opened(self, names: frozenset[str]) -> None:
        """Open exactly these blocks; what is in the middle stays there."""
        if self._architecture is None or names == self.opened:
            return
        kept = self._stands(self._current) or self._hover
        before = self._area_of(kept)
        self.opened = names
        self._lay()
        after = self._area_of(self._stands(kept)) if kept else None
        if self._fitted:
            self.fit()
        elif before is not None and after is not None:
            self._offset += QPointF(before.center().x() - after.center().x(), before.top() - after.top()) * self._scale
        self.update()
        self.changed.emit()

    def toggle(self, name: str) -> None:
        """Open a closed block, close an open one with all in it."""
        if self._architecture is None or name not in self._architecture.blocks:
            return
        if name in self.opened:
            self.set_opened(frozenset(one for one in self.opened if not f"{one}.".startswith(f"{name}.")))
        else:
            self.set_opened(self.opened | {name})

    def open_all(self) -> None:
        """Open every block."""
        if self._architecture is not None:
            self.set_opened(self._architecture.blocks)

    def close_all(self) -> None:
        """Close every block."""
        self.set_opened(frozenset())

    def _lay(self) -> None:
        self._drawing = self._architecture.draw(self.opened) if self._architecture is not None else None
        self._hover = None
        self.update()

    def _layer(self, name: str) -> str:
        return self._architecture.layer(name) if self._architecture is not None else name

    def _stands(self, name: str | None) -> str | None:
        if name is None or self._architecture is None or name not in self._architecture.parents:
            return None
        return self._architecture.shown(name, self.opened)[0]

    def _area_of(self, name: str | None) -> QRectF | None:
        if self._drawing is None or name is None:
            return None
        node = self._drawing.nodes.get(name)
        if node is not None:
            return _area(node)
        return next((QRectF(*frame.area) for frame in self._drawing.frames if frame.name == name), None)

    # ------------------------------------------------------------------ geometry

    def fit(self) -> None:
        """Show the whole width from the top; a graph that is small shows at its own size."""
        self._fitted = True
        if self._drawing is None:
            return
        wide, high = self._drawing.size
        room = max(1.0, self.width() - 8.0) / max(1.0, wide)
        whole = min(room, max(1.0, self.height() - 8.0) / max(1.0, high))
        self._scale = min(1.0, max(whole, min(room, 0.8) if room >= _TEXT_FROM else whole, _LEAST))
        self._offset = QPointF((self.width() - wide * self._scale) / 2, 4.0)
        self.update()

    def fit_all(self) -> None:
        """Show the whole graph."""
        self._fitted = False
        if self._drawing is not None:
            wide, high = self._drawing.size
            self._scale = max(_LEAST, min(1.0, self.width() / max(1.0, wide), self.height() / max(1.0, high)))
            self._offset = QPointF((self.width() - wide * self._scale) / 2, (self.height() - high * self._scale) / 2)
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def sizeHint(self) -> QSize:
        return QSize(320, 320)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    def _to_widget(self, area: QRectF) -> QRectF:
        return QRectF(area.topLeft() * self._scale + self._offset, area.size() * self._scale)

    def _to_graph(self, where: QPointF) -> QPointF:
        return (where - self._offset) / self._scale

    def item_at(self, where: QPointF) -> str | None:
        """Name of the layer or closed block at a point of the widget, or of the open one whose title is there."""
        if self._drawing is None:
            return None
        point = self._to_graph(where)
        for node in self._drawing.nodes.values():
            if node.kind in ("layer", "block") and _area(node).contains(point):
                return self._layer(node.name)
        return next((f.name for f in reversed(self._drawing.frames) if _title_area(f).contains(point)), None)

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.panel)
        if self._drawing is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(self._offset)
            painter.scale(self._scale, self._scale)
            corner = self._to_graph(QPointF(0, 0))
            seen = QRectF(corner, self.size().toSizeF() / self._scale)
            _Painter(self, painter, self._scale).paint(self._drawing, seen)
        painter.end()

    def paint_to(self, painter: QPainter) -> None:
        """Paint all of the graph, as it is saved."""
        if self._drawing is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            whole = QRectF(0, 0, *self._drawing.size)
            painter.fillRect(whole, self.theme.panel)
            _Painter(self, painter, 1.0).paint(self._drawing, whole)

    # ------------------------------------------------------------------ events

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._fitted = False
        about = event.position()
        before = self._to_graph(about)
        self._scale = min(_MOST, max(_LEAST, self._scale * 1.0015 ** event.angleDelta().y()))
        self._offset = about - before * self._scale
        self.update()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        where = event.position()
        if self._pressed is not None:
            step = where - self._pressed
            if self._dragged or step.manhattanLength() > _DRAG:
                self._dragged, self._fitted = True, False
                self._offset += step
                self._pressed = where
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self.update()
            return
        hover = self.item_at(where)
        if hover != self._hover:
            self._hover = hover
            self.setCursor(Qt.CursorShape.PointingHandCursor if hover else Qt.CursorShape.ArrowCursor)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and not self._dragged:
            name = self.item_at(event.position())
            if name is not None:
                self._current = name
                self.update()
                self.chosen.emit(name)
        self._pressed = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        name = self.item_at(event.position())
        if name is None:
            self.fit()
        else:
            self._current = name
            self.toggle(name)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = None
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            name = self.item_at(QPointF(event.pos()))
            caption = self._captions.get(name or "")
            if caption is not None and caption.tip:
                QToolTip.showText(event.globalPos(), caption.tip, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        name = self.item_at(QPointF(event.pos()))
        actions: list[tuple[str, Callable[[], object]]] = []
        if name is not None and self._architecture is not None and name in self._architecture.blocks:
            actions.append((f"{'Close' if name in self.opened else 'Open'} {name}", lambda: self.toggle(name)))
        actions += [
            ("Open all blocks", self.open_all),
            ("Close all blocks", self.close_all),
            ("Fit width", self.fit),
            ("Show all of it", self.fit_all),
            ("Copy graph", lambda: export.copy_widget(self)),
            ("Save as SVG or PNG …", self.ask_save),
        ]
        for title, function in actions:
            action = menu.addAction(title, function)
            action.setEnabled(self._drawing is not None)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def ask_save(self) -> None:
        """Ask where to save the whole graph."""
        export.ask_save_plot(_Whole(self), self.file_name)


class _Whole(QWidget):
    """All of a graph in the size that it has by itself, for files."""

    def __init__(self, graph: ArchitectureGraph) -> None:
        super().__init__(graph.window())
        self._graph = graph
        size = graph.drawing.size if graph.drawing is not None else (1.0, 1.0)
        self.resize(round(size[0]), round(size[1]))
        self.hide()

    def paint_to(self, painter: QPainter) -> None:
        """Paint everything."""
        self._graph.paint_to(painter)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_to(painter)
        painter.end()


def _area(node: Node) -> QRectF:
    return QRectF(node.x - node.width / 2, node.y - node.height / 2, node.width, node.height)


def _title_area(frame: Frame) -> QRectF:
    left, top, width, _ = frame.area
    return QRectF(left, top, width, 18.0)


class _Painter:
    """Paints what of a drawing is seen."""

    def __init__(self, graph: ArchitectureGraph, painter: QPainter, scale: float) -> None:
        self._graph, self._painter, self._theme = graph, painter, graph.theme
        self._texts = scale >= _TEXT_FROM
        font = QFont(graph.font())
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
            if seen.intersects(_area(node).adjusted(-3, -3, 3, 3)):
                self._node(node)

    def _frame(self, frame: Frame) -> None:
        area = QRectF(*frame.area)
        painter = self._painter
        chosen = frame.name == self._graph._current
        painter.setPen(QPen(self._theme.accent if chosen else self._theme.border, 1.5 if chosen else 1.0))
        painter.setBrush(blend(self._theme.panel, self._theme.background, 0.55))
        painter.drawRoundedRect(area, 6, 6)
        if self._texts:
            painter.setFont(self._small)
            painter.setPen(self._theme.faint)
            caption = self._graph._captions.get(frame.name)
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
        hover = self._graph._hover
        near = hover is not None and hover in (self._graph._layer(start.name), self._graph._layer(end.name))
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
        area, painter, theme = _area(node), self._painter, self._theme
        if node.kind in ("sign", "input", "output"):
            painter.setPen(QPen(theme.faint, 1.0))
            painter.setBrush(theme.panel)
            painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
            if self._texts:
                painter.setFont(self._bold if len(node.text) == 1 else self._small)
                painter.setPen(theme.text)
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, node.text)
            return
        graph = self._graph
        name = graph._layer(node.name)
        caption = graph._captions.get(name) or Caption(name.rpartition(".")[2])
        chosen, hover = graph._stands(graph._current) == name, graph._hover == name
        marked = name in graph._marked
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


__all__ = ["ArchitectureGraph", "Caption"]
