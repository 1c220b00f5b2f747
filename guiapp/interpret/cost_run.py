"""One run of a network in which every operation is counted where it is done, and followed where its result goes."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from guiapp.interpret.layers import LayerInfo, kind_of, layers_of_run
from guiapp.models.tensors import tensors_in

INPUT, OUTPUT = "(input)", "(output)"
_NONE: frozenset[str] = frozenset()
_SIGNS = {
    "add": "+", "sub": "−", "mul": "×", "div": "÷", "cat": "join", "stack": "join", "bmm": "·", "mm": "·",
    "baddbmm": "·", "maximum": "max", "minimum": "min",
}  # fmt: skip
_COLOURS = 3
_LEAST = 3  # dimensions of what the signs between layers join: maps and tokens, not the boxes after them


@dataclass(frozen=True)
class Window:
    """The window that a convolution or a pooling slides.

    Attributes:
        kernel, step, padding, dilation: Of each axis, rows first.
        groups: Parts into which the channels of a convolution are split; 0 for pooling, which has no weights.
        biases: Whether it adds any.
        ceil: Whether sizes are rounded up.
        turned: Whether it is a transposed convolution, which enlarges.
    """

    kernel: tuple[int, ...]
    step: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...] = (1, 1)
    groups: int = 0
    biases: bool = False
    ceil: bool = False
    turned: bool = False


@dataclass
class Figures:
    """What is counted in one module for one picture, without what is counted in the modules that it holds.

    Attributes:
        flops: Multiply-adds times two of convolutions, matrix products and attention, as
            ``torch.utils.flop_counter`` counts them, that grow with the batch.
        fixed: Those that do not, such as of a small network that makes a table of biases.
        pooling: Operations of pooling, one for each number in each window.
        numbers: Numbers in the outputs; ``bytes``: memory that these take, nothing where an input is written over or
            seen in another shape.
        parameters: Weights and biases that are the module's own; ``parameter_bytes``: their memory.
        window: Of a convolution or a pooling.
        dense: Units in and out of a dense layer that has biases.
        given: Shape of the first tensor that it is called with, without the batch.
    """

    flops: int = 0
    fixed: int = 0
    pooling: int = 0
    numbers: int = 0
    bytes: int = 0
    parameters: int = 0
    parameter_bytes: int = 0
    window: Window | None = None
    dense: tuple[int, int] | None = None
    given: tuple[int, ...] = ()


@dataclass(frozen=True)
class Measured:
    """A network, counted.

    Attributes:
        layers: As ``interpret.layers`` lists them.
        figures: By name of the module, ``""`` for the network itself.
        edges: From which layer or sign to which the numbers go, in the order of the run; the second call of a layer is
            called ``"relu#2"``. ``signs`` tells by name what joins results outside of any layer, such as
            ``("layer1.0", "+")``: where, and what it is.
        input: Shape of what it was fed, without the batch; ``input_bytes``: its memory.
        parameters: Distinct parameters of the whole, ``parameter_bytes`` their memory.
        by_shapes: Whether only shapes were computed; else it was run on a picture.
    """

    layers: tuple[LayerInfo, ...]
    figures: Mapping[str, Figures]
    edges: tuple[tuple[str, str], ...]
    signs: Mapping[str, tuple[str, str]]
    input: tuple[int, ...]
    input_bytes: int
    parameters: int
    parameter_bytes: int
    by_shapes: bool


def measure(
    model: nn.Module, input_size: Sequence[int] | None, call: Callable[[nn.Module], Any] | None = None
) -> Measured:
    """Count a network on one picture, on shapes alone where that works; the network stays as it was.

    Args:
        model: The network.
        input_size: Channels, height, width, or any shape without the batch; None where shapes alone do not do.
        call: Runs it on a picture, for networks whose run depends on numbers (detectors) or that take more than one
            tensor; by default it is called with zeros of ``input_size``.

    Raises:
        ValueError: If there is neither a size nor a call.
    """
    if input_size is not None and all(input_size):
        # Networks of all kinds come here, and what depends on numbers fails in many ways: then they are run.
        with suppress(Exception):
            shapes = torch.zeros(1, *input_size, device="meta", dtype=_dtype(model))
            return _measured(_on_meta(model), lambda module: module(shapes), shapes)
    if call is not None:
        return _measured(model, call, None)
    if input_size is None:
        raise ValueError("a network is counted for a size or by a call")
    first = next(iter([*model.parameters(), *model.buffers()]), torch.zeros(0))
    picture = torch.zeros(1, *input_size, device=first.device, dtype=_dtype(model))
    return _measured(model, lambda module: module(picture), picture)


def _dtype(model: nn.Module) -> torch.dtype:
    first = next(iter([*model.parameters(), *model.buffers()]), torch.zeros(0))
    return first.dtype if first.is_floating_point() else torch.float32


def _on_meta(model: nn.Module) -> nn.Module:
    """A copy with shapes in the place of numbers: no weight is copied, nothing is computed in a run."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        memo[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"), requires_grad=False)
    for buffer in model.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(model, memo).eval()


