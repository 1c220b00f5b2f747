"""The embedding panel: what a layer finds alike, as a map of pictures that moves, and as neighbours."""

from __future__ import annotations

import time
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from guiapp.core.notices import UserError
from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.embedding.options import EmbeddingOptions, Method, Source
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import embedding_words as words
from guiapp.ui.panels.embedding_chosen import ChosenRow
from guiapp.ui.panels.embedding_colours import Colouring, colouring, possible, usual
from guiapp.ui.panels.embedding_controls import Controls
from guiapp.ui.panels.embedding_neighbours import NeighbourRows
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.scatter_legend import ScatterLegend
from guiapp.ui.widgets.scatter_plot import ScatterPlot

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.embedding.place import Map

_NOTHING = "Choose an experiment in the catalogue, or a network in the live room, to see what it finds alike."
_NEIGHBOURS = 12
_PAUSE_S = 0.8
_TIMES = 3.0  # rests three times as long as the last map took, so that training keeps its cores
_SMALL_BELOW = 470
_NO_ROWS_BELOW = 300
_MOST_TOLD = 20_000  # samples of a lasso that other panels are told of
_LINES = 5000  # of a table that are written before others have their turn


class EmbeddingPanel(Panel):
    """Boxes of what is laid out and how, the map, what its colours mean, what is chosen, and the nearest pictures.

    Attributes:
        controls: The boxes.
        plot: The map, ``embedding.map``; ``legend``: ``embedding.legend``.
        chosen_row: What is inside the lasso.
        rows: The nearest pictures, ``embedding.neighbours``.
        run: The work that makes the map; ``bar``: how far it is.
        shown: The map that is shown, or None.
    """

    id = "embedding"
    title = "Embedding"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.shown: Map | None = None
        self._opened: object = None
        self._made_for: tuple[Any, ...] = ()
        self._asked_for: tuple[Any, ...] = ()
        self._began_at = self._ended_at = self._took = 0.0
        self._colouring: Colouring | None = None
        self._own: npt.NDArray[np.int64] | None = None
        self._own_names: tuple[str, ...] = ()
        self._own_of = ""
        self._circled: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._point: int | None = None
        self._telling = False
        self._make(context)
        self._build()
        for field, call in (
            ("layer", self._follow_layer), ("class_index", lambda _index: self._mark()),
            ("sample", self._follow_sample), ("step", lambda _step: self._refresh()),
            ("samples", self._follow_samples),
        ):  # fmt: skip
            stop = context.workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())
        context.theme.changed.connect(self._recolour)
        self.show_state(self.seen)

    def _make(self, context: Context) -> None:
        theme = context.theme
        self.controls = Controls(context, self)
        self.controls.changed.connect(partial(self.lay_out, True))
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
            "embedding.follow", "Follow the weights", lambda _on=True: self._refresh(),
            "Lay the pictures out anew while the network trains, turned to lie as before", "", "live", checkable=True,
        ))  # fmt: skip
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
        self.run = StudyRun(self)
        self.run.partly.connect(self._show_part)
        self.run.done.connect(self._show_done)
        self.run.failed.connect(lambda _reason: self._rest())
        self.run.stopped.connect(self._rest)
        self.bar = StudyBar(self.run, "embedding", theme, self)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._refresh)

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

    def _arrange(self) -> None:
        """Fewer and smaller things in a small panel."""
        self.rows.set_side(22 if self.height() < _SMALL_BELOW else 36 if self.height() < 900 else 52)
        self.rows.setVisible(bool(self.rows.found) and self.height() >= _NO_ROWS_BELOW)

    # ------------------------------------------------------------------ what is asked

    @property
    def layer(self) -> str | None:
        """Name of the layer that is laid out."""
        name = self.controls.layer.currentData()
        return str(name) if name is not None else None

    def request(self) -> Request | None:
        """Where the picture that is looked at lies in the map."""
        found = self.shown
        if found is None or not found.final:
            return None
        pool = self.controls.pool.currentData()
        return Request("embedding", EmbeddingOptions("", pool, _NEIGHBOURS, found))

    def _wanted(self) -> tuple[Any, ...]:
        """What decides the map, the weights last."""
        controls, seen = self.controls, self.seen
        wanted_step = self.context.workspace.step
        step = seen.step if wanted_step is None or self.context.bridge.subject == "live" else wanted_step
        return (
            seen.opened, seen.run, self.layer, controls.pool.currentData(), controls.chosen_source,
            controls.chosen_method, controls.options, step,
        )  # fmt: skip

    def lay_out(self, by_hand: bool = False) -> None:
        """Make the map that is chosen, unless it is there or being made."""
        source = self.controls.chosen_source
        if self.seen.opened is None or self.layer is None or source is None or not self.isVisible():
            return
        wanted = self._wanted()
        if wanted == self._asked_for and (self.run.running or not by_hand):
            return
        if not by_hand and self.run.running and wanted[:-1] == self._asked_for[:-1]:
            return  # only the weights have gone on: the map that is being made is shown first
        self._asked_for = wanted
        self._began_at = time.monotonic()
        before = self.shown
        holds = self._made_for[:5] == wanted[:5] and self._made_for[-1:] == wanted[-1:]
        features = before.features if before is not None and holds else None
        pictures = before.features.pictures if before is not None and self._made_for[4:5] == (source,) else None
        if pictures is not None and self._made_for[:1] != wanted[:1] and source.kind == "data":
            pictures = before = None
        training = self.context.bridge.state.phase == "running"
        work = partial(
            _work, layer=self.layer, pool=self.controls.pool.currentData(), source=source,
            method=self.controls.chosen_method, options=self.controls.options, pictures=pictures, features=features,
            before=before if pictures is not None else None, dataset=self._dataset(source), training=training,
        )  # fmt: skip
        self.run.start(work, "Laying pictures out")

    def _dataset(self, source: Source) -> Any:
        """The open data set, also for a network of the live room."""
        opened = self.context.bridge.state.opened
        return opened.dataset if opened is not None and source.kind == "data" else None

    def _refresh(self) -> None:
        """Follow the weights, at a pace that leaves training its cores."""
        if not self.isVisible() or self.run.running or self.seen.opened is None or self._again.isActive():
            return
        wanted = self._wanted()
        if wanted == self._asked_for:
            return
        only_weights = wanted[:-1] == self._asked_for[:-1]
        moves = self.seen.phase == "running" and self.context.workspace.step is None
        if only_weights and moves and not self._follow.isChecked():
            return
        due = self._ended_at + max(_PAUSE_S, _TIMES * self._took) if only_weights and moves else 0.0
        left = due - time.monotonic()
        if left > 0:
            self._again.start(round(left * 1000) + 1)
            return
        self.lay_out()

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
        self._refresh()

    def _forget(self) -> None:
        """Nothing of the network before is shown any more."""
        self.run.stop()
        self.shown = self._colouring = None
        self._made_for = self._asked_for = ()
        self._point, self._circled = None, np.empty(0, np.int64)
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
        self._made_for = (*self._asked_for[:-1], found.features.step)
        if self.context.bridge.subject == "live":
            self._made_for = self._asked_for
        if self._asked_for[-1:] != self._made_for[-1:]:
            self._asked_for = self._made_for  # the weights went on before they were copied
        self._show(found)
        self._rest()
        self.bar.say(found.words)
        self.rows.set_found(self.rows.found, found.agreement)
        self.request_changed.emit()
        self._refresh()

    def _rest(self) -> None:
        self._ended_at = time.monotonic()
        self._took = self._ended_at - self._began_at

    def _show(self, found: Map) -> None:
        """Show a map; points of the same pictures stay chosen."""
        before, self.shown = self.shown, found
        same = before is not None and before.features.kept is found.features.kept
        if not same and before is not None:
            same = before.features.pictures is found.features.pictures and np.array_equal(
                before.features.kept, found.features.kept
            )
        pictures = found.features.pictures
        if pictures.name != self._own_of:
            self._own, self._own_names, self._own_of = None, (), pictures.name
        self.plot.points.thumbnail = self.rows.thumbnail = self._thumbnail
        self.plot.describe = self.rows.describe = self._describe
        self.plot.save_numbers = self._ask_save
        self.rows.colour = self._colour_of
        self.plot.points.axes = found.axes
        self.plot.set_cloud(found.cloud, equal=found.method != "plane", same_points=same)
        if same:
            self.plot.clear_trail()
        else:
            self._point, self._circled = None, np.empty(0, np.int64)
            self.rows.forget()
            self.chosen_row.hide()
        fresh = before is None or before.features is not found.features
        if fresh or self._colouring is None:
            self._recolour()
        if not same:
            self._follow_sample(self.context.workspace.sample)
        self._arrange()

    def show_look(self, result: LookResult) -> None:
        """Mark where the picture of the moment lies, and show what lies near."""
        found = result.results.get(self.id)
        if found is None or self.shown is None or found.place is None:
            return
        near = {}
        for metric, those in found.neighbours.items():
            keep = those.indices != (-1 if self._point is None else self._point)
            near[metric] = type(those)(metric, those.indices[keep], those.distances[keep])
        self.rows.set_found(near, self.shown.agreement)
        self._arrange()
        self.plot.set_live((float(found.place[0]), float(found.place[1])))
        self._tie()

    def _tie(self) -> None:
        near = self.rows.found.get(self.rows.tied)
        ties = near.indices[:5].tolist() if near is not None else []
        self.plot.set_chosen(self._point, ties)
        if self._point is None and self.plot.live is not None:
            self.plot.set_live(self.plot.live, ties)

    # ------------------------------------------------------------------ colours

    def _recolour(self) -> None:
        found = self.shown
        if found is None:
            return
        modes = possible(found.features, self._own)
        mode = self.controls.set_modes(modes, usual(modes))
        theme = self.context.theme
        made = colouring(found.features, mode, theme, self._own, self._own_names)
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
        if len(self._circled):
            marked = np.zeros(len(found.features), np.bool_)
            marked[self._circled] = True
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
        mine = int(self._own[found.features.kept[index]]) if self._own is not None else -1
        return words.card_lines(found.features, index, self._own_names[mine] if mine >= 0 else "")

    def choose(self, index: int) -> None:
        """Look at the picture of a point: every other panel follows."""
        found = self.shown
        if found is None:
            return
        self._point = index
        self.plot.set_chosen(index)
        pictures, number = found.features.pictures, int(found.features.kept[index])
        bridge = self.context.bridge
        sample = pictures.sample(number) if self._is_open(pictures) else None
        if getattr(pictures, "dataset", None) is not None:
            bridge.look_at(pictures.picture(number), sample)
            return

        def read() -> Generator[None, None, Any]:
            yield
            return pictures.picture(number)

        bridge.call(bridge.engine.submit(read, title="Reading the picture"), bridge.look_at)

    def _is_open(self, pictures: Any) -> bool:
        """Whether these are samples of the open data set."""
        opened = self.context.bridge.state.opened
        return opened is not None and getattr(pictures, "dataset", None) is opened.dataset

    def _follow_sample(self, sample: tuple[str, int] | None) -> None:
        found = self.shown
        if found is None or not self._is_open(found.features.pictures):
            return
        at = found.features.pictures.find(sample) if sample is not None else None  # type: ignore[attr-defined]
        rows = np.flatnonzero(found.features.kept == at) if at is not None else []
        self._point = int(rows[0]) if len(rows) else None
        self.plot.set_chosen(self._point)

    def choose_many(self, indices: npt.NDArray[np.int64]) -> None:
        """Points inside a lasso: they stand out, are counted, and every panel is told of them."""
        found = self.shown
        if found is None:
            return
        self._circled = np.asarray(indices, np.int64)
        self.chosen_row.setVisible(len(self._circled) > 0)
        if len(self._circled):
            self.chosen_row.say(words.chosen_line(found.features, self._circled))
        self._mark()
        pictures = found.features.pictures
        told = found.features.kept[self._circled[:_MOST_TOLD]].tolist() if self._is_open(pictures) else []
        self._telling = True
        self.context.workspace.samples = tuple(pictures.sample(number) for number in told)
        self._telling = False

    def _drop_chosen(self) -> None:
        self.plot.clear_lasso()
        self.choose_many(np.empty(0, np.int64))

    def _follow_samples(self, samples: tuple[tuple[str, int], ...]) -> None:
        """Another panel has chosen samples together, or none."""
        found = self.shown
        if self._telling or found is None or not self._is_open(found.features.pictures):
            return
        pictures = found.features.pictures
        wanted = {pictures.find(sample) for sample in samples}  # type: ignore[attr-defined]
        self._circled = np.flatnonzero(np.isin(found.features.kept, [at for at in wanted if at is not None]))
        self.plot.clear_lasso()
        self.chosen_row.setVisible(len(self._circled) > 0)
        if len(self._circled):
            self.chosen_row.say(words.chosen_line(found.features, self._circled))
        self._mark()

    def make_class(self, name: str) -> None:
        """Give the chosen points a class of one's own."""
        found = self.shown
        if found is None or not len(self._circled) or not name.strip():
            return
        name = name.strip()
        if self._own is None:
            self._own = np.full(len(found.features.pictures), -1, np.int64)
        if name not in self._own_names:
            self._own_names = (*self._own_names, name)
        self._own[found.features.kept[self._circled]] = self._own_names.index(name)
        modes = possible(found.features, self._own)
        self.controls.set_modes(modes, usual(modes))
        self.controls.colour.setCurrentIndex(max(0, self.controls.colour.findData("own")))
        self._recolour()

    # ------------------------------------------------------------------ out of the window

    def save_numbers(self, path: Path) -> None:
        """Write all points as a table, beside other work: of a million the window would stand still for seconds."""
        if self.shown is None:
            self.context.notices.post("error", "there are no points yet: wait until the map is there", topic="view")
        self.save_table(path, every=True)

    def save_table(self, path: Path, every: bool = False) -> None:
        """Write the chosen points, or all, as a table, beside other work."""
        found = self.shown
        if found is None:
            return
        some = len(self._circled) and not every
        chosen = self._circled.tolist() if some else range(len(found.features))
        own = None if self._own is None else self._own.copy()
        work = partial(_write_table, found, chosen, own, self._own_names, path)
        bridge = self.context.bridge
        bridge.call(bridge.engine.submit(work, title="Saving the table"), lambda _done: None)

    def _ask_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save table", "embedding.csv", "Comma-separated values (*.csv)")
        if chosen:
            path = Path(chosen)
            self.save_table(path if path.suffix else path.with_suffix(".csv"))

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder that becomes a data set: one sub-folder a class")
        if chosen:
            self.save_pictures(Path(chosen))

    def save_pictures(self, folder: Path) -> None:
        """Write the chosen pictures into a sub-folder by the name of their own class: a class of a folder data set."""
        found = self.shown
        if found is None or not len(self._circled):
            return
        pictures = found.features.pictures
        numbers = found.features.kept[self._circled].tolist()
        name = self.chosen_row.name.text().strip() or "chosen"
        work = partial(_write, pictures, numbers, folder / name.replace("/", "-"))
        bridge = self.context.bridge
        job = bridge.engine.submit(work, title="Saving pictures")
        bridge.call(job, lambda count: self.context.notices.post("info", f"{count:,} pictures are in {folder / name}"))

    # ------------------------------------------------------------------ hand

    def _set_lasso(self, on: bool = True) -> None:
        self.plot.lasso = self._lasso.isChecked()
        if not self.plot.lasso and not len(self._circled):
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
        self.lay_out(True)

    def _follow_layer(self, name: str | None) -> None:
        """A layer that is chosen by hand elsewhere is laid out here; what opening a network chooses is not."""
        if self.seen.opened is self._opened and self.isVisible() and self.controls.set_layer(name):
            self.lay_out()


