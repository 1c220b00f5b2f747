"""The base of every panel: what it asks of the network while it is visible, and what it does with the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.ui.context import Context
from guiapp.ui.widgets.empty_state import EmptyState


class Panel(QWidget):
    """One panel; the window puts it into a dock whose object name is ``<id>-panel``.

    A panel does no work while it is hidden: its request is dropped and neither ``show_state`` nor ``show_look`` is
    called. Both are called once with the newest values when it is shown again. Controls are named
    ``<id>.<control>`` by ``setObjectName``.

    Attributes:
        id: Panel id of interface.md, such as ``"filters"``; also the name of its help text.
        title: Title of the dock.
        follows_live: Whether it looks into the network of the live room while that is what is looked at; others stay
            with the experiment.
        request_changed: Emitted when ``request()`` would give something else.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    follows_live: ClassVar[bool] = False
    request_changed = Signal()
    visibility_changed = Signal(bool)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context

    @property
    def seen(self) -> EngineState:
        """The newest state of the network that this panel looks into."""
        return self.context.bridge.seen_by(self)

    @property
    def watches(self) -> bool:
        """Whether a panel that follows the live room needs the network's layers now."""
        return True

    def no_look(self, text: str) -> str:
        """What to say before the first look: ``text``, or that it comes where the live room shows a picture."""
        bridge = self.context.bridge
        if not (self.follows_live and bridge.subject == "live" and bridge.live_scene.picture):
            return text
        return "Looking into the picture …" if text[:1].isupper() else "looking into the picture …"

    def request(self) -> Request | None:
        """What the network is asked while this panel is visible; None for nothing."""
        return None

    def show_state(self, state: EngineState) -> None:
        """Show where the engine is. Called at most at display rate, only while visible."""

    def show_waiting(self, text: str) -> None:
        """Say on the empty page that the network of the live room is on its way; an empty text: none is."""
        empty = getattr(self, "empty", None)
        if self.follows_live and isinstance(empty, EmptyState):
            empty.set_waiting(text)

    def show_look(self, result: LookResult) -> None:
        """Show one look; ``result.results.get(self.id)`` answers the request. Only while visible."""

    def told(self) -> Mapping[str, Any]:
        """What it shows was made with, by name, for a report; where it is empty the options of ``request`` are said."""
        return {}

    def put_away(self) -> None:
        """End what was begun by hand and is seen here alone: its dock was closed, not merely covered by another."""

    def shut(self) -> None:
        """Let go of what the panel holds outside of the window; called once, before the window closes."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.visibility_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.visibility_changed.emit(False)
