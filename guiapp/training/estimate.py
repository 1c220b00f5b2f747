"""What a run will take, for the line beside Start: a few steps are timed on a copy that is thrown away."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from guiapp.core.notices import UserError
from guiapp.training import optimisers
from guiapp.training.data import kept_bytes
from guiapp.training.features import keeps_features
from guiapp.training.gradients import parts_of
from guiapp.training.layout import place
from guiapp.training.newton import NewtonCG
from guiapp.training.setup import Setup
from guiapp.training.teachers import names_of, open_teacher

if TYPE_CHECKING:
    from guiapp.datasets.base import Part
    from guiapp.training.teachers import Teacher

_STATES = {
    "gd": 0,
    "newton": 5,
    "sgd": 0,
    "momentum": 1,
    "nesterov": 1,
    "adagrad": 1,
    "rmsprop": 2,
    "adam": 2,
    "adamw": 2,
}
_SECOND_ORDER = 3  # the graph of the gradient holds about twice what the forward pass does
_PROBE_BATCH = 4
_TIMED_BATCH = 128
_TIMED_STEPS = 8
_TIMED_SECONDS = 0.5
_SHARE = 0.9  # of the free memory that a run may fill


@dataclass(frozen=True)
class Estimate:
    """Time and memory of a run.

    Attributes:
        seconds: Training and validation of the whole recipe.
        bytes: Peak memory beside what the program takes already: weights, gradients, optimiser, activations, data.
        refused: Why it cannot run here, or None.
    """

    seconds: float
    bytes: int
    refused: str | None = None

    @property
    def text(self) -> str:
        """One line for a person, such as ``"about 40 s, 120 MB"``."""
        return f"about {_duration(self.seconds)}, {_size(self.bytes)}" if math.isfinite(self.seconds) else ""


def estimate(
    setup: Setup, device: torch.device, model: torch.nn.Module | None = None
) -> Generator[None, None, Estimate]:
    """Time and memory of a run; yields between pieces of a few milliseconds to some steps, returns an ``Estimate``.

    Nothing of the run is touched: the network is a copy, its dropout is off so that no random number is drawn, and
    its inputs are zeros.

    Args:
        setup: The run.
        device: Where it would run.
        model: The network, where there is one already; otherwise it is built under torch's saved random state.
    """
    twin = copy.deepcopy(model) if model is not None else _build(setup)
    weights = _bytes(twin)
    trained = sum(p.numel() * p.element_size() for p in twin.parameters() if p.requires_grad)
    recipe, counts = setup.recipe, {part: len(setup.dataset.part(part)) for part in _parts()}
    batch = min(recipe.batch, max(counts["train"], 1))
    sample = 4 * math.prod(setup.preprocessing.size)
    kept = sum(n * sample for n in counts.values() if n * sample <= kept_bytes(recipe))
    if setup.entry.trained_by == "memory":
        return _checked(math.nan, weights + 3 * kept, device)
    place(twin, device)
    averaged = weights * (recipe.average.name != "none")  # a second network, whatever learns
    yield
    if recipe.transfer.name == "head" and keeps_features(setup):
        # Every sample goes through the network once; what the head then takes is small beside it.
        forward = yield from _forward(setup, twin, device)
        looked_at = counts["train"] * max(recipe.transfer.views, 1) + counts["validation"]
        total = 2 * weights + trained * (1 + _STATES[recipe.optimiser.name]) + averaged
        return _checked(looked_at * forward, int(total), device)
    activations = _activations(setup, twin, device)
    whole = max(counts["train"], 1) if recipe.optimiser.name == "gd" else batch
    part = -(-whole // parts_of(recipe, whole))
    held = part * activations * (_SECOND_ORDER if recipe.optimiser.name == "newton" else 1)
    total = weights + trained * (1 + _STATES[recipe.optimiser.name]) + kept + held + whole * 2 * sample
    total += weights * (recipe.keep == "best") + averaged
    teachers = _teachers(setup, device)
    total += sum(_bytes(one.module) + part * largest_pair(one, device) for one in teachers)
    found = _checked(0.0, int(total), device)
    yield
    if found.refused is not None:
        return _checked(math.nan, int(total), device)
    timed = min(part, _TIMED_BATCH)  # a piece must not take long: larger batches take longer in proportion
    step, forward = yield from _timed(setup, twin, device, timed)
    for teacher in teachers:
        step += timed * (yield from _asked(teacher, timed, device))
    step *= batch / timed
    steps = recipe.epochs * max(math.ceil(counts["train"] / recipe.batch), 1)
    evaluated = counts["validation"] * recipe.epochs + counts["train"]
    return _checked(steps * step + evaluated * forward, int(total), device)


def _parts() -> tuple[Part, Part]:
    return "train", "validation"


def _bytes(model: torch.nn.Module) -> int:
    """Of weights and buffers."""
    return sum(t.numel() * t.element_size() for t in [*model.parameters(), *model.buffers()])


def _teachers(setup: Setup, device: torch.device) -> list[Teacher]:
    """Whom the run learns from, on the device; none where one cannot be opened, which the start tells."""
    if not setup.recipe.distillation.teacher:
        return []
    try:
        found = [open_teacher(name) for name in names_of(setup.recipe.distillation.teacher)]
    except UserError:
        return []
    for one in found:
        one.module.to(device)
    return found


def largest_pair(teacher: Teacher, device: torch.device) -> int:
    """Bytes a sample that a look without gradients holds at most: what a layer is given and what it gives."""
    most = 0

    def heard(_module: torch.nn.Module, given: tuple[Any, ...], gave: Any) -> None:
        nonlocal most
        both = [t for t in (*given, gave) if isinstance(t, torch.Tensor)]
        most = max(most, sum(t.numel() * t.element_size() for t in both))

    leaves = [module for module in teacher.module.modules() if not any(module.children())]
    handles = [module.register_forward_hook(heard) for module in leaves]
    try:
        with torch.no_grad():
            teacher.module(torch.zeros(1, *teacher.preprocessing.size, device=device))
    finally:
        for handle in handles:
            handle.remove()
    return most


def _asked(teacher: Teacher, batch: int, device: torch.device) -> Generator[None, None, float]:
    """Seconds in which a teacher answers about one sample of a batch."""
    inputs = torch.zeros(batch, *teacher.preprocessing.size, device=device)

    def look() -> None:
        with torch.no_grad():
            teacher.module(inputs)

    return (yield from _median(look, device)) / batch


def _build(setup: Setup) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        return setup.build_model(fitted=False)


@contextmanager
def _without_dropout(model: torch.nn.Module) -> Iterator[None]:
    """Training mode, but nothing that draws random numbers."""
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd) or hasattr(module, "draws"):
            module.eval()
    yield
    model.train()


def _activations(setup: Setup, model: torch.nn.Module, device: torch.device) -> int:
    """Bytes a sample that the backward pass needs kept, counted on a small batch."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    seen: dict[int, int] = {}
    keep: list[torch.Tensor] = []  # storages must not be freed and their addresses used again while counting

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and storage.data_ptr() not in seen:
            seen[storage.data_ptr()] = storage.nbytes()
            keep.append(tensor.detach())
        return tensor.detach()  # the tensor itself would tie the graph into a knot that is never freed

    inputs = torch.zeros(_PROBE_BATCH, *setup.preprocessing.size, device=device)
    targets = torch.zeros(_PROBE_BATCH, dtype=torch.int64, device=device)
    with _without_dropout(model), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        setup.task.loss(model(inputs), targets)
    # The gradients of the largest activations are alive beside them.
    return sum(seen.values()) // _PROBE_BATCH + max(seen.values(), default=0) // _PROBE_BATCH


