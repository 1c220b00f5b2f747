"""What a state dict cannot tell put into a network: another activation, another pooling."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "leaky relu": lambda: nn.LeakyReLU(0.01),
    "elu": nn.ELU,
    "hardswish": nn.Hardswish,
}
_REPLACED = (
    *(nn.ReLU, nn.ReLU6, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.ELU, nn.Hardswish, nn.Hardtanh),
    *(nn.SELU, nn.CELU, nn.Mish, nn.Softplus, nn.Hardsigmoid),
)


def set_activation(network: nn.Module, name: str) -> int:
    """Put another function in the place of every activation without weights; how many there were.

    Functions that a network calls without a module of their own stay as they are.

    Raises:
        KeyError: For a name that is none of ``settings.Activation``.
    """
    make = _ACTIVATIONS[name]
    return _exchange(network, lambda part: make() if isinstance(part, _REPLACED) else None)


def set_pooling(network: nn.Module, kind: str) -> int:
    """Turn every pooling by windows into the maximum (``"max"``) or the mean (``"average"``); how many there were."""

    def other(part: nn.Module) -> nn.Module | None:
        if kind == "max" and type(part) is nn.AvgPool2d:
            return nn.MaxPool2d(part.kernel_size, part.stride, part.padding, ceil_mode=part.ceil_mode)
        if kind == "average" and type(part) is nn.MaxPool2d and part.dilation in (1, (1, 1)):
            return nn.AvgPool2d(
                part.kernel_size, part.stride, part.padding, ceil_mode=part.ceil_mode, count_include_pad=False
            )
        return part if type(part) in (nn.AvgPool2d, nn.MaxPool2d) else None

    return _exchange(network, other)


def _exchange(network: nn.Module, other: Callable[[nn.Module], nn.Module | None]) -> int:
    found = 0
    for part in list(network.modules()):
        for name, child in list(part.named_children()):
            new = other(child)
            if new is not None:
                found += 1
                if new is not child:
                    setattr(part, name, new.train(child.training))
    return found
