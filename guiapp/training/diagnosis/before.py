"""Checks before a run (course text T4, section 8.8): labels, first loss, a handful learned by heart, a range of rates.

Each works on a network of its own and puts the random generators back, so that the run that follows is the same,
bit for bit, as without them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.training.diagnosis.labels import contradictions
from guiapp.training.events import StepEnd
from guiapp.training.features import training_data
from guiapp.training.objective import Objective, objective_of
from guiapp.training.recipe import Recipe, change
from guiapp.training.threads import threads_of
from guiapp.training.trainer import Trainer

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset, Part
    from guiapp.training.data import TrainingData
    from guiapp.training.setup import Setup

Verdict = Literal["good", "doubtful", "bad"]
Progress = tuple[float, str]

HANDFUL = 20
HANDFUL_STEPS = 200
RANGE = (1e-6, 10.0)
RANGE_STEPS = 120
_SCANNED = 4096
_SMOOTHING = 0.9
_FREE = ("augmentation", "penalty", "loss", "balance", "stopping", "observe", "clipping")
"""Groups of a recipe that are at their defaults while a handful is learned: nothing shall stand in the way."""


@dataclass(frozen=True)
class Checked:
    """What one check found.

    Attributes:
        verdict: How it went.
        text: In words, with figures.
        advice: What can be done, or empty.
    """

    verdict: Verdict
    text: str
    advice: str = ""


@dataclass(frozen=True)
class LabelCheck(Checked):
    """The labels of the training part.

    Attributes:
        contradictions: Groups of indices of training samples that are equal with different labels.
        counts: Training samples of each class.
    """

    contradictions: list[list[int]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class FirstLoss(Checked):
    """The loss before the first step, without penalty.

    Attributes:
        loss: Mean over some training batches, as training sees them.
        chance: log C.
    """

    loss: float = math.nan
    chance: float = math.nan


@dataclass(frozen=True)
class Handful(Checked):
    """A handful of samples, learned by heart without augmentation, dropout and penalties.

    Attributes:
        samples: Their number.
        losses, accuracies: Of each step.
        reached: Step from which all are right and the loss is below a tenth of log C, or None.
        rate: The rate it was done with.
    """

    samples: int = 0
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    reached: int | None = None
    rate: float = math.nan


@dataclass(frozen=True)
class RangeTest(Checked):
    """One step each at rates that grow by the same factor (Smith 2017, arXiv 1506.01186).

    Attributes:
        rates, losses, smoothed: Of each step, until the loss exploded.
        suggested: Rate where the smoothed loss falls fastest, or None where it does not fall.
        highest: Rate with the lowest smoothed loss: from there on the loss grows; or None.
    """

    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    smoothed: list[float] = field(default_factory=list)
    suggested: float | None = None
    highest: float | None = None


@dataclass(frozen=True)
class Checks:
    """All checks; those that were not done yet are None."""

    labels: LabelCheck | None = None
    first_loss: FirstLoss | None = None
    handful: Handful | None = None
    range_test: RangeTest | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Checks:
        """The inverse of ``as_dict``, also after a round through JSON."""
        kinds = {"labels": LabelCheck, "first_loss": FirstLoss, "handful": Handful, "range_test": RangeTest}
        nan = {"loss", "chance", "rate"}
        made: dict[str, Any] = {}
        for name, kind in kinds.items():
            found = data.get(name)
            if found is not None:
                made[name] = kind(**{k: math.nan if v is None and k in nan else v for k, v in found.items()})
        return cls(**made)


def checks(setup: Setup, device: torch.device) -> Generator[tuple[float, str, Checks], None, Checks]:
    """All checks, one after the other; yields the share done, what is being done and what is known, often.

    Global random generators and the number of threads are put back, also where it is closed early.

    Raises:
        UserError: For networks that are not trained by gradients.
    """
    if setup.entry.trained_by != "gradient":
        raise UserError(f"{setup.entry.title} only remembers its samples: there is nothing to check before a run")
    with put_back(device):
        yield 0.0, "reading labels", Checks()
        found = Checks(labels=check_labels(setup.dataset))
        model = setup.build_model()
        threads = threads_of(setup.recipe, model, setup.preprocessing.size)
        torch.set_num_threads(min(threads, torch.get_num_threads()))
        data = training_data(setup, device, model)
        for step in data.prepare():
            yield 0.02 + 0.08 * step.done / max(step.total, 1), "preparing samples", found
        found = replace(found, first_loss=check_first_loss(setup, data, model, device))
        begin, end = 0.12, 0.5
        going = check_handful(setup, data, device)
        while True:
            try:
                share, words = next(going)
            except StopIteration as stop:
                found = replace(found, handful=stop.value)
                break
            yield begin + (end - begin) * share, words, found
        tried = check_range(setup, data, device)
        while True:
            try:
                share, words = next(tried)
            except StopIteration as stop:
                found = replace(found, range_test=stop.value)
                break
            yield end + (1 - end) * share, words, found
        yield 1.0, "done", found
    return found


@contextmanager
def put_back(device: torch.device) -> Iterator[None]:
    """What a check changes outside of its own network is afterwards as it was."""
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    try:
        yield
    finally:
        torch.set_rng_state(state)
        torch.set_num_threads(threads)
        if on_device is not None:
            torch.cuda.set_rng_state(on_device, device)


def check_labels(dataset: Dataset) -> LabelCheck:
    """Equal pictures with different labels, classes without samples, classes of very different size."""
    labels = np.asarray(dataset.train.labels)
    counts = np.bincount(labels, minlength=len(dataset.classes))
    groups = contradictions(dataset.train)
    there = counts[counts > 0]
    words, advice, verdict = [], "", "good"
    empty = [dataset.classes[i] for i in np.flatnonzero(counts == 0)]
    if empty:
        words.append(f"no training sample of {', '.join(empty[:5])}{' …' if len(empty) > 5 else ''}")
        verdict, advice = "bad", "Add samples of the classes that have none, or leave these classes out."
    if groups:
        words.append(f"{len(groups)} pictures are there more than once with different labels")
        verdict, advice = "bad", "Look at these samples and keep the label that is right."
    if len(there) > 1 and there.max() > 10 * there.min():
        words.append(f"the largest class has {there.max()} samples, the smallest {there.min()}")
        verdict = "doubtful" if verdict == "good" else verdict
        advice = advice or "Weigh or draw the classes evenly (balance), and look at each class's own recall."
    said = "; ".join(words) or f"{len(labels):,} labels in {len(counts)} classes, {there.min()} to {there.max()} each"
    return LabelCheck(verdict, f"{said[:1].upper()}{said[1:]}.", advice, groups, counts.tolist())  # type: ignore[arg-type]


def check_first_loss(setup: Setup, data: TrainingData, model: nn.Module, device: torch.device) -> FirstLoss:
    """The mean loss of a fresh network over up to ten training batches, against log C."""
    model = model.to(device).train()
    objective, losses = objective_of(setup, device), []
    with torch.no_grad():
        for step in range(min(10, data.steps_per_epoch)):
            inputs, targets = data.batch(step)
            losses.append(float(objective.loss(inputs, model(inputs), targets)))
    loss, chance = float(np.mean(losses)), math.log(max(len(setup.classes), 2))
    text = f"The first loss is {loss:.3g}; log {len(setup.classes)} is {chance:.3g}."
    if not math.isfinite(loss):
        return FirstLoss(
            "bad", text, "Look for pixels that are not finite, and take smaller initial weights.", loss, chance
        )
    if loss > 1.5 * chance:
        advice = "The first scores are too sure: take smaller initial weights in the last layer."
        return FirstLoss("doubtful" if loss < 3 * chance else "bad", text, advice, loss, chance)
    if loss < 0.8 * chance:
        advice = "A fresh network knows too much: were weights loaded, is one class most of the samples?"
        return FirstLoss("doubtful", text, advice, loss, chance)
    return FirstLoss("good", text, "", loss, chance)


class _Few:
    """A handful of samples as the data of a run: one batch an epoch."""

    steps_per_epoch = 1
    clock: Callable[[bool], None] | None = None

    def __init__(self, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        self.inputs, self.targets = inputs, targets

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.inputs, self.targets

    def batches(self, part: Part) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        yield self.inputs[:1], self.targets[:1]

    def size(self, part: Part) -> int:
        return 1


def _handful(data: TrainingData, classes: int) -> _Few:
    """The first samples of each class, evenly, from the beginning of the training part, not augmented."""
    each = max(1, -(-HANDFUL // classes))
    taken: dict[int, list[torch.Tensor]] = {}
    scanned = 0
    for inputs, targets in data.batches("train"):
        for picture, target in zip(inputs, targets.tolist(), strict=True):
            if len(taken.setdefault(target, [])) < each:
                taken[target].append(picture)
        scanned += len(targets)
        if scanned >= _SCANNED or (len(taken) == classes and all(len(t) == each for t in taken.values())):
            break
    pairs = [
        (picture, target) for turn in range(each) for target, own in taken.items() for picture in own[turn : turn + 1]
    ]
    pairs = pairs[: max(HANDFUL, min(classes, 5 * HANDFUL))]
    device = pairs[0][0].device
    return _Few(torch.stack([picture for picture, _ in pairs]), torch.tensor([t for _, t in pairs], device=device))


def check_handful(setup: Setup, data: TrainingData, device: torch.device) -> Generator[Progress, None, Handful]:
    """Learn a handful by heart with the recipe's optimiser at its rate, then at a tenth of it where that fails."""
    few, chance = _handful(data, len(setup.classes)), math.log(max(len(setup.classes), 2))
    free = {name: type(getattr(setup.recipe, name))() for name in _FREE if hasattr(setup.recipe, name)}
    plain: Recipe = replace(setup.recipe, **free)
    plain = change(
        plain,
        {
            "schedule.name": "constant", "schedule.warmup": 0, "optimiser.weight_decay": 0, "accumulate": 1,
            "augmentation.name": "none", "epochs": HANDFUL_STEPS, "batch": len(few.targets),
        },
    )  # fmt: skip
    count = len(few.targets)
    best: Handful | None = None
    rates = (plain.optimiser.lr, plain.optimiser.lr / 10)
    for turn, rate in enumerate(rates):
        model = setup.build_model()
        training_data(setup, device, model)  # a frozen backbone is left away where its features are kept
        _without_chance(model)
        recipe = change(plain, {"optimiser.lr": rate})
        trainer = Trainer(model, setup.task, few, recipe, device, Objective(setup.task))
        losses: list[float] = []
        rights: list[float] = []
        reached = None
        for event in trainer.events():
            if not isinstance(event, StepEnd):
                continue
            losses.append(float(event.loss))
            rights.append(float(event.correct) / count)
            if rights[-1] == 1.0 and losses[-1] < 0.1 * chance:
                reached = event.step
                break
            if not math.isfinite(losses[-1]):
                break
            yield (turn + len(losses) / HANDFUL_STEPS) / len(rates), f"learning {count} samples by heart"
        tried = Handful("bad", "", "", count, losses, rights, reached, rate)
        best = tried if best is None or reached is not None else best
        if reached is not None:
            break
    assert best is not None
    return judge_handful(best, rates[0])


