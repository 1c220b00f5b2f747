"""Observes some steps of a run from within: updates, gradients, activations, times. It changes no number of the run.

Hooks sit on the layers during an observed step alone; everything is reduced on the device, and the few numbers that are
left come to the processor without holding up what goes on there.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from guiapp.training.callbacks import Callback
from guiapp.training.diagnosis.labels import confident_mistakes
from guiapp.training.diagnosis.record import (
    ACTIVATION_DECADES,
    ACTIVATION_UNIT,
    BINS,
    FIGURES,
    GRADIENT_DECADES,
    GRADIENT_UNIT,
    STAGES,
    ObservedLayer,
    Writer,
    due,
)

if TYPE_CHECKING:
    from guiapp.training.setup import Setup

_MOST_VALUES = 1 << 16
"""Of a layer's output that go into its histogram: whole samples, evenly from the batch."""
_RECTIFIERS = ("ReLU", "ReLU6", "Threshold", "Hardtanh", "Hardswish", "SquaredReLU")
_ACTIVATIONS = (
    *_RECTIFIERS, "LeakyReLU", "PReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Softplus", "Tanh", "Sigmoid",
    "Hardsigmoid", "Softsign", "RReLU",
)  # fmt: skip
_SLOPE = 0.06
"""A unit is saturated where the slope of its activation is below this share of the steepest."""


def observer_of(setup: Setup) -> Observer | None:
    """The observer of a run, where its recipe asks for one."""
    return Observer(setup.recipe.observe.every) if setup.recipe.observe.name == "on" else None


