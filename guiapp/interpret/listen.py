"""Outputs of chosen layers, picked up while a network runs in whatever way its task runs it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import nn

from guiapp.interpret.capture import gains_of, module_of, without
from guiapp.interpret.layers import first_tensor

CALLS = "()"
"""A wanted name that ends so asks for the calls of the layer, such as ``"rpn.head()"``."""


class Call(NamedTuple):
    """One call of a layer: what it was given and what it gave, not copied."""

    arguments: tuple[Any, ...]
    output: Any
    keywords: Mapping[str, Any] = MappingProxyType({})


@contextmanager
def listening(
    model: nn.Module, wanted: Collection[str] = (), switched_off: Mapping[str, Collection[int]] | None = None
) -> Iterator[dict[str, Any]]:
    """Keep outputs of the ``wanted`` layers, and set ``switched_off`` channels to zero, for as long as it is entered.

    For networks that are not run by one call: detectors in two stages, segmentation without its last step, clips.
    ``capture.run`` is the faster way where one call does it. Hooks are removed whatever happens.

    Args:
        model: Network in the mode in which it runs.
        wanted: Names of layers. One that is called more than once gives its last output. A name with ``CALLS`` after
            it gives every call whole, for modules that take or give more than a tensor, such as the heads of detectors.
        switched_off: Channels (second dimension of the output) by the name of the layer; a mapping from channels to
            factors multiplies them instead.

    Yields:
        Filled while the network runs, by wanted name: the output, copied, because a later layer may work in place;
        or the list of calls, which hold on to the tensors themselves.

    Raises:
        UserError: If there is no layer of a name, or a layer has no such channel.
    """
    off = {name: gains_of(channels) for name, channels in (switched_off or {}).items() if channels}
    kept: dict[str, Any] = {}
    handles: list[Any] = []

    def hook(name: str) -> Any:
        def heard(module: nn.Module, arguments: Any, keywords: Any, output: Any) -> Any:
            if name in off:
                output = without(output, off[name], name)
            tensor = first_tensor(output)
            if tensor is not None and name in wanted:
                kept[name] = tensor.detach().clone()
            if name + CALLS in wanted:
                kept.setdefault(name + CALLS, []).append(Call(arguments, output, keywords))
            return output

        return heard

    try:
        for name in {*(name.removesuffix(CALLS) for name in wanted), *off}:
            handles.append(module_of(model, name).register_forward_hook(hook(name), with_kwargs=True))
        yield kept
    finally:
        for handle in handles:
            handle.remove()
