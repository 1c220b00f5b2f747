"""Changes of a network's layers after it is built, whatever its family: swapped, put in, replaced.

Where layers stand is found by running the network once on zeros. A layer that is put in stands beside its neighbour in
a ``nn.Sequential``; elsewhere the two take the neighbour's place together. Order of the changes: normalisation, then
what draws at random, then the input. Without changes nothing is touched and nothing is drawn.
"""

from __future__ import annotations

import dataclasses
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.changed_layers import (
    ChannelsLast,
    DropConnectLinear,
    FractionalAvgPool,
    FractionalMaxPool,
    FractionalPool,
    MeanImage,
    PrincipalAxes,
    ScaleShift,
    SkippedBranch,
    StochasticDepth,
)
from guiapp.models.cifar_resnet import ResidualUnit

OPTION = "changes"
"""Name under which changes stand beside the options of a builder, as text."""
INPUT = "prepare"
"""Name of a layer that prepares the input."""

_WEIGHTS = (nn.Linear, nn.modules.conv._ConvNd)
_NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    ScaleShift,
)
_POOLS: dict[type[nn.Module], type[FractionalPool]] = {nn.MaxPool2d: FractionalMaxPool, nn.AvgPool2d: FractionalAvgPool}
MOST_NUMBERS = 4096
"""Numbers of a picture whose principal axes are found: 64x64 grey, 36x36 in colour."""


@dataclass(frozen=True)
class Changes:
    """What is changed; the defaults change nothing.

    Attributes:
        normalisation: ``"own"``, ``"none"``, ``"batch"``, ``"layer"``, ``"instance"``, ``"group"``.
        groups: Of group normalisation.
        dropout: Probability of a unit to be left out, or None for the network's own.
        dropconnect: Probability of a weight of a dense layer to be left out.
        depth: Probability of the last residual branch to be left out; earlier ones in proportion to their place.
        pooling: ``"own"`` or ``"fractional"``.
        pool_share: Size that fractional pooling leaves.
        input: ``""``, ``"mean-image"``, ``"pca"``, ``"whitening"``.
        components: Principal axes that are kept.
        back: Whether coordinates along them are turned back into a picture.
    """

    normalisation: str = "own"
    groups: int = 8
    dropout: float | None = None
    dropconnect: float = 0.0
    depth: float = 0.0
    pooling: str = "own"
    pool_share: float = 0.7
    input: str = ""
    components: int = 256
    back: bool = True

    @property
    def any(self) -> bool:
        """Whether it changes something of some network."""
        return (
            self.normalisation != "own"
            or self.dropout is not None
            or self.dropconnect > 0
            or self.depth > 0
            or self.pooling != "own"
            or self.input != ""
        )

    def text(self) -> str:
        """What differs from the defaults as one line of JSON."""
        plain = Changes()
        found = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return json.dumps({name: value for name, value in found.items() if value != getattr(plain, name)})

    @classmethod
    def from_text(cls, text: str) -> Changes:
        """The inverse of ``text``.

        Raises:
            UserError: If it is none.
        """
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError):
            raise UserError(f"changes of a network are not readable: {text[:80]}") from None


@dataclass(frozen=True)
class _Ran:
    """A module that ran: its name, and the shapes of what it was given and gave, batch included."""

    name: str
    module: nn.Module
    given: tuple[int, ...]
    gave: tuple[int, ...]


def changed(model: nn.Module, size: tuple[int, int, int], changes: Changes) -> nn.Module:
    """Change the layers of a fresh network, in place.

    Args:
        model: On the CPU.
        size: Channels, height, width of its input.
        changes: What to change.

    Returns:
        The network to go on with; the very same where nothing changes.

    Raises:
        UserError: If the network has no place for a change; the line says why.
    """
    if not changes.any:
        return model
    mode = model.training
    if changes.normalisation != "own":
        _normalise(model, size, changes.normalisation, changes.groups)
    if changes.pooling == "fractional":
        _pool(model, size, changes.pool_share)
    if changes.dropconnect:
        _drop_connections(model, size, changes.dropconnect)
    if changes.dropout is not None:
        _drop_units(model, size, changes.dropout)
    if changes.depth:
        _skip_branches(model, size, changes.depth)
    if changes.input:
        _prepare_input(model, size, changes)
    return model.train(mode)