def _measured(model: nn.Module, call: Callable[[nn.Module], Any], fed: torch.Tensor | None) -> Measured:
    recorder = Recorder(model)
    if fed is not None:
        recorder.begin(fed)
    with recorder.listening():
        layers, _ = layers_of_run(model, lambda: recorder.run(call), fed if fed is not None and fed.ndim == 4 else None)
    distinct = list(model.parameters())
    shape, memory = recorder.fed
    return Measured(
        layers=tuple(layers),
        figures=recorder.figures,
        edges=tuple(recorder.edges),
        signs=recorder.signs,
        input=shape,
        input_bytes=memory,
        parameters=sum(p.numel() for p in distinct),
        parameter_bytes=sum(p.numel() * p.element_size() for p in distinct),
        by_shapes=fed is not None and fed.is_meta,
    )


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation of a run.

    Results remember from which layers they come. A module that calls no other is a layer; an operation outside of any
    layer that joins what comes from different ones becomes a sign of its own in the graph.

    Attributes:
        figures: By name of the module.
        edges: From and to, each once; ``signs``: see ``Measured``.
        fed: Shape of what it is fed, without the batch, and its bytes; an empty shape until that is known.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._model = model
        self._names = {module: name for name, module in model.named_modules()}
        self._modules = {name: module for module, name in self._names.items()}
        self._stack: list[str] = []
        self._nodes: list[str] = []  # the same with the number of the call
        self._called: list[bool] = []  # whether the module at that depth has called another
        self._calls: dict[str, int] = {}
        self._small = {name for module, name in self._names.items() if next(module.children(), None) is None}
        # Normalisation over neighbouring maps is done by an operation of pooling, and is none.
        self._norms = {name for module, name in self._names.items() if kind_of(module) == "norm"}
        self._sources: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
        self._seen: dict[int, StorageWeakRef] = {}
        self.figures: dict[str, Figures] = {}
        self.edges: dict[tuple[str, str], None] = {}
        self.signs: dict[str, tuple[str, str]] = {}
        self.fed: tuple[tuple[int, ...], int] = (), 0
        for module, name in self._names.items():
            own = list(module.parameters(recurse=False))
            if name == "" or own:
                figures = self._of(name)
                figures.parameters = sum(p.numel() for p in own)
                figures.parameter_bytes = sum(p.numel() * p.element_size() for p in own)

    def _of(self, name: str) -> Figures:
        return self.figures.setdefault(name, Figures())

    def begin(self, picture: torch.Tensor) -> None:
        """What the network is fed; by default the first picture of three channels that a module is called with."""
        self.fed = tuple(picture.shape[1:]), picture.numel() * picture.element_size()
        self._sources[picture] = frozenset({INPUT})
        self._note(picture)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Follow which module runs; nothing of it is left behind."""
        handles: list[Any] = []
        try:
            for module, name in self._names.items():
                if isinstance(module, torch.jit.ScriptModule):  # it calls no hooks
                    continue
                handles.append(
                    module.register_forward_pre_hook(lambda _module, given, name=name: self._enter(name, given))
                )
                handles.append(
                    module.register_forward_hook(
                        lambda _module, _given, output, name=name: self._leave(name, output), always_call=True
                    )
                )
            yield
        finally:
            for handle in handles:
                handle.remove()

    def run(self, call: Callable[[nn.Module], Any]) -> None:
        """Run the network."""
        modes = {module: module.training for module in self._model.modules()}
        try:
            self._model.eval()
            with torch.no_grad(), self:
                output = call(self._model)
        finally:
            for module, training in modes.items():
                module.training = training
        for tensor in tensors_in(output):
            self._join(self._of_tensor(tensor), OUTPUT)

    # ------------------------------------------------------------------ modules

    def _enter(self, name: str, given: Any) -> None:
        if not self.fed[0]:
            first = next((t for t in tensors_in(given) if t.ndim in (4, 5) and t.shape[1] == _COLOURS), None)
            if first is not None:
                self.begin(first)
        if self._called:
            self._called[-1] = True
        if name in self._small and (tensor := next(tensors_in(given), None)) is not None:
            self._of(name).given = tuple(tensor.shape[1:])
        call = self._calls[name] = self._calls.get(name, 0) + 1
        self._stack.append(name)
        self._nodes.append(name if call == 1 else f"{name}#{call}")
        self._called.append(False)

    def _leave(self, name: str, output: Any) -> None:
        if not self._stack or self._stack[-1] != name:
            return
        self._stack.pop()
        node = self._nodes.pop()
        whole = not self._called.pop()
        figures = self._of(name)
        for tensor in tensors_in(output):
            if self._note(tensor):
                figures.numbers += tensor.numel()
                figures.bytes += tensor.numel() * tensor.element_size()
            if whole and name:
                sources = self._of_tensor(tensor)
                if sources and sources != {node}:  # what is made of weights alone comes from nowhere
                    self._join(sources, node)
                    self._sources[tensor] = frozenset({node})
        if whole:
            figures.window, figures.dense = _window_of(self._modules[name]), _dense_of(self._modules[name])

    def _note(self, tensor: torch.Tensor) -> bool:
        """Whether what a tensor lies in is new."""
        try:
            storage = tensor.untyped_storage()
        except (NotImplementedError, RuntimeError):  # sparse and wrapped tensors have none
            return True
        known = self._seen.get(storage._cdata)
        if known is not None and not known.expired():  # type: ignore[no-untyped-call]
            return False
        self._seen[storage._cdata] = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        return True

    # ------------------------------------------------------------------ operations

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do what is asked, count it and note where its result comes from."""
        kwargs = kwargs or {}
        packet = func._overloadpacket
        if packet not in flop_registry:
            with self:
                made = func.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        out = func(*args, **kwargs)
        name = self._stack[-1] if self._stack else ""
        used = [self._sources[tensor] for tensor in tensors_in((args, kwargs)) if tensor in self._sources]
        figures = self.figures.get(name) or self._of(name)
        if packet in flop_registry:
            count = int(flop_registry[packet](*args, **kwargs, out_val=out))
            if used:
                figures.flops += count
            else:
                figures.fixed += count
        elif (pooled := _POOLING.get(packet.__name__)) is not None and name not in self._norms:
            figures.pooling += pooled(args, out)
        if used:
            self._pass_on(name, packet.__name__, used, out)
        return out

    def _pass_on(self, name: str, operation: str, used: list[frozenset[str]], out: Any) -> None:
        first = used[0]
        if name in self._small and name:
            node = self._nodes[-1]
            for sources in used:
                if sources != {node}:
                    self._join(sources, node)
            sources = frozenset({node})
        elif all(other == first for other in used):
            sources = first
        else:
            sources = frozenset().union(*used)
            tensor = next(tensors_in(out), None)
            if tensor is not None and tensor.ndim >= _LEAST and tensor.is_floating_point():
                sign = f"({name}#{len(self.signs)})"
                self.signs[sign] = name, _SIGNS.get(operation.rstrip("_"), operation.rstrip("_"))
                self._join(sources, sign)
                sources = frozenset({sign})
        for tensor in tensors_in(out):
            self._sources[tensor] = sources

    def _of_tensor(self, tensor: torch.Tensor) -> frozenset[str]:
        return self._sources[tensor] if tensor in self._sources else _NONE  # noqa: SIM401

    def _join(self, sources: frozenset[str], to: str) -> None:
        for source in sources:
            if source != to:
                self.edges[source, to] = None


