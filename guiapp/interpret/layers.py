"""The layers of any network, found by running it once: names, kinds, output shapes, parameters, as a tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from guiapp.interpret.detail import detail_of, joined_text
from guiapp.interpret.maps import is_channels_last
from guiapp.interpret.receptive_field import FieldTracker, ReceptiveField

_KINDS: tuple[tuple[str, str], ...] = (
    (r"Conv(Transpose)?[123]d$", "conv"),
    (r"Linear$", "dense"),
    (r"(Max|Avg|LP)Pool|MaxUnpool", "pool"),
    (r"(Batch|Layer|Group|Instance|RMS)Norm|LocalResponseNorm", "norm"),
    (r"Dropout|DropPath|StochasticDepth", "dropout"),
    (r"^(Flatten|Unflatten|Upsample|Identity|ZeroPad.*)$", "shape"),
    (r"Attention", "attention"),
    (r"Embedding", "embedding"),
    (r"^(RNN|LSTM|GRU)", "recurrent"),
)


@dataclass(frozen=True)
class LayerInfo:
    """One module of a network.

    Attributes:
        name: Qualified name, such as ``"features.0"``.
        type: Class name, such as ``"Conv2d"``.
        depth: 0 for modules directly in the network.
        parent: Name of the module that holds it, ``""`` for the network.
        output_shape: Without the batch, such as ``(6, 28, 28)``; of the first tensor where it gives several, of the
            last call where it is called more than once, ``()`` where it gives none.
        parameters: Number of weights and biases in it and below, shared ones counted once.
        has_weights: Whether it has filters of its own to look at: a weight of two or more dimensions.
        kind: ``"conv"``, ``"dense"``, ``"activation"``, ``"pool"``, ``"norm"``, ``"dropout"``, ``"shape"``,
            ``"attention"``, ``"embedding"``, ``"recurrent"``, ``"container"`` or ``"other"``.
        receptive_field: The input pixels that a unit of its output depends on; those of a dense layer see all that
            the maps before it see. None where it is not known: the input is no picture, units of flattened maps see
            different places, or an operation before it is none of convolution, pooling, padding and pointwise ones.
        detail: What it does in the short form of the field, such as ``"64 → 128, 3×3, stride 2"``; of a container
            whose parts are joined channel by channel, ``"64 + 128 + 32 + 32 joined"``; or empty.
        channels_last: Whether its output is height, width, channels; ``output_shape`` has them in the usual order.
    """

    name: str
    type: str
    depth: int
    parent: str
    output_shape: tuple[int, ...]
    parameters: int
    has_weights: bool
    kind: str
    receptive_field: ReceptiveField | None = None
    detail: str = ""
    channels_last: bool = False


def first_tensor(output: Any) -> torch.Tensor | None:
    """The first tensor in what a module returned (a tensor, or nested tuples, lists and mappings), or None."""
    if isinstance(output, torch.Tensor):
        return output
    values = output.values() if isinstance(output, dict) else output if isinstance(output, tuple | list) else ()
    return next((found for value in values if (found := first_tensor(value)) is not None), None)


def layer_list(model: nn.Module, input_size: tuple[int, ...]) -> list[LayerInfo]:
    """Run ``model`` once on zeros in evaluation mode and list the modules that took part.

    Modules come in the order in which they are first run, each container before what it holds, so that the list is
    a tree read from top to bottom. Modules that do not run (auxiliary heads in evaluation mode) are left out. Hooks
    are removed and train/eval flags restored whatever happens; no random number is drawn.

    Args:
        model: Any network; on the meta device nothing is computed.
        input_size: Channels, height, width (any shape without the batch).

    Returns:
        The layers, the network itself left out.
    """
    first = next(iter([*model.parameters(), *model.buffers()]), torch.zeros(0))
    dtype = first.dtype if first.is_floating_point() else torch.float32
    modes = {module: module.training for module in model.modules()}
    input = torch.zeros(1, *input_size, dtype=dtype, device=first.device)
    try:
        model.eval()
        layers, _ = layers_of_run(model, lambda: model(input), input if input.ndim == 4 else None)
    finally:
        for module, training in modes.items():
            module.training = training
    return layers


def layers_of_run(
    model: nn.Module, run: Callable[[], object], input: torch.Tensor | None = None
) -> tuple[list[LayerInfo], tuple[int, int] | None]:
    """List the modules of ``model`` that take part in ``run``, whatever parts of it that calls.

    Args:
        model: Any network.
        run: Runs it once; gradients are off.
        input: The picture (N, C, H, W) that receptive fields refer to. By default the first picture of three channels
            that a module is called with: for detectors the scaled picture that their backbone sees.

    Returns:
        The layers as ``layer_list`` gives them, and height and width of that picture, None where there was none.
    """
    named = {
        module: name
        for name, module in model.named_modules()
        if name and not isinstance(module, torch.jit.ScriptModule)  # it calls no hooks
    }
    order: dict[str, int] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    given: dict[str, int] = {}
    fields: dict[str, ReceptiveField | None] = {}
    tracker = FieldTracker()
    extent: list[tuple[int, int]] = []
    handles: list[Any] = []

    def begin(picture: torch.Tensor) -> None:
        extent.append((picture.shape[-2], picture.shape[-1]))
        tracker.begin(picture)

    def enter(module: nn.Module, arguments: Any) -> None:
        order.setdefault(named[module], len(order))
        first = arguments[0] if arguments else None
        if isinstance(first, torch.Tensor) and first.ndim > 1:
            given[named[module]] = first.shape[1]
        if not extent and isinstance(first, torch.Tensor) and first.ndim == 4 and first.shape[1] == 3:
            begin(first)

    def leave(module: nn.Module, arguments: Any, output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is not None:
            shapes[named[module]] = tuple(tensor.shape[1:])
            fields[named[module]] = tracker.field_of(tensor)

    try:
        for module in named:
            handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
        if input is not None:
            begin(input)
        with torch.no_grad(), tracker:
            run()
    finally:
        for handle in handles:
            handle.remove()
    ran = _with_parents(order)
    layers = [
        _info(name, depth, module, shapes, fields.get(name), given.get(name, 0), extent[0] if extent else None)
        for name, depth, module in _tree(model, "", 0, ran)
    ]
    return layers, extent[0] if extent else None


def _tree(module: nn.Module, name: str, depth: int, order: dict[str, int]) -> Iterator[tuple[str, int, nn.Module]]:
    """Children that ran, by the first run of anything in them, each followed by its own."""
    found = []
    for child_name, child in module.named_children():
        full = f"{name}.{child_name}" if name else child_name
        if full in order:
            found.append((order[full], full, child))
    for _, full, child in sorted(found, key=lambda item: item[0]):
        yield full, depth, child
        yield from _tree(child, full, depth + 1, order)


def _with_parents(order: dict[str, int]) -> dict[str, int]:
    """When each module, or the first in it, was run; a list of layers is never called itself."""
    first: dict[str, int] = {}
    for name, place in order.items():
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            parent = ".".join(parts[:length])
            first[parent] = min(place, first.get(parent, place))
    return first


def _info(
    name: str,
    depth: int,
    module: nn.Module,
    shapes: dict[str, tuple[int, ...]],
    field: ReceptiveField | None,
    given: int,
    extent: tuple[int, int] | None,
) -> LayerInfo:
    weight, shape = getattr(module, "weight", None), shapes.get(name, ())
    last = is_channels_last(shape, extent)
    return LayerInfo(
        name=name,
        type=type_of(module).rpartition(".")[2],
        depth=depth,
        parent=name.rpartition(".")[0],
        output_shape=(shape[2], shape[0], shape[1]) if last else shape,
        parameters=sum(p.numel() for p in module.parameters()),
        has_weights=isinstance(weight, nn.Parameter) and weight.ndim >= 2,
        kind=kind_of(module),
        receptive_field=field,
        detail=detail_of(module) or _joined(name, module, shapes, given),
        channels_last=last,
    )


def _joined(name: str, module: nn.Module, shapes: dict[str, tuple[int, ...]], given: int) -> str:
    """How the maps of what a container holds are joined to its own, where they all are of one size."""
    own = shapes.get(name, ())
    parts = [shapes[f"{name}.{child}"] for child, _ in module.named_children() if f"{name}.{child}" in shapes]
    if len(own) != 3 or any(part[1:] != own[1:] for part in parts):
        return ""
    return joined_text(own[0], given, [part[0] for part in parts])


def type_of(module: nn.Module) -> str:
    """Full name of a module's class; in a ``torch.export`` program of the class that it was before."""
    kind = type(module)
    said = module.type_name() if kind.__module__ == "torch.export.unflatten" else None  # type: ignore[operator]
    return said if isinstance(said, str) and said else f"{kind.__module__}.{kind.__name__}"


def kind_of(module: nn.Module) -> str:
    """The kind of a module, as in ``LayerInfo.kind``."""
    whole = type_of(module)
    name = whole.rpartition(".")[2]
    for pattern, kind in _KINDS:
        if re.search(pattern, name):
            return kind
    if next(module.children(), None) is not None:
        return "container"
    return "activation" if whole.startswith("torch.nn.modules.activation.") else "other"
