"""The attribution panel: what in the picture counts for an answer, by every method, side by side, checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.attribution import METHODS, Attribution, AttributionOptions, default_layer
from guiapp.interpret.targets import BoxTarget, ClassTarget, PixelsTarget, SimilarityTarget, UnitTarget
from guiapp.ui.bridge import changed_channels
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.panels import attribution_words as words
from guiapp.ui.panels.attribution_choices import Answer, answer_of, boxed, class_of, followed, row_of
from guiapp.ui.panels.attribution_controls import (
    CHOSEN_LAYER,
    MethodRow,
    SettingsPage,
    StyleRow,
    TargetRow,
    scrolled,
)
from guiapp.ui.panels.attribution_curves import CurvesPage
from guiapp.ui.panels.attribution_sanity import SanityPage
from guiapp.ui.panels.attribution_study import (
    CurvesFound,
    Found,
    Question,
    SanityFound,
    Work,
    applicable,
    check,
    draw_curves,
    explain,
)
from guiapp.ui.panels.viewer import network_area
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.attribution_grid import MapGrid, Tile
from guiapp.ui.widgets.attribution_image import sign_of
from guiapp.ui.widgets.buttons import declare
from guiapp.ui.widgets.choice_list import ChoiceList
from guiapp.ui.widgets.colour_bar import ColourBar
from guiapp.ui.widgets.empty_state import EmptyState

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.targets import Target

_WIDE = 640  # pixels from which the controls stand beside the maps, where it is no taller than wide
_COLUMN = 300  # pixels of the controls there
_ONE_LINE = 520  # pixels of the maps from which all about their colours stands in one line
_MORE_FROM = 560  # height from which five rows of choices have room
_PAUSE = 0.1
_SETTLED_MS = 350  # a picture that nothing has followed for so long is explained by slow methods
_SOON_MS = 40
_STEPS = 64  # the place of a box is told in this many steps, so that its shiver is no news
_EXHIBITS = {"saliency": "gradient", "saliency-digits": "gradient-x-input", "grad-cam": "grad-cam"}
"""Methods with which exhibits open."""
_FIRST = ("grad-cam", "gradient", "occlusion")
_EMPTY = "Open an experiment, or a network in the Live room, to see what in a picture its answer rests on."
_NO_PICTURE = "No picture: draw on the pad, choose a sample, or open a camera, a video or a picture."


class AttributionPanel(Panel):
    """Controls above the maps, or beside them where it is wide.

    Attributes:
        row: View and methods; ``target_row``: what is explained; ``page``: parameters; ``style_row``: colours.
        choices: The best answers, ``attribution.choices``.
        grid: The maps, ``attribution.maps``; ``curves``, ``sanity``: the other views.
        run: The study in the background; ``bar``: how far it is, and what was found in words.
        found: What the maps show, or None.
    """

    id = "attribution"
    title = "Attribution"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.found: Found | None = None
        self._opened: object = None
        self._look: LookResult | None = None
        self._answer = Answer()
        self._targets: list[Target | None] = [None]  # None: the best answer
        self._active = 0
        self._front = 0
        self._held: SimilarityTarget | None = None
        self._reasons: dict[str, str] | None = None
        self._asked: tuple[Any, ...] = ()
        self._by_hand = self._checking = False
        self.row = MethodRow(self)
        self.target_row = TargetRow(theme, self)
        self.choices = ChoiceList(theme, "attribution.choices", "Answers")
        self.page = SettingsPage(self)
        self.style_row = StyleRow(theme, self)
        self.grid = MapGrid(theme, "attribution.maps", self)
        self.colours = ColourBar(theme, "attribution.range", self)
        self.style_row.put(self.colours)
        self.run = StudyRun(self)
        self.bar = StudyBar(self.run, "attribution", theme, self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._ask_if_new)
        self._build()
        self._connect()
        explain_now = declare(context.commands, Command(
            "attribution.explain", "Explain this picture", self.explain,
            "Ask every chosen method once more, on the picture that is shown now", "Ctrl+E", "play", menu="Model",
        ))  # fmt: skip
        self.row.again.setDefaultAction(explain_now)
        self.row.settings.toggled.emit(False)
        self.page.show_method(self.row.method)
        self._follow_exhibit(context.workspace.experiment)
        self.show_state(self.seen)

    def _build(self) -> None:
        theme = self.context.theme
        self._controls = QVBoxLayout()
        self._controls.setSpacing(4)
        self._settings = scrolled(self.page, self)
        for widget in (self.row, self.target_row, self.choices, self._settings):
            self._controls.addWidget(widget)
        self._filler = QWidget(self)
        self._controls.addWidget(self._filler, 1)
        maps = QWidget(self)
        below = QVBoxLayout(maps)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addWidget(self.grid, 1)
        below.addWidget(self.style_row)
        self.views = QStackedWidget(self)
        self.curves, self.sanity = CurvesPage(theme, self), SanityPage(theme, self)
        for page in (maps, self.curves, self.sanity):
            self.views.addWidget(page)
        shown = QVBoxLayout()
        shown.setSpacing(4)
        shown.addWidget(self.views, 1)
        shown.addWidget(self.bar)
        body = QWidget(self)
        self._sides = QBoxLayout(QBoxLayout.Direction.TopToBottom, body)
        self._sides.setContentsMargins(8, 4, 8, 4)
        self._sides.setSpacing(6)
        self._sides.addLayout(self._controls)
        self._sides.addLayout(shown, 1)
        self.empty = EmptyState(_EMPTY, parent=self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)  # it has another shape where it is narrow
        whole.addWidget(self._pages)

    def _connect(self) -> None:
        workspace = self.context.workspace
        self.row.changed.connect(self._methods_changed)
        self.row.views.currentIndexChanged.connect(self._view_changed)
        self.row.settings.toggled.connect(self._arrange)
        self.target_row.changed.connect(self._subject_changed)
        self.target_row.class_named.connect(self._choose_class)
        self.target_row.hold.clicked.connect(self._hold)
        self.choices.chosen.connect(self._choose_row)
        self.choices.beside.connect(self._set_beside)
        self.page.changed.connect(self._ask_anew)
        self.page.rejected.connect(self.bar.say)
        for part in (self.page.style_changed, self.style_row.changed):
            part.connect(self._restyle_maps)
        self.grid.chosen.connect(self._choose_tile)
        self.grid.hovered.connect(self._hover)
        self.run.partly.connect(self._take)
        self.run.done.connect(self._take_last)
        self.run.stopped.connect(self._ended)
        self.run.failed.connect(lambda _reason: self._ended())
        self.context.theme.changed.connect(self._restyle)
        for field, call in (
            ("experiment", self._follow_exhibit), ("class_index", self._follow_class),
            ("layer", lambda _layer: self._follow_unit()), ("unit", lambda _unit: self._follow_unit()),
            ("region", self._follow_region),
            ("step", lambda _step: self._soon.start(_SETTLED_MS)),
            ("switched_off", lambda _off: self._soon.start(_SETTLED_MS)),
            ("boosted", lambda _factors: self._soon.start(_SETTLED_MS)),
        ):  # fmt: skip
            stop = workspace.subscribe(field, call)
            self.destroyed.connect(lambda _=None, s=stop: s())

    # ------------------------------------------------------------------ room

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 220)

    def _arrange(self, _on: object = None) -> None:
        """Controls beside the maps or above them; parameters take the place of the answers where it is low."""
        wide = self.width() >= max(_WIDE, self.height())
        self._sides.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        for widget in (self.row, self.target_row, self.choices, self._settings):
            widget.setFixedWidth(_COLUMN) if wide else widget.setMaximumWidth(16777215)
            if not wide:
                widget.setMinimumWidth(0)
        settings, high = self.row.settings.isChecked(), wide or self.height() >= _MORE_FROM
        self._settings.setVisible(settings)
        self._settings.setFixedHeight(min(self.page.sizeHint().height() + 2, max(60, self.height() // 3)))
        before, most = self.choices.most, 8 if wide and self.height() >= 400 else 5 if high else 3
        self.choices.set_most(most)
        self.choices.setVisible(
            self.target_row.subject == "answer" and bool(self._answer.noun) and (high or not settings)
        )
        self._filler.setVisible(wide)
        self.style_row.set_wide(self.width() - (_COLUMN if wide else 0) >= _ONE_LINE)
        if most != before and self._look is not None:
            self._follow_answer(self._look)
        self._show_choices()

    # ------------------------------------------------------------------ what is asked

    @property
    def layer(self) -> str:
        """The layer of CAMs: empty for the one that is chosen well."""
        wanted, opened = self.page.layer, self.seen.opened
        if wanted != CHOSEN_LAYER:
            return wanted
        names = {info.name for info in opened.layers if len(info.output_shape) >= 2} if opened is not None else set()
        chosen = self.context.workspace.layer or ""
        return chosen if chosen in names else ""

    def targets(self) -> list[Target]:
        """What is explained: one thing, or two side by side; nothing where something is missing."""
        subject, workspace = self.target_row.subject, self.context.workspace
        if subject == "unit":
            return [UnitTarget(workspace.layer, workspace.unit or 0)] if workspace.layer else []
        if subject == "likeness":
            return [self._held] if self._held is not None else []
        return [self._meant(target) for target in self._targets]

    def _meant(self, target: Target | None) -> Target:
        """A target with the score that is set; a box by its place in a number of steps."""
        if target is None:
            target = ClassTarget()
        if isinstance(target, BoxTarget) and target.box is not None:
            box = tuple(round(share * _STEPS) / _STEPS for share in target.box)
            target = replace(target, box=box)
        if isinstance(target, ClassTarget | BoxTarget | PixelsTarget):
            return replace(target, measure=self.page.measure)
        return target

    def questions(self) -> tuple[Question, ...]:
        """Every map that is wanted: methods one below the other, targets side by side."""
        layer = self.layer
        return tuple(
            Question(name, self.page.options_of(name, layer), target)
            for name in self.row.chosen()
            for target in self.targets()
        )

    @property
    def at_each_look(self) -> bool:
        """Whether the answer comes with every look: one map by one backward pass."""
        asked = self.questions()
        return self.view == "maps" and len(asked) == 1 and METHODS[asked[0].method].live

    @property
    def view(self) -> str:
        """``"maps"``, ``"curves"`` or ``"sanity"``."""
        return str(self.row.views.currentData())

    def request(self) -> Request | None:
        """The one map that is wanted, where one backward pass gives it."""
        if not self.at_each_look or self._refused():
            return None
        (one,) = self.questions()
        options = AttributionOptions(
            one.method, class_of(one.target), self.page.measure, self.layer if METHODS[one.method].layered else "",
            one.options, one.target,
        )  # fmt: skip
        return Request("attribution", options, _PAUSE)

    def _refused(self) -> str:
        """Why the first method cannot be asked; also while that is not known yet."""
        return "not known yet" if self._reasons is None else self._reasons.get(self.row.method, "")

    def _key(self) -> tuple[Any, ...]:
        """Everything that a study depends on: when it is the same, nothing new would be found."""
        workspace, look = self.context.workspace, self._look
        asked = tuple((q.method, q.options, q.target) for q in self.questions())
        changed = {name: dict.fromkeys(channels) for name, channels in changed_channels(workspace).items()}
        picture = look.picture if look is not None else None
        return (self.view, asked, self.page.of_view(self.view), picture, workspace.step, changed, self._opened)

    def _ask_anew(self) -> None:
        """Something of the question is another: ask the lane or a study."""
        if self.at_each_look:
            if self.run.running:
                self.run.stop()
            self._asked = ()
        else:
            self._soon.start(_SOON_MS)
        self.request_changed.emit()

    def _ask_if_new(self) -> None:
        """Begin a study where it would find something new."""
        if not self.isVisible() or self.at_each_look or self._reasons is None:
            return
        if self._key() != self._asked:
            self._begin()

    def explain(self) -> None:
        """Ask once more, on the picture that is shown now."""
        self._by_hand = True
        self._begin()

    def _begin(self) -> None:
        asked = tuple(q for q in self.questions() if not (self._reasons or {}).get(q.method))
        look = self._look
        if look is None or look.picture is None:
            self.bar.say(_NO_PICTURE)
        elif not asked:
            self.bar.say(self._refused() or self._what_is_missing())
        else:
            self._asked = self._key()
            if self.view == "maps" and (self.found is None or len(self.found.questions) != len(asked)):
                self._show(Found(look.picture, look.step, asked, (None,) * len(asked)))
            self.run.start(self._work(asked), ", ".join(dict.fromkeys(q.title for q in asked)))

    def _work(self, asked: tuple[Question, ...]) -> Work:
        """What the view needs: all maps, the curves of each method, the check of the first map."""
        changed = changed_channels(self.context.workspace)
        if self.view == "curves":
            return draw_curves([q for q in asked if q.target == asked[0].target], self.page.curves, changed)
        return check(asked[0], self.page.sanity, changed) if self.view == "sanity" else explain(asked, changed)

    def _what_is_missing(self) -> str:
        if self.target_row.subject == "likeness":
            return "hold a picture first, then choose another: what makes them alike is shown"
        return "choose a layer and a unit in Activations" if self.target_row.subject == "unit" else ""

    # ------------------------------------------------------------------ what comes back

    def show_state(self, state: EngineState) -> None:
        """Another network has other methods, layers and classes."""
        if state.opened is self._opened:
            return
        self._opened = opened = state.opened
        self.run.stop()
        self.found = self._look = self._held = self._reasons = None
        self._targets, self._active, self._front, self._asked = [None], 0, 0, ()
        self._answer = Answer()
        self.bar.say("")
        self.grid.show_tiles(())
        self.curves.clear()
        self.sanity.clear()
        self.target_row.held.set_image(None)
        self._pages.setCurrentIndex(0 if opened is None else 1)
        if opened is None:
            return
        self.target_row.set_labels(opened.labels, "")
        self.page.set_layers(opened.layers, default_layer(opened.layers))
        self._say_unit()
        self._arrange()

    def _check(self) -> None:
        """Find out which methods apply to the network, once it has a picture."""
        opened = self._opened
        self._checking = True

        def take(reasons: dict[str, str]) -> None:
            self._checking = False
            if self._opened is opened:
                self._allow(reasons)

        self.context.bridge.study(self, applicable, take, "methods of attribution", failed=lambda _reason: take({}))

    def _allow(self, reasons: dict[str, str]) -> None:
        self._reasons = reasons
        self.row.allow(reasons)
        if reasons.get(self.row.method):
            allowed = [name for name in (*_FIRST, *METHODS) if name in reasons and not reasons[name]]
            if allowed:
                self.row.choose(allowed[0])
            else:
                self.bar.say(reasons[self.row.method])
        self._ask_anew()

    def show_look(self, result: LookResult) -> None:
        """Follow the answer; show the map that came with it, or see whether a study is due."""
        moved = self._look is None or result.picture is not self._look.picture
        self._look = result
        if self._reasons is None and not self._checking and result.picture is not None:
            self._check()
        self._follow_answer(result)
        if self.at_each_look:
            attribution = result.results.get(self.id)
            if attribution is not None and result.picture is not None:
                self._show(Found(result.picture, result.step, self.questions(), (attribution,)))
            elif result.picture is None:
                self.grid.show_tiles(())
                self.bar.say(_NO_PICTURE)
        elif moved and self._light:
            if not self.run.running:
                self._ask_if_new()
        elif moved and not (self.run.running and self._by_hand):
            self._soon.start(_SETTLED_MS)

    @property
    def _light(self) -> bool:
        """Whether the study is of maps by one backward pass alone, so that it can follow moving pictures."""
        return self.view == "maps" and all(METHODS[q.method].live for q in self.questions())

    def _follow_answer(self, result: LookResult) -> None:
        also = [index for target in self._targets if (index := class_of(target)) is not None]
        answer = answer_of(result.prediction, self.context.theme, self.choices.most, also)
        turned = answer.noun != self._answer.noun
        self._answer = answer
        if answer.labels and (turned or answer.labels != getattr(result.opened, "labels", ())):
            self.target_row.set_labels(answer.labels, answer.noun)
        now = [target if target is None else followed(answer.choices, target) for target in self._targets]
        if now != self._targets:
            self._targets = now
            self.request_changed.emit()
        if turned:
            self._arrange()
        self._show_choices()

    def _show_choices(self) -> None:
        rows = self._answer.choices
        places = [0 if target is None and rows else row_of(rows, target) for target in self._targets]
        second = places[1 - self._active] if len(places) == 2 else None
        self.choices.show_choices(rows, places[self._active], second)

    def _take(self, found: Found | CurvesFound | SanityFound) -> None:
        """Show what a study has found so far, in the view that it is for."""
        if isinstance(found, Found):
            self._show(found)
        elif found.picture is not None:
            page = self.curves.show_curves if isinstance(found, CurvesFound) else self.sanity.show_sanity
            page(found, *self._ground(found.picture))  # type: ignore[operator]

    def _take_last(self, found: Found | CurvesFound | SanityFound) -> None:
        self._ended()
        self._take(found)
        if not isinstance(found, Found):
            step = f" · step {found.step:,}" if found.step and self.context.bridge.subject != "live" else ""
            page = self.curves if isinstance(found, CurvesFound) else self.sanity
            self.bar.say(page.words() + step)

    def _ended(self) -> None:
        self._by_hand = False

    def _show(self, found: Found) -> None:
        """Show maps, one tile each."""
        self.found = found
        if found.picture is None:
            return
        self._front = min(self._front, len(found.questions) - 1)
        columns = len(self._targets) if self.target_row.subject == "answer" and len(self._targets) > 1 else None
        if columns is not None and len(found.questions) % columns:
            columns = None
        pixels, area = self._ground(found.picture)
        tiles = [self._tile(found, number, pixels, area) for number in range(len(found.questions))]
        self.grid.show_tiles(tiles, columns)
        self._say()

    def _ground(self, picture: Picture) -> tuple[np.ndarray, tuple[float, float, float, float] | None]:
        """The picture that maps lie over, and what of it the network's input shows where only that is known."""
        look, opened = self._look, self.seen.opened
        if self.context.bridge.subject == "live" or opened is None:
            return picture.pixels, None
        fed = look.fed if look is not None and look.picture is picture and look.fed is not None else None
        pixels = picture.network_pixels if fed is None else fed
        return pixels, network_area(opened.preprocessing, pixels.shape[1], pixels.shape[0])

    def _tile(self, found: Found, number: int, pixels: np.ndarray, area: Any) -> Tile:
        question, answer = found.questions[number], found.answers[number]
        label, share = self._label_of(question, answer)
        title, shorter = words.caption(question.title, label, share, answer)
        values = self._values(answer) if isinstance(answer, Attribution) else None
        own = answer.area if isinstance(answer, Attribution) else None
        kind = answer.class_index if isinstance(answer, Attribution) else class_of(question.target)
        colour = None
        if kind is not None and self._answer.labels:
            colour = self.context.theme.class_colour(kind, len(self._answer.labels))
        box = None
        if isinstance(question.target, BoxTarget) and question.target.box is not None:
            height, width = pixels.shape[:2]
            left, top, right, bottom = question.target.box
            box = left * width, top * height, (right - left) * width, (bottom - top) * height
        coarse = isinstance(answer, Attribution) and answer.values is None
        front = number == self._front
        return Tile(title, pixels, values, own or area, colour, box, coarse, front, shorter)

    def _values(self, answer: Attribution) -> np.ndarray:
        """The map as it is shown: of plain gradients the sizes, summed over the colours, unless signs are wanted."""
        suited = self.style_row.signs.currentData() == "suited"
        if suited and METHODS[answer.method].by_size and answer.values is not None:
            sizes: np.ndarray = np.abs(answer.values).sum(0)
            return sizes
        return answer.map

    def _label_of(self, question: Question, answer: object) -> tuple[str, str]:
        """What is explained in words, and its figure in the list of answers."""
        index = answer.class_index if isinstance(answer, Attribution) else class_of(question.target)
        if not METHODS[question.method].by_target:
            return "", ""
        if isinstance(question.target, UnitTarget):
            return f"unit {question.target.unit} of {question.target.layer}", ""
        if isinstance(question.target, SimilarityTarget):
            return "likeness", ""
        if index is None:
            return "", ""
        target = question.target
        if not isinstance(target, BoxTarget) or target.box is None:
            target = replace(target, class_index=index)
        row = row_of(self._answer.choices, target)
        labels = self._answer.labels
        label = labels[index] if index < len(labels) else f"class {index}"
        if row is None:
            return label, ""
        return self._answer.choices[row].title, self._answer.choices[row].figure

    def _say(self) -> None:
        """The front map in words, and its range of colours."""
        found = self.found
        if found is None or not self.grid.tiles:
            return
        answer = found.answers[self._front]
        full = self.grid.ranges()[self._front]
        if isinstance(answer, Attribution):
            signed = sign_of(self._values(answer), self.style_row.signs.currentData()) == "signed"
            self.colours.set_range(-full if signed else 0.0, full, signed)
        text = words.told(answer, found.step if self.context.bridge.subject != "live" else 0)
        if not self.run.running or self.at_each_look:
            self.bar.say(text)
            self.bar.words.tip = words.tip(answer)

    def _restyle_maps(self) -> None:
        style = self.style_row.style_of(self.page)
        self.grid.set_style(style)
        self.sanity.grid.set_style(style)
        if self.found is not None:
            self._show(self.found)

    def _restyle(self) -> None:
        if self._look is not None:
            self._follow_answer(self._look)
        if self.found is not None:
            self._show(self.found)

    def _hover(self, where: tuple[int, int] | None) -> None:
        """The values of all maps under the pointer."""
        if where is None or len(self.grid.tiles) < 2 or self.run.running:
            self._say()
            return
        values = self.grid.values_at(*where)
        parts = [
            f"{tile.title.partition(' · ')[0]} {words.number(value)}"
            for tile, value in zip(self.grid.tiles, values, strict=True)
            if value is not None
        ]
        self.bar.say(f"x {where[0]}  y {where[1]} · " + " · ".join(parts))

    # ------------------------------------------------------------------ out of the window

    def told(self) -> Mapping[str, Any]:
        """Methods with their parameters, what is explained and with which score, for a report."""
        asked = self.questions()
        found: dict[str, Any] = {"view": self.view, "score": self.page.measure}
        for name in dict.fromkeys(question.method for question in asked):
            options = self.page.options_of(name, self.layer)
            fields = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
            found[METHODS[name].title] = (
                ", ".join(f"{key} {value}" for key, value in fields.items() if value != "") or "–"
            )
        answers = self.found.answers if self.found is not None and self.view == "maps" else ()
        explained = [words.told(answer) for answer in answers if isinstance(answer, Attribution)]
        if explained:
            found["explained"] = "; ".join(dict.fromkeys(explained))
        return found

    def csv_text(self) -> str:
        """The numbers of the view: every map under its name, the curves, or the likenesses and their maps."""
        if self.view == "curves":
            parts = [("area", self.curves.rows.csv_text())] if self.curves.rows.rows else []
            if parts:
                parts += [(plot.title, plot.csv_text()) for plot in (self.curves.deletion, self.curves.insertion)]
        else:
            grid = self.grid if self.view == "maps" else self.sanity.grid
            shown = zip(grid.tiles, grid.views, strict=False)
            parts = [(tile.title, view.csv_text()) for tile, view in shown if tile.values is not None]
        return "\n".join(f"# {name}\n{text}" for name, text in parts)

    # ------------------------------------------------------------------ choosing

    def _methods_changed(self) -> None:
        self.page.show_method(self.row.method)
        self._arrange()
        self._ask_anew()

    def _subject_changed(self) -> None:
        self._say_unit()
        self._arrange()
        if self.target_row.subject == "likeness" and self._held is not None:
            self._held = replace(self._held, likeness=self.target_row.likeness)
        if not self.questions():
            self.bar.say(self._what_is_missing())
        self._ask_anew()

    def _view_changed(self, row: int) -> None:
        self.views.setCurrentIndex(row)
        self.page.show_view(self.view)
        self._arrange()
        self._ask_anew()

    def _hold(self) -> None:
        """Hold the picture, so that others can be likened to it."""
        look = self._look
        if look is None or look.picture is None:
            self.bar.say(_NO_PICTURE)
            return
        self._held = SimilarityTarget(look.picture, "", self.target_row.likeness)
        pixels, _ = self._ground(look.picture)
        self.target_row.held.set_image(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))
        self._ask_anew()

    def _choose_row(self, number: int) -> None:
        """A click on a row; on the chosen one it follows the best answer again."""
        subject = self._answer.choices[number].subject
        again = number == self.choices.first and self._targets[self._active] is not None
        self._set(self._active, None if again else subject)

    def _set(self, place: int, target: Target | None) -> None:
        """Explain something else; every panel follows its class."""
        self._targets[place] = target
        self._active = place
        self.context.workspace.class_index = class_of(target)
        self._targets_changed()

    def _targets_changed(self) -> None:
        if self._look is not None:
            self._follow_answer(self._look)
        self._ask_anew()

    def _choose_class(self, index: int) -> None:
        """A class by its name, predicted or not."""
        self._set(self._active, self._target_of(index))

    def _target_of(self, index: int) -> Target:
        """What a class means for an answer of this kind."""
        if self._answer.noun == "box":
            boxes = [c.subject for c in self._answer.choices if class_of(c.subject) == index]
            return boxes[0] if boxes else BoxTarget(None, index)
        return PixelsTarget(index) if self._answer.noun == "region" else ClassTarget(index)

    def _set_beside(self, number: int) -> None:
        """Set a row beside the chosen one, or take it away."""
        if number == self.choices.second:
            self._targets = [self._targets[self._active]]
        else:
            first = self._targets[self._active]
            if first is None and self._answer.choices:
                first = self._answer.choices[0].subject
            self._targets = [first, self._answer.choices[number].subject]
        self._active = self._front = 0
        self._targets_changed()

    def _choose_tile(self, number: int) -> None:
        """A click on a map brings it to the front; other panels follow its class."""
        self._front = number
        if self.target_row.subject == "answer" and len(self._targets) == 2:
            self._active = number % 2
            self.context.workspace.class_index = class_of(self._targets[self._active])
        if self.found is not None:
            self._show(self.found)
        self._show_choices()

    def _follow_class(self, index: int | None) -> None:
        """Another panel has chosen a class."""
        if index != class_of(self._targets[self._active]):
            self._targets[self._active] = None if index is None else self._target_of(index)
            self._targets_changed()

    def _follow_exhibit(self, name: str | None) -> None:
        """An exhibit on a method opens with it."""
        if name in _EXHIBITS:
            self.row.choose(_EXHIBITS[name])

    def _follow_region(self, region: tuple[float, float, float, float] | None) -> None:
        """An object was clicked in the live picture: its box is explained."""
        box = None if region is None else boxed(region, self._answer.choices)
        if box is not None and self.context.bridge.subject == "live":
            self._set(self._active, box)

    def _follow_unit(self) -> None:
        self._say_unit()
        if self.target_row.subject == "unit" or self.page.layer == CHOSEN_LAYER:
            self._ask_anew()

    def _say_unit(self) -> None:
        workspace = self.context.workspace
        layer, unit = workspace.layer, workspace.unit
        text = "choose a unit in Activations" if layer is None else f"unit {unit or 0} of {layer}"
        self.target_row.unit.set_text(
            text + (" (choose one in Activations)" if layer and unit is None else ""), (text,)
        )
