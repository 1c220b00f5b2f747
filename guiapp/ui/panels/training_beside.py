"""Runs beside the open one: the same experiment with one thing changed, trained by a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from guiapp.engine.state import EngineState
from guiapp.training.beside import Twin, networks, others, value_of, without
from guiapp.ui.context import Context
from guiapp.ui.panels.recipe_words import TITLES, label_of, said, value_text
from guiapp.ui.panels.training_status import remembers

if TYPE_CHECKING:
    import subprocess

_PAUSE_MS = 1000


class Beside(QObject):
    """The button *Beside …* with its menu, and the processes that it has begun.

    Attributes:
        button: Opens the menu, ``training.beside``.
        children: The processes by run folder, those that have ended too.
    """

    def __init__(self, context: Context, again: Callable[[], object], parent: QWidget) -> None:
        super().__init__(parent)
        self.context = context
        self.children: dict[Path, subprocess.Popen[bytes]] = {}
        self._experiment = ""
        self._again = again
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._look)
        self.button = QPushButton("Beside …", parent)
        self.button.setObjectName("training.beside")
        self.button.setToolTip(
            "Train the same with one thing changed, in a process of its own, and draw it in the same plots"
        )
        self.button.clicked.connect(self._pop_up)
        context.bridge.state_changed.connect(self._follow)
        self._follow(context.bridge.state)

    def _follow(self, state: EngineState) -> None:
        """What was begun for one experiment does not stand in the plots of the next."""
        opened = state.opened
        can = opened is not None and opened.experiment.id != "watched" and not remembers(opened)
        self.button.setEnabled(can and state.phase not in ("empty", "opening") and not state.refused)
        if opened is not None and opened.experiment.id != self._experiment:
            self._experiment = opened.experiment.id
            self.take_away()

    # ------------------------------------------------------------------ menu

    def _pop_up(self) -> None:
        menu = self.make_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.button.mapToGlobal(self.button.rect().bottomLeft()))

    def make_menu(self) -> QMenu:
        """What can be trained beside: as it was brought, without what it has, with another choice."""
        menu = QMenu(self.button)
        draft = self.context.draft
        opened = draft.opened
        if opened is None:
            return menu
        recipe = draft.recipe
        menu.addAction("Train the same beside it, but …").setEnabled(False)
        if self.settings():
            menu.addAction("As the catalogue brings it", lambda: self.train({}, "as the catalogue brings it", True))
        built = networks(opened.model, {**opened.model_options, **options_of(self.settings())})
        lacking = [twin for twin in built if twin.setting == "model.dropout" or twin.value is False]
        for twin in [*without(recipe), *lacking]:
            self._add(menu, twin, _lacking(twin))
        menu.addSeparator()
        self._add_network(menu, [twin for twin in built if twin not in lacking])
        few = []
        for setting, twins in others(recipe).items():
            if len(twins) <= 2 and setting != "seed":
                few += twins
                continue
            under = menu.addMenu(f"{label_of(setting).capitalize()} (now {_choice(value_of(recipe, setting))})")
            for twin in twins:
                value = _choice(twin.value)
                self._add(under, twin, f"{twin.words}: {value}" if twin.words else value)
        more = menu.addMenu("More")
        for twin in few:
            self._add(more, twin, said(twin.changes))
        if self.children:
            menu.addSeparator()
            if any(child.poll() is None for child in self.children.values()):
                menu.addAction("Stop the runs beside", self.stop)
            menu.addAction("Take the runs beside out of the plots", self.take_away)
        return menu

    def _add_network(self, menu: QMenu, twins: Sequence[Twin]) -> None:
        """The other ways in which the network itself can be built."""
        under = menu.addMenu(TITLES["model"]) if twins else menu
        for twin in twins:
            self._add(under, twin, f"{label_of(twin.setting)}: {value_text(twin.value)}")

    def _add(self, menu: QMenu, twin: Twin, text: str) -> None:
        menu.addAction(text, lambda: self.train(twin.changes, said(twin.changes)))

    def settings(self) -> dict[str, Any]:
        """What differs from the catalogue: in the run that goes on, else in the form."""
        opened, phase = self.context.draft.opened, self.context.bridge.state.phase
        if opened is None:
            return {}
        waiting = {} if phase in ("running", "paused") else self.context.draft.pending
        return {**opened.settings, **waiting}

    # ------------------------------------------------------------------ training

    def train(self, changes: Mapping[str, Any], name: str, plain: bool = False) -> None:
        """Begin a run with these changes in a process of its own.

        Args:
            changes: Dotted settings.
            name: What the run is called.
            plain: Whether the changes are made to what the catalogue brings, not to what is open.
        """
        from guiapp.core import paths

        opened = self.context.draft.opened
        if opened is None:
            return
        kept = {"dataset", "model"} if plain else None
        settings = {n: v for n, v in self.settings().items() if kept is None or n in kept} | dict(changes)
        experiment = opened.experiment

        def work() -> Generator[Any, None, tuple[Path, Any]]:
            from guiapp.training.own_process import go_on
            from guiapp.training.run_folder import RunFolder
            from guiapp.training.setup import prepare

            yield 0.1, "opening the data"
            setup = prepare(experiment, settings)
            folder = RunFolder.create(paths.runs(), setup)
            folder.update(name=name)
            folder.release()
            return folder.path, go_on(folder.path, experiment.id)

        bridge, notices = self.context.bridge, self.context.notices
        job = bridge.engine.submit(
            work, on_error=lambda error: notices.post("error", f"{name}: {error}"), title="a run beside"
        )
        bridge.call(job, lambda made: self._begun(*made))

    def _begun(self, folder: Path, child: subprocess.Popen[bytes]) -> None:
        self.children[folder] = child
        workspace = self.context.workspace
        workspace.compared = (*workspace.compared, folder)
        self._timer.start()

    def _look(self) -> None:
        """Draw what the processes have added; tell of one that failed."""
        from guiapp.training.own_process import LOG, last_line

        going = [folder for folder, child in self.children.items() if child.poll() is None]
        if not going:
            self._timer.stop()
        for folder, child in list(self.children.items()):
            if child.poll() not in (None, 0) and folder in self.context.workspace.compared:
                said_last = last_line(folder / LOG)
                self.context.notices.post("error", f"The run beside ended early: {said_last or folder.name}")
                del self.children[folder]
        self._again()

    def stop(self) -> None:
        """Ask those that go on to end; what they did is kept."""
        from guiapp.training.own_process import ask_to_stop
        from guiapp.training.run_folder import RunFolder

        for folder, child in self.children.items():
            if child.poll() is None and folder.is_dir():
                ask_to_stop(RunFolder.open(folder).info)

    def take_away(self) -> None:
        """Take the runs that were begun here out of the plots; they stay in Runs."""
        workspace = self.context.workspace
        kept = tuple(folder for folder in workspace.compared if folder not in self.children)
        self.children = {folder: child for folder, child in self.children.items() if child.poll() is None}
        if kept != workspace.compared:
            workspace.compared = kept


def options_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the network among dotted settings, by their own names."""
    return {name.removeprefix("model."): value for name, value in settings.items() if name.startswith("model.")}


def _choice(value: Any) -> str:
    return "the network's own" if value == "own" else value_text(value)


def _lacking(twin: Twin) -> str:
    """What a menu says of a run that does without something."""
    if twin.setting == "data.share":
        return "With all samples"
    if isinstance(twin.value, str) and twin.value not in ("none", ""):
        return f"{label_of(twin.setting).capitalize()}: {_choice(twin.value)}"
    return f"Without {label_of(twin.setting)}"
