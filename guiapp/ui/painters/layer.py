"""What all painters share: prepared once for each prediction, painted at any zoom, asked what is under the pointer."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from guiapp.ui.painters.canvas import Canvas, View
from guiapp.ui.painters.look import Hit, PaintOptions

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from guiapp.ui.theme import Theme


class DrawnLayer:
    """A prediction, ready to be painted over its picture: a ``Layer`` of ``ImageView``.

    It may be made on any thread; what is costly is done then. Painting belongs to the thread of the widget or image.

    Attributes:
        drawn: The prediction.
        theme: Gives the colours; when it changes, the layer prepares itself again with the next painting.
        look: What is on.
        scale: Device pixels for one pixel of the picture that it was prepared for.
        ratio: Device pixels for one of the window's pixels that it was prepared for.
    """

    prepared_by: ClassVar[frozenset[str]] = frozenset()
    """Names of the options that the prepared parts depend on."""

    def __init__(
        self, drawn: Any, theme: Theme, look: PaintOptions, previous: DrawnLayer | None, scale: float, ratio: float
    ) -> None:
        self.drawn, self.theme, self.look = drawn, theme, look
        self.scale, self.ratio = scale, ratio
        self._dark = theme.dark
        self._follow(previous)
        self._prepare()

    def _follow(self, previous: DrawnLayer | None) -> None:
        """Take over what goes on from picture to picture."""

    def _prepare(self) -> None:
        """Do what needs no painter."""

    def _paint(self, canvas: Canvas) -> None:
        raise NotImplementedError

    def paint(self, painter: QPainter, view: View) -> None:
        """Paint in the widget's coordinates; ``view.to_widget`` maps from the picture."""
        if self.theme.dark != self._dark:
            self._dark = self.theme.dark
            self._prepare()
        canvas = Canvas(painter, view)
        if canvas.empty:
            return
        with canvas:
            self._paint(canvas)

    def object_at(self, x: float, y: float) -> Hit | None:
        """What is at a point, in pixels of the picture; None where there is nothing to tell."""
        return None

    def with_look(self, look: PaintOptions) -> DrawnLayer:
        """The same prediction with other options; prepared again only where these need it."""
        changed = {
            field.name
            for field in dataclasses.fields(look)
            if getattr(look, field.name) != getattr(self.look, field.name)
        }
        if not changed:
            return self
        other = copy.copy(self)
        other.look = look
        if changed & self.prepared_by or other.theme.dark != other._dark:
            other._dark = other.theme.dark
            other._prepare()
        return other
