"""What panels that may have nothing to show share: a page that says why, a page with what they show, faint lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLayout, QStackedWidget, QVBoxLayout, QWidget

from guiapp.ui.panel import Panel
from guiapp.ui.widgets.empty_state import EmptyState

if TYPE_CHECKING:
    from guiapp.engine.state import Inspected
    from guiapp.ui.widgets.quiet_label import QuietLabel


def why_no_layers(opened: Inspected) -> str:
    """Why panels find no layers in a network, and what helps, in a line or two; empty where it has some."""
    if opened.layers:
        return ""
    model = opened.model
    if model.trained_by == "memory":
        return "This network has no layers: it keeps the training samples themselves."
    if "TorchScript" in model.description:
        return (
            "TorchScript runs as one piece, so there are no layers to look into: name its architecture in the panel "
            "Your network to open the same weights with layers."
        )
    return f"{model.title} runs as one piece: there are no layers to look into."


class PagedPanel(Panel):
    """A panel with two pages; ``lay_out`` makes them.

    Attributes:
        nothing_open: What the empty page says before a network is open.
        nothing_here: What it says of a network that has layers, and none that this panel is about.
        empty: The empty page.
    """

    nothing_open: ClassVar[str]
    nothing_here: ClassVar[str] = ""
    follows_live = True
    least: ClassVar[tuple[int, int]] = (220, 180)
    _faint: Sequence[QuietLabel] = ()

    def lay_out(self, *rows: QWidget | QLayout | tuple[QWidget | QLayout, int], faint: Sequence[QuietLabel]) -> None:
        """Make both pages; called once, by the panel.

        Args:
            rows: What stands below each other, with the share of the height that it takes where it takes any.
            faint: Lines in the faint colour, which they keep in another theme.
        """
        self.empty = EmptyState(self.nothing_open, (), self)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for row in rows:
            part, share = row if isinstance(row, tuple) else (row, 0)
            if isinstance(part, QLayout):
                column.addLayout(part, share)
            else:
                column.addWidget(part, share)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._pages)
        self._faint = faint
        self.context.theme.changed.connect(self._restyle)

    def minimumSizeHint(self) -> QSize:
        return QSize(*self.least)

    def show_something(self) -> None:
        """Show the page with what there is."""
        self._pages.setCurrentIndex(1)

    def show_nothing(self, opened: Inspected | None, text: str = "") -> None:
        """Show the empty page, with a text or the reason why the open network has nothing to show here."""
        reason = self.nothing_open if opened is None else why_no_layers(opened) or self.nothing_here
        self.empty.set_text(text or reason)
        self._pages.setCurrentIndex(0)

    def follow(self, field: str, call: Callable[[Any], None]) -> None:
        """Call with each new value of a field of the selection, while the panel lives."""
        stop = self.context.workspace.subscribe(field, call)
        self.destroyed.connect(lambda _=None: stop())

    def _restyle(self) -> None:
        for label in self._faint:
            label.ink = self.context.theme.faint
            label.update()