def judge_handful(found: Handful, asked: float) -> Handful:
    """What learning a handful by heart says where the recipe asks for the rate ``asked``."""
    if found.reached is not None and found.rate == asked:
        return replace(
            found, verdict="good", text=f"{found.samples} samples are learned by heart in {found.reached} steps."
        )
    if found.reached is not None:
        text = (
            f"{found.samples} samples are learned by heart in {found.reached} steps at {found.rate:.2g}, "
            f"not at {asked:.2g}."
        )
        return replace(found, verdict="doubtful", text=text, advice="Take a smaller rate; see the range test.")
    text = (
        f"{found.samples} samples are not learned by heart in {HANDFUL_STEPS} steps: "
        f"{max(found.accuracies):.0%} at best."
    )
    advice = "Look at rate, network and initial weights before anything else; equal samples may have different labels."
    return replace(found, text=text, advice=advice)


def _without_chance(model: nn.Module) -> None:
    """Nothing is dropped."""
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0


def check_range(setup: Setup, data: TrainingData, device: torch.device) -> Generator[Progress, None, RangeTest]:
    """Steps at growing rates, each on the next batch of the run, until the loss explodes."""
    low, high = RANGE
    rates = np.geomspace(low, high, RANGE_STEPS)
    model = setup.build_model()
    training_data(setup, device, model)
    recipe: Recipe = change(
        setup.recipe,
        {"schedule.name": "constant", "schedule.warmup": 0, "epochs": RANGE_STEPS, "observe.name": "off"},
    )
    trainer = Trainer(model, setup.task, data, recipe, device, objective_of(setup, device))
    losses: list[float] = []
    smoothed: list[float] = []
    events = trainer.events()
    mean = 0.0
    while len(losses) < len(rates):
        trainer.set_learning_rate(float(rates[len(losses)]))
        for event in events:
            if isinstance(event, StepEnd):
                break
            yield len(losses) / len(rates), "trying rates"
        else:
            break
        loss = float(event.loss)
        if not math.isfinite(loss):
            break
        losses.append(loss)
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        smoothed.append(mean / (1 - _SMOOTHING ** len(losses)))
        if smoothed[-1] > 2 * smoothed[0] and smoothed[-1] > 3 * min(smoothed):
            break
        yield len(losses) / len(rates), "trying rates"
    return judge_range(rates[: len(losses)].tolist(), losses, smoothed, setup.recipe.optimiser.lr)