def _network(opened: Any) -> tuple[Any, ...]:
    """What tells networks with other layers or classes from each other."""
    if opened is None:
        return ()
    return opened.model, tuple(layer.name for layer in opened.layers), opened.labels, getattr(opened, "dataset", None)


def _work(study: Study, tell: Any, *, training: bool, dataset: Any, **chosen: Any) -> Generator[Any, None, Any]:
    """The map, on the work lane."""
    import os

    from guiapp.interpret.embedding.study import Subject, Wanted, make

    threads = 1 if training else max(1, min(4, (os.cpu_count() or 2) // 2))
    return (yield from make(Subject(study), Wanted(**chosen, threads=threads), tell, dataset))


def _write_table(
    found: Map, chosen: Any, own: Any, names: tuple[str, ...], path: Path
) -> Generator[tuple[float, str], None, None]:
    """Write points as a table."""
    from guiapp.ui.widgets.export import save_text

    lines = []
    for number, line in enumerate(words.table_lines(found, chosen, own, names)):
        if number % _LINES == 0:
            yield number / (len(chosen) + 1), "writing the table"
        lines.append(line)
    save_text("".join(lines), path)


def _write(pictures: Any, numbers: list[int], folder: Path) -> Generator[tuple[float, str], None, int]:
    """Write pictures as PNG files; as they are in a data set, else as they are shown."""
    from PIL import Image

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for done, number in enumerate(numbers):
            yield done / len(numbers), f"writing picture {done + 1:,} of {len(numbers):,}"
            picture = pictures.picture(number)
            pixels = picture.network_pixels
            image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
            name = "".join(c if c.isalnum() or c in "-_" else "-" for c in pictures.caption(number))
            image.save(folder / f"{name}.png")
    except OSError as error:
        raise UserError(f"the pictures cannot be written to {folder}: {error.strerror or error}") from error
    return len(numbers)
