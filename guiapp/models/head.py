"""Where the head of a network begins: the last layer with weights, which tells the classes, and what runs after it.

What comes before is the backbone. Where it is frozen, what it gives for a picture is always the same: it can be worked
out once, kept, and fed to the head alone (course text T4, 8.9: a linear classifier on top of a pre-trained network).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from guiapp.core.notices import UserError

_DROPOUT = nn.modules.dropout._DropoutNd
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
_MAKE_UP = "features of a frozen backbone"


@dataclass(frozen=True)
class Head:
    """The end of a network, by names of its modules.

    Attributes:
        names: Modules that run one after the other from the features to the scores: dropout before the last layer
            belongs to them, for it draws anew at every step.
        layer: The one of them with the weights that tell the classes.
    """

    names: tuple[str, ...]
    layer: str


def find_head(model: nn.Module) -> Head:
    """The head of a network whose layers are registered in the order in which they run.

    Raises:
        UserError: If it has no layer with weights.
    """
    weighted = [name for name, module in model.named_modules() if _weighted(module)]
    if not weighted:
        raise UserError("this network has no layer whose weights tell the classes: nothing of it can be transferred")
    layer = weighted[-1]
    above, _, own = layer.rpartition(".")
    parent = model.get_submodule(above)
    if not isinstance(parent, nn.Sequential):
        return Head((layer,), layer)
    names = [name for name, _ in parent.named_children()]
    first = names.index(own)
    while first and isinstance(parent.get_submodule(names[first - 1]), _DROPOUT):
        first -= 1
    prefix = f"{above}." if above else ""
    return Head(tuple(prefix + name for name in names[first:]), layer)


def head_parameters(model: nn.Module, head: Head) -> list[str]:
    """Names of the parameters of a head."""
    begins = tuple(f"{name}." for name in head.names)
    return [name for name, _ in model.named_parameters() if name.startswith(begins)]


def body_groups(model: nn.Module, head: Head, count: int) -> list[list[str]]:
    """Parameters of the backbone in groups of neighbouring blocks, the last layers first.

    A block is a part of the network that stands by itself in its longest chain, such as a residual unit; a
    normalisation belongs to the layer before it.

    Args:
        model: The network.
        head: Its head, which is left out.
        count: Number of groups; fewer where there are fewer blocks.

    Returns:
        Names of parameters by group; together they are all that are not the head's.
    """
    own = set(head_parameters(model, head))
    blocks: list[list[str]] = []
    for prefix, module in _blocks(model, ""):
        names = [n for n in (f"{prefix}{name}" for name, _ in module.named_parameters()) if n not in own]
        if not names:
            continue
        if blocks and isinstance(module, _NORMS):
            blocks[-1] += names
        else:
            blocks.append(names)
    listed = {name for block in blocks for name in block}
    loose = [name for name, _ in model.named_parameters() if name not in own and name not in listed]
    if loose:  # parameters of the network itself, such as a class token: they act from the first layer on
        blocks[:0] = [loose]
    count = max(min(count, len(blocks)), 1)
    bounds = [round(number * len(blocks) / count) for number in range(count + 1)]
    groups = [[name for block in blocks[low:high] for name in block] for low, high in itertools.pairwise(bounds)]
    return [group for group in reversed(groups) if group]


def _blocks(module: nn.Module, prefix: str) -> list[tuple[str, nn.Module]]:
    """Children with parameters; one that holds most of the network in a chain is replaced by its own children."""
    children = [(name, c) for name, c in module.named_children() if next(c.parameters(), None) is not None]
    total = sum(p.numel() for p in module.parameters())
    found: list[tuple[str, nn.Module]] = []
    for name, child in children:
        inner = [c for c in child.children() if next(c.parameters(), None) is not None]
        share = sum(p.numel() for p in child.parameters()) / max(total, 1)
        if len(inner) > 1 and (share > 0.5 or len(children) <= 2) and not _weighted(child):
            found += _blocks(child, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}.", child))
    return found


def feature_shape(model: nn.Module, head: Head, size: tuple[int, int, int]) -> tuple[int, ...] | None:
    """Shape, without the batch, of what the head is given for inputs of ``size``; the network is run once.

    Returns:
        None where the head does not give the network's output by itself, so that features alone are not enough.
    """
    inputs = torch.linspace(-1.5, 1.5, math.prod(size)).reshape(1, *size)  # draws nothing from torch's generators
    place = next(model.parameters()).device
    with _evaluating(model), torch.no_grad():
        output, features = _run(model, head, inputs.to(place))
        if features is None or not isinstance(output, torch.Tensor):
            return None
        again = run_head(model, head, features)
        if again.shape != output.shape or not torch.allclose(again, output, rtol=1e-4, atol=1e-5):
            return None
    return tuple(features.shape[1:])


def features_of(model: nn.Module, head: Head, inputs: torch.Tensor) -> torch.Tensor:
    """What the backbone gives for prepared pictures (N, C, H, W), in evaluation mode and without gradients.

    The network's mode is put back; no hook stays behind.
    """
    with _evaluating(model), torch.no_grad():
        features = _run(model, head, inputs)[1]
    if features is None:
        raise UserError(f"{head.names[0]} is never run: this network's features cannot be kept")
    return features.detach()


def run_head(model: nn.Module, head: Head, features: torch.Tensor) -> torch.Tensor:
    """Scores (N, classes) of features (N, ...) by the head alone, in the mode that it is in."""
    for name in head.names:
        features = model.get_submodule(name)(features)
    return features.flatten(1)


def take_features(model: nn.Module, head: Head, shape: tuple[int, ...]) -> None:
    """Let the network be called with features of ``shape`` (without the batch) as well as with pictures.

    Its class becomes one of the same name below it; names of its weights and its answers to pictures stay as they are.
    """
    kind: Any = type(model)

    def forward(self: Any, inputs: torch.Tensor) -> Any:
        if tuple(inputs.shape[1:]) == shape:
            return run_head(self, head, inputs)
        return kind.forward(self, inputs)

    model.__class__ = type(kind.__name__, (kind,), {"forward": forward, "__doc__": kind.__doc__, "fed": _MAKE_UP})


def _run(model: nn.Module, head: Head, inputs: torch.Tensor) -> tuple[Any, torch.Tensor | None]:
    given: list[torch.Tensor] = []

    def keep(_module: nn.Module, arguments: tuple[Any, ...]) -> None:
        given.append(arguments[0])

    handle = model.get_submodule(head.names[0]).register_forward_pre_hook(keep)
    try:
        return model(inputs), given[0] if given else None
    finally:
        handle.remove()


class _evaluating:
    """Evaluation mode while it is entered; every module gets its own mode back."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def __enter__(self) -> None:
        self._modes = [(module, module.training) for module in self._model.modules()]
        self._model.eval()

    def __exit__(self, *_: object) -> None:
        for module, training in self._modes:
            module.training = training


def _weighted(module: nn.Module) -> bool:
    weight = getattr(module, "weight", None)
    return isinstance(weight, nn.Parameter) and weight.ndim >= 2
