"""What first weights do to signals: activations and gradients of every hidden layer under several rules."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from guiapp.models.activation import ACTIVATIONS
from guiapp.models.changed_places import ran, weight_layers
from guiapp.models.initial_weights import Rule, set_weights

BINS = 48
_FLAT = (nn.Tanh, nn.Sigmoid)
_SWAPPED = (nn.Tanh, nn.ReLU, nn.Sigmoid, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.ELU)
_DRAWING = (nn.modules.dropout._DropoutNd,)


@dataclass(frozen=True, eq=False)
class LayerSpread:
    """Outputs of one hidden layer, behind its activation.

    Attributes:
        layer: The dense layer or convolution.
        shown: The layer whose output it is: the activation behind it, else itself.
        counts: int64 (BINS,) between ``edges`` float64 (BINS + 1,).
        mean, deviation: Of the outputs.
        zero: Share of outputs that are exactly 0.
        saturated: Share within 0.03 of the ends of tanh or sigmoid; 0 for other activations.
        gradient: Deviation of the gradient of the loss by the outputs, times the number of samples.
    """

    layer: str
    shown: str
    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    mean: float
    deviation: float
    zero: float
    saturated: float
    gradient: float


def outputs_of(model: nn.Module, size: tuple[int, ...]) -> list[tuple[str, str]]:
    """Hidden dense layers and convolutions, each with the activation behind it, or itself where there is none."""
    weights = [name for name, _ in weight_layers(model, size)][:-1]
    found: list[tuple[str, str]] = []
    for one in ran(model, size):
        if one.name in weights:
            found.append((one.name, one.name))
        elif found and found[-1][0] == found[-1][1] and isinstance(one.module, _SWAPPED):
            found[-1] = (found[-1][0], one.name)
    return found


def with_activation(model: nn.Module, name: str) -> int:
    """Replace the activations of a network by another one; how many there were."""
    count = 0
    for module in list(model.modules()):
        for key, child in list(module.named_children()):
            if isinstance(child, _SWAPPED):
                setattr(module, key, ACTIVATIONS[name]())
                count += 1
    return count


def spreads(
    model: nn.Module,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    rule: Rule | None = None,
    activation: str = "own",
    seed: int = 0,
) -> tuple[LayerSpread, ...]:
    """Run a copy of a network forwards and backwards once.

    Batch normalisation uses the batch, as it does in training; nothing is left out at random. Neither the network nor
    torch's generator is changed.

    Args:
        model: Any classifier.
        inputs: (N, C, H, W).
        targets: Class indices (N,).
        rule: First weights to draw; None keeps the weights as they are.
        activation: ``"own"``, or what takes the place of all activations.
        seed: Of the weights.
    """
    size = tuple(inputs.shape[1:])
    made = copy.deepcopy(model).requires_grad_(True).train()
    for module in made.modules():
        if isinstance(module, _DRAWING) or hasattr(module, "draws"):
            module.eval()
    if activation != "own":
        with_activation(made, activation)
    if rule is not None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            set_weights([layer for _, layer in weight_layers(made, size)][:-1], rule)
    pairs = outputs_of(made, size)
    kept: dict[str, torch.Tensor] = {}
    handles = []

    def keep(name: str) -> None:
        def hear(_module: nn.Module, _given: object, gave: torch.Tensor) -> None:
            gave.retain_grad()
            kept[name] = gave

        handles.append(made.get_submodule(name).register_forward_hook(hear))

    for _, name in pairs:
        keep(name)
    try:
        with torch.enable_grad():
            functional.cross_entropy(made(inputs), targets).backward()  # type: ignore[no-untyped-call]
    finally:
        for handle in handles:
            handle.remove()
    count = len(targets)
    return tuple(
        _spread(layer, name, kept[name], isinstance(made.get_submodule(name), _FLAT), count) for layer, name in pairs
    )


def _spread(layer: str, shown: str, output: torch.Tensor, flat: bool, count: int) -> LayerSpread:
    values = output.detach().float().cpu().flatten().numpy()
    gradient = 0.0 if output.grad is None else float(output.grad.float().std()) * count
    ends = (-1.0, 1.0) if flat and (values < 0).any() else (0.0, 1.0)
    if flat:
        low, high = ends
    else:
        low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
        high = high if high > low else low + 1e-12
    counts, edges = np.histogram(values, BINS, (low, high))
    near = float(((values < ends[0] + 0.03) | (values > ends[1] - 0.03)).mean()) if flat else 0.0
    return LayerSpread(
        layer, shown, counts.astype(np.int64), edges, float(values.mean()), float(values.std()),
        float((values == 0).mean()), near, gradient,
    )  # fmt: skip


def compared(
    model: nn.Module,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    rules: Sequence[Rule | None],
    activation: str,
    seed: int,
) -> Generator[tuple[float, str], None, tuple[tuple[LayerSpread, ...], ...]]:
    """``spreads`` under each of several rules; yields share and words between them."""
    found = []
    for number, rule in enumerate(rules):
        yield number / len(rules), "weights as they are" if rule is None else f"first weights: {rule.name}"
        found.append(spreads(model, inputs, targets, rule, activation, seed))
    return tuple(found)
