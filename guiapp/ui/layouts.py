"""Named arrangements of the docks, each at home in 1280 x 800."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from guiapp.ui.docks import Dock
from guiapp.ui.panel_table import PANELS, Area, PanelEntry


@dataclass(frozen=True)
class Layout:
    """One arrangement; sizes are shares of a 1280 x 800 window, scaled to the real one.

    Attributes:
        id: Name in the panel table and in commands (``layout.<id>``).
        title: What the button says.
        tip: What it is good for.
        left, right: Width of the side columns in pixels at 1280.
        rows: Heights of the rows of each area at 800.
        front: Panels raised where several share a row.
    """

    id: str
    title: str
    tip: str
    left: int
    right: int
    rows: Mapping[Area, Sequence[int]]
    front: tuple[str, ...] = ()


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "train",
        "Train",
        "Curves large, filters and maps beside them",
        left=244,
        right=320,
        rows={"left": (340, 370), "top": (340,), "bottom": (370,), "right": (270, 440)},
        front=("training", "filters", "activations"),
    ),
    Layout(
        "look-inside",
        "Look inside",
        "Maps and filters large, curves below",
        left=224,
        right=492,
        rows={"left": (340, 370), "top": (400,), "bottom": (310,), "right": (230, 480)},
        front=("training", "filters", "activations"),
    ),
    Layout(
        "live",
        "Live",
        "Cameras, videos and streams through published networks",
        left=244,
        right=440,
        rows={"top": (710,), "right": (300, 410)},
        front=("live",),
    ),
    Layout(
        "live-inside",
        "Live inside",
        "The live picture with the layers of its network beside it",
        left=200,
        right=320,
        rows={"left": (710,), "top": (710,), "right": (300, 410)},
        front=("live", "model", "activations"),
    ),
    Layout(
        "lab",
        "Training lab",
        "Recipe, diagnosis, evaluation and other runs around the curves",
        left=224,
        right=372,
        rows={"left": (340, 370), "top": (250,), "bottom": (460,), "right": (270, 440)},
        front=("training", "recipe"),
    ),
)

_SEPARATOR = 4

_SIDES: dict[Area, Qt.DockWidgetArea] = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
}


def layout(name: str) -> Layout:
    """The layout named ``name``.

    Raises:
        LookupError: If there is none.
    """
    for candidate in LAYOUTS:
        if candidate.id == name:
            return candidate
    raise LookupError(f"no layout is named {name!r}")


def _rows(area: Area) -> list[list[PanelEntry]]:
    there = [p for p in PANELS if p.area == area]
    return [[p for p in there if p.row == row] for row in sorted({p.row for p in there})]


def arrange(window: QMainWindow, docks: Mapping[str, Dock], chosen: Layout) -> None:
    """Put every dock at its place in ``chosen`` and show those that belong to it."""
    window.setUpdatesEnabled(False)
    try:
        for dock in docks.values():
            dock.setFloating(False)
            window.removeDockWidget(dock)
        for area, side in _SIDES.items():
            above: Dock | None = None
            rows = _rows(area)
            for row in rows:  # all rows before any tab: what is split from a dock with tabs becomes one more tab
                first = docks[row[0].id]
                if above is None:
                    window.addDockWidget(side, first)
                else:
                    window.splitDockWidget(above, first, Qt.Orientation.Vertical)
                above = first
            for row in rows:
                for entry in row[1:]:
                    window.tabifyDockWidget(docks[row[0].id], docks[entry.id])
        for dock in docks.values():
            dock.setVisible(chosen.id in dock.entry.layouts)
        resize(window, docks, chosen)
        for name in chosen.front:
            docks[name].raise_()
    finally:
        window.setUpdatesEnabled(True)


def resize(
    window: QMainWindow,
    docks: Mapping[str, Dock],
    chosen: Layout,
    columns: Collection[Area] = tuple(_SIDES),
    rows: Collection[Area] = tuple(_SIDES),
) -> None:
    """Give rows and columns that are open the sizes of ``chosen``, scaled to the window.

    Args:
        window: The window.
        docks: Its docks by panel id.
        chosen: The layout.
        columns: Areas that get their width.
        rows: Areas whose rows get their heights.
    """
    wide, high = max(1.0, window.width() / 1280), max(1.0, window.height() / 800)
    wide = 1 + (wide - 1) * 0.7  # the middle gets more of a wide window than the sides

    def least(*areas: Area) -> int:
        """Width that the panels of a column need."""
        inside = [docks[p.id] for p in PANELS if p.area in areas and chosen.id in p.layouts]
        return max((dock.minimumSizeHint().width() for dock in inside), default=0)

    # A column asked to be narrower than its panels would push the window over the edge of a small screen.
    left = max(round(chosen.left * wide), least("left"))
    room = window.width() - left - least("top", "bottom") - 2 * _SEPARATOR
    right = max(min(round(chosen.right * wide), room), least("right"))
    sides: tuple[tuple[Area, int], ...] = (("left", left), ("right", right))
    pairs = [(dock, width) for area, width in sides if area in columns for dock in _open(window, docks, area)[:1]]
    window.resizeDocks([d for d, _ in pairs], [w for _, w in pairs], Qt.Orientation.Horizontal)
    for area in rows:
        heights = dict(zip((row[0].row for row in _rows(area)), chosen.rows.get(area, ()), strict=False))
        known = [dock for dock in _open(window, docks, area) if dock.entry.row in heights]
        tall = [(dock, round(heights[dock.entry.row] * high)) for dock in known]
        window.resizeDocks([d for d, _ in tall], [h for _, h in tall], Qt.Orientation.Vertical)


def restore(window: QMainWindow, docks: Mapping[str, Dock], chosen: Layout, name: str) -> None:
    """Give a dock that was closed and comes back its share of ``chosen``; other areas stay as the person left them.

    Where it was the only one of its column, the column gets its width again; beside others, the rows are shared anew.
    """
    area = docks[name].entry.area
    if docks[name].isFloating() or window.dockWidgetArea(docks[name]) != _SIDES[area]:
        return  # the person has given it another place
    middle: tuple[Area, ...] = ("top", "bottom")
    column = middle if area in middle else (area,)
    alone = len(_open(window, docks, area)) == 1
    resize(window, docks, chosen, (area,) if alone else (), column)


def _open(window: QMainWindow, docks: Mapping[str, Dock], area: Area) -> list[Dock]:
    """One open dock for each row of an area that has one, from above."""
    inside = [
        [dock for e in row if not (dock := docks[e.id]).isHidden() and not dock.isFloating()] for row in _rows(area)
    ]
    return [row[0] for row in inside if row and window.dockWidgetArea(row[0]) == _SIDES[area]]
