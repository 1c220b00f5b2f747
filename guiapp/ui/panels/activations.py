"""The activations panel: what every map of a layer answers to the picture; channels can be switched off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QMenu, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.options import ActivationOptions
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.network_commands import is_changed, restore_network
from guiapp.ui.panels.layer_panel import LayerPanel
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.colour_bar import number, short

if TYPE_CHECKING:
    from guiapp.interpret.activations import Statistics
    from guiapp.interpret.layers import LayerInfo
    from guiapp.interpret.maps import Film

_NO_PICTURE = "no picture: draw on the pad or choose a sample"
_NO_FRAME = "no picture: open a camera, a video or a picture"


class ActivationsPanel(LayerPanel):
    """Maps of the chosen layer for the picture, as one image; click, overlay, switch off."""

    id = "activations"
    title = "Activations"
    scales = (("one scale", "layer"), ("per map", "map"))

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        self._shown: str | None = None
        self._statistics: Statistics | None = None
        self._corner = (0, 0)
        self._film: Film | None = None
        self._note = ""
        super().__init__(context, parent)
        commands = context.commands
        self._switch = declare(commands, Command(
            "activations.switch-off", "Switch channel off or on", self.toggle_channel,
            "Set the chosen channel to zero in the network that is looked at, and see the prediction change",
            "Ctrl+D", "power", menu="Model",
        ))  # fmt: skip
        self._overlay = declare(commands, Command(
            "activations.overlay", "Lay map over picture", self.toggle_overlay,
            "Paint the chosen map over the picture in the viewer; once more takes it away", "Ctrl+Shift+D", "layers",
            menu="Model",
        ))  # fmt: skip
        self._inspect = declare(commands, Command(
            "activations.inspect", "Inspect unit", self.inspect,
            "Show in the panel Units what the chosen unit responds to", "Ctrl+I", "search", menu="Model",
        ))  # fmt: skip
        self._restore = restore_network(context)
        for action, name in ((self._switch, "switch-off"), (self._overlay, "overlay"), (self._restore, "restore")):
            self.words.addWidget(icon_button(self, action, f"activations.{name}"))
        self.atlas.make_menu = self._menu  # type: ignore[method-assign]
        for field, call in (
            ("switched_off", self._follow_switched),
            ("boosted", lambda _factors: self._enable()),
            ("overlay", lambda _o: self._enable()),
            ("region", lambda _region: self.request_changed.emit()),
        ):
            stop = context.workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        self.show_state(self.seen)
        self._enable()

    @staticmethod
    def usable(layer: LayerInfo) -> bool:
        """Layers that give something."""
        return bool(layer.output_shape)

    def request(self) -> Request | None:
        """The maps of the layer."""
        layer = self.layer
        if layer is None:
            return None
        region = self.context.workspace.region if self.context.bridge.subject == "live" else None
        return Request("activations", ActivationOptions(layer, self.scale.currentData(), self.atlas.aspect, region))

    # ------------------------------------------------------------------ showing

    def layer_changed(self) -> None:
        """Forget what was shown of another layer."""
        self._shown = self._statistics = self._film = None
        self._note = ""
        self.atlas.set_crossed(frozenset())
        self.context.workspace.place = None
        self._enable()

    def show_state(self, state: EngineState) -> None:
        """List the layers; without a picture say where to get one."""
        super().show_state(state)
        open_but_blind = state.opened is not None and self._shown is None
        live = self.context.bridge.subject == "live"
        if open_but_blind and (live or self.context.workspace.picture is None):
            self.statistics.set_text(self.no_look(_NO_FRAME) if live else _NO_PICTURE)

    def show_look(self, result: LookResult) -> None:
        """Show the newest maps."""
        view, layer = result.results.get(self.id), self.layer
        if view is None or layer is None or layer not in view.atlases:
            if result.picture is None:
                self._words.drop()
                self.atlas.set_atlas(None)
                self.statistics.set_text(_NO_PICTURE)
                self.hover.set_text("")
            return
        atlas, fresh = view.atlases[layer], self._shown != layer
        self._shown = layer
        self.atlas.set_atlas(atlas)
        if fresh:
            self._follow_switched(self.context.workspace.switched_off)
            self.mark_unit(self._chosen())
        self._statistics = view.statistics[layer]
        self._corner = view.corners.get(layer, (0, 0))
        self._film, self._note = view.films.get(layer), view.notes.get(layer, "")
        self.refresh_words(at_once=fresh)

    def say(self) -> None:
        """Range and statistics in words."""
        atlas = self.atlas.atlas
        if atlas is None or self._statistics is None:
            return
        shown = self.atlas.enlarged if self.atlas.enlarged is not None else self._chosen()
        self.bar.set_range(*atlas.range_of(min(shown or 0, atlas.count - 1)), atlas.signed)
        moments, rest = self._statistics_texts(self._statistics)
        span = f"{short(self._statistics.low)} … {short(self._statistics.high)}"  # the colour bar shows it too
        if self.context.workspace.region is not None and self.context.bridge.subject == "live":
            moments = f"chosen object · {moments}"
        if self._film is not None:
            moments = f"a tile is {self._film.pictures} moments · {moments}"
        if self._note:
            rest.append(self._note)
        whole = " · ".join((moments, *rest))
        least = (moments,) if self._film is None else (moments, f"a tile is {self._film.pictures} moments")
        self.statistics.set_text(f"{whole} · {span}", (whole, " · ".join((moments, *rest[:1])), *least))
        self.describe_hover()

    @staticmethod
    def _statistics_texts(numbers: Statistics) -> tuple[str, list[str]]:
        """Mean and deviation, and what else there is to say."""
        parts = [f"zeros {numbers.zeros * 100:.0f} %"]
        if numbers.saturated is not None:
            parts.append(f"saturated {numbers.saturated * 100:.0f} %")
        if numbers.dead:
            parts.append(f"{numbers.dead} all zero")
        return f"mean {short(numbers.mean)} · std {short(numbers.deviation)}", parts

    def describe_hover(self) -> None:
        """Map, place, value and receptive field under the pointer; the viewer draws the field over the picture."""
        atlas, place = self.atlas.atlas, self.atlas.pointer
        if atlas is None or self._shown is None:
            self.context.workspace.place = None
            return
        found = atlas.value_at(place[0] + 0.5, place[1] + 0.5) if place is not None else None
        if found is not None and self.atlas.enlarged not in (None, found[0]):
            found = None
        moment = None
        if found is not None and self._film is not None:
            moment = self._film.place(*found[1:3])
            found = (found[0], *moment[1:], found[3]) if moment is not None else None
        if found is not None:
            found = found[0], found[1] + self._corner[0], found[2] + self._corner[1], found[3]
        self.context.workspace.place = (self._shown, found[1], found[2]) if found is not None else None
        if found is None:
            off = len(self.context.workspace.switched_off.get(self._shown or "", ()))
            hint = (
                f"{off} of {atlas.count} switched off" if off else "click enlarges · right click: switch off, overlay"
            )
            self.hover.set_text(hint)
            return
        tile, row, column, value = found
        info = self.info()
        dense = info is not None and len(info.output_shape) == 1
        when = f"moment {moment[0] + 1} of {self._film.pictures}, " if moment is not None and self._film else ""
        where = f"unit {tile}: " if dense else f"map {tile} · {when}row {row}, column {column}: "
        text = where + number(value) + self._seen(info)
        if not dense:
            plane = atlas.values[tile]
            plane = plane[np.isfinite(plane)] if self._film is not None else plane  # between moments is no number
            text += f" · map mean {number(float(plane.mean()))}, zeros {float((plane == 0).mean()) * 100:.0f} %"
        if tile in self.context.workspace.switched_off.get(self._shown or "", ()):
            text += " · switched off"
        elif tile in (factors := self.context.workspace.boosted.get(self._shown or "", {})):
            text += f" · boosted × {factors[tile]:g}"
        self.hover.set_text(text)

    def _seen(self, info: LayerInfo | None) -> str:
        """How much of the network's input a unit of the layer sees, where that is known."""
        field, opened = info.receptive_field if info is not None else None, self.seen.opened
        span = re.search(r"\(spans (.+)\)", info.detail) if info is not None else None
        dilated = f" · dilated kernel spans {span[1]}" if span is not None else ""
        if field is None or opened is None:
            return dilated
        height, width = opened.preprocessing.size[1:]
        if field.size[0] >= height and field.size[1] >= width and field.stride == (0, 0):
            return f" · sees the whole input{dilated}"
        return f" · sees {field.size[1]} × {field.size[0]}{dilated}"

    # ------------------------------------------------------------------ choosing and switching

    def _chosen(self) -> int | None:
        workspace = self.context.workspace
        return workspace.unit if workspace.layer == self.layer else None

    def mark_unit(self, unit: int | None) -> None:
        """Frame the tile of the chosen unit."""
        self.atlas.set_chosen(unit if self.context.workspace.layer == self.layer else None)
        self._enable()

    def tile_clicked(self, tile: int) -> None:
        """Choose the map as the unit that every panel looks at."""
        workspace = self.context.workspace
        workspace.layer = self.layer
        workspace.unit = tile

    def _enable(self) -> None:
        if not hasattr(self, "_restore"):
            return
        chosen = self._chosen() is not None and self._channels() > 0
        self._switch.setEnabled(chosen)
        self._overlay.setEnabled(chosen or self.context.workspace.overlay is not None)
        self._restore.setEnabled(is_changed(self.context.workspace))

    def _channels(self) -> int:
        """How many channels of the layer can be switched off; 0 for layers of tokens."""
        info = self.info()
        usual = info is not None and len(info.output_shape) in (1, 3, 4) and not info.channels_last
        return info.output_shape[0] if info is not None and usual else 0

    def toggle_channel(self, channel: int | None = None) -> None:
        """Switch a channel (the chosen one by default) of the shown layer off, or on again."""
        layer = self.layer
        channel = self._chosen() if channel is None else channel
        if layer is None or channel is None or not 0 <= channel < self._channels():
            return
        workspace = self.context.workspace
        off = set(workspace.switched_off.get(layer, ()))
        off ^= {channel}
        mapping = {name: channels for name, channels in workspace.switched_off.items() if name != layer}
        if off:
            mapping[layer] = frozenset(off)
        workspace.switched_off = mapping

    def inspect(self, tile: int | None = None) -> None:
        """Look at a unit (the chosen one by default) in the unit inspector."""
        if tile is not None:
            self.tile_clicked(tile)
        self.context.bridge.panel_wanted.emit("units")

    def toggle_overlay(self, channel: int | None = None) -> None:
        """Lay a map over the picture, or take it away if it lies there."""
        layer = self.layer
        workspace = self.context.workspace
        channel = self._chosen() if channel is None else channel
        wanted = (layer, channel) if layer is not None and channel is not None else None
        workspace.overlay = None if wanted == workspace.overlay else wanted

    def _follow_switched(self, mapping: dict[str, frozenset[int]]) -> None:
        self.atlas.set_crossed(mapping.get(self.layer or "", frozenset()))
        self._enable()
        self.describe_hover()

    def _menu(self, where: QPointF) -> QMenu:
        """What a right click on a map offers, before what every image offers."""
        menu = type(self.atlas).make_menu(self.atlas, where)
        tile = self.atlas.tile_under(where)
        first = menu.actions()[0]
        if tile is not None:
            off = tile in self.context.workspace.switched_off.get(self.layer or "", ())
            actions = []
            if self._channels():
                title = f"Switch channel {tile} {'on' if off else 'off'}"
                actions.append(menu.addAction(title, lambda: self.toggle_channel(tile)))
                laid = self.context.workspace.overlay == (self.layer, tile)
                title = "Take map from the picture" if laid else f"Lay map {tile} over the picture"
                actions.append(menu.addAction(title, lambda: self.toggle_overlay(tile)))
            actions.append(menu.addAction("Enlarge", lambda: self.atlas.enlarge(tile)))
            actions.append(menu.addAction(f"Inspect unit {tile}", lambda: self.inspect(tile)))
            menu.insertActions(first, actions)
            menu.insertSeparator(first)
        if is_changed(self.context.workspace):
            menu.addSeparator()
            menu.addAction(self._restore)
        return menu
