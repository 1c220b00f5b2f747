"""Normalisation layers seen from within: statistics of batches against the running ones, values before and after."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

BINS = 60
_NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
)
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NormView:
    """One normalisation.

    Attributes:
        name, type: Of the layer.
        running: Running mean and deviation (2, C), or None where the layer keeps none.
        batches: Mean and deviation of what it is given in each batch, (B, 2, C).
        before, after: Counts of values given and returned, int64 (BINS,), between ``edges_before``, ``edges_after``.
        channels_last: Whether channels are the last dimension.
    """

    name: str
    type: str
    running: _Floats | None
    batches: _Floats
    before: npt.NDArray[np.int64]
    edges_before: npt.NDArray[np.float64]
    after: npt.NDArray[np.int64]
    edges_after: npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoModes:
    """The same samples with the statistics of their own batches and with the running ones.

    Attributes:
        count: Samples.
        batch: Samples a batch.
        loss_batch, right_batch: Mean loss and share of right ones as in training.
        loss_running, right_running: As in use.
    """

    count: int
    batch: int
    loss_batch: float
    right_batch: float
    loss_running: float
    right_running: float


@dataclass(frozen=True, eq=False)
class Statistics:
    """All normalisations of a network, in the order of the run, and what the two modes differ by."""

    layers: tuple[NormView, ...]
    modes: TwoModes


def norm_names(model: nn.Module) -> list[str]:
    """The normalisations of a network by name."""
    return [name for name, module in model.named_modules() if isinstance(module, _NORMS)]


def statistics(
    model: nn.Module, batches: Sequence[tuple[torch.Tensor, torch.Tensor]]
) -> Generator[tuple[float, str], None, Statistics]:
    """Look at every normalisation on some batches; works on a copy and yields between batches.

    Deviations are sqrt(variance + epsilon) of the layer, as it divides by them; the variance of a batch is the mean of
    squares (T4 (51)), the running one is the unbiased estimate that PyTorch keeps.

    Args:
        model: Any classifier.
        batches: Inputs (N, C, H, W) and class indices (N,); all of one size N of at least 2.
    """
    made = copy.deepcopy(model).requires_grad_(False).eval()
    names = norm_names(made)
    given: dict[str, list[_Floats]] = {name: [] for name in names}
    values: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    handles = []

    def listen(name: str) -> None:
        def hear(module: nn.Module, inputs: tuple[torch.Tensor, ...], gave: torch.Tensor) -> None:
            if not module.training:
                return
            moments = _moments(inputs[0], isinstance(module, nn.LayerNorm), float(getattr(module, "eps", 0.0)))
            given[name].append(moments)
            values.setdefault(name, (inputs[0].detach(), gave.detach()))

        handles.append(made.get_submodule(name).register_forward_hook(hear))

    for name in names:
        listen(name)
    totals = np.zeros((2, 2))
    count = 0
    try:
        with torch.no_grad():
            for number, (inputs, targets) in enumerate(batches):
                yield number / len(batches), f"batch {number + 1} of {len(batches)}"
                for row, training in enumerate((True, False)):
                    for module in made.modules():
                        if isinstance(module, _NORMS):
                            module.train(training)
                            if training and isinstance(module, nn.modules.batchnorm._BatchNorm):
                                module.momentum = 0.0  # looking must not move the running statistics
                    output = made(inputs)
                    totals[row] += (
                        float(functional.cross_entropy(output, targets, reduction="sum")),
                        float((output.argmax(1) == targets).sum()),
                    )
                count += len(targets)
    finally:
        for handle in handles:
            handle.remove()
    mean = totals / max(count, 1)
    modes = TwoModes(count, len(batches[0][1]), *mean[0].tolist(), *mean[1].tolist())
    views = [_view(name, made.get_submodule(name), given[name], *values[name]) for name in names if name in values]
    return Statistics(tuple(views), modes)


def _moments(values: torch.Tensor, last: bool, epsilon: float) -> _Floats:
    """Mean and deviation (2, C) of each channel over samples and places."""
    flat = (values.movedim(-1, 1) if last else values).float().transpose(0, 1).flatten(1)
    deviation = (flat.var(1, unbiased=False) + epsilon).sqrt()
    return torch.stack([flat.mean(1), deviation]).cpu().numpy()


def _view(name: str, module: nn.Module, batches: list[_Floats], before: torch.Tensor, after: torch.Tensor) -> NormView:
    running = None
    mean, variance = getattr(module, "running_mean", None), getattr(module, "running_var", None)
    if isinstance(mean, torch.Tensor) and isinstance(variance, torch.Tensor):
        epsilon = float(getattr(module, "eps", 0.0))
        running = torch.stack([mean, (variance + epsilon).sqrt()]).float().cpu().numpy()
    counts, edges = zip(*(_histogram(values) for values in (before, after)), strict=True)
    return NormView(
        name, type(module).__name__, running, np.stack(batches), counts[0], edges[0], counts[1], edges[1]
    )  # fmt: skip


def _histogram(values: torch.Tensor) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    flat = values.float().flatten().cpu().numpy()
    counts, edges = np.histogram(flat, BINS)
    return counts.astype(np.int64), edges
