"""A recipe as a file: saved, opened, used on another experiment, copied; and the run as a script of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from guiapp.core.notices import UserError
from guiapp.ui.commands import Command
from guiapp.ui.open_files import RECIPE as ENDING
from guiapp.ui.widgets.buttons import declare

if TYPE_CHECKING:
    from guiapp.ui.context import Context

_KIND = f"Recipe (*{ENDING})"
_TOPIC = "recipe"


class RecipeFiles(QObject):
    """The commands of files; reading and writing that takes time is done on the work lane.

    Attributes:
        save, open, apply, copy, script: The commands.
    """

    def __init__(self, context: Context, panel: QWidget) -> None:
        super().__init__(panel)
        self._context = context
        self._panel = panel

        def add(verb: str, title: str, call: Callable[[], Any], tip: str, symbol: str = "") -> Any:
            return declare(context.commands, Command(f"recipe.{verb}", title, call, tip, "", symbol, menu="Run"))

        self.save = add("save", "Save recipe …", self._ask_save, f"Every setting as one file, NAME{ENDING}", "save")
        self.open = add(
            "open", "Open recipe …", self._ask_open, "Open the experiment of a file with its recipe", "open"
        )
        self.apply = add(
            "apply", "Use recipe here …", self._ask_apply, "Give the open experiment the recipe of a file", "paste"
        )
        self.copy = add("copy", "Copy recipe", self.copy_text, "The file as text on the clipboard, to send it", "copy")
        self.script = add(
            "script", "Save as script …", self._ask_script,
            "A PyTorch script that needs nothing of this program and ends with the same figures", "csv",
        )  # fmt: skip

    def follow(self, there: bool, trains: bool) -> None:
        """Enable what can be done: with an experiment, with one that learns."""
        for action in (self.save, self.copy):
            action.setEnabled(there)
        self.apply.setEnabled(there and trains)
        self.script.setEnabled(there and trains)

    # ------------------------------------------------------------------ recipe

    def text(self) -> str:
        """What the file holds."""
        from guiapp.training.recipe_file import content_of

        draft = self._context.draft
        opened = draft.opened
        if opened is None:
            raise UserError("open an experiment first: there is no recipe yet")
        dataset = str(opened.settings.get("dataset", opened.dataset.name))
        found = content_of(opened.experiment.id, dataset, opened.model.name, draft.model_options, draft.recipe)
        return json.dumps(found, indent=1) + "\n"

    def copy_text(self) -> None:
        """Put the file's text on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())
        self._say("info", f"The recipe is on the clipboard; saved as NAME{ENDING} it opens again.")

    def write(self, path: Path) -> None:
        """Write the recipe as it stands in the form."""
        from guiapp.ui.widgets.export import save_text

        save_text(self.text(), path)
        self._say("info", f"{path.name} is saved; elsewhere: guiapp train --recipe {path.name}")

    def read(self, path: Path, here: bool = False) -> None:
        """Open the experiment of a file with its recipe; with ``here`` the open experiment takes the recipe."""
        from guiapp.catalogue import EXPERIMENTS

        context = self._context
        opened = context.draft.opened

        def work() -> Generator[tuple[float, str], None, tuple[str, dict[str, Any]]]:
            from guiapp.training.recipe_file import read_recipe

            yield 0.0, "reading the recipe"
            found = read_recipe(path)
            name = opened.experiment.id if here and opened is not None else found.experiment
            if name not in EXPERIMENTS:
                raise UserError(f"{path.name} is of the experiment {name}, which this version does not have")
            return name, found.for_experiment(EXPERIMENTS[name])

        def done(found: tuple[str, dict[str, Any]]) -> None:
            name, settings = found
            if here and opened is not None:
                kept = {n: v for n, v in opened.settings.items() if n.partition(".")[0] in ("dataset", "model")}
                settings = {**kept, **settings}
            context.notices.settle(_TOPIC)
            context.workspace.experiment = name
            context.bridge.engine.open_experiment(name, settings)

        self._work(work, done, f"Recipe {path.name}")

    # ------------------------------------------------------------------ script

    def write_script(self, path: Path) -> None:
        """Write the script of the open run as it was, or of what the form says where none was started."""
        context = self._context
        state, draft = context.bridge.state, context.draft
        opened = draft.opened
        if opened is None:
            return
        run = None if state.phase == "ready" or draft.pending else state.run
        settings = {**opened.settings, **draft.pending}

        def work() -> Generator[tuple[float, str], None, tuple[int, Path | None]]:
            from guiapp.training.run_folder import RunFolder
            from guiapp.training.script import past_of, write_script
            from guiapp.training.setup import from_run, prepare

            yield 0.0, "writing the script"
            if run is None:
                setup, past = prepare(opened.experiment, settings), None
            else:
                setup, past = from_run(run), past_of(RunFolder.open(run))
            written = write_script(path, setup, past)
            return written.lines, written.data

        def done(found: tuple[int, Path | None]) -> None:
            lines, data = found
            beside = "" if data is None else f", its data beside it in {data.name}"
            self._say("info", f"{path.name} is written, {lines} lines{beside}; run it with: python {path.name}")

        self._work(work, done, f"Script {path.name}")

    # ------------------------------------------------------------------ asking and telling

    def _work(self, work: Callable[[], Any], done: Callable[[Any], object], title: str) -> None:
        bridge = self._context.bridge

        def failed(error: BaseException) -> None:
            self._say("error", str(error) if isinstance(error, UserError) else f"{title} failed: {error}")

        bridge.call(bridge.engine.submit(work, on_error=failed, title=title), done)

    def _say(self, level: Any, text: str) -> None:
        self._context.notices.post(level, text, topic=_TOPIC)

    def _ask_save(self) -> None:
        opened = self._context.draft.opened
        name = f"{opened.experiment.id}{ENDING}" if opened is not None else ENDING
        chosen, _ = QFileDialog.getSaveFileName(self._panel, "Save recipe", name, _KIND)
        if chosen:
            self.write(Path(chosen if chosen.endswith(ENDING) else chosen + ENDING))

    def _ask_open(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self._panel, "Open recipe", "", _KIND)
        if chosen:
            self.read(Path(chosen))

    def _ask_apply(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self._panel, "Use recipe here", "", _KIND)
        if chosen:
            self.read(Path(chosen), here=True)

    def _ask_script(self) -> None:
        opened = self._context.draft.opened
        name = f"{opened.experiment.id}.py" if opened is not None else "run.py"
        chosen, _ = QFileDialog.getSaveFileName(self._panel, "Save as script", name, "Python (*.py)")
        if chosen:
            self.write_script(Path(chosen if chosen.endswith(".py") else chosen + ".py"))