def ran(model: nn.Module, size: tuple[int, ...], before: Callable[[nn.Module, Any], None] | None = None) -> list[_Ran]:
    """The modules of a network that run, in the order in which they end; nothing of it changes, nothing is drawn."""
    found: list[_Ran] = []
    handles: list[Any] = []
    modes = {module: module.training for module in model.modules()}
    first = next(model.parameters(), torch.zeros(0))

    def heard(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hear(module: nn.Module, given: Any, gave: Any) -> None:
            shape = tuple(given[0].shape) if given and isinstance(given[0], torch.Tensor) else ()
            found.append(_Ran(name, module, shape, tuple(gave.shape) if isinstance(gave, torch.Tensor) else ()))

        return hear

    try:
        for name, module in model.named_modules():
            if name:
                handles.append(module.register_forward_hook(heard(name)))
                if before is not None:
                    handles.append(module.register_forward_pre_hook(before))
        model.eval()
        with torch.no_grad():
            model(torch.zeros(2, *size, device=first.device))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    seen: set[str] = set()
    return [one for one in found if not (one.name in seen or seen.add(one.name))]  # type: ignore[func-returns-value]


def weight_layers(model: nn.Module, size: tuple[int, ...]) -> list[tuple[str, nn.Module]]:
    """Dense layers and convolutions with their names, in the order in which they run; the last gives the scores."""
    return [(one.name, one.module) for one in ran(model, size) if isinstance(one.module, _WEIGHTS)]


# ---------------------------------------------------------------- where a layer goes


def _parent(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    above, _, own = name.rpartition(".")
    return (model.get_submodule(above) if above else model), own


def _replace(model: nn.Module, name: str, new: nn.Module) -> None:
    parent, own = _parent(model, name)
    parent._modules[own] = new


def _beside(model: nn.Module, name: str, called: str, new: nn.Module, after: bool) -> None:
    """Put a layer before or after another one."""
    parent, own = _parent(model, name)
    old = parent._modules[own]
    assert old is not None
    if type(parent).forward is nn.Sequential.forward:
        pairs: list[tuple[str, nn.Module | None]] = []
        for key, module in parent._modules.items():
            extra = (f"{key}_{called}", new)
            pairs += [(key, module), extra] if after else [extra, (key, module)]
            if key != own:
                pairs.remove(extra)
        parent._modules.clear()
        parent._modules.update(pairs)
        return
    both = [(own.rpartition(".")[2], old), (called, new)]
    parent._modules[own] = nn.Sequential(OrderedDict(both if after else both[::-1]))


# ---------------------------------------------------------------- normalisation


def _normalise(model: nn.Module, size: tuple[int, ...], kind: str, groups: int) -> None:
    order = ran(model, size)
    own = [one for one in order if isinstance(one.module, _NORMS)]
    if own:
        for one in own:
            new = _norm_like(one.module, one.given, kind, groups)
            if new is not None:
                _replace(model, one.name, new)
        return
    if kind == "none":
        raise UserError("this network has no normalisation to leave out")
    layers = [one for one in order if isinstance(one.module, _WEIGHTS)][:-1]
    made = [(one, _norm(kind, one.gave, one.module, groups)) for one in layers]
    if not any(new is not None for _, new in made):
        why = "this network has no hidden layer" if not layers else "its hidden layers give single numbers, not maps"
        raise UserError(f"{kind} normalisation has no place here: {why}")
    for one, new in made:
        if new is not None:
            _beside(model, one.name, "norm", new, after=True)


def _norm_like(module: nn.Module, given: tuple[int, ...], kind: str, groups: int) -> nn.Module | None:
    """Another normalisation in the place of one that is there, with its learned scale and shift; None to leave it."""
    same = {
        "none": ScaleShift,
        "batch": nn.modules.batchnorm._BatchNorm,
        "layer": nn.LayerNorm,
        "instance": nn.modules.instancenorm._InstanceNorm,
        "group": nn.GroupNorm,
    }[kind]
    if isinstance(module, same) and not (kind == "group" and isinstance(module, nn.GroupNorm)):
        return None
    last = type(module).forward is nn.LayerNorm.forward and len(getattr(module, "normalized_shape", ())) == 1
    channels = given[-1] if last else given[1]
    new: nn.Module | None
    if kind == "none" or (kind == "instance" and (len(given) < 3 or _single(given, last))):
        new = ScaleShift(channels, last)
    elif last:
        shape = (given[0], channels, *given[1:-1])
        inner = _made(kind, shape, groups)
        new = ChannelsLast(inner) if len(given) > 2 else inner
    else:
        new = _made(kind, given, groups)
    with torch.no_grad():
        for name in ("weight", "bias"):
            old, fresh = getattr(module, name, None), _inner(new, name)
            if old is not None and fresh is not None and old.shape == fresh.shape:
                fresh.copy_(old)
    return new


def _inner(norm: nn.Module, name: str) -> torch.Tensor | None:
    found = getattr(norm.norm if isinstance(norm, ChannelsLast) else norm, name, None)
    return found if isinstance(found, torch.Tensor) else None


def _single(shape: tuple[int, ...], last: bool) -> bool:
    """Whether there is one place only."""
    places = shape[1:-1] if last else shape[2:]
    return all(length == 1 for length in places)


def _norm(kind: str, gave: tuple[int, ...], layer: nn.Module, groups: int) -> nn.Module | None:
    """A normalisation behind a layer; None where it cannot be: over places, of single numbers."""
    last = isinstance(layer, nn.Linear) and len(gave) > 2
    if kind == "instance" and (len(gave) < 3 or _single(gave, last)):
        return None
    if not last:
        return _made(kind, gave, groups)
    if kind == "layer":
        return nn.LayerNorm(gave[-1])
    return ChannelsLast(_made(kind, (gave[0], gave[-1], *gave[1:-1]), groups))


def _made(kind: str, shape: tuple[int, ...], groups: int) -> nn.Module:
    """A normalisation of values (N, C, ...)."""
    channels, flat, maps = shape[1], len(shape) == 2, len(shape) == 4
    if kind == "batch":
        return nn.BatchNorm2d(channels) if maps else nn.BatchNorm1d(channels)
    if kind == "instance":
        return (nn.InstanceNorm2d if maps else nn.InstanceNorm1d)(channels, affine=True)
    if kind == "layer":  # over all channels and places of a sample, with a scale and shift for each channel
        return nn.LayerNorm(channels) if flat else nn.GroupNorm(1, channels)
    return nn.GroupNorm(max(g for g in range(1, min(groups, channels) + 1) if channels % g == 0), channels)


# ---------------------------------------------------------------- what draws at random


def _hidden(order: list[_Ran]) -> list[_Ran]:
    """Dense layers that are given what another layer has learned."""
    layers = [one for one in order if isinstance(one.module, _WEIGHTS)]
    return [one for one in layers[1:] if isinstance(one.module, nn.Linear)]


def _drop_units(model: nn.Module, size: tuple[int, ...], rate: float) -> None:
    own = [module for module in model.modules() if isinstance(module, nn.modules.dropout._DropoutNd)]
    if own:
        for module in own:
            module.p = rate
        return
    dense = _hidden(ran(model, size))
    if not dense and rate:
        raise UserError("dropout has no place here: no dense layer of this network is given hidden units")
    for one in dense if rate else ():
        _beside(model, one.name, "dropout", nn.Dropout(rate), after=False)


def _drop_connections(model: nn.Module, size: tuple[int, ...], rate: float) -> None:
    dense = [one for one in ran(model, size) if isinstance(one.module, nn.Linear)]
    if not dense:
        raise UserError("DropConnect has no place here: this network has no dense layer")
    for one in dense[:-1] or dense:
        assert isinstance(one.module, nn.Linear)
        _replace(model, one.name, DropConnectLinear.of(one.module, rate))


def branch_ends(module: nn.Module) -> tuple[str, ...]:
    """Names of the parts of a residual unit that give what is added to its shortcut; empty for anything else.

    A family of its own says it with an attribute ``branch_ends``; units of torchvision are known by their names.
    """
    own = getattr(module, "branch_ends", None)
    if own is not None:
        return tuple(own)
    whole, name = type(module).__module__, type(module).__name__
    if isinstance(module, ResidualUnit):  # without its shortcut it is two layers of a plain network
        return () if module.shortcut is None else (getattr(module, "_inner", ("bn2",))[-1],)
    if not whole.startswith("torchvision.models."):
        return ()
    if name in ("BasicBlock", "Bottleneck"):
        return ("bn2",) if name == "BasicBlock" else ("bn3",)
    if name == "InvertedResidual" and getattr(module, "use_res_connect", False):
        return ("conv",) if hasattr(module, "conv") else ("block",)
    return ()


def _skip_branches(model: nn.Module, size: tuple[int, ...], rate: float) -> None:
    built = [module for module in model.modules() if type(module).__name__ == "StochasticDepth"]
    ends = [f"{name}.{end}" if name else end for name, module in model.named_modules() for end in branch_ends(module)]
    running = {one.name for one in ran(model, size)}
    ends = [name for name in ends if name in running]
    if built:
        for place, module in enumerate(built, 1):
            module.p = rate * place / len(built)  # type: ignore[assignment]
        return
    if not ends:
        raise UserError("stochastic depth has no place here: this network has no shortcuts beside which to leave out")
    for place, name in enumerate(ends, 1):
        share = rate * place / len(ends)
        old = model.get_submodule(name)
        if isinstance(old, nn.MultiheadAttention):
            _replace(model, name, SkippedBranch(old, share))
        elif type(old).forward is nn.Sequential.forward:
            old.add_module("stochastic_depth", StochasticDepth(share))
        else:
            own = name.rpartition(".")[2]
            both = OrderedDict([(own, old), ("stochastic_depth", StochasticDepth(share))])
            _replace(model, name, nn.Sequential(both))


def _pool(model: nn.Module, size: tuple[int, ...], share: float) -> None:
    pools = [
        one
        for one in ran(model, size)
        if type(one.module) in _POOLS and len(one.given) == 4 and one.gave[2] < one.given[2] and one.gave[2] > 1
    ]
    if not pools:
        raise UserError("fractional pooling has no place here: this network has no pooling to replace")
    for one in pools:
        assert isinstance(one.module, nn.MaxPool2d | nn.AvgPool2d)
        kernel = one.module.kernel_size
        side = kernel if isinstance(kernel, int) else kernel[0]
        _replace(model, one.name, _POOLS[type(one.module)](max(side, 2), share))
    try:
        ran(model, size, _refit)
    except RuntimeError as error:
        raise UserError(f"fractional pooling has no place here: {str(error).splitlines()[0][:120]}") from None


def _refit(module: nn.Module, given: Any) -> None:
    """A dense layer that is given more numbers than before gets as many new weights, as large for their number."""
    if not isinstance(module, nn.Linear) or not given or given[0].shape[-1] == module.in_features:
        return
    count = given[0].shape[-1]
    old = module.weight
    weight = torch.empty(module.out_features, count, dtype=old.dtype, device=old.device)
    spread = float(old.detach().std()) if old.device.type != "meta" else 1.0
    nn.init.normal_(weight, std=spread * (module.in_features / count) ** 0.5)
    module.weight, module.in_features = nn.Parameter(weight), count


# ---------------------------------------------------------------- the input


def _prepare_input(model: nn.Module, size: tuple[int, int, int], changes: Changes) -> None:
    """Put the layer there with zeros; ``training.preparation`` fits it to the training part."""
    layer: nn.Module
    if changes.input == "mean-image":
        layer = MeanImage(size)
    else:
        numbers = size[0] * size[1] * size[2]
        if numbers > MOST_NUMBERS:
            raise UserError(
                f"principal axes are found for up to {MOST_NUMBERS} numbers a picture; this network takes {numbers}: "
                "subtract the mean image or the mean of the channels"
            )
        if not changes.back and not isinstance(next(iter(weight_layers(model, size)))[1], nn.Linear):
            raise UserError(
                "coordinates along principal axes are no picture that a convolution could read: "
                "set preprocessing.back=true"
            )
        layer = PrincipalAxes(size, min(changes.components, numbers), changes.back)
    others = dict(model._modules)
    model._modules.clear()
    model._modules.update({INPUT: layer, **others})
    if type(model).forward is not nn.Sequential.forward:
        _feed_through(model)


def _feed_through(model: nn.Module) -> None:
    """Let a network with a forward pass of its own begin with its layer ``INPUT``, under its own class name."""
    kind = type(model)

    def forward(self: Any, inputs: torch.Tensor, *more: Any) -> Any:
        return kind.forward(self, self.get_submodule(INPUT)(inputs), *more)

    members: Mapping[str, Any] = {"forward": forward, "__module__": kind.__module__, "__doc__": kind.__doc__}
    model.__class__ = type(kind.__name__, (kind,), dict(members))
