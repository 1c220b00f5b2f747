"""The graph of a network: layers, closed and open blocks, signs and ways, with what each costs; zooms, pans, opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from guiapp.ui.widgets import export
from guiapp.ui.widgets.architecture_painting import Caption, GraphPainter, Told, node_area, title_area
from guiapp.ui.widgets.architecture_view import GraphView
from guiapp.ui.widgets.painting import tabular
from guiapp.ui.widgets.tips import Tips

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent

    from guiapp.interpret.flow_graph import Architecture, Drawing
    from guiapp.ui.theme import Theme

_DRAG = 4


class ArchitectureGraph(QWidget):
    """Wheel zooms, drag pans, a click chooses, a double click opens or closes a block.

    Attributes:
        chosen: Name of the layer or block that was clicked.
        changed: Emitted when blocks were opened or closed.
        opened: Names of the open blocks.
        view: The part of the graph that is seen.
    """

    chosen = Signal(str)
    changed = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        Tips(self)
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
        self.view = GraphView()
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
        if area is not None and not self.rect().toRectF().intersects(self.view.to_widget(area)):
            self.view.look_at(area.center(), QPointF(self.width() / 2, self.height() / 2))
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
        if self.view.fitted:
            self.fit()
        elif before is not None and after is not None:
            moved = QPointF(before.center().x() - after.center().x(), before.top() - after.top())
            self.view.move(moved * self.view.scale)
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
            return node_area(node)
        return next((QRectF(*frame.area) for frame in self._drawing.frames if frame.name == name), None)

    # ------------------------------------------------------------------ geometry

    def fit(self) -> None:
        """Show the whole width from the top; a graph that is small shows at its own size."""
        self.view.fitted = True
        if self._drawing is not None:
            self.view.fit(self._drawing.size, self.size().toSizeF())
            self.update()

    def fit_all(self) -> None:
        """Show the whole graph."""
        self.view.fitted = False
        if self._drawing is not None:
            self.view.fit_all(self._drawing.size, self.size().toSizeF())
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.view.fitted:
            self.fit()

    def sizeHint(self) -> QSize:
        return QSize(320, 320)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    def item_at(self, where: QPointF) -> str | None:
        """Name of the layer or closed block at a point of the widget, or of the open one whose title is there."""
        if self._drawing is None:
            return None
        point = self.view.to_graph(where)
        for node in self._drawing.nodes.values():
            if node.kind in ("layer", "block") and node_area(node).contains(point):
                return self._layer(node.name)
        return next((f.name for f in reversed(self._drawing.frames) if title_area(f).contains(point)), None)

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.panel)
        if self._drawing is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            view = self.view
            painter.translate(view.offset)
            painter.scale(view.scale, view.scale)
            seen = QRectF(view.to_graph(QPointF(0, 0)), self.size().toSizeF() / view.scale)
            GraphPainter(painter, self.theme, self.font(), self._told(), view.scale).paint(self._drawing, seen)
        painter.end()

    def _told(self) -> Told:
        standing = self._stands(self._current)
        return Told(self._captions, self._layer, self._current, standing, self._hover, self._marked)

    def paint_to(self, painter: QPainter) -> None:
        """Paint all of the graph, as it is saved."""
        if self._drawing is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            whole = QRectF(0, 0, *self._drawing.size)
            painter.fillRect(whole, self.theme.panel)
            GraphPainter(painter, self.theme, self.font(), self._told()).paint(self._drawing, whole)

    # ------------------------------------------------------------------ events

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.view.zoom(event.position(), 1.0015 ** event.angleDelta().y())
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
                self._dragged, self._pressed = True, where
                self.view.move(step)
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

    def tip_at(self, at: QPoint) -> str:
        """What the box at a point says of itself."""
        caption = self._captions.get(self.item_at(QPointF(at)) or "")
        return "" if caption is None else caption.tip

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
        export.ask_save_plot(WholeGraph(self), self.file_name)


class WholeGraph(QWidget):
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
