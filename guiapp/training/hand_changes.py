"""Changes of a run made by hand: taken up between two steps, written down, and made anew when the run is resumed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from guiapp.core.notices import UserError
from guiapp.training.run_folder import RunFolder, now
from guiapp.training.trainer import Trainer

if TYPE_CHECKING:
    from guiapp.training.distillation import Distilling
    from guiapp.training.memory import MemoryTrainer


class HandChanges:
    """The learning rate, and the temperature of a teacher, as a person sets them.

    Args:
        trainer: Takes the changes up.
        folder: Where they are written down.

    Attributes:
        lines: Those that the trainer works with, as the folder has them: ``step``, ``what``, ``value``, ``time``.
    """

    def __init__(self, trainer: Trainer | MemoryTrainer, folder: RunFolder) -> None:
        self.lines: list[dict[str, Any]] = []
        self._trainer, self._folder = trainer, folder
        self._distilling: Distilling | None = None
        if isinstance(trainer, Trainer):
            found = (one for one in trainer.callbacks.all if one.name == "distillation")
            self._distilling = cast("Distilling | None", next(found, None))
        self._replay: list[dict[str, Any]] = []

    @property
    def temperature(self) -> float | None:
        """That of the next step; None without a teacher."""
        return None if self._distilling is None else self._distilling.temperature

    @property
    def rates_to_come(self) -> list[tuple[int, float]]:
        """Learning rates that are set anew when the run gets there, ``(steps done before, rate)``."""
        return [(line["step"], line["value"]) for line in self._replay if line["what"] == "lr"]

    def set_learning_rate(self, value: float) -> None:
        """Use this rate from the next step on.

        Raises:
            UserError: If it is none.
        """
        if not (math.isfinite(value) and value > 0):
            raise UserError(f"a learning rate is a number above 0, not {value}")
        self._trainer.set_learning_rate(value)

    def set_temperature(self, value: float) -> None:
        """Use this temperature of the teacher from the next step on.

        Raises:
            UserError: If the run has no teacher, or the temperature is none.
        """
        if self._distilling is None:
            raise UserError("the temperature changes in a run with a teacher, in one process")
        self._distilling.set_temperature(value)

    def follow(self) -> None:
        """Write down what the trainer has taken up, and hand it what is to be made anew; after each step."""
        for what, changes in self._taken_up():
            for step, value in changes[sum(line["what"] == what for line in self.lines) :]:
                line: dict[str, Any] = {"step": step, "what": what, "value": value}
                known = [c for c in self._folder.changes() if line.items() <= c.items()]
                line = known[0] if known else {**line, "time": now()}
                if not known:
                    self._folder.add_line(line)
                self.lines = [*self.lines, line]
        while self._replay and self._replay[0]["step"] <= self._trainer.step:
            line = self._replay.pop(0)
            if line["what"] == "lr":
                self._trainer.set_learning_rate(line["value"])
            else:
                self.set_temperature(line["value"])

    def resume(self) -> None:
        """Tell the changes that the trainer's state has from those that came after it, which are made anew."""
        left = {what: len(changes) for what, changes in self._taken_up()}
        for line in self._folder.changes():
            if left.get(line["what"], 0):
                left[line["what"]] -= 1
                self.lines = [*self.lines, line]
            else:
                self._replay.append(line)
        if self._replay and self._replay[0]["step"] <= self._trainer.step:
            self.follow()

    def _taken_up(self) -> list[tuple[str, list[tuple[int, float]]]]:
        """What the trainer works with, of each kind, ``(steps done before, value)``."""
        distilling = self._distilling
        return [("lr", self._trainer.changes), *([] if distilling is None else [("temperature", distilling.changes)])]
