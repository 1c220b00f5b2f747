"""The training loop: a generator that yields after every step. It keeps no history but the step number.

What a step draws at random follows from the run's seed and the step (see ``seeds``), so a run that was interrupted,
or between whose steps others drew random numbers, ends with the same weights, bit for bit.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from guiapp.tasks.base import Task
from guiapp.training import optimisers, seeds
from guiapp.training.callbacks import Callback, Callbacks
from guiapp.training.evaluation import Evaluation, evaluating
from guiapp.training.events import Data, EpochEnd, Evaluating, Event, StepEnd
from guiapp.training.gradients import gradients
from guiapp.training.layout import has_maps, in_order, place
from guiapp.training.objective import Objective
from guiapp.training.precision import in_precision
from guiapp.training.recipe import Recipe
from guiapp.training.schedules import has_momentum, momentum, rate_with_changes
from guiapp.training.trainer_state import load_state, state_of

if TYPE_CHECKING:
    from guiapp.training.ranks import Ranks


class Trainer:
    """Trains ``model`` in place.

    Attributes:
        step: Steps done.
        epoch: Epochs done, validation included.
        changes: Changes of the learning rate by hand, ``(steps done before, rate)``, in order.
        objective: What each step makes smaller.
        callbacks: What takes part in the steps, see ``callbacks``.
        optimiser: What changes the weights; groups with a ``"scale"`` learn at that share of the rate.
        forward: Gives the output of a batch: the network, or what wraps it (several processes).
        evaluated: The network that is validated and kept as best: ``model``, or an average of its weights.
        ranks: The processes that train together, or None.
        autocast, scaler: What makes the forward pass and the gradients of half precision, or nothing.
        finished: Set by a callback that ends the run before its last epoch.
        validated: The last validation, sample by sample, or None.
        loss_sum, correct_sum, seen, seconds: Of the epoch so far; what else must be kept is in ``trainer_state``.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        task: Task,
        data: Data,
        recipe: Recipe,
        device: torch.device,
        objective: Objective | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.model, self.task, self.data, self.recipe, self.device = place(model, device), task, data, recipe, device
        self.objective, self.callbacks = objective or Objective(task), Callbacks(callbacks)
        self.forward = self.evaluated = self.model
        self.finished = False
        self.ranks: Ranks | None = None
        self.validated: Evaluation | None = None
        self._format = torch.channels_last if has_maps(model) else torch.contiguous_format
        self.step = self.epoch = 0
        self.steps_per_epoch = data.steps_per_epoch
        self.total_steps = recipe.epochs * data.steps_per_epoch
        self.changes: list[tuple[int, float]] = []
        self._wanted: collections.deque[float] = collections.deque()  # filled by other threads
        self.optimiser = optimisers.build(recipe.optimiser, model.parameters(), device)
        self.autocast, self.scaler = in_precision(recipe.precision, model, device)
        self._has_momentum = has_momentum(recipe)
        exact = torch.float32 if device.type == "mps" else torch.float64
        self.loss_sum, self.correct_sum = (
            torch.zeros((), dtype=exact, device=device) for _ in range(2)
        )  # of the epoch
        self.seen = 0
        self.seconds = 0.0
        self.callbacks.attach(self)

    def set_learning_rate(self, value: float) -> None:
        """Give the next step this rate; the schedule goes on from it in proportion. From any thread."""
        self._wanted.append(value)

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        base, schedule = self.recipe.optimiser.lr, self.recipe.schedule
        return rate_with_changes(schedule, base, self.changes, self.step, self.total_steps, self.steps_per_epoch)

    def events(self) -> Iterator[Event]:
        """Train to the end of the recipe; stop by not asking for more. A trainer with a loaded state goes on."""
        while self.epoch < self.recipe.epochs and not self.finished:
            while self.step < (self.epoch + 1) * self.steps_per_epoch:
                yield self._advance()
            validation = yield from self._validate()
            train = {"loss": self.loss_sum.item() / self.seen, "accuracy": self.correct_sum.item() / self.seen}
            self.loss_sum.zero_()
            self.correct_sum.zero_()
            seconds, self.seconds, self.seen = self.seconds, 0.0, 0
            self.epoch += 1
            self.callbacks.after_epoch(train, validation)
            yield EpochEnd(self.epoch, self.step, train, validation, seconds)

    def _advance(self) -> StepEnd:
        start = time.perf_counter()
        while self._wanted:
            earlier = [change for change in self.changes if change[0] != self.step]
            self.changes = [*earlier, (self.step, self._wanted.popleft())]
        lr = self.learning_rate
        momentum_now = momentum(self.recipe, self.step, self.total_steps) if self._has_momentum else None
        optimisers.set_rates(self.optimiser, lr, momentum_now)
        self.callbacks.before_batch()
        inputs, targets = self.data.batch(self.step)
        if not self.model.training:
            self.model.train()
        rank = 0 if self.ranks is None else self.ranks.before_step(self)
        seeds.seed_global(self.device, seeds.mix(self.recipe.seed, seeds.STEP, seeds.of_rank(self.step, rank)))
        self.callbacks.before_step()
        loss, correct = gradients(self, in_order(inputs, self._format), targets)
        count = len(targets)
        if self.ranks is not None:
            loss, correct, count = self.ranks.figures(self.step, loss, correct)
        self.callbacks.before_update()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.loss_sum.add_(loss, alpha=count)
        self.correct_sum.add_(correct)
        self.seen += count
        self.step += 1
        self.callbacks.after_step()
        self.seconds += time.perf_counter() - start
        return StepEnd(self.step, self.epoch, loss, correct, count, lr)

    def _validate(self) -> Generator[Evaluating, None, dict[str, float]]:
        start = time.perf_counter()
        if self.ranks is not None:
            found = yield from self.ranks.evaluating(self.evaluated, self.task, "validation", self.step)
        else:
            batches, total = self.data.batches("validation"), self.data.size("validation")
            found = yield from evaluating(self.evaluated, self.task, batches, total, self.step)
        self.seconds += time.perf_counter() - start
        self.validated = found
        return {"loss": found.loss, "accuracy": found.accuracy}

    def state(self) -> dict[str, Any]:
        """What must be kept to go on, beside the weights; see ``trainer_state``."""
        return state_of(self)

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of ``state``, also after a round through JSON; the weights are loaded into the model apart."""
        load_state(self, state)
