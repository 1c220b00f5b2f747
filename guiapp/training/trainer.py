"""The training loop: a generator that yields after every step. It keeps no history but the step number.

What a step draws at random follows from the run's seed and the step (see ``seeds``), so a run that was interrupted,
or between whose steps others drew random numbers, ends with the same weights, bit for bit.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from guiapp.datasets.base import Part
from guiapp.tasks.base import Task
from guiapp.training import optimisers, seeds
from guiapp.training.evaluation import evaluating
from guiapp.training.events import Data, EpochEnd, Evaluating, Event, StepEnd
from guiapp.training.layout import has_maps, like, place
from guiapp.training.precision import use_mixed
from guiapp.training.recipe import Recipe
from guiapp.training.schedules import rate_with_changes


class Trainer:
    """Trains ``model`` in place.

    Attributes:
        step: Steps done.
        epoch: Epochs done, validation included.
        changes: Changes of the learning rate by hand, ``(steps done before, rate)``, in order.
    """

    def __init__(self, model: torch.nn.Module, task: Task, data: Data, recipe: Recipe, device: torch.device) -> None:
        self.model, self.task, self.data, self.recipe, self.device = place(model, device), task, data, recipe, device
        self._format = torch.channels_last if has_maps(model) else torch.contiguous_format
        self.step = self.epoch = 0
        self.steps_per_epoch = data.steps_per_epoch
        self.total_steps = recipe.epochs * data.steps_per_epoch
        self.changes: list[tuple[int, float]] = []
        self._wanted: collections.deque[float] = collections.deque()  # filled by other threads
        self._optimiser = optimisers.build(recipe.optimiser, model.parameters(), device)
        dtype = use_mixed(recipe.precision, model, device)
        self._scaler = torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)
        self._autocast: AbstractContextManager[Any] = (
            nullcontext() if dtype is None else torch.autocast(device.type, dtype)
        )
        exact = torch.float32 if device.type == "mps" else torch.float64
        self._loss_sum, self._correct_sum = (
            torch.zeros((), dtype=exact, device=device) for _ in range(2)
        )  # of the epoch
        self._seen = 0
        self._seconds = 0.0

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
        while self.epoch < self.recipe.epochs:
            while self.step < (self.epoch + 1) * self.steps_per_epoch:
                yield self._advance()
            validation = yield from self._validate()
            train = {"loss": self._loss_sum.item() / self._seen, "accuracy": self._correct_sum.item() / self._seen}
            self._loss_sum.zero_()
            self._correct_sum.zero_()
            seconds, self._seconds, self._seen = self._seconds, 0.0, 0
            self.epoch += 1
            yield EpochEnd(self.epoch, self.step, train, validation, seconds)

    def _advance(self) -> StepEnd:
        start = time.perf_counter()
        while self._wanted:
            earlier = [change for change in self.changes if change[0] != self.step]
            self.changes = [*earlier, (self.step, self._wanted.popleft())]
        lr = self.learning_rate
        for group in self._optimiser.param_groups:
            group["lr"] = lr
        inputs, targets = self.data.batch(self.step)
        if not self.model.training:
            self.model.train()
        seeds.seed_global(self.device, seeds.mix(self.recipe.seed, seeds.STEP, self.step))
        self._optimiser.zero_grad()
        with self._autocast:
            output = self.model(inputs.contiguous(memory_format=self._format))
            loss = self.task.loss(output, targets)
        if self._scaler.is_enabled():
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self._scaler.step(self._optimiser)
            self._scaler.update()
        else:
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
        loss, correct, count = loss.detach(), self.task.correct(output, targets), len(targets)
        self._loss_sum.add_(loss, alpha=count)
        self._correct_sum.add_(correct)
        self._seen += count
        self.step += 1
        self._seconds += time.perf_counter() - start
        return StepEnd(self.step, self.epoch, loss, correct, count, lr)

    def _validate(self) -> Generator[Evaluating, None, dict[str, float]]:
        start = time.perf_counter()
        part: Part = "validation"
        found = yield from evaluating(self.model, self.task, self.data.batches(part), self.data.size(part), self.step)
        self._seconds += time.perf_counter() - start
        return {"loss": found.loss, "accuracy": found.accuracy}

    def state(self) -> dict[str, Any]:
        """What must be kept to go on, beside the weights: plain numbers, and tensors under ``"tensors"``."""
        tensors = {"loss_sum": self._loss_sum.clone(), "correct_sum": self._correct_sum.clone()}
        for index, values in self._optimiser.state_dict()["state"].items():
            tensors.update({f"{index}.{name}": v for name, v in values.items() if isinstance(v, torch.Tensor)})
        plain = {"step": self.step, "epoch": self.epoch, "seen": self._seen, "seconds": self._seconds}
        return {**plain, "changes": list(self.changes), "scaler": self._scaler.state_dict(), "tensors": tensors}

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of ``state``, also after a round through JSON; the weights are loaded into the model apart."""
        self.step, self.epoch, self._seen, self._seconds = (state[k] for k in ("step", "epoch", "seen", "seconds"))
        self.changes = [(int(step), float(value)) for step, value in state["changes"]]
        if state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])
        kept: dict[int, dict[str, torch.Tensor]] = collections.defaultdict(dict)
        self._loss_sum.copy_(state["tensors"]["loss_sum"])
        self._correct_sum.copy_(state["tensors"]["correct_sum"])
        trained = [p for group in self._optimiser.param_groups for p in group["params"]]
        for name, tensor in state["tensors"].items():
            index, dot, inner = name.partition(".")
            if dot:
                kept[int(index)][inner] = like(tensor, trained[int(index)])
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": dict(kept), "param_groups": groups})
