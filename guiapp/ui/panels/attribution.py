"""The attribution panel: what in the picture counts for an answer, by every method, side by side, checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.attribution import METHODS, Attribution, AttributionOptions, default_layer
from guiapp.interpret.targets import SimilarityTarget, UnitTarget
from guiapp.ui.bridge import changed_channels
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panels import attribution_words as words
from guiapp.ui.panels.attribution_choices import Answer, answer_of, boxed, class_of
from guiapp.ui.panels.attribution_frame import AttributionFrame
from guiapp.ui.panels.attribution_settings import CHOSEN_LAYER
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
from guiapp.ui.panels.attribution_targets import ChosenTargets, target_of
from guiapp.ui.panels.viewer import network_area
from guiapp.ui.widgets.buttons import declare

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.interpret.targets import Target

_PAUSE = 0.1
_SETTLED_MS = 350  # a picture that nothing has followed for so long is explained by slow methods
_SOON_MS = 40
_EXHIBITS = {"saliency": "gradient", "saliency-digits": "gradient-x-input", "grad-cam": "grad-cam"}
"""Methods with which exhibits open."""
_FIRST = ("grad-cam", "gradient", "occlusion")
_LOADING = "loading the methods …"
_NO_PICTURE = "No picture: draw on the pad, choose a sample, or open a camera, a video or a picture."


class AttributionPanel(AttributionFrame):
    """Asks at each look or by studies, shows what comes back, and follows the selection of the window."""

    id = "attribution"
    title = "Attribution"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._opened: object = None
        self._labels: tuple[str, ...] = ()
        self._look: LookResult | None = None
        self._answer = Answer()
        self._chosen = ChosenTargets()
        self._held: SimilarityTarget | None = None
        self._reasons: dict[str, str] | None = None
        self._asked: tuple[Any, ...] = ()
        self._by_hand = self._checking = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._ask_if_new)
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

    def _connect(self) -> None:
        workspace = self.context.workspace
        self.row.changed.connect(self._methods_changed)
        self.row.views.currentIndexChanged.connect(self._view_changed)
        self.row.settings.toggled.connect(self.arrange)
        self.target_row.changed.connect(self._subject_changed)
        self.target_row.class_named.connect(self._choose_class)
        self.target_row.hold.clicked.connect(self._hold)
        self.choices.chosen.connect(self._choose_row)
        self.choices.beside.connect(self._set_beside)
        self.page.changed.connect(self._ask_anew)
        self.page.rejected.connect(self.bar.say)
        for part in (self.page.style_changed, self.maps.style_row.changed):
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

    def rows_changed(self) -> None:
        """List as many answers as there is room for."""
        if self._look is not None:
            self._follow_answer(self._look)

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
        return self._chosen.meant(self.page.measure)

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
        self._look = self._held = self._reasons = None
        index = self.context.workspace.class_index
        known = opened is not None and index is not None and index < len(opened.labels)
        same = known and self._labels in ((), tuple(opened.labels))  # a class may be chosen before the panel is built
        self._chosen.clear(index if same else None)
        self._labels, self._asked = tuple(opened.labels) if opened is not None else (), ()
        self._answer, self.listed = Answer(), False
        self.bar.say("")
        for page in (self.maps, self.curves, self.sanity):
            page.clear()
        self.target_row.held.set_image(None)
        self.pages.setCurrentIndex(0 if opened is None else 1)
        if opened is None:
            return
        self.target_row.set_labels(opened.labels, "")
        self.page.set_layers(opened.layers, default_layer(opened.layers))
        self._say_unit()
        self.arrange()

    def _check(self) -> None:
        """Find out which methods apply to the network, once it has a picture."""
        opened = self._opened
        self._checking = True
        self.bar.say(_LOADING)

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
        answer = answer_of(result.prediction, self.context.theme, self.choices.most, self._chosen.classes())
        turned = answer.noun != self._answer.noun
        self._answer, self.listed = answer, bool(answer.noun)
        if answer.labels and (turned or answer.labels != getattr(result.opened, "labels", ())):
            self.target_row.set_labels(answer.labels, answer.noun)
        if self._chosen.follow(answer.choices):
            self.request_changed.emit()
        if turned:
            self.arrange()
        self._show_choices()

    def _show_choices(self) -> None:
        self.choices.show_choices(self._answer.choices, *self._chosen.rows(self._answer.choices))

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
        """Show maps."""
        if found.picture is not None:
            beside = self.target_row.subject == "answer" and self._chosen.pair
            ground = self._ground(found.picture)
            self.maps.show_found(found, ground, self._answer, 2 if beside else None)
            self._say()

    def _say(self) -> None:
        """The front map in words."""
        found, shown = self.maps.found, self.maps.shown
        if found is not None and (not self.run.running or self.at_each_look):
            live = self.context.bridge.subject == "live"
            text = words.told(shown, 0 if live else found.step)
            self.bar.say(f"random weights · {text}" if text and self._random() else text)
            self.bar.words.tip = words.tip(shown)

    def _random(self) -> bool:
        """Whether the network of the live room has learnt nothing."""
        lane = getattr(self.context.bridge.engine, "live", None)
        weights = getattr(getattr(lane, "newest", None), "weights", "")
        return self.context.bridge.subject == "live" and weights == "random"

    def _ground(self, picture: Picture) -> tuple[np.ndarray, tuple[float, float, float, float] | None]:
        """The picture that maps lie over, and what of it the network's input shows where only that is known."""
        look, opened = self._look, self.seen.opened
        if self.context.bridge.subject == "live" or opened is None:
            return picture.pixels, None
        fed = look.fed if look is not None and look.picture is picture and look.fed is not None else None
        pixels = picture.network_pixels if fed is None else fed
        return pixels, network_area(opened.preprocessing, pixels.shape[1], pixels.shape[0])

    def _restyle_maps(self) -> None:
        style = self.maps.style_row.style_of(self.page)
        self.maps.set_style(style)
        self.sanity.grid.set_style(style)

    def _restyle(self) -> None:
        if self._look is not None:
            self._follow_answer(self._look)
        self.maps.again(self._answer)

    def _hover(self, where: tuple[int, int] | None) -> None:
        """The values of all maps under the pointer."""
        if where is None or len(self.grid.tiles) < 2 or self.run.running:
            self._say()
        else:
            self.bar.say(self.maps.values_text(*where))

    # ------------------------------------------------------------------ out of the window

    def told(self) -> Mapping[str, Any]:
        """Methods with their parameters, what is explained and with which score, for a report."""
        asked = self.questions()
        found: dict[str, Any] = {"view": self.view, "score": self.page.measure}
        for name in dict.fromkeys(question.method for question in asked):
            options = self.page.options_of(name, self.layer)
            fields = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
            said = [f"{key} {words.plain(value)}" for key, value in fields.items() if value != ""]
            found[METHODS[name].title] = ", ".join(said) or "–"
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
        self.arrange()
        self._ask_anew()

    def _subject_changed(self) -> None:
        self._say_unit()
        self.arrange()
        if self.target_row.subject == "likeness" and self._held is not None:
            self._held = replace(self._held, likeness=self.target_row.likeness)
        if not self.questions():
            self.bar.say(self._what_is_missing())
        self._ask_anew()

    def _view_changed(self, row: int) -> None:
        self.views.setCurrentIndex(row)
        self.page.show_view(self.view)
        self.arrange()
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
        again = number == self.choices.first and self._chosen.current is not None
        self._set(None if again else subject)

    def _set(self, target: Target | None) -> None:
        """Explain something else; every panel follows its class."""
        self._chosen.current = target
        self.context.workspace.class_index = class_of(target)
        self._targets_changed()

    def _targets_changed(self) -> None:
        if self._look is not None:
            self._follow_answer(self._look)
        self._ask_anew()

    def _choose_class(self, index: int) -> None:
        """A class by its name, predicted or not."""
        self._set(target_of(index, self._answer))

    def _set_beside(self, number: int) -> None:
        """Set a row beside the chosen one, or take it away."""
        if number == self.choices.second:
            self._chosen.alone()
        else:
            self._chosen.set_beside(self._answer.choices[number].subject, self._answer)
        self.maps.front = 0
        self._targets_changed()

    def _choose_tile(self, number: int) -> None:
        """A click on a map brings it to the front; other panels follow its class."""
        self.maps.front = number
        if self.target_row.subject == "answer" and self._chosen.pair:
            self._chosen.active = number % 2
            self.context.workspace.class_index = self._chosen.class_index
        self.maps.again()
        self._say()
        self._show_choices()

    def _follow_class(self, index: int | None) -> None:
        """Another panel has chosen a class."""
        if index != self._chosen.class_index:
            self._chosen.current = None if index is None else target_of(index, self._answer)
            self._targets_changed()

    def _follow_exhibit(self, name: str | None) -> None:
        """An exhibit on a method opens with it."""
        if name in _EXHIBITS:
            self.row.choose(_EXHIBITS[name])

    def _follow_region(self, region: tuple[float, float, float, float] | None) -> None:
        """An object was clicked in the live picture: its box is explained."""
        box = None if region is None else boxed(region, self._answer.choices)
        if box is not None and self.context.bridge.subject == "live":
            self._set(box)

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
