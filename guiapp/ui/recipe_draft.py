"""The recipe as the person has it before them: what the open experiment has, and changes that wait for the next run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from guiapp.engine.state import EngineState, Opened

if TYPE_CHECKING:
    from guiapp.training.recipe import Recipe
    from guiapp.ui.bridge import EngineBridge

_RATE, _TEMPERATURE = "optimiser.lr", "distillation.temperature"


class RecipeDraft(QObject):
    """One for the whole window, so that every form of the recipe says the same.

    Attributes:
        changed: Emitted when the recipe, the options of the network or what waits is different.
        opened: The open experiment, or None.
        pending: Dotted settings that hold from the next start or reset on.
    """

    changed = Signal()

    def __init__(self, bridge: EngineBridge) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self.opened: Opened | None = None
        self.pending: dict[str, Any] = {}
        self._sent: list[dict[str, Any]] = []
        """Changes that the engine was told of in this order and has not opened yet: a large network takes seconds."""
        self._over: dict[str, Any] = {}
        bridge.state_changed.connect(self._follow)
        self._follow(bridge.state)

    @property
    def recipe(self) -> Recipe:
        """The recipe as the forms show it; of the open experiment, which there must be."""
        from guiapp.training.recipe import change

        assert self.opened is not None
        mine = {name: value for name, value in self._over.items() if not name.startswith("model.")}
        made: Recipe = change(self.opened.recipe, mine)
        return made

    @property
    def reopening(self) -> bool:
        """Whether the experiment is being opened again with what was edited here; more can be edited meanwhile."""
        return bool(self._sent)

    @property
    def model_options(self) -> dict[str, Any]:
        """Options of the network's builder as the forms show them."""
        assert self.opened is not None
        mine = {n.removeprefix("model."): v for n, v in self._over.items() if n.startswith("model.")}
        return {**self.opened.model_options, **mine}

    def edit(self, changes: Mapping[str, Any]) -> bool:
        """Change dotted settings: now where nothing is lost, at the next start where a trained network would be.

        Returns:
            Whether they hold already.
        """
        if self.opened is None or not changes:
            return True
        engine, phase = self._bridge.engine, self._bridge.state.phase
        now = True
        self._over.update(changes)
        if set(changes) == {_RATE} and phase in ("running", "paused"):
            engine.set_learning_rate(float(changes[_RATE]))
        elif set(changes) == {_TEMPERATURE} and phase in ("running", "paused") and self._has_teacher:
            engine.set_temperature(float(changes[_TEMPERATURE]))
        elif phase == "ready":
            engine.configure(dict(changes))
            self._sent.append(dict(changes))
        elif phase == "opening" and self.reopening:
            engine.configure(dict(changes), self.opened.experiment.id)
            self._sent.append(dict(changes))
        else:
            self.pending.update(changes)
            now = False
        self.changed.emit()
        return now

    @property
    def _has_teacher(self) -> bool:
        return self.opened is not None and bool(self.opened.recipe.distillation.teacher)

    def apply(self) -> bool:
        """Let what waits hold, where no run would lose by it; return whether there was anything."""
        if not self.pending or self._bridge.state.phase in ("running", "paused"):
            return False
        changes, self.pending = self.pending, {}
        self._bridge.engine.configure(changes)
        self._sent.append(changes)
        return True

    def _follow(self, state: EngineState) -> None:
        if state.opened is not self.opened:
            before, self.opened = self.opened, state.opened
            self.pending.clear()
            self._settle(before)
            self.changed.emit()
        elif self._sent and state.phase not in ("ready", "opening"):  # all of it is done, or given up
            self._sent.clear()

    def _settle(self, before: Opened | None) -> None:
        """Let go of what holds now; what was edited since then stays before the person until it holds too."""
        opened = self.opened
        if opened is None or before is None or opened.experiment.id != before.experiment.id:
            self._sent.clear()
        # States overtake one another, so this one may answer several; changes that were refused never hold.
        done = [number for number, changes in enumerate(self._sent) if self._holds(changes)]
        del self._sent[: max([1, *(number + 1 for number in done)])]
        self._over = {name: value for changes in self._sent for name, value in changes.items()}

    def _holds(self, changes: Mapping[str, Any]) -> bool:
        """Whether the open experiment has these settings."""
        from guiapp.training.recipe import change

        assert self.opened is not None
        recipe, options = self.opened.recipe, self.opened.model_options
        mine = {name: value for name, value in changes.items() if not name.startswith("model.")}
        theirs = {name.removeprefix("model."): changes[name] for name in changes if name not in mine}
        return change(recipe, mine) == recipe and all(options.get(name) == value for name, value in theirs.items())
