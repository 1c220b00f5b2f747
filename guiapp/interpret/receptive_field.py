"""Which input pixels a unit sees: followed from operation to operation while a network runs once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from guiapp.models.tensors import tensors_in

_Pair = tuple[int, int]

# Operations that keep each place to itself: a unit sees what the units at its place in the arguments see.
_POINTWISE = (
    "relu relu_ relu6 leaky_relu leaky_relu_ elu elu_ selu selu_ gelu silu mish softplus hardswish hardsigmoid "
    "hardtanh sigmoid sigmoid_ tanh tanh_ logsigmoid softsign prelu threshold dropout dropout1d dropout2d "
    "alpha_dropout feature_alpha_dropout batch_norm local_response_norm contiguous clone detach float double half "
    "bfloat16 to neg abs exp log sqrt rsqrt square pow clamp add add_ sub sub_ mul mul_ div div_ true_divide maximum "
    "minimum cat concat __radd__ __rmul__ __rsub__"
)
_KEEPING = frozenset(_POINTWISE.split())


@dataclass(frozen=True)
class ReceptiveField:
    """The rectangle of input pixels that one unit of a map depends on (T1 6.1, T0 Building Blocks of a CNN).

    The unit in row i and column j sees ``size`` pixels from ``offset + stride * (i, j)`` on; what lies beyond the
    edge of the input is padding. Values are those of the network's input, after a picture was brought to its size.

    Attributes:
        size: Height and width in input pixels.
        stride: Pixels from one unit to the next one down and to the right; (0, 0) where all units see the same, as
            those of a dense layer do.
        offset: Row and column of the first pixel that unit (0, 0) sees; negative by the padding before it.
    """

    size: _Pair
    stride: _Pair
    offset: _Pair

    def area(self, row: int, column: int, within: Sequence[int]) -> tuple[int, int, int, int]:
        """Left, top, width, height of what a unit sees of an input of ``within`` = (height, width) pixels."""
        (top, bottom), (left, right) = (
            (max(0, first), max(0, min(limit, first + size)))
            for first, size, limit in zip(self._first(row, column), self.size, within, strict=True)
        )
        return left, top, max(0, right - left), max(0, bottom - top)

    def _first(self, row: int, column: int) -> _Pair:
        return self.offset[0] + self.stride[0] * row, self.offset[1] + self.stride[1] * column


@dataclass(frozen=True)
class _View:
    """What the numbers of a tensor see; ``mixed`` where a flat tensor holds units of several places."""

    field: ReceptiveField
    mixed: bool = False


class FieldTracker(TorchFunctionMode):
    """While it is entered, follows what each tensor made of an input sees.

    A window of kernel K, dilation D, stride S and padding P on units of size R, stride J and offset O gives units of
    size R + D (K - 1) J, stride J S and offset O - P J: the recurrence behind the sum in T1 6.1. Where maps are added
    or concatenated, a unit sees what both see. A dense layer sees all that the maps below it see. Operations that are
    not known (attention, resampling, normalisation over places) leave the field unknown, also for what follows them.

    """

    def __init__(self) -> None:
        super().__init__()
        self._size: _Pair = (0, 0)
        self._views: WeakTensorKeyDictionary = WeakTensorKeyDictionary()

    def begin(self, input: torch.Tensor) -> None:
        """``input`` (N, C, H, W) is the input: each of its units sees its own pixel."""
        self._size = int(input.shape[-2]), int(input.shape[-1])
        self._views[input] = _View(ReceptiveField((1, 1), (1, 1), (0, 0)))

    def field_of(self, tensor: torch.Tensor | None) -> ReceptiveField | None:
        """What the units of a tensor see, or None where it is not known."""
        view: _View | None = self._views[tensor] if tensor is not None and tensor in self._views else None
        return view.field if view is not None and not view.mixed else None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do what torch was called for, and note what its result sees."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        used = [tensor for tensor in tensors_in((args, kwargs)) if tensor in self._views]
        if not used:
            return result
        made = [args[0]] if name == "__setitem__" else list(tensors_in(result))
        view = None
        if len(made) == 1 and all(self._views[tensor] is not None for tensor in used):
            try:
                view = self._follow(name, used, made[0], args, kwargs)
            except (IndexError, KeyError, TypeError, ValueError):
                view = None  # a call in an unusual form: its result is not known
        for tensor in made:
            self._views[tensor] = view
        return result

    def _follow(
        self, name: str, used: list[torch.Tensor], made: torch.Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> _View | None:
        first = used[0]
        view: _View = self._views[first]
        if name in _KEEPING:
            return self._pointwise(name, used, made, args, kwargs)
        if made.ndim == 2 and first.ndim == 4 and name in ("flatten", "view", "reshape", "squeeze"):
            kept = made.shape[0] == first.shape[0]
            return _View(self._all_of(view.field, first), mixed=first[0, 0].numel() > 1) if kept else None
        if first.ndim == 2:  # of flat numbers these two depend on all; what others do is not known
            return _View(self._all_of(view.field, None)) if name in ("linear", "softmax", "log_softmax") else None
        if name in ("mean", "amax", "sum") and first.ndim == 4 and made.numel() == first.shape[0] * first.shape[1]:
            return _View(self._all_of(view.field, first))
        window = _window(name, first, args, kwargs) if first.ndim == 4 else None
        return None if window is None else _View(_through(view.field, window))

    def _pointwise(
        self, name: str, used: list[torch.Tensor], made: torch.Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> _View | None:
        views: list[_View] = [self._views[tensor] for tensor in used]
        if name in ("cat", "concat"):
            along = kwargs.get("dim", args[1] if len(args) > 1 else 0)
            if along not in (1, 1 - made.ndim):
                return None
        if made.ndim == 4 and any(tensor.shape[2:] != made.shape[2:] for tensor in used):
            # A map of one unit that is multiplied into a larger one, as in squeeze and excitation: each unit of the
            # result sees what that one sees.
            whole = self._whole()
            single = [v for t, v in zip(used, views, strict=True) if t.shape[2:] != made.shape[2:]]
            return _View(whole) if all(self._all_of(v.field, None) == whole for v in single) else None
        field = views[0].field
        for other in views[1:]:
            joined = self._both(field, other.field)
            if joined is None:
                return None
            field = joined
        return _View(field, mixed=any(v.mixed for v in views))

    def _both(self, a: ReceptiveField, b: ReceptiveField) -> ReceptiveField | None:
        """The smallest rectangle around two fields."""
        if self._whole() in (a, b):
            return self._whole()
        if a.stride != b.stride:
            return None
        offset = min(a.offset[0], b.offset[0]), min(a.offset[1], b.offset[1])
        ends = [max(a.offset[i] + a.size[i], b.offset[i] + b.size[i]) for i in (0, 1)]
        return ReceptiveField((ends[0] - offset[0], ends[1] - offset[1]), a.stride, offset)

    def _whole(self) -> ReceptiveField:
        return ReceptiveField(self._size, (0, 0), (0, 0))

    def _all_of(self, field: ReceptiveField, maps: torch.Tensor | None) -> ReceptiveField:
        """What all units of ``maps`` together see of the input; of a single unit where ``maps`` is None."""
        rows, columns = (int(n) for n in maps.shape[2:]) if maps is not None else (1, 1)
        reach = field.stride[0] * (rows - 1), field.stride[1] * (columns - 1)
        around = replace(field, size=(field.size[0] + reach[0], field.size[1] + reach[1]))
        left, top, width, height = around.area(0, 0, self._size)
        return ReceptiveField((height, width), (0, 0), (top, left))


@dataclass(frozen=True)
class _Window:
    """A window that slides over maps, rows first: kernel, stride, padding before the first row, dilation."""

    kernel: _Pair
    stride: _Pair = (1, 1)
    padding: _Pair = (0, 0)
    dilation: _Pair = (1, 1)


def _through(field: ReceptiveField, window: _Window) -> ReceptiveField:
    (kr, kc), (sr, sc), (pr, pc), (dr, dc) = window.kernel, window.stride, window.padding, window.dilation
    jump = field.stride
    return ReceptiveField(
        (field.size[0] + dr * (kr - 1) * jump[0], field.size[1] + dc * (kc - 1) * jump[1]),
        (jump[0] * sr, jump[1] * sc),
        (field.offset[0] - pr * jump[0], field.offset[1] - pc * jump[1]),
    )


_ARGUMENTS = {
    "conv2d": ("input", "weight", "bias", "stride", "padding", "dilation"),
    "max_pool2d": ("input", "kernel_size", "stride", "padding", "dilation"),
    "avg_pool2d": ("input", "kernel_size", "stride", "padding"),
    "lp_pool2d": ("input", "norm_type", "kernel_size", "stride"),
    "adaptive_avg_pool2d": ("input", "output_size"),
    "adaptive_max_pool2d": ("input", "output_size"),
    "pad": ("input", "pad", "mode"),
}


def _window(name: str, maps: torch.Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> _Window | None:
    """The window of a convolution, a pooling or a padding; None for anything else."""
    if name not in _ARGUMENTS:
        return None
    given = {**dict(zip(_ARGUMENTS[name], args, strict=False)), **kwargs}
    if name == "pad":
        left, _, top, _ = given["pad"]
        return _Window((1, 1), padding=(top, left)) if given.get("mode", "constant") == "constant" else None
    if name.startswith("adaptive"):
        return _adaptive(_pair(given["output_size"]), maps)
    if name != "conv2d":
        kernel = _pair(given["kernel_size"])
        stride = _pair(given.get("stride") or kernel)
        return _Window(kernel, stride, _pair(given.get("padding", 0)), _pair(given.get("dilation", 1)))
    rows, columns = (int(n) for n in given["weight"].shape[2:])
    dilation, padding = _pair(given.get("dilation", 1)), given.get("padding", 0)
    if padding == "same":
        padding = dilation[0] * (rows - 1) // 2, dilation[1] * (columns - 1) // 2
    return _Window(
        (rows, columns), _pair(given.get("stride", 1)), _pair(0 if padding == "valid" else padding), dilation
    )


def _adaptive(wanted: tuple[Any, Any], maps: torch.Tensor) -> _Window | None:
    """Cells of one size, where the maps can be parted into so many."""
    rows, columns = (int(n) for n in maps.shape[2:])
    down, right = wanted[0] or rows, wanted[1] or columns
    if rows % down or columns % right:
        return None
    kernel = rows // down, columns // right
    return _Window(kernel, kernel)


def _pair(value: Any) -> tuple[Any, Any]:
    if isinstance(value, tuple | list):
        return (value[0], value[0]) if len(value) == 1 else (value[0], value[1])
    return value, value
