"""What ties the live picture to the panels that look into its network: maps over it, fields, the chosen object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from guiapp.engine.state import LookResult, Request
from guiapp.interpret.options import ActivationOptions
from guiapp.ui.widgets.atlas_view import palette_table
from guiapp.ui.widgets.image_layers import MapLayer, RectLayer
from guiapp.ui.widgets.painting import image_of

if TYPE_CHECKING:
    from guiapp.engine.live_records import LiveResult, LiveState
    from guiapp.ui.panels.live import LivePanel

_STEPS = 64
"""The chosen object's place is told in this many steps across the picture, so that its shiver is no news."""
_MARGIN = 0.1
_MAP_OPACITY = 0.6


class LiveInside(QObject):
    """Says whether the panels beside look into the live room, and paints what they choose over the live picture.

    Args:
        panel: The live panel.
    """

    def __init__(self, panel: LivePanel) -> None:
        super().__init__(panel)
        self._panel, self._context = panel, panel.context
        self._look: LookResult | None = None
        self._wanted = ""
        workspace = self._context.workspace
        self._sought: tuple[float, float, float, float] | None = None
        self._sought_in: object = None
        self._telling = False
        for field, call in (
            ("overlay", self._follow_overlay), ("place", lambda _place: self._lay()), ("region", self._follow_region),
        ):  # fmt: skip
            stop = workspace.subscribe(field, call)
            panel.destroyed.connect(lambda _=None, s=stop: s())
        panel.image.chosen_changed.connect(self._take_chosen)

    # ------------------------------------------------------------------ which network

    def follow(self, shown: bool) -> None:
        """Let the panels look into the live network while it is shown and open, else into the experiment's."""
        ready = self._panel.context.bridge.engine.live.newest.phase in ("opening", "ready")
        self._context.bridge.set_subject("live" if shown and ready else "experiment")

    def show_live_state(self, state: LiveState) -> None:
        """Another network has other layers."""
        if self._look is not None and self._look.opened is not state.inside:
            self._look = None
            self._lay()
        self.follow(self._panel.isVisible())

    def open_network(self, name: str) -> None:
        """Open a network of the list; without its weights with random ones, so that its layers can be seen."""
        self._wanted = name
        self.open_wanted()

    def open_wanted(self) -> None:
        """Open what was asked for before the list was read."""
        models = self._panel.models
        if not self._wanted or not models.found:
            return
        name, self._wanted = self._wanted, ""
        models.choose(name)
        models.wanted.emit(name, "best" if models.found.get(name) else "random")

    # ------------------------------------------------------------------ over the picture

    def request(self) -> Request | None:
        """The map that lies over the picture."""
        overlay = self._context.workspace.overlay
        return None if overlay is None else Request("activations", ActivationOptions(overlay[0], "map"))

    def show_look(self, look: LookResult) -> None:
        """Keep the newest map."""
        self._look = look
        self._lay()

    def _follow_overlay(self, _overlay: object) -> None:
        self._panel.request_changed.emit()
        self._lay()

    def _lay(self) -> None:
        look, image = self._look, self._panel.image
        workspace = self._context.workspace
        layers: list[object] = []
        if look is not None and look.area is not None and self._context.bridge.subject == "live":
            view, overlay = look.results.get(self._panel.id), workspace.overlay
            atlas = view.atlases.get(overlay[0]) if view is not None and overlay is not None else None
            if atlas is not None and overlay[1] < atlas.count:
                left, top, width, height = atlas.tile_rect(overlay[1])
                film = view.films.get(overlay[0])
                if film is not None:  # the newest moment
                    down, right = film.corner(film.pictures - 1)
                    left, top, width, height = left + right, top + down, film.width, film.height
                tile = np.ascontiguousarray(atlas.pixels[top : top + height, left : left + width])
                layers.append(MapLayer(image_of(tile, palette_table(atlas.signed)), _MAP_OPACITY, look.area))
            field = self._field(look)
            if field is not None:
                layers.append(RectLayer(field, self._context.theme.warning))
        image.set_over(tuple(layers))

    def _field(self, look: LookResult) -> tuple[float, float, float, float] | None:
        """Left, top, width, height in pixels of the picture of what the unit under the pointer sees."""
        place = self._context.workspace.place
        info = next((x for x in look.opened.layers if place is not None and x.name == place[0]), None)
        if info is None or info.receptive_field is None or look.area is None:
            return None
        rows, columns = look.opened.preprocessing.size[1:]
        left, top, width, height = info.receptive_field.area(*place[1:], (rows, columns))
        across, down = look.area[2] / columns, look.area[3] / rows
        return look.area[0] + left * across, look.area[1] + top * down, width * across, height * down

    # ------------------------------------------------------------------ the chosen object

    def _take_chosen(self) -> None:
        self._sought = None
        self.follow_object()

    def follow_object(self) -> None:
        """Let other panels take the chosen object as their subject."""
        image = self._panel.image
        if image.chosen is None:
            self._tell(None)
            return
        left, top, right, bottom = image.chosen[1]
        across, down = (right - left) * _MARGIN, (bottom - top) * _MARGIN
        width, height = image.image_size
        shares = (left - across) / width, (top - down) / height, (right + across) / width, (bottom + down) / height
        steps = tuple(min(max(round(share * _STEPS) / _STEPS, 0.0), 1.0) for share in shares)
        self._tell(steps)  # type: ignore[arg-type]

    def _tell(self, region: tuple[float, float, float, float] | None) -> None:
        self._telling = True
        self._context.workspace.region = region
        self._telling = False

    def _follow_region(self, region: tuple[float, float, float, float] | None) -> None:
        """What was looked at before, or in a study, was about an object: choose it again; about none: choose none."""
        if self._telling:
            return
        self._sought, self._sought_in = region, None
        if region is not None:
            self._seek(self._panel.image.result)
        else:
            self._panel.image.unchoose()

    def _seek(self, result: LiveResult | None) -> None:
        """Choose the object that is sought, in the first picture that is there; in another one it is given up."""
        sought, image = self._sought, self._panel.image
        if sought is None or result is None:
            return
        if self._sought_in is not None and self._sought_in is not result.picture:
            self._take_chosen()
            return
        self._sought_in, (width, height) = result.picture, image.image_size
        across, down = (sought[2] - sought[0]) * width, (sought[3] - sought[1]) * height
        inset = _MARGIN / (1 + 2 * _MARGIN)
        left, top = sought[0] * width + inset * across, sought[1] * height + inset * down
        image.choose_at((left, top, left + across * (1 - 2 * inset), top + down * (1 - 2 * inset)))

    def take(self, result: LiveResult) -> None:
        """A new answer may have moved the chosen object."""
        if self._sought is not None:
            self._seek(result)
        elif self._context.workspace.region is not None or self._panel.image.chosen is not None:
            self.follow_object()
