"""The embedding panel: what a layer finds alike, as a map of pictures that moves, and as neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QToolButton, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.embedding.options import EmbeddingOptions, Method
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import embedding_words as words
from guiapp.ui.panels.embedding_chosen import ChosenRow
from guiapp.ui.panels.embedding_colours import Colouring, colouring, possible, usual
from guiapp.ui.panels.embedding_controls import Controls
from guiapp.ui.panels.embedding_files import MapFiles
from guiapp.ui.panels.embedding_maker import MapMaker
from guiapp.ui.panels.embedding_neighbours import NeighbourRows
from guiapp.ui.panels.embedding_own import OwnClasses
from guiapp.ui.panels.embedding_selection import MapSelection
from guiapp.ui.study_run import StudyBar
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.scatter_legend import ScatterLegend
from guiapp.ui.widgets.scatter_plot import ScatterPlot
from guiapp.ui.widgets.settled import settled

if TYPE_CHECKING:
    from guiapp.interpret.embedding.place import Map

_NOTHING = "Choose an experiment in the catalogue, or a network in the live room, to see what it finds alike."
_NEIGHBOURS = 12
_SMALL_BELOW = 470
_NO_ROWS_BELOW = 300


class EmbeddingPanel(Panel):
    """Boxes of what is laid out and how, the map, what its colours mean, what is chosen, and the nearest pictures.

    Attributes:
        controls: The boxes.
        plot: The map, ``embedding.map``; ``legend``: ``embedding.legend``.
        chosen_row: What is inside the lasso.
        rows: The nearest pictures, ``embedding.neighbours``.
        selection: The points that are chosen.
        maker: Makes the map; ``run``: its work; ``bar``: how far it is.
        shown: The map that is shown, or None.
    """

    id = "embedding"
    title = "Embedding"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.shown: Map | None = None
        self._opened: object = None
        self._colouring: Colouring | None = None
        self._own = OwnClasses()
        self._files = MapFiles(self, self._own)
        self.selection = MapSelection(self)
        self.selection.pointed.connect(lambda: self.plot.set_chosen(self.selection.point))
        self.selection.circled_here.connect(self._show_circled)
        self.selection.circled_elsewhere.connect(lambda: (self.plot.clear_lasso(), self._show_circled()))
        self._make(context)
        self._build()
        for field, call in (
            ("layer", self._follow_layer), ("class_index", lambda _index: self._mark()),
            ("step", lambda _step: self.maker.refresh()),
        ):  # fmt: skip
            stop = context.workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        context.theme.changed.connect(self._recolour)
        self.show_state(self.seen)

    def _make(self, context: Context) -> None:
        theme = context.theme
        self.controls = Controls(context, self)
        self.controls.changed.connect(lambda: self.maker.lay_out(by_hand=True))
        self.controls.recoloured.connect(self._recolour)
        self.controls.layer_chosen.connect(self._choose_layer)
        self._lasso = declare(context.commands, Command(
            "embedding.lasso", "Lasso", self._set_lasso,
            "Draw a line around points; with Shift held a drag always does", "", "lasso", checkable=True,
        ))  # fmt: skip
        self._more = declare(context.commands, Command(
            "embedding.options", "Options of the map", self._set_more, "Settings of the method, and of maps and tokens",
            "", "settings", checkable=True,
        ))  # fmt: skip
        self._follow = declare(context.commands, Command(
            "embedding.follow", "Follow the weights", lambda _on=True: self.maker.refresh(),
            "Lay the pictures out anew while the network trains, turned to lie as before", "", "live", checkable=True,
        ))  # fmt: skip
        self.maker = MapMaker(self, self.controls, self._follow.isChecked)
        self._follow.setChecked(True)
        self.plot = ScatterPlot(theme, "embedding.map", self)
        self.plot.title = "Embedding"
        self.plot.clicked.connect(self.choose)
        self.plot.circled.connect(self.choose_many)
        self.legend = ScatterLegend(theme, "embedding.legend", self)
        self.legend.clicked.connect(self._choose_group)
        self.chosen_row = ChosenRow(theme, self)
        self.chosen_row.named.connect(self.make_class)
        self.chosen_row.saved.connect(self._ask_save)
        self.chosen_row.pictured.connect(self._ask_folder)
        self.chosen_row.dropped.connect(self._drop_chosen)
        self.chosen_row.hide()
        self.rows = NeighbourRows(theme, "embedding.neighbours", self)
        self.rows.clicked.connect(self.choose)
        self.rows.metric_chosen.connect(lambda _metric: self._tie())
        self.rows.hide()
        self.run = self.maker.run
        self.run.partly.connect(self._show_part)
        self.run.done.connect(self._show_done)
        self.bar = StudyBar(self.run, "embedding", theme, self)

    def _build(self) -> None:
        actions = ()
        if "catalogue.find" in self.context.commands.records:
            actions = ((self.context.commands["catalogue.find"], "embedding.open"),)
        self.empty = EmptyState(_NOTHING, actions, self)
        body = QWidget(self)
        for place, action in enumerate((self._lasso, self._follow, self._more)):
            button: QToolButton = icon_button(body, action, action.objectName() or f"embedding.tool{place}")
            button.setObjectName(("embedding.lasso", "embedding.follow", "embedding.more")[place])
            self.controls.tools.addWidget(button, 0, place)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.controls)
        column.addWidget(self.plot, 1)
        column.addWidget(self.legend)
        column.addWidget(self.chosen_row)
        column.addWidget(self.rows)
        column.addWidget(self.bar)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        outer.addWidget(self._pages)

    def minimumSizeHint(self) -> QSize:
        return QSize(220, 180)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    @settled
    def _arrange(self) -> None:
        """Fewer and smaller things in a small panel."""
        self.rows.set_side(22 if self.height() < _SMALL_BELOW else 36 if self.height() < 900 else 52)
        self.rows.setVisible(bool(self.rows.found) and self.height() >= _NO_ROWS_BELOW)

    # ------------------------------------------------------------------ what is asked

    @property
    def layer(self) -> str | None:
        """Name of the layer that is laid out."""
        return self.controls.chosen_layer

    def request(self) -> Request | None:
        """Where the picture that is looked at lies in the map."""
        found = self.shown
        if found is None or not found.final:
            return None
        pool = self.controls.pool.currentData()
        return Request("embedding", EmbeddingOptions("", pool, _NEIGHBOURS, found))

    def told(self) -> dict[str, Any]:
        """How the pictures were laid out, for a report."""
        found = self.shown
        if found is None:
            return {}
        return {**self.controls.told(), "points": f"{len(found.xy):,}", "map": found.words}

    def show_state(self, state: EngineState) -> None:
        """List what there is for a newly opened network, and follow its weights."""
        if state.opened is not self._opened:
            network = _network(state.opened) != _network(self._opened)
            self._opened = state.opened
            self._pages.setCurrentIndex(0 if state.opened is None else 1)
            if network:
                self._forget()
                self.controls.list_layers(state.opened)
            self.controls.list_sources(state.opened)
            if self.controls.chosen_source is None:
                self.bar.say("Choose pictures: a folder, a video or a data set")
        self.maker.refresh()

    def _forget(self) -> None:
        """Nothing of the network before is shown any more."""
        self.maker.forget()
        self.shown = self._colouring = None
        self.selection.set_map(None)
        self.plot.set_cloud(None)
        self.legend.set_names(())
        self.rows.forget()
        self.chosen_row.hide()
        self._arrange()
        self.request_changed.emit()

    # ------------------------------------------------------------------ what comes

    def _show_part(self, found: Map) -> None:
        self._show(found)

    def _show_done(self, found: Map) -> None:
        self.maker.made(found)
        self._show(found)
        self.maker.rest()
        self.bar.say(found.words)
        self.rows.set_found(self.rows.found, found.agreement)
        self.request_changed.emit()
        self.maker.refresh()

    def _show(self, found: Map) -> None:
        """Show a map; points of the same pictures stay chosen."""
        before, self.shown = self.shown, found
        self.maker.newest = found
        same = before is not None and before.features.kept is found.features.kept
        if not same and before is not None:
            same = before.features.pictures is found.features.pictures and np.array_equal(
                before.features.kept, found.features.kept
            )
        pictures = found.features.pictures
        self._own.follow(pictures.name)
        self.plot.points.thumbnail = self.rows.thumbnail = self._thumbnail
        self.plot.describe = self.rows.describe = self._describe
        self.plot.save_numbers = self._ask_save
        self.rows.colour = self._colour_of
        self.plot.points.axes = found.axes
        self.plot.set_cloud(found.cloud, equal=found.method != "plane", same_points=same)
        self.selection.set_map(found, same)
        if same:
            self.plot.clear_trail()
        else:
            self.rows.forget()
            self.chosen_row.hide()
        fresh = before is None or before.features is not found.features
        if fresh or self._colouring is None:
            self._recolour()
        if not same:
            self.selection.follow_sample(self.context.workspace.sample)
        self._arrange()

    def show_look(self, result: LookResult) -> None:
        """Mark where the picture of the moment lies, and show what lies near."""
        found = result.results.get(self.id)
        if found is None or self.shown is None or found.place is None:
            return
        near = {}
        for metric, those in found.neighbours.items():
            keep = those.indices != (-1 if self.selection.point is None else self.selection.point)
            near[metric] = type(those)(metric, those.indices[keep], those.distances[keep])
        self.rows.set_found(near, self.shown.agreement)
        self._arrange()
        self.plot.set_live((float(found.place[0]), float(found.place[1])))
        self._tie()

    def _tie(self) -> None:
        near = self.rows.found.get(self.rows.tied)
        ties = near.indices[:5].tolist() if near is not None else []
        self.plot.set_chosen(self.selection.point, ties)
        if self.selection.point is None and self.plot.live is not None:
            self.plot.set_live(self.plot.live, ties)

    # ------------------------------------------------------------------ colours

    def _recolour(self) -> None:
        found = self.shown
        if found is None:
            return
        modes = possible(found.features, self._own.of_picture)
        mode = self.controls.set_modes(modes, usual(modes))
        theme = self.context.theme
        made = colouring(found.features, mode, theme, self._own.of_picture, self._own.names)
        self._colouring = made
        self.plot.set_groups(made.groups, made.colours)
        if made.names:
            self.legend.set_names(list(zip(made.names, made.colours, strict=True)))
        else:
            count = len(made.colours) - (1 if np.isnan(found.features.confidence).any() else 0)
            self.legend.set_scale(*made.ends, made.colours[: min(count, 24)])
        self._mark()

    def _colour_of(self, index: int) -> QColor:
        made = self._colouring
        return made.colours[int(made.groups[index])] if made is not None else self.context.theme.faint

    def _mark(self) -> None:
        """Let what is circled, else the chosen class, stand out."""
        made, found = self._colouring, self.shown
        if made is None or found is None:
            return
        wanted = self.context.workspace.class_index
        group = made.classes.index(wanted) if wanted is not None and wanted in made.classes else None
        self.legend.set_chosen(group)
        if len(self.selection.circled):
            marked = np.zeros(len(found.features), np.bool_)
            marked[self.selection.circled] = True
            self.plot.set_marked(marked)
        else:
            self.plot.set_marked(None if group is None else made.groups == group)

    def _choose_group(self, group: int) -> None:
        """A class of the legend was clicked: every panel is told; again for none."""
        made = self._colouring
        if made is None or group >= len(made.classes) or made.classes[group] < 0:
            return
        workspace, label = self.context.workspace, made.classes[group]
        workspace.class_index = None if workspace.class_index == label else label

    # ------------------------------------------------------------------ points

    def _thumbnail(self, index: int) -> npt.NDArray[np.uint8] | None:
        found = self.shown
        if found is None or index >= len(found.features):
            return None
        return found.features.pictures.thumbnail(int(found.features.kept[index]))

    def _describe(self, index: int) -> list[str]:
        found = self.shown
        if found is None or index >= len(found.features):
            return []
        return words.card_lines(found.features, index, self._own.name_of(found.features, index))

    def choose(self, index: int) -> None:
        """Look at the picture of a point: every other panel follows."""
        self.selection.choose(index)

    def choose_many(self, indices: npt.NDArray[np.int64]) -> None:
        """Points inside a lasso: they stand out, are counted, and every panel is told of them."""
        self.selection.choose_many(indices)

    def _show_circled(self) -> None:
        assert self.shown is not None
        circled = self.selection.circled
        self.chosen_row.setVisible(len(circled) > 0)
        if len(circled):
            self.chosen_row.say(words.chosen_line(self.shown.features, circled))
        self._mark()

    def _drop_chosen(self) -> None:
        self.plot.clear_lasso()
        self.choose_many(np.empty(0, np.int64))

    def make_class(self, name: str) -> None:
        """Give the chosen points a class of one's own."""
        found = self.shown
        if found is None or not len(self.selection.circled) or not name.strip():
            return
        self._own.give(found.features, self.selection.circled, name.strip())
        modes = possible(found.features, self._own.of_picture)
        self.controls.set_modes(modes, usual(modes))
        self.controls.colour.setCurrentIndex(max(0, self.controls.colour.findData("own")))
        self._recolour()

    # ------------------------------------------------------------------ out of the window

    def save_numbers(self, path: Path) -> None:
        """Write all points as a table."""
        if self.shown is None:
            self.context.notices.post("error", "there are no points yet: wait until the map is there", topic="view")
        else:
            self._files.save_table(self.shown, None, path)

    def save_table(self, path: Path) -> None:
        """Write the chosen points, or all where none are, as a table."""
        if self.shown is not None:
            self._files.save_table(self.shown, self.selection.circled if len(self.selection.circled) else None, path)

    def _ask_save(self) -> None:
        if (path := self._files.ask_table()) is not None:
            self.save_table(path)

    def _ask_folder(self) -> None:
        if (folder := self._files.ask_folder()) is not None:
            self.save_pictures(folder)

    def save_pictures(self, folder: Path) -> None:
        """Write the chosen pictures into a sub-folder by the name of their own class: a class of a folder data set."""
        if self.shown is not None and len(self.selection.circled):
            name = self.chosen_row.name.text().strip() or "chosen"
            self._files.save_pictures(self.shown, self.selection.circled, folder / name.replace("/", "-"))

    # ------------------------------------------------------------------ hand

    def _set_lasso(self, on: bool = True) -> None:
        self.plot.lasso = self._lasso.isChecked()
        if not self.plot.lasso and not len(self.selection.circled):
            self.plot.clear_lasso()

    def _set_more(self, on: bool = True) -> None:
        self.controls.show_more(self._more.isChecked())

    def set_method(self, method: Method) -> None:
        """Choose a method as by hand."""
        self.controls.set_method(method)

    def _choose_layer(self, name: str) -> None:
        opened = self.seen.opened
        if opened is not None and name in {info.name for info in opened.layers}:
            self.context.workspace.unit = None
            self.context.workspace.layer = name
        self.maker.lay_out(by_hand=True)

    def _follow_layer(self, name: str | None) -> None:
        """A layer that is chosen by hand elsewhere is laid out here; what opening a network chooses is not."""
        if self.seen.opened is self._opened and self.isVisible() and self.controls.set_layer(name):
            self.maker.lay_out()


def _network(opened: Any) -> tuple[Any, ...]:
    """What tells networks with other layers or classes from each other."""
    if opened is None:
        return ()
    return opened.model, tuple(layer.name for layer in opened.layers), opened.labels, getattr(opened, "dataset", None)
