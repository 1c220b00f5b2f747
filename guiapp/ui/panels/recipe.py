"""The recipe panel: every setting of the run in groups that fold, what is changed marked, the schedule drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from guiapp.engine.state import EngineState, Opened
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.icons import icon
from guiapp.ui.panel import Panel
from guiapp.ui.panels.attribution_settings import scrolled
from guiapp.ui.panels.network_options import marked_network_form, options_of
from guiapp.ui.panels.recipe_files import RecipeFiles
from guiapp.ui.panels.recipe_schedule import ScheduleView
from guiapp.ui.panels.recipe_words import RUN, TITLES, augmentations, label_of, title_of, value_text
from guiapp.ui.panels.training_status import remembers
from guiapp.ui.widgets.buttons import declare, icon_button
from guiapp.ui.widgets.empty_state import EmptyState
from guiapp.ui.widgets.fold import Fold
from guiapp.ui.widgets.marked_form import MarkedForm
from guiapp.ui.widgets.option_form import fields_of, value_of
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.settled import settled

if TYPE_CHECKING:
    from guiapp.training.recipe import Recipe

_NOTE = "Changes hold from the next run, the rate at once."
_NARROW = 352
_NOTE_MEMORY = "Changes hold from the next run. It only remembers the samples: it has no rate."
_FOR_MEMORY = ("device",)  # all that a recipe decides for a network that keeps the training part
_DURING = ("optimiser.lr",)  # what can be changed while a run stands or goes on
_FIRST_OPEN = ("optimiser", "schedule", RUN, "model")
_SHOWN = {
    "effect": ("Fields with effect", "Leave out what does nothing as the other fields are"),
    "all": ("All fields", "Also what does nothing as the other fields are"),
    "mine": ("Changed here", "What differs from the recipe that the experiment brings"),
    "differs": ("Not the default", "What differs from the program's own recipe: the experiment's changes and yours"),
}


class RecipePanel(Panel):
    """Every field, ``recipe.<dotted field>``, in groups; the options of the network, ``recipe.model.<option>``.

    Attributes:
        forms: The form of each group.
        folds: The group as it folds, ``recipe.group.<name>``.
        network_form: The options of the network; None where it has none.
        schedule: Rate and momentum over the run.
        shown: Which fields are shown, ``recipe.shown``.
        find: Part of a name or a tip, ``recipe.find``.
        error: What a field takes, ``recipe.message``.
        note: When changes hold, ``recipe.note``.
        files: The commands of files.
    """

    id = "recipe"
    title = "Recipe"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.forms: dict[str, MarkedForm] = {}
        self.folds: dict[str, Fold] = {}
        self.network_form: MarkedForm | None = None
        self._network: object = None
        self._errors: dict[str, str] = {}
        self._free: Sequence[str] | None = None
        self._followed: tuple[object, ...] = ()
        self._begun: Opened | None = None
        self._about = ""
        self._open: set[str] = set(_FIRST_OPEN)
        self._can: tuple[bool, ...] = ()
        self._count = 0
        self.files = RecipeFiles(context, self)
        self.reset = declare(
            context.commands,
            Command("recipe.reset", "Reset recipe", self.put_back, "Every field as the experiment brings it", "",
                    "undo", menu="Run"),
        )  # fmt: skip
        self.schedule = ScheduleView(context.theme, self)
        self.schedule.hide()  # until it has its place: of a script of one's own there is none
        self._build()
        context.draft.changed.connect(self._follow_draft)
        # Commands hold also while the panel is hidden.
        context.bridge.state_changed.connect(self._follow_commands)
        self._follow_commands(context.bridge.state)

    # ------------------------------------------------------------------ layout

    def _build(self) -> None:
        self.error = QLabel(self)
        self.error.setObjectName("recipe.message")
        self.error.setProperty("error", True)
        self.error.hide()
        self.note = QLabel(_NOTE, self)
        self.note.setObjectName("recipe.note")
        self.nothing = QLabel("No field is like that.", self)
        self.nothing.setObjectName("recipe.nothing")
        for label in (self.note, self.nothing):
            label.setProperty("faint", True)
        for label in (self.note, self.error):
            label.setWordWrap(True)
        page = QWidget(self)
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.nothing)
        self._column.addStretch(1)
        self.area = scrolled(page, self)
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(8, 4, 4, 4)
        column.setSpacing(4)
        column.addLayout(self._build_head())
        column.addLayout(self._build_filters())
        column.addWidget(self.area, 1)
        column.addWidget(self.error)
        column.addWidget(self.note)
        self.empty = EmptyState("Choose an experiment in the catalogue to see its recipe.", (), self)
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(body)

    def _build_head(self) -> QHBoxLayout:
        """What is open, and the buttons of files."""
        self.head = QuietLabel("recipe.head", self)
        files = self.files
        more = QToolButton(self)
        more.setObjectName("recipe.more-files")
        more.setAutoRaise(True)
        more.setToolTip("Use a recipe here, copy the recipe")
        more.setAccessibleName("More with recipes")
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        more.setIcon(icon("more"))
        menu = QMenu(more)
        menu.addActions([files.apply, files.copy])
        more.setMenu(menu)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.head, 1)
        for action in (self.reset, files.save, files.open, files.script):
            row.addWidget(icon_button(self, action, f"{action.objectName()}-button"))
        row.addWidget(more)
        return row

    def _build_filters(self) -> QHBoxLayout:
        """Which fields are shown."""
        self.find = QLineEdit(self)
        self.find.setObjectName("recipe.find")
        self.find.setPlaceholderText("Find a field")
        self.find.setClearButtonEnabled(True)
        self.find.textChanged.connect(self._show_fields)
        self.shown = QComboBox(self)
        self.shown.setObjectName("recipe.shown")
        self.shown.setAccessibleName("Which fields are shown")
        self.shown.setToolTip("Which fields are shown")
        for number, (key, (title, tip)) in enumerate(_SHOWN.items()):
            self.shown.addItem(title, key)
            self.shown.setItemData(number, tip, Qt.ItemDataRole.ToolTipRole)
        self.shown.currentIndexChanged.connect(self._show_fields)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.find, 1)
        row.addWidget(self.shown)
        return row

    def _groups(self, recipe: Recipe) -> dict[str, list[str]]:
        """Dotted fields by group, in the order of the form."""
        found: dict[str, list[str]] = {}
        for field in fields_of(recipe):
            group = field.dotted.partition(".")[0] if "." in field.dotted else RUN
            found.setdefault(group, []).append(field.dotted)
        return {
            name: found[name] for name in (*(t for t in TITLES if t in found), *(g for g in found if g not in TITLES))
        }

    def _make(self, recipe: Recipe, base: Recipe) -> None:
        for group, fields in self._groups(recipe).items():
            fold = self._add_fold(group)
            form = MarkedForm(
                recipe, base, "recipe", fields, {d: label_of(d) for d in fields},
                {"augmentation.name": augmentations}, fold,
            )  # fmt: skip
            form.edited.connect(lambda dotted, value: self._edit({dotted: value}))
            form.rejected.connect(lambda text, g=group: self._reject(g, text))
            fold.body.addWidget(form)
            if group == "schedule":
                fold.body.insertWidget(0, self.schedule)
            self.forms[group] = form
            if group == RUN:
                self._add_fold("model")

    def _add_fold(self, group: str) -> Fold:
        fold = Fold(self.context.theme, f"recipe.group.{group}", title_of(group), self)
        fold.toggled.connect(lambda on, g=group: self._remember(g, on))
        self.folds[group] = fold
        self._column.insertWidget(self._column.count() - 2, fold)
        return fold

    def _remember(self, group: str, on: bool) -> None:
        """Keep which groups the person has open; what was searched for opens for the moment alone."""
        if not self._filtered:
            (self._open.add if on else self._open.discard)(group)
            if not self._about:
                self.context.settings.setValue("recipe/open", ",".join(sorted(self._open)))
        self._follow_schedule()

    @property
    def _filtered(self) -> bool:
        return bool(self.find.text().strip()) or self.shown.currentData() in ("mine", "differs")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @settled
    def _fit(self) -> None:
        """Units beside the fields where there is room; their tips name them anyway."""
        for form in self.forms.values():
            form.leave_out_units(self.width() < _NARROW)

    # ------------------------------------------------------------------ changing

    def editor(self, dotted: str) -> QWidget:
        """The editor of a field; of an option of the network with ``model.`` before it."""
        if dotted.startswith("model.") and self.network_form is not None:
            return self.network_form.editor(dotted.removeprefix("model."))
        return next(form for form in self.forms.values() if dotted in form.names).editor(dotted)

    def open_file(self, path: Path) -> None:
        """Open the experiment of a file with its recipe."""
        self.files.read(path)

    def put_back(self) -> None:
        """Every field as the experiment brings it."""
        opened = self.context.draft.opened
        if opened is None:
            return
        base = self._base(opened)
        changes = {d: value_of(base, d) for form in self.forms.values() for d in form.changed}
        form = self.network_form
        if form is not None:
            changes.update({f"model.{name}": value_of(form.base, name) for name in form.changed})
        self._edit(changes)

    def _edit(self, changes: dict[str, Any]) -> None:
        self.context.draft.edit(changes)

    def _reject(self, group: str, text: str) -> None:
        self._errors[group] = text
        shown = next((t for t in self._errors.values() if t), "")
        self.error.setText(shown)
        self.error.setVisible(bool(shown))

    # ------------------------------------------------------------------ following

    def show_state(self, state: EngineState) -> None:
        """Follow the open experiment and, on the drawn schedule, the run."""
        opened = state.opened
        known = opened is not None and opened.experiment.id != "watched"
        self.empty.set_text(
            "Of a script of your own the recipe is not known."
            if opened is not None and not known
            else "Choose an experiment in the catalogue to see its recipe."
        )
        if self._pages.currentIndex() != int(known):
            self._pages.setCurrentIndex(int(known))
        if opened is None or not known:
            return
        if opened is not self._begun:
            self._begin(opened)
            self._follow_draft()
        reopening = state.phase == "opening" and self.context.draft.reopening  # typing goes on
        self._follow_phase("watched" if state.watched else "ready" if reopening else state.phase)
        self._follow_schedule()

    def _begin(self, opened: Opened) -> None:
        """An exhibit about one group opens with that one; others with what the person has open."""
        before, self._begun = self._begun, opened
        if before is not None and before.experiment.id == opened.experiment.id:
            return
        self._about = str(opened.experiment.begin.get("recipe.group", ""))
        remembered = self.context.settings.value("recipe/open")
        mine = _FIRST_OPEN if remembered is None else str(remembered).split(",")
        self._open = {self._about} if self._about else set(mine)

    def _follow_phase(self, phase: str) -> None:
        free = None if phase in ("ready", "finished", "failed") else () if phase in ("watched", "opening") else _DURING
        if (free, self.network_form) == self._followed:
            return
        self._followed = free, self.network_form
        self._free = free
        for form in self.forms.values():
            form.set_enabled(free)
        if self.network_form is not None:
            self.network_form.set_enabled(None if free is None else ())

    def _enable_reset(self) -> None:
        self.reset.setEnabled(self._count > 0 and all(self._can[:2]))

    def _follow_commands(self, state: EngineState) -> None:
        opened = state.opened
        free = opened is not None and state.phase in ("ready", "finished", "failed") and not state.watched
        known = opened is not None and opened.experiment.id != "watched"
        now = known, free, opened is not None and opened.model.trained_by == "gradient"
        if now != self._can:
            self._can = now
            self.files.follow(known, now[2])
            self._enable_reset()

    def _base(self, opened: Opened) -> Recipe:
        from guiapp.training.setup import entry_recipe

        return entry_recipe(opened.experiment, opened.dataset.name)

    def _follow_draft(self) -> None:
        """Show the recipe as it stands, what of it is changed, and what counts."""
        opened = self.context.draft.opened
        if opened is None or opened.experiment.id == "watched" or not (self.isVisible() or self.forms):
            return
        recipe, base = self.context.draft.recipe, self._base(opened)
        if not self.forms:
            self._make(recipe, base)
            self._fit()
            self._followed = ()
        alike = self._alike(opened, base)
        for form in self.forms.values():
            form.mark(recipe, base, alike)
        self._show_network(opened)
        memory = remembers(opened)
        self.note.setText(_NOTE_MEMORY if memory else _NOTE)
        self.schedule.setVisible(not memory)
        self._show_fields()
        self._say_head(opened)
        self._follow_schedule()

    def _alike(self, opened: Opened, base: Recipe) -> frozenset[str]:
        """The data set's own augmentation is written out when an experiment opens: nobody has changed it."""
        name = "augmentation.name"
        given = {**opened.settings, **self.context.draft.pending}
        own = base.augmentation.name == "default" and given.get(name, given.get("augmentation", "default")) == "default"
        return (
            frozenset({name})
            if own and self.context.draft.recipe.augmentation.name == opened.recipe.augmentation.name
            else frozenset()
        )

    def _show_network(self, opened: Opened) -> None:
        """The options of the open network; the form is made anew when it is another network."""
        fold = self.folds["model"]
        options = options_of(opened.model, self.context.draft.model_options)
        if options is None or self._network != opened.model.name:
            if self.network_form is not None:
                self.network_form.hide()
                self.network_form.deleteLater()
            self.network_form, self._network = None, opened.model.name
        fold.setVisible(options is not None)
        if options is None:
            return
        same = opened.model.name == opened.experiment.model
        base = options_of(opened.model, opened.experiment.model_options if same else {})
        if self.network_form is None:
            self.network_form = marked_network_form(opened.model, options, base, "recipe.model", fold)
            self.network_form.edited.connect(lambda name, value: self._edit({f"model.{name}": value}))
            self.network_form.rejected.connect(lambda text: self._reject("model", text))
            fold.body.addWidget(self.network_form)
        self.network_form.mark(options, base)

    def _say_head(self, opened: Opened) -> None:
        count = sum(len(form.changed) for form in self.forms.values())
        count += len(self.network_form.changed) if self.network_form is not None else 0
        self._count = count
        self._enable_reset()
        waits = len(self.context.draft.pending)
        what = f"{opened.experiment.title} · {opened.dataset.title}"
        words = f" · {count} changed" if count else ""
        words += f" · {waits} wait for the next run" if waits else ""
        self.head.set_text(what + words, (f"{opened.experiment.title}{words}", words.removeprefix(" · ") or what))

    # ------------------------------------------------------------------ what is shown

    def _show_fields(self) -> None:
        """Show the fields that were asked for, in groups that have any."""
        opened = self.context.draft.opened
        if opened is None or not self.forms:
            return
        from guiapp.training.recipe import Recipe
        from guiapp.training.recipe_effect import idle

        recipe = self.context.draft.recipe
        which, words = str(self.shown.currentData()), self.find.text().casefold().split()
        without, plain, any_shown = idle(recipe), Recipe(), False
        memory = remembers(opened)
        for group, form in self.forms.items():
            asked = []
            for dotted in form.names:
                differs = value_of(recipe, dotted) != value_of(plain, dotted)
                wanted = {
                    "all": True,
                    "effect": bool(words) or dotted not in without or dotted in form.changed,
                    "mine": dotted in form.changed,
                    "differs": differs and (dotted not in without or dotted in form.changed),
                }[which]
                if memory and dotted not in _FOR_MEMORY:
                    wanted = False
                text = f"{title_of(group)} {label_of(dotted)} {dotted} {form.editor(dotted).toolTip()}".casefold()
                if wanted and all(word in text for word in words):
                    asked.append(dotted)
            form.show_only(asked)
            fold = self.folds[group]
            fold.setVisible(bool(asked))
            any_shown = any_shown or bool(asked)
            fold.set_open(self._filtered or group in self._open)
            self._summarise(group, form, recipe, plain, without)
        model = self.folds["model"]
        model.set_open(self._filtered or "model" in self._open)
        if self.network_form is not None:
            model.setVisible(not words and (which in ("all", "effect") or bool(self.network_form.changed)))
            any_shown = any_shown or not model.isHidden()
        self.nothing.setVisible(not any_shown)

    def _summarise(self, group: str, form: MarkedForm, recipe: Recipe, plain: Recipe, without: frozenset[str]) -> None:
        """What the group says, in a line: what of it is not the program's default."""
        words = []
        for dotted in form.names:
            value = value_of(recipe, dotted)
            name = dotted.rpartition(".")[2]
            always = dotted in (
                "optimiser.name",
                "optimiser.lr",
                "schedule.name",
                "epochs",
                "batch",
                "augmentation.name",
            )
            if dotted in without or not (always or value != value_of(plain, dotted)):
                continue
            words.append(value_text(value) if name == "name" else f"{label_of(dotted)} {value_text(value)}")
        self.folds[group].summary.set_text(" · ".join(words) or "–")

    def _follow_schedule(self) -> None:
        """Draw only what is in sight."""
        opened = self.context.draft.opened
        if opened is None or not self.isVisible() or "schedule" not in self.folds or remembers(opened):
            return
        if self.folds["schedule"].open:
            state = self.context.bridge.state
            self.schedule.show_plan(self.context.draft.recipe, len(opened.dataset.train), state)
            self.schedule.follow(state)
