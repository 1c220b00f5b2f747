"""A response followed back to the pixels: the deconvolutional network, guided backpropagation, the plain gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.overrides import TorchFunctionMode

from guiapp.interpret.units.field import Box, area_of
from guiapp.interpret.units.options import Rule
from guiapp.interpret.units.passes import Inputs, LayerPass


@dataclass(frozen=True, eq=False)
class Projection:
    """What a unit's response comes to in the space of the input.

    Attributes:
        values: float32 (C, H, W): signed, of the size of the input.
        unit, row, column: Where it began.
        value: The response there.
        area: Left, top, width, height in pixels of the input of what the unit sees.
        other: Kinds of activations on the way that are no ReLU, through which the signal went with their slopes.
    """

    values: npt.NDArray[np.float32]
    unit: int
    row: int
    column: int
    value: float
    area: Box
    other: tuple[str, ...] = ()


class _Rectified(torch.autograd.Function):
    """max(0, x), with the way back chosen."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, rule: str) -> torch.Tensor:
        ctx.rule = rule
        y = x.clamp_min(0)
        if rule != "deconvnet":
            ctx.save_for_backward(y > 0)
        return y

    @staticmethod
    def backward(ctx: Any, *signals: Any) -> tuple[torch.Tensor, None]:
        signal: torch.Tensor = signals[0]
        if ctx.rule in ("deconvnet", "guided"):
            signal = signal.clamp_min(0)
        if ctx.rule != "deconvnet":
            signal = signal * ctx.saved_tensors[0]
        return signal, None


class BackwardRule(TorchFunctionMode):
    """While it is entered, every ReLU of a network sends signals back by a rule, however it is written.

    The forward pass is unchanged. Going back, a convolution is its transposed filters, and max pooling puts a value at
    the place that its maximum came from: the switch of Zeiler and Fergus. Where windows of a pooling overlap, a place
    that was the maximum of two gets the sum of both.

    Attributes:
        other: Names of activations other than ReLU that were met; they keep their own slopes.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self._rule = rule
        self.other: set[str] = set()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do what torch was called for, but for ReLUs."""
        name = getattr(func, "__name__", "").partition(".")[0]  # a torch.export program calls "relu.default"
        if name in ("relu", "relu_") and args:
            return _Rectified.apply(args[0], self._rule)
        if name in _OTHERS:
            self.other.add(name.rstrip("_"))
        return func(*args, **(kwargs or {}))


_NO_RELUS = (
    "tanh tanh_ sigmoid sigmoid_ gelu silu mish softplus elu elu_ selu leaky_relu leaky_relu_ relu6 hardtanh hardswish "
    "hardsigmoid prelu"
)
_OTHERS = frozenset(_NO_RELUS.split())


def project(
    passed: LayerPass,
    inputs: Inputs,
    unit: int,
    place: tuple[int, int] | None = None,
    rule: Rule = "deconvnet",
) -> Projection:
    """Follow one unit's response back to the pixels (Zeiler and Fergus 2014; T1, ZFNet).

    All other responses of the layer are set to zero; what is left, the unit's own, goes back through transposed
    filters, through pooling by its switches, and through each ReLU by the rule.

    Args:
        passed: The layer, entered.
        inputs: One prepared picture.
        unit: Channel, or unit of a dense layer.
        place: Row and column in the map; the strongest by default.
        rule: How the signal goes back through a ReLU.

    Raises:
        IndexError: If the layer has no such unit or place.
    """
    with torch.enable_grad(), BackwardRule(rule) as backward:
        if isinstance(inputs, torch.Tensor):
            inputs = inputs.detach().clone().requires_grad_(True)
        else:
            inputs = [one.detach().clone().requires_grad_(True) for one in inputs]
        maps, seen = passed(inputs)
        own = maps[0, unit]
        row, column = divmod(int(own.detach().argmax()), own.shape[1]) if place is None else place
        response = own[row, column]
        signal = torch.autograd.grad(response, seen, grad_outputs=response.detach(), allow_unused=True)[0]
    values = torch.zeros_like(seen[0]) if signal is None else signal[0]
    height, width = seen.shape[-2:]
    return Projection(
        values.detach().cpu().numpy(), unit, row, column, float(response.detach()),
        area_of(passed, row, column, (height, width)), tuple(sorted(backward.other)),
    )  # fmt: skip


def as_picture(values: npt.NDArray[np.float32], within: Box | None = None) -> npt.NDArray[np.uint8]:
    """A projection (C, H, W) as uint8 (h, w, 3): zero is grey; sizes that 99.5 % stay below reach black and white.

    Args:
        values: C is 1 or 3.
        within: Left, top, width, height of the part that is shown; all by default.
    """
    if within is not None:
        left, top, width, height = within
        values = values[:, top : top + height, left : left + width]
    sizes = np.abs(values)
    most = (float(np.quantile(sizes, 0.995)) or float(sizes.max())) if values.size else 0.0
    levels = 127.5 + 127.5 * values / (most or 1.0)
    picture = np.clip(np.rint(levels), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture)
