"""One forward pass that keeps the outputs of chosen layers and can switch channels off."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.layers import first_tensor

# Networks in which a layer changes its input in place, so that what is kept has to be copied.
_in_place: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
_hooks_needed: WeakKeyDictionary[nn.Module, dict[frozenset[str], list[str]]] = WeakKeyDictionary()
_MOST_SETS = 64
# torch's own plain convolution. For one small picture it takes 10 to 15 us where oneDNN takes 50; torch chooses it by
# itself for kernels up to 3x3 only.
_TINY = torch.ops.aten.thnn_conv2d.default
_TINY_NUMBERS = 8192


def run(
    model: nn.Module,
    input: torch.Tensor,
    wanted: Collection[str] = (),
    switched_off: Mapping[str, Collection[int]] | None = None,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Run ``model`` on ``input``, keep outputs of the ``wanted`` layers, set the ``switched_off`` channels to zero.

    Outputs of layers in (nested) ``nn.Sequential`` are picked up between two layers; elsewhere hooks sit on the named
    layers only and are removed whatever happens. With nothing switched off the output is that of ``model(input)``, bit
    for bit but for one small picture on the CPU, whose large kernels are computed by the quicker of torch's
    convolutions (last bits differ). The kept outputs are the layers' own, also where a later layer works in place:
    they are copied then, and only then.

    Args:
        model: Network in the mode in which it is to run.
        input: What it takes, a batch.
        wanted: Names of layers. A layer that is called more than once gives its last output; one that does not run
            is missing in the result. With ``()`` after a name all its calls are kept, as by ``listen.listening``.
        switched_off: Channels (second dimension of the output: maps of a convolution, units of a dense layer) by the
            name of the layer; a mapping from channels to factors multiplies them instead. The kept outputs are those
            after that.

    Returns:
        The output of the network, and the kept outputs by name, detached.

    Raises:
        UserError: If there is no layer of a name, or a layer has no such channel.
    """
    calls = [name for name in wanted if name.endswith("()")]
    if calls:
        from guiapp.interpret.listen import listening

        with listening(model, calls) as heard:
            output, others = run(model, input, [name for name in wanted if name not in calls], switched_off)
        return output, {**others, **heard}
    off = {name: gains_of(channels) for name, channels in switched_off.items() if channels} if switched_off else {}
    in_place = _in_place.get(model)
    if in_place is None:
        in_place = _in_place[model] = any(getattr(module, "inplace", False) for module in model.modules())
    copied = in_place or torch.is_inference_mode_enabled()  # inference tensors count no changes
    output, kept = _pass(model, input, wanted, off, copied)
    if kept is None:  # something works in place without saying so, such as out += identity: once more, with copies
        _in_place[model] = True
        output, kept = _pass(model, input, wanted, off, copied=True)
    return output, kept or {}


def _pass(
    model: nn.Module, input: torch.Tensor, wanted: Collection[str], off: Mapping[str, Mapping[int, float]], copied: bool
) -> tuple[torch.Tensor, dict[str, torch.Tensor] | None]:
    """One forward pass; None instead of what was kept where a later layer changed it."""
    kept: dict[str, torch.Tensor] = {}
    versions: list[tuple[torch.Tensor, int]] = []
    names = {*wanted, *off}
    handles: list[Any] = []

    def passing(name: str, output: Any) -> Any:
        if name in off:
            output = without(output, off[name], name)
        tensor = output if isinstance(output, torch.Tensor) else first_tensor(output)
        if tensor is not None and name in wanted:
            if tensor.requires_grad:
                tensor = tensor.detach()
            if copied:
                tensor = tensor.clone()
            else:
                versions.append((tensor, tensor._version))
            kept[name] = tensor
        return output

    def walk(module: nn.Module, prefix: str, value: Any) -> Any:
        for key, child in module._modules.items():
            name = prefix + key
            assert child is not None
            if _is_chain(child):
                value = walk(child, f"{name}.", value)
            elif child._forward_hooks or child._forward_pre_hooks:
                value = child(value)
            elif type(child) is nn.Conv2d and _is_tiny(child, value):
                value = _TINY(value, child.weight, child.kernel_size, child.bias, child.stride, child.padding)
            else:  # what calling it comes to; a twentieth of the time of a small network goes into the difference
                value = child.forward(value)
            if name in names:
                value = passing(name, value)
        return value

    def hook(name: str) -> Callable[[nn.Module, Any, Any], Any]:
        return lambda module, arguments, output: passing(name, output)

    try:
        for name, module in _hooked(model, frozenset(names)):
            handles.append(module.register_forward_hook(hook(name)))
        output: torch.Tensor = walk(model, "", input) if _is_chain(model) else model(input)
    finally:
        for handle in handles:
            handle.remove()
    intact = all(tensor._version == version for tensor, version in versions)
    return output, kept if intact else None