def _all(value: Any, count: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * count


def _windows(args: tuple[Any, ...], out: Any) -> int:
    """Pooling by a kernel: one operation for each number in each window."""
    first = next(tensors_in(out))
    kernel = args[1]
    area = math.prod(kernel) if len(kernel) > 1 else kernel[0] ** (first.ndim - 2)
    return int(first.numel() * area)


def _cells(args: tuple[Any, ...], out: Any) -> int:
    """Pooling to a size: cells overlap where the maps cannot be parted evenly; to the size that they have is none."""
    given, first = args[0], next(tensors_in(out))
    down, wanted = given.shape[2:], first.shape[2:]
    if down == wanted:
        return 0
    covered = 1
    for size, cells in zip(down, wanted, strict=True):
        covered *= sum(-(-(cell + 1) * size // cells) - cell * size // cells for cell in range(cells))
    return int(first.shape[0] * first.shape[1] * covered)


def _means(args: tuple[Any, ...], out: Any) -> int:
    """The mean over all places of maps, as pooling to one place is done."""
    given = args[0]
    axes = args[1] if len(args) > 1 and args[1] is not None else ()
    places = {axis % given.ndim for axis in axes}
    return int(given.numel()) if given.ndim >= 4 and places == set(range(2, given.ndim)) else 0


_POOLING: dict[str, Callable[[tuple[Any, ...], Any], int]] = {
    "max_pool2d_with_indices": _windows,
    "max_pool3d_with_indices": _windows,
    "avg_pool2d": _windows,
    "avg_pool3d": _windows,
    "_adaptive_avg_pool2d": _cells,
    "_adaptive_avg_pool3d": _cells,
    "adaptive_max_pool2d": _cells,
    "adaptive_max_pool3d": _cells,
    "mean": _means,
}


def _window_of(module: nn.Module) -> Window | None:
    """Kernel, step and padding of a convolution or a pooling with a kernel."""
    kernel: Any = getattr(module, "kernel_size", None)
    if kernel is None or not re.search("Conv|Pool", type(module).__name__):
        return None
    last = type(module).__name__[-2:-1]
    count = len(kernel) if isinstance(kernel, Sequence) else int(last) if last.isdigit() else 2
    step: Any = getattr(module, "stride", None) or kernel
    padding: Any = getattr(module, "padding", 0)
    dilation = _all(getattr(module, "dilation", 1), count)
    if isinstance(padding, str):
        spans = zip(_all(kernel, count), dilation, strict=True)
        padding = tuple(0 if padding == "valid" else (k - 1) * d // 2 for k, d in spans)
    return Window(
        _all(kernel, count), _all(step, count), _all(padding, count), dilation,
        groups=getattr(module, "groups", 0), biases=getattr(module, "bias", None) is not None,
        ceil=bool(getattr(module, "ceil_mode", False)), turned=bool(getattr(module, "transposed", False)),
    )  # fmt: skip


def _dense_of(module: nn.Module) -> tuple[int, int] | None:
    if isinstance(module, nn.Linear) and module.bias is not None:
        return module.in_features, module.out_features
    return None


__all__ = ["INPUT", "OUTPUT", "Figures", "Measured", "Window", "measure"]
