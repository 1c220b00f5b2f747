"""The attack panel: how little of a picture has to change until the network says something else."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QToolButton, QVBoxLayout, QWidget

from guiapp.core.picture import Origin, Picture, rgb
from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.attack.options import METHODS, ONE_STEP, TASKS, AttackOptions, PatchOptions
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.icons import icon
from guiapp.ui.panel import Panel
from guiapp.ui.panels import attack_words as words
from guiapp.ui.panels.attack_controls import AttackControls
from guiapp.ui.panels.attack_elsewhere import ElsewherePage
from guiapp.ui.panels.attack_robust import RobustPage
from guiapp.ui.panels.attack_shown import AttackShown
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.buttons import declare
from guiapp.ui.widgets.empty_state import EmptyState

if TYPE_CHECKING:
    from guiapp.engine.study import Study
    from guiapp.interpret.attack.patch import PatchView
    from guiapp.interpret.attack.run import AttackResult

_PAUSE = 0.1
_AGAIN_MS = 350  # what is changed is attacked anew so long after the last change
_MOVING = ("camera", "video", "stream", "screen")
_PAGES = (
    ("Steps", "Probabilities as they move step by step; a click shows the attack after that step"),
    ("Scores", "Every class after the attack, with a line where it was before; a click makes it the wanted one"),
    ("Settings", "Every setting of the chosen attack"),
    ("Others", "What other networks say of the picture that fools this one"),
    ("Robust", "Accuracy over many pictures against the size of the change"),
)


@dataclass(frozen=True, eq=False)
class Done:
    """A finished attack.

    Attributes:
        result: What came of it.
        picture: What was attacked.
        pictures: Original, result and noise as pictures for any network; None of an attack that was stopped.
        step: Training step of the weights.
    """

    result: AttackResult
    picture: Picture
    pictures: dict[str, npt.NDArray[np.uint8]] | None
    step: int


class AttackPanel(Panel):
    """Controls, three pictures, and pages below them.

    Attributes:
        controls: Method, class, norm and strength.
        shown: Shows what came of an attack with the widgets below.
        pictures: Original, change, result: ``attack.original``, ``attack.change``, ``attack.result``.
        slider: Step that is shown, ``attack.step``.
        tabs: Pages, ``attack.tabs``.
        plot: Probabilities over the steps, ``attack.steps``.
        bars: Probabilities after and before, ``attack.scores``.
        elsewhere, robust: Pages on other networks and on many pictures.
        run: The attack in the background; ``bar`` says how far it is and what came of it.
        done: The attack that is shown, or None.
    """

    id = "attack"
    title = "Attack"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme, workspace = context.theme, context.workspace
        self.done: Done | None = None
        self._opened: object = None
        self._exhibit = ""
        self._look: LookResult | None = None
        self._shown: AttackResult | None = None
        self._of: Picture | None = None
        self._patch: npt.NDArray[np.uint8] | None = None
        self._place = (0.5, 0.5)
        self._armed = False
        self.controls = AttackControls(theme, self)
        self.shown = AttackShown(theme, self)
        self.pictures, self.bars = self.shown.pictures, self.shown.bars
        self.slider, self.plot = self.shown.slider, self.shown.plot
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("attack.tabs")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 6px 7px; }")  # all five in a column of 300 pixels
        self.elsewhere = ElsewherePage(self, self)
        self.robust = RobustPage(self, self)
        self.run = StudyRun(self)
        self.bar = StudyBar(self.run, "attack.bar", theme, self)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self.attack)
        self._declare()
        self._build()
        self._connect()
        stop = workspace.subscribe("class_index", self._follow_class)
        self.destroyed.connect(lambda _=None: stop())
        leave = workspace.subscribe("region", lambda _region: None if self._whole else self._follow_object())
        self.destroyed.connect(lambda _=None: leave())
        self._follow_class(workspace.class_index)
        self.show_state(self.seen)

    @property
    def _labels(self) -> tuple[str, ...]:
        return self.shown.labels

    def _connect(self) -> None:
        self.controls.go.clicked.connect(self.attack)
        self.controls.changed.connect(self._changed)
        self.controls.class_chosen.connect(self._choose_class)
        self.pictures.result.dragged.connect(self._drag)
        self.slider.valueChanged.connect(self._show_step)
        self.plot.clicked.connect(lambda x: self.slider.setValue(round(x)))
        self.bars.class_clicked.connect(self._choose_class)
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self.run.partly.connect(self._progress)
        self.run.done.connect(self._finish)
        self.run.stopped.connect(self._keep)
        self.context.theme.changed.connect(self._restyle)

    def _declare(self) -> None:
        commands = self.context.commands
        for verb, title, call, tip, symbol in (
            ("start", "Attack the picture", self.attack, "Carry out the chosen attack on the picture", "play"),
            ("stop", "Stop the attack", self.run.stop, "End the attack; what was found so far stays", "stop"),
            ("look", "Look at the attacked picture", self.look, "Show the result as the picture that is looked at",
             "eye"),
        ):  # fmt: skip
            declare(commands, Command(f"attack.{verb}", title, call, tip, "", symbol, menu="View"))

    def _build(self) -> None:
        for title, tip in _PAGES:
            self.tabs.setTabToolTip(self.tabs.addTab(title), tip)
        self._pages = QStackedWidget(self)
        for page in (self.plot, self.bars, self.controls.page, self.elsewhere, self.robust):
            self._pages.addWidget(page)
        self._view = QToolButton(self)
        self._view.setObjectName("attack.look")
        self._view.setIcon(icon("eye"))
        self._view.setAutoRaise(True)
        self._view.setToolTip("Show the result as the picture that is looked at: every other panel then follows it")
        self._view.setAccessibleName("Look at the attacked picture")
        self._view.clicked.connect(self.look)
        steps = QHBoxLayout()
        steps.setSpacing(4)
        steps.addWidget(self.slider, 1)
        steps.addWidget(self.shown.step_text)
        steps.addWidget(self.pictures.factor)
        steps.addWidget(self._view)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addWidget(self.controls)
        column.addWidget(self.pictures, 5)
        column.addLayout(steps)
        column.addWidget(self.tabs)
        column.addWidget(self._pages, 4)
        column.addWidget(self.bar)
        show = QAction("Panda to gibbon", self)
        show.setToolTip("Open the exhibit on adversarial attacks")
        show.triggered.connect(lambda _checked=False: self.context.bridge.open_experiment("adversarial"))
        self.empty = EmptyState(words.NO_NETWORK, ((show, "attack.exhibit"),), self)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)

    def minimumSizeHint(self) -> QSize:
        return QSize(280, 240)

    # ------------------------------------------------------------------ what is asked

    @property
    def options(self) -> AttackOptions:
        """What is asked now."""
        return self.controls.options

    @property
    def _asked(self) -> AttackOptions:
        """What is asked, about the object that was clicked: its box, or its pixels."""
        region = self.context.workspace.region
        if region is None or self._whole:
            return self.options
        return replace(self.options, box=",".join(f"{share:.4f}" for share in region))

    @property
    def _whole(self) -> bool:
        """Whether the network tells classes of whole pictures."""
        opened = self.seen.opened
        return opened is None or opened.model.task == "classification"

    @property
    def _attackable(self) -> bool:
        opened = self.seen.opened
        return opened is not None and opened.model.task in TASKS

    def request(self) -> Request | None:
        """An attack of one step, the patch at its place, or else the picture as the network takes it."""
        if not self._attackable:
            return None
        options = self._asked
        if options.method in ONE_STEP:
            # Of a camera's pictures only what is needed: a large network would answer half as often.
            compare = self.context.bridge.subject != "live"
            return Request("attack", replace(options, compare=compare), _PAUSE)
        if options.method == "patch" and self._patch is not None:
            return Request("patch", PatchOptions(self._patch, *self._place), _PAUSE)
        nothing = replace(options, method="noise", norm="L-infinity", epsilon=0.0, class_index=None, compare=False)
        return Request("attack", nothing, 4 * _PAUSE)

    def _changed(self) -> None:
        """Something else is asked: attack anew where a person has begun to, but learn no new patch by itself."""
        self.robust.set_options(self.options)
        method = self.options.method
        if method != "patch":
            self._patch = None
        if method in ONE_STEP:
            self._drop()
        elif self._armed and method != "patch":
            self._again.start()
        elif self.done is not None and self.done.result.method != method:
            self._drop()
        self.request_changed.emit()

    def _follow_object(self) -> None:
        """Another object was clicked in the picture: the attack is on that."""
        self._drop()
        self.request_changed.emit()

    def _drop(self) -> None:
        """What was found belongs to another picture or question."""
        self._again.stop()
        self._shown = None
        self.run.stop()
        self.bar.say("")
        if self.done is not None:
            self.done = None
            self.shown.show_curves(None)
            self.elsewhere.set_result(None, None, ())

    def _choose_class(self, index: int | None) -> None:
        workspace = self.context.workspace
        workspace.class_index = None if index == self.options.class_index else index
        self._follow_class(workspace.class_index)

    def _follow_class(self, index: int | None) -> None:
        self.bars.set_chosen(index)
        self.controls.set_class(index)

    # ------------------------------------------------------------------ showing

    def show_state(self, state: EngineState) -> None:
        """Another network begins anew."""
        opened = state.opened
        if opened is self._opened:
            return
        self._opened, self._look, self._of = opened, None, None
        self._armed, self._patch = False, None
        self._drop()
        self._shown = None
        if opened is None or not self._attackable:
            self.empty.set_text(words.NO_NETWORK if opened is None else words.NO_CLASSES)
            self._stack.setCurrentWidget(self.empty)
            return
        self.shown.labels = tuple(opened.labels)
        for page in (self.elsewhere, self.robust):  # they compare answers about whole pictures
            index = self._pages.indexOf(page)
            self.tabs.setTabEnabled(index, self._whole)
            self.tabs.setTabToolTip(index, _PAGES[index][1] if self._whole else words.WHOLE_ONLY)
        self.controls.set_whole(self._whole)
        self.controls.set_network(opened.preprocessing, opened.labels)
        self._begin()
        self.controls.set_class(self.context.workspace.class_index)
        if self._whole:
            self.robust.set_network(opened)
        self.robust.set_options(self.options)
        self.empty.set_text(words.NO_PICTURE)
        self._stack.setCurrentWidget(self.empty)
        self.request_changed.emit()

    def _begin(self) -> None:
        """What the exhibit wants to be seen first, once each time it is opened."""
        from guiapp.catalogue import EXPERIMENTS

        name = self.context.workspace.experiment
        if name is None or name == self._exhibit:
            return
        self._exhibit = name
        found = EXPERIMENTS[name].begin if name in EXPERIMENTS else {}
        if "attack.method" in found:
            self.controls.choose(found["attack.method"])
        if found.get("attack.class_index", -1) in range(len(self._labels)):
            self.context.workspace.class_index = found["attack.class_index"]

    def show_look(self, result: LookResult) -> None:
        """Show what one look can tell, unless a finished attack of this picture is shown."""
        if not self._attackable or result.opened is not self._opened:
            return
        if result.picture is None:
            self._stack.setCurrentWidget(self.empty)
            self.empty.set_text(words.NO_PICTURE)
            return
        found = result.results.get(self.id)
        self._look = result
        if found is None:
            return
        self._stack.setCurrentIndex(1)
        self._follow_picture(result.picture)
        if hasattr(found, "probabilities"):
            self._show_patch(found)
        elif self.options.method in ONE_STEP and found.method == self.options.method:
            self._show_one_step(found, result.picture)
        elif self.done is None and not self.run.running and found.method == "noise":
            self._show_base(found, result.picture)

    def _follow_picture(self, picture: Picture) -> None:
        """A finished attack stays while its picture does; another still picture is attacked anew."""
        if self.done is None or picture is self.done.picture or picture.origin.kind in _MOVING:
            return
        armed = self._armed and self.options.method != "patch"
        self._drop()
        if armed:
            self._again.start()

    def _show_base(self, found: AttackResult, picture: Picture) -> None:
        self._shown, self._of = found, picture
        self.shown.show_base(found, picture.label, "press " + self.controls.go.text())

    def _show_one_step(self, found: AttackResult, picture: Picture) -> None:
        self._shown, self._of = found, picture
        self._show_pictures(found)
        self.shown.show_curves(None)
        self.shown.show_slider(0)
        self.bar.say(words.verdict(found, self._labels)[0])
        self.bar.words.set_text(*words.verdict(found, self._labels))
        if self._whole:
            self.elsewhere.set_result(found, picture, self._labels)

    @property
    def _truth(self) -> int | None:
        """The true class of the attacked picture, where it is known."""
        return self._of.label if self._of is not None else None

    def _show_pictures(self, found: AttackResult) -> None:
        self.shown.show_pictures(found, found.steps, self._truth)

    # ------------------------------------------------------------------ the attack

    def attack(self) -> None:
        """Carry out the chosen attack on the picture that is looked at."""
        self._again.stop()
        look = self._look
        if look is None or look.picture is None or self.options.method in ONE_STEP:
            return
        picture, place = look.picture, self._place
        options = replace(self._asked, x=place[0], y=place[1])
        self._armed = True

        def work(study: Study, tell: Any) -> Generator[Any, None, Done]:
            from guiapp.engine.attacks import attack_picture, pictures_of

            result = yield from attack_picture(study, picture, options, tell)
            return Done(result, picture, pictures_of(study, picture, result), study.step)

        self._of = picture
        self.run.start(work, "attack")

    def _progress(self, found: AttackResult) -> None:
        """Show where the attack is."""
        self._shown = found
        self.shown.show_curves(found)
        self._show_pictures(found)

    def _finish(self, done: Done) -> None:
        self.done, self._shown, self._of = done, done.result, done.picture
        result = done.result
        self.shown.show_curves(result)
        self.shown.show_slider(result.steps)
        self._show_pictures(result)
        text, shorter = words.verdict(result, self._labels)
        if done.step:
            text += f" · weights of step {done.step:,}"
        self.bar.say(text)
        self.bar.words.set_text(text, shorter)
        if self._whole:
            self.elsewhere.set_result(result, done.picture, self._labels, done.pictures)
        if result.patch is not None:
            self._patch = result.patch
            self.request_changed.emit()

    def _keep(self) -> None:
        """What an attack that was stopped has reached stays."""
        found, picture = self._shown, self._of
        if found is not None and picture is not None and found.steps and found.method == self.options.method:
            self._finish(Done(found, picture, None, 0))
            self.bar.say(f"stopped after {found.steps} steps: {words.says(found.scores[-1], self._labels)}")

    def _show_step(self, step: int) -> None:
        if self.done is not None:
            self.shown.show_step(self.done.result, step, self._truth)

    # ------------------------------------------------------------------ the patch

    def _drag(self, x: float, y: float) -> None:
        """Put the patch elsewhere: at once to the eye, and ask what the network says there."""
        self._place = (x, y)
        if self._patch is not None:
            self.shown.move_patch(self._patch, x, y)
        self.request_changed.emit()

    def _show_patch(self, view: PatchView) -> None:
        """The picture of now with the patch on it."""
        if self._patch is None or self.run.running:
            return
        # An answer for a place that the hand has left by now tells the scores there; the patch stays under the hand.
        here = view.place == self._place and not self.pictures.result.holds
        self.shown.show_patch(view, here, self.options.class_index)

    # ------------------------------------------------------------------ the rest

    def put_away(self) -> None:
        """Attack nothing more."""
        self._again.stop()
        for run in (self.run, self.elsewhere.run, self.robust.run):
            run.stop()

    def told(self) -> dict[str, Any]:
        """The attack that is chosen and what came of it, for a report."""
        options = self._asked
        wanted = options.class_index
        told = {"attack": METHODS[options.method]}
        if options.method != "noise":
            told["to"] = words.name_of(self._labels, wanted) if wanted is not None else "any other class"
        told |= {name.replace("_", " "): getattr(options, name) for name in options.fields}
        if self.bar.words.text():
            told["outcome"] = self.bar.words.text()
        return {name: value for name, value in told.items() if value is not None}

    def look(self) -> None:
        """Show the attacked picture as the one that is looked at."""
        done, found = self.done, self._shown
        if done is not None and done.pictures is not None:
            pixels, name, label = done.pictures["result"], done.picture.origin.name, done.picture.label
        elif found is not None and self._of is not None and self.context.bridge.subject != "live":
            left, top, width, height = found.area
            pixels = np.ascontiguousarray(found.result[top : top + height, left : left + width])
            name, label = self._of.origin.name, self._of.label
        else:
            return
        self._armed = False  # the attacked picture is looked at, not attacked once more
        live = self.context.bridge.subject == "live"
        origin = Origin("clipboard", f"{name}, attacked")
        self.context.bridge.look_at(Picture(rgb(pixels), origin, label, sample=None if live else pixels))

    def _restyle(self) -> None:
        self.shown.restyle(self._shown if self.done is not None else None)