def _is_tiny(layer: nn.Conv2d, value: torch.Tensor) -> bool:
    """Whether ``_TINY`` does what the layer does, and sooner."""
    return (
        layer.kernel_size[0] > 3
        and layer.kernel_size[1] > 3
        and value.numel() <= _TINY_NUMBERS
        and value.ndim == 4
        and value.shape[0] == 1
        and value.dtype is torch.float32 is layer.weight.dtype
        and value.device.type == "cpu"
        and layer.groups == 1
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
        and layer.weight.is_contiguous()
    )


def _hooked(model: nn.Module, names: frozenset[str]) -> list[tuple[str, nn.Module]]:
    """The named layers whose outputs only a hook can see, found once for each set of names.

    Raises:
        UserError: If there is no layer of a name.
    """
    known = _hooks_needed.setdefault(model, {})
    if names not in known:
        if len(known) >= _MOST_SETS:
            known.clear()
        found = {name: module_of(model, name) for name in names}
        known[names] = [name for name in found if not _passes_by(model, name)]
    return [(name, module_of(model, name)) for name in known[names]]


def _is_chain(module: nn.Module) -> bool:
    """Whether a module only runs its children one after the other, so that outputs can be picked up between them."""
    forward = getattr(type(module), "forward", None)  # TorchScript's class has none that could be asked for
    return forward is nn.Sequential.forward and not (module._forward_hooks or module._forward_pre_hooks)


def _passes_by(model: nn.Module, name: str) -> bool:
    *containers, _ = name.split(".")
    for part in containers:
        if not _is_chain(model):
            return False
        model = model._modules[part]  # type: ignore[assignment]
    return _is_chain(model)


def module_of(model: nn.Module, name: str) -> nn.Module:
    """The layer of a name.

    Raises:
        UserError: If there is none.
    """
    try:
        return model._modules.get(name) or model.get_submodule(name)
    except AttributeError:
        names = ", ".join(n for n, _ in model.named_modules() if n)
        raise UserError(f"there is no layer {name!r}; there are: {names}") from None


def gains_of(channels: Collection[int]) -> dict[int, float]:
    """The factor of each changed channel, in their order: 0 where channels are only named, else what they map to."""
    if isinstance(channels, Mapping):
        return {channel: float(channels[channel]) for channel in sorted(channels)}
    return dict.fromkeys(sorted(channels), 0.0)


def without(output: Any, gains: Mapping[int, float], name: str) -> Any:
    """A copy of the output of layer ``name`` with channels multiplied by their factors; those of 0 are set to zero.

    Args:
        output: What the layer gave, (N, C, ...).
        gains: Factors by channel, in the order of the channels; at least one.
        name: For the message.

    Raises:
        UserError: If it has no such channels.
    """
    if not isinstance(output, torch.Tensor) or output.ndim < 2:
        raise UserError(f"layer {name!r} has no channels to switch off")
    channels = list(gains)
    if channels[0] < 0 or channels[-1] >= output.shape[1]:
        raise UserError(f"layer {name!r} has channels 0 to {output.shape[1] - 1}, not {channels[-1]}")
    output = output.clone()
    output[:, [channel for channel in channels if gains[channel] == 0]] = 0  # also of what is not finite
    for channel in channels:
        if gains[channel] != 0:
            output[:, channel] *= gains[channel]
    return output
