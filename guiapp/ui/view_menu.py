"""What can be done with any panel as it is seen: pinned, copied, saved as picture, drawing or numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from guiapp.core.notices import UserError
from guiapp.ui.widgets import export

if TYPE_CHECKING:
    from guiapp.ui.context import Context
    from guiapp.ui.panel import Panel

PICTURE, DRAWING, NUMBERS = "PNG picture (*.png)", "SVG drawing (*.svg)", "Comma-separated values (*.csv)"


class Drawing:
    """A widget as ``export.save_svg`` paints it: texts and lines stay sharp at any size, pictures are part of it."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget

    def paint_to(self, painter: QPainter) -> None:
        """Paint everything that is seen."""
        self._widget.render(painter, QPoint(0, 0))

    def size(self) -> QSize:
        """Size in pixels."""
        return self._widget.size()

    def rect(self) -> QRect:
        """Area in pixels."""
        return self._widget.rect()


def numbers_of(panel: QWidget) -> str:
    """The numbers behind what a panel shows, as CSV; each part under a line ``# <name>``. Empty where it has none."""
    own = getattr(panel, "csv_text", None)
    if own is not None:
        return str(own())
    parts = []
    for widget in panel.findChildren(QWidget):
        text = getattr(widget, "csv_text", None)
        if text is None or not widget.isVisible():
            continue
        try:
            found = str(text()).rstrip("\r\n")
        except (AssertionError, AttributeError, TypeError, ValueError):  # it shows nothing yet
            continue
        if found:
            parts.append(f"# {widget.objectName() or widget.accessibleName() or type(widget).__name__}\n{found}\n")
    return "\n".join(parts)


def has_numbers(panel: QWidget) -> bool:
    """Whether a panel may have numbers: asking for them can take long, as for a million points."""
    if hasattr(panel, "csv_text") or hasattr(panel, "save_numbers"):
        return True
    return any(hasattr(widget, "csv_text") and widget.isVisible() for widget in panel.findChildren(QWidget))


def save_view(panel: QWidget, path: Path) -> None:
    """Save what a panel shows; the ending says how: ``.png``, ``.svg`` or ``.csv``.

    Raises:
        UserError: If it cannot be written, or there are no numbers.
    """
    ending = path.suffix.lower()
    if ending == ".csv":
        text = numbers_of(panel)
        if not text:
            raise UserError("there are no numbers behind this view: save it as a picture")
        export.save_text(text, path)
    elif ending == ".svg":
        export.save_svg(Drawing(panel), path)
    else:
        export.save_image(panel.grab().toImage(), path)


def view_menu(context: Context, panel: Panel | None, parent: QWidget, pin: Callable[[], object] | None) -> QMenu:
    """The menu of a panel's title row.

    Args:
        context: For messages.
        panel: The panel, or None while it is not there yet.
        parent: Where the menu belongs.
        pin: Pins the panel; None where it cannot be pinned.
    """
    menu = QMenu(parent)

    def ask(kinds: str, ending: str) -> None:
        assert panel is not None
        name, _ = QFileDialog.getSaveFileName(parent, "Save view", f"{panel.id}{ending}", kinds)
        if not name:
            return
        path = Path(name) if Path(name).suffix else Path(name).with_suffix(ending)
        beside = getattr(panel, "save_numbers", None)
        if beside is not None and path.suffix.lower() == ".csv":
            beside(path)
            return
        try:
            save_view(panel, path)
        except UserError as error:
            context.notices.post("error", str(error), topic="view")

    if pin is not None:
        menu.addAction("Pin to compare", pin)
    menu.addAction("Copy picture", lambda: export.copy_widget(panel))
    menu.addSeparator()
    menu.addAction("Save as PNG …", lambda: ask(PICTURE, ".png"))
    menu.addAction("Save as SVG …", lambda: ask(DRAWING, ".svg"))
    numbers = menu.addAction("Save numbers as CSV …", lambda: ask(NUMBERS, ".csv"))
    for action in menu.actions():
        action.setEnabled(panel is not None)
    numbers.setEnabled(panel is not None and has_numbers(panel))
    return menu
