"""A network's convolutions fused with what follows them, for passes that nobody looks into: the same answers, sooner.

Batch normalisation with fixed statistics is a factor and an offset a channel, which go into the weights of the
convolution before it (Jacob et al. 2018, section 3.2); oneDNN applies an activation while it writes the result, and
takes weights in an order of its own, which is otherwise made anew at each pass. The network itself is not changed:
what is fused replaces the calls of its parts while ``Fused.running`` lasts.
"""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torchvision  # noqa: F401 - the whole before its parts: core/compiler.py says why
from torch import nn
from torchvision.ops.misc import FrozenBatchNorm2d

from guiapp.models.tensors import tensors_in

_PASSES = 5  # before anything is fused: a network that is asked once answers at once
_SECONDS = 0.3  # of a pass; watching two of a slower network would be felt
_TOLERANCE = 1e-3  # of the largest value: float32 sums in another order differ by 1e-6 to 1e-4
_Attribute = tuple[str, list[Any], str]
_NOTHING: _Attribute = ("none", [], "")
_Call = Callable[[torch.Tensor], torch.Tensor]


class Fused:
    """The calls that replace those of a network's parts.

    Args:
        calls: By part.
    """

    def __init__(self, calls: dict[nn.Module, _Call]) -> None:
        self._calls = [(vars(part), call) for part, call in calls.items()]

    def __len__(self) -> int:
        return len(self._calls)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run fused meanwhile, on whichever thread; hooks of these parts are not called."""
        for part, call in self._calls:
            part["_compiled_call_impl"] = call
        try:
            yield
        finally:
            for part, _ in self._calls:
                part["_compiled_call_impl"] = None


class Fusing:
    """A network that is fused after a few passes, where that is possible and makes sense.

    Args:
        module: The network, or what stands for one and is run by another library.
        wanted: Whether it is fused at all; its weights may not change then.
    """

    def __init__(self, module: Any, wanted: bool = True) -> None:
        self._module = module if wanted and isinstance(module, nn.Module) else None
        self._passes = 0
        self._fused: Fused | None = None

    @contextmanager
    def running(self, run: Callable[[], object]) -> Iterator[None]:
        """Run the network meanwhile, fused from the sixth time on; ``run`` is what runs it."""
        if self._module is not None and self._fused is None and self._passes >= _PASSES:
            self._fused = fuse(self._module, run)
            if self._fused is None:
                self._module = None
        if self._fused is not None:
            with self._fused.running():
                yield
            return
        started = time.perf_counter()
        yield
        self._passes += 1
        if time.perf_counter() - started > _SECONDS and self._passes > 1:
            self._module = None


def fuse(module: nn.Module, run: Callable[[], object]) -> Fused | None:
    """Fuse what can be, watched over two passes.

    Args:
        module: A network in evaluation mode without hooks; it is left as it is.
        run: Runs it on a picture, the same each time; called twice, in inference mode.

    Returns:
        None where there is nothing to fuse (another device than the CPU, other numbers than float32, no oneDNN), or
        where the network would answer something else, because it uses a value between the parts of a group.
    """
    if not torch._C._has_mkldnn or not all(_counts_plainly(part) for part in module.modules()):
        return None
    with torch.inference_mode():
        plain = _Watch(module)
        with plain.hooks():
            run()
        groups = plain.groups()
        calls: dict[nn.Module, _Call] = {}
        for conv, norm, act in groups:
            call = _packed(conv, norm, act, plain.sizes[conv])
            if call is not None:
                calls[conv] = call
                calls |= {norm: _same} if norm is not None else {}
                calls |= {act: functools.partial(_unless_done, act)} if act is not None else {}
        if not calls:
            return None
        found, again = Fused(calls), _Watch(module)
        with found.running(), again.hooks():
            run()
    inner: set[nn.Module | None] = {norm for _, norm, act in groups if act is not None}
    inner |= {conv for conv, norm, act in groups if norm is not None or act is not None}
    return found if _alike(plain.without(inner), again.prints) else None


class _Watch:
    """Follows one pass: which part takes what which other gave, and what the larger parts answer.

    Attributes:
        sizes: Shape of what each convolution took, (N, C, H, W).
        prints: Mean and mean size of each tensor that a larger part gave, by part and number of its call.
    """

    def __init__(self, module: nn.Module) -> None:
        self.sizes: dict[nn.Conv2d, tuple[int, ...]] = {}
        self.prints: dict[tuple[nn.Module, int], tuple[float, ...]] = {}
        self._module = module
        self._calls: Counter[nn.Module] = Counter()
        self._passed: dict[nn.Module, Counter[nn.Module]] = {}  # by part: who took what it gave, how often
        self._given: dict[tuple[nn.Module, int], nn.Module] = {}  # larger parts that gave what a small one made

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """Watch meanwhile."""
        handles = []
        for part in self._module.modules():
            if next(part.children(), None) is not None:
                handles.append(part.register_forward_hook(self._whole))
            elif _is_conv(part) or _is_norm(part) or _attribute(part) is not None:
                handles.append(part.register_forward_pre_hook(self._take))
                handles.append(part.register_forward_hook(self._give))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def groups(self) -> list[tuple[nn.Conv2d, nn.Module | None, nn.Module | None]]:
        """Each convolution with the normalisation that takes all it gives and nothing else, and the activation after.

        An activation may be applied elsewhere as well, as the one of a residual block is after the sum.
        """
        found = []
        for conv in self.sizes:
            norm = self._only(conv)
            norm = norm if norm is not None and _is_norm(norm) else None
            act = self._only(norm or conv, shared=True)
            found.append((conv, norm, act if act is not None and _attribute(act) is not None else None))
        return found

    def without(self, inner: set[nn.Module | None]) -> dict[tuple[nn.Module, int], tuple[float, ...]]:
        """What larger parts answered, but for those that gave what one of ``inner`` had made."""
        return {key: found for key, found in self.prints.items() if self._given.get(key) not in inner}

    def _only(self, part: nn.Module, shared: bool = False) -> nn.Module | None:
        """What takes each output of a part and alone; it takes no other, unless it may be ``shared``."""
        takers = self._passed.get(part, Counter())
        taker = next(iter(takers), None)
        if taker is None or len(takers) > 1 or takers[taker] != self._calls[part]:
            return None
        return taker if shared or self._calls[taker] == self._calls[part] else None

    def _take(self, part: nn.Module, inputs: Any) -> None:
        self._calls[part] += 1
        if isinstance(part, nn.Conv2d):
            self.sizes.setdefault(part, tuple(inputs[0].shape))
        made = _maker(inputs[0])
        if made is not None:
            self._passed.setdefault(made, Counter())[part] += 1

    def _give(self, part: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        output._made_by = part, float(output.sum())  # type: ignore[attr-defined]

    def _whole(self, part: nn.Module, _inputs: Any, output: Any) -> None:
        self._calls[part] += 1
        key = part, self._calls[part]
        numbers = (tensor for tensor in tensors_in(output) if tensor.is_floating_point() and tensor.numel())
        self.prints[key] = tuple(value for tensor in numbers for value in _print(tensor))
        made = _maker(output)
        if made is not None:
            self._given[key] = made


def _counts_plainly(part: nn.Module) -> bool:
    """Whether a part is as it was made, in evaluation mode, with float32 weights on the CPU."""
    weights = [weight for weight in part._parameters.values() if weight is not None]
    usual = not part.training and part._compiled_call_impl is None and "forward" not in vars(part)
    return usual and all(weight.device.type == "cpu" and weight.dtype == torch.float32 for weight in weights)


def _is_conv(part: nn.Module) -> bool:
    return type(part) is nn.Conv2d and part.padding_mode == "zeros" and not isinstance(part.padding, str)


def _is_norm(part: nn.Module) -> bool:
    return type(part) is FrozenBatchNorm2d or (type(part) is nn.BatchNorm2d and part.running_var is not None)


def _attribute(part: nn.Module) -> _Attribute | None:
    """What oneDNN calls an activation, or None where it has none."""
    if type(part) is nn.ReLU6 or type(part) is nn.Hardtanh:
        return "hardtanh", [part.min_val, part.max_val], ""
    if type(part) is nn.LeakyReLU:
        return "leaky_relu", [part.negative_slope], ""
    if type(part) is nn.GELU:
        return "gelu", [], str(part.approximate)
    names = {
        nn.ReLU: "relu", nn.Hardswish: "hardswish", nn.Hardsigmoid: "hardsigmoid", nn.SiLU: "swish",
        nn.Sigmoid: "sigmoid", nn.Tanh: "tanh",
    }  # fmt: skip
    name = names.get(type(part))
    return None if name is None else (name, [], "")


def _packed(conv: nn.Conv2d, norm: Any, act: nn.Module | None, size: tuple[int, ...]) -> _Call | None:
    """The convolution with its normalisation and activation as one operation; None where oneDNN refuses."""
    weight, bias = conv.weight.detach(), conv.bias
    if norm is not None:
        scale = torch.rsqrt(norm.running_var + norm.eps)
        scale = scale if norm.weight is None else scale * norm.weight
        shift = 0.0 if norm.bias is None else norm.bias
        weight = weight * scale[:, None, None, None]
        bias = ((0.0 if bias is None else bias) - norm.running_mean) * scale + shift
    form = list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups
    attribute = _NOTHING if act is None else _attribute(act)
    operations: Any = torch.ops.mkldnn
    try:
        weight = operations._reorder_convolution_weight(weight.contiguous(), *form, list(size))
        call = functools.partial(_convolved, operations._convolution_pointwise, weight, bias, form, attribute, act)
        call(torch.zeros(size))
    except (AttributeError, RuntimeError, NotImplementedError):
        return None
    return call


def _convolved(
    operation: Any,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    form: Any,
    attribute: Any,
    act: nn.Module | None,
    inputs: torch.Tensor,
) -> torch.Tensor:
    found: torch.Tensor = operation(inputs, weight, bias, *form, *attribute)
    if act is not None:
        found._done = act  # type: ignore[attr-defined]
    return found


def _unless_done(act: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """Apply an activation, unless the convolution that gave this has."""
    if getattr(inputs, "_done", None) is not act:
        found: torch.Tensor = act.forward(inputs)
        return found
    inputs._done = None  # type: ignore[attr-defined]
    return inputs


def _same(inputs: torch.Tensor) -> torch.Tensor:
    return inputs


def _maker(value: Any) -> nn.Module | None:
    """The small part that gave a tensor, unless its values were changed since, as by a shortcut added in place."""
    part, total = getattr(value, "_made_by", (None, 0.0))
    return part if part is not None and float(value.sum()) == total else None


def _print(tensor: torch.Tensor) -> tuple[float, float]:
    return float(tensor.mean()), float(tensor.abs().mean())


def _alike(plain: dict[Any, tuple[float, ...]], fused: dict[Any, tuple[float, ...]]) -> bool:
    """Whether all answers of larger parts are the same to float tolerance."""
    for key, values in plain.items():
        others = fused.get(key, ())
        if len(others) != len(values):
            return False
        for (mean, size), (mean2, size2) in zip(_pairs(values), _pairs(others), strict=True):
            if not abs(mean - mean2) <= _TOLERANCE * size or not abs(size - size2) <= _TOLERANCE * size:
                return False
    return True


def _pairs(values: tuple[float, ...]) -> list[tuple[float, float]]:
    return list(zip(values[::2], values[1::2], strict=True))