class Observer(Callback):
    """Notes what happens in one step in ``every`` (more at the beginning), for ``record.read``.

    A run that writes no folder, such as one of several processes but the first, is not observed.

    Args:
        every: Steps between two observations.
    """

    name = "observer"

    def __init__(self, every: int) -> None:
        self._every = every
        self._writer: Writer | None = None
        self._layers: tuple[ObservedLayer, ...] | None = None
        self._hooks: list[Any] = []
        self._outputs: dict[str, torch.Tensor] = {}
        self._order: list[tuple[nn.Module, str, int]] = []
        self._calls: Counter[str] = Counter()
        self._before: list[torch.Tensor] = []
        self._watching = self._timing = False
        self._marks: list[float] = []
        self._moving = 0.0
        self._times, self._samples = [math.nan] * len(STAGES), math.nan
        self._batch = 0
        self._waiting: tuple[list[float], torch.Tensor, Any] | None = None

    def in_folder(self, folder: Path, step: int) -> None:
        """Begin to note, after what there is of the run up to ``step``."""
        self._writer = Writer(folder, step, self.trainer.epoch)
        self._layers = self._writer.layers

    def close(self) -> None:
        """Write what waits, take hooks away."""
        self._unhook()
        self._write_waiting()
        if self._writer is not None:
            self._writer.close()

    # ------------------------------------------------------------------ moments of a step

    def before_batch(self) -> None:
        """Decide what is done in this step; begin to time it."""
        if self._writer is None:
            return
        step = self.trainer.step + 1
        self._watching = self._watching or due(step, self._every)  # until a step has changed the weights
        self._timing = not self._watching and due(step + 1, self._every)
        if self._timing:
            self._marks, self._moving = [], 0.0
            self.trainer.data.clock = self._clock
            self._mark()

    def before_step(self) -> None:
        """The batch is there."""
        if self._timing:
            self.trainer.data.clock = None
            self._mark()
        elif self._watching:
            self._write_waiting()
            self._hook()

    def after_forward(self, output: torch.Tensor, targets: torch.Tensor) -> None:
        """The output is there."""
        if self._timing:
            self._mark()
            self._samples = len(targets) + (self._samples if len(self._marks) > 3 else 0.0)
        elif self._watching:
            self._unhook()
            self._batch = len(targets)

    def before_update(self) -> None:
        """Keep the weights as they are before the update."""
        if self._timing:
            self._mark()
        elif self._watching:
            if self._layers is None:
                self._settle_layers()
            self._before = [weight.detach().clone() for weight in self._weights()]

    @torch.no_grad()
    def after_step(self) -> None:
        """Reduce what was seen to a few numbers, on their way to the processor."""
        if self._timing:
            self._timing = False
            self._mark()
            begun, came, first, *_, ready, done = self._marks
            # Where a batch is taken in parts, each begins where the one before ends: all count as long as the first.
            forward = min((first - came) * (len(self._marks) - 4), ready - came)
            fetched = came - begun - self._moving
            self._times = [fetched, self._moving, forward, ready - came - forward, done - ready]
        elif self._watching and self._before:
            self._watching = False
            table = self._table()
            general = [self.trainer.step, self._samples, self._batch, *self._times]
            self._before, self._outputs = [], {}
            self._times, self._samples = [math.nan] * len(STAGES), math.nan
            if table.device.type == "cuda":
                there = torch.empty(table.shape, pin_memory=True)
                there.copy_(table, non_blocking=True)
                event = torch.cuda.Event()  # type: ignore[no-untyped-call]
                event.record()
                self._waiting = general, there, event
            else:
                self._waiting = general, table, None
                self._write_waiting()

    def after_epoch(self, train: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """Note the mistakes of the validation that are as sure as right answers."""
        found = self.trainer.validated
        if self._writer is not None and found is not None and found.count:
            noted = confident_mistakes(found.truth, found.predicted, found.confidence)
            self._writer.add_epoch({"epoch": self.trainer.epoch, "step": self.trainer.step, **noted})

    # ------------------------------------------------------------------ time

    def _mark(self) -> None:
        if self.trainer.device.type == "cuda":
            torch.cuda.synchronize(self.trainer.device)
        self._marks.append(time.perf_counter())

    def _clock(self, moving: bool) -> None:
        """The data begin or end to move a batch to the device."""
        if self.trainer.device.type == "cuda" and not moving:
            torch.cuda.synchronize(self.trainer.device)
        self._moving += -time.perf_counter() if moving else time.perf_counter()

    # ------------------------------------------------------------------ layers

    def _hook(self) -> None:
        """Listen to the layers with weights and the activations for one forward pass."""
        self._unhook()
        self._order, self._outputs = [], {}
        self._calls = Counter()
        wanted = None
        if self._layers is not None:
            wanted = {(layer.activation or layer.name, layer.call) for layer in self._layers}

        def heard(module: nn.Module, _inputs: Any, output: Any) -> None:
            name = names[module]
            call = self._calls[name]
            self._calls[name] += 1
            if wanted is None:
                self._order.append((module, name, call))
            if (wanted is None or (name, call) in wanted) and isinstance(output, torch.Tensor):
                with torch.no_grad(), torch.autocast(output.device.type, enabled=False):
                    self._outputs[f"{name}:{call}"] = _of_output(output.detach(), type(module).__name__)

        names = {module: name for name, module in self.trainer.model.named_modules() if _listened(module)}
        self._hooks = [module.register_forward_hook(heard) for module in names]

    def _unhook(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _settle_layers(self) -> None:
        """From the first pass that was heard: layers with weights in their order, each with its activation."""
        found: list[ObservedLayer] = []
        for module, name, call in self._order:
            kind = type(module).__name__
            if kind in _ACTIVATIONS:
                if found and not found[-1].activation:
                    found[-1] = replace(found[-1], activation=name, activation_type=kind, call=call)
            elif call == 0:
                found.append(ObservedLayer(name, kind))
        self._layers = tuple(found)
        assert self._writer is not None
        self._writer.set_layers(self._layers)

    def _weights(self) -> list[torch.Tensor]:
        """The weights of the layers; an empty tensor where the network has no such layer any more."""
        modules = dict(self.trainer.model.named_modules())
        weights = [getattr(modules.get(layer.name), "weight", None) for layer in self._layers or ()]
        return [w if isinstance(w, torch.Tensor) else torch.zeros(0, device=self.trainer.device) for w in weights]

    # ------------------------------------------------------------------ numbers

    def _table(self) -> torch.Tensor:
        """Figures and both histograms of every layer, (L, numbers of a layer), on the device."""
        weights = self._weights()
        before = [w.float() for w in self._before]
        norms = torch.stack(torch._foreach_norm(before))
        updates = torch.stack(torch._foreach_norm([w.float() - b for w, b in zip(weights, before, strict=True)]))
        missing = torch.full((), math.nan, device=norms.device)
        rows = []
        for place, (layer, weight) in enumerate(zip(self._layers or (), weights, strict=True)):
            gradient = weight.grad
            norm, histogram = (missing, torch.zeros(BINS, device=norms.device))
            if gradient is not None and gradient.numel():
                norm, histogram = gradient.float().norm(), _histogram(gradient, GRADIENT_UNIT, GRADIENT_DECADES)
            key = f"{layer.activation or layer.name}:{layer.call}"
            output = self._outputs.get(key)
            if output is None:
                output = torch.cat([missing.expand(len(FIGURES) - 3), torch.zeros(BINS, device=norms.device)])
            # A weight that is all zeros, as a last layer may begin, has no ratio.
            learns = gradient is not None
            ratio = torch.where(norms[place] > 0, updates[place] / norms[place], missing) if learns else missing
            rows.append(torch.cat([torch.stack([ratio, norm, norms[place]]), output, histogram]))
        return torch.stack(rows) if rows else torch.zeros(0, len(FIGURES) + 2 * BINS)

    def _write_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and self._writer is not None:
            general, table, event = waiting
            if event is not None:
                event.synchronize()
            self._writer.add(general, table.cpu().numpy())


def _listened(module: nn.Module) -> bool:
    """Whether a module is an activation, or has weights of its own that are a matrix or kernels."""
    weight = module._parameters.get("weight")
    return type(module).__name__ in _ACTIVATIONS or (weight is not None and weight.ndim >= 2)


def _of_output(output: torch.Tensor, kind: str) -> torch.Tensor:
    """``mean``, ``std``, ``dead``, ``saturated`` and the histogram of an output, one tensor on its device."""
    missing = torch.full((), math.nan, device=output.device)
    dead = saturated = missing
    if output.ndim < 2 or not output.numel():
        return torch.cat([missing.expand(4), torch.zeros(BINS, device=output.device)])
    if kind in _RECTIFIERS and kind != "Hardtanh":
        axes = [axis for axis in range(output.ndim) if axis != (output.ndim - 1 if output.ndim == 3 else 1)]
        dead = (output.amax(axes) <= 0).float().mean()
    values = output[:: max(1, -(-output.numel() // _MOST_VALUES))].float()
    if kind in _FLAT:
        saturated = _FLAT[kind](values).float().mean()
    std, mean = torch.std_mean(values, correction=0)
    return torch.cat(
        [torch.stack([mean, std, dead, saturated]), _histogram(values, ACTIVATION_UNIT, ACTIVATION_DECADES)]
    )


_Flat = Callable[[torch.Tensor], torch.Tensor]
_FLAT: dict[str, _Flat] = {
    "Tanh": lambda y: 1 - y * y < _SLOPE,
    "Sigmoid": lambda y: 4 * y * (1 - y) < _SLOPE,
    "Softsign": lambda y: (1 - y.abs()) ** 2 < _SLOPE,
    "Hardtanh": lambda y: y.abs() >= 1,
    "Hardsigmoid": lambda y: (y <= 0) | (y >= 1),
    "ReLU6": lambda y: y >= 6,
}
"""Which outputs lie where the slope is below ``_SLOPE`` of the steepest, by activation."""


def _histogram(values: torch.Tensor, unit: float, decades: float) -> torch.Tensor:
    """Shares in the bins of ``record.bin_edges``, (BINS,)."""
    values = values.detach().float().reshape(-1)
    if len(values) > 2 * _MOST_VALUES:
        values = values[:: len(values) // _MOST_VALUES]
    places = (
        (values * (0.5 / unit)).asinh_().mul_(1 / math.log(10.0)).nan_to_num_(nan=decades).clamp_(-decades, decades)
    )
    return torch.histc(places, BINS, -decades, decades) / len(places)
