"""Distillation: a network learns the softened answers of a teacher beside the labels (Hinton et al. 2015).

Course text T1, 9 (ensembling; the temperature resizes scores, so that the answer is smoother and shows what the teacher
thinks of the other classes); T4, 12 (distillation).
"""

from __future__ import annotations

import collections
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from guiapp.core.notices import SettingError, UserError
from guiapp.tasks.classification import ClassificationTask
from guiapp.training.callbacks import Callback
from guiapp.training.objective import Objective
from guiapp.training.teachers import Teacher, Teachers, names_of, open_teacher

if TYPE_CHECKING:
    from guiapp.training.recipe_together import Distillation
    from guiapp.training.setup import Setup
    from guiapp.training.trainer import Trainer


class Distilled(Objective):
    """The loss of the labels and that of the teacher, by shares.

    With a the share, z the student's scores, v the teacher's and T the temperature, a batch of N costs

        (1 - a) L(z, y) + a T² / N sum_n sum_k q_nk log(q_nk / p_nk),   q = softmax(v / T), p = softmax(z / T).

    T² keeps the size of the gradient where T changes: for large T it is that of (z - v)² / (2 K) (Hinton et al. 2015).

    Attributes:
        labels: The objective without the teacher.
        teachers: Who is asked.
        share: a.
        temperature: T of the next step.
    """

    def __init__(self, labels: Objective, teachers: Teachers, share: float, temperature: float) -> None:
        super().__init__(labels.task)
        self.labels, self.teachers, self.share, self.temperature = labels, teachers, share, temperature

    def loss(self, inputs: torch.Tensor, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch, 0-d."""
        if self.share == 0.0:
            return self.labels.loss(inputs, output, targets)
        wanted = self.teachers.softened(inputs, self.temperature)
        said = torch.log_softmax(output.float() / self.temperature, 1)
        taught = self.temperature**2 * functional.kl_div(said, wanted, reduction="batchmean")
        if self.share == 1.0:
            return taught
        return (1.0 - self.share) * self.labels.loss(inputs, output, targets) + self.share * taught

    def penalty(self, model: torch.nn.Module) -> torch.Tensor | None:
        """That of the objective without the teacher."""
        return self.labels.penalty(model)


class Distilling(Callback):
    """Gives each step its temperature, which a person may change, and remembers who the teachers were.

    Attributes:
        changes: Changes by hand, ``(steps done before, temperature)``, in order.
        temperature: Of the next step.
    """

    name = "distillation"

    def __init__(self, options: Distillation) -> None:
        self.temperature = options.temperature
        self.changes: list[tuple[int, float]] = []
        self._wanted: collections.deque[float] = collections.deque()  # filled by other threads

    def attach(self, trainer: Trainer) -> None:
        """Find the objective."""
        super().attach(trainer)
        assert isinstance(trainer.objective, Distilled)
        self._objective = trainer.objective
        self._digest = self._objective.teachers.digest()

    def set_temperature(self, value: float) -> None:
        """Use this temperature from the next step on. From any thread.

        Raises:
            UserError: If it is none.
        """
        if not (math.isfinite(value) and 0.1 <= value <= 100.0):
            raise UserError(f"a temperature lies between 0.1 and 100, not {value}")
        self._wanted.append(value)

    def before_step(self) -> None:
        """Take a change up."""
        while self._wanted:
            earlier = [change for change in self.changes if change[0] != self.trainer.step]
            self.temperature = self._wanted.popleft()
            self.changes = [*earlier, (self.trainer.step, self.temperature)]
        self._objective.temperature = self.temperature

    def state(self) -> tuple[Any, dict[str, torch.Tensor]]:
        """The changes so far, and a digest of the teachers."""
        return {"changes": list(self.changes), "teachers": self._digest}, {}

    def load_state(self, kept: Any, tensors: Mapping[str, torch.Tensor]) -> None:
        """The inverse of ``state``.

        Raises:
            UserError: If the teachers are others now.
        """
        if not kept:
            return
        if kept["teachers"] != self._digest:
            raise UserError("the teacher of this run has other weights now: it cannot go on as it began")
        self.changes = [(int(step), float(value)) for step, value in kept["changes"]]
        if self.changes:
            self.temperature = self.changes[-1][1]


def distilled(setup: Setup, labels: Objective, device: torch.device) -> Objective:
    """The objective of a run with its teacher; ``labels`` itself where the recipe names none.

    Raises:
        SettingError: If the teacher is not there, tells other classes apart, or has learned what this run validates on.
    """
    wanted = setup.recipe.distillation
    names = names_of(wanted.teacher)
    if not names:
        return labels
    if getattr(type(setup.task), "loss", None) is not ClassificationTask.loss:
        raise SettingError("a teacher needs the cross-entropy of the task classification")
    teachers = [open_teacher(name) for name in names]
    for teacher in teachers:
        check_teacher(teacher, setup)
    side = tuple(setup.dataset.sample_shape[1:])
    asked = Teachers(teachers, setup.preprocessing, device, (side[0], side[1]))
    return Distilled(labels, asked, wanted.share, wanted.temperature)


def check_teacher(teacher: Teacher, setup: Setup) -> None:
    """Refuse a teacher that cannot teach this run.

    Raises:
        SettingError: If it tells other classes apart, or has learned samples that this run validates on.
    """
    if tuple(teacher.classes) != tuple(setup.classes):
        raise SettingError(
            f"{teacher.name} tells {len(teacher.classes)} other classes apart ({', '.join(teacher.classes[:3])}, …): "
            "a teacher knows those of this data set"
        )
    if teacher.setup is None or teacher.setup.dataset_name != setup.dataset_name:
        return
    theirs, ours = teacher.setup.recipe.data, setup.recipe.data
    if (theirs.folds, theirs.folds and theirs.fold) != (ours.folds, ours.folds and ours.fold):
        raise SettingError(f"{teacher.name} has learned samples that this run validates on: its folds are others")


def distilling(setup: Setup) -> Callback | None:
    """What changes the temperature of a run with a teacher."""
    return Distilling(setup.recipe.distillation) if names_of(setup.recipe.distillation.teacher) else None