def _timed(
    setup: Setup, model: torch.nn.Module, device: torch.device, batch: int
) -> Generator[None, None, tuple[float, float]]:
    """Seconds of one step, and of the forward pass of one sample."""
    inputs = torch.zeros(batch, *setup.preprocessing.size, device=device)
    targets = torch.zeros(batch, dtype=torch.int64, device=device)
    optimiser = optimisers.build(setup.recipe.optimiser, model.parameters(), device)

    def train() -> None:
        optimiser.zero_grad()
        with _without_dropout(model):
            if isinstance(optimiser, NewtonCG):
                with optimiser.differentiable():
                    optimiser.backward(setup.task.loss(model(inputs), targets))
            else:
                setup.task.loss(model(inputs), targets).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    def look() -> None:
        model.eval()
        with torch.no_grad():
            model(inputs)

    step = yield from _median(train, device)
    forward = yield from _median(look, device)
    return step, forward / batch


def _forward(setup: Setup, model: torch.nn.Module, device: torch.device) -> Generator[None, None, float]:
    """Seconds of the forward pass of one sample by itself."""
    inputs = torch.zeros(1, *setup.preprocessing.size, device=device)

    def look() -> None:
        model.eval()
        with torch.no_grad():
            model(inputs)

    return (yield from _median(look, device))


def _median(work: Any, device: torch.device) -> Generator[None, None, float]:
    times: list[float] = []
    began = time.perf_counter()
    while len(times) <= _TIMED_STEPS and (len(times) < 2 or time.perf_counter() - began < _TIMED_SECONDS):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
        times.append(time.perf_counter() - start)
        yield
    later = sorted(times[1:])  # the first one allocates
    return later[len(later) // 2]


def _checked(seconds: float, size: int, device: torch.device) -> Estimate:
    free = free_memory(device)
    if size > _SHARE * free:
        where = "the graphics card" if device.type == "cuda" else "memory"
        return Estimate(
            seconds,
            size,
            f"this run needs about {_size(size)} and {where} has {_size(int(free))} free: choose a smaller batch, "
            "network or data set",
        )
    return Estimate(seconds, size)


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "1 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _size(count: int) -> str:
    value = count / 1e6
    return f"{max(value, 1):.0f} MB" if value < 1000 else f"{value / 1000:.1f} GB"
