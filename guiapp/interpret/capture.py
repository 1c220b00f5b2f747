"""One forward pass that keeps the outputs of chosen layers and can switch channels off."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.layers import first_tensor

_Hook = Callable[[nn.Module, Any, Any], Any]

# Networks in which a layer changes its input in place, so that what is kept has to be copied.
_in_place: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def run(
    model: nn.Module,
    input: torch.Tensor,
    wanted: Collection[str] = (),
    switched_off: Mapping[str, Collection[int]] | None = None,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Run ``model`` on ``input``, keep outputs of the ``wanted`` layers, set the ``switched_off`` channels to zero.

    Hooks sit on the named layers only and are removed whatever happens. With nothing switched off the output is that
    of ``model(input)`` bit for bit. The kept outputs are the layers' own, also where a later layer works in place:
    they are copied then, and only then.

    Args:
        model: Network in the mode in which it is to run.
        input: What it takes, a batch.
        wanted: Names of layers. A layer that is called more than once gives its last output; one that does not run
            is missing in the result.
        switched_off: Channels (second dimension of the output: maps of a convolution, units of a dense layer) by the
            name of the layer. The kept outputs are those after switching off.

    Returns:
        The output of the network, and the kept outputs by name, detached.

    Raises:
        UserError: If there is no layer of a name, or a layer has no such channel.
    """
    off = {name: sorted(channels) for name, channels in (switched_off or {}).items() if channels}
    if model not in _in_place:
        _in_place[model] = any(getattr(module, "inplace", False) for module in model.modules())
    output, kept, intact = _pass(model, input, wanted, off, copied=_in_place[model])
    if not intact:  # something works in place without saying so, such as out += identity: once more, with copies
        _in_place[model] = True
        output, kept, _ = _pass(model, input, wanted, off, copied=True)
    return output, {name: kept[name] for name in wanted if name in kept}


def _pass(
    model: nn.Module, input: torch.Tensor, wanted: Collection[str], off: Mapping[str, list[int]], copied: bool
) -> tuple[torch.Tensor, dict[str, torch.Tensor], bool]:
    """One forward pass; the third result says whether what was kept is still what the layers gave."""
    kept: dict[str, torch.Tensor] = {}
    versions: dict[str, int] = {}
    handles: list[Any] = []

    def keep(name: str, output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is not None:
            tensor = tensor.detach()
            kept[name] = tensor.clone() if copied or tensor.is_inference() else tensor
            versions[name] = -1 if tensor.is_inference() else kept[name]._version

    def keeping(name: str) -> _Hook:
        return lambda module, arguments, output: keep(name, output)

    def switching(name: str) -> _Hook:
        def hook(module: nn.Module, arguments: Any, output: Any) -> Any:
            output = _without(output, off[name], name)
            if name in wanted:
                keep(name, output)
            return output

        return hook

    try:
        for name in dict.fromkeys([*wanted, *off]):
            module = _module(model, name)
            handles.append(module.register_forward_hook(switching(name) if name in off else keeping(name)))
        output: torch.Tensor = model(input)
    finally:
        for handle in handles:
            handle.remove()
    return output, kept, all(version in (-1, kept[name]._version) for name, version in versions.items())


def _module(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError:
        names = ", ".join(n for n, _ in model.named_modules() if n)
        raise UserError(f"there is no layer {name!r}; there are: {names}") from None


def _without(output: Any, channels: list[int], name: str) -> Any:
    if not isinstance(output, torch.Tensor) or output.ndim < 2:
        raise UserError(f"layer {name!r} has no channels to switch off")
    if channels[0] < 0 or channels[-1] >= output.shape[1]:
        raise UserError(f"layer {name!r} has channels 0 to {output.shape[1] - 1}, not {channels[-1]}")
    output = output.clone()
    output[:, channels] = 0
    return output