def judge_range(rates: list[float], losses: list[float], smoothed: list[float], asked: float) -> RangeTest:
    """The suggestion of a range test, and what it says of the rate ``asked`` for."""
    found = RangeTest("bad", "", "", rates, losses, smoothed)
    advice = "Look at the network, its initial weights and the samples: the loss falls at no rate."
    if len(rates) < 10:
        return replace(found, text="The loss is not a number at the smallest rates.", advice=advice)
    curve = np.array(smoothed)
    lowest = int(curve.argmin())
    if curve[0] - curve[lowest] < 0.05 * abs(curve[0]):
        return replace(found, text=f"The loss hardly falls: {curve[0]:.3g} to {curve[lowest]:.3g}.", advice=advice)
    reach = 4
    slopes = np.full(len(curve), np.inf)
    slopes[reach:-reach] = curve[2 * reach :] - curve[: -2 * reach]
    steepest = int(slopes[: lowest + 1].argmin())
    suggested = float(f"{min(rates[steepest], rates[lowest] / 3):.1e}")
    top = rates[lowest]
    found = replace(found, suggested=suggested, highest=top)
    text = f"The loss falls fastest at {suggested:.2g} and no more from {top:.2g} on."
    if asked > top:
        return replace(
            found, verdict="bad", text=f"{text} The recipe's {asked:.2g} is too high.", advice=f"Try {suggested:.2g}."
        )
    if asked > 3 * suggested:
        text = f"{text} The recipe's {asked:.2g} is near the edge."
        return replace(found, verdict="doubtful", text=text, advice=f"Try {suggested:.2g}.")
    if asked < suggested / 30:
        return replace(
            found, verdict="doubtful", text=f"{text} The recipe's {asked:.2g} is low.", advice=f"Try {suggested:.2g}."
        )
    return replace(found, verdict="good", text=f"{text} The recipe's {asked:.2g} fits.")
